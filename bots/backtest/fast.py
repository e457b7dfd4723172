"""The fast engine: conditions for all bars at once, then a walk that stops only where something can happen.

Meaning (design.md §8): a signal at a bar's close fills at the next open (or at that close). Stops are looked for within each
bar from the entry on, at the level itself on its tick (a gap through it fills at the open); where one bar reaches stop and
target, the stop counts, unless the bar opened beyond the target. The trailing stop knows the highs of earlier bars only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np

from bots.backtest.costs import Costs, as_decimal, on_tick
from bots.backtest.data import PriceData
from bots.risk.sizing import SizingFacts, shares
from bots.rules.conditions import Column, Mask, columns, mask, sliced
from bots.rules.evaluate import LEVEL_DECIMALS, stop_level, target_level
from bots.rules.plan import Plan
from bots.rules.series import FloatArray, IntArray
from shared.domain.account import Market
from shared.domain.order import Side
from shared.domain.rule.model import Fact, FactRef, Sizing, SizingMode
from shared.domain.venue_rules import Rounding

_ALL_IN = Sizing(SizingMode.EQUITY_PCT, 100)  # the default of backtests (design.md §7)
_FIRST_SPAN, _SPAN_GROWTH = 64, 4  # bars looked through at once; grows, so that long trades cost few calls


class Fill(StrEnum):
    NEXT_OPEN = "next_open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Trade:
    """One round trip by bar numbers; an open one has no exit, and `pnl` is then at the last close. Costs are in `pnl`."""

    entry: int
    entry_price: float
    exit: int | None
    exit_price: float | None
    quantity: int
    pnl: float
    reason: str  # why it was closed; "open" while it is not


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Trades, equity at each bar's close, and how many signals could not be afforded."""

    trades: tuple[Trade, ...]
    equity: FloatArray
    unaffordable: int


@dataclass(frozen=True, slots=True)
class _Exit:
    bar: int
    price: float
    reason: str
    next_decision: int  # the first bar whose close may enter again


def walk(plan: Plan, data: PriceData, *, market: Market, cash: float, fill: Fill, costs: Costs) -> Walked:
    """Return what the plan trades on the bars, long only, one position at a time."""
    return _Walk(plan, data, market, cash, fill, costs).run()


