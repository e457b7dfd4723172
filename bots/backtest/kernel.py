"""Plans and bars in the compiled walk's own layout (native/kernel.c), and its answers back as arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from functools import lru_cache
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bots.backtest import native
from bots.backtest.costs import CHEAP, Costs, Regime, as_decimal
from bots.backtest.data import PriceData
from bots.backtest.fast import LOG, Fill, Trades, Walked, sizing_of, static_facts
from bots.rules.conditions import Column, columns
from bots.rules.indicators import Call, Output
from bots.rules.plan import Branch, Leaf, Negation, Node, Plan, Poll, ScaledColumn, has_target
from bots.rules.series import FloatArray
from bots.rules.tree import without_polls
from shared.domain.account import Market
from shared.domain.order import PRICED, OrderType
from shared.domain.rule import model as m

UNIT = 100_000_000  # money and prices are integers of 1e-8
_RATE = 10**14
MAX_SYMBOLS, _DEPTH = 64, 16
_TIMED = frozenset({OrderType.LOO, OrderType.LOC, OrderType.MOC})
_I64, _F64, _I32, _PTR = ctypes.c_int64, ctypes.c_double, ctypes.c_int32, ctypes.c_void_p


class _Regime(ctypes.Structure):
    _fields_ = (
        ("from_bar", _I64), ("floors", _I64 * 8), ("ticks", _I64 * 8),
        ("buy", _I64), ("sell", _I64), ("tax", _I64), ("rural", _I64), ("sec", _I64),
        ("taf_share", _I64), ("taf_cap", _I64), ("cheap_below", _I64), ("cheap_unit", _I64),
        ("tick_count", _I32), ("limit_pct", _I32),
    )  # fmt: skip


class _Column(ctypes.Structure):
    _fields_ = (
        ("data", _PTR), ("constant", _F64), ("scalar", _F64),
        ("kind", _I32), ("base", _I32), ("operation", _I32), ("slot", _I32),
    )  # fmt: skip


class _Op(ctypes.Structure):
    _fields_ = (("code", _I32), ("a", _I32), ("b", _I32), ("c", _I32))


class _Series(ctypes.Structure):
    _fields_ = (
        ("count", _I64), ("starts", _PTR), ("open", _PTR), ("high", _PTR), ("low", _PTR), ("close", _PTR),
        ("volume", _PTR), ("bar_at", _PTR), ("regimes", _PTR), ("columns", _PTR), ("dividend_bars", _PTR),
        ("dividend_amounts", _PTR), ("regime_count", _I64), ("dividend_count", _I64), ("bar_seconds", _I64),
        ("day_offset", _I64), ("column_count", _I64), ("averages", _I64),
    )  # fmt: skip


class _Plan(ctypes.Structure):
    _fields_ = (
        ("entry", _PTR), ("leave", _PTR), ("entry_count", _I64), ("leave_count", _I64), ("leave_needs_position", _I64),
        ("stop_pct", _F64), ("target_pct", _F64), ("trail_pct", _F64), ("time_stop", _I64),
        ("cooldown_s", _I64), ("sizing_mode", _I64), ("sizing_value", _I64), ("max_position", _I64), ("is_us", _I64),
        ("fill_close", _I64), ("slippage_ticks", _I64), ("volume_pct", _I64), ("has_limits", _I64),
    )  # fmt: skip


class _Stats(ctypes.Structure):
    _fields_ = (
        ("final_equity", _F64), ("max_drawdown", _F64), ("sum", _F64), ("sum_squares", _F64), ("gross_profit", _F64),
        ("gross_loss", _F64), ("returns", _I64), ("closed", _I64), ("wins", _I64), ("trades", _I64),
        ("unaffordable", _I64), ("thin", _I64), ("held_bars", _I64),
    )  # fmt: skip


STATS = np.dtype([(name, "<f8" if kind is _F64 else "<i8") for name, kind in _Stats._fields_])
_OPERATORS = {
    m.Operator.GREATER_THAN: 0, m.Operator.BREAKS: 0, m.Operator.LESS_THAN: 1, m.Operator.GREATER_EQUAL: 2,
    m.Operator.LESS_EQUAL: 3, m.Operator.EQUAL: 4, m.Operator.NOT_EQUAL: 5, m.Operator.CROSS_ABOVE: 6,
    m.Operator.CROSS_BELOW: 7, m.Operator.BETWEEN: 8,
}  # fmt: skip
_ALL, _ANY, _NOT, _NEVER = 20, 21, 22, 23
_SIZING = {m.SizingMode.SHARES: 0, m.SizingMode.AMOUNT: 1, m.SizingMode.EQUITY_PCT: 2, m.SizingMode.RISK_PCT: 3}
_SCALING = {m.Scaling.MUL: 0, m.Scaling.DIV: 1, m.Scaling.ADD: 2, m.Scaling.SUB: 3}
_POSITION = {m.Fact.PNL_PCT: 2, m.Fact.BARS_SINCE_ENTRY: 3}
_AVERAGES = {"SMA": 5, "EMA": 6}  # kinds of column that the compiled walk makes as it goes
_MOST_AVERAGES = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """What a walk needs to know beside plan and bars."""

    cash: float
    fill: Fill
    costs: Costs


def usable(plan: Plan, symbols: int = 1) -> bool:
    """Say whether the compiled walk is here and can do this plan: conditions and stops, orders that trade at once.

    Python code can only be asked bar by bar, and sizes by ATR are the replay's.
    """
    if plan.rule.python or waits(plan.rule) or plan.risk_column is not None:
        return False
    deepest = max(_depth(plan.entry), _depth(plan.exit))
    wanted = Decimal(str(sizing_of(plan, symbols).value)) * UNIT
    return native.library() is not None and deepest <= _DEPTH and symbols <= MAX_SYMBOLS and wanted < 2**63


def waits(rule: m.Rule) -> bool:
    """Whether the rule trades in steps, or by orders that may wait for their price or their hour."""
    execution = rule.execution
    passive = execution.order_type in PRICED and execution.offset_ticks < 0
    return has_target(rule) or passive or execution.order_type in _TIMED


def _depth(node: Node) -> int:
    """The places of the stack that judging `node` needs."""
    if isinstance(node, Negation):
        return _depth(node.node)
    if isinstance(node, Branch):
        return max((place + _depth(one) for place, one in enumerate(node.nodes)), default=1)
    return 1


class Walker:
    """Bars laid out once, so that many plans can walk them. Keeps every array that the compiled code points at."""

    def __init__(self, data: Sequence[PriceData], terms: Terms) -> None:
        self.data, self.terms = data, terms
        self.kept: list[Any] = []
        self._ops: dict[int, tuple[Node, Any]] = {}  # id of a tree held here -> its operations
        self.count, places = timeline(data)
        self.series = [self._series(one, place) for one, place in zip(data, places, strict=True)]

    def walk(self, plan: Plan, given: Sequence[list[Column]] | None = None) -> Walked:
        """Return what the plan trades; `given` columns per symbol spare computing them."""
        packed, keep = self.plan(plan)
        series = (_Series * len(self.data))()
        spared = averaged(plan) if given is None and len(self.data) == 1 else frozenset()
        for place, one in enumerate(self.data):
            values = columns(plan, one.bars, static_facts(plan, one), spared) if given is None else given[place]
            series[place], more = self.with_columns(place, plan, values, spared)
            keep += more
        equity, stats = np.empty(self.count), np.zeros(1, STATS)
        log: NDArray[Any] = np.empty(sum(len(one.bars) for one in self.data) // 16 + 64, LOG)
        while True:
            made = _library().backtest_walk(
                ctypes.byref(packed), series, _I64(len(self.data)), _I64(self.count), _money(self.terms.cash),
                None, _address(log), _I64(len(log)), _address(equity), _address(stats),
            )  # fmt: skip
            if made <= len(log):
                break
            log = np.empty(made, LOG)
        return Walked(Trades(log[:made]), equity, int(stats["unaffordable"][0]), int(stats["thin"][0]))

    def figures(self, plans: Sequence[Plan], given: Sequence[list[Column]]) -> NDArray[Any]:
        """Return the figures (STATS) of many plans over the one symbol, in one call of the compiled code."""
        packed, series = (_Plan * len(plans))(), (_Series * len(plans))()
        keep: list[Any] = []
        for place, (plan, values) in enumerate(zip(plans, given, strict=True)):
            packed[place], one = self.plan(plan)
            series[place], more = self.with_columns(0, plan, values)
            keep += (one, more)
        stats, ends = np.zeros(len(plans), STATS), _day_ends(self.data[0])
        _library().backtest_sweep(
            packed, series, _I64(len(plans)), _I64(self.count), _money(self.terms.cash),
            None if ends is None else _address(ends), _address(stats),
        )  # fmt: skip
        return stats

    def plan(self, plan: Plan) -> tuple[_Plan, list[Any]]:
        entry, leave = self._ops_of(plan.entry), self._ops_of(plan.exit)
        sizing = sizing_of(plan, len(self.data))
        most, costs = plan.rule.risk.max_position_size, self.terms.costs
        time_stop = -1 if plan.time_stop_bars is None else plan.time_stop_bars
        packed = _Plan(
            ctypes.addressof(entry), ctypes.addressof(leave), len(entry), len(leave), plan.exit_needs_position,
            _or_nan(plan.stop_loss_pct), _or_nan(plan.take_profit_pct),
            _or_nan(plan.trailing_stop_pct), time_stop, plan.rule.execution.cooldown_sec, _SIZING[sizing.mode],
            _scaled(Decimal(str(sizing.value))), -1 if most is None else _scaled(Decimal(str(most))),
            costs.market is Market.US and not costs.free, self.terms.fill is Fill.CLOSE, costs.slippage_ticks,
            costs.volume_pct, costs.has_limits,
        )  # fmt: skip
        return packed, [entry, leave]

    def _ops_of(self, node: Node) -> Any:
        if id(node) not in self._ops:
            self._ops[id(node)] = (node, _ops(node))
        return self._ops[id(node)][1]

    def with_columns(
        self, place: int, plan: Plan, values: list[Column], spared: frozenset[Call] = frozenset()
    ) -> tuple[_Series, list[Any]]:
        packed, keep = _columns(plan, values)
        one = _Series.from_buffer_copy(self.series[place])
        one.columns, one.column_count, one.averages = ctypes.addressof(packed), len(plan.sources), len(spared)
        for slot, call in enumerate(spared):
            prices = np.ascontiguousarray(getattr(self.data[place].bars, call.source.value), np.float64)
            keep.append(prices)
            kind, period = _AVERAGES[call.function], int(dict(call.params)["timeperiod"])
            for number, source in enumerate(plan.sources):
                if isinstance(source, Output) and source.call == call:
                    packed[number] = _Column(prices.ctypes.data, nan, 0.0, kind, period, 0, slot)
        return one, [packed, keep]

    def _series(self, data: PriceData, bar_at: NDArray[np.int32] | None) -> _Series:
        bars = data.bars
        regimes = _regimes(self.terms.costs, data)
        arrays = [np.ascontiguousarray(bars.starts, np.int64)]
        arrays += [
            np.ascontiguousarray(one, np.float64) for one in (bars.open, bars.high, bars.low, bars.close, bars.volume)
        ]
        paid = [(at, _scaled(self.terms.costs.net_dividend(amount))) for at, amount in data.dividends]
        shares = np.array(paid, np.int64).reshape(-1, 2).T.copy()
        self.kept += (arrays, regimes, bar_at, shares)
        return _Series(
            len(bars), *(_address(one) for one in arrays), None if bar_at is None else _address(bar_at),
            ctypes.addressof(regimes), None, _address(shares[0]), _address(shares[1]), len(regimes), len(paid),
            data.seconds_per_bar(), _offset(data), 0, 0,
        )  # fmt: skip


def averaged(plan: Plan) -> frozenset[Call]:
    """Return the plan's moving averages that the compiled walk makes by itself: as they are compared, not scaled."""
    scaled = {plan.sources[one.base] for one in plan.sources if isinstance(one, ScaledColumn)}
    calls = {one.call for one in plan.sources if isinstance(one, Output) and one not in scaled}
    calls -= {one.call for one in scaled if isinstance(one, Output)}
    found = [one for one in plan.calls if one in calls and one.function in _AVERAGES and _plain(one)]
    return frozenset(found[:_MOST_AVERAGES])


