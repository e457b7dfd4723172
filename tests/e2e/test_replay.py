"""A recorded session at high speed, with real processes and sockets: exchange, bot, SQLite store, KIS-US wire.

Compared to the cent and the share: the exchange's ledger, the bot's journal and the store, per order of the broker and
in sum; then cash and holdings. The golden tape also has its decisions committed: side and bar of every signal are
compared exactly. At hundreds of market seconds a second the instant at which an order arrives is the machine's, so its
price is compared with the range of the tape between its signal and its fill, not with a constant.
"""

from __future__ import annotations

import csv
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.config import ROOT
from tests.e2e import golden
from tests.e2e.desk import Desk, by_order, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(420)]

RECORDED = ROOT.parent / "shared" / "data" / "us_minute"
SPEED = 400
LEAD_S = 25  # the bot is ready before the session opens
TICK = Decimal("0.01")
NUMBER = "12345678-01"

RULE = """
version: "1.0"
metadata: {{name: cross}}
strategy:
  id: cross
  timeframe: 1m
  evaluate: bar_close
  indicators:
    - {{id: sma, alias: fast, params: {{period: 5}}}}
    - {{id: sma, alias: slow, params: {{period: 20}}}}
  entry:
    logic: AND
    conditions: [{{indicator: fast, operator: cross_above, compare_to: slow}}]
  exit:
    logic: OR
    conditions: [{{indicator: fast, operator: cross_below, compare_to: slow}}]
sizing: {{mode: shares, value: 3}}
execution: {{order_type: MARKET}}
universe: {symbols}
"""


@dataclass
class Session:
    """One desk with one account, its exchange and its bot as processes of their own."""

    desk: Desk
    tape: dict[str, Path]
    ends_at: datetime

    @contextmanager
    def process(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        folder = self.desk.folder / "var" / "log"
        with (folder / f"{words[0].replace('.', '-')}.log").open("ab") as log:
            started = subprocess.Popen(
                [self.desk.python, "-m", *words], cwd=self.desk.folder, env=self.desk.env, stdout=log, stderr=log
            )
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                started.wait(120)
            if started.poll() is None:
                started.kill()
                started.wait()

    def prepare(self) -> None:
        self.desk.setup("--no-demo")
        keys = {"app_key": "PS" + "a1" * 17, "app_secret": "s3cr3t" * 30, "account_no": NUMBER}
        limits = ("--max-order-amount", "5000", "--max-symbol-amount", "20000", "--max-daily-buy", "2000000")
        more = ("--max-daily-loss", "5000", "--max-trades-per-day", "1000")
        self.desk.cli(
            *("account", "add", "replayed", "--broker", "KIS", "--market", "US", "--env", "SIM", *limits, *more),
            stdin=json.dumps(keys),
        )
        rule = self.desk.folder / "rule.yaml"
        rule.write_text(RULE.format(symbols=json.dumps(list(self.tape))), encoding="utf-8")
        added = self.desk.cli("rule", "add", str(rule), "--account", "1", "--max-position", "60")
        self.desk.cli("rule", "enable", str(added["id"]))
        self.desk.cli("account", "enable", "1")

    def play(self) -> None:
        """Trade the session; afterwards the bot has ended and the exchange too, their files are closed."""
        tape = "replay:" + ",".join(f"{symbol}={path}" for symbol, path in self.tape.items())
        serve = ("exchange", "serve", "--tape", tape, "--speed", str(SPEED), "--lead", str(LEAD_S))
        with self.process("console.cli", *serve) as exchange:
            wait_until("the exchange answers", lambda: exchange.poll() is not None or self.desk.exchange_answers())
            assert exchange.poll() is None, self.desk.tail()  # its ports are another's
            opens_at = self.market_now() + timedelta(seconds=(LEAD_S - 1) * SPEED)
            with self.process("bots", "--account", "1") as bot:
                wait_until("the bot is ready", self.ready, LEAD_S)
                assert self.market_now() < opens_at, "the session opened before the bot was ready"
                wait_until("the session is over", lambda: self.market_now() > self.ends_at, 150)
                wait_until("all orders have ended, and the store knows", self.settled)
                assert bot.poll() is None
            self.truth = self.desk.ledger(account=NUMBER)
            self.account = httpx.get(f"{self.desk.admin}/accounts/{NUMBER}", timeout=60).json()

    def market_now(self) -> datetime:
        told = httpx.get(f"{self.desk.admin}/clock", timeout=60).json()
        return datetime.fromisoformat(told["market"])

    def ready(self) -> bool:
        rows = self.desk.rows("SELECT state FROM heartbeats WHERE account_id = 1")
        return bool(rows) and rows[0]["state"] == "READY"

    def settled(self) -> bool:
        fills = self.desk.ledger("FILL", NUMBER)
        if self.stored() != by_order(fills, "order_id", "quantity"):
            return False
        held = {row["symbol"]: row["qty"] for row in self.desk.rows("SELECT symbol, qty FROM positions")}
        return held == holdings(fills) and self.cash() == opening_cash(self.desk.ledger("CASH", NUMBER)) + flow(fills)

    def cash(self) -> Decimal:
        rows = self.desk.rows("SELECT total FROM cash_balances WHERE currency = 'USD'")
        return Decimal(str(rows[0]["total"])) if rows else Decimal(0)

    def stored(self) -> dict[str, tuple[int, Decimal]]:
        rows = self.desk.rows(
            "SELECT o.broker_order_id AS number, f.qty, f.price FROM fills f JOIN orders o ON o.id = f.order_id"
        )
        return by_order(rows, "number", "qty")

    def check_books(self) -> list[dict[str, Any]]:
        """Ledger, journal and store tell the same; returns the fills of the ledger."""
        fills = [event for event in self.truth if event["type"] == "FILL"]
        truth = by_order(fills, "order_id", "quantity")
        assert self.stored() == truth
        assert by_order(self.desk.journal_fills(1), "broker_order_id", "quantity") == truth
        assert {row["symbol"]: row["quantity"] for row in self.account["holdings"]} == holdings(fills)
        opened = opening_cash([event for event in self.truth if event["type"] == "CASH"])
        assert Decimal(self.account["cash"]["USD"]) == self.cash() == opened + flow(fills)
        statuses = {row["status"] for row in self.desk.rows("SELECT status FROM orders")}
        assert statuses <= {"FILLED", "CANCELED", "EXPIRED", "DENIED"}, statuses
        assert not self.desk.rows("SELECT kind FROM alerts WHERE kind IN ('DRIFT', 'PRICE_SPIKE', 'RULE_PARKED')")
        return fills

    def why_not(self) -> list[dict[str, Any]]:
        """How often each symbol was refused what, for a test that misses orders."""
        return self.desk.rows("SELECT symbol, counts, text FROM decisions WHERE counts LIKE '%no_entry%'")[-2:]

    def signals(self) -> list[tuple[str, str, str]]:
        """(symbol, side, start of the bar) of every order a signal made, as the bot journalled it."""
        found = []
        for row in self.desk.journal_rows(1, "SELECT symbol, side, signal_key FROM orders ORDER BY created_at"):
            ended = int(row["signal_key"].split(":")[3])
            found.append((row["symbol"], row["side"], f"{utc(ended - 60):%Y-%m-%dT%H:%M:%SZ}"))
        return found


def utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, golden.OPENS_AT.tzinfo)


