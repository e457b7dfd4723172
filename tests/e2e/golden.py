"""The golden tape and its golden decisions: `python -m tests.e2e.golden` writes both anew from the seed."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import sin
from pathlib import Path
from random import Random

DATA = Path(__file__).resolve().parent.parent / "data"
TAPE, DECISIONS = DATA / "golden_tape.csv", DATA / "golden_decisions.json"
SEED = 20260310
OPENS_AT = datetime(2026, 3, 10, 13, 30, tzinfo=UTC)  # a Tuesday, 09:30 in New York
MINUTES = 390
FAST, SLOW = 5, 20


def tape() -> str:
    """One session of AAPL in minutes: slow waves with a little noise, so that the averages cross seldom and clearly."""
    rng = Random(SEED)
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["ts_utc", "open", "high", "low", "close", "volume"])
    last = 20_000
    for minute in range(MINUTES):
        wave = 20_000 + 200 * sin(minute / 9.5) + 90 * sin(minute / 31)
        first, last = last + rng.randint(-2, 2), round(wave) + rng.randint(-6, 6)
        high, low = max(first, last) + rng.randint(0, 8), min(first, last) - rng.randint(0, 8)
        at = OPENS_AT + timedelta(minutes=minute)
        prices = (f"{cents / 100:.2f}" for cents in (first, high, low, last))
        rows.writerow([f"{at:%Y-%m-%dT%H:%M:%SZ}", *prices, rng.randint(20_000, 90_000)])
    return out.getvalue()


def decisions(text: str) -> list[dict[str, str]]:
    """What a cross of the two averages says, from its definition and nothing of the product.

    `bar` is the start of the bar at whose close the rule speaks.
    """
    rows = list(csv.DictReader(io.StringIO(text)))
    closes = [float(row["close"]) for row in rows]
    above = [
        sum(closes[i - FAST + 1 : i + 1]) / FAST > sum(closes[i - SLOW + 1 : i + 1]) / SLOW
        for i in range(SLOW - 1, len(closes))
    ]
    found: list[dict[str, str]] = []
    for i, (before, after) in enumerate(pairwise(above), SLOW):
        side = "BUY" if after else "SELL"
        if before != after and (found or after):  # nothing to sell before the first buy
            found.append({"side": side, "bar": rows[i]["ts_utc"]})
    return found


def golden() -> list[dict[str, str]]:
    read: list[dict[str, str]] = json.loads(DECISIONS.read_text(encoding="utf-8"))
    return read


if __name__ == "__main__":
    TAPE.write_text(tape(), encoding="utf-8")
    DECISIONS.write_text(json.dumps(decisions(tape()), indent=1) + "\n", encoding="utf-8")
