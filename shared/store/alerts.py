"""Alerts: what a person should know, once each while open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, literal, or_, select, update

from shared import tables
from shared.columns import Instant
from shared.db import Store
from shared.tables import fresh

if TYPE_CHECKING:  # a bot raises alerts; it lists and delivers none
    from sqlmodel import Session

    from shared.models import Alert

_a = tables.alerts.c


def listed(session: Session, account_ids: Collection[int], *, acknowledged: bool, limit: int) -> list[Alert]:
    """Newest first; alerts of no account belong to everybody."""
    from shared.models import Alert

    a: Any = Alert
    query = select(Alert).where(or_(a.account_id.is_(None), a.account_id.in_(account_ids)))
    query = query.where(a.acknowledged_at.is_not(None) if acknowledged else a.acknowledged_at.is_(None))
    return list(session.execute(query.order_by(a.last_at.desc()).limit(limit)).scalars())


def raise_alert(
    store: Store,
    now: datetime,
    *,
    kind: str,
    severity: str,
    dedup_key: str,
    account_id: int | None = None,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Raise an alert; one with the same key that is still open counts up instead of standing twice. Returns its id."""
    told = dict(params or {})
    again = update(tables.alerts).where(_a.dedup_key == dedup_key, _a.acknowledged_at.is_(None))
    counted = again.values(count=_a["count"] + 1, last_at=now, params=told).returning(_a.id)
    known = store.execute(counted).scalars().first()
    if known is not None:
        return int(known)
    row = fresh(
        tables.alerts, account_id=account_id, kind=kind, severity=severity, dedup_key=dedup_key, params=told,
        created_at=now, last_at=now,
    )  # fmt: skip
    return int(store.execute(insert(tables.alerts).values(row).returning(_a.id)).scalar_one())


ENDED_BY = "auto"  # acknowledged by the program that raised it: what it spoke of is over


def end(store: Store, now: datetime, *, dedup_key: str) -> None:
    """Close the open alerts of this key, or of every key that begins so when it ends in `*`."""
    begins = dedup_key.endswith("*")
    meant = _a.dedup_key.startswith(dedup_key[:-1], autoescape=True) if begins else _a.dedup_key == dedup_key
    closed = update(tables.alerts).where(_a.acknowledged_at.is_(None), meant)
    store.execute(closed.values(acknowledged_at=now, acknowledged_by=ENDED_BY))


def raised_before(store: Store, dedup_key: str) -> bool:
    """Tell whether an alert of this key was ever raised, seen or not: for a state that lasts, once is enough."""
    return store.execute(select(_a.id).where(_a.dedup_key == dedup_key).limit(1)).first() is not None


def undelivered(session: Session, *, limit: int = 50) -> list[Alert]:
    """Oldest first, alerts that no messenger has delivered yet; a critical one is not hidden behind many that wait."""
    from shared.models import Alert

    a: Any = Alert
    waiting = select(Alert).where(a.delivered_at.is_(None)).order_by(a.id)
    query, urgent = waiting.limit(limit), waiting.where(a.severity == "critical").limit(limit)
    found = {row.id: row for part in (query, urgent) for row in session.execute(part).scalars()}
    return sorted(found.values(), key=lambda row: row.id or 0)


CLAIM_LIFE = timedelta(seconds=60)  # of supabase/migrations too: a claimant that died is not waited for longer


def claim(store: Store, now: datetime, alert_ids: Collection[int], claimant: str) -> set[int]:
    """Claim alerts that are about to be sent; returns those that are ours to send now.

    One claim per row, whoever asks at the same time: the Edge Function claims by the same columns.
    """
    free = or_(
        _a.claimed_by.in_(("", claimant)),
        _a.claimed_at.is_(None),
        _a.claimed_at < now - CLAIM_LIFE,
    )
    taken = (
        update(tables.alerts)
        .where(_a.id.in_(alert_ids), _a.delivered_at.is_(None), free)
        .values(claimed_by=claimant, claimed_at=now)
        .returning(_a.id)
    )
    return set(store.execute(taken).scalars())


def release(store: Store, alert_ids: Collection[int], claimant: str) -> None:
    """Give claims back that led to nothing: another messenger may send them."""
    mine = update(tables.alerts).where(_a.id.in_(alert_ids), _a.claimed_by == claimant)
    store.execute(mine.where(_a.delivered_at.is_(None)).values(claimed_by="", claimed_at=None))


def mark_delivered(store: Store, alert_id: int, now: datetime, by: str) -> None:
    told = update(tables.alerts).where(_a.id == alert_id, _a.delivered_at.is_(None))
    store.execute(
        told.values(claimed_by=by, claimed_at=func.coalesce(_a.claimed_at, literal(now, Instant())), delivered_at=now)
    )


def deliveries(session: Session, alert_ids: Collection[int]) -> set[tuple[int, int]]:
    """(alert, recipient) pairs that need no more telling."""
    from shared.models import AlertDelivery  # a bot raises alerts and delivers none

    mine = AlertDelivery.alert_id.in_(alert_ids)  # type: ignore[attr-defined]
    query = select(AlertDelivery.alert_id, AlertDelivery.recipient).where(mine)  # type: ignore[call-overload]
    return {(alert, recipient) for alert, recipient in session.execute(query)}


def note_delivery(session: Session, now: datetime, alert_ids: Collection[int], recipient: int, outcome: str) -> None:
    """Write down that the recipient has these alerts, or never will."""
    from shared.models import AlertDelivery

    known = deliveries(session, alert_ids)
    for alert_id in alert_ids:
        if (alert_id, recipient) not in known:
            session.add(AlertDelivery(alert_id=alert_id, recipient=recipient, outcome=outcome, at=now))
    session.flush()