def _plain(call: Call) -> bool:
    """Whether its first value comes with its period's last bar: neither shifted nor held back by TA-Lib's settings."""
    return call.lookback == dict(call.params).get("timeperiod", 0) - 1 and call.shift == 0


def timeline(data: Sequence[PriceData]) -> tuple[int, list[NDArray[np.int32] | None]]:
    """Return the number of distinct bar starts, and for each symbol its bar at each (-1: none; None: all its own)."""
    if len(data) == 1:
        return len(data[0].bars), [None]
    times = np.unique(np.concatenate([one.bars.starts for one in data]))
    places = []
    for one in data:
        place = np.full(len(times), -1, np.int32)
        place[np.searchsorted(times, one.bars.starts)] = np.arange(len(one.bars), dtype=np.int32)
        places.append(place)
    return len(times), list(places)


def _day_ends(data: PriceData) -> NDArray[np.uint8] | None:
    """Flags of each date's last bar, on which daily figures stand; None when every bar is a day."""
    if data.daily:
        return None
    days = data.local_days()
    ends: NDArray[np.uint8] = np.append(days[1:] != days[:-1], True).astype(np.uint8)
    return ends


def _library() -> ctypes.CDLL:
    library = native.library()
    assert library is not None, "ask usable() first"
    return library


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _or_nan(value: float | None) -> float:
    return nan if value is None else value


