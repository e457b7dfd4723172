"""Market data values: ticks, quotes, order books, bars. Prices are Decimal in the instrument's currency, times aware."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class Timeframe(StrEnum):
    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    D1 = "1d"
    W1 = "1w"
    MN1 = "1mo"

    @property
    def seconds(self) -> int:
        """The nominal length; weeks and months are cut by the calendar, a month counts 30 days here."""
        return _SECONDS[self.value]


_SECONDS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86400, "1w": 604_800, "1mo": 2_592_000}
# What a rule may be written for: weeks and months are for charts only.
RULE_TIMEFRAMES = (Timeframe.M1, Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.D1)


class Tick(msgspec.Struct, frozen=True, gc=False):
    """One trade in the market (체결). `at` is the exchange's time, `received_at` ours (wall clock).

    A struct made in C, as every value that is made for each trade: a dataclass costs six times as much.
    """

    symbol: str
    price: Decimal
    quantity: int
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """A price snapshot. Fields the broker did not give are None, never zero."""

    symbol: str
    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    prev_close: Decimal | None
    upper_limit: Decimal | None
    lower_limit: Decimal | None
    volume: int | None
    at: datetime
    received_at: datetime
    source: str = "rest"  # "stream" | "rest": shown to the operator as 폴백 when rest


@dataclass(frozen=True, slots=True)
class Detail:
    """What the broker tells of a symbol beside its price. What it did not tell is None."""

    symbol: str
    last: Decimal
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    prev_close: Decimal | None
    tick_size: Decimal | None
    lot: int | None  # shares an order must be a multiple of
    tradable: bool | None  # False: halted or closed to orders
    warning: str = ""  # the broker's own words for a caution, "" for none
    high_52w: Decimal | None = None
    low_52w: Decimal | None = None
    per: Decimal | None = None
    eps: Decimal | None = None
    listed_shares: int | None = None


@dataclass(frozen=True, slots=True)
class BookLevel:
    price: Decimal
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Best levels first on both sides."""

    symbol: str
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Bar:
    """An OHLCV bar. `start` is the bar's opening instant (aware); it is closed when `closed` is true."""

    symbol: str
    timeframe: Timeframe
    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    closed: bool = True
