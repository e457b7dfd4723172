"""Refuse to serve a store that is not ours or not up to date."""

from __future__ import annotations

from sqlalchemy import Engine, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import SQLModel

import shared.models  # noqa: F401  (registers the tables)
from shared.domain.errors import ConfigError

UPGRADE = "run `python -m console.cli db upgrade` and start again"


def check_store(engine: Engine) -> None:
    """Raise ConfigError when the store cannot be reached or lacks a table or column of this version."""
    try:
        door = inspect(engine)
        present = set(door.get_table_names())
        missing = sorted(set(SQLModel.metadata.tables) - present)
        if missing:
            raise ConfigError("the database is not migrated", f"tables are missing: {', '.join(missing[:6])}", UPGRADE)
        for table in SQLModel.metadata.sorted_tables:
            lacking = {column.name for column in table.columns} - {one["name"] for one in door.get_columns(table.name)}
            if lacking:
                raise ConfigError(
                    "the database is not migrated", f"{table.name} lacks {', '.join(sorted(lacking))}", UPGRADE
                )
    except SQLAlchemyError as error:
        raise ConfigError(
            "the database cannot be reached",
            type(error).__name__,
            "check DATABASE_URL or SUPABASE_DB_URL, and that the server runs",
        ) from error
