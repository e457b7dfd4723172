"""A fresh desk per test, copied from one that was prepared once."""

import shutil
from pathlib import Path

import pytest

from tests.console.cli.terminal import Terminal


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("prepared") / "home"
    Terminal(home).set_up()
    return home


@pytest.fixture
def nowhere(tmp_path: Path) -> Terminal:
    """A machine where setup never ran."""
    return Terminal(tmp_path / "home")


@pytest.fixture
def terminal(nowhere: Terminal, prepared: Path) -> Terminal:
    """A prepared desk without accounts."""
    shutil.copytree(prepared, nowhere.home)
    return nowhere
