"""What KIS's result codes mean: one row per code in codes.csv, for the judgement and for the person (kis.md §6, §5.1).

`outcome` is what an order answered with the code is: `refused` and `retryable` are proven not placed, `unknown` is not
proven. A code becomes proven only by kis.md §6.3–6.4 or by several independent public clients that show the broker's
own words beside it (APBK0506, APBK0927, 40240000, 40250000, 40330000). APBK0344 ("original order not found") and
APBK0963 (one source), 40310000 (its meaning is disputed) and whatever is not listed stay unknown.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shared.domain import errors
from shared.domain.errors import BrokerError, BrokerUnavailable, Refused

TABLE = Path(__file__).with_name("codes.csv")


class Outcome(StrEnum):
    """What an order is that was answered with a code."""

    RETRYABLE = "retryable"  # proven not placed; the cause passes
    REFUSED = "refused"  # proven not placed
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One code: how it is judged and what a person reads. Each text is Korean, then English."""

    code: str
    outcome: Outcome
    error: type[BrokerError] | None  # of an unknown one: what a read raises, None for a plain refusal
    wait_s: float | None
    what: tuple[str, str]
    why: tuple[str, str]
    now: tuple[str, str]


def _meaning(row: dict[str, str]) -> Meaning:
    return Meaning(
        code=row["code"],
        outcome=Outcome(row["outcome"]),
        error=getattr(errors, row["error"]) if row["error"] else None,
        wait_s=float(row["wait_s"]) if row["wait_s"] else None,
        what=(row["what_ko"], row["what_en"]),
        why=(row["why_ko"], row["why_en"]),
        now=(row["now_ko"], row["now_en"]),
    )


with TABLE.open(encoding="utf-8", newline="") as rows:
    CODES: dict[str, Meaning] = {row["code"]: _meaning(row) for row in csv.DictReader(rows)}

# Proven refusals of an order: nothing was placed.
REFUSALS: dict[str, type[Refused]] = {
    code: one.error
    for code, one in CODES.items()
    if one.outcome is not Outcome.UNKNOWN and one.error is not None and issubclass(one.error, Refused)
}
RETRY_AFTER_S = {code: one.wait_s for code, one in CODES.items() if one.wait_s is not None}
# The broker is away: reads ask again, an order's outcome is unknown. A blank code is maintenance (kis.md §1.4).
AWAY = frozenset({code for code, one in CODES.items() if one.error is BrokerUnavailable} | {""})


def explained(code: str, said: str) -> tuple[str, str]:
    """Return (why, now) for a person, Korean before English; `said`, the broker's own words, comes last."""
    one = CODES.get(code)
    if one is None:
        return said, ""
    why = f"{one.what[0]}. {one.why[0]} / {one.what[1]}. {one.why[1]}"
    return (f"{why} — {said}" if said else why), f"{one.now[0]} / {one.now[1]}"
