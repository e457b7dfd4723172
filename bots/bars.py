"""Bars from ticks, in market time: 1m 5m 15m 1h 1d per symbol, seeded by the broker's own bars.

Intraday bars start on whole multiples of their length in UTC; a day bar starts at midnight of the market's zone. A
minute without a trade has no bar. Late ticks of a closed bar are dropped and counted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from shared.domain.market import Bar, Tick, Timeframe

KEPT = 500  # closed bars per symbol and timeframe


def bar_start(at: datetime, timeframe: Timeframe, zone: ZoneInfo) -> datetime:
    """The opening instant (UTC) of the bar that holds `at`."""
    if timeframe is Timeframe.D1:
        return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % timeframe.seconds, UTC)


def bar_end(start: datetime, timeframe: Timeframe, zone: ZoneInfo) -> datetime:
    """The instant at which the bar is over."""
    if timeframe is Timeframe.D1:
        return (start.astimezone(zone) + timedelta(days=1)).astimezone(UTC)
    return start + timedelta(seconds=timeframe.seconds)


@dataclass(slots=True)
class BarSeries:
    """The bars of one symbol in one timeframe: closed ones, and the one that forms."""

    symbol: str
    timeframe: Timeframe
    zone: ZoneInfo
    closed: deque[Bar] = field(default_factory=lambda: deque(maxlen=KEPT))
    forming: Bar | None = None
    late: int = 0
    version: int = 0  # grows with each closed bar
    ends: datetime | None = None  # of the bar that the last tick opened: most ticks need look no further

    def seed(self, bars: list[Bar]) -> None:
        """Take the broker's bars, oldest first; ticks already seen in the forming bar are kept on top."""
        mine = self.forming
        self.closed.clear()
        self.forming = self.ends = None
        for bar in bars:
            if bar.closed:
                self.closed.append(bar)
            else:
                self.forming = bar
        if mine is not None and (not self.closed or mine.start > self.closed[-1].start):
            self.forming = (
                mine if self.forming is None or self.forming.start < mine.start else _merged(self.forming, mine)
            )
        self.version += 1

    def add(self, tick: Tick) -> Bar | None:
        """Count one tick; returns the bar that it closed, if it opened a new one."""
        if self.forming is not None and self.ends is not None and self.forming.start <= tick.at < self.ends:
            self.forming = _with(self.forming, tick)
            return None
        start = bar_start(tick.at, self.timeframe, self.zone)
        newest = self.forming.start if self.forming else (self.closed[-1].start if self.closed else None)
        if newest is not None and (start < newest or (self.forming is None and start == newest)):
            self.late += 1
            return None
        if self.forming is not None and start == self.forming.start:
            self.ends = bar_end(start, self.timeframe, self.zone)
            self.forming = _with(self.forming, tick)
            return None
        done = self.close_forming()
        self.ends = bar_end(start, self.timeframe, self.zone)
        self.forming = Bar(
            self.symbol,
            self.timeframe,
            start,
            tick.price,
            tick.price,
            tick.price,
            tick.price,
            tick.quantity,
            closed=False,
        )
        return done

    def over(self, now: datetime) -> datetime | None:
        """The start of the forming bar when its time is over at `now`."""
        if self.forming is None or now < bar_end(self.forming.start, self.timeframe, self.zone):
            return None
        return self.forming.start

    def close_due(self, now: datetime) -> Bar | None:
        """Close the forming bar once its time is over, tick or no tick."""
        return None if self.over(now) is None else self.close_forming()

    def close_forming(self) -> Bar | None:
        if self.forming is None:
            return None
        done = replace(self.forming, closed=True)
        self.closed.append(done)
        self.forming = None
        self.version += 1
        return done

    def bars(self) -> list[Bar]:
        """Closed bars, oldest first, the forming one last."""
        return [*self.closed, *([self.forming] if self.forming else [])]


def _with(bar: Bar, tick: Tick) -> Bar:
    price = tick.price  # written out, not `replace`: this is done for every trade of the market
    high, low = bar.high if bar.high >= price else price, bar.low if bar.low <= price else price
    volume = bar.volume + tick.quantity
    return Bar(bar.symbol, bar.timeframe, bar.start, bar.open, high, low, price, volume, bar.closed)


def _merged(seeded: Bar, mine: Bar) -> Bar:
    return replace(
        seeded,
        high=max(seeded.high, mine.high),
        low=min(seeded.low, mine.low),
        close=mine.close,
        volume=max(seeded.volume, mine.volume),
    )


@dataclass(frozen=True, slots=True)
class SeenPrice:
    at: datetime
    price: Decimal


class SpikeWatch:
    """Tells when a price moved ±x % within n minutes; says so again only after a quiet n minutes."""

    def __init__(self, pct: Decimal, minutes: int) -> None:
        self.pct, self.minutes = pct, minutes
        self._prices: dict[str, deque[SeenPrice]] = {}
        self._told: dict[str, datetime] = {}

    def moved(self, symbol: str, price: Decimal, at: datetime) -> Decimal | None:
        """Count one price; returns the move in percent when it is a spike to tell about."""
        window = self._prices.setdefault(symbol, deque(maxlen=5000))
        if not window or (at - window[-1].at) >= timedelta(seconds=1):
            window.append(SeenPrice(at, price))
        oldest = at - timedelta(minutes=self.minutes)
        while window and window[0].at < oldest:
            window.popleft()
        if self.pct <= 0 or not window:
            return None
        low, high = min(seen.price for seen in window), max(seen.price for seen in window)
        up, down = (price - low) / low * 100, (price - high) / high * 100
        change = up if up >= -down else down
        if abs(change) < self.pct or at - self._told.get(symbol, datetime.min.replace(tzinfo=UTC)) < timedelta(
            minutes=self.minutes
        ):
            return None
        self._told[symbol] = at
        return change
