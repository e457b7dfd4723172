"""Every store of this folder's tests is three: SQLite, PostgreSQL, and PostgreSQL behind a transaction-mode pooler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared import schema
from shared.db import open_engine

ALL = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("pooled", marks=pytest.mark.postgres),
]


@pytest.fixture(params=ALL)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated store of its own."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'app.db'}")
        schema.upgrade(engine)
    else:
        engine = open_engine(request.getfixturevalue(f"{request.param}_store_url"))
    yield engine
    engine.dispose()
