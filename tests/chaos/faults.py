"""Fault → test → invariant: the catalogue of reliability.md §6 as data (faults.csv), and where each invariant is judged."""

from __future__ import annotations

import ast
import csv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("faults.csv")
OPEN = "open"  # said plainly: nothing proves this one

CATALOGUE = (
    *("R01", "R03", "R04", "R05", "R06", "R09", "R10", "R13", "R17", "R21", "R24", "R26"),
    *("W01", "W03", "W04", "W06", "W08", "W09", "W11", "W14"),
    *("K01", "K02", "K03", "K04", "K07", "K14", "P01", "P04", "P05", "P08", "P10"),
    *("D01", "D03", "D05", "D07", "D08", "D17", "T01", "T03", "T04", "T07", "T09", "T15"),
    *("M01", "M02", "M03", "M04", "M05", "M07", "M10", "M11", "M12", "M16", "C01", "C02", "C03", "C07", "C11"),
)
INVARIANTS = {
    "I1": "one intent, at most one accepted order: referee, soak",
    "I2": "broker's fills = recorded fills: referee, soak",
    "I3": "opening + fills = holding, or flagged: referee",
    "I4": "worst case never above the limit: referee; tests/bots/risk/test_guards.py",
    "I5": "every intent ends or is flagged with an alert: referee, soak",
    "I6": "no phantom or over-fill: referee, soak",
    "I7": "journal before wire: referee, soak",
    "I8": "one writer per account: tests/bots/test_process.py, tests/bots/test_journal.py",
    "I9": "nothing risky after the kill switch: tests/bots/risk/test_kill_switch.py, tests/bots/test_process.py",
    "I10": "no order from stale data or before reconcile: referee; tests/bots/risk/test_guards.py",
    "I11": "recovery in bounded time, reconcile first: tests/chaos/test_kill_matrix.py measures it",
    "I12": "outbox exactly once, in order: referee; tests/bots/test_sync.py",
    "I13": "each effect has an audit row of an allowed actor: tests/console/services/test_permissions.py",
    "I14": "accounts isolated: referee; tests/brokers/test_doors.py",
    "I15": "canary secrets appear nowhere: referee (logs, journals); tests/brokers/test_http.py",
    "I16": "bad input is refused by name: tests/domain/rule/test_parse.py",
    "I17": "bounded resources: tests/brokers/test_pacing.py",
    "I18": "one alert a matter, until acknowledged: referee; time to the phone: tests/console/telegram/test_notifier.py",
    "I19": "same seed, same run: tests/chaos/test_soak.py",
    "I20": "money exact: referee; tests/domain/test_money.py",
    "I21": "the sandbox has no outside effect: not judged here, it belongs to the sandbox's own tests",
    "I22": "no order outside the session: tests/domain/test_sessions.py, tests/bots/risk/test_guards.py",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaultRow:
    id: str
    what: str
    tests: tuple[str, ...]
    invariants: tuple[str, ...]


def table() -> list[FaultRow]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            FaultRow(
                one["id"], one["what goes wrong"], tuple(one["tests"].split("|")), tuple(one["invariants"].split())
            )
            for one in csv.DictReader(file)
        ]


def exists(test: str) -> bool:
    """Whether `path::name` is a test function of this checkout."""
    path, _, name = test.partition("::")
    file = ROOT / path
    if not name or not file.is_file():
        return False
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name for node in tree.body)


def as_markdown() -> list[str]:
    lines = ["| id | what goes wrong | proven by | invariants |", "|---|---|---|---|"]
    for row in table():
        tests = "<br>".join(f"`{one}`" if one != OPEN else "**nothing yet**" for one in row.tests)
        lines.append(f"| {row.id} | {row.what} | {tests} | {' '.join(row.invariants)} |")
    return lines
