"""What an account has traded, whole: for the host that takes it over."""

from __future__ import annotations

from sqlmodel import Session, col, select

from shared.models import FillRow, OrderRow


def orders(session: Session, account_id: int) -> list[OrderRow]:
    """Oldest first."""
    return list(session.exec(select(OrderRow).where(OrderRow.account_id == account_id).order_by(col(OrderRow.id))))


def fills(session: Session, account_id: int) -> list[FillRow]:
    """In the order in which the account's bot recorded them."""
    query = select(FillRow).where(FillRow.account_id == account_id)
    return list(session.exec(query.order_by(col(FillRow.recorded_at), col(FillRow.id))))
