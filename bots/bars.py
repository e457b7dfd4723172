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
class _Growing:
    """The figures of the bar that forms: changed in place, for this is done for every trade of the market."""

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(slots=True)
class BarSeries:
    """The bars of one symbol in one timeframe: closed ones, and the one that forms."""

    symbol: str
    timeframe: Timeframe
    zone: ZoneInfo
    closed: deque[Bar] = field(default_factory=lambda: deque(maxlen=KEPT))
    late: int = 0
    version: int = 0  # grows with each closed bar
    ends: datetime | None = None  # of the bar that the last tick opened: most ticks need look no further
    _now: _Growing | None = None

    @property
    def forming(self) -> Bar | None:
        """The bar that forms, as it stands."""
        return None if self._now is None else self._bar(self._now, closed=False)

    def _bar(self, one: _Growing, *, closed: bool) -> Bar:
        figures = (one.start, one.open, one.high, one.low, one.close, one.volume)
        return Bar(self.symbol, self.timeframe, *figures, closed)

    def seed(self, bars: list[Bar]) -> None:
        """Take the broker's bars, oldest first; ticks already seen in the forming bar are kept on top."""
        mine = self._now
        self.closed.clear()
        self._now = self.ends = None
        for bar in bars:
            if bar.closed:
                self.closed.append(bar)
            else:
                self._now = _Growing(bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume)
        if mine is not None and (not self.closed or mine.start > self.closed[-1].start):
            seeded = self._now
            self._now = mine if seeded is None or seeded.start < mine.start else _merged(seeded, mine)
        self.version += 1

    def grow(self, tick: Tick) -> bool:
        """Count a tick of the bar that the last tick belonged to; False, and nothing counted, when it is of another."""
        now, ends, at = self._now, self.ends, tick.at
        if now is None or ends is None or not now.start <= at < ends:
            return False
        price = tick.price
        if price > now.high:
            now.high = price
        elif price < now.low:
            now.low = price
        now.close = price
        now.volume += tick.quantity
        return True

    def add(self, tick: Tick) -> Bar | None:
        """Count one tick; returns the bar that it closed, if it opened a new one."""
        if self.grow(tick):
            return None
        start, now = bar_start(tick.at, self.timeframe, self.zone), self._now
        newest = now.start if now else (self.closed[-1].start if self.closed else None)
        if newest is not None and (start < newest or (now is None and start == newest)):
            self.late += 1
            return None
        if now is not None and start == now.start:
            self.ends = bar_end(start, self.timeframe, self.zone)
            self.grow(tick)
            return None
        done = self.close_forming()
        self.ends = bar_end(start, self.timeframe, self.zone)
        self._now = _Growing(start, tick.price, tick.price, tick.price, tick.price, tick.quantity)
        return done

    def over(self, now: datetime) -> datetime | None:
        """The start of the forming bar when its time is over at `now`."""
        if self._now is None or now < bar_end(self._now.start, self.timeframe, self.zone):
            return None
        return self._now.start

    def close_due(self, now: datetime) -> Bar | None:
        """Close the forming bar once its time is over, tick or no tick."""
        return None if self.over(now) is None else self.close_forming()

    def close_forming(self) -> Bar | None:
        if self._now is None:
            return None
        done = self._bar(self._now, closed=True)
        self.closed.append(done)
        self._now = None
        self.version += 1
        return done

    def bars(self) -> list[Bar]:
        """Closed bars, oldest first, the forming one last."""
        forming = self.forming
        return [*self.closed, *([forming] if forming else [])]


def _merged(seeded: _Growing, mine: _Growing) -> _Growing:
    return replace(
        seeded,
        high=max(seeded.high, mine.high),
        low=min(seeded.low, mine.low),
        close=mine.close,
        volume=max(seeded.volume, mine.volume),
    )


class _Extremes:
    """The lowest and highest of the prices seen in a moving time, without going over them again.

    Each deque holds only prices that may yet become the extreme: a price is dropped once a later one outdoes it.
    """

    __slots__ = ("highs", "last", "lows")

    def __init__(self) -> None:
        self.lows: deque[tuple[datetime, Decimal]] = deque()  # rising, the lowest first
        self.highs: deque[tuple[datetime, Decimal]] = deque()  # falling, the highest first
        self.last: datetime | None = None  # when the newest price was kept

    def keep(self, at: datetime, price: Decimal) -> None:
        self.last = at
        while self.lows and self.lows[-1][1] >= price:
            self.lows.pop()
        while self.highs and self.highs[-1][1] <= price:
            self.highs.pop()
        self.lows.append((at, price))
        self.highs.append((at, price))

    def forget(self, before: datetime) -> None:
        for one in (self.lows, self.highs):
            while one and one[0][0] < before:
                one.popleft()


class SpikeWatch:
    """Tells when a price moved ±x % within n minutes; says so again only after a quiet n minutes."""

    def __init__(self, pct: Decimal, minutes: int) -> None:
        self.pct, self.minutes = pct, minutes
        self._seen: dict[str, _Extremes] = {}
        self._told: dict[str, datetime] = {}

    def moved(self, symbol: str, price: Decimal, at: datetime) -> Decimal | None:
        """Count one price; returns the move in percent when it is a spike to tell about."""
        seen = self._seen.get(symbol)
        if seen is None:
            seen = self._seen[symbol] = _Extremes()
        if seen.last is None or at - seen.last >= _A_SECOND:
            seen.keep(at, price)
            seen.forget(at - timedelta(minutes=self.minutes))
        if self.pct <= 0 or not seen.lows:
            return None
        low, high = seen.lows[0][1], seen.highs[0][1]
        up, down = price - low, high - price
        if 100 * up < self.pct * low and 100 * down < self.pct * high:
            return None
        up, down = up / low * 100, down / high * 100
        told = self._told.get(symbol)
        if told is not None and at - told < timedelta(minutes=self.minutes):
            return None
        self._told[symbol] = at
        return up if up >= down else -down


_A_SECOND = timedelta(seconds=1)  # prices closer together than this are one
