"""`python -m bench`: measure and print. The machine's other work is part of every figure: read the spread."""

from __future__ import annotations

from bench.first_light import run

if __name__ == "__main__":
    run()
