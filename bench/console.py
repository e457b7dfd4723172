"""The console on a desk of 20 accounts with a year behind it: every panel's service, and its drawing, in milliseconds.

Builds a SQLite store with 1,000,000 log rows, 200,000 orders and what belongs to them (about a minute), in a folder that
is removed afterwards. `LETSTRADE_BENCH_SMALL=1` builds a hundredth of it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from sqlalchemy import Engine, event, text

ACCOUNTS, DAYS, ROUNDS = 20, 365, 25
SMALL = os.environ.get("LETSTRADE_BENCH_SMALL") == "1"
LOGS, ORDERS = (10_000, 2_000) if SMALL else (1_000_000, 200_000)
SYMBOLS = ("AAPL", "MSFT", "NVDA", "TSLA", "SPY")
_AT = "%Y-%m-%dT%H:%M:%S.%f+00:00"  # as shared/columns.py keeps moments on SQLite


def run() -> None:
    from console import wiring as wired
    from tests.console import desks

    folder = Path(tempfile.mkdtemp(prefix="letstrade-bench-"))
    try:
        desk = desks.empty_desk(folder)
        wired.use(desk.wiring)
        began = time.perf_counter()
        fill(desk.wiring.engine, datetime.now(UTC))
        size = (folder / "letstrade.db").stat().st_size / 1e6
        took = time.perf_counter() - began
        print(
            f"  store: {ACCOUNTS} accounts, {LOGS:,} log rows, {ORDERS:,} orders, {size:,.0f} MB, built in {took:.0f} s"
        )
        print(f"  {'':34} {'read anew':^44} {'nothing moved':^26}")
        heads = ("first", "p50", "p95", "cpu", "queries", "p50", "p95", "queries")
        print(f"  {'panel':34} " + " ".join(f"{head:>8}" for head in heads) + "   (ms)")
        _rolled_up(desk)
        for name, call in panels(desk).items():
            _measure(name, call, desk.wiring.engine)
        _sizes(desk)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def panels(desk: object) -> dict[str, Callable[[], object]]:
    """What each live panel asks on a refresh."""
    from console.services import (
        alerts,
        events,
        holdings,
        inbox,
        incidents,
        logs,
        market,
        orders,
        overview,
        profit,
        risk,
        rule_board,
        sign_ins,
        system,
        vitals,
    )
    from shared.domain.market import Timeframe
    from shared.models import Role
    from shared.store.panels import LogFilter, OrderFilter

    w, me = desk.wiring, desk.actor(Role.ADMIN)  # type: ignore[attr-defined]
    today = datetime.now(UTC).date()
    open_only = OrderFilter(statuses=frozenset({"ACCEPTED"}))
    rare = LogFilter(levels=frozenset({"ERROR"}), text="nowhere to be found")
    return {
        "control: overview": lambda: overview.overview(w, me),
        "control: waiting": lambda: alerts.inbox(w, me),
        "control: events": lambda: events.recent(w, me),
        "control: equity, a month": lambda: holdings.equity_curves(w, me, timedelta(days=31)),
        "account: head": lambda: overview.overview(w, me, only=3),
        "account: orders": lambda: orders.listed(w, me, account_id=3, limit=100),
        "account: decisions": lambda: holdings.decisions(w, me, 3),
        "positions": lambda: holdings.positions(w, me),
        "orders: all": lambda: orders.listed(w, me),
        "orders: open": lambda: orders.listed(w, me, wanted=open_only),
        "orders: one symbol": lambda: orders.listed(w, me, wanted=OrderFilter(symbol="SPY")),
        "orders: fills": lambda: orders.fills(w, me),
        "logs: newest": lambda: logs.newest(w, me, LogFilter()),
        "logs: errors": lambda: logs.newest(w, me, LogFilter(levels=frozenset({"ERROR"}))),
        "logs: a page of a search": lambda: logs.page(w, me, rare),
        "logs: incidents of a week": lambda: incidents.timeline(w, me, timedelta(days=7)),
        "system: a day of the bots": lambda: vitals.day(w, me),
        "system: order latency": lambda: vitals.latency(w, me),
        "risk": lambda: risk.view(w, me),
        "rules": lambda: rule_board.board(w, me),
        "risk: exposure": lambda: holdings.exposure(w, me),
        "inbox": lambda: inbox.matters(w, me),
        "logs: text that is nowhere": lambda: logs.newest(w, me, rare),
        "market: quotes": lambda: market.quotes(w, me),
        "market: 400 one-minute candles": lambda: market.chart(w, me, "SIM", "US", "AAPL", Timeframe.M1),
        "profit: the year": lambda: profit.statement(w, me, today - timedelta(days=366), today),
        "system: bots": lambda: system.bots(w, me),
        "system: database": lambda: system.store_facts(w, me),
        "people: trail": lambda: sign_ins.trail(w, me),
    }


def _rolled_up(desk: object) -> None:
    """What the console does beside serving when it starts: the first time ever, and after a restart."""
    from console.services import profit

    for when in ("first start", "a restart"):
        profit._ledgers.clear()
        began = time.perf_counter()
        profit.keep(desk.wiring)  # type: ignore[attr-defined]
        print(f"  earnings brought up to date beside serving, {when}: {time.perf_counter() - began:.2f} s")


def _measure(name: str, call: Callable[[], object], engine: Engine) -> None:
    """Read anew each time, then as viewers do: the numbers are asked on every look, the reading is held."""
    from console.services import changes

    started = time.perf_counter()
    call()
    first = (time.perf_counter() - started) * 1000
    anew = _timed(call, engine, 5 if first > 500 else ROUNDS)
    changes.share(1e-9)
    call()
    held = _timed(call, engine, ROUNDS)
    changes.share(0)
    print(f"  {name:34} {first:8.1f} " + " ".join(f"{one:8.1f}" for one in (*anew, held[0], held[1], held[3])))


def _timed(call: Callable[[], object], engine: Engine, rounds: int) -> tuple[float, float, float, float]:
    """p50, p95, CPU in milliseconds, and statements per call (BEGIN is not counted)."""
    asked = [0]

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked[0] += statement != "BEGIN"

    event.listen(engine, "before_cursor_execute", count)
    times, cpu = [], []
    for _ in range(rounds):
        started, worked = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - worked) * 1000)
    event.remove(engine, "before_cursor_execute", count)
    cuts = quantiles(times, n=20)
    return cuts[9], cuts[18], median(cpu), asked[0] / rounds


def _sizes(desk: object) -> None:
    """What 10,000 candles weigh on their way to the browser."""
    from console.components.candles import candle_spec
    from console.services.market import Candle, Chart
    from shared.domain.market import Timeframe

    at = datetime.now(UTC)
    candle = (Decimal("211.52"), Decimal("211.71"), Decimal("211.33"), Decimal("211.60"))
    for many in (400, 10_000):  # what the page draws, and the goal's figure
        bars = tuple(Candle(at + timedelta(minutes=n), *candle, 1200 + n % 700) for n in range(many))
        started = time.process_time()
        spec = candle_spec(Chart(bars, (), (), "USD"), Timeframe.M1)
        took = (time.process_time() - started) * 1000
        print(f"  {many:,} candles: {weight(spec) / 1000:,.0f} KB on the wire, {took:.0f} ms of CPU to build")


def weight(spec: dict[str, Any]) -> int:
    """JSON, and the columns of numbers beside it where there are many."""
    import json

    source = spec["dataset"]["source"]
    if isinstance(source, tuple):
        return len(json.dumps(spec, separators=(",", ":")))
    from streamlit.dataframe_util import convert_arrow_table_to_arrow_bytes

    rest = {**spec, "dataset": {**spec["dataset"], "source": {}}}
    return len(json.dumps(rest, separators=(",", ":"))) + len(convert_arrow_table_to_arrow_bytes(source))


def fill(engine: Engine, now: datetime) -> None:
    """Plain SQL: a year of rows is not made through an ORM."""
    with engine.connect().execution_options(letstrade_writes=True) as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        cursor = raw.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("BEGIN IMMEDIATE")
        for table, rows in _rows(now):
            first = next(rows)
            names, marks = ", ".join(first), ", ".join("?" * len(first))
            cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(first.values()))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", (tuple(row.values()) for row in rows))
        cursor.execute("COMMIT")
        cursor.close()
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


Row = dict[str, object]


def _rows(now: datetime) -> Iterator[tuple[str, Iterator[Row]]]:
    at = now.strftime(_AT)
    yield "owners", iter([{"id": 1, "name": "desk", "created_at": at}])
    yield "brokerage_accounts", (_account(n, at) for n in range(1, ACCOUNTS + 1))
    yield "heartbeats", (_beat(n, at) for n in range(1, ACCOUNTS + 1))
    yield (
        "cash_balances",
        (
            {"account_id": n, "currency": "USD", "total": "90000", "buying_power": "88000", "as_of": at}
            for n in range(1, ACCOUNTS + 1)
        ),
    )
    yield "positions", (_position(n, symbol, at) for n in range(1, ACCOUNTS + 1) for symbol in SYMBOLS)
    yield (
        "quotes",
        (
            {"environment": "SIM", "market": "US", "symbol": symbol, "last": "200", "bid": "199.9", "ask": "200.1"}
            | {"prev_close": "198", "source": "stream", "at": at, "received_at": at}
            for symbol in SYMBOLS
        ),
    )
    yield "trade_rules", (_rule(n, at) for n in range(1, 3 * ACCOUNTS + 1))
    yield (
        "fx_rates",
        (
            {"base": "USD", "quote": "KRW", "rate": f"{1390 + n % 40}", "source": "bench"}
            | {"at": (now - timedelta(days=n)).strftime(_AT)}
            for n in range(DAYS + 2)
        ),
    )
    yield "orders", (_order(n, now) for n in range(ORDERS))
    yield "fills", (_fill(n, now) for n in range(ORDERS) if n % 4)
    yield "order_events", (_event(n, step, now) for n in range(ORDERS - 4_000, ORDERS) for step in range(3) if n > 0)
    yield "decisions", (_decision(n, now) for n in range(ORDERS // 2))
    yield "execution_logs", (_log(n, now) for n in range(LOGS))
    yield (
        "equity_snapshots",
        (_equity(a, n, now) for a in range(1, ACCOUNTS + 1) for n in range(DAYS * (1 if SMALL else 96))),
    )
    yield "price_bars", (_bar(symbol, n, now) for symbol in SYMBOLS for n in range(400 if SMALL else 40_000))
    yield "bot_vitals", (_vitals(a, n, now) for a in range(1, ACCOUNTS + 1) for n in range(1, 2_016))
    yield "alerts", (_alert(n, now) for n in range(2_000))
    yield "alerts", (_told(n, now) for n in range(ORDERS) if n % 4)


def _back(n: int, of: int, now: datetime) -> str:
    """The n-th of `of` moments spread over the year, oldest first."""
    return (now - timedelta(days=DAYS) * (1 - (n + 1) / of)).strftime(_AT)


def _account(n: int, at: str) -> Row:
    return {
        "id": n, "owner_id": 1, "nickname": f"계좌 {n}", "broker": "KIS", "market": "US", "environment": "SIM",
        "wire": "live", "last4": f"{n:04d}", "enabled": 1, "desired_generation": 1, "config_version": 1,
        "health_status": "READY", "health_reason": "", "price_collar_pct": "3", "max_data_age_s": 15, "spike_pct": "3",
        "spike_minutes": 5, "entries_on_fallback": 0, "store_outage_entry_s": 300, "failover": "pinned",
        "host_group": "", "created_at": at,
    }  # fmt: skip


def _beat(n: int, at: str) -> Row:
    return {
        "account_id": n, "at": at, "state": "READY", "reason": "", "host": "bench", "pid": n, "started_at": at,
        "code_hash": "abc", "config_version": 1, "change_number": n, "kill_level": 0, "market_at": at, "feed_at": at,
        "feed_source": "stream", "loop_lag_ms": 2.0, "rate_used": 3, "rate_limit": 20, "outbox_depth": 0, "rss_mb": 80,
        "detail": f'{{"blocked": {{"cash": [{n}, 3, "{at}"]}}}}',
    }  # fmt: skip


def _position(n: int, symbol: str, at: str) -> Row:
    return {
        "account_id": n, "symbol": symbol, "name": symbol, "qty": 10, "sellable": 10, "avg_price": "195.5",
        "last_price": "200", "currency": "USD", "guarded_by": 1, "stop_price": "190", "stop_checked_at": at,
        "priced_at": at, "updated_at": at,
    }  # fmt: skip


def _rule(n: int, at: str) -> Row:
    return {
        "id": n, "account_id": 1 + (n - 1) % ACCOUNTS, "name": f"rule {n}", "symbol": SYMBOLS[n % 5], "time_in_force": "DAY",
        "cooldown_sec": 0, "enabled": 1, "created_at": at, "updated_at": at,
    }  # fmt: skip


def _order(n: int, now: datetime) -> Row:
    at = _back(n, ORDERS, now)
    buy = (n // ACCOUNTS) % 2 == 0
    return {
        "id": n + 1, "account_id": 1 + n % ACCOUNTS, "rule_id": 1 + n % (3 * ACCOUNTS), "client_order_id": f"c{n}",
        "broker_order_id": f"{n:010d}", "symbol": SYMBOLS[n % 5], "side": "BUY" if buy else "SELL", "qty": 3,
        "price": f"{190 + n % 20}.5", "order_type": "LIMIT", "time_in_force": "DAY", "venue": "NASDAQ", "currency": "USD",
        "status": "FILLED" if n % 4 else ("ACCEPTED" if n > ORDERS - 60 else "CANCELED"), "filled_qty": 3 if n % 4 else 0,
        "avg_fill_price": f"{190 + n % 20}.5", "reason": "", "origin": "rule", "placed_at": at, "updated_at": at,
        "trade_date": at[:10],
    }  # fmt: skip


def _event(n: int, step: int, now: datetime) -> Row:
    name, before, after = (
        ("INTENT", "", "PENDING"),
        ("SENDING", "PENDING", "SUBMITTED"),
        ("ACKED", "SUBMITTED", "ACCEPTED"),
    )[step]
    return {
        "account_id": 1 + n % ACCOUNTS, "order_id": n + 1, "seq": 3 * n + step, "at": _back(n, ORDERS, now),
        "event": name, "from_status": before, "to_status": after, "note": "",
    }  # fmt: skip


def _fill(n: int, now: datetime) -> Row:
    at = _back(n, ORDERS, now)
    buy = (n // ACCOUNTS) % 2 == 0
    return {
        "order_id": n + 1, "account_id": 1 + n % ACCOUNTS, "execution_id": f"e{n}", "symbol": SYMBOLS[n % 5],
        "side": "BUY" if buy else "SELL", "qty": 3, "price": f"{190 + n % 20}.5", "currency": "USD", "filled_at": at,
        "recorded_at": at, "realized_pnl": None if buy else f"{n % 9 - 3}.25",
    }  # fmt: skip


def _decision(n: int, now: datetime) -> Row:
    at = _back(n, ORDERS // 2, now)
    return {
        "account_id": 1 + n % ACCOUNTS, "seq": n, "rule_id": 1 + n % (3 * ACCOUNTS), "version_id": 1,
        "symbol": SYMBOLS[n % 5], "verdict": "HOLD", "reason": "cash", "text": "", "steps": "[]", "gates": "[]",
        "counts": '{"cash": 3}', "at": at, "updated_at": at,
    }  # fmt: skip


def _log(n: int, now: datetime) -> Row:
    return {
        "account_id": 1 + n % ACCOUNTS, "seq": n, "rule_id": 1, "level": "ERROR" if n % 5000 == 0 else "INFO",
        "message": f"{SYMBOLS[n % 5]} 체결 {n % 40}주", "ctx": "{}", "created_at": _back(n, LOGS, now),
    }  # fmt: skip


def _equity(account: int, n: int, now: datetime) -> Row:
    at = (now - timedelta(minutes=15 * n)).strftime(_AT)
    return {"account_id": account, "at": at, "currency": "USD", "equity": f"{100_000 + n % 700}", "cash": "90000"}


def _bar(symbol: str, n: int, now: datetime) -> Row:
    start = (now.replace(second=0, microsecond=0) - timedelta(minutes=n)).strftime(_AT)
    return {
        "environment": "SIM", "market": "US", "symbol": symbol, "timeframe": "1m", "start": start, "open": "200.1",
        "high": "200.5", "low": "199.8", "close": "200.2", "volume": 1000 + n % 300,
    }  # fmt: skip


def _vitals(account: int, n: int, now: datetime) -> Row:
    start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0) - timedelta(minutes=5 * n)
    return {
        "account_id": account,
        "at": start.strftime(_AT),
        "beats": 150,
        "gap_s": 2.1,
        "lag_ms": 3.0,
        "feed_age_s": 1.0,
    }


def _told(n: int, now: datetime) -> Row:
    """Each fill is told; what is older than a week counts as seen."""
    at = _back(n, ORDERS, now)
    old = n < ORDERS * (1 - 7 / DAYS)
    return {
        "account_id": 1 + n % ACCOUNTS, "kind": "FILL", "severity": "info", "dedup_key": f"fill:e{n}",
        "params": f'{{"symbol": "{SYMBOLS[n % 5]}", "side": "BUY", "quantity": 3, "price": "200.5", "currency": "USD"}}',
        "count": 1, "created_at": at, "last_at": at, "acknowledged_at": at if old else None,
        "acknowledged_by": "auto" if old else "", "claimed_by": "",
    }  # fmt: skip


def _alert(n: int, now: datetime) -> Row:
    at = _back(n, 2_000, now)
    seen = None if n > 1_990 else at
    return {
        "account_id": 1 + n % ACCOUNTS, "kind": "PRICE_SPIKE", "severity": "warning", "dedup_key": f"k{n}", "params": "{}",
        "count": 1, "created_at": at, "last_at": at, "acknowledged_at": seen, "acknowledged_by": "", "claimed_by": "",
    }  # fmt: skip
