"""What the store knows of a span of time, for the timeline around an alert. Bounded: a busy minute is cut, not endless."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, SQLModel, col, select

from shared.models import Alert, AuditLog, Command, ExecutionLog, OrderEvent, OrderRow

MOST = 300  # rows of each kind


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of `since`..`until`, each kind oldest first."""

    alerts: list[Alert]
    orders: list[tuple[OrderEvent, OrderRow]]
    logs: list[ExecutionLog]
    commands: list[Command]
    audit: list[AuditLog]


def around(session: Session, account_ids: Collection[int], since: datetime, until: datetime, *, audit: bool) -> Span:
    """Everything of these accounts and of the desk itself; the audit trail only for who may read it."""
    joined = (
        select(OrderEvent, OrderRow)
        .join(OrderRow, col(OrderRow.id) == col(OrderEvent.order_id))
        .where(col(OrderRow.account_id).in_(account_ids), col(OrderRow.updated_at) >= since)
        .where(col(OrderEvent.at).between(since, until))
        .order_by(col(OrderEvent.at), col(OrderEvent.id))
        .limit(MOST)
    )
    return Span(
        alerts=_rows(session, Alert, "created_at", account_ids, since, until),
        orders=[(event, order) for event, order in session.exec(joined)],
        logs=_rows(session, ExecutionLog, "created_at", account_ids, since, until),
        commands=_rows(session, Command, "requested_at", account_ids, since, until),
        audit=_rows(session, AuditLog, "at", account_ids, since, until) if audit else [],
    )


def _rows(
    session: Session, table: type[SQLModel], at: str, account_ids: Collection[int], since: datetime, until: datetime
) -> list[Any]:
    columns: Any = table
    moment, account = getattr(columns, at), columns.account_id
    query = select(table).where(moment.between(since, until), or_(account.is_(None), account.in_(account_ids)))
    return list(session.exec(query.order_by(moment, columns.id).limit(MOST)))
