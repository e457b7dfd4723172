"""Imports point inward: console → shared, bots → brokers + shared, brokers → shared.domain (design.md §4)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("console", "bots", "brokers", "shared")
MAY = {
    "shared/domain": {"shared.domain"},
    "shared": {"shared"},
    "brokers": {"brokers", "shared.domain", "shared.calendars", "shared.clock"},
    "brokers/kis": {
        "brokers.kis",
        "brokers.codes",
        "brokers.contract",
        "brokers.http",
        "brokers.pacing",
        "brokers.reconnect",
    }
    | {"shared.domain", "shared.calendars", "shared.clock"},
    "brokers/ls": {
        "brokers.ls",
        "brokers.codes",
        "brokers.contract",
        "brokers.http",
        "brokers.pacing",
        "brokers.reconnect",
    }
    | {"shared.domain", "shared.calendars", "shared.clock"},
    "bots": {"bots", "brokers", "shared"},
    "console/cli": {"console", "shared", "bots.backtest", "bots.rules", "brokers.paper"},
    "console": {"console", "shared"},
}
NEVER = {
    "bots": {"streamlit", "plotly", "pandas"},
    "brokers": {"streamlit", "plotly", "pandas", "sqlmodel", "sqlalchemy"},
    "shared": {"streamlit", "plotly", "pandas"},
    "shared/domain": {"sqlmodel", "sqlalchemy"},
}
NUMERIC_ROOMS = ("bots/rules/", "bots/backtest/", "console/cli/")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files_of(folder: str) -> list[Path]:
    """Python files whose longest matching folder in MAY is `folder`."""
    inner = [other for other in MAY if other.startswith(folder + "/")]
    return [
        path
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not any(str(path.relative_to(ROOT)).startswith(other + "/") for other in inner)
    ]


def under(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


@pytest.mark.parametrize("folder", MAY)
def test_imports_point_inward(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files_of(folder)
        for name in imports_of(path)
        if name.split(".")[0] in OURS and not under(name, MAY[folder])
    ]
    assert not wrong


@pytest.mark.parametrize("folder", NEVER)
def test_heavy_or_foreign_packages_stay_out(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in imports_of(path)
        if name.split(".")[0] in NEVER[folder]
    ]
    assert not wrong


def test_numpy_and_talib_live_only_where_indicators_do() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for top in OURS
        for path in sorted((ROOT / top).rglob("*.py"))
        if not str(path.relative_to(ROOT)).startswith(NUMERIC_ROOMS)
        for name in imports_of(path)
        if name.split(".")[0] in {"numpy", "talib", "numba"}
    ]
    assert not wrong
