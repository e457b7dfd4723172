"""What the orders in the store say of an account as a whole."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlmodel import Session, col, func, select

from shared.models import OrderRow


def counts_since(session: Session, account_id: int, since: datetime) -> Counter[str]:
    """How many orders placed since then stand in each status."""
    query = select(OrderRow.status, func.count()).where(OrderRow.account_id == account_id)
    return Counter(dict(session.exec(query.where(col(OrderRow.placed_at) >= since).group_by(OrderRow.status)).all()))
