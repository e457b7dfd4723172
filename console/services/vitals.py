"""How the bots have been: silences, loop delay and errors of a day, and how long the brokers took to answer orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.services.changes import by_number, desk_only
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.store import watching

DAY = timedelta(hours=24)
BUCKET = timedelta(minutes=5)
QUIET_S = 15.0  # a longer pause between two heartbeats is a gap worth seeing
EVENTS_READ = 3_000


@dataclass(frozen=True, slots=True)
class Slice:
    """Five minutes. `gap_s` is None where nobody heard of the bot at all."""

    at: datetime
    gap_s: float | None
    lag_ms: float | None
    errors: int


@dataclass(frozen=True, slots=True)
class BotDay:
    account_id: int
    account: str
    environment: str
    slices: tuple[Slice, ...]  # 288, oldest first
    first_at: datetime | None  # before it the bot had no history in this span

    @property
    def silent_min(self) -> int | None:
        """Minutes of silence since the bot was first heard of; None: none of its slices is over."""
        lived = self._lived()
        return sum(5 for one in lived if one.gap_s is None) if lived else None

    @property
    def worst_gap_s(self) -> float | None:
        return max((one.gap_s for one in self.slices if one.gap_s is not None), default=None)

    @property
    def worst_lag_ms(self) -> float | None:
        return max((one.lag_ms for one in self.slices if one.lag_ms is not None), default=None)

    @property
    def errors(self) -> int:
        return sum(one.errors for one in self.slices)

    def _lived(self) -> list[Slice]:
        return [one for one in self.slices if self.first_at is not None and one.at >= self.first_at]


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a broker took to answer an order, of one account."""

    account_id: int
    account: str
    environment: str
    points: tuple[tuple[datetime, float], ...]  # (sent at, milliseconds), oldest first

    def at_most(self, share: float) -> float:
        """The delay that `share` of the orders kept to."""
        ordered = sorted(ms for _, ms in self.points)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@by_number(at_most_s=60.0, of=desk_only)  # slices of five minutes: a fill more does not change the day
def day(wiring: Wiring, actor: Actor) -> list[BotDay]:
    """The last 24 hours of each account's bot, in slices of five minutes."""
    now = wiring.clock.wall_now()
    end = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    begin = end - DAY
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        lived: dict[int, dict[datetime, tuple[float, float]]] = defaultdict(dict)
        for account, at, gap_s, lag_ms in watching.vitals(session, known.keys(), begin):
            lived[account][at] = (gap_s, lag_ms)
        erred: dict[int, list[datetime]] = defaultdict(list)
        for account, at in watching.errors_by_hour(session, known.keys(), begin):
            erred[account].append(at)
    return [
        BotDay(
            key,
            row.nickname,
            row.environment,
            _slices(lived[key], erred[key], begin, end),
            min(lived[key], default=None),
        )
        for key, row in known.items()
        if lived[key] or erred[key]
    ]


def _slices(
    lived: dict[datetime, tuple[float, float]], errors: Sequence[datetime], begin: datetime, end: datetime
) -> tuple[Slice, ...]:
    counts: dict[datetime, int] = defaultdict(int)
    for at in errors:
        counts[at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)] += 1
    found = []
    at = begin
    while at < end:
        gap_s, lag_ms = lived.get(at, (None, None))
        found.append(Slice(at, gap_s, lag_ms, counts[at]))
        at += BUCKET
    return tuple(found)


@by_number(at_most_s=60.0, of=desk_only)
def latency(wiring: Wiring, actor: Actor) -> list[Latency]:
    """Order answers of the newest orders: from the moment it was sent to the broker's word, in milliseconds."""
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        events = watching.answered(session, known.keys(), limit=EVENTS_READ)
    sent: dict[int, datetime] = {}
    points: dict[int, list[tuple[datetime, float]]] = defaultdict(list)
    for account, order, at, status in events:
        if status == "SUBMITTED":
            sent[order] = at
        elif order in sent:
            began = sent.pop(order)
            points[account].append((began, (at - began).total_seconds() * 1000))
    return [
        Latency(key, known[key].nickname, known[key].environment, tuple(sorted(found)))
        for key, found in sorted(points.items())
    ]
