"""`python -m bench [PART …]`: measure and print. The machine's other work is part of every figure: read the spread."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = ("first_light", "decision", "indicators")

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        print(f"== {part}")
        import_module(f"bench.{part}").run()
