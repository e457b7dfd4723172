"""A plan's columns on the newest bar of a window: each indicator is computed when a bar closes, and stepped on a tick.

Every rule on the same series shares what it computed: a hundred rules with the same average cost one average.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

from bots.rules.conditions import SCALE
from bots.rules.indicators import Call, Output
from bots.rules.peeks import Peek, Values, peek_of
from bots.rules.plan import Plan, ScaledColumn
from bots.rules.series import NOTHING, Bars, BarWindow, Row
from shared.domain.rule import model as m

_MOST_BOUND = 1_000
_PLACES = {
    m.PriceField.OPEN: 0,
    m.PriceField.HIGH: 1,
    m.PriceField.LOW: 2,
    m.PriceField.CLOSE: 3,
    m.PriceField.VOLUME: 4,
}
Facts = Mapping[m.Fact, float]


class _Closed:
    """The last two closed bars of a window as plain numbers."""

    __slots__ = ("bars", "last", "previous", "version")

    def __init__(self) -> None:
        self.version = -1
        self.bars: Bars | None = None
        self.last = self.previous = NOTHING

    def refresh(self, window: BarWindow) -> None:
        if self.version != window.version:
            self.version, self.bars = window.version, window.closed()
            self.last, self.previous = _row(self.bars, 1), _row(self.bars, 2)


class _Slot:
    """One indicator on one window: its values on the last two closed bars and on the forming one."""

    __slots__ = ("call", "closed", "last", "now", "peek", "previous", "puts", "version")

    def __init__(self, call: Call, closed: _Closed) -> None:
        self.call, self.closed = call, closed
        self.version = self.puts = -1
        self.peek: Peek = lambda row: ()
        self.last: Values = ()
        self.previous: Values = ()
        self.now: Values = ()

    def refresh(self, window: BarWindow) -> None:
        if self.version != window.version:
            bars = self.closed.bars
            assert bars is not None  # _Closed.refresh came first
            computed = self.call.compute(bars)
            self.last, self.previous = _values(computed, 1), _values(computed, 2)
            self.peek = peek_of(self.call, bars, computed, window.newest_start)
            self.version = window.version
        self.now = self.peek(window.now) if window.forming else self.last
        self.puts = window.puts


@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """A plan's columns sorted by where they come from: (column, what, which)."""

    closed: _Closed
    constants: list[float]  # every column, those that are not constant as NaN
    calls: tuple[tuple[int, _Slot, int], ...]
    prices: tuple[tuple[int, int], ...]
    facts: tuple[tuple[int, m.Fact], ...]
    scaled: tuple[tuple[int, Callable[[float, float], float], int, float], ...]


def rows(plan: Plan, window: BarWindow, closed_only: bool, facts: Facts) -> tuple[list[float], list[float]]:
    """Return each column's value on the newest bar and the one before; `closed_only` leaves a forming bar out.

    The bar before is told only for plans that look back at it (crosses).

    Raises:
        ConfigError: an indicator of the rule cannot be computed.
    """
    bound = window.bound.get(plan) or _bind(plan, window)
    closed = bound.closed
    if closed.version != window.version:
        closed.refresh(window)
    on_closed = closed_only or not window.forming
    now = bound.constants.copy()
    puts = window.puts
    if on_closed:
        for column, slot, which in bound.calls:
            if slot.version != window.version:
                slot.refresh(window)
            now[column] = slot.last[which]
    else:
        for column, slot, which in bound.calls:
            if slot.puts != puts:
                slot.refresh(window)
            now[column] = slot.now[which]
    bar = closed.last if on_closed else window.now
    for column, place in bound.prices:
        now[column] = bar[place]
    for column, fact in bound.facts:
        now[column] = facts.get(fact, nan)
    for column, scale, base, scalar in bound.scaled:
        now[column] = scale(now[base], scalar)
    return now, _before(bound, on_closed, now) if plan.crosses else now


def _before(bound: _Bound, on_closed: bool, now: list[float]) -> list[float]:
    before = now.copy()
    for column, slot, which in bound.calls:
        before[column] = (slot.previous if on_closed else slot.last)[which]
    bar = bound.closed.previous if on_closed else bound.closed.last
    for column, place in bound.prices:
        before[column] = bar[place]
    for column, scale, base, scalar in bound.scaled:
        before[column] = scale(before[base], scalar)
    return before


def _bind(plan: Plan, window: BarWindow) -> _Bound:
    if len(window.bound) >= _MOST_BOUND:  # rules were saved anew many times: forget the old ones
        window.bound.clear()
        window.slots.clear()
    closed: _Closed = window.slots.setdefault("closed", _Closed())
    constants, calls, prices, known, scaled = [nan] * len(plan.sources), [], [], [], []
    for column, source in enumerate(plan.sources):
        match source:
            case Output(call, index):
                calls.append((column, window.slots.setdefault(call, _Slot(call, closed)), index))
            case m.Constant(value):
                constants[column] = float(value)
            case m.Price(field):
                prices.append((column, _PLACES[field]))
            case m.FactRef(fact):
                known.append((column, fact))
            case ScaledColumn(base, operation, scalar):
                scaled.append((column, SCALE[operation], base, scalar))
    bound = _Bound(closed, constants, tuple(calls), tuple(prices), tuple(known), tuple(scaled))
    window.bound[plan] = bound
    return bound


def _values(computed: tuple[Any, ...], back: int) -> Values:
    return tuple(float(one[-back]) if len(one) >= back else nan for one in computed)


def _row(bars: Bars, back: int) -> Row:
    if len(bars) < back:
        return NOTHING
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    opened, high, low, close, volume = (float(one[-back]) for one in columns)
    return opened, high, low, close, volume
