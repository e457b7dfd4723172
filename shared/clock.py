"""The one clock. `datetime.now()` and `time.time()` stand here and nowhere else.

Two clocks (design.md §5): market time drives calendars, bars, rules and day limits; wall time drives tokens, leases,
heartbeats and time-outs. In SIM, market time is the local exchange's.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def wall_now(self) -> datetime:
        """Aware UTC wall time."""
        ...

    def market_now(self) -> datetime:
        """Aware UTC market time."""
        ...

    def monotonic(self) -> float:
        """Seconds, for durations."""
        ...


class SystemClock:
    """Wall time is the machine's; market time is wall time unless `set_market` says otherwise (SIM)."""

    def __init__(self) -> None:
        self._market_at: datetime | None = None
        self._anchor = 0.0
        self._speed = 1.0

    def wall_now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def market_now(self) -> datetime:
        if self._market_at is None:
            return self.wall_now()
        return self._market_at + timedelta(seconds=(time.monotonic() - self._anchor) * self._speed)

    @property
    def speed(self) -> float:
        """Market seconds per wall second: 1 but for recorded sessions."""
        return self._speed

    def set_market(self, market_at: datetime, speed: float) -> None:
        """Anchor market time: it was `market_at` just now and runs `speed` times as fast as the wall."""
        self._market_at, self._anchor, self._speed = market_at, time.monotonic(), speed
