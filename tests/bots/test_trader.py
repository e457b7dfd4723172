"""Rules at work: one signal one order, a bad rule is parked alone, a position keeps its version, closed markets wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import bots.trader
from bots.chart import GRACE_S, Chart
from bots.clearance import Clearance
from bots.config import RuleConfig
from bots.daybook import DayBook
from bots.decisions import DecisionLog
from bots.feed import Feed
from bots.journal import Outgoing
from bots.lease import StoreLease
from bots.portfolio import Portfolio
from bots.risk.kill_switch import KillSwitch
from bots.risk.snapshot import Limits
from bots.splits import SplitWatch
from bots.stop_watch import guard_of
from bots.trader import Trader
from bots.trading_hours import TradingHours
from shared import calendars
from shared.domain.account import Market
from shared.domain.bot_state import BotState
from shared.domain.errors import Refused
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Tick, Timeframe
from shared.domain.money import Currency
from shared.domain.order import Cash, Side
from shared.domain.order_state import OrderStatus
from shared.domain.rule.model import EvaluateOn, Sizing, SizingMode
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Decision, Verdict
from tests.bots.conftest import TODAY, Room
from tests.fakes import KEY, START

RULE = """
metadata: {{name: test}}
strategy:
  id: test
  timeframe: 1m
  evaluate: {evaluate}
  entry: {{logic: AND, conditions: [{{indicator: close, operator: greater_than, value: 100}}]}}
  exit: {{logic: AND, conditions: [{{indicator: close, operator: less_than, value: 50}}]}}
