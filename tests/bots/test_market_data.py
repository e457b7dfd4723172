"""Prices that were asked for: they stand in for missing ticks, and make no bar where nothing traded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from bots.bars import SpikeWatch
from bots.cache import Cache
from bots.chart import Chart
from bots.decisions import DecisionLog
from bots.feed import Feed
from bots.journal import Outgoing
from bots.market_data import MarketData
from brokers.contract import RateBudget
from shared.domain.account import Market
from shared.domain.errors import NotFound, NotSupported, StreamFull
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, Quote, Tick, Timeframe
from shared.domain.money import Currency
from tests.fakes import KEY as KEY_OF_ACCOUNT
from tests.fakes import START, FakeClock

KEY = ("AAPL", Timeframe.M1)


def quote(minute: int, last: str, volume: int | None) -> Quote:
    at = START + timedelta(minutes=minute)
    return Quote("AAPL", Decimal(last), None, None, None, None, None, volume, at, at)


class Prices:
    """Market data over a real feed and chart; the rules are a list of what they were shown."""

    def __init__(self) -> None:
        clock = FakeClock()
        self.judged: list[str] = []
        self.chart = Chart(ZoneInfo("America/New_York"))
        self.chart.want({KEY})
        self.chart.seed(KEY, [])
        trader = SimpleNamespace(on_price=self.judged.append, on_bar=lambda bar: None, seeded=lambda *key: None)
        nothing = cast(Any, None)
        self.data = MarketData(
            nothing, nothing, Feed(clock), self.chart, cast(Any, trader), nothing, clock, nothing, lambda rows: None,
            SpikeWatch(Decimal(0), 1),
        )  # fmt: skip

    def closes(self) -> list[float]:
        window = self.chart.window(*KEY)
        assert window is not None
        return list(window.view().close)


def test_a_quote_of_a_market_that_does_not_trade_makes_no_bar_but_is_judged() -> None:
    prices = Prices()
    for minute in range(3):  # before the open: yesterday's close, again and again
        prices.data.on_quote(quote(minute, "100", 0))
    assert prices.closes() == []
    assert prices.judged == ["AAPL"] * 3
    assert prices.data.feed.price("AAPL") == 100


def test_a_quote_after_a_trade_stands_in_for_its_tick() -> None:
    prices = Prices()
    prices.data.on_quote(quote(0, "100", 0))
    prices.data.on_quote(quote(1, "101", 40))
    prices.data.on_quote(quote(2, "101", 40))
    prices.data.on_quote(quote(3, "102", None))  # a broker that tells no volume: each quote counts
    assert prices.closes() == [101, 102]


class Batches:
    """A broker that answers `size` symbols a call; "DEAD" has no price, and may be among those asked."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.calls: list[int] = []

    def rate_budget(self) -> RateBudget:
        return RateBudget(4.0, 0, 0, 0, quotes_a_call=self.size)

    async def get_quotes(self, symbols: Sequence[str]) -> list[Quote]:
        self.calls.append(len(symbols))
        return [replace(quote(0, "100", 0), symbol=symbol) for symbol in symbols if symbol != "DEAD"]


@pytest.mark.parametrize(("size", "asked"), [(1, 1), (3, 3), (50, 10)])
async def test_polling_asks_as_many_symbols_as_one_call_covers(size: int, asked: int) -> None:
    prices, broker = Prices(), Batches(size)
    prices.data.broker = cast(Any, broker)
    prices.data.clearance = cast(Any, SimpleNamespace(in_fallback=lambda: False))
    prices.data.feed.wanted = {*(f"S{n}" for n in range(9)), "DEAD"}
    await prices.data.poll_silent()
    assert len(broker.calls) == 1  # a quarter of four calls a second
    assert broker.calls == [asked]
    assert len(prices.data.feed.quotes) >= asked - 1  # the dead one may be among them
    await prices.data.poll_silent()
    assert len(broker.calls) == 1  # the allowance is used up


class Places:
    """A broker with a stream of `places` registrations; its REST quotes are what the test says they are."""

    def __init__(self, places: int) -> None:
        self.places, self.on, self.renewed = places, list[str](), list[str]()
        self.volume: dict[str, int] = {}
        self.unknown: set[str] = set()

    def rate_budget(self) -> RateBudget:
        return RateBudget(40.0, 0, 0, 0)

    async def get_detail(self, symbol: str) -> None:
        raise NotSupported("T", "-", "no details here")

    async def subscribe(self, symbol: str) -> None:
        if len(self.on) >= self.places:
            raise StreamFull("T", "-", "no place left")
        self.on.append(symbol)

    async def unsubscribe(self, symbol: str) -> None:
        self.on.remove(symbol)

    async def renew_stream(self, why: str) -> None:
        self.renewed.append(why)

    async def get_quotes(self, symbols: Sequence[str]) -> list[Quote]:
        return [replace(quote(0, "100", self.volume.get(one, 1)), symbol=one) for one in symbols]

    async def get_quote(self, symbol: str) -> Quote:
        return (await self.get_quotes([symbol]))[0]

    async def get_instrument(self, symbol: str) -> Instrument:
        if symbol in self.unknown:
            raise NotFound(f"US에 {symbol} 종목이 없습니다", "", "")
        return Instrument(symbol, Market.US, Venue.NASDAQ, Currency.USD)

    async def get_bars(self, symbol: str, timeframe: Timeframe, count: int) -> list[Bar]:
        return []


