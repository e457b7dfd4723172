"""The audit trail: append only, each row's hash covers the one before, so a changed or missing row shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from shared.models import AuditLog

_CHAIN_LOCK = 0x6C747264  # "ltrd": one writer of the chain at a time on PostgreSQL


def record(
    session: Session,
    now: datetime,
    *,
    actor: str,
    action: str,
    source: str,
    target: str = "",
    actor_user_id: int | None = None,
    account_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append one row in the caller's transaction: no effect without its audit, no audit without its effect."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    previous = session.exec(select(AuditLog.row_hash).order_by(col(AuditLog.id).desc()).limit(1)).first() or ""
    row = AuditLog(
        at=now,
        actor=actor,
        actor_user_id=actor_user_id,
        action=action,
        target=target,
        account_id=account_id,
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        reason=reason,
        source=source,
        previous_hash=previous,
    )
    row.row_hash = row_hash(row)
    session.add(row)
    session.flush()


def newest(session: Session, *, account_id: int | None, action: str, limit: int) -> list[AuditLog]:
    """Newest first."""
    query = select(AuditLog)
    if account_id is not None:
        query = query.where(AuditLog.account_id == account_id)
    if action:
        query = query.where(AuditLog.action == action)
    return list(session.exec(query.order_by(col(AuditLog.id).desc()).limit(limit)))


def row_hash(row: AuditLog) -> str:
    """SHA-256 over what the row says and the hash of the one before."""
    said: list[object] = [row.at.isoformat(), row.actor, row.actor_user_id, row.action, row.target, row.account_id]
    said += [row.before, row.after, row.reason, row.source, row.previous_hash]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
