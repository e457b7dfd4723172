"""Desks for end-to-end tests; a failed test prints the desk's logs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.desk import Desk
from tests.ports import take_offset


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" and report.failed:
        for desk in getattr(item, "_desks", []):
            report.sections.append(("desk logs", desk.tail()))


@pytest.fixture
def new_desk(request: pytest.FixtureRequest) -> Iterator[Callable[..., Desk]]:
    """Make desks; each is stopped at the end."""
    desks: list[Desk] = []
    # Short: a unix socket's address has 107 bytes, and pytest's own folders are deep.
    home = Path(tempfile.mkdtemp(prefix="lt"))
    request.node._desks = desks

    def make(database_url: str | None = None, **env: str) -> Desk:
        desk = Desk(home / f"desk {len(desks) + 1}", take_offset(), database_url, env)
        desk.make()
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        desk.stop()
    shutil.rmtree(home, ignore_errors=True)
