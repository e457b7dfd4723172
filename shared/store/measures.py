"""What is measured of a desk: how orders went, how long answers and first fills took, what went wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as sa_select
from sqlmodel import Session, col

from shared.models import ExecutionLog, OrderEvent, OrderRow

MOST_ORDERS = 1_000  # of an account, newest first: a scrape costs the same on an old desk


@dataclass(frozen=True, slots=True)
class Course:
    """How one order went; seconds are None until it was answered or filled."""

    account_id: int
    status: str
    ack_s: float | None
    fill_s: float | None


def courses(session: Session, account_ids: Collection[int], since: datetime) -> list[Course]:
    """Orders of ours placed since then. Times are those of the bot's journal, counted from the last send."""
    found: list[Course] = []
    for account in account_ids:
        placed = (
            sa_select(col(OrderRow.id), col(OrderRow.status))
            .where(
                col(OrderRow.account_id) == account, col(OrderRow.placed_at) >= since, col(OrderRow.origin) != "broker"
            )
            .order_by(col(OrderRow.placed_at).desc())
            .limit(MOST_ORDERS)
        )
        statuses = {order: status for order, status in session.execute(placed)}  # noqa: C416  (rows are not pairs to mypy)
        moments = _moments(session, account, since)
        for order, status in statuses.items():
            at = moments.get(order or 0, {})
            found.append(Course(account, status, _between(at, "ACKED"), _between(at, "FILL")))
    return found


def errors(session: Session, account_ids: Collection[int], since: datetime) -> dict[tuple[int, str], int]:
    """WARNING and ERROR lines by account and level since then."""
    query = (
        sa_select(col(ExecutionLog.account_id), col(ExecutionLog.level), func.count())
        .where(
            col(ExecutionLog.account_id).in_(account_ids),
            col(ExecutionLog.created_at) >= since,
            col(ExecutionLog.level).in_(("ERROR", "WARNING")),
        )
        .group_by(col(ExecutionLog.account_id), col(ExecutionLog.level))
    )
    return {(account, level): count for account, level, count in session.execute(query)}


def _moments(session: Session, account: int, since: datetime) -> dict[int, dict[str, datetime]]:
    """order → event → when: the last send, the first answer, the first fill."""
    query = (
        sa_select(col(OrderEvent.order_id), col(OrderEvent.event), func.min(OrderEvent.at), func.max(OrderEvent.at))
        .join(OrderRow, col(OrderRow.id) == col(OrderEvent.order_id))
        .where(
            col(OrderRow.account_id) == account,
            col(OrderRow.placed_at) >= since,
            col(OrderEvent.event).in_(("SENDING", "ACKED", "FILL")),
        )
        .group_by(col(OrderEvent.order_id), col(OrderEvent.event))
    )
    found: dict[int, dict[str, datetime]] = {}
    for order, event, first, last in session.execute(query):
        found.setdefault(order, {})[event] = last if event == "SENDING" else first
    return found


def _between(at: dict[str, datetime], event: str) -> float | None:
    if "SENDING" not in at or event not in at:
        return None
    return max((at[event] - at["SENDING"]).total_seconds(), 0.0)
