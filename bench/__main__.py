"""`python -m bench [NAME]`: measure and print. The machine's other work is part of every figure: read the spread."""

from __future__ import annotations

import sys

from bench import exchange, first_light

MEASURES = {"first_light": first_light.run, "exchange": exchange.run}

if __name__ == "__main__":
    for name in sys.argv[1:] or list(MEASURES):
        MEASURES[name]()
