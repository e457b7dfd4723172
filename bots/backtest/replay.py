"""The replay engine: bar by bar, with the bot's own functions, on the in-process exchange.

What it shares with the live bot: the plan and its conditions judged one bar at a time (`conditions.truth`), stops
(`stop_level`, `target_level`), sizing and order price (`pricing`), the guards with an account's limits (`risk.guards`), the
order as a value, the exchange's matching (`brokers.paper.book`), ticks, units, fees and taxes of the date. What it does not:
event loop, journal and reconciliation: no answer is lost here. Bars known not to hold are passed without judging them again.

Within one instant: dividends and sales at the open, purchases at the open, stops within the bar, sales and then purchases at
the close. A decision at a close waits for the next open and is sized there, as in the bot.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from math import inf, nan
from typing import TYPE_CHECKING

import numpy as np

from bots.backtest.costs import as_decimal
from bots.backtest.data import PriceData
from bots.backtest.desks import Day, Desk, Position
from bots.backtest.fast import Fill, Trade, Trades, Walked, sizing_of, static_facts
from bots.backtest.kernel import Terms, timeline
from bots.pricing import entry_quantity, limit_price
from bots.risk.guards import check
from bots.risk.snapshot import Limits, Snapshot
from bots.rules.conditions import Column, columns, mask, rows
from bots.rules.evaluate import LEVEL_DECIMALS, distance_of, stop_level, target_level
from bots.rules.judging import Test
from bots.rules.plan import Plan, ScaledColumn
from brokers.paper.adapter import NOTHING, PLENTY, Filled, PaperBroker
from shared.domain.account import Market
from shared.domain.bot_state import BotState, KillLevel
from shared.domain.instrument import Instrument, Venue
from shared.domain.money import Currency
from shared.domain.order import PRICED, OrderRequest, OrderType, Side
from shared.domain.rule.model import Fact, FactRef, Scaling, SizingMode
from shared.domain.signal import Denied
from shared.domain.venue_rules import Rounding, price_limits

if TYPE_CHECKING:
    from bots.backtest.asked import Code

_CENT_MILLIONTH = Decimal("1e-8")


class Replay:
    def __init__(self, plan: Plan, data: dict[str, PriceData], terms: Terms, limits: Limits | None) -> None:
        self.plan, self.terms, self.costs = plan, terms, terms.costs
        self.code = _code(plan, data)
        self.sizing = sizing_of(plan, len(data))
        self.execution = plan.rule.execution
        self.rule = replace(plan.rule, sizing=self.sizing)
        self.limits, self.day = limits, Day()
        self.broker = PaperBroker(as_decimal(terms.cash), terms.costs.fee)
        self.at_close = terms.fill is Fill.CLOSE
        self.stops = not (
            plan.stop_loss_pct is None and plan.take_profit_pct is None and plan.trailing_stop_pct is None
        )
        self.facts = any(isinstance(one, FactRef) and one.fact is not Fact.MINUTES_TO_CLOSE for one in plan.sources)
        self.count, self.places = timeline(tuple(data.values()))
        self.desks = [self._desk(place, name, one) for place, (name, one) in enumerate(data.items())]
        self.trades: list[Trade] = []
        self.unaffordable = self.thin = self.orders = 0

    def _desk(self, place: int, symbol: str, data: PriceData) -> Desk:
        plan, bars, market = self.plan, data.bars, self.costs.market
        values = columns(plan, bars, static_facts(plan, data))
        us = market is Market.US
        instrument = Instrument(
            symbol, market, Venue.NASDAQ if us else Venue.KRX, Currency.USD if us else Currency.KRW,
            self.costs.instrument_type, self.costs.board,
        )  # fmt: skip
        ask = self.code is not None  # at every bar: only the code knows when
        exits = None if ask or plan.exit_needs_position else mask(plan.exit, values, len(bars)).tolist()
        entries = [True] * len(bars) if ask else mask(plan.entry, values, len(bars)).tolist()
        return Desk(
            place, instrument, data, values, bars.open.tolist(), bars.high.tolist(), bars.low.tolist(),
            bars.close.tolist(), bars.volume.tolist(), entries, exits,
            {bar: self.costs.net_dividend(amount) for bar, amount in data.dividends}, data.seconds_per_bar(),
        )  # fmt: skip

    def run(self) -> Walked:
        equity = np.empty(self.count)
        one = self.desks[0] if len(self.desks) == 1 else None
        t = 0
        while t < self.count:
            if one is not None and one.position is None and not one.pending:
                begin, t = t, self._next_entry(one, t)
                equity[begin:t] = float(self.broker.cash)
                if t == self.count:
                    break
            self._instant(self._here(t))
            worth = float(self.broker.cash)
            for desk in self.desks:
                if desk.position is not None:
                    worth += desk.position.quantity * desk.mark
            equity[t] = worth
            t += 1
            if one is not None and one.position is not None and not one.pending:
                t = self._hold(one, t, equity)
        self._mark_open()
        return Walked(Trades.of(self.trades), equity, self.unaffordable, self.thin)

    def _here(self, t: int) -> list[tuple[Desk, int]]:
        """The symbols that have a bar at an instant, and which."""
        if len(self.desks) == 1 and self.places[0] is None:
            return [(self.desks[0], t)]
        here = ((desk, t if at is None else int(at[t])) for desk, at in zip(self.desks, self.places, strict=True))
        return [pair for pair in here if pair[1] >= 0]

    def _next_entry(self, desk: Desk, bar: int) -> int:
        """The next bar whose close may buy; nothing happens to a flat symbol before it."""
        try:
            return desk.entries.index(True, max(bar, desk.free))
        except ValueError:
            return self.count

    def _hold(self, desk: Desk, bar: int, equity: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
        """Pass the bars on which a held position surely meets nothing; return the first that must be judged."""
        position, exits = desk.position, desk.exits
        if position is None or exits is None or desk.dividends:
            return bar
        plan, cash = self.plan, float(self.broker.cash)
        stop = self.count if plan.time_stop_bars is None else min(self.count, position.entry + plan.time_stop_bars)
        lows, highs, begin = desk.lows, desk.highs, bar
        lower = -inf if position.loss is None else position.loss
        trail = plan.trailing_stop_pct
        if not self.stops:  # only an exit can be met
            try:
                bar = stop = exits.index(True, begin, max(begin, stop))
            except ValueError:
                bar = stop = max(begin, stop)
        while bar < stop:
            if trail is not None:
                lower = max(lower, stop_level(position.high, trail) or -inf)
            if exits[bar] or lows[bar] <= lower or highs[bar] >= position.target:
                break
            if highs[bar] > position.high:
                position.high = highs[bar]
            bar += 1
        equity[begin:bar] = cash + position.quantity * desk.data.bars.close[begin:bar]
        return bar

    def _instant(self, here: list[tuple[Desk, int]]) -> None:
        for desk, bar in here:
            desk.mark = desk.opens[bar]
            self._dividend(desk, bar)
            if desk.pending and desk.pending != "buy":
                self._sell(desk, bar, desk.opens[bar], desk.pending, bar, int(desk.data.bars.starts[bar]))
        for desk, bar in here:
            if desk.pending == "buy":
                desk.pending = ""
                self._buy(desk, bar, desk.opens[bar])
        for desk, bar in here:
            if self.stops and desk.position is not None and not desk.pending:
                self._check_stops(desk, bar, desk.position)
        for desk, bar in here:
            desk.mark = desk.closes[bar]
            if desk.position is not None and not desk.pending:
                self._decide_exit(desk, bar, desk.position)
        for desk, bar in here:
            if desk.position is None and not desk.pending and bar >= desk.free and desk.entries[bar]:
                self._decide_entry(desk, bar)

    # -- deciding, as the bot's evaluate does -------------------------------------------------------------------------

    def _decide_entry(self, desk: Desk, bar: int) -> None:
        if not self._judge(desk, self.plan.entry_test, bar):
            return
        self._look_at_risk(desk, bar)
        if self.at_close:
            self._buy(desk, bar, desk.closes[bar])
        elif bar + 1 < len(desk.closes):
            desk.pending = "buy"

    def _look_at_risk(self, desk: Desk, bar: int) -> None:
        column = self.plan.risk_column
        if column is not None:
            values = desk.values[column]
            desk.risk = distance_of(self.plan, values if isinstance(values, float) else float(values[bar]))

    def _decide_exit(self, desk: Desk, bar: int, position: Position) -> None:
        if self.at_close and position.entry == bar:
            return
        limit = self.plan.time_stop_bars
        if limit is not None and bar - position.entry >= limit:
            reason = "time_stop"
        elif (desk.exits is None or desk.exits[bar]) and self._judge(desk, self.plan.exit_test, bar):
            reason = "exit"
        else:
            return
        if self.at_close:
            left_at = int(desk.data.bars.starts[bar]) + desk.bar_seconds
            self._sell(desk, bar, desk.closes[bar], reason, bar + 1, left_at)
        else:
            desk.pending = reason

    def _judge(self, desk: Desk, test: Test, bar: int) -> bool:
        """Judge conditions on this bar and the one before it, with the very comparisons of the live evaluation."""
        if self.code is not None:
            return self.code.signals(desk.instrument.symbol, bar, desk.closes[bar], desk.position)
        if not self.facts:
            now = [one if isinstance(one, float) else float(one[bar]) for one in desk.values]
            was = [one if isinstance(one, float) else float(one[bar - 1]) if bar else nan for one in desk.values]
            return test(now, was) is True
        return test(*rows(self._seen(desk, bar))) is True

    def _seen(self, desk: Desk, bar: int) -> list[Column]:
        """Every column on the bar before and on this one, with what is known of the position then."""
        before = max(bar - 1, 0)
        seen: list[Column] = []
        for source, column in zip(self.plan.sources, desk.values, strict=True):
            if isinstance(source, FactRef) and source.fact is not Fact.MINUTES_TO_CLOSE:
                seen.append(self._fact(source.fact, desk, before, bar))
            elif isinstance(source, ScaledColumn):
                with np.errstate(all="ignore"):
                    seen.append(_SCALED[source.operation](seen[source.base], source.scalar))
            else:
                seen.append(column if isinstance(column, float) else column[before : bar + 1])
        return seen

    def _fact(self, fact: Fact, desk: Desk, before: int, bar: int) -> Column:
        position = desk.position
        found = np.full(bar + 1 - before, np.nan)
        for place, one in enumerate(range(before, bar + 1)):
            if position is None or one < position.entry:
                continue
            if fact is Fact.PNL_PCT:
                found[place] = np.round((desk.closes[one] / position.price - 1.0) * 100.0, LEVEL_DECIMALS)
            else:
                found[place] = one - position.entry
        return found

    def _check_stops(self, desk: Desk, bar: int, position: Position) -> None:
        lower = -inf if position.loss is None else position.loss
        trail = stop_level(position.high, self.plan.trailing_stop_pct)
        if trail is not None:
            lower = max(lower, trail)
        low, high, opened = desk.lows[bar], desk.highs[bar], desk.opens[bar]
        if low > lower and high < position.target:
            position.high = max(position.high, high)
            return
        on = desk.on(bar)
        if low <= lower and opened < position.target:
            # A falling price first meets the level at its tick below; a gap opens beneath it.
            got = min(opened, max(self.costs.on_tick(lower, on, Rounding.DOWN), low))
            loss = position.loss
            reason = "stop_loss" if loss is not None and (lower <= loss or got <= loss) else "trailing_stop"
        else:
            got = max(opened, min(self.costs.on_tick(position.target, on, Rounding.UP), high))
            reason = "take_profit"
        self._sell(desk, bar, got, reason, bar, int(desk.data.bars.starts[bar]) + desk.bar_seconds)

    # -- orders -------------------------------------------------------------------------------------------------------

    def _buy(self, desk: Desk, bar: int, asked: float) -> None:
        on = desk.on(bar)
        shown = self.costs.slipped(Side.BUY, as_decimal(asked), on, self._base(desk, bar))
        wanted = self._affordable(
            desk, shown, on, None if self.code is None else self.code.shares(desk.instrument.symbol)
        )
        quantity = self.costs.units(self._size(desk, bar, Side.BUY, wanted), shown, on)
        if wanted <= 0:
            self.unaffordable += 1
        elif quantity < wanted:
            self.thin += 1
        filled = self._order(desk, Side.BUY, quantity, shown, bar, "entry")
        if filled.quantity:
            price = float(filled.price)
            target = target_level(price, self.plan.take_profit_pct)
            desk.position = Position(
                filled.quantity, bar, price, price, filled.amount + filled.fee,
                stop_level(price, self.plan.stop_loss_pct), inf if target is None else target,
            )  # fmt: skip
            desk.mark = asked

    def _sell(self, desk: Desk, bar: int, asked: float, reason: str, next_decision: int, left_at: int) -> None:
        """Sell what the bar's volume takes; the rest leaves at the next bars' opens."""
        position = desk.position
        assert position is not None, "only what is held is sold"
        size = self._size(desk, bar, Side.SELL, position.quantity)
        shown = self.costs.slipped(Side.SELL, as_decimal(asked), desk.on(bar), self._base(desk, bar))
        filled = self._order(desk, Side.SELL, position.quantity, shown, bar, reason, size)
        desk.pending = "" if filled.quantity == position.quantity else reason
        if desk.pending:
            self.thin += 1
        if filled.quantity:
            self._sold(desk, position, bar, filled, reason, next_decision, left_at)

    def _sold(
        self, desk: Desk, position: Position, bar: int, filled: Filled, reason: str, next_decision: int, left_at: int
    ) -> None:
        """Book a sale: its trade, what is left, and when the symbol may be bought again."""
        paid = position.paid
        if filled.quantity < position.quantity:
            paid = (paid * filled.quantity / position.quantity).quantize(_CENT_MILLIONTH, ROUND_DOWN)
        gain = filled.amount - filled.fee - paid
        price = float(filled.price)
        self.trades.append(
            Trade(position.entry, position.price, bar, price, filled.quantity, float(gain), reason, desk.place)
        )
        self.day.realized += gain
        position.paid -= paid
        position.quantity -= filled.quantity
        if position.quantity:
            return
        desk.position, desk.free = None, next_decision
        cooldown = self.plan.rule.execution.cooldown_sec
        if cooldown:
            starts = desk.data.bars.starts
            desk.free = max(desk.free, int(np.searchsorted(starts, left_at + cooldown - desk.bar_seconds)))

    def _size(self, desk: Desk, bar: int, side: Side, quantity: int) -> int:
        """The shares of `quantity` that the bar trades: none while it is locked at its limit, else a share of its volume."""
        if desk.highs[bar] == desk.lows[bar] and self._locked(desk, bar, side):
            return 0
        return self.costs.by_volume(quantity, desk.volumes[bar])

    def _locked(self, desk: Desk, bar: int, side: Side) -> bool:
        """Whether a bar of one price stands at the day's limit, where nobody takes the other side."""
        base = self._base(desk, bar)
        if base is None:
            return False
        costs = self.costs
        lower, upper = price_limits(base, desk.on(bar), instrument_type=costs.instrument_type, board=costs.board)
        return as_decimal(desk.highs[bar]) == (upper if side is Side.BUY else lower)

    def _order(
        self, desk: Desk, side: Side, quantity: int, shown: Decimal, bar: int, reason: str, size: int = PLENTY,
        kind: OrderType | None = None, limit: Decimal | None = None,
    ) -> Filled:  # fmt: skip
        """Send an order of the rule's own execution; `kind` with its `limit` are those of an order that waited."""
        if quantity <= 0 or size <= 0:
            return NOTHING
        on, instrument = desk.on(bar), desk.instrument
        self.orders += 1
        if kind is None:
            kind = self.execution.order_type
            limit = limit_price(instrument.market, instrument, self.execution, side, shown, on)
        request = OrderRequest(
            symbol=instrument.symbol, side=side, quantity=quantity,
            price=limit, venue=instrument.venue, currency=instrument.currency, client_order_id=str(self.orders),
            order_type=kind,
            time_in_force=self.execution.time_in_force, rule_id=self.rule.rule_id, reduces=side is Side.SELL,
            reason=reason,
        )  # fmt: skip
        if self.limits is not None and isinstance(self._cleared(request, desk, bar, shown, self.limits), Denied):
            return NOTHING
        filled = self.broker.place_order(request, shown, size, on)
        if side is Side.BUY:
            self.day.bought += filled.amount
        self.day.orders += 1
        if self.code is not None and filled.quantity:
            self.code.filled(instrument.symbol, bar, side, filled.quantity, float(filled.price))
        return filled

    def _affordable(self, desk: Desk, price: Decimal, on: date, asked: int | None) -> int:
        """Whole shares by the rule's sizing; percent sizes shrink to what cash pays for, fixed ones are not bought."""
        cash = self.broker.cash
        wanted = asked or entry_quantity(self.rule, price, self._equity(), desk.risk)
        if wanted <= 0:
            return 0
        if self._cost(wanted, price, on) > cash:
            if asked or self.sizing.mode in (SizingMode.SHARES, SizingMode.AMOUNT):
                return 0
            wanted = self._paid_for(wanted, price, on)
        return self.costs.units(wanted, price, on)

    def _paid_for(self, wanted: int, price: Decimal, on: date) -> int:
        """The shares of `wanted` that the cash pays for, costs included."""
        cash, cost = self.broker.cash, self._cost(wanted, price, on)
        if cost > cash:
            wanted = min(wanted, int(cash * wanted // cost) + 2) if cash > 0 else 0
        while wanted > 0 and self._cost(wanted, price, on) > cash:
            wanted -= 1
        return wanted

    def _cost(self, quantity: int, price: Decimal, on: date) -> Decimal:
        return quantity * price + self.costs.fee(Side.BUY, quantity, price, on)

    def _equity(self) -> Decimal:
        worth = self.broker.cash
        for one in self.desks:
            if one.position is not None:
                worth += one.position.quantity * as_decimal(one.mark)
        return worth

    def _base(self, desk: Desk, bar: int) -> Decimal | None:
        return desk.base(bar) if self.costs.has_limits else None

    def _cleared(self, request: OrderRequest, desk: Desk, bar: int, shown: Decimal, limits: Limits) -> object:
        """Ask the live guards, with what an account would know here. Cash is judged with exact fees already."""
        on = desk.on(bar)
        if self.day.on != on:
            self.day = Day(on)
        position = desk.position
        held = position.quantity if position is not None else 0
        open_pnl = sum(
            (one.position.quantity * as_decimal(one.mark) - one.position.paid for one in self.desks if one.position),
            Decimal(0),
        )
        pnl = self.day.realized + open_pnl
        self.day.halted = self.day.halted or pnl <= -limits.max_daily_loss
        priced = request.order_type in PRICED and request.price is not None
        snapshot = Snapshot(
            now=datetime.fromtimestamp(int(desk.data.bars.starts[bar]), UTC), kill_level=KillLevel.RUN,
            bot_state=BotState.READY, fenced=None, session=None, last=as_decimal(desk.mark), last_age_s=0.0,
            from_fallback=False, tick=self.costs.tick(request.price or shown, on) if priced else None,
            lower_limit=None, upper_limit=None, reserve_price=shown, store_away_s=0.0,
            buying_power=self.broker.cash * 2, free_to_sell=held, open_buy_amount=Decimal(0),
            held_amount=held * shown, rule_shares=held, day_bought=self.day.bought,
            day_pnl=pnl, loss_halted=self.day.halted, day_orders=self.day.orders, in_flight=False, frozen=None,
            signal_used=False, failures=0, failures_left_s=0.0, cooldown_left_s=0.0, crossing=None,
        )  # fmt: skip
        return check(request, snapshot, limits)

    def _dividend(self, desk: Desk, bar: int) -> None:
        amount, position = desk.dividends.get(bar), desk.position
        if amount is not None and position is not None and position.entry < bar:
            self.broker.credit(amount * position.quantity)
            position.paid -= amount * position.quantity

    def _mark_open(self) -> None:
        for desk in self.desks:
            one = desk.position
            if one is not None:
                value = one.quantity * as_decimal(desk.closes[-1]) - one.paid
                self.trades.append(
                    Trade(one.entry, one.price, None, None, one.quantity, float(value), "open", desk.place)
                )


def _code(plan: Plan, data: dict[str, PriceData]) -> Code | None:
    if not plan.rule.python:
        return None
    from bots.backtest import asked  # an event loop and a child: loaded by who has one only

    return asked.Code(plan.rule, data)


_SCALED = {
    Scaling.MUL: lambda value, by: value * by,
    Scaling.DIV: lambda value, by: value / by,
    Scaling.ADD: lambda value, by: value + by,
    Scaling.SUB: lambda value, by: value - by,
}
