"""What an owner's accounts of one market and environment have in the market together: one bot reads of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import and_, bindparam, func, select

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


_a, _o, _p, _q, _owner = (
    tables.accounts.c, tables.orders.c, tables.positions.c, tables.quotes.c, tables.owners.c,
)  # fmt: skip
_other = tables.accounts.alias("other")
_THEIRS = (
    _other.c.owner_id == _a.owner_id,
    _other.c.market == _a.market,
    _other.c.environment == _a.environment,
    _other.c.id != _a.id,
)
OWNERS = tables.accounts.outerjoin(tables.owners, _owner.id == _a.owner_id)
MINE = (
    _a.market, _a.environment, _owner.max_exposure_krw, _owner.max_exposure_usd,
    select(func.count()).select_from(_other).where(*_THEIRS).correlate(tables.accounts).scalar_subquery().label("others"),
)  # fmt: skip
_ME = select(_a.id, *MINE).select_from(OWNERS).where(_a.id == bindparam("me"))
_IDS = select(_other.c.id).select_from(tables.accounts.join(_other, and_(*_THEIRS))).where(_a.id == bindparam("me"))
_HELD = select(_p.last_price, _p.avg_price, _p.qty).where(_p.account_id.in_(_IDS))
_OPEN = select(_o.id, _o.account_id, _o.client_order_id, _o.symbol, _o.side, _o.price, _o.qty, _o.filled_qty).where(
    _o.account_id.in_(_IDS), _o.placed_at >= bindparam("since"), _o.status.in_(sorted({*OPEN, "PENDING"}))
)
_LAST = select(_q["last"]).where(
    _q.environment == bindparam("environment"), _q.market == bindparam("market"), _q.symbol == bindparam("symbol")
)


def siblings(store: Store, now: datetime, account_id: int) -> Siblings:
    """Read the other accounts of this account's owner, market and environment."""
    return siblings_of(store, now, store.execute(_ME, {"me": account_id}).one())


def siblings_of(store: Store, now: datetime, me: Record) -> Siblings:
    """The same, of an account whose `MINE` columns and id were just read."""
    limit = me.max_exposure_krw if me.market == Market.KRX else me.max_exposure_usd
    if not me.others:
        return Siblings(0, Decimal(0), (), limit)
    rows = store.execute(_OPEN, {"me": me.id, "since": now - HORIZON}).all()
    held = [(row.last_price or row.avg_price) * row.qty for row in store.execute(_HELD, {"me": me.id})]
    parts = [*held, *(_bid(store, me, row) for row in rows if row.side == Side.BUY)]
    amount = None if None in parts else sum((part for part in parts if part is not None), Decimal(0))
    return Siblings(me.others, amount, tuple(_order(row) for row in rows), limit)


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


def _bid(store: Store, me: Record, row: Record) -> Decimal | None:
    price = row.price
    if price is None:
        known = {"environment": me.environment, "market": me.market, "symbol": row.symbol}
        last = store.execute(_LAST, known).scalars().first()
        price = None if last is None else last * UNPRICED
    return None if price is None else price * max(row.qty - row.filled_qty, 0)


def _order(row: Record) -> OpenElsewhere:
    return OpenElsewhere(row.account_id, row.id or 0, row.client_order_id, row.symbol, Side(row.side), row.price)
