"""Backtest figures: both engines, a sweep, the command line, and the same bars in other engines where they are installed.

`BENCH_PEERS` names a folder of virtual environments (v-bt: backtesting.py, v-vbt: vectorbt, v-naut: nautilus_trader, v-core: numba and polars),
`BENCH_SCRIPTS` the folder of their scripts. Each peer runs between two rounds of ours, so that a ratio compares one moment.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bots.backtest import Setting
from bots.backtest import run as backtest
from bots.backtest.costs import CostsName
from bots.backtest.family import grid
from bots.backtest.fast import Fill
from bots.backtest.sweep import Task, sweep
from shared.config import ROOT
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule
from tests.bots.backtest.test_gate import CASH, RULE, STATE, minute_bars

SCRIPTS = Path(os.environ.get("BENCH_SCRIPTS", ROOT.parent / "shared" / "bench" / "a_backtest"))
PEERS = Path(os.environ["BENCH_PEERS"]) if "BENCH_PEERS" in os.environ else None
STOPS = "risk: {stop_loss: {enabled: true, percent: 2}, take_profit: {enabled: true, percent: 4}}"
EXPECTED = {10_000: (188, -9_470.0), 100_000: (1_908, 268_760.0), 1_000_000: (19_360, 142_700.0)}
SWEPT = RULE.replace("  timeframe: 1m", "  timeframe: 1m\n  params: {{fast: {{default: 10}}, slow: {{default: 30}}}}")


def run() -> None:
    print(
        f"\nbacktest · load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; median [min … max]", flush=True
    )
    data = {count: minute_bars(count) for count in EXPECTED}
    plain = {
        count: _case(f"fast, {count:,} bars", lambda count=count: _once(data[count], count, "", "none"), count, 9)
        for count in EXPECTED
    }
    full = {
        count: _case(
            f"fast, stops + costs + trade log, {count:,}", lambda count=count: _once(data[count], 0, STOPS), count, 9
        )
        for count in EXPECTED
    }
    slow = {
        count: _case(
            f"replay, {count:,} bars", lambda count=count: _once(data[count], count, "", "none", "replay"), count, 5
        )
        for count in (10_000, 100_000)
    }
    _case("replay, stops + costs, 100,000", lambda: _once(data[100_000], 0, STOPS, "default", "replay"), 100_000, 3)
    swept = _sweep(data[10_000])
    _command_line()
    _gap()
    print(f"{'peak memory of this process':52s}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")
    _peers(plain, full, slow, swept, data)


def _once(data: object, count: int, extra: str, costs: str = "default", engine: str = "fast") -> float:
    rule = parse_rule(RULE.format(*STATE, extra))
    report = backtest(rule, data, symbol="S", market=Market.KRX, cash=CASH, costs=costs, engine=engine)  # type: ignore[arg-type]
    if count:
        assert (len(report.trades.closed), report.final_equity - CASH) == EXPECTED[count], (
            "the figures are not the known ones"
        )
    return report.seconds


def _case(name: str, once: Callable[[], float], bars: int, times: int) -> list[float]:
    once()
    rates = [bars / once() / 1e6 for _ in range(times)]
    _show(name, rates, "M bars/s")
    return rates


def _show(name: str, figures: list[float], unit: str) -> None:
    print(
        f"{name:52s}{median(figures):8.2f} [{min(figures):.2f} … {max(figures):.2f}] {unit}, n={len(figures)}",
        flush=True,
    )


def _sweep(data: object) -> list[float]:
    task = Task(
        parse_rule(SWEPT.format(*STATE, "").replace("period: 10", "period: $fast").replace("period: 30", "period: $slow")),
        "S", data, Setting(Market.KRX, CASH, Fill.NEXT_OPEN, CostsName.NONE),  # type: ignore[arg-type]
    )  # fmt: skip
    combinations = grid({"fast": range(5, 25), "slow": range(30, 80)})
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        found = sweep(task, combinations)
        sorted(found, key=lambda one: one.final_equity, reverse=True)
        seconds.append(time.perf_counter() - began)
    _show("sweep, 1,000 combinations × 10,000 bars, ranked", seconds, "s")
    return seconds


def _command_line() -> None:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        path = Path(folder) / "bars.csv"
        rows = (
            f"{2000 + i // 336}-{1 + i // 28 % 12:02d}-{1 + i % 28:02d},{100 + i % 7},{108 + i % 7},{99},{101 + i % 5},1000"
            for i in range(4_500)
        )
        path.write_text("date,open,high,low,close,volume\n" + "\n".join(rows) + "\n", encoding="utf-8")
        rule = "bots/rules/presets/ma_cross.yaml"
        words = [
            "backtest",
            "run",
            "--rule",
            rule,
            "--data",
            str(path),
            "--symbol",
            "S",
            "--market",
            "KRX",
            "--cash",
            "1e8",
            "--json",
        ]
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "console.cli", *words], check=True, stdout=subprocess.DEVNULL, cwd=ROOT
            )
            seconds.append(time.perf_counter() - began)
    _show("command line → result, 4,500 bars of CSV", seconds, "s")


def _gap() -> None:
    data = minute_bars(100_000, gap=True)
    rule = parse_rule(RULE.format(*STATE, ""))
    for fill in Fill:
        report = backtest(rule, data, symbol="S", market=Market.KRX, cash=CASH, costs="none", fill=fill)
        print(f"{'with gaps, ' + fill:52s}{len(report.trades.closed):8,d} trades {report.final_equity - CASH:+,.0f}")


def _peers(
    plain: dict[int, list[float]],
    full: dict[int, list[float]],
    slow: dict[int, list[float]],
    swept: list[float],
    data: dict[int, object],
) -> None:
    for name, folder, script, *sizes in (
        ("vectorbt", "v-vbt", "eng_vectorbt.py", "1e5,1e6"),
        ("backtesting.py", "v-bt", "eng_backtesting.py", "1e5"),
        ("nautilus_trader", "v-naut", "eng_nautilus.py", "1e4,1e5", "--gap"),  # with gaps: its sweep would take an hour
        ("compiled loops", "v-core", "floor.py", "1e5,1e6"),
    ):
        python = None if PEERS is None else PEERS / folder / "bin" / "python"
        if python is None or not python.exists() or not (SCRIPTS / script).exists():
            print(f"{name}: not here (BENCH_PEERS, BENCH_SCRIPTS)")
            continue
        before = {
            count: [count / _once(data[count], 0, STOPS) / 1e6 for _ in range(9)] for count in (100_000, 1_000_000)
        }
        done = subprocess.run([python, SCRIPTS / script, *sizes], capture_output=True, text=True, check=False)
        after = {
            count: [count / _once(data[count], 0, STOPS) / 1e6 for _ in range(9)] for count in (100_000, 1_000_000)
        }
        for count in slow:
            slow[count] += [count / _once(data[count], count, "", "none", "replay") / 1e6 for _ in range(3)]
        for count in plain:
            plain[count] += [count / _once(data[count], count, "", "none") / 1e6 for _ in range(9)]
        for line in done.stdout.splitlines():
            _peer(json.loads(line), {count: before[count] + after[count] for count in before}, plain, slow, swept)


def _peer(
    row: dict[str, object],
    full: dict[int, list[float]],
    plain: dict[int, list[float]],
    slow: dict[int, list[float]],
    swept: list[float],
) -> None:
    # The best of each: on a shared machine the median measures the neighbours.
    bars, seconds = row.get("bars"), row.get("min_s")
    rate = bars / seconds if isinstance(bars, int) and isinstance(seconds, float) else None
    if row["bench"] == "A.sweep" and row.get("total_s"):
        print(
            f"  {row['case']!s:40s}{row['total_s']!s:>10} s       × ours {float(row.get('min_s') or row['total_s']) / min(swept):8.1f}"
        )  # type: ignore[arg-type]
    elif row["bench"] in ("A.backtest", "A.stops") and isinstance(bars, int) and rate is not None:
        mine = [
            f"{name} {max(found[bars]) * 1e6 / rate:.2f}×"
            for name, found in (("fast+stops+costs", full), ("fast", plain), ("replay", slow))
            if bars in found
        ]
        print(
            f"  {row['case']!s:40s}{rate / 1e6:8.3f} M bars/s ±{row['noise_pct']}% at {bars:,}: ours {', '.join(mine)}",
            flush=True,
        )


if __name__ == "__main__":
    run()
