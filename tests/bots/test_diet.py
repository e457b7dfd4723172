"""What a bot must not carry: packages that cost tens of megabytes each and are for others (dependencies.md)."""

from __future__ import annotations

import json
import subprocess
import sys

from shared.config import ROOT

HEAVY = ("pandas", "polars", "plotly", "streamlit", "exchange_calendars", "supabase", "rich", "alembic", "psycopg")


def test_a_bot_imports_nothing_heavy() -> None:
    code = f"import bots.__main__, json, sys; print(json.dumps([one for one in {HEAVY!r} if one in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
