"""What an owner's accounts of one market and environment have in the market together: one bot reads of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, select

from shared.domain.account import Market
from shared.domain.order import Side
from shared.domain.order_state import OPEN
from shared.models import BrokerageAccount, OrderRow, Owner, PositionRow, QuoteRow
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


def siblings(session: Session, now: datetime, account_id: int) -> Siblings:
    """Read the other accounts of this account's owner, market and environment."""
    me = session.get_one(BrokerageAccount, account_id)
    same = select(BrokerageAccount.id).where(
        BrokerageAccount.owner_id == me.owner_id,
        BrokerageAccount.market == me.market,
        BrokerageAccount.environment == me.environment,
        BrokerageAccount.id != account_id,
    )
    ids = [one for one in session.exec(same) if one is not None]
    limit = owner_limit(session, me)
    if not ids:
        return Siblings(0, Decimal(0), (), limit)
    rows = _open_orders(session, now, ids)
    parts = [*_held(session, ids), *(_bid(session, me, row) for row in rows if row.side == Side.BUY)]
    amount = None if None in parts else sum((part for part in parts if part is not None), Decimal(0))
    return Siblings(len(ids), amount, tuple(_order(row) for row in rows), limit)


def owner_limit(session: Session, account: BrokerageAccount) -> Decimal | None:
    """What the owner allows over all accounts in the currency of this one; None: not set."""
    owner = session.get(Owner, account.owner_id)
    if owner is None:
        return None
    return owner.max_exposure_krw if account.market == Market.KRX else owner.max_exposure_usd


def ask_cancels(session: Session, now: datetime, by: int, orders: Iterable[OpenElsewhere]) -> int:
    """Ask the owner's other bots to cancel orders that an exit of account `by` would meet; each is asked once."""
    asked = 0
    for one in orders:
        command, new = request(
            session, now, account_id=one.account_id, kind=CommandKind.CANCEL_ORDER,
            key=f"clear:{by}:{one.account_id}:{one.client_order_id}", requested_by=f"bot:{by}",
            payload={"order_id": one.order_id, "client_order_id": one.client_order_id, "symbol": one.symbol},
            expires_at=now + CLEAR_LIFE,
        )  # fmt: skip
        if new:
            asked += 1
            audit.record(
                session, now, actor=f"bot:{by}", actor_user_id=None, action="order.cancel",
                target=f"order:{one.order_id}", account_id=one.account_id, after={"command": command.id},
                reason="같은 명의 계좌의 청산과 맞부딪힘", source="bot",
            )  # fmt: skip
    return asked


def _held(session: Session, ids: list[int]) -> list[Decimal | None]:
    rows = session.exec(select(PositionRow).where(col(PositionRow.account_id).in_(ids)))
    return [(row.last_price or row.avg_price) * row.qty for row in rows]


def _open_orders(session: Session, now: datetime, ids: list[int]) -> list[OrderRow]:
    query = select(OrderRow).where(
        col(OrderRow.account_id).in_(ids),
        col(OrderRow.placed_at) >= now - HORIZON,
        col(OrderRow.status).in_(sorted({*OPEN, "PENDING"})),
    )
    return list(session.exec(query))


def _bid(session: Session, me: BrokerageAccount, row: OrderRow) -> Decimal | None:
    price = row.price
    if price is None:
        query = select(QuoteRow).where(QuoteRow.environment == me.environment, QuoteRow.market == me.market)
        quote = session.exec(query.where(QuoteRow.symbol == row.symbol)).first()
        price = None if quote is None or quote.last is None else quote.last * UNPRICED
    return None if price is None else price * max(row.qty - row.filled_qty, 0)


def _order(row: OrderRow) -> OpenElsewhere:
    return OpenElsewhere(row.account_id, row.id or 0, row.client_order_id, row.symbol, Side(row.side), row.price)
