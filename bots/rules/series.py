"""Bars as float arrays, and everything else a rule may look at when it decides: the MarketView.

Arrays are for indicators only; order prices stay Decimal elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared.domain.market import Bar
from shared.domain.order import Side

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """OHLCV arrays of one length, oldest first; `starts` are epoch seconds of each bar's opening.

    `forming` says that the last bar has not closed yet: its close is the last price.
    """

    starts: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    forming: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def closed(self) -> Bars:
        """Return the bars that have closed."""
        return self.until(len(self) - 1) if self.forming else self

    def with_close(self, close: FloatArray) -> Bars:
        """Return the same bars with another price in the close's place."""
        return Bars(self.starts, self.open, self.high, self.low, close, self.volume, self.forming)

    def until(self, count: int) -> Bars:
        """Return the first `count` bars, all closed."""
        return Bars(
            self.starts[:count],
            self.open[:count],
            self.high[:count],
            self.low[:count],
            self.close[:count],
            self.volume[:count],
        )


Row = tuple[float, float, float, float, float]  # open, high, low, close, volume
NOTHING: Row = (nan, nan, nan, nan, nan)


class BarWindow:
    """The newest `capacity` bars of one symbol, kept ready as arrays while bars arrive and form.

    A forming bar is kept as plain numbers and reaches the arrays only when somebody asks for them: ticks touch no array.
    `view()` shares memory with the window: use it before the next `put`, never keep it.
    """

    __slots__ = (
        "_at", "_begin", "_capacity", "_columns", "_end", "_newest", "_stale", "_starts", "bound", "forming", "now", "puts",
        "slots", "steps", "version",
    )  # fmt: skip

    def __init__(self, capacity: int = 500) -> None:
        if capacity < 2:
            raise ValueError(f"a window needs at least 2 bars, got {capacity}")
        self._capacity = capacity
        self._starts = np.zeros(2 * capacity, np.int64)
        self._columns = np.zeros((5, 2 * capacity), np.float64)
        self._begin = self._end = 0
        self.forming = False  # whether the newest bar is still open
        self._stale = False  # the newest bar's numbers have not reached the arrays yet
        self._newest: datetime | None = None
        self._at = 0
        self.now: Row = NOTHING  # the newest bar
        self.puts = 0  # grows with every put
        self.version = 0  # grows whenever the closed bars changed
        self.slots: dict[object, Any] = {}  # what live.py keeps of the closed bars, by indicator call
        self.bound: dict[object, Any] = {}  # and by plan
        self.steps: dict[int, Any] = {}  # and what a tick asks of the forming bar, by a rule's id, until a bar closes

    @classmethod
    def of(cls, bars: Iterable[Bar], capacity: int = 500) -> BarWindow:
        """Return a window holding `bars`, given oldest first."""
        window = cls(capacity)
        for bar in bars:
            window.put(bar)
        return window

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def newest_start(self) -> int:
        """Epoch seconds of the newest bar's opening."""
        return self._at

    def put(self, bar: Bar) -> None:
        """Take a bar: a newer start is appended, the newest start is replaced (a forming bar grows, then closes).

        Raises:
            ValueError: a bar older than the newest one; history is never rewritten.
        """
        if bar.start != self._newest:
            self._append(bar)
        elif not (self.forming and not bar.closed):
            self._closed()
        self.now = (float(bar.open), float(bar.high), float(bar.low), float(bar.close), float(bar.volume))
        self._stale = True
        self.forming = not bar.closed
        self.puts += 1

    def grow(self, price: float, quantity: int) -> None:
        """Count one trade in the bar that forms: what `put` of that bar, grown by it, would do."""
        opened, high, low, _, volume = self.now
        self.now = (opened, price if price > high else high, price if price < low else low, price, volume + quantity)
        self._stale = True
        self.puts += 1

    def _append(self, bar: Bar) -> None:
        if self._newest is not None and bar.start < self._newest:
            raise ValueError(f"{bar.symbol} bar at {bar.start} is older than the newest one")
        self._write()
        self._make_room()
        self._end += 1
        self._newest, self._at = bar.start, int(bar.start.timestamp())
        self._starts[self._end - 1] = self._at
        self._closed()

    def _closed(self) -> None:
        self.version += 1
        self.steps.clear()

    def view(self) -> Bars:
        """Return the bars as arrays, the forming one last."""
        self._write()
        span = slice(self._begin, self._end)
        opened, high, low, close, volume = (column[span] for column in self._columns)
        return Bars(self._starts[span], opened, high, low, close, volume, self.forming)

    def closed(self) -> Bars:
        """Return the bars that have closed as arrays."""
        return self.view().closed()

    def _write(self) -> None:
        if self._stale:
            self._columns[:, self._end - 1] = self.now
            self._stale = False

    def _make_room(self) -> None:
        if len(self) == self._capacity:
            self._begin += 1
        if self._end == 2 * self._capacity:
            kept = slice(self._begin, self._end)
            count = len(self)
            self._starts[:count] = self._starts[kept].copy()
            self._columns[:, :count] = self._columns[:, kept].copy()
            self._begin, self._end = 0, count


@dataclass(frozen=True, slots=True)
class Holding:
    """The rule's position in the symbol. `high_water` is the highest price since entry, the entry price included."""

    quantity: int
    average_price: float
    bars_since_entry: int  # 0 on the bar of the entry fill
    high_water: float


class MarketView(msgspec.Struct, frozen=True, eq=False, gc=False):
    """All that `evaluate` may look at, made for one evaluation. `at` is market time (aware).

    `bar_closed` marks the one evaluation that belongs to the close of the last closed bar; ticks in between leave it
    false. `last_price` None means that no price is known now: stops are not judged then, never judged on a zero.
    """

    symbol: str
    at: datetime
    bars: Bars | BarWindow  # a window is the fast way: only what the newest bar changed is computed
    bar_closed: bool
    last_price: float | None
    holding: Holding | None = None
    minutes_to_close: float | None = None
    equity: float | None = None  # of the account, in the market's currency; only target weights look at it


@dataclass(frozen=True, slots=True)
class FillTold:
    """Shares that the rule bought or sold."""

    symbol: str
    side: Side
    quantity: int
    price: float
    at: datetime
