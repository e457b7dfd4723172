"""Desks for the console's tests: real files, real keys, one per test, on the store that LETSTRADE_TEST_STORE names."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from console import wiring as wired
from tests import pooler
from tests.conftest import store_kind
from tests.console import desks
from tests.console.desks import Desk
from tests.supabase import for_the_store, new_database

STATES = ("empty", "normal", "degraded")
Stores = Callable[
    [str], str | None
]  # (database to copy) → the address of a store of its own; None: a file in its folder


@pytest.fixture(scope="session")
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """Where the desks of this run keep their rows; everything is dropped with the run."""
    if store_kind() == "sqlite":
        yield lambda **_how: None
        return
    server, pooled = request.getfixturevalue("postgres_server"), store_kind() == "pooled"
    port = request.getfixturevalue("pooler_port") if pooled else 0
    with ExitStack() as made:

        def another(*, template: str = "template1", direct: bool = False) -> str:
            address = for_the_store(made.enter_context(new_database(server, template)))
            return pooler.through(address, port) if pooled and not direct else address

        yield another


@pytest.fixture(scope="session")
def prepared_desk(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A normal desk that is only copied: making one costs passwords and migrations."""
    url = stores(direct=True)  # a pooler keeps a connection to it, and then nobody may copy it
    made = desks.normal_desk(tmp_path_factory.mktemp("prepared-desk"), url=url)
    made.wiring.engine.dispose()
    return made


@pytest.fixture
def desk(tmp_path: Path, stores: Stores, prepared_desk: Desk) -> Iterator[Desk]:
    """A normal desk."""
    settings = prepared_desk.wiring.settings
    shutil.copytree(settings.home, tmp_path, dirs_exist_ok=True)
    url = stores(template=urlsplit(settings.database_url).path.removeprefix("/"))
    made = replace(prepared_desk, wiring=wired.wire(desks.settings_in(tmp_path, url=url)))
    desks.beat_again(made)
    wired.use(made.wiring)
    yield made
    made.wiring.engine.dispose()


@pytest.fixture(scope="session")
def desk_in(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Desk]:
    """A desk in a state, made once per run: for tests that only look."""
    made: dict[str, Desk] = {}

    def get(state: str) -> Desk:
        if state not in made:
            made[state] = getattr(desks, f"{state}_desk")(tmp_path_factory.mktemp(state), url=stores())
        desks.beat_again(made[state])  # the run is longer than a heartbeat lives
        wired.use(made[state].wiring)
        return made[state]

    return get
