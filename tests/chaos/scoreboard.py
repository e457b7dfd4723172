"""docs/scoreboard.md: the figures of the last whole run (reliability.md §8), then the table fault → test → invariant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.faults import INVARIANTS, OPEN, ROOT, as_markdown, table

FILE = ROOT / "docs" / "scoreboard.md"
CUT = "## Faults"
NOT_TAKEN = "not in this run"


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    goal: str
    measured: str


def p95(values: list[float]) -> float:
    return sorted(values)[min(int(len(values) * 0.95), len(values) - 1)]


def lines(soak: Mapping[str, Any], found: Mapping[str, list[float]]) -> list[Line]:
    """What was measured, in words; a figure that this run did not take says so."""
    kills, ready, stall = (
        found.get("kill violations", []),
        found.get("kill to READY s", []),
        found.get("stall to blocked s", []),
    )
    drills = sum(found.get("drills survived", []))
    proven = sum(row.tests != (OPEN,) for row in table())
    wires = len(found.get("drills survived", []))
    soaked = f"{soak['seeds']} seeds, {soak['intents']} intents, {soak.get('lost answers', 0)} unknown, {soak.get('kills', 0)} kills"
    return [
        Line("faults of the catalogue with a test", "all", f"{proven} of {len(table())}"),
        Line("drills through a real bot, survived", "all", f"{drills:.0f} over {wires} runs" if wires else NOT_TAKEN),
        Line("kill -9 points × flavours, violations", "0", f"{sum(kills):.0f} in {len(kills)} kills" if kills else NOT_TAKEN),
        Line("soak", "≥ 200 × 500", soaked),
        Line("duplicates in the soak (I1)", "0", str(soak["I1"])),
        Line("unknown sent again (I1)", "0", str(soak["I1"])),
        Line("lost or invented fills (I2, I6)", "0", str(soak["I2"] + soak["I6"])),
        Line("called absent while alive, or unresolved without alert (I5)", "0", str(soak["I5"])),
        Line("on the wire before SENDING was on disk (I7)", "0", str(soak["I7"])),
        Line("of the unknown: found absent / left to a person", "–", f"{soak.get('NOT_ACCEPTED', 0)} / {soak.get('resolved by a person', 0)}"),
        Line("kill → READY, p95", "≤ 5 s", f"{p95(ready):.1f} s of {len(ready)}" if ready else NOT_TAKEN),
        Line("stall → rules enter no more", "≤ 15 s", f"{max(stall):.1f} s" if stall else NOT_TAKEN),
    ]  # fmt: skip


def write(measured: list[Line], conditions: str) -> None:
    """Write the whole page anew."""
    head = [
        "# Scoreboard", "",
        "What the order path survived, measured by `make chaos` on one machine; again with the same seeds:",
        "`python -m tests.chaos.soak --seed N --intents 500`.", "",
        conditions, "",
        "| figure | goal | measured |", "|---|---|---|",
        *(f"| {one.name} | {one.goal} | {one.measured} |" for one in measured), "",
    ]  # fmt: skip
    FILE.write_text("\n".join([*head, *tail()]) + "\n", encoding="utf-8")


def write_table() -> None:
    """Write the tables anew and leave the figures as they are."""
    text = FILE.read_text(encoding="utf-8") if FILE.exists() else "# Scoreboard\n\n"
    FILE.write_text(text.partition(CUT)[0] + "\n".join(tail()) + "\n", encoding="utf-8")


def tail() -> list[str]:
    """The two tables, from their data."""
    return [
        CUT, "", "Generated from `tests/chaos/faults.csv`; a test keeps it so.", "", *as_markdown(), "",
        "## Invariants", "", "| | holds: where it is judged |", "|---|---|",
        *(f"| {name} | {where} |" for name, where in INVARIANTS.items()),
    ]  # fmt: skip
