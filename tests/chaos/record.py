"""Figures of a chaos run, one JSON line each; kept only when the run asks for them (`make chaos`)."""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = "LETSTRADE_CHAOS_FIGURES"


def record(name: str, value: float) -> None:
    """Add one figure of this run; a test run without `make chaos` keeps nothing."""
    path = os.environ.get(FILE)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "value": value}) + "\n")


def recorded(path: Path) -> dict[str, list[float]]:
    """Every figure of the run, by name."""
    found: dict[str, list[float]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        found.setdefault(one["name"], []).append(one["value"])
    return found
