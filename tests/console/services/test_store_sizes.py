"""The size of the store by table, on both databases, with what is kept how long."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from console.cloud.changes import Line
from console.services.permissions import Actor
from console.services.store_sizes import sizes
from console.wiring import Wiring
from shared import schema
from shared.clock import SystemClock
from shared.config import load_settings
from shared.crypto import LookupKey
from shared.db import open_engine
from shared.models import Role

ADMIN = Actor(None, Role.ADMIN, "cli", "tests")


def wired(engine: Engine, home: str, **env: str) -> Wiring:
    return Wiring(load_settings({"LETSTRADE_HOME": home, **env}), engine, SystemClock(), LookupKey(b"x" * 32))


def test_each_table_tells_its_size_and_how_long_it_is_kept(store: Engine, tmp_path: object) -> None:
    told = sizes(wired(store, str(tmp_path)), ADMIN)
    assert told.line is Line.OFF and not told.hosted
    if not told.tables:
        pytest.skip("this SQLite was built without dbstat")
    by_name = {one.table: one for one in told.tables}
    assert all(one.bytes > 0 for one in told.tables)
    kept = {name: one.kept for name, one in by_name.items()}
    assert kept.get("orders", ()) == () and kept.get("fills", ()) == ()


@pytest.mark.postgres
def test_postgresql_tells_too(postgres_url: str, tmp_path: object) -> None:
    engine = open_engine(postgres_url)
    schema.upgrade(engine)
    told = sizes(wired(engine, str(tmp_path), SUPABASE_PROJECT_URL="https://x.supabase.co"), ADMIN)
    assert told.hosted and len(told.tables) > 5 and all(one.bytes > 0 for one in told.tables)
    engine.dispose()


def test_a_large_file_is_measured_only_when_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/desk.db")
    schema.upgrade(engine)
    monkeypatch.setattr("console.services.store_sizes.QUICK_BYTES", 1)
    wiring = wired(engine, str(tmp_path))
    assert sizes(wiring, ADMIN).tables is None
    assert sizes(wiring, ADMIN, measure=True).tables is not None
    engine.dispose()
