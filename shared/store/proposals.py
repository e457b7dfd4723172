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


def waiting_by_key(session: Session, account_id: int | None, proposal_key: str) -> int | None:
    """The id of the account's entry with this key while it waits."""
    query = select(Proposal.id).where(Proposal.account_id == account_id, Proposal.proposal_key == proposal_key)
    return session.exec(query.where(Proposal.status == "WAITING")).first()


def decided(session: Session, account_ids: Collection[int], limit: int) -> list[Proposal]:
    """What became of the last ones, newest first."""
    query = select(Proposal).where(col(Proposal.account_id).in_(account_ids), Proposal.status != "WAITING")
    return list(session.exec(query.order_by(col(Proposal.updated_at).desc()).limit(limit)))
