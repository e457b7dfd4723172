"""The exchange's clock: wall time for tokens, market time for everything that trades."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from shared.clock import Clock


class Sessions(StrEnum):
    ALWAYS = "always"  # synthetic: every session is open all the time
    CALENDAR = "calendar"  # replay: the sessions of the tape's own days


class ExchangeClock:
    """Market time runs `speed` times as fast as the wall from an anchor; without an anchor it is the wall's."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._market_at: datetime | None = None
        self._wall_at = base.wall_now()
        self.speed = 1.0
        self.sessions = Sessions.ALWAYS

    def wall_now(self) -> datetime:
        return self._base.wall_now()

    def market_now(self) -> datetime:
        if self._market_at is None:
            return self._base.wall_now()
        return self._market_at + timedelta(seconds=(self.wall_now() - self._wall_at).total_seconds() * self.speed)

    def follow_wall(self) -> None:
        """Market time = wall time, always in session."""
        self._market_at, self.speed, self.sessions = None, 1.0, Sessions.ALWAYS

    def shift(self, market_at: datetime, speed: float) -> None:
        """It is `market_at` now; sessions are the tape's."""
        self._market_at, self._wall_at, self.speed = market_at, self.wall_now(), speed
        self.sessions = Sessions.CALENDAR