def _scaled(value: Decimal) -> int:
    return int((value * UNIT).to_integral_value())


def _money(cash: float) -> Any:
    """Cash as whole and 1e-8 parts: together they may exceed 64 bits."""
    return (_I64 * 2)(*divmod(_scaled(as_decimal(cash)), UNIT))


def _offset(data: PriceData) -> int:
    offset = datetime.fromtimestamp(int(data.bars.starts[-1]), data.zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _ops(node: Node) -> Any:
    found: list[tuple[int, int, int, int]] = []
    _flatten(node, found)
    return (_Op * len(found))(*(_Op(*one) for one in found))


def _flatten(node: Node, found: list[tuple[int, int, int, int]]) -> None:
    """Write the tree as postfix operations."""
    if isinstance(node, Leaf):
        found.append((_OPERATORS[node.operator], node.left, node.right, -1 if node.upper is None else node.upper))
    elif isinstance(node, Negation):
        _flatten(node.node, found)
        found.append((_NOT, 0, 0, 0))
    elif isinstance(node, Poll):
        _flatten(without_polls(node), found)
    elif not node.nodes:
        found.append((_NEVER, 0, 0, 0))
    else:
        for one in node.nodes:
            _flatten(one, found)
        if len(node.nodes) > 1:
            found.append((_ALL if node.logic is m.Logic.ALL else _ANY, len(node.nodes), 0, 0))


def _columns(plan: Plan, values: list[Column]) -> tuple[Any, list[FloatArray]]:
    packed = (_Column * max(len(values), 1))()
    keep: list[FloatArray] = []
    moving: set[int] = set()  # columns that depend on the position
    for place, (source, value) in enumerate(zip(plan.sources, values, strict=True)):
        kind = _POSITION.get(source.fact, 0) if isinstance(source, m.FactRef) else 0
        if isinstance(source, ScaledColumn) and source.base in moving:
            packed[place] = _Column(None, nan, source.scalar, 4, source.base, _SCALING[source.operation], 0)
            moving.add(place)
        elif kind:
            packed[place] = _Column(None, nan, 0.0, kind, 0, 0, 0)
            moving.add(place)
        elif isinstance(value, float):
            packed[place] = _Column(None, value, 0.0, 1, 0, 0, 0)
        else:
            array = np.ascontiguousarray(value, np.float64)
            keep.append(array)
            packed[place] = _Column(array.ctypes.data, 0.0, 0.0, 0, 0, 0, 0)
    return packed, keep


def _regimes(costs: Costs, data: PriceData) -> Any:
    """The dated rules as rows by bar number: those in force at the first bar, then each change."""
    starts, zone = data.bars.starts, data.zone
    rows: list[tuple[int, Regime]] = []
    for one in costs.regimes():
        instant = datetime.combine(one.start, time(), zone).timestamp()
        at = int(np.searchsorted(starts, int(instant))) if rows else 0
        if rows and rows[-1][0] == at:
            rows.pop()
        if at < len(starts):
            rows.append((at, one))
    packed = (_Regime * len(rows))()
    for place, (at, one) in enumerate(rows):
        row = _packed_regime(one)
        row.from_bar = at
        packed[place] = row
    return packed


@lru_cache(maxsize=512)
def _packed_regime(one: Regime) -> _Regime:
    row = _Regime(tick_count=len(one.ticks), limit_pct=one.limit_pct)
    for place, (floor, tick) in enumerate(one.ticks):
        row.floors[place], row.ticks[place] = _scaled(floor), _scaled(tick)
    rates: Mapping[str, Decimal] = {
        "buy": one.buy, "sell": one.sell, "tax": one.tax, "rural": one.rural, "sec": one.sec
    }  # fmt: skip
    for name, rate in rates.items():
        setattr(row, name, int(rate * _RATE))
    row.taf_share, row.taf_cap = _scaled(one.taf_share), _scaled(one.taf_cap)
    row.cheap_below, row.cheap_unit = (_scaled(CHEAP), one.cheap_unit) if one.cheap_unit > 1 else (0, 1)
    return row
