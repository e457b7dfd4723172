"""Judging conditions over arrays: `truth` on the last bar, `mask` on every bar for the backtest.

Both walk one tree with the comparisons of judging.py. What is not known (warm-up, no position) is neither true nor false: `not` of
it is not true either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bots.rules.indicators import Call, Output
from bots.rules.judging import steps_of, test_of
from bots.rules.plan import Plan, ScaledColumn
from bots.rules.series import Bars, FloatArray
from bots.rules.tree import Leaf, Negation, Node, Poll, without_polls
from shared.domain.rule import model as m
from shared.domain.signal import Step

Column = FloatArray | float  # an array over the bars, or one number for all of them
Mask = NDArray[np.bool_]
Facts = Mapping[m.Fact, Column]

# left, left before, right, right before; floats or arrays alike. Cross: before not above, now above (design.md §7).
_TESTS: dict[m.Operator, Callable[[Any, Any, Any, Any], Any]] = {
    m.Operator.GREATER_THAN: lambda a, a0, b, b0: a > b,
    m.Operator.BREAKS: lambda a, a0, b, b0: a > b,
    m.Operator.LESS_THAN: lambda a, a0, b, b0: a < b,
    m.Operator.GREATER_EQUAL: lambda a, a0, b, b0: a >= b,
    m.Operator.LESS_EQUAL: lambda a, a0, b, b0: a <= b,
    m.Operator.EQUAL: lambda a, a0, b, b0: a == b,
    m.Operator.NOT_EQUAL: lambda a, a0, b, b0: a != b,
    m.Operator.CROSS_ABOVE: lambda a, a0, b, b0: (a0 <= b0) & (a > b),
    m.Operator.CROSS_BELOW: lambda a, a0, b, b0: (a0 >= b0) & (a < b),
}
SCALE: dict[m.Scaling, Callable[[Any, float], Any]] = {
    m.Scaling.MUL: lambda value, by: value * by,
    m.Scaling.DIV: lambda value, by: value / by,
    m.Scaling.ADD: lambda value, by: value + by,
    m.Scaling.SUB: lambda value, by: value - by,
}


def columns(plan: Plan, bars: Bars, facts: Facts, spared: frozenset[Call] = frozenset()) -> list[Column]:
    """Return the plan's columns over `bars`; a fact that `facts` lacks is not known (NaN), nor is what is `spared`."""
    computed = {call: call.compute(bars) for call in plan.calls if call not in spared}
    found: list[Column] = []
    for source in plan.sources:
        match source:
            case Output(call, index):
                found.append(nan if call in spared else computed[call][index])
            case m.Constant(value):
                found.append(float(value))
            case m.Price(field):
                found.append(_price(bars, field))
            case m.FactRef(fact):
                found.append(facts.get(fact, nan))
            case ScaledColumn(base, operation, scalar):
                found.append(SCALE[operation](found[base], scalar))
    return found


def sliced(plan: Plan, values: list[Column], begin: int, end: int, facts: Facts) -> list[Column]:
    """Return the columns of bars [begin, end) with `facts` (already of that length) in the places of the old ones."""
    found: list[Column] = []
    for source, column in zip(plan.sources, values, strict=True):
        match source:
            case m.FactRef(fact) if fact in facts:
                found.append(facts[fact])
            case ScaledColumn(base, operation, scalar):
                found.append(SCALE[operation](found[base], scalar))
            case _:
                found.append(column if isinstance(column, float) else column[begin:end])
    return found


def _price(bars: Bars, field: m.PriceField) -> FloatArray:
    found: FloatArray = getattr(bars, field.value)
    return found


# -- the last bar -----------------------------------------------------------------------------------------------------


def rows(values: list[Column]) -> tuple[list[float], list[float]]:
    """Return each column's value on the last bar and on the one before it, NaN where there is none."""
    return [_at(one, 1) for one in values], [_at(one, 2) for one in values]


def truth(node: Node, values: list[Column], steps: list[Step]) -> bool | None:
    """Return whether the tree holds on the last bar, None when that is not known; every comparison adds a Step."""
    now, before = rows(values)
    steps.extend(steps_of(node, now, before))
    return test_of(node)(now, before)


def _at(column: Column, back: int) -> float:
    if isinstance(column, float):
        return column
    return float(column[-back]) if len(column) >= back else nan


# -- every bar --------------------------------------------------------------------------------------------------------


def mask(node: Node, values: list[Column], count: int, wanted: bool = True) -> Mask:
    """Return for each of `count` bars whether the tree is surely `wanted`; an unknown bar is false either way."""
    if isinstance(node, Leaf):
        return _leaf_mask(node, values, count, wanted)
    if isinstance(node, Negation):
        return mask(node.node, values, count, not wanted)
    if isinstance(node, Poll):
        return mask(without_polls(node), values, count, wanted)
    if not node.nodes:
        return np.full(count, not wanted)
    parts = [mask(one, values, count, wanted) for one in node.nodes]
    together = np.logical_and if (node.logic is m.Logic.ALL) == wanted else np.logical_or
    found = parts[0]
    for part in parts[1:]:
        found = together(found, part)
    return found


def _leaf_mask(leaf: Leaf, values: list[Column], count: int, wanted: bool) -> Mask:
    left, right = values[leaf.left], values[leaf.right]
    seen = [left, right]
    if leaf.upper is not None:
        upper = values[leaf.upper]
        seen.append(upper)
        held = (right <= left) & (left <= upper)
    else:
        left_0, right_0 = (_before(left), _before(right)) if leaf.crosses else (nan, nan)
        held = _TESTS[leaf.operator](left, left_0, right, right_0)
        if leaf.crosses:
            seen += [left_0, right_0]
    if not wanted:
        held = np.logical_not(held)
    if not wanted or leaf.operator is m.Operator.NOT_EQUAL:  # elsewhere a comparison with NaN is false already
        for column in seen:
            held = held & ~np.isnan(column)
    return np.broadcast_to(np.asarray(held, dtype=np.bool_), (count,))


def _before(column: Column) -> Column:
    if isinstance(column, float):
        return column
    shifted = np.empty_like(column)
    shifted[:1] = nan
    shifted[1:] = column[:-1]
    return shifted
