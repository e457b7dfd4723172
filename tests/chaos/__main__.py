"""`make chaos`: every drill and every kill on every wire, the soak beside them, then docs/scoreboard.md.

python -m tests.chaos                          # everything; half an hour on two cores
python -m tests.chaos --seeds 20 --intents 100 # a shorter soak
python -m tests.chaos --table                  # only the tables of docs/scoreboard.md anew
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos import scoreboard
from tests.chaos.faults import ROOT
from tests.chaos.record import FILE, recorded
from tests.chaos.soak import figures, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="prove the order path under faults")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--intents", type=int, default=500)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="run only these of the tests (pytest -k)")
    parser.add_argument("--table", action="store_true", help="write the tables only")
    asked = parser.parse_args()
    if asked.table:
        scoreboard.write_table()
        return 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside:
        soaking = beside.submit(soak, list(range(1, asked.seeds + 1)), asked.intents, asked.processes)
        kept = Path(folder) / "figures"
        kept.touch()
        command = [
            sys.executable,
            "-m",
            "pytest",
            "tests/chaos",
            "-m",
            "soak or not soak",
            "-v",
            "--tb=short",
            *_only(asked.only),
        ]
        tested = subprocess.run(command, cwd=ROOT, env=os.environ | {FILE: str(kept)}, check=False).returncode
        found = recorded(kept)
        tallies = soaking.result()
    wrong = [one for tally in tallies for one in tally.violations]
    soaked = figures(tallies)
    print(*wrong, soaked, sep="\n", flush=True)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    where = f"{now}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end."
    if tested:
        where += f" pytest ended with {tested}: what it did not reach is not in the figures."
    scoreboard.write(scoreboard.lines(soaked, found), where)
    print(f"{scoreboard.FILE} written; soak violations {len(wrong)}, pytest {tested}")
    return 1 if wrong or tested else 0


def _only(words: str) -> list[str]:
    return ["-k", words] if words else []


if __name__ == "__main__":
    sys.exit(main())
