"""First light's figures: memory of a bot, tick → order, edit → applied, kill -9 → READY. Real processes, ports + 6500."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from shared.config import ROOT
from tests.e2e.desk import Desk, wait_until

OFFSET = 6500
RUNS = 5
IMPORT = """
import bots.__main__
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""
FLOOR = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmRSS')))"
EAGER = """
version: "1.0"
metadata: {name: eager}
strategy:
  id: eager
  timeframe: 1m
  evaluate: tick
  indicators: [{id: sma, alias: fast, params: {period: 2}}]
  entry: {logic: AND, conditions: [{indicator: fast, operator: greater_than, value: 0}]}
  exit: {logic: OR, conditions: [{indicator: fast, operator: greater_than, value: 0}]}
sizing: {mode: shares, value: 1}
execution: {order_type: LIMIT, offset_ticks: 5}
universe: ["AAPL", "MSFT", "NVDA", "TSLA", "SPY"]
"""


def run() -> None:
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; median [min … max] of n")
    imported = [_rss_mb(IMPORT) for _ in range(RUNS)]
    floor = [_rss_mb(FLOOR) for _ in range(RUNS)]
    show("bot, RSS after import (goal 95, aim 80)", imported, "MB")
    show("  bare Python, same run", floor, "MB")
    print(f"  ratio {median(imported) / median(floor):.1f}")
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        running_desk(Path(folder) / "desk")
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        tick_to_order(Path(folder) / "desk")


def show(name: str, figures: list[float], unit: str) -> None:
    spread = f"{median(figures):8.1f} [{min(figures):.1f} … {max(figures):.1f}]" if figures else "       – no sample"
    print(f"{name:52s}{spread} {unit}, n={len(figures)}", flush=True)


def _rss_mb(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def running_desk(folder: Path) -> None:
    """The demo desk under supervisord: memory of both bots, an edited configuration, a killed bot."""
    desk = Desk(folder, OFFSET)
    desk.make()
    desk.setup()
    desk.start()
    try:
        wait_until("both bots are ready", lambda: _ready(desk, 1) and _ready(desk, 2), 90)
        time.sleep(20)  # past the start: tokens, bars and first orders are behind it
        pids = [desk.program(f"bot-{account}")[1] for account in (1, 2)]
        show(
            "bot running READY, PSS (goal 75, aim 60)", [_memory_mb(pid, "smaps_rollup", "Pss:") for pid in pids], "MB"
        )
        show("bot running READY, RSS", [_memory_mb(pid, "status", "VmRSS:") for pid in pids], "MB")
        show("edit → applied, polled (goal ≤ 2000)", [_edit_ms(desk, False) for _ in range(RUNS)], "ms")
        show("edit → applied, as the console does (nudged)", [_edit_ms(desk, True) for _ in range(RUNS)], "ms")
        show("kill -9 → READY", [_killed_s(desk) for _ in range(3)], "s")
    finally:
        desk.stop()


def _ready(desk: Desk, account: int, besides: int = 0) -> bool:
    rows = desk.rows("SELECT state, pid FROM heartbeats WHERE account_id = :id", id=account)
    return bool(rows) and rows[0]["state"] == "READY" and rows[0]["pid"] != besides


def _memory_mb(pid: int, file: str, field: str) -> float:
    text = Path(f"/proc/{pid}/{file}").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(field))) / 1024


def _edit_ms(desk: Desk, nudged: bool) -> float:
    with sqlite3.connect(desk.folder / "var" / "letstrade.db", timeout=10) as connection:
        connection.execute("UPDATE brokerage_accounts SET config_version = config_version + 1 WHERE id = 1")
    connection.close()
    started = time.monotonic()
    if nudged:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.sendto(b"", str(desk.folder / "var" / "run" / "bot-1.sock"))
    applied = (
        "SELECT 1 FROM heartbeats h JOIN brokerage_accounts a ON a.id = h.account_id "
        "WHERE a.id = 1 AND h.config_version = a.config_version"
    )
    return _until_ms(started, lambda: bool(desk.rows(applied)))


def _killed_s(desk: Desk) -> float:
    pid = desk.program("bot-1")[1]
    started = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    took = _until_ms(started, lambda: _ready(desk, 1, besides=pid)) / 1000
    time.sleep(12)  # past startsecs: each kill meets a settled program
    return took


def _until_ms(started: float, check: Callable[[], bool]) -> float:
    wait_until("what is measured happens", check, 90, pause=0.02)
    return (time.monotonic() - started) * 1000


def tick_to_order(folder: Path) -> None:
    """The exchange and one bot with a stopwatch in it; rules that trade whenever they may."""
    desk = Desk(folder, OFFSET)
    desk.make()
    desk.setup("--no-demo")
    keys = {"app_key": "PS" + "b1" * 17, "app_secret": "s3cr3t" * 30, "account_no": "12345678-01"}
    limits = [f"--{name}={amount}" for name, amount in LIMITS.items()]
    desk.cli("account", "add", "bench", "--broker=KIS", "--market=US", "--env=SIM", *limits, stdin=json.dumps(keys))
    (desk.folder / "eager.yaml").write_text(EAGER, encoding="utf-8")
    for _ in range(4):
        rule = desk.cli("rule", "add", "eager.yaml", "--account", "1", "--max-position", "5")
        desk.cli("rule", "enable", str(rule["id"]))
    desk.cli("account", "enable", "1")
    exchange = _start(desk, "console.cli", "exchange", "serve")
    try:
        wait_until("the exchange answers", desk.exchange_answers, 30)
        told = desk.folder / "told.json"
        _start(desk, "bench.probe", "1", str(told), "60").wait(120)
        found = json.loads(told.read_text(encoding="utf-8"))
    finally:
        exchange.terminate()
        exchange.wait(30)
    show("tick received → order handed to the wire", found["tick_to_order_ms"], "ms")
    show("  one journal write, same run (the order needs two)", found["journal_write_ms"], "ms")
    if found["tick_to_order_ms"]:
        ratio = median(found["tick_to_order_ms"]) / (2 * median(found["journal_write_ms"]))
        print(f"  ratio to two writes {ratio:.1f}")


LIMITS = {
    "max-order-amount": 5_000, "max-symbol-amount": 50_000, "max-daily-buy": 2_000_000, "max-daily-loss": 50_000,
    "max-trades-per-day": 10_000,
}  # fmt: skip


def _start(desk: Desk, *words: str) -> subprocess.Popen[bytes]:
    with (desk.folder / "bench.log").open("ab") as log:
        return subprocess.Popen([desk.python, "-m", *words], cwd=desk.folder, env=desk.env, stdout=log, stderr=log)
