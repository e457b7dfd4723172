"""Desks for the console's tests: real files, real keys, one per test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console import wiring as wired
from tests.console import desks
from tests.console.desks import Desk

STATES = ("empty", "normal", "degraded")


@pytest.fixture(scope="session")
def prepared_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A normal desk that is only copied: making one costs passwords and migrations."""
    made = desks.normal_desk(tmp_path_factory.mktemp("prepared-desk"))
    made.wiring.engine.dispose()
    return made


@pytest.fixture
def desk(tmp_path: Path, prepared_desk: Desk) -> Iterator[Desk]:
    """A normal desk."""
    shutil.copytree(prepared_desk.wiring.settings.home, tmp_path, dirs_exist_ok=True)
    made = replace(prepared_desk, wiring=wired.wire(desks.settings_in(tmp_path)))
    desks.beat_again(made)
    wired.use(made.wiring)
    yield made
    made.wiring.engine.dispose()


@pytest.fixture(scope="session")
def desk_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Desk]:
    """A desk in a state, made once per run: for tests that only look."""
    made: dict[str, Desk] = {}

    def get(state: str) -> Desk:
        if state not in made:
            made[state] = getattr(desks, f"{state}_desk")(tmp_path_factory.mktemp(state))
        desks.beat_again(made[state])  # the run is longer than a heartbeat lives
        wired.use(made[state].wiring)
        return made[state]

    return get
