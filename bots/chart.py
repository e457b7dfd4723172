"""The bars of every wanted symbol in every wanted timeframe, as values for the store and as arrays for the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bots.bars import KEPT, BarSeries, bar_end, bar_start
from bots.rules.series import BarWindow
from shared.domain.market import Bar, Tick, Timeframe

SeriesKey = tuple[str, Timeframe]

# A trade of a bar's last moment is still on its way when the clock passes the bar's end. The next bar's first tick
# closes at once, for ticks come in order; only the clock waits. Wall time: it is the wire's delay, whatever the speed.
GRACE_S = 0.5


@dataclass(slots=True)
class _Kept:
    series: BarSeries
    window: BarWindow = field(default_factory=lambda: BarWindow(KEPT))
    seeded: bool = False
    over: tuple[datetime, float] | None = None  # bar start; monotonic time when its end was first noticed

    def rested(self, now: datetime, monotonic: float) -> bool:
        """The end of the forming bar was noticed GRACE_S of wall time ago, and no later tick has closed it since."""
        start = self.series.over(now)
        if start is None:
            self.over = None
            return False
        if self.over is None or self.over[0] != start:
            self.over = (start, monotonic)
        return monotonic - self.over[1] >= GRACE_S


class Chart:
    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._kept: dict[SeriesKey, _Kept] = {}
        self._of: dict[str, list[_Kept]] = {}  # the same by symbol

    def want(self, keys: set[SeriesKey]) -> None:
        """Keep exactly these series; new ones wait for their seed."""
        self._kept = {key: self._kept.get(key) or _Kept(BarSeries(*key, self._zone)) for key in keys}
        self._of = {}
        for (symbol, _), kept in self._kept.items():
            self._of.setdefault(symbol, []).append(kept)

    def unseeded(self) -> list[SeriesKey]:
        return [key for key, kept in self._kept.items() if not kept.seeded]

    def doubt(self) -> None:
        """Ticks may have been missed: every series asks its broker again."""
        for kept in self._kept.values():
            kept.seeded = False

    def seed(self, key: SeriesKey, bars: list[Bar]) -> list[Bar]:
        """Take the broker's bars; returns the closed ones that are not as we saw them close: what an absence hid."""
        kept = self._kept.get(key)
        if kept is None:
            return []
        seen = {bar.start: bar for bar in kept.series.closed}
        missed = [bar for bar in bars if bar.closed and seen.get(bar.start) != bar]
        kept.series.seed(bars)
        kept.window = BarWindow(KEPT)
        for bar in kept.series.bars():
            kept.window.put(bar)
        kept.seeded = True
        return missed

    def window(self, symbol: str, timeframe: Timeframe) -> BarWindow | None:
        """The arrays of a series; None until its broker has given the past."""
        kept = self._kept.get((symbol, timeframe))
        return kept.window if kept is not None and kept.seeded else None

    def since(self, symbol: str, timeframe: Timeframe, at: datetime) -> list[Bar]:
        """The closed bars from the one that holds `at` on, oldest first."""
        kept = self._kept.get((symbol, timeframe))
        first = bar_start(at, timeframe, self._zone)
        return [] if kept is None else [bar for bar in kept.series.closed if bar.start >= first]

    def next_end(self, bar: Bar) -> datetime:
        """When the bar after `bar` is over."""
        return bar_end(bar_end(bar.start, bar.timeframe, self._zone), bar.timeframe, self._zone)

    def on_tick(self, tick: Tick) -> list[Bar]:
        """Count a tick everywhere; returns the bars that it closed."""
        closed: list[Bar] = []
        price = float(tick.price)
        for kept in self._of.get(tick.symbol, ()):
            if kept.series.grow(tick):  # nearly every tick
                kept.window.grow(price, tick.quantity)
            else:
                closed += _added(kept, tick)
        return closed

    def close_due(self, now: datetime, monotonic: float) -> list[Bar]:
        """Close bars whose time is over at market time `now` and whose last ticks had GRACE_S to arrive."""
        closed: list[Bar] = []
        for kept in self._kept.values():
            if not kept.rested(now, monotonic):
                continue
            bar = kept.series.close_due(now)
            if bar is not None:
                kept.window.put(bar)
                closed.append(bar)
        return closed


def _added(kept: _Kept, tick: Tick) -> list[Bar]:
    late = kept.series.late
    closed = kept.series.add(tick)
    if kept.series.late > late:
        return []
    if closed is not None:
        kept.window.put(closed)
    if kept.series.forming is not None:
        kept.window.put(kept.series.forming)
    return [closed] if closed is not None else []
