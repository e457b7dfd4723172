"""Read the audit trail: newest first, or checked from its first row to its last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import col, select

from console.services.permissions import Action, Actor, authorize
from console.wiring import Wiring
from shared.db import reading
from shared.models import AuditLog
from shared.store.audit import row_hash


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check found; `broken_at` is the first row that does not follow from the one before."""

    ok: bool
    rows: int
    broken_at: int | None
    last_hash: str


def verify(wiring: Wiring, actor: Actor) -> Verdict:
    """Recompute every hash: a changed, missing or inserted row breaks the chain at that place."""
    count, previous, broken = 0, "", None
    for row in everything(wiring, actor):
        count += 1
        if broken is None and (row.previous_hash != previous or row_hash(row) != row.row_hash):
            broken = row.id
        previous = row.row_hash
    return Verdict(broken is None, count, broken, previous)


def everything(wiring: Wiring, actor: Actor) -> Iterator[AuditLog]:
    """Every row, oldest first, read in pieces."""
    last = 0
    while True:
        with reading(wiring.engine) as session:
            authorize(session, actor, Action.AUDIT_READ)
            query = select(AuditLog).where(col(AuditLog.id) > last).order_by(col(AuditLog.id)).limit(500)
            rows = list(session.exec(query))
        if not rows:
            return
        yield from rows
        last = rows[-1].id or 0


def newest(wiring: Wiring, actor: Actor, *, before: int | None = None, limit: int = 100) -> list[AuditLog]:
    """Newest first; `before` is the id where the last page ended."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.AUDIT_READ)
        query = select(AuditLog)
        if before is not None:
            query = query.where(col(AuditLog.id) < before)
        return list(session.exec(query.order_by(col(AuditLog.id).desc()).limit(limit)))
