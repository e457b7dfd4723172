"""What the orders in the store say of an account as a whole."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlmodel import Session, col, func, select

from shared.domain.order_state import OrderStatus
from shared.models import OrderRow

NEVER_SENT = (OrderStatus.PENDING, OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)


def first_trade_date(session: Session, account_id: int) -> str | None:
    """The ISO trade date of the first order that reached the broker, or may have; None when there was none."""
    query = select(func.min(OrderRow.trade_date)).where(
        OrderRow.account_id == account_id, OrderRow.trade_date != "", col(OrderRow.status).not_in(NEVER_SENT)
    )
    return session.exec(query).one()


def counts_since(session: Session, account_id: int, since: datetime) -> Counter[str]:
    """How many orders placed since then stand in each status."""
    query = select(OrderRow.status, func.count()).where(OrderRow.account_id == account_id)
    return Counter(dict(session.exec(query.where(col(OrderRow.placed_at) >= since).group_by(OrderRow.status)).all()))
