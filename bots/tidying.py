"""Old rows become few: step after step, each one short transaction with a rest behind it, so that nobody waits long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sqlalchemy import Engine

from shared.clock import Clock
from shared.db import writing
from shared.store import heartbeats, retention

REST_S = 0.05
LONGEST_S = 600.0  # a desk that was never tidied goes on at the next turn: other jobs wait behind this one


def tidy(engine: Engine, clock: Clock, rest: Callable[[float], None]) -> tuple[Counter[str], bool]:
    """Do steps until nothing is left to do; returns the rows that went, by table, and whether it came to the end.

    Killed between two steps, it goes on where it was: where a step got to is a fact of the store.
    """
    gone: Counter[str] = Counter()
    began = clock.monotonic()
    while clock.monotonic() - began < LONGEST_S:
        with writing(engine) as session:
            done = retention.step(session, heartbeats.store_time(session, clock.wall_now()))
        if not done:
            return gone, True
        for rule, count in done.items():
            gone[rule.split()[0]] += count
        rest(REST_S)
    return gone, False
