"""Copy a whole store: to a file, from a file, or into another database. Rows travel as they are; sealed stays sealed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, String, Table, func, insert, select, text
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from shared import schema
from shared.columns import ExactDecimal, Instant
from shared.domain.errors import ConfigError

FORMAT = "letstrade-backup-1"
CHUNK = 500


def dump(engine: Engine, path: Path) -> dict[str, int]:
    """Write every table into one compressed file (mode 0600), read in one transaction; return rows per table.

    The keys that open sealed fields are not in it: without LETSTRADE_HOME/secrets the keys in it stay shut.
    """
    schema.require_current(engine)
    counts = {}
    partial = path.with_name(path.name + ".part")
    partial.touch(mode=0o600)
    with gzip.open(partial, "wt", encoding="utf-8") as file, _snapshot(engine) as connection:
        file.write(json.dumps({"format": FORMAT, "revision": schema.head()}) + "\n")
        for table in SQLModel.metadata.sorted_tables:
            rows = 0
            for row in _rows(connection, table):
                file.write(json.dumps([table.name, {name: _plain(value) for name, value in row.items()}]) + "\n")
                rows += 1
            counts[table.name] = rows
    partial.replace(path)
    return counts


def load(engine: Engine, path: Path) -> dict[str, int]:
    """Fill an empty store of the same schema from a file of `dump`, all or nothing.

    Raises:
        ConfigError: not such a file, of another schema, or the store is not empty.
    """
    schema.require_current(engine)
    tables = {table.name: table for table in SQLModel.metadata.sorted_tables}
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            head = json.loads(file.readline())
            if head.get("format") != FORMAT or head.get("revision") != schema.head():
                raise ConfigError(
                    f"{path.name} cannot be restored here",
                    f"it is {head.get('format')} of schema {head.get('revision')}, the program needs {schema.head()}",
                    "restore with the version that wrote it, then upgrade",
                )
            lines = (json.loads(line) for line in file)
            pairs = ((tables[name], _typed(tables[name], row)) for name, row in lines)
            return _fill(engine, pairs)
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise ConfigError(f"{path.name} is not a backup", type(error).__name__, "choose another file") from error


def count(path: Path) -> dict[str, int]:
    """Rows per table in a file of `dump`, every one of them read; ConfigError when it is damaged."""
    counts: dict[str, int] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            next(file)
            for line in file:
                name, _ = json.loads(line)
                counts[name] = counts.get(name, 0) + 1
    except (OSError, EOFError, ValueError, StopIteration) as error:
        raise ConfigError(f"{path.name} is not a backup", type(error).__name__, "choose another file") from error
    return counts


def move(source: Engine, target: Engine) -> dict[str, int]:
    """Copy everything into another, empty database, after bringing it to the schema; the source stays as it is.

    Every row is read back and compared before anything counts.

    Raises:
        ConfigError: the target is not empty, or a row came back other than it went; the target is as it was.
    """
    schema.require_current(source)
    schema.upgrade(target)
    with _snapshot(source) as connection:
        pairs = ((table, row) for table in SQLModel.metadata.sorted_tables for row in _rows(connection, table))
        return _fill(target, pairs, connection)


def differences(source: Engine, target: Engine) -> list[str]:
    """Tables and keys whose row is not the same in both, in words; empty when the stores are equal."""
    with _snapshot(source) as ours, _snapshot(target) as theirs:
        return list(_differences(ours, theirs))


def _differences(ours: Connection, theirs: Connection) -> Iterator[str]:
    """Both sides are read in the order of their keys, a piece at a time."""
    for table in SQLModel.metadata.sorted_tables:
        keys = [column.name for column in table.primary_key.columns]
        for went, came in zip_longest(_rows(ours, table), _rows(theirs, table)):
            if went != came:
                row = went or came or {}
                yield f"{table.name} {', '.join(f'{name} {row[name]}' for name in keys)}"
                break  # from here on the rest of the table may be shifted


def _fill(
    engine: Engine, pairs: Iterable[tuple[Table, dict[str, Any]]], source: Connection | None = None
) -> dict[str, int]:
    counts = {table.name: 0 for table in SQLModel.metadata.sorted_tables}
    with engine.begin() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if connection.execute(select(func.count()).select_from(table)).scalar():
                raise ConfigError("the target is not empty", f"table {table.name} has rows", "name an empty database")
        batch: list[dict[str, Any]] = []
        present: Table | None = None
        for table, row in pairs:
            if present is not None and (table is not present or len(batch) >= CHUNK):
                connection.execute(insert(present), batch)
                batch = []
            present = table
            batch.append(row)
            counts[table.name] += 1
        if present is not None and batch:
            connection.execute(insert(present), batch)
        if connection.dialect.name == "postgresql":
            _set_sequences(connection)
        changed = list(_differences(source, connection)) if source is not None else []
        if changed:
            raise ConfigError(
                "the copy is not the same", "; ".join(changed[:5]), "nothing was kept; go on with the old store"
            )
    return counts


def _set_sequences(connection: Connection) -> None:
    """PostgreSQL: the next id of each table follows the largest one that was copied."""
    for table in SQLModel.metadata.sorted_tables:
        if "id" in table.columns and table.columns["id"].autoincrement:
            name = connection.execute(text("SELECT pg_get_serial_sequence(:t, 'id')"), {"t": table.name}).scalar()
            if name:
                top = connection.execute(select(func.max(table.c.id))).scalar()
                connection.execute(
                    text("SELECT setval(:s, :n, :called)"), {"s": name, "n": top or 1, "called": bool(top)}
                )


def _snapshot(engine: Engine) -> Connection:
    """A connection whose reads all show the same moment."""
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        return connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    """In the order of the key, which for text is that of its bytes: databases sort words differently."""
    text_key = [column.collate("C" if connection.dialect.name == "postgresql" else "BINARY")
                if isinstance(column.type, String) else column for column in table.primary_key.columns]  # fmt: skip
    query = select(table).order_by(*text_key)
    for row in connection.execution_options(yield_per=CHUNK).execute(query).mappings():
        yield dict(row)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """Values as the columns take them: decimals and instants come back from text."""
    found = {}
    for name, value in row.items():
        kind = table.columns[name].type
        if isinstance(value, str) and isinstance(kind, ExactDecimal):
            value = Decimal(value)
        elif isinstance(value, str) and isinstance(kind, Instant):
            value = datetime.fromisoformat(value)
        found[name] = value
    return found
