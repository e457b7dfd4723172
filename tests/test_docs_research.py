"""docs/research.md from the top to the bottom, as it stands, on a machine where nothing was set up."""

from __future__ import annotations

import json
import shlex
from datetime import date, timedelta
from pathlib import Path

from docs.presets.pictures import seeded_bars
from shared.config import ROOT
from tests.console.cli.terminal import Terminal
from tests.test_docs import commands


def test_every_command_of_the_research_walk_works_in_its_order(tmp_path: Path) -> None:
    bars, day = seeded_bars(5, 400, 220.0), date(2024, 1, 1)
    rows = zip(bars.open, bars.high, bars.low, bars.close, strict=True)
    lines = [
        f"{day + timedelta(days=at)},{o:.2f},{h:.2f},{lo:.2f},{c:.2f},50000" for at, (o, h, lo, c) in enumerate(rows)
    ]
    (tmp_path / "BARS.csv").write_text("date,open,high,low,close,volume\n" + "\n".join(lines) + "\n", encoding="utf-8")
    terminal, ran = Terminal(tmp_path / "home"), 0
    for line in commands(ROOT / "docs" / "research.md"):
        words = [str(tmp_path / one) if one.endswith((".csv", ".html")) else one for one in shlex.split(line)[3:]]
        said = terminal.run(*words, "--json")
        assert said.code == 0 and json.loads(said.out), said
        ran += 1
    assert ran == 8
    assert all((tmp_path / one).stat().st_size for one in ("report.html", "trades.csv", "map.html"))