def holdings(fills: list[dict[str, Any]]) -> dict[str, int]:
    held: dict[str, int] = {}
    for fill in fills:
        held[fill["symbol"]] = held.get(fill["symbol"], 0) + (1 if fill["side"] == "BUY" else -1) * fill["quantity"]
    return {symbol: quantity for symbol, quantity in held.items() if quantity}


def flow(fills: list[dict[str, Any]]) -> Decimal:
    """What the fills did to the cash; the exchange charges nothing."""
    return sum(
        (Decimal(one["price"]) * one["quantity"] * (-1 if one["side"] == "BUY" else 1) for one in fills), Decimal(0)
    )


def opening_cash(events: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(one["price"]) for one in events if one["symbol"] == "USD"), Decimal(0))


def check_prices(fills: list[dict[str, Any]], tape: Path, latest_minutes: int) -> None:
    """Every fill has a price that the tape showed between two minutes before it and its own minute, one tick of
    spread and the levels behind it aside."""
    with tape.open(encoding="utf-8", newline="") as file:
        bars = [(datetime.fromisoformat(row["ts_utc"]), row) for row in csv.DictReader(file)]
    for fill in fills:
        at = datetime.fromisoformat(fill["market_at"])
        near = [row for start, row in bars if at - timedelta(minutes=latest_minutes) <= start <= at]
        low, high = min(Decimal(row["low"]) for row in near), max(Decimal(row["high"]) for row in near)
        assert low - 2 * TICK <= Decimal(fill["price"]) <= high + 2 * TICK, (fill, low, high)


def test_the_golden_files_are_what_their_seed_makes() -> None:
    assert golden.tape() == golden.TAPE.read_text(encoding="utf-8")
    assert golden.decisions(golden.tape()) == golden.golden()


def test_the_golden_tape_makes_the_golden_trades(new_desk: Callable[..., Desk]) -> None:
    ends_at = golden.OPENS_AT + timedelta(minutes=golden.MINUTES)
    session = Session(new_desk(), {"AAPL": golden.TAPE}, ends_at)
    session.prepare()
    session.play()
    fills = session.check_books()
    expected = [("AAPL", one["side"], one["bar"]) for one in golden.golden()]
    assert session.signals() == expected, session.why_not()
    per_order = {number: shares for number, (shares, _) in by_order(fills, "order_id", "quantity").items()}
    assert list(per_order.values()) == [3] * len(golden.golden())
    check_prices(fills, golden.TAPE, 2)


@pytest.mark.realdata
@pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recorded prices in {RECORDED}")
def test_a_recorded_session_of_two_shares(new_desk: Callable[..., Desk]) -> None:
    files = {symbol: RECORDED / f"{symbol}_2016.csv" for symbol in ("AAPL", "MSFT")}
    session = Session(new_desk(), files, datetime.fromisoformat("2016-04-15T20:00:00Z"))
    session.prepare()
    session.play()
    fills = session.check_books()
    assert {fill["symbol"] for fill in fills} == {"AAPL", "MSFT"}
    assert {fill["side"] for fill in fills} == {"BUY", "SELL"}
    traded = [datetime.fromisoformat(fill["market_at"]) for fill in fills]
    # all through the session, not in a corner of it
    assert max(traded) - min(traded) > timedelta(hours=4), session.why_not()
    for symbol, path in files.items():
        check_prices([fill for fill in fills if fill["symbol"] == symbol], path, 2)
