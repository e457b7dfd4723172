"""Journal → store, and what the console wants → bot: one short transaction a second, on a thread of its own.

The order path never waits for this. When the store is away the outbox grows, exits go on, and everything is replayed
in order later; applying a row twice changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from bots import outgoing
from bots.five_minutes import FiveMinutes
from bots.heartbeat import EVERY_S, Vitals
from bots.journal import Journal, Queued
from bots.lease import StoreLease
from bots.pace import IDLE_AFTER_S, LOCAL, Pace, due
from shared.clock import Clock
from shared.db import Record, committing, looking
from shared.domain.account import AccountKey
from shared.domain.bot_state import KillLevel
from shared.domain.errors import LeaseLost
from shared.store import alerts, commands, exposure, heartbeats, kill, sync, wishes
from shared.store.exposure import Siblings
from shared.store.wishes import Wishes

T = TypeVar("T")

BATCH = 400
QUOTE_EVERY_S = 1.0  # a symbol is written so often, however many bots watch it
AWAY_AFTER_S = 3.0
TOLD_WITHIN_S = 5.0
VITALS_KEPT = timedelta(days=7)
_NUMBERED = frozenset({outgoing.EVENTS, outgoing.LOGS, outgoing.DECISIONS})  # rows that carry their own sequence

_SHARED = frozenset({"quotes", "instruments"})  # snapshots that are not the account's own


class StoreAway(Exception):
    """The store cannot be reached or does not answer; nothing was written."""


class StoreLink:
    """The store, off the loop: one thread, one short transaction at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection; raises StoreAway."""
        return await self._run(lambda: self._reading(work))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction; raises StoreAway when it did not commit."""
        return await self._run(lambda: self._writing(work))

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()

    def _reading(self, work: Callable[[Connection], T]) -> T:
        with looking(self._engine) as store:
            return work(store)

    def _writing(self, work: Callable[[Connection], T]) -> T:
        with committing(self._engine) as store:
            return work(store)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except SQLAlchemyError as e:
            raise StoreAway(f"{type(e).__name__}: {str(e).splitlines()[0][:200]}") from e


@dataclass(slots=True)
class Snapshots:
    """Last-wins rows for the store, collected between two syncs: stream → key → columns."""

    rows: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    held: set[str] | None = None  # the complete set of holdings, when it was just read

    def put(self, stream: str, key: str, values: Mapping[str, Any]) -> None:
        self.rows.setdefault(stream, {})[key] = values

    def take(self) -> Snapshots:
        taken = Snapshots(self.rows, self.held)
        self.rows, self.held = {}, None
        return taken

    def give_back(self, other: Snapshots) -> None:
        """Put back what could not be written, without covering newer rows."""
        for stream, rows in other.rows.items():
            self.rows[stream] = {**rows, **self.rows.get(stream, {})}
        self.held = self.held if self.held is not None else other.held


@dataclass(frozen=True, slots=True)
class Polled:
    """What the store said during one sync."""

    wishes: Wishes
    claimed: tuple[Record, ...]
    siblings: Siblings  # the owner's other accounts
    delivered: int  # outbox sequence up to which the store has everything
    poison: tuple[tuple[int, str], ...]


