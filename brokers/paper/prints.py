"""Prints: the raw trades of a tape and the bars they add up to, before an operator's jump or halt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from brokers.paper.clock import Sessions
from brokers.paper.listings import Listing
from shared.domain.market import Timeframe
from shared.domain.order import Side

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Print:
    """One trade of the tape. `at` is market time."""

    symbol: str
    price: Decimal
    quantity: int
    at: datetime
    side: Side  # who took


@dataclass(frozen=True, slots=True)
class RawBar:
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


def bar_of(prints: Iterable[Print]) -> RawBar | None:
    """Add up prints in time order; None without any."""
    return merge(RawBar(p.price, p.price, p.price, p.price, p.quantity) for p in prints)


def merge(bars: Iterable[RawBar | None]) -> RawBar | None:
    """Add up bars in time order; None without any."""
    full = [bar for bar in bars if bar is not None]
    if not full:
        return None
    return RawBar(
        full[0].open,
        max(bar.high for bar in full),
        min(bar.low for bar in full),
        full[-1].close,
        sum(bar.volume for bar in full),
    )


class Source(Protocol):
    """Where prints come from: a pure function of symbol and time. A bar is always the sum of its prints."""

    spec: str  # as given to --tape
    sessions: Sessions
    listings: dict[str, Listing]  # the symbols it moves

    @property
    def starts_at(self) -> datetime | None:
        """The first print's instant; None when there is no beginning (market time = wall time)."""
        ...

    def open_at(self, symbol: str, at: datetime) -> bool:
        """Say whether the symbol's session is open."""
        ...

    def session(self, symbol: str, at: datetime) -> tuple[datetime, datetime] | None:
        """The session of the local day of `at`; None when it has none, or never closes."""
        ...

    def prints(self, symbol: str, minute: datetime) -> tuple[Print, ...]:
        """All prints of the minute that starts at `minute`, in time order."""
        ...

    def bar(self, symbol: str, timeframe: Timeframe, start: datetime) -> RawBar | None:
        """The whole bar that starts at `start`; None where nothing traded."""
        ...

    def starts_back(self, symbol: str, timeframe: Timeframe, at: datetime) -> Iterator[datetime]:
        """Starts of the bars at or before `at`, newest first; those without a print may be left out."""
        ...

    def minutes(self, symbol: str, start: datetime, end: datetime) -> Iterator[datetime]:
        """Minutes in [start, end) that may hold prints, in time order."""
        ...
