"""What the risk page counts: today's orders and buys, what is held and bid for, by account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select as sa_select
from sqlalchemy import union_all
from sqlmodel import Session, col, select

from shared.domain.order_state import OPEN
from shared.models import OrderRow, Owner
from shared.store.configuration import NEVER_SENT

HORIZON = timedelta(days=30)  # no order of ours lives longer


def owners(session: Session, ids: Collection[int]) -> dict[int, Owner]:
    rows = session.exec(select(Owner).where(col(Owner.id).in_(ids)))
    return {row.id: row for row in rows if row.id is not None}


def orders_of_day(session: Session, days: Mapping[int, str]) -> list[OrderRow]:
    """Orders of each account's own trade date (ISO) that reached the broker, or may have."""
    asked = []
    for day in sorted(set(days.values())):
        ids = [account_id for account_id, own in days.items() if own == day]
        since = datetime.fromisoformat(day).replace(tzinfo=UTC) - HORIZON  # none is placed longer ahead; off the index
        asked.append(
            sa_select(col(OrderRow.id)).where(
                col(OrderRow.account_id).in_(ids), col(OrderRow.trade_date) == day, col(OrderRow.placed_at) >= since,
                col(OrderRow.status).not_in(NEVER_SENT),
            )
        )  # fmt: skip
    if not asked:
        return []
    return list(session.exec(select(OrderRow).where(col(OrderRow.id).in_(union_all(*asked)))))


def open_orders(session: Session, account_ids: Collection[int], now: datetime) -> list[OrderRow]:
    """Orders that may still trade."""
    query = select(OrderRow).where(
        col(OrderRow.account_id).in_(account_ids), col(OrderRow.placed_at) >= now - HORIZON,
        col(OrderRow.status).in_(sorted(OPEN)),
    )  # fmt: skip
    return list(session.exec(query))


def bought(row: OrderRow) -> Decimal | None:
    """Money of a buy: filled, and its open part as if filled; None when an open part has no price."""
    filled = (row.avg_fill_price or Decimal(0)) * row.filled_qty
    if row.status not in OPEN:
        return filled
    left = max(row.qty - row.filled_qty, 0)
    if left and row.price is None:
        return None
    return filled + (row.price or Decimal(0)) * left


def left_to_buy(row: OrderRow) -> Decimal | None:
    """Money that the open part of a buy may still cost; None without a price."""
    left = max(row.qty - row.filled_qty, 0)
    return Decimal(0) if not left else None if row.price is None else row.price * left
