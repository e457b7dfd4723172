"""GET /readyz says what is open as well as what is silent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.api.health import _reasons
from shared import schema
from shared.clock import SystemClock
from shared.db import open_engine
from tests.supabase import make_project


@pytest.mark.postgres
def test_a_project_that_is_open_to_a_key_is_not_ready(postgres_url: str) -> None:
    make_project(postgres_url.replace("+psycopg", ""))
    engine = open_engine(postgres_url)
    schema.upgrade(engine)
    wiring = cast(Any, SimpleNamespace(engine=engine, clock=SystemClock()))
    assert _reasons(wiring) == []
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table positions disable row level security")
    assert any("row security" in why and "positions" in why for why in _reasons(wiring))
    engine.dispose()