risk: {{stop_loss: {{enabled: true, percent: {stop}}}}}
sizing: {{mode: shares, value: 5}}
"""
LIMITS = Limits(*(Decimal(10**6),) * 4, max_trades_per_day=100, price_collar_pct=Decimal(50))


@dataclass
class Floor:
    room: Room
    trader: Trader
    feed: Feed
    chart: Chart
    portfolio: Portfolio
    daybook: DayBook
    tasks: list[Coroutine[Any, Any, None]]
    looks: list[float]  # when the broker was asked for holdings
    told: list[Outgoing]

    async def tick(self, price: str, symbol: str = "AAPL") -> None:
        """One market price, a second later, and everything that follows from it."""
        self.room.clock.pass_s(1)
        now = self.room.clock.now
        tick = Tick(symbol, Decimal(price), 1, now, now)
        self.feed.on_tick(tick)
        closed = self.chart.on_tick(tick)
        for bar in closed:
            self.trader.on_bar(bar)
        self.trader.on_price(symbol)
        await self.settle()

    async def settle(self) -> None:
        while self.tasks:
            work, self.tasks[:] = list(self.tasks), []
            await asyncio.gather(*work)

    async def fill_all(self) -> None:
        for row in list(self.room.broker.book.values()):
            if row.leaves_quantity:
                self.room.broker.fill(row.broker_order_id, row.leaves_quantity, str(row.price))
        await self.room.look()

    def config(self, rule_id: int = 1, version: int = 1, **changes: Any) -> RuleConfig:
        text = RULE.format(evaluate=changes.get("evaluate", "tick"), stop=changes.get("stop", 5))
        rule = replace(parse_rule(text), rule_id=rule_id, version_id=version)
        symbols = changes.get("symbols", ("AAPL",))
        return RuleConfig(rule, symbols, changes.get("max_shares", 100), changes.get("entries", True))

    def configure(self, *configs: RuleConfig, pinned: dict[int, Any] | None = None) -> None:
        self.trader.configure(configs, pinned or {})
        self.chart.want(self.trader.wanted())
        for key in self.chart.unseeded():
            self.chart.seed(key, [_bar(key[0], minutes) for minutes in range(-5, 0)])


def _bar(symbol: str, minutes: int) -> Bar:
    price = Decimal(90)
    return Bar(symbol, Timeframe.M1, START + timedelta(minutes=minutes), price, price, price, price, 1)


@pytest.fixture
def floor(room: Room, tmp_path: Path) -> Floor:
    clock, orders = room.clock, room.orders
    feed, hours = Feed(clock), TradingHours(KEY, calendars.load())
    feed.stream_up = True
    portfolio, daybook = Portfolio(orders, feed.price), DayBook(orders, ())
    daybook.keep(daybook.first_marks(TODAY, (), feed.price))
    portfolio.take((), Cash(Currency.USD, Decimal(10**6), Decimal(10**6), START), clock.wall_now())
    switch = KillSwitch(tmp_path / "kill", tmp_path / "account-kill")
    lease = StoreLease(KEY.account_id, "pinned", clock)
    clearance = Clearance(
        Market.US, orders, portfolio, daybook, feed, hours, switch, lease, clock, lambda: BotState.READY, lambda: 0.0
    )
    clearance.limits = LIMITS
    for symbol in ("AAPL", "MSFT"):
        clearance.instruments[symbol] = Instrument(symbol, Market.US, Venue.NASDAQ, Currency.USD)
    tasks: list[Coroutine[Any, Any, None]] = []
    looks: list[float] = []
    told: list[Outgoing] = []
    chart = Chart(hours.zone)
    trader = Trader(
        Market.US, room.desk, orders, portfolio, feed, chart, clearance, hours, room.journal, clock, tasks.append,
        DecisionLog(clock), splits=SplitWatch(daybook, clock, lambda: looks.append(clock.mono), told.extend),
    )  # fmt: skip
    return Floor(room, trader, feed, chart, portfolio, daybook, tasks, looks, told)


async def rows(room: Room, stream: str) -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in await room.journal.queued(1000) if row.stream == stream]


async def test_a_signal_becomes_one_order_however_many_prices_follow(floor: Floor) -> None:
    floor.configure(floor.config())
    for price in ("101", "102", "103"):
        await floor.tick(price)
    assert floor.room.broker.sent == ["place"]
    order = floor.room.orders.all()[0]
    assert (order.quantity, order.price, order.version_id) == (5, Decimal("101"), 1)
    reasons = [row["reason"] for row in await rows(floor.room, "decisions")]
    assert reasons[0] == "entry" and "in_flight" in reasons


async def test_a_risk_by_atr_buys_what_a_fall_of_so_many_atr_may_cost(floor: Floor) -> None:
    config = floor.config()
    sized = Sizing(SizingMode.RISK_PCT, 0.01, atr_period=3, atr_multiple=2)
    floor.configure(replace(config, rule=replace(config.rule, sizing=sized)))
    wide = [replace(_bar("AAPL", at), high=Decimal(92), low=Decimal(88)) for at in range(-5, 0)]
    floor.chart.seed(("AAPL", Timeframe.M1), wide[-3:])
    await floor.tick("101")
    assert not floor.room.orders.all()  # three bars have two true ranges: the ATR of three is not known
    floor.chart.seed(("AAPL", Timeframe.M1), wide)
    await floor.tick("102")
    assert [one.quantity for one in floor.room.orders.all()] == [12]  # 100 of risk / (2 x 4)


async def test_a_stop_loss_gets_out_on_the_price_that_breaks_it(floor: Floor) -> None:
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    await floor.tick("97")
    assert floor.room.broker.sent == ["place"]
    await floor.tick("95.9")
    assert floor.room.broker.sent == ["place", "place"]
    sale = floor.room.orders.all()[-1]
    assert (sale.side, sale.quantity, sale.request.reason) == (Side.SELL, 5, "stop_loss")


async def test_a_position_keeps_the_version_it_was_opened_with(floor: Floor) -> None:
    old = floor.config(version=1, stop=5)
    floor.configure(old)
    await floor.tick("101")
    await floor.fill_all()
    floor.configure(floor.config(version=2, stop=50), pinned={1: old.rule})
    await floor.tick("95")
    assert floor.room.orders.all()[-1].request.reason == "stop_loss"


async def test_a_rule_switched_off_still_protects_what_it_holds(floor: Floor) -> None:
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    floor.configure(floor.config(entries=False))
    await floor.tick("95")
    assert floor.room.orders.all()[-1].side is Side.SELL


async def test_a_rule_that_raises_is_parked_and_the_others_go_on(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = bots.trader.evaluate

    def raises(rule: Any, view: Any) -> Decision:
        if rule.rule_id == 1:
            raise ZeroDivisionError("a rule of a stranger")
        return judged(rule, view)

    monkeypatch.setattr(bots.trader, "evaluate", raises)
    floor.configure(floor.config(1), floor.config(2))
    await floor.tick("101")
    assert [order.request.rule_id for order in floor.room.orders.all()] == [2]
    assert (1, "AAPL") in floor.trader.parking.why
    told = [alert["kind"] for alert in await rows(floor.room, "alerts")]
    assert told == ["RULE_PARKED", "SIGNAL"], "the other one traded"
    floor.configure(floor.config(1, version=2), floor.config(2))  # saved anew
    assert floor.trader.parking.why == {}


@pytest.mark.parametrize("stops_raise_too", [False, True])
async def test_the_stops_of_a_parked_rule_go_on(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, stops_raise_too: bool
) -> None:
    judged = bots.trader.evaluate
    floor.configure(floor.config(stop=5))
    await floor.tick("101")
    await floor.fill_all()

    def raises(rule: Any, view: Any) -> Decision:
        if stops_raise_too or rule.evaluate is EvaluateOn.TICK:  # its conditions; the stops alone are judged without
            raise ZeroDivisionError("a rule of a stranger")
        return judged(rule, view)

    monkeypatch.setattr(bots.trader, "evaluate", raises)
    for price in ("101", "100", "99"):
        await floor.tick(price)
    assert (guard_of(floor.trader, "AAPL") is None) is stops_raise_too
    assert [one["kind"] for one in await rows(floor.room, "alerts")].count("RULE_PARKED") == 1 + stops_raise_too
    await floor.tick("90")
    sold = [order.request.reason for order in floor.room.orders.all() if order.side is Side.SELL]
    assert sold == ([] if stops_raise_too else ["stop_loss"])


async def test_stops_are_alive_before_the_bars_are_here(floor: Floor) -> None:
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    floor.chart.want(set())
    floor.chart.want(floor.trader.wanted())  # a restart: no seed yet
    await floor.tick("90")
    assert floor.room.orders.all()[-1].request.reason == "stop_loss"


async def test_a_bar_that_closes_while_the_market_is_closed_waits_for_the_open(floor: Floor) -> None:
    floor.configure(floor.config(evaluate="bar_close"))
    clock = floor.room.clock
    clock.now = datetime(2026, 11, 20, 20, 59, 30, tzinfo=UTC)  # half a minute before the close in New York
    await floor.tick("101")
    clock.pass_s(60)
    assert floor.chart.close_due(clock.now, clock.mono) == []  # its last tick may still be on its way
    for bar in floor.chart.close_due(clock.now, clock.mono + GRACE_S):
        floor.trader.on_bar(bar)
    await floor.settle()
    assert floor.room.broker.sent == []
    state = await floor.room.journal.load(TODAY)
    floor.trader.deferred.waiting.clear()  # the process ends here
    floor.trader.deferred.recall(state.facts)
    await floor.trader.deferred.act()
    assert floor.room.broker.sent == []  # still closed
    clock.now = datetime(2026, 11, 23, 14, 31, tzinfo=UTC)  # Monday
    floor.feed.on_tick(Tick("AAPL", Decimal("102"), 1, clock.now, clock.now))
    await floor.trader.deferred.act()
    assert floor.room.broker.sent == []  # the day is not marked yet: its profit and loss is not known
    floor.daybook.keep(floor.daybook.first_marks(TODAY.replace(day=23), (), floor.feed.price))
    await floor.trader.deferred.act()
    await floor.settle()
    assert floor.room.broker.sent == ["place"]
    await floor.trader.deferred.act()
    assert floor.room.broker.sent == ["place"]


async def test_an_exit_at_a_close_without_a_fresh_price_is_made_at_the_next_price(floor: Floor) -> None:
    """A thinly traded share: the clock closes its bar long after its last trade, and no bar closes twice."""
    floor.configure(floor.config(evaluate="bar_close", stop=60))
    await floor.tick("101")
    floor.room.clock.pass_s(60)
    await floor.tick("101")
    await floor.fill_all()
    await floor.tick("49")
    clock = floor.room.clock
    clock.pass_s(120)
    for bar in floor.chart.close_due(clock.now, clock.mono) + floor.chart.close_due(clock.now, clock.mono + GRACE_S):
        floor.trader.on_bar(bar)
    await floor.settle()
    await floor.trader.deferred.act()
    assert floor.room.broker.sent == ["place"]  # the price is two minutes old
    state = await floor.room.journal.load(TODAY)
    floor.trader.deferred.waiting.clear()  # the process ends here
    floor.trader.deferred.recall(state.facts)
    await floor.tick("52")  # by now the rule itself would stay
    await floor.trader.deferred.act()
    last = floor.room.orders.all()[-1]
    assert (floor.room.broker.sent, last.side, last.request.reason) == (["place", "place"], Side.SELL, "exit")
    await floor.trader.deferred.act()
    await floor.settle()
    assert floor.room.broker.sent == ["place", "place"]


async def test_an_exit_first_takes_our_own_resting_buy_away(floor: Floor) -> None:
    floor.configure(floor.config(1), floor.config(2, symbols=("MSFT",)))
    await floor.tick("101")
    await floor.fill_all()
    await floor.room.desk.place(floor.room.request(quantity=1, price="99.00"), TODAY)  # somebody's resting buy
    await floor.tick("95")
    assert floor.room.broker.sent[-1] == "cancel"
    await floor.room.look()
    await floor.tick("94")
    assert floor.room.orders.all()[-1].side is Side.SELL


async def held_below_the_exit(floor: Floor) -> None:
    """Five shares held by a rule that judges at closes, and a price at which it leaves."""
    floor.configure(floor.config(evaluate="bar_close", stop=60))
    floor.room.orders.on_change = floor.trader.on_order
    await floor.tick("101")
    floor.room.clock.pass_s(60)
    await floor.tick("101")
    await floor.fill_all()
    await floor.tick("49")


async def close_bar(floor: Floor, price: str = "49") -> None:
    floor.room.clock.pass_s(60)
    await floor.tick(price)


def sales(floor: Floor) -> list[OrderStatus]:
    return [one.status for one in floor.room.orders.all() if one.side is Side.SELL]


async def test_an_exit_at_a_close_waits_for_our_own_resting_buy_to_go(floor: Floor) -> None:
    await held_below_the_exit(floor)
    await floor.room.desk.place(floor.room.request(quantity=1, price="60.00"), TODAY)
    await close_bar(floor)
    assert (floor.room.broker.sent[-1], sales(floor)) == ("cancel", [])
    await floor.room.look()
    await floor.tick("60")  # the bar is closed, and the rule would stay now
    await floor.trader.deferred.act()
    await floor.settle()
    assert sales(floor) == [OrderStatus.ACCEPTED]


async def test_an_exit_at_a_close_that_the_broker_refuses_is_tried_again_until_it_is_out(floor: Floor) -> None:
    await held_below_the_exit(floor)

    def refuse(row: object) -> None:
        raise Refused("KIS", "X1", "접수 불가")

    floor.room.broker.on_place = refuse
    await close_bar(floor)
    await floor.settle()
    assert sales(floor) == [OrderStatus.REJECTED]
    for _ in range(4):
        await floor.trader.deferred.act()
        await floor.settle()
    assert sales(floor) == [OrderStatus.REJECTED] * 3, "then the side rests: a loop must not"
    floor.room.broker.on_place = lambda row: None
    for _ in range(5):
        floor.room.clock.pass_s(60)
        await floor.tick("60")
        await floor.trader.deferred.act()
        await floor.settle()
    assert sales(floor) == [OrderStatus.REJECTED] * 3 + [OrderStatus.ACCEPTED]


async def test_an_exit_that_a_person_cancels_is_not_sent_again(floor: Floor) -> None:
    await held_below_the_exit(floor)
    await close_bar(floor)
    await floor.room.desk.cancel(floor.room.orders.all()[-1].id, "by hand")
    await floor.room.look()
    await floor.tick("60")
    await floor.trader.deferred.act()
    await floor.settle()
    assert sales(floor) == [OrderStatus.CANCELED]


async def test_an_exit_that_cannot_be_made_is_told_to_a_person_once(floor: Floor) -> None:
    await held_below_the_exit(floor)
    floor.trader.clearance.account_doubt = "설정과 다름"
    await close_bar(floor)
    for _ in range(12):
        floor.room.clock.pass_s(60)
        await floor.tick("60")
        await floor.trader.deferred.act()
        await floor.settle()
    told = [row for row in await rows(floor.room, "alerts") if row["kind"] == "EXIT_UNDONE"]
    assert [(row["severity"], row["params"]["reason"]) for row in told] == [("critical", "설정과 다름")]
    floor.trader.clearance.account_doubt = None
    await floor.trader.deferred.act()
    await floor.settle()
    assert sales(floor) == [], "so late it is a person's to decide"


async def test_bars_and_highs_of_an_absence_count_for_what_is_held(floor: Floor) -> None:
    """A time exit and a trailing stop go by the market, not by how long this process was there to look."""
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    lot = floor.trader.lots.get(1, "AAPL")
    assert lot is not None and (lot.bars_held, lot.highest) == (0, 101)
    minutes = [_bar("AAPL", at) for at in range(-5, 5)]
    minutes[3] = replace(minutes[3], high=Decimal(500))  # before the entry
    minutes[7] = replace(minutes[7], high=Decimal(120))
    floor.room.clock.pass_s(300)
    floor.chart.seed(("AAPL", Timeframe.M1), minutes)
    for _ in range(2):
        floor.trader.seeded("AAPL", Timeframe.M1)
        lot = floor.trader.lots.get(1, "AAPL")
        assert lot is not None and (lot.bars_held, lot.highest) == (5, 120)


@pytest.mark.parametrize("ago, sold", [(1, 1), (3, 0)])
async def test_a_bar_that_closed_during_a_restart_is_judged_for_what_is_held(floor: Floor, ago: int, sold: int) -> None:
    """Exits at a crossing come once: one that fell into a restart would never come. Long past, it is no decision any more."""
    await held_below_the_exit(floor)
    floor.room.clock.pass_s(60 * ago)
    now = floor.room.clock.now
    floor.feed.on_tick(Tick("AAPL", Decimal(60), 1, now, now))
    bars = [_bar("AAPL", at) for at in range(-5, 2)]
    bars[-1] = replace(bars[-1], close=Decimal(49), low=Decimal(49))
    for _ in range(2):
        floor.chart.seed(("AAPL", Timeframe.M1), bars)
        floor.trader.seeded("AAPL", Timeframe.M1)
        await floor.settle()
    assert len(sales(floor)) == sold


async def test_an_exit_is_said_again_after_its_order_was_refused(floor: Floor) -> None:
    floor.configure(floor.config())
    await floor.tick("101")
    await floor.fill_all()
    sale_key = "1:1:AAPL:x:stop_loss"
    for _ in range(2):
        request = floor.room.request(Side.SELL, 5, "95.00", signal_key=sale_key, reduces=True)
        key = floor.trader._signal_key(
            Decision(1, 1, "AAPL", verdict=Verdict.SELL, reason="stop_loss", at=START, signal_key=sale_key), Side.SELL
        )
        order = await floor.room.desk.place(replace(request, signal_key=key), TODAY)
        await floor.room.desk.cancel(order.id, "test")
        await floor.room.look()
    assert [order.status for order in floor.room.orders.all()[1:]] == [OrderStatus.CANCELED] * 2


GRID = """
metadata: {name: grid}
strategy: {id: grid, timeframe: 1m, evaluate: tick}
grid: {upper: 110, lower: 90, levels: 4}
sizing: {mode: shares, value: 3}
"""


async def test_a_grid_buys_more_while_it_holds_and_sells_only_its_step(floor: Floor) -> None:
    rule = replace(parse_rule(GRID), rule_id=1, version_id=1)
    floor.configure(RuleConfig(rule, ("AAPL",), 100, True))
    await floor.tick("104")
    await floor.fill_all()
    await floor.tick("99")
    await floor.fill_all()
    lot = floor.trader.lots.get(1, "AAPL")
    assert lot is not None and lot.quantity == 6
    await floor.tick("105.5")
    sent = [(one.side, one.request.quantity) for one in floor.room.orders.all()]
    assert sent == [(Side.BUY, 3), (Side.BUY, 3), (Side.SELL, 3)]


async def test_a_ladder_sends_its_own_limit_rounded_down(floor: Floor) -> None:
    text = GRID.replace(
        "grid: {upper: 110, lower: 90, levels: 4}", "ladder: {splits: 3, order_type: LIMIT, first_pct: 0.123}"
    )
    rule = replace(parse_rule(text), rule_id=1, version_id=1)
    floor.configure(RuleConfig(rule, ("AAPL",), 100, True))
    await floor.tick("100")
    [order] = floor.room.orders.all()
    assert (order.request.quantity, order.request.price) == (1, Decimal("100.12"))


async def test_a_proposal_from_outside_goes_through_sizing_guards_and_desk_once(floor: Floor) -> None:
    floor.configure(floor.config())
    await floor.tick("90")  # a price, below the rule's own entry
    assert floor.room.broker.sent == []
    assert await floor.trader.propose(1, "AAPL", Verdict.BUY, "tv:1") is None
    await floor.trader.propose(1, "AAPL", Verdict.BUY, "tv:1")  # the same signal again
    await floor.settle()
    assert floor.room.broker.sent == ["place"]
    assert (floor.room.orders.all()[0].quantity, floor.room.orders.all()[0].request.reason) == (5, "proposed")


async def test_a_proposal_that_does_not_fit_the_holding_or_the_rule_is_refused(floor: Floor) -> None:
    floor.configure(floor.config())
    await floor.tick("90")
    for rule_id, symbol, verdict, code in (
        (1, "AAPL", Verdict.SELL, "no_position"),
        (1, "MSFT", Verdict.BUY, "rule_off"),
        (9, "AAPL", Verdict.BUY, "rule_off"),
    ):
        denied = await floor.trader.propose(rule_id, symbol, verdict, "tv:2")
        assert denied is not None and denied.code == code
    await floor.settle()
    assert floor.room.broker.sent == []
