"""Prices that were asked for: they stand in for missing ticks, and make no bar where nothing traded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from bots.bars import SpikeWatch
from bots.chart import Chart
from bots.feed import Feed
from bots.market_data import MarketData
from brokers.contract import RateBudget
from shared.domain.market import Quote, Timeframe
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
        trader = SimpleNamespace(on_price=self.judged.append, on_bar=lambda bar: None)
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


@pytest.mark.parametrize(("size", "answered"), [(3, 2), (50, 9)])
async def test_polling_asks_as_many_symbols_as_one_call_covers(size: int, answered: int) -> None:
    prices, broker = Prices(), Batches(size)
    prices.data.broker = cast(Any, broker)
    prices.data.clearance = cast(Any, SimpleNamespace(in_fallback=lambda: False))
    prices.data.feed.wanted = {*(f"S{n}" for n in range(9)), "DEAD"}
    await prices.data.poll_silent()
    assert len(broker.calls) == 1  # a quarter of four calls a second
    assert len(prices.data.feed.quotes) >= answered
    await prices.data.poll_silent()
    assert len(broker.calls) == 1  # the allowance is used up
