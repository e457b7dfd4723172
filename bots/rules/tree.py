"""A rule's conditions as a tree of comparisons over numbered columns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from shared.domain.rule import model as m


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison over column numbers; `upper` is set for `between`."""

    path: str
    label: str
    operator: m.Operator
    left: int
    right: int
    upper: int | None

    @property
    def crosses(self) -> bool:
        return self.operator in m.CROSSES


@dataclass(frozen=True, slots=True)
class Branch:
    logic: m.Logic
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    node: Node


@dataclass(frozen=True, slots=True)
class Poll:
    """True when the weights of the true nodes reach `at_least`."""

    nodes: tuple[Node, ...]
    weights: tuple[float, ...]
    at_least: float


Node = Leaf | Branch | Negation | Poll


def leaves(node: Node) -> list[Leaf]:
    """Return every comparison of a tree, in the order written."""
    if isinstance(node, Leaf):
        return [node]
    if isinstance(node, Negation):
        return leaves(node.node)
    return [leaf for one in node.nodes for leaf in leaves(one)]


def without_polls(node: Node) -> Node:
    """Return the same tree in and/or/not alone: a poll is the least sets of votes that reach it, any of them, all of it.

    True, false and not known stay what they are: unknown votes matter to a set as they matter to the sum.
    """
    if isinstance(node, Leaf):
        return node
    if isinstance(node, Negation):
        return Negation(without_polls(node.node))
    nodes = tuple(map(without_polls, node.nodes))
    if isinstance(node, Branch):
        return Branch(node.logic, nodes)
    return Branch(m.Logic.ANY, tuple(Branch(m.Logic.ALL, tuple(nodes[i] for i in one)) for one in _winning(node)))


def _winning(poll: Poll) -> list[tuple[int, ...]]:
    """The least sets of places whose weights reach the mark."""
    found: list[tuple[int, ...]] = []
    for size in range(1, len(poll.nodes) + 1):
        for places in combinations(range(len(poll.nodes)), size):
            enough = sum(poll.weights[i] for i in places) >= poll.at_least
            if enough and not any(set(one) <= set(places) for one in found):
                found.append(places)
    return found
