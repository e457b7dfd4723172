"""The arena: real bots of every wire against the real exchange, and the referee who judges them afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlmodel import select

from bots.executions import LIVE
from brokers.paper.accounts import fingerprint, ls_number
from shared.config import ROOT
from shared.db import reading
from shared.domain.order_state import TERMINAL, OrderStatus
from shared.models import Command, OrderRow, PositionRow
from shared.store.commands import CommandKind
from tests.bots.stage import BotProcess, Stage, wait_until
from tests.chaos.referee import Case, Party

OVER = frozenset({*TERMINAL, OrderStatus.NEEDS_OPERATOR})
CALM_S = 1.5
SYMBOL_LIMIT = Decimal(2_000_000_000)


@dataclass(frozen=True, slots=True)
class Flavour:
    """One wire and market, and what to trade on it."""

    name: str
    broker: str
    market: str
    symbol: str
    price: int  # about; far below it an order rests
    resting: str
    amended: str
    buy_tr: str
    sell_tr: str
    change_trs: str


US = Flavour("KIS-US", "KIS", "US", "AAPL", 212, "200.00", "201.00", "TTTT1002U", "TTTT1006U", "TTTT1004U")
KRX = Flavour("KIS-KRX", "KIS", "KRX", "005930", 71200, "68000", "68500", "TTTC0012U", "TTTC0011U", "TTTC0013U")
LS = Flavour(
    "LS-KRX", "LS", "KRX", "005930", 71200, "68000", "68500", "CSPAT00601", "CSPAT00601", "CSPAT00701|CSPAT00801"
)
LS_US = Flavour(
    "LS-US", "LS", "US", "AAPL", 212, "200.00", "201.00", "COSAT00301", "COSAT00301", "COSAT00311|COSAT00301"
)
FLAVOURS = (US, KRX, LS, LS_US)


@dataclass
class Player:
    """One account of a flavour in the arena, its bot and its books."""

    stage: Stage
    flavour: Flavour
    number: int
    account_id: int
    bot: BotProcess | None = None
    count: int = 0

    @property
    def exchange_number(self) -> str:
        if self.flavour.broker == "LS":
            return ls_number(fingerprint(f"PSKEY{self.number:08d}"))
        return f"{20000000 + self.number}-01"

    def start(self, failpoint: str = "") -> BotProcess:
        self.bot = self.stage.start_bot(self.account_id, failpoint)
        self.stage.wait_ready(self.bot)
        return self.bot

    def restart(self) -> BotProcess:
        """After a kill: a new process over the same journal."""
        return self.start()

    def stop(self) -> None:
        assert self.bot is not None
        assert self.bot.terminate() == 0, self.bot.log.read_text()[-2000:]

    def fault(self, action: str, tr: str = "", *, count: int = 1, side: str = "", **args: Any) -> None:
        match = {"account": self.exchange_number, "tr": tr, "side": side}
        body = {"match": {k: v for k, v in match.items() if v}, "action": action, "args": args, "count": count}
        self.stage.admin("POST", "/faults", json=body)

    def ask(self, kind: CommandKind, **payload: Any) -> int:
        self.count += 1
        return self.stage.command(self.account_id, kind, f"{self.number}-{self.count}", **payload)

    def done(self, command: int) -> Command:
        return self.stage.outcome(command)

    def order(self, side: str, quantity: int = 2, price: str | None = None) -> int:
        """Ask for an order at the market, or at `price`."""
        return self.ask(
            CommandKind.PLACE_ORDER, client_order_id=f"op-{self.number}-{self.count}", symbol=self.flavour.symbol,
            side=side, quantity=quantity, price=price, order_type="MARKET" if price is None else "LIMIT",
            reduces=side == "SELL",
        )  # fmt: skip

    def rest(self) -> str:
        """An order that waits far from the market; its id."""
        told = self.done(self.order("BUY", price=self.flavour.resting))
        assert told.result is not None and told.result.get("status") == OrderStatus.ACCEPTED, told.result
        return str(told.result["client_order_id"])

    def hold(self, quantity: int = 4) -> None:
        """Own some shares to sell."""
        told = self.done(self.order("BUY", quantity))
        wait_until(f"the shares arrive, {told.result}", lambda: self.bought() >= quantity)

    def bought(self) -> int:
        return sum(fill.qty for fill in self.stage.fills(self.account_id) if fill.side == "BUY")

    def ledger(self, kind: str) -> list[dict[str, Any]]:
        path = f"/ledger?after=0&account={self.exchange_number}&type={kind}"
        return list(self.stage.admin("GET", path)["events"])

    def settled(self) -> bool:
        """Every order has an end, rests at the broker, or waits for a person; the shares have arrived and are shown."""
        orders = self.stage.orders(self.account_id)
        shares = sum(int(event["quantity"]) for event in self.ledger("FILL"))
        fills = self.stage.fills(self.account_id)
        held = sum(fill.qty if fill.side == "BUY" else -fill.qty for fill in fills)
        with reading(self.stage.engine) as session:
            rows = session.exec(select(PositionRow).where(PositionRow.account_id == self.account_id))
            shown = sum(row.qty for row in rows)
        far = (Decimal(self.flavour.resting), Decimal(self.flavour.amended))
        ended = all(order.status in OVER or (order.status in LIVE and order.price in far) for order in orders)
        known = len(self.ledger("ORDER")) <= sum(order.broker_order_id is not None for order in orders)
        return ended and known and shares == sum(fill.qty for fill in fills) and shown == held

    def settle(self, through: str = "", seconds: float = 100) -> None:
        def told() -> str:
            orders = [(one.client_order_id, one.status, one.filled_qty, one.reason) for one in self.orders()]
            return f"{self.flavour.name} {through}: every order is settled: {orders}, {self.ledger('FILL')}"

        since: list[float] = []

        def calm() -> bool:
            """Settled for a while: between a fill and the next full look a holding may be shown short."""
            since[:] = [*since, time.monotonic()] if self.settled() else []
            return bool(since) and since[-1] - since[0] >= CALM_S

        try:
            wait_until("every order is settled", calm, seconds)
        except AssertionError as e:
            raise AssertionError(told()) from e

    def adopt_by_hand(self) -> None:
        """A person reads the number of the order that waits for him in the broker's app, and says so."""
        waits = wait_until("an order waits for a person", self._waiting, 100)
        known = {int(one.broker_order_id) for one in self.orders() if one.broker_order_id}
        numbers = [one["order_id"] for one in self.ledger("ORDER") if int(one["order_id"]) not in known]
        assert len(numbers) == 1, numbers
        told = self.done(
            self.ask(CommandKind.RESOLVE_ORDER, client_order_id=waits.client_order_id, broker_order_id=numbers[0])
        )
        assert told.status == "DONE", told.result

    def _waiting(self) -> OrderRow | None:
        return next((one for one in self.orders() if one.status == OrderStatus.NEEDS_OPERATOR), None)

    def orders(self) -> list[OrderRow]:
        return self.stage.orders(self.account_id)


