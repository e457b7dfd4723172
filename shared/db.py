"""Open the app database: one engine per process, short sessions.

SQLite: rollback journal (TRUNCATE) + FULL, foreign keys on, BEGIN IMMEDIATE for writers. PostgreSQL: psycopg 3, safe
behind a transaction-mode pooler (no prepared statements, no session state).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, Engine, Executable, Result, Row, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:
    from sqlmodel import Session

Record = Row[*tuple[Any, ...]]  # a row as plain statements answer it: read by column name

# A server that vanished without a goodbye is noticed within seconds; the system's own default is a quarter of an hour.
NOTICES_A_DEAD_LINE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,  # ms
}


_SMALL_CACHE = "cache_size=-512"  # KiB; the page cache of the system serves the rest to all processes at once


def open_engine(url: str, *, pool_size: int = 5, trusted_s: float = 0.0) -> Engine:
    """Return an engine for `url`; nothing is connected yet. A SQLite file's folder is made, mode 0700.

    A server's connection that was used less than `trusted_s` ago is not asked first whether it is still there.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(url, connect_args={"timeout": 10, "check_same_thread": False}, poolclass=QueuePool)
        event.listen(engine, "connect", _sqlite_pragmas)
        event.listen(engine, "begin", _begin_immediate_or_deferred)
        return engine
    engine = create_engine(
        url,
        pool_size=pool_size,
        pool_pre_ping=not trusted_s,
        connect_args={"prepare_threshold": None, "connect_timeout": 5, **NOTICES_A_DEAD_LINE},
    )
    if trusted_s:
        event.listen(engine, "checkin", _note_when)
        event.listen(engine, "checkout", _asker(engine, trusted_s))
    return engine


def _note_when(_connection: Any, record: Any) -> None:
    record.info["used"] = monotonic()


def _asker(engine: Engine, trusted_s: float) -> Callable[[Any, Any, Any], None]:
    """Ask a connection that rested whether it is still there; one that is not is replaced by the pool."""

    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        used = record.info.get("used")
        if used is None or monotonic() - used < trusted_s:
            return  # new, or used a moment ago
        try:
            alive = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as e:
            raise DisconnectionError from e
        if not alive:
            raise DisconnectionError

    return ask


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we emit BEGIN ourselves
    cursor = connection.cursor()
    for pragma in ("journal_mode=TRUNCATE", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", _SMALL_CACHE):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate_or_deferred(connection: Any) -> None:
    """A writer takes the lock at once (no deadlock on upgrade); a reader does not."""
    writes = connection.get_execution_options().get("letstrade_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Store(Protocol):
    """What plain statements need: a bot's bare connection gives it, and so does a session of everybody else."""

    def execute(self, statement: Executable, parameters: Any = None, /) -> Result[*tuple[Any, ...]]: ...

    def begin_nested(self) -> AbstractContextManager[Any]: ...


def on_postgresql(store: Store) -> bool:
    bind = store if isinstance(store, Connection) else store.get_bind()  # type: ignore[attr-defined]
    return bool(bind.dialect.name == "postgresql")


def insert_of(store: Store) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT; only the one in use is loaded (a bot pays 2 MB for the other)."""
    if on_postgresql(store):
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """A bare connection for reads: what a bot has instead of `reading`."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def committing(engine: Engine) -> Iterator[Connection]:
    """One short transaction on a bare connection: what a bot has instead of `writing`."""
    with engine.connect().execution_options(letstrade_writes=True) as connection:
        yield connection
        connection.commit()


@contextmanager
def reading(engine: Engine, *, portions: bool = False) -> Iterator[Session]:
    """A session for reads, which refuses to write; `portions` for answers that are fetched piece by piece.

    A server is asked without a transaction around it: what it is told to begin and to end costs two more ways to it and
    back, and each statement sees what is committed either way. SQLite reads one state of the file.
    """
    from shared.sessions import LookingSession  # with the mapped classes: a bot has neither

    bare = {} if portions or engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**bare) as connection, LookingSession(connection) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One short transaction: commits at the end, rolls back on any error."""
    from shared.sessions import DeskSession

    connection = engine.connect().execution_options(letstrade_writes=True)
    try:
        with DeskSession(bind=connection, expire_on_commit=False) as session:
            yield session
            session.commit()
    finally:
        connection.close()