class _Walk:
    def __init__(self, plan: Plan, data: PriceData, market: Market, cash: float, fill: Fill, costs: Costs) -> None:
        self.plan, self.data, self.market, self.fill, self.costs = plan, data, market, fill, costs
        self.start_cash = self.cash = cash
        self.bars, self.count = data.bars, len(data.bars)
        facts = {Fact.MINUTES_TO_CLOSE: minutes_to_close(data)} if _uses(plan, Fact.MINUTES_TO_CLOSE) else {}
        self.facts = facts
        self.columns = columns(plan, self.bars, facts)
        self.next_entry = _next_true(mask(plan.entry, self.columns, self.count))
        self.next_exit = None
        if not plan.exit_needs_position:
            self.next_exit = _next_true(mask(plan.exit, self.columns, self.count))
        self.cooldown_s = plan.rule.execution.cooldown_sec
        self.flows: list[tuple[int, float, int]] = []  # (bar, cash in, shares in)
        self.trades: list[Trade] = []
        self.unaffordable = 0

    def run(self) -> Walked:
        decision = 0
        while decision < self.count:
            signal = int(self.next_entry[decision])
            bar = signal + 1 if self.fill is Fill.NEXT_OPEN else signal
            if bar >= self.count:
                break
            free = self._trade(bar)
            decision = signal + 1 if free is None else free
        return Walked(tuple(self.trades), self._equity(), self.unaffordable)

    def _trade(self, bar: int) -> int | None:
        """Buy at `bar`, hold to the exit, and return the next bar to decide on; None when nothing could be bought."""
        asked = float(self.bars.open[bar] if self.fill is Fill.NEXT_OPEN else self.bars.close[bar])
        on = self.data.trade_date(bar)
        price = self.costs.slipped(Side.BUY, asked, on)
        quantity = self._quantity(price, bar)
        if quantity <= 0:
            self.unaffordable += 1
            return None
        paid = quantity * price + self.costs.fee(Side.BUY, quantity, price, on)
        self._flow(bar, -paid, quantity)
        leave = self._find_exit(bar, price)
        if leave is None:
            last = float(self.bars.close[-1])
            self.trades.append(Trade(bar, price, None, None, quantity, quantity * last - paid, "open"))
            return self.count
        sold_on = self.data.trade_date(leave.bar)
        got = quantity * leave.price - self.costs.fee(Side.SELL, quantity, leave.price, sold_on)
        self._flow(leave.bar, got, -quantity)
        self.trades.append(Trade(bar, price, leave.bar, leave.price, quantity, got - paid, leave.reason))
        return self._after_cooldown(leave)

    def _flow(self, bar: int, cash: float, quantity: int) -> None:
        self.cash += cash
        self.flows.append((bar, cash, quantity))

    def _equity(self) -> FloatArray:
        flows, held = np.zeros(self.count), np.zeros(self.count)
        for bar, cash, quantity in self.flows:
            flows[bar] += cash
            held[bar] += quantity
        equity: FloatArray = self.start_cash + np.cumsum(flows) + np.cumsum(held) * self.bars.close
        return equity

    # -- how much ----------------------------------------------------------------------------------------------------

    def _quantity(self, price: float, bar: int) -> int:
        """Whole shares by the rule's sizing; percent sizes shrink to what cash pays for, fixed ones are not bought."""
        sizing = self.plan.rule.sizing or _ALL_IN
        level = stop_level(price, self.plan.stop_loss_pct)
        facts = SizingFacts(
            price=as_decimal(price),
            equity=Decimal(repr(self.cash)),
            stop_distance=None if level is None else as_decimal(price - level),
        )
        wanted = shares(sizing.mode, Decimal(str(sizing.value)), facts)
        most = self.plan.rule.risk.max_position_size
        if most is not None:
            wanted = min(wanted, int(self.cash * most / price))
        if sizing.mode in (SizingMode.SHARES, SizingMode.AMOUNT):
            return wanted if self._cost(wanted, price, bar) <= self.cash else 0
        return self._affordable(wanted, price, bar)

    def _affordable(self, wanted: int, price: float, bar: int) -> int:
        cost = self._cost(wanted, price, bar)
        if wanted > 0 and cost > self.cash:
            wanted = int(self.cash / (cost / wanted))
            while wanted > 0 and self._cost(wanted, price, bar) > self.cash:
                wanted -= 1
        return wanted

    def _cost(self, quantity: int, price: float, bar: int) -> float:
        if quantity <= 0:
            return 0.0
        return quantity * price + self.costs.fee(Side.BUY, quantity, price, self.data.trade_date(bar))

    # -- when to leave -----------------------------------------------------------------------------------------------

    def _find_exit(self, entry: int, price: float) -> _Exit | None:
        """The first of stop, target, exit conditions and time stop; None while the position stays open."""
        first = entry if self.fill is Fill.NEXT_OPEN else entry + 1  # the first bar lived through with the position
        signal, reason = self._exit_signal(entry, first, price)
        stopped = self._stopped(first, min(signal + 1, self.count), price)
        if stopped is not None:
            return stopped
        bar = signal + 1 if self.fill is Fill.NEXT_OPEN else signal
        if bar >= self.count:
            return None
        asked = float(self.bars.open[bar] if self.fill is Fill.NEXT_OPEN else self.bars.close[bar])
        sold = self.costs.slipped(Side.SELL, asked, self.data.trade_date(bar))
        return _Exit(bar, sold, reason, bar if self.fill is Fill.NEXT_OPEN else bar + 1)

    def _exit_signal(self, entry: int, first: int, price: float) -> tuple[int, str]:
        """The bar whose close says exit (the bar count when none does) and why."""
        limit = self.count
        if self.plan.time_stop_bars is not None:
            limit = min(limit, max(entry + self.plan.time_stop_bars, first))
        if first >= self.count:
            return self.count, "exit"
        if self.next_exit is not None:
            found = int(self.next_exit[first])
        else:
            found = self._position_exit(entry, first, limit, price)
        return (limit, "time_stop") if limit <= found and limit < self.count else (found, "exit")

    def _position_exit(self, entry: int, first: int, limit: int, price: float) -> int:
        """Judge exit conditions that look at the position, span by span."""
        for begin, end in _spans(first, min(limit + 1, self.count)):
            before = max(begin - 1, 0)  # crosses look one bar back
            numbers = np.arange(before, end)
            unknown = np.where(numbers < entry, np.nan, 0.0)
            facts: dict[Fact, Column] = {
                Fact.PNL_PCT: np.round((self.bars.close[before:end] / price - 1.0) * 100.0, LEVEL_DECIMALS) + unknown,
                Fact.BARS_SINCE_ENTRY: (numbers - entry).astype(np.float64) + unknown,
            }
            values = sliced(self.plan, self.columns, before, end, facts)
            held = mask(self.plan.exit, values, end - before)[begin - before :]
            if held.any():
                return begin + int(held.argmax())
        return self.count

    def _stopped(self, first: int, end: int, price: float) -> _Exit | None:
        """The first bar in [first, end) whose range reaches a stop or the target."""
        plan, bars = self.plan, self.bars
        loss, target = stop_level(price, plan.stop_loss_pct), target_level(price, plan.take_profit_pct)
        trail = plan.trailing_stop_pct
        if loss is None and target is None and trail is None:
            return None
        high = price
        for begin, stop in _spans(first, end):
            highs = np.maximum.accumulate(np.concatenate(([high], bars.high[begin:stop])))
            lower = np.full(stop - begin, -np.inf if loss is None else loss)
            if trail is not None:
                lower = np.maximum(lower, np.round(highs[:-1] * (1.0 - trail / 100.0), LEVEL_DECIMALS))
            upper = np.inf if target is None else target
            hit = (bars.low[begin:stop] <= lower) | (bars.high[begin:stop] >= upper)
            if hit.any():
                at = int(hit.argmax())
                return self._stop_exit(begin + at, float(lower[at]), upper, loss)
            high = float(highs[-1])
        return None

    def _stop_exit(self, bar: int, lower: float, upper: float, loss: float | None) -> _Exit:
        on = self.data.trade_date(bar)
        opened, high, low = (float(one[bar]) for one in (self.bars.open, self.bars.high, self.bars.low))
        if low <= lower and opened < upper:
            # A falling price first meets the level at its tick below; a gap opens beneath it.
            got = min(opened, max(on_tick(self.market, lower, on, Rounding.DOWN), low))
            reason = "stop_loss" if loss is not None and (lower <= loss or got <= loss) else "trailing_stop"
        else:
            got = max(opened, min(on_tick(self.market, upper, on, Rounding.UP), high))
            reason = "take_profit"
        return _Exit(bar, self.costs.slipped(Side.SELL, got, on), reason, bar)

    def _after_cooldown(self, leave: _Exit) -> int:
        """The first bar whose close may enter again, `cooldown_sec` after the exit."""
        if not self.cooldown_s:
            return leave.next_decision
        length = self.data.seconds_per_bar()
        at_open = self.fill is Fill.NEXT_OPEN and leave.reason in ("exit", "time_stop")
        left_at = int(self.bars.starts[leave.bar]) + (0 if at_open else length)
        free = int(np.searchsorted(self.bars.starts, left_at + self.cooldown_s - length))
        return max(leave.next_decision, free)


def minutes_to_close(data: PriceData) -> FloatArray:
    """Minutes from each bar's close to the close of its date's last bar: the file's bars are the sessions."""
    starts = data.bars.starts
    days = data.local_days()
    last = starts[np.searchsorted(days, days, side="right") - 1]
    return (last - starts) / 60.0


def _uses(plan: Plan, fact: Fact) -> bool:
    return FactRef(fact) in plan.sources


def _next_true(flags: Mask) -> IntArray:
    """For each bar the first bar at or after it where `flags` holds; the bar count when none does."""
    count = len(flags)
    numbers = np.where(flags, np.arange(count), count)
    return np.minimum.accumulate(numbers[::-1])[::-1]


def _spans(begin: int, end: int) -> Iterator[tuple[int, int]]:
    size = _FIRST_SPAN
    while begin < end:
        stop = min(begin + size, end)
        yield begin, stop
        begin, size = stop, size * _SPAN_GROWTH
