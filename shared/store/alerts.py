"""Alerts: what a person should know, once each while open."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session, col, or_, select

from shared.models import Alert


def listed(session: Session, account_ids: Collection[int], *, acknowledged: bool, limit: int) -> list[Alert]:
    """Newest first; alerts of no account belong to everybody."""
    query = select(Alert).where(or_(col(Alert.account_id).is_(None), col(Alert.account_id).in_(account_ids)))
    seen = col(Alert.acknowledged_at)
    query = query.where(seen.is_not(None) if acknowledged else seen.is_(None))
    return list(session.exec(query.order_by(col(Alert.last_at).desc()).limit(limit)))
