"""A day of a bot's life in 288 rows: how often it beat, how long it was silent, how far the loop fell behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bots.heartbeat import Vitals

SPAN = timedelta(minutes=5)
TOLD_EVERY = timedelta(minutes=1)  # a process that dies takes at most this much of its last row with it


class FiveMinutes:
    """Gathers heartbeats into rows of five minutes on the clock."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._before: datetime | None = None
        self._told: datetime | None = None
        self._clear()

    def _clear(self) -> None:
        self._beats, self._gap_s, self._lag_ms = 0, 0.0, 0.0
        self._feed_age_s: float | None = None

    def beat(self, vitals: Vitals, now: datetime) -> dict[str, Any] | None:
        """Take one heartbeat in; returns the row of the running five minutes when it is time to tell it."""
        at = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
        if at != self._at:
            self._at = at
            self._clear()
        self._beats += 1
        if self._before is not None:
            self._gap_s = max(self._gap_s, (now - self._before).total_seconds())
        self._before = now
        self._lag_ms = max(self._lag_ms, vitals.loop_lag_ms)
        if vitals.feed_at is not None and vitals.market_at is not None:
            age = max((vitals.market_at - vitals.feed_at).total_seconds(), 0.0)
            self._feed_age_s = max(age, self._feed_age_s or 0.0)
        ends = at + SPAN - now <= timedelta(seconds=4)  # two heartbeats: one of them falls in here
        if not ends and self._told is not None and now - self._told < TOLD_EVERY:
            return None
        self._told = now
        return {
            "at": at.isoformat(), "beats": self._beats, "gap_s": round(self._gap_s, 1),
            "lag_ms": round(self._lag_ms, 1), "feed_age_s": self._feed_age_s,
        }  # fmt: skip
