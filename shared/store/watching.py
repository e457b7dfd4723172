"""What went wrong or was asked for, over a span of time, newest first. One statement each, with a limit."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, func, select

from shared.models import Alert, AuditLog, BotVitals, Command, ExecutionLog, OrderEvent, OrderRow
from shared.store.alert_lists import of_accounts, waiting

TROUBLED = ("UNKNOWN", "NEEDS_OPERATOR", "REJECTED", "DENIED")
BAD_LEVELS = ("ERROR", "CRITICAL")


def alerts(
    session: Session, account_ids: Collection[int], since: datetime, *, limit: int, without: Collection[str] = ()
) -> list[Alert]:
    """Told since then, seen or not, but for kinds `without`; alerts of no account belong to everybody."""
    found = waiting(session, account_ids, limit=limit, since=since, without=without)
    query = select(Alert).where(of_accounts(account_ids), col(Alert.kind).not_in(sorted(without)))
    query = query.where(col(Alert.acknowledged_at) >= since, col(Alert.last_at) >= since)  # seen after it was told
    found += session.exec(query.order_by(col(Alert.acknowledged_at).desc()).limit(limit))
    return sorted(found, key=lambda row: row.last_at, reverse=True)[:limit]


def commands(session: Session, account_ids: Collection[int], since: datetime, *, limit: int) -> list[Command]:
    query = select(Command).where(col(Command.account_id).in_(account_ids), col(Command.requested_at) >= since)
    return list(session.exec(query.order_by(col(Command.id).desc()).limit(limit)))


def bad_logs(session: Session, account_ids: Collection[int], since: datetime, *, limit: int) -> list[ExecutionLog]:
    """Errors, off the index of levels."""
    query = select(ExecutionLog).where(
        col(ExecutionLog.level).in_(BAD_LEVELS),
        col(ExecutionLog.account_id).in_(account_ids),
        col(ExecutionLog.created_at) >= since,
    )
    return list(session.exec(query.order_by(col(ExecutionLog.id).desc()).limit(limit)))


def troubled_orders(session: Session, account_ids: Collection[int], since: datetime, *, limit: int) -> list[OrderRow]:
    """Orders that were refused, denied, or whose outcome nobody has proven."""
    query = select(OrderRow).where(
        col(OrderRow.account_id).in_(account_ids),
        col(OrderRow.status).in_(TROUBLED),
        col(OrderRow.placed_at) >= since,
    )
    return list(session.exec(query.order_by(col(OrderRow.placed_at).desc()).limit(limit)))


def deeds(session: Session, account_ids: Collection[int], since: datetime, *, limit: int) -> list[AuditLog]:
    """What people did to these accounts, or to the whole desk."""
    query = select(AuditLog).where(
        or_(col(AuditLog.account_id).is_(None), col(AuditLog.account_id).in_(account_ids)), col(AuditLog.at) >= since
    )
    return list(session.exec(query.order_by(col(AuditLog.id).desc()).limit(limit)))


def vitals(session: Session, account_ids: Collection[int], since: datetime) -> list[tuple[int, datetime, float, float]]:
    """(account, beginning, longest gap, worst lag) of each five minutes, oldest first."""
    query = sa_select(col(BotVitals.account_id), col(BotVitals.at), col(BotVitals.gap_s), col(BotVitals.lag_ms)).where(
        col(BotVitals.at) >= since, col(BotVitals.account_id).in_(account_ids)
    )
    rows = session.execute(query.order_by(col(BotVitals.account_id), col(BotVitals.at)))
    return [(account, at, gap_s, lag_ms) for account, at, gap_s, lag_ms in rows]


def errors_by_hour(session: Session, account_ids: Collection[int], since: datetime) -> list[tuple[int, datetime]]:
    """(account, moment) of each error line since then."""
    query = sa_select(col(ExecutionLog.account_id), col(ExecutionLog.created_at)).where(
        col(ExecutionLog.level).in_(BAD_LEVELS),
        col(ExecutionLog.account_id).in_(account_ids),
        col(ExecutionLog.created_at) >= since,
    )
    return [(account, at) for account, at in session.execute(query.limit(5_000))]


def answered(session: Session, account_ids: Collection[int], *, limit: int) -> list[tuple[int, int, datetime, str]]:
    """(account, order, moment, event) of the transitions of the newest orders, oldest first."""
    newest = sa_select(func.max(OrderEvent.id)).scalar_subquery()
    query = (
        sa_select(col(OrderEvent.account_id), col(OrderEvent.order_id), col(OrderEvent.at), col(OrderEvent.to_status))
        .where(col(OrderEvent.id) > newest - limit, col(OrderEvent.account_id).in_(account_ids))
        .order_by(col(OrderEvent.id))
    )
    return [(account, order, at, status) for account, order, at, status in session.execute(query)]
