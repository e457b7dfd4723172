"""Lists of alerts, for those who look at them: what waits, gravest first, and what was seen."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, union_all
from sqlmodel import Session, col, select

from shared.models import Alert

SEVERITIES = ("critical", "warning", "info")


def of_accounts(account_ids: Collection[int]) -> Any:
    """Alerts of these accounts, and of none. An expression no index answers: time and severity lead the way instead."""
    return func.coalesce(col(Alert.account_id), 0).in_([0, *account_ids])


def waiting(
    session: Session,
    account_ids: Collection[int],
    *,
    limit: int,
    severities: Collection[str] = SEVERITIES,
    since: datetime | None = None,
    without: Collection[str] = (),
) -> list[Alert]:
    """Open alerts, gravest first, then newest; those of no account belong to everybody.

    Each severity is taken off the index by itself: a grave one is never hidden behind many of no weight. `since`: last
    told at or after it. `without`: kinds left out.
    """
    mine = of_accounts(account_ids)
    newest = []
    for severity in severities:
        query = select(Alert.id).where(col(Alert.acknowledged_at).is_(None), Alert.severity == severity, mine)
        if since is not None:
            query = query.where(col(Alert.last_at) >= since)
        if without:
            query = query.where(col(Alert.kind).not_in(sorted(without)))
        newest.append(query.order_by(col(Alert.last_at).desc()).limit(limit).subquery())
    ids = union_all(*(select(one.c.id) for one in newest))
    rank = case({severity: place for place, severity in enumerate(SEVERITIES)}, value=col(Alert.severity))
    rows = select(Alert).where(col(Alert.id).in_(ids)).order_by(rank, col(Alert.last_at).desc())
    return list(session.exec(rows.limit(limit)))


def waiting_counts(session: Session, account_ids: Collection[int]) -> dict[str, int]:
    """Open alerts by severity."""
    mine = of_accounts(account_ids)
    query = select(Alert.severity, func.count()).where(col(Alert.acknowledged_at).is_(None), mine)
    return dict.fromkeys(SEVERITIES, 0) | dict(session.exec(query.group_by(col(Alert.severity))).all())


def seen(session: Session, account_ids: Collection[int], *, limit: int) -> list[Alert]:
    """Alerts that somebody acknowledged, or that are over: the latest first."""
    query = select(Alert).where(of_accounts(account_ids))
    query = query.where(col(Alert.acknowledged_at).is_not(None)).order_by(col(Alert.acknowledged_at).desc())
    return list(session.exec(query.limit(limit)))
