"""A stage for whole bots: the real local exchange, a real store, real processes, on ports of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine
from sqlmodel import select

from bots.failpoints import ON_THE_WIRE
from shared import schema
from shared.clock import SystemClock
from shared.config import ROOT, Settings, load_settings
from shared.crypto import load_private, seal_row, write_keys
from shared.db import open_engine, reading, writing
from shared.domain.order_state import OrderStatus
from shared.models import (
    Alert,
    ApiCredential,
    BrokerageAccount,
    Command,
    FillRow,
    Heartbeat,
    OrderRow,
    Owner,
    TradeRule,
)
from shared.store import accounts, commands, rules, secrets
from shared.store.commands import CommandKind
from tests.ports import take_offset

OURS = ("KIS_", "LS_", "LETSTRADE_", "SUPABASE_", "TELEGRAM_", "DATABASE_URL")
BUY_TR = "TTTT1002U"
CANCEL_TR = "TTTT1004U"


def wait_until(what: str, check: Callable[[], Any], seconds: float = 150.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s: {what}")
        time.sleep(0.05)
    return found


@dataclass
class BotProcess:
    account_id: int
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def is_stopped(self) -> bool:
        """Frozen by SIGSTOP."""
        told = subprocess.run(["ps", "-o", "stat=", "-p", str(self.process.pid)], capture_output=True, text=True)
        return told.stdout.startswith("T")

    def die(self, failpoint: str, arrived: Callable[[], Any]) -> None:
        """Wait for kill -9 at `failpoint`; where the process stands still with its request on the wire, kill it once
        `arrived` says that the broker has it."""
        if failpoint in ON_THE_WIRE:
            wait_until(f"it stands still at {failpoint}", lambda: self.is_stopped)
            wait_until("the request arrived", arrived)
            self.process.kill()
        assert self.process.wait(120) == -9, self.log.read_text()[-4000:]

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


@dataclass
class Stage:
    folder: Path
    settings: Settings
    engine: Engine
    clock: SystemClock = field(default_factory=SystemClock)
    exchange: subprocess.Popen[bytes] | None = None
    bots: list[BotProcess] = field(default_factory=list)
    bots_url: str = ""
    bots_offset: int | None = None  # where bots find the exchange, when that is not where it listens
    options: tuple[str, ...] = ()  # of the exchange: --tape, --speed, --profile

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return kept | {
            "LETSTRADE_HOME": str(self.settings.home),
            "LETSTRADE_EXCHANGE_PORT_OFFSET": str(self.settings.exchange_port_offset),
            **({"DATABASE_URL": self.bots_url} if self.bots_url else {}),
        }

    def admin(self, method: str, path: str, **kwargs: Any) -> Any:
        url = f"http://127.0.0.1:{self.settings.exchange_port('admin')}{path}"
        answer = httpx.request(method, url, timeout=60, trust_env=False, **kwargs)
        answer.raise_for_status()
        return answer.json()

    def start_exchange(self) -> None:
        log = (self.folder / "exchange.log").open("wb")
        command = [sys.executable, "-m", "brokers.paper", "--port-offset", str(self.settings.exchange_port_offset)]
        command += self.options
        self.exchange = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)
        wait_until("the exchange listens", self._exchange_up)

    def _exchange_up(self) -> bool:
        try:
            self.admin("GET", "/healthz")
        except httpx.HTTPError:
            return False
        return True

    def add_account(self, number: int, *, broker: str = "KIS", owner: str = "", **changes: Any) -> int:
        """A SIM account (of US shares) of its own at the exchange, with limits that let small orders pass.

        `owner` gives it an owner of its own: accounts of one owner do not trade with each other.
        """
        limits = {
            "max_order_amount": Decimal(5000), "max_symbol_amount": Decimal(20000), "max_daily_buy": Decimal(50000),
            "max_daily_loss": Decimal(5000), "max_trades_per_day": 200, "enabled": True, "market": "US",
        }  # fmt: skip
        now = self.clock.wall_now()
        with writing(self.engine) as session:
            everybody = accounts.first_owner(session, now)  # made first: a named one is not it
            holder = Owner(name=owner, created_at=now) if owner else everybody
            session.add(holder)
            session.flush()
            row = BrokerageAccount(
                owner_id=holder.id or 0, nickname=f"bot {number}", broker=broker,
                environment="SIM", created_at=now, **(limits | changes),
            )  # fmt: skip
            session.add(row)
            session.flush()
            key = ApiCredential(
                account_id=row.id or 0, app_key="", app_secret="", account_no="", sandbox=True,
                key_hash=f"hash{number}", updated_at=now,
            )  # fmt: skip
            plain = {
                "app_key": f"PSKEY{number:08d}", "app_secret": f"secret{number:08d}",
                "account_no": f"{20000000 + number}-01", "hts_id": f"BOT{number:05d}",
            }  # fmt: skip
            sealing = load_private(self.settings).current()
            for column, sealed in seal_row(sealing, "api_credentials", key.uuid, plain).items():
                setattr(key, column, sealed)
            session.add(key)
            session.flush()
            return row.id or 0

    def add_rule(
        self, account_id: int, text: str, *, max_position: int = 100, enabled: bool = True, symbol: str = "AAPL"
    ) -> int:
        columns = rules.RuleColumns("test", symbol, "DAY", 0, {}, {})
        with writing(self.engine) as session:
            row = rules.add(session, self.clock.wall_now(), account_id, columns, text, "test")
            row.max_position, row.enabled = max_position, enabled
            session.add(row)
            return row.id or 0

    def save_rule(self, rule_id: int, text: str) -> None:
        with writing(self.engine) as session:
            row = session.get_one(TradeRule, rule_id)
            columns = rules.RuleColumns("test", row.symbol, "DAY", 0, {}, {})
            rules.save_version(session, self.clock.wall_now(), row, columns, text, "test")

    def start_bot(self, account_id: int, failpoint: str = "", freeze: str = "") -> BotProcess:
        log = self.folder / f"bot-{account_id}-{len(self.bots)}.log"
        armed = {"LETSTRADE_FAILPOINT": failpoint, "LETSTRADE_FREEZE": freeze}
        env = self.env | {name: point for name, point in armed.items() if point}
        if self.bots_offset is not None:
            env["LETSTRADE_EXCHANGE_PORT_OFFSET"] = str(self.bots_offset)
        command = [sys.executable, "-m", "bots", "--account", str(account_id)]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        bot = BotProcess(account_id, process, log)
        self.bots.append(bot)
        return bot

    def wait_ready(self, bot: BotProcess) -> Heartbeat:
        def ready() -> Heartbeat | None:
            assert bot.process.poll() is None, bot.log.read_text()
            found = self.heartbeat(bot.account_id)
            return found if found and found.pid == bot.process.pid and found.state == "READY" else None

        found: Heartbeat = wait_until("the bot is READY", ready)
        return found

    def heartbeat(self, account_id: int) -> Heartbeat | None:
        with reading(self.engine) as session:
            return session.get(Heartbeat, account_id)

    def command(self, account_id: int, kind: CommandKind, key: str, **payload: Any) -> int:
        now = self.clock.wall_now()
        with writing(self.engine) as session:
            row, _ = commands.request(
                session, now, account_id=account_id, kind=kind, key=f"{account_id}:{key}", requested_by="test", payload=payload,
                expires_at=now + timedelta(seconds=30),
            )  # fmt: skip
            return row.id or 0

    def outcome(self, command_id: int) -> Command:
        def done() -> Command | None:
            with reading(self.engine) as session:
                row = session.get_one(Command, command_id)
                return row if row.finished_at is not None else None

        found: Command = wait_until("the command has an outcome", done)
        return found

    def buy(
        self, account_id: int, key: str, *, quantity: int = 2, price: str | None = None, symbol: str = "AAPL"
    ) -> int:
        return self.command(
            account_id, CommandKind.PLACE_ORDER, key, client_order_id=f"op-{account_id}-{key}", symbol=symbol, side="BUY",
            quantity=quantity, price=price, order_type="MARKET" if price is None else "LIMIT", reduces=False,
        )  # fmt: skip

    def orders(self, account_id: int) -> list[OrderRow]:
        with reading(self.engine) as session:
            return list(session.exec(select(OrderRow).where(OrderRow.account_id == account_id).order_by(OrderRow.id)))  # type: ignore[arg-type]

    def fills(self, account_id: int) -> list[FillRow]:
        with reading(self.engine) as session:
            return list(session.exec(select(FillRow).where(FillRow.account_id == account_id)))

    def alerts(self, account_id: int) -> list[str]:
        with reading(self.engine) as session:
            return [row.kind for row in session.exec(select(Alert).where(Alert.account_id == account_id))]

    def ledger(self, number: int, kind: str) -> list[dict[str, Any]]:
        """The exchange's own account of `number`: the ground truth."""
        events = self.admin("GET", f"/ledger?after=0&account={20000000 + number}-01&type={kind}")["events"]
        return list(events)

    def fault(self, number: int, tr: str, action: str, *, count: int = 1, **args: Any) -> None:
        match = {"tr": tr, "account": f"{20000000 + number}-01"}
        self.admin("POST", "/faults", json={"match": match, "action": action, "count": count, "args": args})

    def settled(self, account_id: int) -> bool:
        open_now = {OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN}
        return all(OrderStatus(order.status) not in open_now for order in self.orders(account_id))

    def close(self) -> None:
        for bot in self.bots:
            if bot.process.poll() is None:
                bot.kill()
        if self.exchange is not None:
            self.exchange.terminate()
            self.exchange.wait(120)
        self.engine.dispose()


def open_stage(folder: Path, database_url: str = "", bots_url: str = "", options: tuple[str, ...] = ()) -> Stage:
    """A stage on SQLite, or on `database_url`; `bots_url` is how its bots reach it where that differs."""
    given = {"LETSTRADE_HOME": str(folder / "var"), "LETSTRADE_EXCHANGE_PORT_OFFSET": str(take_offset())}
    given |= {"DATABASE_URL": database_url} if database_url else {}
    settings = load_settings(given)
    settings.home.mkdir(parents=True)
    write_keys(settings)
    engine = open_engine(settings.database_url)
    schema.upgrade(engine)
    with writing(engine) as session:
        secrets.plant_canary(session, load_private(settings).current())
    stage = Stage(folder, settings, engine, bots_url=bots_url or database_url, options=options)
    stage.start_exchange()
    return stage
