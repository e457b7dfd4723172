"""`python -m bench [NAME …]`: measure and print. The machine's other work is part of every figure: read the spread."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "wire",
    "exchange",
    "decision",
    "indicators",
    "backtest",
    "sandbox",
    "order_path",
    "first_light",
    "alerts",
    "console",
    "console_load",
    "console_pages",
    "store",
)  # bench/NAME.py, each with run()

if __name__ == "__main__":
    wanted = sys.argv[1:] or list(NAMES)
    if unknown := [name for name in wanted if name not in NAMES]:
        sys.exit(f"no bench named {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for name in wanted:
        print(f"== {name}", flush=True)
        importlib.import_module(f"bench.{name}").run()
