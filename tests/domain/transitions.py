"""Reading a state table: as a text that a person agreed on, and as what can be reached in it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def agreed(text: str) -> set[tuple[str, str, str]]:
    """`BEFORE: EVENT>AFTER EVENT>AFTER`, a line each → (before, event, after)."""
    lines = (line.split(": ") for line in text.strip().split("\n"))
    return {(before, event, after) for before, steps in lines for event, after in _steps(steps)}


def _steps(text: str) -> list[tuple[str, str]]:
    return [(event, after) for event, after in (step.split(">") for step in text.split())]


def told(table: Mapping[tuple[S, E], S]) -> set[tuple[str, str, str]]:
    return {(before.value, event.value, after.value) for (before, event), after in table.items()}


def reached(table: Mapping[tuple[S, E], S], start: S) -> set[S]:
    """`start`, and every state that some events lead to from it."""
    seen, frontier = {start}, {start}
    while frontier:
        frontier = {after for (before, _), after in table.items() if before in frontier} - seen
        seen |= frontier
    return seen
