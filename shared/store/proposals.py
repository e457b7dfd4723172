"""Entries that wait for a person's yes, as their bots wrote them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from shared.models import Proposal


def waiting(session: Session, account_ids: Collection[int], now: datetime) -> list[Proposal]:
    """Those that may still be approved, the first to end first."""
    query = select(Proposal).where(
        col(Proposal.account_id).in_(account_ids), Proposal.status == "WAITING", col(Proposal.expires_at) > now
    )
    return list(session.exec(query.order_by(col(Proposal.expires_at), col(Proposal.id)).limit(100)))


def decided(session: Session, account_ids: Collection[int], limit: int) -> list[Proposal]:
    """What became of the last ones, newest first."""
    query = select(Proposal).where(col(Proposal.account_id).in_(account_ids), Proposal.status != "WAITING")
    return list(session.exec(query.order_by(col(Proposal.updated_at).desc()).limit(limit)))
