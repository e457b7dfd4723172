"""What a bot needs to keep exits alive while the store is away: a copy of its account's rows, in a file beside its journal.

The same tables, so the same statements read it; secrets stay in the sealed boxes they came in (same table, row, column).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, TableClause, and_, delete, event, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError

from shared import tables
from shared.crypto import KeyProvider
from shared.db import Store, committing, open_engine
from shared.store.heartbeats import fact, set_fact
from shared.store.secrets import reseal_accounts

FILE = "standby.db"
COPIED_AT, SHAPE = "copied_at", "shape"
_KEYS: dict[TableClause, str] = {
    tables.accounts: "id", tables.credentials: "id", tables.broker_tokens: "id", tables.kill_switches: "id",
    tables.rules: "id", tables.rule_versions: "id", tables.meta: "name",
}  # fmt: skip

Rows = dict[str, list[dict[str, Any]]]  # table → rows


def collect(store: Store, account_id: int, versions: Iterable[int]) -> Rows:
    """Read the account's rows from the store; `versions` are kept beside those in force (positions were opened by them)."""
    rule, version, switch = tables.rules.c, tables.rule_versions.c, tables.kill_switches.c
    own = rule.account_id == account_id
    taken_over = and_(version.also_open, version.rule_id.in_(select(rule.id).where(own)))
    in_force = version.id.in_(select(rule.version_id).where(own))
    wanted: dict[TableClause, Any] = {
        tables.accounts: tables.accounts.c.id == account_id,
        tables.credentials: tables.credentials.c.account_id == account_id,
        tables.broker_tokens: tables.broker_tokens.c.account_id == account_id,
        tables.kill_switches: or_(switch.account_id.is_(None), switch.account_id == account_id),
        tables.rules: own,
        tables.rule_versions: or_(in_force, version.id.in_(list(versions)), taken_over),
    }
    return {
        table.name: [dict(row) for row in store.execute(select(table).where(which)).mappings()]
        for table, which in wanted.items()
    }


def keep(path: Path, rows: Rows, now: datetime, provider: KeyProvider) -> None:
    """Replace the copy in one transaction, sealed under the key in force.

    Raises:
        SecretError: a row was sealed under a key that was rotated away meanwhile; the copy stays as it was.
        SQLAlchemyError, OSError: the disk does not take it.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with _opened(path) as engine, committing(engine) as connection:
        if _fact_or_none(connection, SHAPE) != _shape():
            _make_anew(connection)
        for table in _KEYS:
            connection.execute(delete(table))
            if rows.get(table.name):
                connection.execute(insert(table), rows[table.name])
        # Before the key is rotated away the rotation seals this file again; after it, we just did.
        reseal_accounts(connection, provider, lambda what: None)
        set_fact(connection, SHAPE, _shape())
        set_fact(connection, COPIED_AT, now.isoformat())


@contextmanager
def opened(path: Path) -> Iterator[Connection | None]:
    """A connection to the copy, written back at the end; None when there is none that this version can read."""
    if not path.exists():
        yield None
        return
    with _opened(path) as engine, committing(engine) as connection:
        yield connection if _fact_or_none(connection, SHAPE) == _shape() else None


def copied_at(store: Store) -> datetime:
    """When the copy was taken."""
    return datetime.fromisoformat(fact(store, COPIED_AT) or "")


def reseal(folder: Path, provider: KeyProvider) -> int:
    """Seal the copies of all accounts under `folder` again under the current key; the number of fields changed."""
    changed = 0
    for path in sorted(folder.glob(f"*/{FILE}")):
        with opened(path) as copy:
            if copy is not None:
                changed += reseal_accounts(copy, provider, lambda what: None)
    return changed


@contextmanager
def _opened(path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _no_foreign_keys)
    try:
        yield engine
    finally:
        engine.dispose()


def _no_foreign_keys(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")  # owners and users stay in the store


def _make_anew(connection: Connection) -> None:
    """Empty tables with the columns of the store's, no more: their rows are replaced whole."""
    for table, key in _KEYS.items():
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table.name}")
        typed = [f'"{one.name}" {one.type.compile(connection.dialect)}' for one in table.columns]
        connection.exec_driver_sql(f"CREATE TABLE {table.name} ({', '.join(typed)}, PRIMARY KEY ({key}))")


def _shape() -> str:
    """The columns of the copy: one made by another version is not read."""
    return ";".join(f"{table.name}:{','.join(column.name for column in table.columns)}" for table in _KEYS)


def _fact_or_none(store: Store, name: str) -> str | None:
    """A fact of a file that may have no tables yet."""
    try:
        with store.begin_nested():
            return fact(store, name)
    except SQLAlchemyError:
        return None
