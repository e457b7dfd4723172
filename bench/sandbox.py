"""Python strategies: starting a fenced child, asking it, and what the bot's loop feels while one spins.

Floors of the same run: an interpreter that imports nothing, and a bare child that echoes the same bytes over its pipes.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bots.rules.python_strategy import PythonStrategy
from bots.rules.sandbox.check import sample_bars
from bots.rules.sandbox.faults import StrategyFault
from bots.rules.sandbox.process import Child
from bots.rules.series import MarketView
from shared.domain.rule.parse import parse_rule

STARTS, CALLS, BULKS, SPINS = 30, 3000, 500, 8
SMALL = "def on_bar(ctx):\n    return 'BUY' if ctx.close[-1] > ctx.open[-1] else 'SELL'\n"
BULK = "def on_bar(ctx):\n    return 'BUY' if sum(ctx.close[-200:]) / 200 > ctx.close[-1] else 'SELL'\n"
HONEST = "def on_bar(ctx):\n    return 'BUY' if ctx.sma(5) > ctx.sma(20) else 'SELL'\n"
SPINS_FOREVER = "def on_bar(ctx):\n    while True:\n        pass\n"
ECHO = """
import os
while True:
    head = os.read(0, 65536)
    if not head: break
    os.write(1, head)
"""
AT = datetime(2026, 1, 5, tzinfo=UTC)
BARS = sample_bars(60)
ROWS = [[int(BARS.starts[n]), *(float(one[n]) for one in (BARS.open, BARS.high, BARS.low, BARS.close, BARS.volume))] for n in range(200)]  # fmt: skip


def run() -> None:
    _tell("start, bare interpreter", [_timed(_bare) for _ in range(STARTS)])
    _tell("start, fenced child with source", [_timed(_start) for _ in range(STARTS)])
    _tell("echo of 100 bytes, bare child", _echo())
    child = Child(SMALL, {})
    child.start()
    asked = {"call": "on_bar", "symbol": "A", "at": 0.0, "price": 1.0, "bars": ROWS[:1], "fresh": True}
    _tell("small call", [_timed(lambda: child.ask(asked, 5.0)) for _ in range(CALLS)])
    pages = [
        line for line in Path(f"/proc/{child.pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")
    ]
    print(f"  memory of a child (its own share): {int(pages[0].split()[1]) / 1024:.1f} MiB; fence {child.fence}")
    child.end()
    child = Child(BULK, {})
    child.start()
    asked["bars"] = ROWS
    _tell("call with 200 bars", [_timed(lambda: child.ask(asked, 5.0)) for _ in range(BULKS)])
    child.end()
    _tell("decision per bar (stops, new bar, two averages)", _decisions())
    asyncio.run(_beside())


def _bare() -> None:
    subprocess.run([sys.executable, "-S", "-s", "-P", "-c", "pass"], check=True, env={})


def _start() -> None:
    child = Child(SMALL, {})
    child.start()
    child.end()


def _echo() -> list[float]:
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdin and process.stdout
    ours, theirs = process.stdin, process.stdout

    def once() -> None:
        ours.write(b"x" * 100)
        theirs.read(100)

    found = [_timed(once) for _ in range(CALLS)]
    process.stdin.close()
    process.wait()
    return found


def _decisions() -> list[float]:
    strategy = PythonStrategy(parse_rule(HONEST), deadline_s=5.0)
    strategy.start()
    found = []
    for _ in range(4):
        for count in range(30, 250):
            view = MarketView("A", AT + timedelta(minutes=count), BARS.until(count), True, float(BARS.close[count - 1]))
            found.append(_timed(lambda view=view: strategy.decide(view)))  # type: ignore[misc]
    strategy.end()
    return found


async def _beside() -> None:
    """How late a timer of 1 ms comes while a child runs into its deadline, and while nothing else runs."""
    _tell("loop lag, nothing else running", await _lag(asyncio.sleep(2.0)))
    strategy = PythonStrategy(parse_rule(SPINS_FOREVER))
    late, waits = [], []
    for _ in range(SPINS):
        await strategy.start_soon()
        began = time.perf_counter()
        late += await _lag(_refused(strategy))
        waits.append((time.perf_counter() - began) * 1000)
    strategy.end()
    _tell("loop lag while a child spins, killed at 250 ms", late)
    _tell("from the question to the next free moment", waits)


async def _refused(strategy: PythonStrategy) -> None:
    try:
        await strategy.decide_soon(MarketView("A", AT, BARS, True, 100.0))
    except StrategyFault:
        return


async def _lag(work: object) -> list[float]:
    task, found = asyncio.ensure_future(work), []  # type: ignore[call-overload]
    while not task.done():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        found.append((time.perf_counter() - began) * 1000 - 1.0)
    await task
    return found


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _tell(name: str, found: list[float]) -> None:
    found = sorted(found)
    p99 = found[min(len(found) - 1, int(len(found) * 0.99))]
    print(f"  {name}: p50 {statistics.median(found):.3f} ms, p99 {p99:.3f} ms ({len(found)})", flush=True)
