"""A desk over a fake broker with a real journal on disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bots.desk import Desk
from bots.executions import Executions
from bots.journal import Journal
from bots.lots import LotBook
from bots.own_orders import OwnOrders
from bots.portfolio import Portfolio
from bots.reconcile import Reconciler
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderRequest, OrderType, Side
from shared.domain.signal import Denied
from shared.store import heartbeats
from tests.fakes import KEY, START, FakeBroker, FakeClock

TODAY = date(2026, 11, 20)


@pytest.fixture
def shared_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store goes by the test's clock too, whatever it runs on: else PostgreSQL has the time of day."""
    monkeypatch.setattr(heartbeats, "store_time", lambda _session, own: own)


@dataclass
class Room:
    """Everything between a decision and the wire, restartable."""

    folder: Path
    clock: FakeClock
    broker: FakeBroker
    journal: Journal
    orders: OwnOrders
    executions: Executions
    desk: Desk
    reconciler: Reconciler
    portfolio: Portfolio
    asked: int = 0
    denied: Denied | None = None

    def request(
        self, side: Side = Side.BUY, quantity: int = 10, price: str | None = "100.00", *, symbol: str = "AAPL",
        signal_key: str | None = None, rule_id: int | None = 1, reduces: bool = False,
    ) -> OrderRequest:  # fmt: skip
        return OrderRequest(
            symbol=symbol, side=side, quantity=quantity, price=None if price is None else Decimal(price),
            venue=Venue.NASDAQ, currency=Currency.USD, client_order_id=self.orders.next_id(),
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT, rule_id=rule_id,
            signal_key=signal_key, reduces=reduces,
        )  # fmt: skip

    async def look(self) -> None:
        await self.reconciler.light()

    async def picture(self) -> None:
        """Ask the broker for everything, as a running bot does each minute."""
        asked_at = self.clock.wall_now()
        found = await self.reconciler.full()
        self.portfolio.take(found.positions, found.cash, asked_at, found.foreign)

    async def restart(self) -> Room:
        """A new process over the same journal and the same broker."""
        await self.journal.close()
        return await open_room(self.folder, self.clock, self.broker)


async def open_room(folder: Path, clock: FakeClock, broker: FakeBroker) -> Room:
    journal = await Journal.open(folder / "journal.db", KEY)
    state = await journal.load(TODAY - timedelta(days=7))
    orders = OwnOrders(journal, clock, state, LotBook(state.lots), KEY.account_id)
    executions = Executions(orders, clock, datetime.date)
    room: Room

    def ask() -> None:
        room.asked += 1

    portfolio = Portfolio(orders, lambda symbol: None)
    desk = Desk(broker, orders, executions, clock, lambda request: room.denied, ask, portfolio.before)
    reconciler = Reconciler(broker, orders, executions, clock, lambda: TODAY)
    room = Room(folder, clock, broker, journal, orders, executions, desk, reconciler, portfolio)
    return room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    clock = FakeClock(START)
    opened = await open_room(tmp_path, clock, FakeBroker(clock))
    await opened.picture()
    yield opened
    await opened.journal.close()
