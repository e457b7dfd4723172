"""The pieces of the whole chaos run. Each takes minutes, runs alone, and keeps what it found in a file of its own.

A machine that has no half hour to give runs them one by one (`python -m tests.chaos --only NAME`); docs/scoreboard.md is
assembled from what is kept, and says of each piece when, on which commit and under what load it was taken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from shared.config import load_settings
from tests.chaos.arena import FLAVOURS
from tests.chaos.faults import ROOT
from tests.chaos.mutants import COUNT, judge, sample
from tests.chaos.record import FILE, recorded
from tests.chaos.soak import figures, soak

KEPT = load_settings().home / "chaos"
SEEDS, INTENTS, QUARTERS = 200, 500, 4
THIRDS = 3  # of the sample of mutants
TOLD = 5  # violations of a soak that are named one by one
LASTS_S = 540.0  # a piece that takes longer is cut off and says so
NAMES = tuple(one.name for one in FLAVOURS)
SIDES = ("BUY", "SELL", "CHANGE")
ARENA = "tests/chaos/test_arena.py"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the run: tests by pytest, or seeds of the soak, or mutants."""

    name: str
    tests: tuple[str, ...] = ()  # what pytest gets
    env: tuple[tuple[str, str], ...] = ()
    seeds: tuple[int, int] | None = None  # first, last
    mutants: int | None = None  # which third of the sample


PIECES: tuple[Piece, ...] = (
    *(
        Piece(f"drills-{one}-{part}", (f"{ARENA}::test_no_drill_does_so_on_any_wire[{one}-{part}]",))
        for one in NAMES
        for part in range(3)
    ),
    *(
        Piece(f"kills-{one}-{side}", ("tests/chaos/test_kill_matrix.py", "-k", f"{one}- and -{side}"))
        for one in NAMES
        for side in SIDES
    ),
    Piece("wires", ("tests/chaos/test_wires.py", f"{ARENA}::test_no_drill_doubles_loses_or_silences_an_order")),
    Piece("outage", ("tests/chaos/test_outage.py",)),
    Piece("two-hosts", ("tests/e2e/test_two_hosts.py",), (("LETSTRADE_TEST_TTL", "30"),)),
    Piece("stall", ("tests/bots/test_stall.py", "tests/bots/test_frozen.py")),
    Piece("kill-switch", ("tests/bots/test_kill_latency.py",), (("LETSTRADE_TEST_ROUNDS", "25"),)),
    *(
        Piece(f"soak-{part + 1}", seeds=(part * SEEDS // QUARTERS + 1, (part + 1) * SEEDS // QUARTERS))
        for part in range(QUARTERS)
    ),
    Piece(
        "doors",
        (
            "tests/bots/sandbox/test_payloads.py", "tests/console/services/test_permissions.py",
            "tests/console/test_canaries.py", "tests/console/test_gate.py", "tests/domain/test_calendars.py",
            "tests/domain/test_market_cases.py", "tests/domain/test_sessions.py",
        ),
    ),
    *(Piece(f"mutants-{part + 1}", mutants=part) for part in range(THIRDS)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What one piece brought."""

    name: str
    at: str
    commit: str
    seconds: float
    load: float
    passed: int = 0
    failed: tuple[str, ...] = ()
    skipped: int = 0
    cut: bool = False
    cases: Mapping[str, int] = field(default_factory=dict)  # module.test → cases that passed
    figures: Mapping[str, list[float]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.failed and not self.cut


def run(piece: Piece, processes: int) -> Found:
    """Run one piece and keep what it found."""
    started = time.monotonic()
    if piece.seeds is not None:
        brought = _soak(piece.seeds, processes)
    elif piece.mutants is not None:
        brought = _mutants(piece.mutants, processes)
    else:
        brought = _tests(piece)
    found = Found(
        piece.name, datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), _commit(), round(time.monotonic() - started, 1),
        round(os.getloadavg()[0], 1), **brought,
    )  # fmt: skip
    KEPT.mkdir(parents=True, exist_ok=True)
    _file(piece.name).write_text(json.dumps(asdict(found), ensure_ascii=False, indent=1), encoding="utf-8")
    return found


def kept() -> dict[str, Found]:
    """Every piece that was ever run here, by its name, in the order of the run."""
    found = {}
    for piece in PIECES:
        if _file(piece.name).exists():
            body = json.loads(_file(piece.name).read_text(encoding="utf-8"))
            found[piece.name] = Found(**{**body, "failed": tuple(body["failed"])})
    return found


def _file(name: str) -> Path:
    return KEPT / f"{name}.json"


def _tests(piece: Piece) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        report, told = Path(folder) / "report.xml", Path(folder) / "figures"
        told.touch()
        command = [sys.executable, "-m", "pytest", *piece.tests, "-m", "soak or not soak", "-v", "--tb=short"]
        command += [f"--junitxml={report}", "-p", "no:randomly"]
        env = os.environ | {FILE: str(told)} | dict(piece.env)
        cut = False
        try:
            done = subprocess.run(command, cwd=ROOT, env=env, check=False, timeout=LASTS_S).returncode
        except subprocess.TimeoutExpired:
            cut, done = True, 1
        read = _read(report) if report.exists() else {"failed": [f"pytest ended with {done}"] if done else []}
        return {**read, "cut": cut, "figures": recorded(told)}


def _read(report: Path) -> dict[str, object]:
    """The cases of a JUnit report: how many passed of each test, which failed, how many were skipped."""
    cases: dict[str, int] = {}
    failed: list[str] = []
    skipped = 0
    for one in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in one}
        name = one.attrib["name"]
        test = f"{one.attrib['classname']}.{name.partition('[')[0]}"
        if kinds & {"failure", "error"}:
            failed.append(name)
        elif "skipped" in kinds:
            skipped += 1
        else:
            cases[test] = cases.get(test, 0) + 1
    return {"passed": sum(cases.values()), "failed": failed, "skipped": skipped, "cases": cases}


def _soak(seeds: tuple[int, int], processes: int) -> dict[str, object]:
    tallies = soak(list(range(seeds[0], seeds[1] + 1)), INTENTS, processes)
    wrong = [one for tally in tallies for one in tally.violations]
    counted = {f"soak {name}": [float(value)] for name, value in figures(tallies).items()}
    bad = sum(bool(tally.violations) for tally in tallies)
    told = wrong if len(wrong) <= TOLD else [*wrong[:TOLD], f"and {len(wrong) - TOLD} more"]
    return {"passed": len(tallies) - bad, "failed": told, "figures": counted}


def _mutants(part: int, processes: int) -> dict[str, object]:
    chosen = sample(COUNT)[part::THIRDS]
    lived = judge(chosen, processes)
    killed = len(chosen) - len(lived)
    print(*lived, sep="\n")
    return {"passed": killed, "figures": {"mutants killed": [killed], "mutants lived": [len(lived)]}}


def _commit() -> str:
    told = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return told.stdout.strip() or "?"
