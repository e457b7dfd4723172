"""Replay tape: bars of real prices, each walked open → extremes → close as four prints.

CSV header `date|ts_utc|timestamp, open, high, low, close, volume`, extra columns ignored. A time stands for the start of
its bar; a bar with `date` alone fills the regular hours of that day. A halted day (open 0, volume 0) is no bar. The
session of a day runs from the start of its first bar to the end of its last.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from brokers.paper.clock import Sessions
from brokers.paper.listings import LISTINGS, Listing, infer_listing
from brokers.paper.prints import MINUTE, Print, RawBar, bar_of, merge
from brokers.paper.synthetic import ZONES, floor_to, midnight
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.market import Timeframe
from shared.domain.order import Side

TIME_COLUMNS = ("ts_utc", "timestamp", "date")
PRICE_COLUMNS = ("open", "high", "low", "close")
REGULAR = {Market.US: (time(9, 30), time(16)), Market.KRX: (time(9), time(15, 30))}
STEPS = 4
NOW = "give --tape replay:SYMBOL=FILE.csv with a header date|ts_utc|timestamp,open,high,low,close,volume"


@dataclass(frozen=True, slots=True)
class FileBar:
    start: datetime
    end: datetime
    bar: RawBar


def read_bars(symbol: str, path: Path) -> list[FileBar]:
    """Read one file, strictly in time order.

    Raises:
        ConfigError: names the file, the line and what is wrong with it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"the tape of {symbol} cannot be read", f"{path}: {e}", NOW) from e
    header = set(rows[0]) if rows else set()
    column = next((name for name in TIME_COLUMNS if name in header), None)
    if column is None or not {*PRICE_COLUMNS, "volume"} <= header:
        raise ConfigError(f"the tape of {symbol} cannot be used", f"{path} lacks a column (has {sorted(header)})", NOW)
    stamped: list[tuple[datetime | date, RawBar]] = []
    for number, row in enumerate(rows, 2):
        try:
            at, bar = _stamp(row[column]), _bar(row)
        except (ValueError, InvalidOperation, TypeError) as e:
            raise ConfigError(f"the tape of {symbol} cannot be used", f"{path} line {number}: {e}", NOW) from e
        if bar is not None:
            stamped.append((at, bar))
    spans = _spans(infer_market(symbol), [at for at, _ in stamped])
    bars = [FileBar(start, end, bar) for (start, end), (_, bar) in zip(spans, stamped, strict=True)]
    for before, after in pairwise(bars):
        if after.start <= before.start:
            why = f"{path}: {after.start.isoformat()} does not come after {before.start.isoformat()}"
            raise ConfigError(f"the tape of {symbol} cannot be used", why, "sort the rows and drop repeated ones")
    if not bars:
        raise ConfigError(f"the tape of {symbol} cannot be used", f"{path} holds no bar", NOW)
    return bars


def _stamp(text: str) -> datetime | date:
    if len(text) == 10:
        return date.fromisoformat(text)
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _bar(row: dict[str, str]) -> RawBar | None:
    first, high, low, last = (Decimal(row[name]) for name in PRICE_COLUMNS)
    volume = int(Decimal(row["volume"]))
    if first == 0 and volume == 0:
        return None
    if not all(price.is_finite() and price > 0 for price in (first, high, low, last)):
        raise ValueError("a price is not positive")
    # Real files hold bars whose high or low misses the open or close by a cent; the walk needs them inside.
    return RawBar(first, max(first, high, low, last), min(first, high, low, last), last, max(volume, STEPS))


def infer_market(symbol: str) -> Market:
    return (LISTINGS.get(symbol) or infer_listing(symbol, Decimal(1))).market


def _spans(market: Market, stamps: list[datetime | date]) -> list[tuple[datetime, datetime]]:
    opens, closes = REGULAR[market]
    moments = [at for at in stamps if isinstance(at, datetime)]
    steps = [after - before for before, after in pairwise(moments) if after > before]
    step = min(steps, default=MINUTE)
    spans = []
    for at in stamps:
        if isinstance(at, datetime):
            spans.append((at, at + step))
        else:
            day = midnight(at, ZONES[market]).astimezone(ZONES[market])
            spans.append((_clock(day, opens), _clock(day, closes)))
    return spans