class StoreSync:
    def __init__(
        self, link: StoreLink, journal: Journal, lease: StoreLease, vitals: Vitals, key: AccountKey, clock: Clock,
        pace: Pace = LOCAL,
    ) -> None:  # fmt: skip
        self._pace = pace
        self._held_since: float | None = None  # since when what may wait has been waiting
        self._shown_at = -math.inf
        self._busy_at = clock.monotonic()  # when there was last anything to tell
        self._link, self._journal, self._lease, self._vitals = link, journal, lease, vitals
        self._key, self._clock = key, clock
        self.snapshots = Snapshots()
        self.results: list[tuple[int, commands.CommandStatus, dict[str, Any]]] = []  # command outcomes to write
        self.siblings: Siblings | None = None  # the owner's other accounts, as of `siblings_age_s` ago
        self._siblings_at = -math.inf
        self.copy_from: datetime | None = None  # started from a copy of this age; None once the store was read
        self._answered = clock.monotonic()
        self._beat_at = -EVERY_S
        self._life, self._lived_at = FiveMinutes(), -EVERY_S
        self._told: tuple[object, int | None] = (None, None)
        self._postponed: dict[str, Mapping[str, Any]] = {}  # quotes that were not ours to write this time
        self.heard_kill: Callable[[KillLevel], None] = lambda level: None  # at once, before the sync has ended
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._round = self._told_round = 0  # syncs begun; the last one after which the store had everything
        self._caught_up = asyncio.Condition()

    def soon(self) -> None:
        """Sync now instead of at the next second: a fill, a command, a nudge."""
        self._wake.set()

    async def wait(self) -> None:
        """Wait for the next turn or for `soon`; half-way, hear the kill switch: a raise on another host wakes nobody here."""
        half = self._pause_s() / 2
        if not await self._woken(half):
            with contextlib.suppress(StoreAway):
                self.heard_kill(await self._link.read(lambda store: kill.level_over(store, self._key.account_id)))
            await self._woken(half)
        self._wake.clear()

    async def _woken(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for: on 3.11 it can swallow a cancellation
                await self._wake.wait()
        return self._wake.is_set()

    def _pause_s(self) -> float:
        idle = self._clock.monotonic() - self._busy_at > IDLE_AFTER_S
        return self._pace.idle_s if idle else self._pace.poll_s

    def away_s(self) -> float:
        """How long the store has not answered, beyond what a slow second may take; a frozen store counts too.

        Endless while the bot runs by its copy: whatever the limit, no entry leaves on what may be out of date.
        """
        if self.copy_from is not None:
            return math.inf
        return max(self._clock.monotonic() - self._answered - AWAY_AFTER_S, 0.0)

    def siblings_age_s(self) -> float:
        """How old the picture of the owner's other accounts is; endless before the first."""
        return self._clock.monotonic() - self._siblings_at

    async def arrive(self) -> KillLevel:
        """Make good what a start without the store left out: the lease, claimed commands, the change number.

        Returns the kill switch's level in the store.

        Raises:
            StoreAway: nothing was written. HeldElsewhere: another host acts for the account.
        """
        now, account_id = self._clock.wall_now(), self._key.account_id

        def work(store: Connection) -> tuple[int, KillLevel]:
            self._lease.take(store)
            commands.end_left_running(store, now, account_id)
            return heartbeats.change_number(store, account_id), kill.level_over(store, account_id)

        try:
            number, level = await self._link.write(work)
        except StoreAway:
            self._lease.forget()
            raise
        self._lease.confirm()
        self._vitals.change_number = max(self._vitals.change_number, number)
        return level

    async def once(self, *, claim: bool = True, beat: bool = False) -> Polled:
        """One transaction: outbox, snapshots, command results, heartbeat, lease, configuration poll, commands.

        `beat` writes the heartbeat even when it is not due; a new state or configuration does not wait for the next.

        Raises:
            StoreAway: nothing was written; what was to be written is kept.
            HeldElsewhere: another host acts for the account; nothing was written, and nothing of ours may be.
        """
        async with self._one_at_a_time:
            return await self._once(claim, beat)

    async def told(self) -> bool:
        """Wait until the store has all that the journal holds now; False when it did not take it in time.

        With `failover: auto` an order leaves only then: whoever takes the account over must know of it.
        """
        wanted = self._round + 1
        self.soon()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TOLD_WITHIN_S):
                async with self._caught_up:
                    await self._caught_up.wait_for(lambda: self._told_round >= wanted)
                return True
        return False

    async def _once(self, claim: bool, beat: bool) -> Polled:
        self._round += 1
        waiting = await self._journal.queued(BATCH)
        self._vitals.outbox_depth = len(waiting) if len(waiting) < BATCH else await self._journal.outbox_depth()
        queued = self._ready(waiting)
        self._live()
        taken, results = self.snapshots.take(), list(self.results)
        if queued or taken.rows.keys() - {"vitals"}:
            self._busy_at = self._clock.monotonic()
        if not self._show_now(queued):
            self.snapshots.give_back(taken)
            taken = Snapshots()
        self._vitals.change_number += bool(queued or taken.rows or results)
        now, monotonic = self._clock.wall_now(), self._clock.monotonic()
        news = (self._vitals.state, self._vitals.config_version)
        due = beat or news != self._told or monotonic - self._beat_at >= max(EVERY_S, self._pace.beat_s)
        if self.copy_from is not None:
            self._vitals.detail["copy_age_s"] = round((now - self.copy_from).total_seconds())
        else:
            self._vitals.detail.pop("copy_age_s", None)
        row = self._vitals.row(now) if due else None
        self._postponed = {}
        loop = asyncio.get_running_loop()

        def exchange(store: Connection) -> Polled:
            asked = self._lease.now()
            wished = wishes.read(store, self._key.account_id)
            # At once: the rest may take a while, and may not commit.
            loop.call_soon_threadsafe(self.heard_kill, wished.kill_level)
            if self._lease.epoch:  # first: whoever lost the account writes nothing over its new holder's rows
                self._lease.renew(store, asked, wished.store_time or self._clock.wall_now())
            return self._exchange(store, queued, taken, results, row, now, wished, claim)

        try:
            polled = await self._link.write(exchange)
        except (StoreAway, LeaseLost):
            self.snapshots.give_back(taken)
            raise
        self._lease.confirm()
        self.snapshots.give_back(Snapshots({"quotes": self._postponed} if self._postponed else {}))
        self._answered = self._clock.monotonic()
        self.siblings, self._siblings_at = polled.siblings, monotonic
        self.results = self.results[len(results) :]
        if due:
            self._beat_at, self._told = monotonic, news
        for seq, why in polled.poison:
            await self._journal.set_aside(seq, why)
        if queued:
            await self._journal.delivered(polled.delivered)
        if len(queued) == BATCH:
            self.soon()
        else:
            self._told_round = self._round
            async with self._caught_up:
                self._caught_up.notify_all()
        return polled

    def _live(self) -> None:
        """Note a heartbeat in the rows of five minutes, whether or not the store hears of this one."""
        now = self._clock.monotonic()
        if now - self._lived_at < EVERY_S:
            return
        self._lived_at = now
        told = self._life.beat(self._vitals, self._clock.wall_now())
        if told is not None:
            self.snapshots.put("vitals", told["at"], told)

    def _ready(self, queued: list[Queued]) -> list[Queued]:
        """The outbox rows that go in this turn: all of them in their order, or none yet."""
        now = self._clock.monotonic()
        since = self._held_since if self._held_since is not None else now
        if not queued or due(queued, now - since, self._pace, BATCH):
            self._held_since = None
            return queued
        self._held_since = since
        return []

    def _show_now(self, queued: list[Queued]) -> bool:
        """Tell whether prices and holdings go in this turn: their time has come, or an order changed them."""
        now = self._clock.monotonic()
        moved = any(row.stream in (outgoing.ORDERS, outgoing.FILLS) for row in queued)
        if not moved and now - self._shown_at < self._pace.shown_s:
            return False
        self._shown_at = now
        return True

    def _exchange(
        self, store: Connection, queued: list[Queued], taken: Snapshots,
        results: list[tuple[int, commands.CommandStatus, dict[str, Any]]], beat: Any, now: datetime, wished: Wishes,
        claim: bool,
    ) -> Polled:  # fmt: skip
        poison = self._deliver_all(store, queued)
        for stream, rows in taken.rows.items():
            if stream not in _SHARED:
                self._show(store, stream, rows)
        if taken.held is not None:
            sync.replace_positions(store, self._key.account_id, taken.held)
        for command_id, status, result in results:
            commands.finish(store, now, command_id, status, result)
        if beat is not None:
            heartbeats.beat(store, beat)
        claimed = tuple(self._claim(store, now)) if claim and wished.commands else ()
        self._vitals.change_number += bool(claimed)
        if claimed or (beat is None and (queued or taken.rows or results)):
            heartbeats.moved(store, self._key.account_id, self._vitals.change_number)
        others = exposure.siblings_of(store, now, wished.me)
        # Last: other bots write the same rows, and whoever comes second waits until this transaction is over.
        for stream in sorted(_SHARED & taken.rows.keys()):
            rows = taken.rows[stream]
            self._show(store, stream, self._our_turn(store, rows, now) if stream == "quotes" else rows)
        return Polled(wished, claimed, others, queued[-1].seq if queued else 0, tuple(poison))

    def _show(self, store: Connection, stream: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        ordered = [values for _, values in sorted(rows.items())]  # for everybody the same: nobody waits in a circle
        if stream != "vitals" and self._at_once(store, [(stream, values) for values in ordered]):
            return
        for values in ordered:
            why = self._put(store, stream, values)
            if why is not None:
                self._vitals.detail["snapshot_refused"] = f"{stream}: {why}"

    def _our_turn(
        self, store: Connection, rows: Mapping[str, Mapping[str, Any]], now: datetime
    ) -> Mapping[str, Mapping[str, Any]]:
        """The quotes to write now. Many bots watch one symbol: one of them a second writes it, and nobody waits for another.

        What is newer in the store is dropped; what another is writing, or has just written, is tried again next time.
        """
        market = (self._key.environment.value, self._key.market.value)
        known = sync.quoted_at(store, *market, rows)
        newer = {name: row for name, row in rows.items()
                 if name not in known or known[name] < datetime.fromisoformat(row["received_at"])}  # fmt: skip
        due = {name for name in newer if name not in known or abs((now - known[name]).total_seconds()) >= QUOTE_EVERY_S}
        held = sync.hold_quotes(store, *market, due & known.keys())
        mine = {name for name in due if name not in known or name in held}
        self._postponed = {name: row for name, row in newer.items() if name not in mine}
        return {name: newer[name] for name in mine}

    def _claim(self, store: Connection, now: datetime) -> list[Record]:
        found: list[Record] = []
        while (row := commands.claim_next(store, now, self._key.account_id)) is not None:
            found.append(row)
        return found

    def _deliver_all(self, store: Connection, queued: list[Queued]) -> list[tuple[int, str]]:
        """Apply outbox rows, all together; when one of them cannot be applied, one by one. Returns those that never can."""
        rows = [(row.stream, _values(row)) for row in queued if row.stream != outgoing.ALERTS]
        written = self._at_once(store, rows)
        left = [row for row in queued if row.stream == outgoing.ALERTS] if written else queued
        found = [(row.seq, self._put(store, row.stream, _values(row))) for row in left]
        return [(seq, why) for seq, why in found if why is not None]

    def _at_once(self, store: Connection, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
        """Write rows together on one savepoint; False when one of them cannot be written, and none was."""
        if not rows:
            return True
        try:
            with store.begin_nested():
                sync.apply_all(store, self._key.account_id, [(name, self._body(name, body)) for name, body in rows])
        except DBAPIError as e:
            if not isinstance(e, (IntegrityError, DataError)):
                raise  # the store is away, not a row at fault
            return False
        except (sync.PoisonRow, StatementError, KeyError, ValueError):
            return False
        return True

    def _put(self, store: Connection, stream: str, values: Mapping[str, Any]) -> str | None:
        """Write one row on its own savepoint; returns why it cannot be one."""
        try:
            with store.begin_nested():
                if stream == outgoing.ALERTS and values.get("over"):
                    key = f"{self._key.account_id}:{values['dedup_key']}"
                    alerts.end(store, datetime.fromisoformat(values["created_at"]), dedup_key=key)
                elif stream == outgoing.ALERTS:
                    alerts.raise_alert(
                        store, datetime.fromisoformat(values["created_at"]), kind=values["kind"],
                        severity=values["severity"], dedup_key=f"{self._key.account_id}:{values['dedup_key']}",
                        account_id=self._key.account_id, params=values["params"],
                    )  # fmt: skip
                else:
                    self._apply(store, stream, values)
        except DBAPIError as e:
            if not isinstance(e, (IntegrityError, DataError)):
                raise  # the store is away, not the row at fault
            return _first_line(e)
        except (sync.PoisonRow, StatementError, KeyError, ValueError) as e:
            return _first_line(e)
        return None

    def _apply(self, store: Connection, stream: str, values: Mapping[str, Any]) -> None:
        if stream == "vitals":
            oldest = datetime.fromisoformat(values["at"]) - VITALS_KEPT
            heartbeats.forget_vitals(store, self._key.account_id, oldest)
        sync.apply(store, self._key.account_id, stream, self._body(stream, values))

    def _body(self, stream: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The row's columns with those that the account's identity gives."""
        body = dict(values)
        if stream in (outgoing.BARS, "quotes"):
            body.update(environment=self._key.environment.value, market=self._key.market.value)
        elif stream == "instruments":
            body.update(market=self._key.market.value)
        return body


def _values(row: Queued) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(row.body)
    if row.stream in _NUMBERED:
        values["seq"] = row.stream_seq
    return values


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:300]}"
