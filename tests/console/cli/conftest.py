"""A fresh desk per test, copied from one that was prepared once, on what LETSTRADE_TEST_STORE names."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import pooler
from tests.conftest import store_kind
from tests.console.cli.terminal import Terminal
from tests.supabase import for_the_store, new_database


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    home = tmp_path_factory.mktemp("prepared") / "home"
    if store_kind() == "sqlite":
        found = Terminal(home)
        found.set_up()
        yield found
        return
    with new_database(request.getfixturevalue("postgres_server")) as address:
        found = Terminal(home, for_the_store(address))  # past the pooler: a database in use cannot be copied
        found.set_up()
        yield found


def _reached(request: pytest.FixtureRequest, address: str) -> str:
    """The address as the kind of store has it: direct, or by way of the pooler."""
    if store_kind() == "postgresql":
        return for_the_store(address)
    return pooler.through(for_the_store(address), request.getfixturevalue("pooler_port"))


@pytest.fixture
def nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """A machine where setup never ran."""
    if store_kind() == "sqlite":
        yield Terminal(tmp_path / "home")
        return
    with new_database(request.getfixturevalue("postgres_server")) as address:
        yield Terminal(tmp_path / "home", _reached(request, address))


@pytest.fixture
def terminal(request: pytest.FixtureRequest, tmp_path: Path, prepared: Terminal) -> Iterator[Terminal]:
    """A prepared desk without accounts."""
    home = tmp_path / "home"
    shutil.copytree(prepared.home, home)
    if store_kind() == "sqlite":
        yield Terminal(home)
        return
    template = urlsplit(prepared.url).path.removeprefix("/")
    with new_database(request.getfixturevalue("postgres_server"), template) as address:
        yield Terminal(home, _reached(request, address))