def _clock(day: datetime, at: time) -> datetime:
    return day.replace(hour=at.hour, minute=at.minute).astimezone(UTC)


def walk(symbol: str, one: FileBar) -> list[Print]:
    """Open, the extremes (the low first in a rising bar), close; spread evenly over the bar."""
    bar = one.bar
    rising = bar.close >= bar.open
    prices = (bar.open, bar.low, bar.high, bar.close) if rising else (bar.open, bar.high, bar.low, bar.close)
    sides = (Side.BUY, Side.SELL, Side.BUY, Side.SELL) if rising else (Side.SELL, Side.BUY, Side.SELL, Side.BUY)
    share, gap = bar.volume // STEPS, (one.end - one.start) / STEPS
    shares = [share] * (STEPS - 1) + [bar.volume - share * (STEPS - 1)]
    return [Print(symbol, prices[i], shares[i], one.start + i * gap, sides[i]) for i in range(STEPS)]


class _Reel:
    """One symbol's prints, by minute."""

    def __init__(self, symbol: str, bars: list[FileBar], zone: ZoneInfo) -> None:
        self.zone = zone
        self.by_minute: dict[datetime, list[Print]] = {}
        self.days: dict[date, tuple[datetime, datetime]] = {}  # local day -> session
        for bar in bars:
            on = bar.start.astimezone(zone).date()
            self.days[on] = (self.days.get(on, (bar.start, bar.end))[0], bar.end)
            for one in walk(symbol, bar):
                self.by_minute.setdefault(floor_to(one.at, 60), []).append(one)
        self.minutes = sorted(self.by_minute)


class ReplaySource:
    sessions = Sessions.CALENDAR

    def __init__(self, files: dict[str, Path]) -> None:
        self.spec = "replay:" + ",".join(f"{symbol}={path}" for symbol, path in files.items())
        self.listings: dict[str, Listing] = {}
        self._reels: dict[str, _Reel] = {}
        for symbol, path in files.items():
            bars = read_bars(symbol, path)
            listing = LISTINGS.get(symbol) or infer_listing(symbol, bars[0].bar.open)
            self.listings[symbol] = listing
            self._reels[symbol] = _Reel(symbol, bars, ZONES[listing.market])
        self.starts_at: datetime | None = min(reel.by_minute[reel.minutes[0]][0].at for reel in self._reels.values())
        self.ends_at = max(end for reel in self._reels.values() for _, end in reel.days.values())

    def open_at(self, symbol: str, at: datetime) -> bool:
        span = self.session(symbol, at)
        return span is not None and span[0] <= at < span[1]

    def session(self, symbol: str, at: datetime) -> tuple[datetime, datetime] | None:
        reel = self._reels.get(symbol)
        return reel.days.get(at.astimezone(reel.zone).date()) if reel else None

    def prints(self, symbol: str, minute: datetime) -> tuple[Print, ...]:
        return tuple(self._reels[symbol].by_minute.get(minute, ()))

    def bar(self, symbol: str, timeframe: Timeframe, start: datetime) -> RawBar | None:
        if timeframe is Timeframe.D1:
            on = start.astimezone(self._reels[symbol].zone).date()
            end = midnight(on + timedelta(days=1), self._reels[symbol].zone)
        else:
            end = start + timedelta(seconds=timeframe.seconds)
        return merge(bar_of(self.prints(symbol, minute)) for minute in self.minutes(symbol, start, end))

    def starts_back(self, symbol: str, timeframe: Timeframe, at: datetime) -> Iterator[datetime]:
        reel, last = self._reels[symbol], None
        for i in range(bisect_right(reel.minutes, at) - 1, -1, -1):
            minute = reel.minutes[i]
            if timeframe is Timeframe.D1:
                start = midnight(minute.astimezone(reel.zone).date(), reel.zone)
            else:
                start = floor_to(minute, timeframe.seconds)
            if start != last:
                yield start
            last = start

    def minutes(self, symbol: str, start: datetime, end: datetime) -> Iterator[datetime]:
        minutes = self._reels[symbol].minutes
        for i in range(bisect_right(minutes, start - timedelta(microseconds=1)), len(minutes)):
            if minutes[i] >= end:
                return
            yield minutes[i]
