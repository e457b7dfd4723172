"""A rule's conditions as a tree of comparisons over numbered columns."""

from __future__ import annotations

from dataclasses import dataclass

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
