"""Alembic's entry: the same migrations on SQLite and PostgreSQL, at the database the settings name."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection
from sqlmodel import AutoString, SQLModel

from shared.columns import Json
from shared.config import load_settings
from shared.db import open_engine
from shared.models import load_all

load_all()


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Name our column types in a new migration instead of spelling them out."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return "shared.columns.Json" if kind == "type" and isinstance(item, Json) else False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with open_engine(load_settings().database_url).connect() as connection:
        migrate(connection)
        connection.commit()
