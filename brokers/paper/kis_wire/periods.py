"""Periods: bars of the exchange put together into the longer bars that KIS's chart TRs serve."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from itertools import groupby

from brokers.paper.exchange import Exchange
from brokers.paper.kis_wire.fields import ZONES
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.market import Bar, Timeframe

INTRADAY = (Timeframe.M1, Timeframe.M5, Timeframe.M15, Timeframe.H1)
DAYS_IN = {"D": 1, "W": 5, "M": 23, "Y": 262}  # the most trading days one bar of the period can hold


def grouped(bars: list[Bar], key: Callable[[Bar], Hashable]) -> list[Bar]:
    """Merge neighbouring bars of one key into one; oldest first in, oldest first out."""
    return [_merged(list(group)) for _, group in groupby(bars, key)]


def _merged(bars: list[Bar]) -> Bar:
    first, last = bars[0], bars[-1]
    return Bar(
        symbol=first.symbol,
        timeframe=first.timeframe,
        start=first.start,
        open=first.open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=last.close,
        volume=sum(bar.volume for bar in bars),
        closed=last.closed,
    )


def period_bars(exchange: Exchange, symbol: str, market: Market, period: str, count: int, until: datetime) -> list[Bar]:
    """The newest `count` bars of a period (D, W, M or Y) that start at or before `until`, oldest first.

    History begins with the trading calendar: clients page back until there is nothing left.
    """
    zone, first = ZONES[market], load().days(market).first
    days = exchange.bars(symbol, Timeframe.D1, count * DAYS_IN[period], until=until)
    days = [bar for bar in days if bar.start.astimezone(zone).date() >= first]

    def key(bar: Bar) -> Hashable:
        on = bar.start.astimezone(zone).date()
        if period == "W":
            return on.isocalendar()[:2]
        return {"D": on, "M": (on.year, on.month), "Y": on.year}[period]

    return grouped(days, key)[-count:]


def minute_bars(exchange: Exchange, symbol: str, minutes: int, count: int, until: datetime) -> list[Bar]:
    """The newest `count` bars of `minutes` that start at or before `until`, oldest first; aligned to the hour."""
    step = timedelta(minutes=minutes)
    unit = max((one for one in INTRADAY if step.total_seconds() % one.seconds == 0), key=lambda one: one.seconds)
    small = timedelta(seconds=unit.seconds)
    parts = exchange.bars(symbol, unit, (count + 1) * (step // small), until=until + step - small)

    def key(bar: Bar) -> Hashable:
        return int(bar.start.timestamp()) // int(step.total_seconds())

    return grouped(parts, key)[-count:]
