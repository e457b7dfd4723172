"""Desks for the console's tests: real files, real keys, one per test, on the store that LETSTRADE_TEST_STORE names."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from console import wiring as wired
from tests import pooler
from tests.conftest import store_kind
from tests.console import desks
from tests.console.desks import Desk
from tests.supabase import for_the_store, new_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STATES = ("empty", "normal", "degraded")
Stores = Callable[
    [str], str | None
]  # (database to copy) → the address of a store of its own; None: a file in its folder


@pytest.fixture(scope="session")
def stores(request: pytest.FixtureRequest) -> Stores:
    """Where the desks of this run keep their rows."""
    if store_kind() == "sqlite":
        return lambda **_how: nullcontext()
    server, pooled = request.getfixturevalue("postgres_server"), store_kind() == "pooled"
    port = request.getfixturevalue("pooler_port") if pooled else 0

    @contextmanager
    def another(*, template: str = "template1", direct: bool = False) -> Iterator[str]:
        with new_database(server, template) as made:
            address = for_the_store(made)
            yield pooler.through(address, port) if pooled and not direct else address

    return another


@pytest.fixture(scope="session")
def prepared_desk(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A normal desk that is only copied: making one costs passwords and migrations."""
    with stores(direct=True) as url:  # a pooler keeps a connection to it, and then nobody may copy it
        made = desks.normal_desk(tmp_path_factory.mktemp("prepared-desk"), url=url)
        made.wiring.engine.dispose()
        yield made


@pytest.fixture
def desk(tmp_path: Path, stores: Stores, prepared_desk: Desk) -> Iterator[Desk]:
    """A normal desk."""
    settings = prepared_desk.wiring.settings
    shutil.copytree(settings.home, tmp_path, dirs_exist_ok=True)
    with stores(template=urlsplit(settings.database_url).path.removeprefix("/")) as url:
        made = replace(prepared_desk, wiring=wired.wire(desks.settings_in(tmp_path, url=url)))
        desks.beat_again(made)
        wired.use(made.wiring)
        yield made
        made.wiring.engine.dispose()


@pytest.fixture(scope="session")
def desk_in(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Desk]]:
    """A desk in a state, made once per run: for tests that only look."""
    made: dict[str, Desk] = {}
    with ExitStack() as held:

        def get(state: str) -> Desk:
            if state not in made:
                url = held.enter_context(stores())
                made[state] = getattr(desks, f"{state}_desk")(tmp_path_factory.mktemp(state), url=url)
            desks.beat_again(made[state])  # the run is longer than a heartbeat lives
            wired.use(made[state].wiring)
            return made[state]

        yield get


@pytest.fixture(scope="module")
def url(desk: Desk) -> Iterator[str]:
    """The console on the module's desk: for a module whose own `desk` lasts as long as it does."""
    from tests.console.served import console_on

    with console_on(desk) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    from tests.console.served import launch

    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()
