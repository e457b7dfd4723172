"""What a bot carries into memory: nothing it does not use (dependencies.md; performance.md C)."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from bots.supervision import LEAN_ENVIRONMENT, LEAN_PYTHON
from shared.config import ROOT

CODE = """
import json, sys
import bots.__main__, brokers.kis.adapter, brokers.ls.adapter
pages = int(open("/proc/self/statm").read().split()[1])
print(json.dumps({"rss_mib": pages * 4096 / 2**20, "modules": sorted(sys.modules)}))
"""
HEAVY = {
    "aiohttp", "alembic", "exchange_calendars", "h2", "httpcore", "numba", "pandas", "plotly", "polars", "psycopg",
    "pydantic", "rich", "shared.models", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "sqlmodel", "streamlit",
    "supabase",
}  # fmt: skip


def test_a_bot_imports_no_heavy_package_and_stays_under_80_mib() -> None:
    environment = os.environ | LEAN_ENVIRONMENT
    for _ in range(2):  # the first may compile what it imports, as a first start does
        done = subprocess.run(
            [sys.executable, *LEAN_PYTHON, "-c", CODE],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = json.loads(done.stdout)
    assert not HEAVY & set(found["modules"])
    assert found["rss_mib"] <= 80
