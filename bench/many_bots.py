"""Many SIM bots on one machine, one PostgreSQL behind a transaction-mode pooler: what each costs, how late they are.

`python -m bench.many_bots [BOTS] [SECONDS]`, not part of `make bench`: 200 bots want 16 GB and a quiet machine.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psycopg
from sqlmodel import select

from bench.first_light import show
from bots.supervision import LEAN_ENVIRONMENT
from shared.db import open_engine, reading
from shared.models import Heartbeat
from shared.store import accounts, heartbeats
from tests.bots.stage import BotProcess, Stage, open_stage, wait_until
from tests.pooler import pooler_before, through
from tests.supabase import for_the_store, new_database

AT_ONCE = 2  # starting at the same time, as many as there are cores
SERVERS = 10  # server connections the pooler may open
QUIET = """
version: "1.0"
metadata: {name: quiet}
strategy:
  id: quiet
  timeframe: 1m
  evaluate: tick
  indicators: [{id: rsi, alias: rsi, params: {period: 14}}]
  entry: {logic: AND, conditions: [{indicator: rsi, operator: less_than, value: 3}]}
  exit: {logic: OR, conditions: [{indicator: rsi, operator: greater_than, value: 97}]}
risk: {stop_loss: {enabled: true, percent: 5}}
sizing: {mode: shares, value: 1}
execution: {order_type: LIMIT, offset_ticks: 3, cooldown_sec: 60}
universe: ["AAPL", "MSFT"]
"""


def run(count: int = 60, seconds: int = 60) -> None:
    server = os.environ["TEST_POSTGRES_URL"]
    print(f"{count} bots, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="many"))
    pool = Path(tempfile.mkdtemp(prefix="pool"))
    with new_database(server) as address, pooler_before(server, pool, SERVERS) as port:
        stage = open_stage(folder, for_the_store(address), bots_url=through(for_the_store(address), port))
        try:
            _start(stage, count)
            _measure(stage, address, seconds)
        finally:
            stage.close()
    shutil.rmtree(folder)
    shutil.rmtree(pool)


def _start(stage: Stage, count: int) -> None:
    os.environ |= LEAN_ENVIRONMENT | {"PYTHONOPTIMIZE": "2", "PYTHONNODEBUGRANGES": "1"}  # as supervisord does
    numbers = [stage.add_account(number + 1) for number in range(count)]
    for number in numbers:
        stage.add_rule(number, QUIET)
    took: list[float] = []
    for first in range(0, count, AT_ONCE):
        wave = [(stage.start_bot(number), time.monotonic()) for number in numbers[first : first + AT_ONCE]]
        for bot, started in wave:
            wait_until("the bot is READY", lambda bot=bot: _ready(stage, bot), 600)  # type: ignore[misc]
            took.append(time.monotonic() - started)
    show(f"process start → READY, {AT_ONCE} at once", took, "s")


def _ready(stage: Stage, bot: BotProcess) -> bool:
    assert bot.process.poll() is None, bot.log.read_text()
    found = stage.heartbeat(bot.account_id)
    return found is not None and found.pid == bot.process.pid and found.state == "READY"


def _measure(stage: Stage, address: str, seconds: int) -> None:
    time.sleep(30)  # past the start
    pids = [bot.process.pid for bot in stage.bots]
    engine = open_engine(for_the_store(address))
    late: list[float] = []
    looks: list[float] = []
    connections: list[float] = []
    cpu, before, began = sum(map(_cpu_s, pids)), _counters(address), time.monotonic()
    while time.monotonic() - began < seconds:
        started = time.perf_counter()
        with reading(engine) as session:
            beats, rows = heartbeats.all_beats(session), accounts.live_accounts(session)
        looks.append((time.perf_counter() - started) * 1000)
        assert len(beats) == len(rows) == len(pids)
        with reading(engine) as session:
            now = heartbeats.store_time(session, stage.clock.wall_now())
            late += [max((now - beat.at).total_seconds() - 2.0, 0.0) for beat in session.exec(select(Heartbeat))]
        connections.append(_counters(address)["connections"])
        time.sleep(1)
    passed, after = time.monotonic() - began, _counters(address)
    show("PSS of a bot (aim 45, goal 60)", [_memory_mb(pid) for pid in pids], "MB")
    show("heartbeat later than its 2 s", late, "s")
    print(f"{'  p99':52s}{quantiles(late, n=100)[98]:8.1f} s")
    show("state of all, as the console reads it (goal 20)", looks, "ms")
    show("connections at the server, pooled", connections, "")
    used = (sum(map(_cpu_s, pids)) - cpu) / passed
    print(f"{'processor of all bots':52s}{used * 100:8.0f} % of a core, {used / len(pids) * 1000:.1f} ms/s each")
    for name, unit in (("transactions", "/s"), ("wal", "B/s"), ("size", "B/s")):  # wal: of the whole server
        rate = (after[name] - before[name]) / passed
        print(f"{name + ' of the store':52s}{rate:8.0f} {unit}, {rate / len(pids):.1f} each")
    states = {beat.state for beat in beats}
    print(
        f"states at the end: {sorted(states)}; load average {os.getloadavg()[0]:.1f}; median late {median(late):.2f} s"
    )
    engine.dispose()


def _counters(address: str) -> dict[str, float]:
    with psycopg.connect(address) as connection:
        row: Any = connection.execute(
            "select (select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()), "
            "xact_commit + xact_rollback, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'), pg_database_size(datname) "
            "from pg_stat_database where datname = current_database()"
        ).fetchone()
    return dict(zip(("connections", "transactions", "wal", "size"), map(float, row), strict=True))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:"))) / 1024


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))
