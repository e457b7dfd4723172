"""Open the app database: one engine per process, short sessions.

SQLite: rollback journal (TRUNCATE) + FULL, foreign keys on, BEGIN IMMEDIATE for writers. PostgreSQL: psycopg 3, safe
behind a transaction-mode pooler (no prepared statements, no session state).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

# A server that vanished without a goodbye is noticed within seconds; the system's own default is a quarter of an hour.
NOTICES_A_DEAD_LINE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,  # ms
}


_SMALL_CACHE = "cache_size=-512"  # KiB; the page cache of the system serves the rest to all processes at once


def open_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Return an engine for `url`; nothing is connected yet. A SQLite file's folder is made, mode 0700."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(url, connect_args={"timeout": 10, "check_same_thread": False}, poolclass=QueuePool)
        event.listen(engine, "connect", _sqlite_pragmas)
        event.listen(engine, "begin", _begin_immediate_or_deferred)
        return engine
    return create_engine(
        url,
        pool_size=pool_size,
        pool_pre_ping=True,
        connect_args={"prepare_threshold": None, "connect_timeout": 5, **NOTICES_A_DEAD_LINE},
    )


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


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session for reads; nothing is committed."""
    with Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One short transaction: commits at the end, rolls back on any error."""
    connection = engine.connect().execution_options(letstrade_writes=True)
    try:
        with Session(bind=connection, expire_on_commit=False) as session:
            yield session
            session.commit()
    finally:
        connection.close()
