"""`make chaos`: the whole proof in pieces, one after the other, then docs/scoreboard.md.

python -m tests.chaos                          # everything; more than an hour on two cores
python -m tests.chaos --list                   # the pieces, and what is kept of each
python -m tests.chaos --only soak-1 wires      # these pieces, then the page from all that is kept
python -m tests.chaos --missing                # those of which nothing is kept
python -m tests.chaos --assemble               # only the page, from what is kept
python -m tests.chaos --table                  # only the tables of the page
"""

from __future__ import annotations

import argparse
import os
import sys

from tests.chaos import scoreboard
from tests.chaos.pieces import PIECES, kept, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="prove the order path under faults")
    names = [piece.name for piece in PIECES]
    parser.add_argument("--only", nargs="+", metavar="PIECE", choices=names, help="run only these pieces")
    parser.add_argument("--missing", action="store_true", help="run only pieces of which nothing is kept")
    parser.add_argument("--list", action="store_true", help="say what is kept")
    parser.add_argument("--assemble", action="store_true", help="write the page from what is kept")
    parser.add_argument("--table", action="store_true", help="write the tables of the page only")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    if asked.table:
        scoreboard.write_table()
        return 0
    before = kept()
    if asked.list:
        for name in names:
            one = before.get(name)
            print(f"{name:22s}{'—' if one is None else f'{one.at} {one.commit} {len(one.failed)} failed'}")
        return 0
    if asked.assemble:
        scoreboard.write(before)
        return 0
    wanted = asked.only or [name for name in names if not (asked.missing and name in before)]
    found = [run(piece, asked.processes) for piece in PIECES if piece.name in wanted]
    scoreboard.write(kept())
    for one in found:
        print(f"{one.name:22s}{one.seconds:6.0f} s  {one.passed} passed", *one.failed, "CUT OFF" if one.cut else "")
    print(f"{scoreboard.FILE} written")
    return 0 if all(one.clean for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
