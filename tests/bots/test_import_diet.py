"""What a bot carries into memory: nothing it does not use."""

from __future__ import annotations

import json
import subprocess
import sys

from shared.config import ROOT

CODE = """
import json, sys
import bots.bootstrap
pages = int(open("/proc/self/statm").read().split()[1])
print(json.dumps({"rss_mib": pages * 4096 / 2**20, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""
HEAVY = {
    "pandas",
    "polars",
    "plotly",
    "streamlit",
    "exchange_calendars",
    "supabase",
    "numba",
    "aiohttp",
    "psycopg",
    "rich",
}


def test_a_bot_imports_no_heavy_package_and_stays_under_95_mib() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert not HEAVY & set(found["modules"])
    assert found["rss_mib"] <= 95
