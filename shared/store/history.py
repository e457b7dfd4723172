"""What an account has traded, whole: for the host that takes it over."""

from __future__ import annotations

from sqlalchemy import select

from shared import tables
from shared.db import Record, Store


def orders(store: Store, account_id: int) -> list[Record]:
    """Oldest first."""
    known = tables.orders.c
    return list(store.execute(select(tables.orders).where(known.account_id == account_id).order_by(known.id)))


def fills(store: Store, account_id: int) -> list[Record]:
    """In the order in which the account's bot recorded them."""
    known = tables.fills.c
    query = select(tables.fills).where(known.account_id == account_id)
    return list(store.execute(query.order_by(known.recorded_at, known.id)))
