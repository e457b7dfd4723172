"""Prices that were asked for: they stand in for missing ticks, and make no bar where nothing traded."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

from bots.bars import SpikeWatch
from bots.chart import Chart
from bots.feed import Feed
from bots.market_data import MarketData
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
