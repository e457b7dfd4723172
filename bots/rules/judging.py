"""Judging conditions on one bar: trees made into closures once, and the compared values told as Steps when asked for.

`now` and `before` hold the value of each column on this bar and the one before. What is not known (warm-up, no position) is
None, neither true nor false; `not` of it is not true either.
"""

from __future__ import annotations

import operator
from abc import ABCMeta
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import msgspec

from bots.rules.tree import Leaf, Negation, Node, Poll
from shared.domain.rule import model as m
from shared.domain.signal import Step

Row = Sequence[float]
Test = Callable[[Row, Row], bool | None]
Columns = Callable[[Any, int, Any], Row]  # of a forming bar whose every value is known (stepping.py)
Fixed = tuple[str, str, str, str, str, bool | None]  # a Step's fields, of what is not a condition: stops, targets

_COMPARE: dict[m.Operator, Callable[[float, float], bool]] = {
    m.Operator.GREATER_THAN: operator.gt,
    m.Operator.BREAKS: operator.gt,
    m.Operator.LESS_THAN: operator.lt,
    m.Operator.GREATER_EQUAL: operator.ge,
    m.Operator.LESS_EQUAL: operator.le,
    m.Operator.EQUAL: operator.eq,
    m.Operator.NOT_EQUAL: operator.ne,
}


def test_of(node: Node) -> Test:
    """Return the tree as one function of (now, before)."""
    if isinstance(node, Leaf):
        return _leaf(node)
    if isinstance(node, Negation):
        return _negation(test_of(node.node))
    if isinstance(node, Poll):
        return _poll(node, tuple(map(test_of, node.nodes)))
    tests = tuple(map(test_of, node.nodes))
    if not tests:
        return lambda now, before: False  # an empty group asks for nothing and never fires
    if len(tests) == 1:
        return tests[0]
    return _all(tests) if node.logic is m.Logic.ALL else _any(tests)


def _leaf(leaf: Leaf) -> Test:
    left, right = leaf.left, leaf.right
    if leaf.upper is not None:
        return _between(left, right, leaf.upper)
    if leaf.operator is m.Operator.CROSS_ABOVE:
        return _crosses(left, right)
    if leaf.operator is m.Operator.CROSS_BELOW:
        return _crosses(right, left)
    compare = _COMPARE[leaf.operator]

    def test(now: Row, before: Row) -> bool | None:
        a, b = now[left], now[right]
        return None if a != a or b != b else compare(a, b)

    return test


def _crosses(low: int, high: int) -> Test:
    """Before not above, now above (design.md §7)."""

    def test(now: Row, before: Row) -> bool | None:
        a, b, a0, b0 = now[low], now[high], before[low], before[high]
        if a != a or b != b or a0 != a0 or b0 != b0:
            return None
        return a0 <= b0 and a > b

    return test


def _between(left: int, lower: int, upper: int) -> Test:
    def test(now: Row, before: Row) -> bool | None:
        a, low, high = now[left], now[lower], now[upper]
        return None if a != a or low != low or high != high else low <= a <= high

    return test


def _negation(inner: Test) -> Test:
    def test(now: Row, before: Row) -> bool | None:
        held = inner(now, before)
        return None if held is None else not held

    return test


def _all(tests: tuple[Test, ...]) -> Test:
    def test(now: Row, before: Row) -> bool | None:
        known = True
        for one in tests:
            held = one(now, before)
            if held is False:
                return False
            if held is None:
                known = False
        return True if known else None

    return test


def _any(tests: tuple[Test, ...]) -> Test:
    def test(now: Row, before: Row) -> bool | None:
        known = True
        for one in tests:
            held = one(now, before)
            if held:
                return True
            if held is None:
                known = False
        return False if known else None

    return test


def _poll(poll: Poll, tests: tuple[Test, ...]) -> Test:
    pairs = tuple(zip(tests, poll.weights, strict=True))

    def test(now: Row, before: Row) -> bool | None:
        sure = open_ = 0.0
        for one, weight in pairs:
            held = one(now, before)
            if held:
                sure += weight
            elif held is None:
                open_ += weight
        if sure >= poll.at_least:
            return True
        return None if sure + open_ >= poll.at_least else False

    return test


def score_of(node: Node, now: Row, before: Row) -> float:
    """Return the share of a poll's weight that is true, 1 for any other tree."""
    if not isinstance(node, Poll):
        return 1.0
    held = (weight for one, weight in zip(node.nodes, node.weights, strict=True) if test_of(one)(now, before))
    return sum(held) / sum(node.weights)


# -- told when asked -------------------------------------------------------------------------------------------------


def steps_of(node: Node, now: Row, before: Row) -> Iterator[Step]:
    """Yield every comparison of the tree with its values and truth, in the order written."""
    if isinstance(node, Leaf):
        yield _step(node, now, before)
    elif isinstance(node, Negation):
        yield from steps_of(node.node, now, before)
    else:
        for one in node.nodes:
            yield from steps_of(one, now, before)


def _step(leaf: Leaf, now: Row, before: Row) -> Step:
    left, right = repr(now[leaf.left]), repr(now[leaf.right])
    if leaf.upper is not None:
        right += f" ~ {now[leaf.upper]!r}"
    elif leaf.crosses:
        left, right = f"{before[leaf.left]!r} → {left}", f"{before[leaf.right]!r} → {right}"
    return Step(leaf.path, leaf.label, left, leaf.operator.value, right, _leaf(leaf)(now, before))


class _Made(msgspec.StructMeta, ABCMeta):
    """A struct that is a Sequence."""


class Trace(msgspec.Struct, Sequence[Step], metaclass=_Made, eq=False, gc=False):
    """The steps of one evaluation: kept as the numbers that were compared, told as Steps only when somebody looks."""

    fixed: Sequence[Fixed]  # what was not a condition
    node: Node | None  # the conditions
    now: Row  # every column; with `columns`, which makes them, the forming bar as it stood
    before: Row  # every column on the bar before
    columns: Columns | None
    told: tuple[Step, ...] | None = None

    def _steps(self) -> tuple[Step, ...]:
        if self.told is None:
            seen = self.now if self.columns is None else self.columns(self.now, 0, {})
            judged = () if self.node is None else steps_of(self.node, seen, self.before)
            self.told = (*(Step(*one) for one in self.fixed), *judged)
        return self.told

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Step, ...]: ...
    def __getitem__(self, index: Any) -> Any:
        return self._steps()[index]

    def __len__(self) -> int:
        return len(self._steps())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._steps() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._steps())

    def __repr__(self) -> str:
        return repr(self._steps())
