"""What the looks before an open found."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session, col, func, select

from shared.models import Readiness


def keep(session: Session, row: Readiness) -> None:
    """Write the result; the one already kept for the same open is replaced."""
    query = select(Readiness).where(Readiness.account_id == row.account_id, Readiness.due_at == row.due_at)
    kept = session.exec(query).first()
    if kept is None:
        session.add(row)
    else:
        kept.checked_at, kept.ready, kept.checks = row.checked_at, row.ready, row.checks
        session.add(kept)


def newest(session: Session, account_ids: Collection[int]) -> list[Readiness]:
    """The newest result of each account."""
    latest = (
        select(func.max(Readiness.id))
        .where(col(Readiness.account_id).in_(account_ids))
        .group_by(col(Readiness.account_id))
    )
    return list(
        session.exec(select(Readiness).where(col(Readiness.id).in_(latest)).order_by(col(Readiness.account_id)))
    )
