"""A plan's columns on the newest bar of a window: each indicator is computed when a bar closes, and stepped on a tick.

Every rule on the same series shares what it computed: a hundred rules with the same average cost one average.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import nan
from typing import Any

from bots.rules.conditions import SCALE
from bots.rules.indicators import Call, Output
from bots.rules.peeks import Peek, Values, peek_of
from bots.rules.plan import Plan, ScaledColumn
from bots.rules.series import NOTHING, Bars, BarWindow, Row
from shared.domain.rule import model as m

_CONSTANT, _CALL, _PRICE, _FACT, _SCALED = range(5)
_MOST_BOUND = 1_000
_PLACES = {
    m.PriceField.OPEN: 0,
    m.PriceField.HIGH: 1,
    m.PriceField.LOW: 2,
    m.PriceField.CLOSE: 3,
    m.PriceField.VOLUME: 4,
}
Reader = tuple[int, Any, Any]  # kind, what it reads, which of its values
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


def rows(plan: Plan, window: BarWindow, closed_only: bool, facts: Facts) -> tuple[list[float], list[float]]:
    """Return each column's value on the newest bar and the one before; `closed_only` leaves a forming bar out.

    Raises:
        ConfigError: an indicator of the rule cannot be computed.
    """
    bound = window.bound.get(plan)
    if bound is None:
        bound = _bind(plan, window)
    readers, closed = bound
    if closed.version != window.version:
        closed.refresh(window)
    on_closed = closed_only or not window.forming
    bar: Row = closed.last if on_closed else window.now
    bar_before: Row = closed.previous if on_closed else closed.last
    puts = window.puts
    now: list[float] = []
    before: list[float] = []
    for kind, what, which in readers:
        if kind == _CALL:
            if what.puts != puts:
                what.refresh(window)
            if on_closed:
                now.append(what.last[which])
                before.append(what.previous[which])
            else:
                now.append(what.now[which])
                before.append(what.last[which])
        elif kind == _CONSTANT:
            now.append(what)
            before.append(what)
        elif kind == _PRICE:
            now.append(bar[what])
            before.append(bar_before[what])
        elif kind == _FACT:
            value = facts.get(what, nan)
            now.append(value)
            before.append(value)
        else:
            base, scalar = which
            now.append(what(now[base], scalar))
            before.append(what(before[base], scalar))
    return now, before


def _bind(plan: Plan, window: BarWindow) -> tuple[tuple[Reader, ...], _Closed]:
    if len(window.bound) >= _MOST_BOUND:  # rules were saved anew many times: forget the old ones
        window.bound.clear()
        window.slots.clear()
    closed: _Closed = window.slots.setdefault("closed", _Closed())
    readers = tuple(_reader(one, window, closed) for one in plan.sources)
    window.bound[plan] = readers, closed
    return readers, closed


def _reader(source: object, window: BarWindow, closed: _Closed) -> Reader:
    match source:
        case Output(call, index):
            return _CALL, window.slots.setdefault(call, _Slot(call, closed)), index
        case m.Constant(value):
            return _CONSTANT, float(value), None
        case m.Price(field):
            return _PRICE, _PLACES[field], None
        case ScaledColumn(base, operation, scalar):
            scale: Callable[[float, float], float] = SCALE[operation]
            return _SCALED, scale, (base, scalar)
        case m.FactRef(fact):
            return _FACT, fact, None
    raise TypeError(f"no column of {source!r}")


def _values(computed: tuple[Any, ...], back: int) -> Values:
    return tuple(float(one[-back]) if len(one) >= back else nan for one in computed)


def _row(bars: Bars, back: int) -> Row:
    if len(bars) < back:
        return NOTHING
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    opened, high, low, close, volume = (float(one[-back]) for one in columns)
    return opened, high, low, close, volume
