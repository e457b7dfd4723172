"""The audit trail: append only, each row's hash covers the one before, so a changed or missing row shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text

from shared import tables
from shared.db import Record, Store, on_postgresql

_CHAIN_LOCK = 0x6C747264  # "ltrd": one writer of the chain at a time on PostgreSQL


_SAID = (
    "actor", "actor_user_id", "action", "target", "account_id", "before", "after", "reason", "source", "previous_hash",
)  # fmt: skip


def record(
    store: Store,
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
    if on_postgresql(store):
        store.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    last = select(tables.audit_logs.c.row_hash).order_by(tables.audit_logs.c.id.desc()).limit(1)
    row: dict[str, Any] = {
        "at": now,
        "actor": actor,
        "actor_user_id": actor_user_id,
        "action": action,
        "target": target,
        "account_id": account_id,
        "before": dict(before) if before is not None else None,
        "after": dict(after) if after is not None else None,
        "reason": reason,
        "source": source,
        "previous_hash": store.execute(last).scalars().first() or "",
    }
    store.execute(insert(tables.audit_logs).values(row | {"row_hash": _hash(row)}))


def newest(store: Store, *, account_id: int | None, action: str, limit: int) -> list[Record]:
    """Newest first."""
    query = select(tables.audit_logs)
    if account_id is not None:
        query = query.where(tables.audit_logs.c.account_id == account_id)
    if action:
        query = query.where(tables.audit_logs.c.action == action)
    return list(store.execute(query.order_by(tables.audit_logs.c.id.desc()).limit(limit)))


def row_hash(row: Any) -> str:
    """SHA-256 over what a row of the trail says and the hash of the one before."""
    return _hash({name: getattr(row, name) for name in ("at", *_SAID)})


def _hash(row: Mapping[str, Any]) -> str:
    said: list[object] = [row["at"].isoformat(), *(row[name] for name in _SAID)]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