def enter(stage: Stage, flavour: Flavour, number: int) -> Player:
    """A fresh account of `flavour` with roomy limits and an owner of its own: what another player left is not its matter."""
    account_id = stage.add_account(
        number, owner=f"player {number}", broker=flavour.broker, market=flavour.market, price_collar_pct=Decimal(25),
        max_order_amount=SYMBOL_LIMIT, max_symbol_amount=SYMBOL_LIMIT, max_daily_buy=SYMBOL_LIMIT,
        max_daily_loss=SYMBOL_LIMIT,
    )  # fmt: skip
    return Player(stage, flavour, number, account_id)


def referee(stage: Stage, players: list[Player]) -> dict[str, Any]:
    """The verdict of the referee's own process over stopped bots: what was looked at, what is wrong."""
    parties = tuple(
        Party(
            one.account_id, one.exchange_number, str(stage.settings.account_dir(one.account_id) / "journal.db"),
            str(SYMBOL_LIMIT),
        )
        for one in players
    )  # fmt: skip
    case = Case(
        exchange=f"http://127.0.0.1:{stage.settings.exchange_port('admin')}",
        store=stage.settings.database_url,
        parties=parties,
        logs=tuple(str(one) for one in stage.folder.glob("*.log")),
        canaries=tuple(f"secret{one.number:08d}" for one in players),
    )
    command = [sys.executable, "-m", "tests.chaos.referee"]
    done = subprocess.run(command, input=case.write(), cwd=ROOT, env=stage.env, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict
