"""`python -m bench order_path`: what one intent costs the journal, beside bare SQLite with the same settings."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from statistics import median

from bots import journal_rows as rows
from bots.journal import Changes, Journal
from bots.lots import LotBook
from bots.own_orders import OwnOrders
from shared.clock import SystemClock
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderRequest, Side

KEY = AccountKey(1, BrokerName.KIS, Market.US, Environment.SIM, 1)
INTENTS = 1000
EVENT = (
    "INSERT INTO events(client_order_id, kind, from_status, to_status, wall_at, market_at, why, data) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
OUTBOX = "INSERT INTO outbox(stream, stream_seq, key, body) VALUES (?, ?, ?, ?)"
NOW = "2026-11-21T08:00:00.123456+00:00"


def run() -> None:
    """Alternate both, intent by intent, so that the machine's other work meets both."""
    with tempfile.TemporaryDirectory(prefix="bench", dir=".") as folder:  # a real disk, not memory
        whole, ours, floor = asyncio.run(_race(Path(folder)))
    _show("one intent opened: rows built, then committed", whole)
    _show("  its journal commit alone", ours)
    _show("  bare SQLite, WAL + FULL, the same rows, own thread", floor)
    print(f"  commit to bare, ratio of medians {median(ours) / median(floor):.2f} (goal ≤ 1.2)")


def _show(name: str, figures: list[float]) -> None:
    figures = sorted(figures)
    p99 = figures[int(len(figures) * 0.99)]
    print(f"{name:56s}p50 {median(figures):6.2f} ms   p99 {p99:6.2f} ms   n={len(figures)}", flush=True)


class Timed(Journal):
    """The journal with a stopwatch around its commits."""

    took: list[float]

    async def write(self, changes: Changes) -> int:
        started = time.perf_counter()
        seq = await super().write(changes)
        self.took.append((time.perf_counter() - started) * 1000)
        return seq


async def _race(folder: Path) -> tuple[list[float], list[float], list[float]]:
    """Whole intents as the desk opens them, their commits alone, and the floor beside them."""
    journal, clock = await Timed.open(folder / "journal.db", KEY), SystemClock()
    assert isinstance(journal, Timed)
    journal.took = []
    state = await journal.load(clock.wall_now().date())
    orders = OwnOrders(journal, clock, state, LotBook(()), 1)
    bare = Bare(folder / "bare.db")
    loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(max_workers=1)
    whole: list[float] = []
    floor: list[float] = []
    for number in range(INTENTS):
        request = OrderRequest(
            symbol="AAPL", side=Side.BUY, quantity=1, price=Decimal(100), venue=Venue.NASDAQ, currency=Currency.USD,
            client_order_id=orders.next_id(),
        )  # fmt: skip
        started = time.perf_counter()
        await orders.open_intent(request, clock.wall_now().date(), None, None)
        whole.append((time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        await loop.run_in_executor(thread, bare.commit, number)
        floor.append((time.perf_counter() - started) * 1000)
    await journal.close()
    await loop.run_in_executor(thread, bare.connection.close)
    thread.shutdown()
    return whole, journal.took, floor


class Bare:
    """The same tables and rows by bare statements, in one transaction."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
            self.connection.execute(f"PRAGMA {pragma}")
        rows.create(self.connection)
        self.connection.executemany("INSERT INTO streams VALUES (?, 0)", [("orders",), ("order_events",)])

    def commit(self, number: int) -> None:
        execute, name = self.connection.execute, f"1-20261121{number:08d}-{number}"
        execute("BEGIN IMMEDIATE")
        order = (name, None, None, None, "AAPL", "BUY", 1, "100", 1, "100", "LIMIT", "DAY", "NASDAQ", "USD", 0, "")
        rest = ("PENDING", "2026-11-21", NOW, NOW, None, None, None, "", 0, "0", None, 0, "", "REGULAR")
        execute(f"INSERT INTO orders VALUES ({', '.join('?' * len(order + rest))})", order + rest)
        for kind in ("DECISION", "INTENT"):
            execute(EVENT, (name, kind, "", "PENDING", NOW, NOW, "", ""))
        for stream, size in (("orders", 480), ("order_events", 190), ("order_events", 190)):
            execute("UPDATE streams SET last_seq = last_seq + 1 WHERE stream = ?", (stream,))
            execute(OUTBOX, (stream, number, name, "x" * size))
        execute("COMMIT")
