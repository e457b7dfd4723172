"""The store on PostgreSQL: outbox rows a second beside COPY in the same run; a config edit until the bot runs by it.

Needs TEST_POSTGRES_URL; with PgBouncer installed the same through a transaction-mode pooler.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import Engine

from bench.first_light import show
from bots.wakes import Ear
from shared import schema
from shared.clock import SystemClock
from shared.db import open_engine, reading, writing
from shared.models import BrokerageAccount, Owner
from shared.store import heartbeats, sync
from tests.bots.stage import open_stage, wait_until
from tests.pooler import installed, pooler_before, through
from tests.supabase import for_the_store, new_database

BATCHES = (100, 400, 10_000)  # 400: what a bot sends at once when it has a backlog
ROUNDS = 7
EDITS = 40
PLAIN = (
    "client_order_id text, symbol text, side text, qty int, price numeric, order_type text, time_in_force text, venue text, "
    "currency text, status text, filled_qty int, avg_fill_price numeric, reason text, origin text, placed_at timestamptz, "
    "updated_at timestamptz, trade_date text, session text, raw jsonb, account_id int"
)
NAMES = [part.split()[0] for part in PLAIN.split(", ")]


def run() -> None:
    server = os.environ.get("TEST_POSTGRES_URL")
    if server is None:
        print("left out: no TEST_POSTGRES_URL")
        return
    with new_database(server) as address:
        engine = open_engine(for_the_store(address))
        schema.upgrade(engine)
        with writing(engine) as session:
            session.add(Owner(id=1, name="o", created_at=SystemClock().wall_now()))
            session.flush()
            session.add(_account())
        for size in BATCHES:
            _upserts(engine, address, size)
        engine.dispose()
        with _pool(server) as port:
            if port is not None:
                pooled = open_engine(through(for_the_store(address), port))
                show("  400 rows, through the pooler", _rates(lambda rows: _ours(pooled, rows), 400), "rows/s")
                pooled.dispose()
    _edits(server)


@contextmanager
def _pool(server: str) -> Iterator[int | None]:
    if not installed():
        yield None
        return
    with pooler_before(server, Path(tempfile.mkdtemp(prefix="pool"))) as port:
        yield port


def _account() -> BrokerageAccount:
    return BrokerageAccount(
        id=1,
        owner_id=1,
        nickname="a",
        broker="KIS",
        market="US",
        environment="SIM",
        created_at=SystemClock().wall_now(),
    )


def _rows(size: int, turn: int) -> list[dict[str, Any]]:
    """Half of them are there already."""
    now = SystemClock().wall_now().isoformat()
    return [
        {
            "client_order_id": f"{size}-{turn * size // 2 + n}", "symbol": "AAPL", "side": "BUY", "qty": 10,
            "price": "211.5", "order_type": "LIMIT", "time_in_force": "DAY", "venue": "NASDAQ", "currency": "USD",
            "status": "ACCEPTED", "filled_qty": 0, "avg_fill_price": None, "reason": "rsi < 30", "origin": "rule",
            "placed_at": now, "updated_at": now, "trade_date": "2026-11-20", "session": "REGULAR",
            "raw": {"signal": "s", "asked": [10, "211.5"], "reduces": False},
        }
        for n in range(size)
    ]  # fmt: skip


def _rates(work: Callable[[list[dict[str, Any]]], None], size: int) -> list[float]:
    found = []
    for turn in range(ROUNDS + 2):
        rows = _rows(size, turn)
        started = time.perf_counter()
        work(rows)
        found.append(size / (time.perf_counter() - started))
    return found[2:]


def _upserts(engine: Engine, address: str, size: int) -> None:
    floor: list[float] = []
    ours: list[float] = []
    for _ in range(3):  # in turns, each on an empty table: the same work, and the machine's moods fall on both
        with psycopg.connect(address) as connection:
            connection.execute("truncate orders cascade")
            connection.commit()
            floor += _rates(lambda rows: _copy(connection, rows), size)
            connection.execute("truncate orders cascade")
        ours += _rates(lambda rows: _ours(engine, rows), size)
    singly = _rates(lambda rows: _one_by_one(engine, rows), min(size, 400))
    show(f"outbox → store, {size} rows (goal 10,000)", ours, "rows/s")
    show("  COPY + ON CONFLICT, same run", floor, "rows/s")
    show("  one statement a row, same run", singly, "rows/s")
    print(f"  ratio to COPY {median(ours) / median(floor):.2f}, to one a row {median(ours) / median(singly):.0f}")


def _ours(engine: Engine, rows: list[dict[str, Any]]) -> None:
    with writing(engine) as session:
        sync.apply_all(session, 1, [("orders", row) for row in rows])


def _one_by_one(engine: Engine, rows: list[dict[str, Any]]) -> None:
    with writing(engine) as session:
        for row in rows:
            with session.begin_nested():
                sync.apply(session, 1, "orders", row)


def _copy(connection: psycopg.Connection[Any], rows: list[dict[str, Any]]) -> None:
    """The fastest way there is, without a look at what is in the rows."""
    from psycopg.types.json import Jsonb

    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(f"create temp table told ({PLAIN}) on commit drop")
        with cursor.copy(f"copy told ({', '.join(NAMES)}) from stdin") as copy:
            for row in rows:
                copy.write_row(
                    [Jsonb(row["raw"]) if name == "raw" else 1 if name == "account_id" else row[name] for name in NAMES]
                )
        changed = ", ".join(
            f"{name} = excluded.{name}" for name in NAMES if name not in ("account_id", "client_order_id")
        )
        cursor.execute(
            f"insert into orders ({', '.join(NAMES)}) select {', '.join(NAMES)} from told "
            f"on conflict (account_id, client_order_id) do update set {changed}"
        )


def _edits(server: str) -> None:
    """Another host commits an edit; this host's ear hears it and nudges; the bot says by what version it runs."""
    folder = Path(tempfile.mkdtemp(prefix="edit"))
    with new_database(server) as address:
        stage = open_stage(folder, for_the_store(address), bots_url=for_the_store(address))
        ear = Ear(address, stage.settings.run_dir)
        try:
            account = stage.add_account(1)
            stage.wait_ready(stage.start_bot(account))
            polled = [_edit_ms(stage.engine, account) for _ in range(EDITS // 4)]
            ear.start()
            wait_until("the ear hears", lambda: ear.hears)
            heard = [_edit_ms(stage.engine, account) for _ in range(EDITS)]
        finally:
            ear.close()
            stage.close()
    show("edit elsewhere → in force in the bot, heard (goal 50)", heard, "ms")
    show("  met by the poll, same run", polled, "ms")


def _edit_ms(engine: Engine, account: int) -> float:
    with writing(engine) as session:
        row = session.get_one(BrokerageAccount, account)
        row.config_version += 1
        wanted = row.config_version
    started = time.perf_counter()
    while True:
        with reading(engine) as session:
            beat = heartbeats.beat_of(session, account)
            if beat is not None and beat.config_version >= wanted:
                return (time.perf_counter() - started) * 1000
        time.sleep(0.002)