@dataclass
class Watching:
    """Market data over a broker with few places; `held` and `watched` are the test's."""

    broker: Places
    folder: Path
    held: set[str] = field(default_factory=set)
    watched: set[str] = field(default_factory=set)
    logs: list[Outgoing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        trader = SimpleNamespace(
            on_price=lambda symbol: None, on_bar=lambda bar: None, wanted=lambda: {(s, Timeframe.M1) for s in self.watched},
            portfolio=SimpleNamespace(symbols=lambda: set(self.held)), seeded=lambda *key: None, rules={},
            decisions=DecisionLog(self.clock), today=lambda: START.date(),
        )  # fmt: skip
        broker = cast(Any, self.broker)
        clearance = SimpleNamespace(instruments={}, in_fallback=lambda: False)
        self.data = MarketData(
            broker, Cache(self.folder / "cache.db", KEY_OF_ACCOUNT, broker, self.clock), Feed(self.clock),
            Chart(ZoneInfo("America/New_York")), cast(Any, trader), cast(Any, clearance), self.clock,
            lambda: cast(Any, SimpleNamespace(put=lambda *row: None)), self.logs.extend, SpikeWatch(Decimal(0), 1),
        )  # fmt: skip
        self.data.feed.stream_up = True

    async def poll(self, *ticking: str, after_s: float = 6.0) -> None:
        self.clock.pass_s(after_s)
        for symbol in ticking:
            self.data.on_tick(Tick(symbol, Decimal(100), 1, self.clock.now, self.clock.now))
        await self.data.poll_silent()


async def test_more_symbols_than_places_held_ones_first_the_rest_by_rest_and_said_so(tmp_path: Path) -> None:
    watching = Watching(Places(2), tmp_path, held={"ZZZ"}, watched={"AAA", "BBB", "CCC"})
    await watching.data.follow_wants()
    assert watching.broker.on == ["ZZZ", "AAA"]
    assert watching.data.feed.polled == {"BBB", "CCC"}
    assert any("폴백" in row.body for row in watching.logs)

    watching.held = {"ZZZ", "CCC"}  # a position was opened where only quotes came
    await watching.data.follow_wants()
    assert watching.broker.on == ["ZZZ", "CCC"]
    assert watching.data.feed.polled == {"AAA", "BBB"}

    watching.held, watching.watched = {"ZZZ"}, {"AAA"}  # places fall free
    await watching.data.follow_wants()
    assert watching.broker.on == ["ZZZ", "AAA"] and watching.data.feed.polled == set()


async def test_a_symbol_that_cannot_be_served_is_the_answer_of_its_rules_and_logged_once(tmp_path: Path) -> None:
    watching = Watching(Places(9), tmp_path, watched={"AAA", "APPL"})
    watching.broker.unknown = {"APPL"}
    rule = SimpleNamespace(rule=SimpleNamespace(version_id=4), symbols=("AAA", "APPL"))
    watching.data.trader.rules = {3: cast(Any, rule)}
    for _ in range(3):
        await watching.data.follow_wants()
    told = [row for row in watching.logs if row.stream == "logs"]
    assert len(told) == 1 and "APPL" in told[0].body, "nor is it said to be asked by REST"
    assert watching.data.feed.polled == set()
    [row] = [json.loads(row.body) for row in watching.logs if row.stream == "decisions"]
    assert (row["rule_id"], row["symbol"], row["verdict"], row["reason"]) == (3, "APPL", "HOLD", "no_price")
    assert "종목이 없습니다" in row["text"]
    watching.broker.unknown = set()
    await watching.data.follow_wants()
    assert watching.broker.on == ["AAA", "APPL"]


async def test_a_stream_that_is_up_and_says_nothing_while_rest_shows_trades_is_renewed(tmp_path: Path) -> None:
    watching = Watching(Places(9), tmp_path, held={"AAA", "BBB"})
    await watching.data.follow_wants()
    for volume in range(2, 9):
        watching.broker.volume = {"AAA": volume, "BBB": volume}
        await watching.poll()
    assert len(watching.broker.renewed) == 1, "once, then it is given time"
    for volume in range(9, 20):
        watching.broker.volume = {"AAA": volume, "BBB": volume}
        await watching.poll()
    assert len(watching.broker.renewed) == 2


async def test_a_quiet_stream_of_a_market_that_does_not_trade_is_left_alone(tmp_path: Path) -> None:
    watching = Watching(Places(9), tmp_path, held={"AAA"})
    await watching.data.follow_wants()
    for _ in range(20):
        await watching.poll()
    assert watching.broker.renewed == []


async def test_one_symbol_without_ticks_is_registered_anew_while_the_others_tick_on(tmp_path: Path) -> None:
    watching = Watching(Places(9), tmp_path, held={"AAA", "BBB"})
    await watching.data.follow_wants()
    for volume in range(2, 9):
        watching.broker.volume = {"AAA": volume}
        await watching.poll("BBB")
    assert watching.broker.renewed == [] and watching.broker.on == ["BBB", "AAA"]


def test_a_trade_that_comes_late_is_not_the_last_price() -> None:
    feed = Feed(FakeClock())
    trades = [
        Tick("AAPL", Decimal(price), 1, START + timedelta(seconds=s), START) for price, s in (("211", 2), ("190", 1))
    ]
    for one in trades:
        feed.on_tick(one)
    assert feed.price("AAPL") == 211
    feed.on_quote(quote(0, "212", 5))  # asked by REST, and timed by us
    feed.on_tick(trades[1])  # the stream speaks again: its own clock may be behind ours
    assert feed.price("AAPL") == 190
