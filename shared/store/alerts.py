"""Alerts: what a person should know, once each while open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, union_all
from sqlmodel import Session, col, or_, select, update

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


def raise_alert(
    session: Session,
    now: datetime,
    *,
    kind: str,
    severity: str,
    dedup_key: str,
    account_id: int | None = None,
    params: Mapping[str, Any] | None = None,
) -> Alert:
    """Raise an alert; one with the same key that is still open counts up instead of standing twice."""
    row = session.exec(select(Alert).where(Alert.dedup_key == dedup_key, col(Alert.acknowledged_at).is_(None))).first()
    if row is None:
        row = Alert(
            account_id=account_id,
            kind=kind,
            severity=severity,
            dedup_key=dedup_key,
            params=dict(params or {}),
            created_at=now,
            last_at=now,
        )
    else:
        row.count, row.last_at = row.count + 1, now
        row.params = dict(params or {})
    session.add(row)
    session.flush()
    return row


ENDED_BY = "auto"  # acknowledged by the program that raised it: what it spoke of is over


def end(session: Session, now: datetime, *, dedup_key: str) -> None:
    """Close the open alerts of this key, or of every key that begins so when it ends in `*`."""
    query = select(Alert).where(col(Alert.acknowledged_at).is_(None))
    if dedup_key.endswith("*"):
        query = query.where(col(Alert.dedup_key).startswith(dedup_key[:-1], autoescape=True))
    else:
        query = query.where(Alert.dedup_key == dedup_key)
    for row in session.exec(query):
        row.acknowledged_at, row.acknowledged_by = now, ENDED_BY
        session.add(row)


def raised_before(session: Session, dedup_key: str) -> bool:
    """Tell whether an alert of this key was ever raised, seen or not: for a state that lasts, once is enough."""
    return session.exec(select(Alert.id).where(Alert.dedup_key == dedup_key).limit(1)).first() is not None


def undelivered(session: Session, *, limit: int = 50) -> list[Alert]:
    """Oldest first, alerts that no messenger has delivered yet; a critical one is not hidden behind many that wait."""
    waiting = select(Alert).where(col(Alert.delivered_at).is_(None)).order_by(col(Alert.id))
    query, urgent = waiting.limit(limit), waiting.where(Alert.severity == "critical").limit(limit)
    found = {row.id: row for row in [*session.exec(query), *session.exec(urgent)]}
    return sorted(found.values(), key=lambda row: row.id or 0)


CLAIM_LIFE = timedelta(seconds=60)  # of supabase/migrations too: a claimant that died is not waited for longer


def claim(session: Session, now: datetime, alert_ids: Collection[int], claimant: str) -> set[int]:
    """Claim alerts that are about to be sent; returns those that are ours to send now.

    One claim per row, whoever asks at the same time: the Edge Function claims by the same columns.
    """
    free = or_(
        col(Alert.claimed_by).in_(("", claimant)),
        col(Alert.claimed_at).is_(None),
        col(Alert.claimed_at) < now - CLAIM_LIFE,
    )
    taken = (
        update(Alert)
        .where(col(Alert.id).in_(alert_ids), col(Alert.delivered_at).is_(None), free)
        .values(claimed_by=claimant, claimed_at=now)
        .returning(col(Alert.id))
    )
    return {found for found in session.execute(taken).scalars() if found is not None}


def release(session: Session, alert_ids: Collection[int], claimant: str) -> None:
    """Give claims back that led to nothing: another messenger may send them."""
    mine = update(Alert).where(col(Alert.id).in_(alert_ids), col(Alert.claimed_by) == claimant)
    session.execute(mine.where(col(Alert.delivered_at).is_(None)).values(claimed_by="", claimed_at=None))


def mark_delivered(session: Session, alert_id: int, now: datetime, by: str) -> None:
    row = session.get(Alert, alert_id)
    if row is not None and row.delivered_at is None:
        row.claimed_by, row.claimed_at, row.delivered_at = by, row.claimed_at or now, now
        session.add(row)


def deliveries(session: Session, alert_ids: Collection[int]) -> set[tuple[int, int]]:
    """(alert, recipient) pairs that need no more telling."""
    from shared.models import AlertDelivery  # a bot raises alerts and delivers none

    query = select(AlertDelivery.alert_id, AlertDelivery.recipient).where(col(AlertDelivery.alert_id).in_(alert_ids))
    return {(alert, recipient) for alert, recipient in session.exec(query)}


def note_delivery(session: Session, now: datetime, alert_ids: Collection[int], recipient: int, outcome: str) -> None:
    """Write down that the recipient has these alerts, or never will."""
    from shared.models import AlertDelivery

    known = deliveries(session, alert_ids)
    for alert_id in alert_ids:
        if (alert_id, recipient) not in known:
            session.add(AlertDelivery(alert_id=alert_id, recipient=recipient, outcome=outcome, at=now))
    session.flush()
