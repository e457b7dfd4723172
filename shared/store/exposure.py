"""What an owner's accounts of one market and environment have in the market together: one bot reads of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from shared import tables
from shared.db import Record, Store
from shared.domain.account import Market
from shared.domain.order import Side
from shared.domain.order_state import OPEN
from shared.store import audit
from shared.store.commands import CommandKind, request

HORIZON = timedelta(days=30)  # no order of ours lives longer
UNPRICED = Decimal("1.3")  # a buy without a price may cost up to the day's upper limit
CLEAR_LIFE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class OpenElsewhere:
    """An open order of another account. `price` None: it takes any."""

    account_id: int
    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    price: Decimal | None

    def meets(self, price: Decimal | None) -> bool:
        """Whether an order at `price` on the other side could trade with this one; None takes any price."""
        if price is None or self.price is None:
            return True
        return price <= self.price if self.side is Side.BUY else price >= self.price


@dataclass(frozen=True, slots=True)
class Siblings:
    """The other accounts: how many, what they hold and bid for, their open orders, and the owner's own limit."""

    accounts: int
    amount: Decimal | None  # None: something held or bid for has no known price
    orders: tuple[OpenElsewhere, ...]
    owner_limit: Decimal | None


def siblings(store: Store, now: datetime, account_id: int) -> Siblings:
    """Read the other accounts of this account's owner, market and environment."""
    a, owner = tables.accounts.c, tables.owners.c
    mine = select(a.market, a.environment, a.owner_id, owner.max_exposure_krw, owner.max_exposure_usd)
    me = store.execute(
        mine.join_from(tables.accounts, tables.owners, owner.id == a.owner_id, isouter=True).where(a.id == account_id)
    ).one()
    same = select(a.id).where(
        a.owner_id == me.owner_id, a.market == me.market, a.environment == me.environment, a.id != account_id
    )
    ids = list(store.execute(same).scalars())
    limit = me.max_exposure_krw if me.market == Market.KRX else me.max_exposure_usd
    if not ids:
        return Siblings(0, Decimal(0), (), limit)
    rows = _open_orders(store, now, ids)
    parts = [*_held(store, ids), *(_bid(store, me, row) for row in rows if row.side == Side.BUY)]
    amount = None if None in parts else sum((part for part in parts if part is not None), Decimal(0))
    return Siblings(len(ids), amount, tuple(_order(row) for row in rows), limit)


def ask_cancels(store: Store, now: datetime, by: int, orders: Iterable[OpenElsewhere]) -> int:
    """Ask the owner's other bots to cancel orders that an exit of account `by` would meet; each is asked once."""
    asked = 0
    for one in orders:
        command, new = request(
            store, now, account_id=one.account_id, kind=CommandKind.CANCEL_ORDER,
            key=f"clear:{by}:{one.account_id}:{one.client_order_id}", requested_by=f"bot:{by}",
            payload={"order_id": one.order_id, "client_order_id": one.client_order_id, "symbol": one.symbol},
            expires_at=now + CLEAR_LIFE,
        )  # fmt: skip
        if new:
            asked += 1
            audit.record(
                store, now, actor=f"bot:{by}", actor_user_id=None, action="order.cancel",
                target=f"order:{one.order_id}", account_id=one.account_id, after={"command": command.id},
                reason="같은 명의 계좌의 청산과 맞부딪힘", source="bot",
            )  # fmt: skip
    return asked


def _held(store: Store, ids: list[int]) -> list[Decimal | None]:
    known = tables.positions.c
    rows = store.execute(select(known.last_price, known.avg_price, known.qty).where(known.account_id.in_(ids)))
    return [(row.last_price or row.avg_price) * row.qty for row in rows]


def _open_orders(store: Store, now: datetime, ids: list[int]) -> list[Record]:
    o = tables.orders.c
    wanted = select(o.id, o.account_id, o.client_order_id, o.symbol, o.side, o.price, o.qty, o.filled_qty)
    query = wanted.where(o.account_id.in_(ids), o.placed_at >= now - HORIZON, o.status.in_(sorted({*OPEN, "PENDING"})))
    return list(store.execute(query))


def _bid(store: Store, me: Record, row: Record) -> Decimal | None:
    price = row.price
    if price is None:
        q = tables.quotes.c
        of = (q.environment == me.environment, q.market == me.market, q.symbol == row.symbol)
        last = store.execute(select(q["last"]).where(*of)).scalars().first()
        price = None if last is None else last * UNPRICED
    return None if price is None else price * max(row.qty - row.filled_qty, 0)


def _order(row: Record) -> OpenElsewhere:
    return OpenElsewhere(row.account_id, row.id or 0, row.client_order_id, row.symbol, Side(row.side), row.price)
