"""The journal: the truth of this account's own orders, on disk before anything reaches the wire.

One SQLite file, one connection, one writer thread; WAL + FULL + EXCLUSIVE, so a commit survives power loss and a
second bot is refused. Every write is awaited from the loop and has been committed when the await returns.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from bots import journal_rows as rows
from bots.orders import BrokerNumber, DayMark, DeskOrder, RecordedFill, RuleLot
from shared.domain.account import AccountKey
from shared.domain.errors import ConfigError, LeaseLost, TradingError

T = TypeVar("T")


class JournalBroken(TradingError):
    """The journal could not be written: nothing may be sent; the process must end."""

    code = "journal_broken"


class Duplicate(TradingError):
    """The journal already has this: a signal that became an order, a broker number of another order."""

    code = "duplicate"


@dataclass(frozen=True, slots=True)
class Event:
    """One row of an order's history."""

    client_order_id: str
    kind: str
    from_status: str
    to_status: str
    wall_at: str
    market_at: str
    why: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One row for the store: `stream` says which table, `key` what it is about, `body` is JSON."""

    stream: str
    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Queued:
    """An outbox row as kept: `seq` orders all streams, `stream_seq` has no gaps within its stream."""

    seq: int
    stream: str
    stream_seq: int
    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What one transaction writes: all of it or nothing."""

    order: DeskOrder | None = None
    opened: bool = False  # the order is new: one with the same id or signal must not exist
    events: tuple[Event, ...] = ()
    numbers: tuple[BrokerNumber, ...] = ()
    fill: RecordedFill | None = None
    seen_executions: tuple[str, ...] = ()
    lots: tuple[RuleLot, ...] = ()  # a lot of no shares is removed
    marks: tuple[DayMark, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()  # name → value
    outbox: tuple[Outgoing, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalState:
    """Everything a starting bot needs: open orders and those of the last days, their numbers, fills, lots, marks."""

    orders: tuple[DeskOrder, ...]
    numbers: tuple[BrokerNumber, ...]
    fills: tuple[RecordedFill, ...]
    seen_executions: frozenset[str]
    lots: tuple[RuleLot, ...]
    marks: tuple[DayMark, ...]
    facts: dict[str, str]
    order_count: int
    fill_seq: int


class Journal:
    """All writes of one bot's journal, off the loop."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread
        self._closed = False
        self._writes, self._empty_at = 0, -1  # begun; at which of them the queue was found empty

    @classmethod
    async def open(cls, path: Path, key: AccountKey) -> Journal:
        """Open or create the journal of `key`.

        Raises:
            LeaseLost: another process has it open.
            ConfigError: the file belongs to another account or environment, or is damaged.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(thread, _connect, path, _identity(key))
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(connection, thread)

    async def close(self) -> None:
        """Flush and close; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()

    async def write(self, changes: Changes) -> int:
        """Commit `changes` as one transaction; return the sequence of its last event (0 without events).

        Raises:
            JournalBroken, Duplicate: nothing was written.
        """
        self._writes += 1
        return await self._run(lambda: self._write(changes))

    async def load(self, since: date) -> JournalState:
        """Read what recovery needs: all that is not over, and everything of trade dates from `since` on."""
        return await self._run(lambda: rows.load(self._connection, since, JournalState))

    async def events_of(self, client_order_id: str) -> list[Event]:
        """The history of one order, oldest first."""
        return await self._run(lambda: [Event(*row) for row in rows.events_of(self._connection, client_order_id)])

    async def queued(self, limit: int) -> list[Queued]:
        """The oldest outbox rows not yet in the store; the file is not read again while nobody wrote."""
        writes = self._writes
        if writes == self._empty_at:
            return []
        found = await self._run(lambda: [Queued(*row) for row in rows.queued(self._connection, limit)])
        if not found:
            self._empty_at = writes
        return found

    async def start_streams_after(self, floors: dict[str, int]) -> None:
        """Number each stream from above `floors`: a new journal must not repeat what the store already has."""
        await self._run(lambda: self._transaction(lambda: rows.raise_streams(self._connection, floors)))

    async def outbox_depth(self) -> int:
        return await self._run(lambda: rows.outbox_depth(self._connection))

    async def delivered(self, up_to_seq: int) -> None:
        """Forget outbox rows up to `up_to_seq`: the store has committed them."""
        await self._run(lambda: self._transaction(lambda: rows.delete_outbox(self._connection, up_to_seq)))

    async def set_aside(self, seq: int, why: str) -> None:
        """Move one poison row out of the queue, kept with its reason."""
        await self._run(lambda: self._transaction(lambda: rows.set_aside(self._connection, seq, why)))

    def _write(self, changes: Changes) -> int:
        return self._transaction(lambda: rows.insert(self._connection, changes))

    def _transaction(self, work: Callable[[], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return result

    async def _run(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise JournalBroken("the journal is closed", "the bot is stopping", "start the bot again")
        task = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            # A cancelled caller must not leave memory and disk apart: the write is finished all the same.
            return await asyncio.shield(task)
        except sqlite3.IntegrityError as e:
            raise Duplicate("the journal already has this", str(e)) from e
        except sqlite3.Error as e:
            raise JournalBroken(
                "the journal cannot be written", str(e), "free the disk or mend the file, then start the bot"
            ) from e


def _identity(key: AccountKey) -> str:
    return f"{key.account_id}|{key.broker}|{key.market}|{key.environment}|{key.owner_id}"


def _connect(path: Path, identity: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-128")  # KiB; the default is 2 MB a file
        connection.execute("BEGIN EXCLUSIVE")
        rows.create(connection)
        owner = rows.claim_identity(connection, identity)
        connection.execute("COMMIT")
    except sqlite3.OperationalError as e:
        connection.close()
        if "locked" not in str(e) and "busy" not in str(e):
            raise ConfigError("the journal cannot be opened", f"{path}: {e}", "check the disk and its rights") from e
        raise LeaseLost("the journal is open in another process", str(path), "stop the other bot first") from e
    except sqlite3.DatabaseError as e:
        connection.close()
        raise ConfigError(
            "the journal is damaged", f"{path}: {e}", "keep the file aside; the bot then rebuilds from the broker"
        ) from e
    if owner != identity:
        connection.close()
        raise ConfigError(
            "the journal belongs to another account", f"{path} is of {owner}", "give this account its own folder"
        )
    path.chmod(0o600)
    return connection
