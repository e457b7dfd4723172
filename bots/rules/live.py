"""A plan's columns on the newest bar of a window: each indicator is computed when a bar closes, and stepped on a tick.

Every rule on the same series shares what is computed at a close: a hundred rules with the same average cost one average.
"""

from __future__ import annotations

from math import nan
from typing import Any

from bots.rules.conditions import SCALE
from bots.rules.indicators import Call, Output
from bots.rules.peeks import Formula, Kept, Peek, Values, formula_of, peek_of
from bots.rules.plan import Plan, ScaledColumn, plan_of
from bots.rules.series import NOTHING, Bars, BarWindow, Row
from bots.rules.stepping import Facts, Stepped, stepped_of
from shared.domain.rule import model as m

_MOST_BOUND = 1_000
_PLACES = {
    m.PriceField.OPEN: 0,
    m.PriceField.HIGH: 1,
    m.PriceField.LOW: 2,
    m.PriceField.CLOSE: 3,
    m.PriceField.VOLUME: 4,
}


class _Closed:
    """The last two closed bars of a window as plain numbers."""

    __slots__ = ("bars", "last", "previous", "version")

    def __init__(self) -> None:
        self.version = -1
        self.bars: Bars | None = None
        self.last = self.previous = NOTHING

    def refresh(self, window: BarWindow) -> Bars:
        if self.version != window.version or self.bars is None:
            self.version, self.bars = window.version, window.closed()
            self.last, self.previous = _row(self.bars, 1), _row(self.bars, 2)
        return self.bars


class _Slot:
    """One indicator on one window: its values on the last two closed bars, and how the forming one is stepped."""

    __slots__ = ("call", "formula", "last", "now", "peek", "previous", "puts", "version")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.version = self.puts = -1
        self.formula: tuple[Formula, Kept] | None = None
        self.peek: Peek = lambda row: ()
        self.last: Values = ()
        self.previous: Values = ()
        self.now: Values = ()

    def refresh(self, window: BarWindow, closed: Bars) -> None:
        computed = self.call.compute(closed)
        self.last, self.previous = _values(computed, 1), _values(computed, 2)
        self.formula = formula_of(self.call, closed, computed)
        if self.formula is None:
            self.peek = peek_of(self.call, closed, window.newest_start)
        self.version, self.puts = window.version, -1

    def at(self, row: Row, puts: int) -> Values:
        """The values on the forming bar where there is no formula, computed once a tick for all rules."""
        if self.puts != puts:
            self.now, self.puts = self.peek(row), puts
        return self.now


class _Bound:
    """A plan on a window. `version`: the closed bars that all of this is of; `stepped` is made when a bar forms."""

    __slots__ = ("closed", "last", "plan", "previous", "slots", "stepped", "version")

    def __init__(self, plan: Plan, window: BarWindow) -> None:
        self.plan = plan
        self.closed: _Closed = window.slots.setdefault("closed", _Closed())
        self.slots: tuple[_Slot, ...] = tuple(window.slots.setdefault(call, _Slot(call)) for call in plan.calls)
        self.last: list[float] = []  # every column on the last closed bar, never changed: decisions keep it
        self.previous: list[float] = []  # and on the one before
        self.stepped: Stepped | None = None
        self.version = -1

    def refresh(self, window: BarWindow) -> None:
        closed = self.closed.refresh(window)
        for slot in self.slots:
            if slot.version != window.version:
                slot.refresh(window, closed)
        self.last = self._columns([one.last for one in self.slots], self.closed.last)
        self.previous = self._columns([one.previous for one in self.slots], self.closed.previous)
        self.stepped, self.version = None, window.version

    def step(self) -> Stepped:
        hows = [slot.at if slot.formula is None else slot.formula for slot in self.slots]
        self.stepped = stepped_of(self.plan, hows, self.last)
        return self.stepped

    def _columns(self, values: list[Values], bar: Row) -> list[float]:
        """Every column of one closed bar; facts stand as not known."""
        found = [nan] * len(self.plan.sources)
        for place, source in enumerate(self.plan.sources):
            match source:
                case Output(call, index):
                    found[place] = values[self.plan.calls.index(call)][index]
                case m.Constant(value):
                    found[place] = float(value)
                case m.Price(field):
                    found[place] = bar[_PLACES[field]]
                case ScaledColumn(base, operation, scalar):
                    found[place] = SCALE[operation](found[base], scalar)
        return found


def rows(plan: Plan, window: BarWindow, closed_only: bool, facts: Facts) -> tuple[list[float], list[float]]:
    """Return each column's value on the newest bar and the one before; `closed_only` leaves a forming bar out.

    The bar before is told only for plans that look back at it (crosses). The lists are not to be changed.

    Raises:
        ConfigError: an indicator of the rule cannot be computed.
    """
    bound = window.bound.get(plan) or _bind(plan, window)
    if bound.version != window.version:
        bound.refresh(window)
    if closed_only or not window.forming:
        now, before = bound.last, bound.previous
        if plan.has_facts:
            now = _with_facts(plan, now, facts)
    else:
        now, before = (bound.stepped or bound.step()).columns(window.now, window.puts, facts), bound.last
    if not plan.crosses:
        return now, now
    return now, _with_facts(plan, before, facts) if plan.has_facts else before


def on_forming(rule: m.Rule, window: BarWindow) -> tuple[m.Rule, Plan, Stepped]:
    """Return the rule, its plan and the plan's functions of the bar that forms now in `window`.

    They are kept in `window.steps` by the rule's id until a bar closes; the rule kept beside them keeps the id its own.
    """
    plan = plan_of(rule)
    bound = window.bound.get(plan) or _bind(plan, window)
    if bound.version != window.version:
        bound.refresh(window)
    found = window.steps[id(rule)] = (rule, plan, bound.stepped or bound.step())
    return found


def _with_facts(plan: Plan, row: list[float], facts: Facts) -> list[float]:
    found = row.copy()
    for place, source in enumerate(plan.sources):
        if isinstance(source, m.FactRef):
            found[place] = facts.get(source.fact, nan)
        elif isinstance(source, ScaledColumn):
            found[place] = SCALE[source.operation](found[source.base], source.scalar)
    return found


def _bind(plan: Plan, window: BarWindow) -> _Bound:
    if len(window.bound) >= _MOST_BOUND:  # rules were saved anew many times: forget the old ones
        window.bound.clear()
        window.slots.clear()
    bound = window.bound[plan] = _Bound(plan, window)
    return bound


def _values(computed: tuple[Any, ...], back: int) -> Values:
    return tuple(float(one[-back]) if len(one) >= back else nan for one in computed)


def _row(bars: Bars, back: int) -> Row:
    if len(bars) < back:
        return NOTHING
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    opened, high, low, close, volume = (float(one[-back]) for one in columns)
    return opened, high, low, close, volume
