"""Old rows become few, one short step every few seconds, on one host at a time; nothing to do: look again in an hour."""

from __future__ import annotations

from sqlalchemy import Engine

from shared.clock import Clock
from shared.db import writing
from shared.logs import log
from shared.store import heartbeats, retention

LEASE, TTL_S = "retention", 120
REST_S = 3600.0


class Tidying:
    """Called by fleet between its looks; a step holds the store's lock for some milliseconds."""

    def __init__(self, engine: Engine, clock: Clock, host: str) -> None:
        self._engine, self._clock, self._host = engine, clock, host
        self._rests_until = 0.0

    def turn(self) -> dict[str, int]:
        """Do one step where it is time; returns the rows that went, by rule."""
        if self._clock.monotonic() < self._rests_until:
            return {}
        with writing(self._engine) as session:
            now = heartbeats.store_time(session, self._clock.wall_now())
            mine = heartbeats.take_lease(session, now, name=LEASE, holder=f"{self._host}:0", ttl_s=TTL_S, force=False)
            done = retention.step(session, now) if mine is not None else {}
        if done:
            log("fleet", "old rows", removed=done)
        else:
            self._rests_until = self._clock.monotonic() + REST_S
        return done
