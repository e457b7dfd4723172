"""A fresh desk per test."""

from pathlib import Path

import pytest

from tests.console.cli.terminal import Terminal


@pytest.fixture
def nowhere(tmp_path: Path) -> Terminal:
    """A machine where setup never ran."""
    return Terminal(tmp_path / "home")


@pytest.fixture
def terminal(nowhere: Terminal) -> Terminal:
    """A prepared desk without accounts."""
    nowhere.set_up()
    return nowhere
