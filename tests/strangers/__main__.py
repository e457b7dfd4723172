"""`python -m tests.strangers [--page] [kis_mojito …]`: strangers' clients against our exchange; prints what they could do.

`--page` writes docs/wire.md from what they called.

Ends with 1 when a call of a client that could be obtained did not pass.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType

from shared.domain.account import BrokerName
from tests.strangers import coverage
from tests.strangers.contract import CallResult, ExchangeProc, Unavailable

HERE = Path(__file__).parent
Used = defaultdict[tuple[BrokerName, str], set[str]]  # the names of the clients that used a TR


def modules(names: list[str]) -> list[ModuleType]:
    """Every client module here, or those named."""
    found = sorted(path.stem for pattern in ("kis_*.py", "ls_*.py") for path in HERE.glob(pattern))
    return [importlib.import_module(f"tests.strangers.{name}") for name in found if not names or name in names]


async def run_one(module: ModuleType, home: Path, used: Used) -> list[CallResult]:
    """Run one client against an exchange of its own, and add to `used` what it called there. Raises Unavailable."""
    with ExchangeProc(home, *getattr(module, "FLAGS", ())) as exchange:
        made = module.run(exchange)
        results: list[CallResult] = await made if inspect.isawaitable(made) else made
        for row in exchange.get("/served")["served"]:
            used[BrokerName(row["broker"]), row["tr"]].add(module.NAME)
        return results


async def main(names: list[str], page: Path | None = None) -> int:
    rows: list[tuple[str, str, str, str]] = []
    failed = 0
    used: Used = defaultdict(set)
    for module in modules(names):
        with tempfile.TemporaryDirectory(prefix="strangers-") as home:
            try:
                results = await run_one(module, Path(home), used)
            except Unavailable as e:
                rows.append((module.NAME, "-", "-", f"skipped: {e}"))
                continue
        print(f"\n{module.NAME}")
        for one in results:
            print(
                f"  {'passed' if one.passed else 'exercised' if one.exercised else 'FAILED':<10}{one.call}  {one.detail[:200]}"
            )
        exercised, passed = sum(one.exercised for one in results), sum(one.passed for one in results)
        failed += len(results) - passed
        rows.append((module.NAME, f"{exercised}/{len(results)}", f"{passed}/{len(results)}", ""))
    print(f"\n{'client':<34}{'exercised':>10}{'passed':>10}  note")
    for name, exercised_of, passed_of, note in rows:
        print(f"{name:<34}{exercised_of:>10}{passed_of:>10}  {note}")
    if page is not None:
        coverage.write(used, page)
        print(f"\n{page} written")
    return 1 if failed else 0


if __name__ == "__main__":
    wanted = [one for one in sys.argv[1:] if one != "--page"]
    sys.exit(asyncio.run(main(wanted, coverage.FILE if "--page" in sys.argv else None)))
