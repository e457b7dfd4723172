"""The bots' logs, as they arrive in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.services.changes import by_number
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.store import panels
from shared.store.panels import LogFilter

LEVELS = ("ERROR", "WARNING", "INFO", "DEBUG")
LIMIT = 200


@dataclass(frozen=True, slots=True)
class LogLine:
    id: int
    account_id: int
    account: str
    environment: str
    rule_id: int | None
    level: str
    message: str
    ctx: dict[str, Any]
    created_at: datetime


@by_number()
def newest(
    wiring: Wiring, actor: Actor, wanted: LogFilter, *, account_id: int | None = None, limit: int = LIMIT
) -> list[LogLine]:
    """Newest first, of the accounts this person may see."""
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if account_id in (None, row.id)}
        ids = [i for i in known if i is not None]
        return [
            LogLine(
                id=row.id or 0,
                account_id=row.account_id,
                account=known[row.account_id].nickname,
                environment=known[row.account_id].environment,
                rule_id=row.rule_id,
                level=row.level,
                message=row.message,
                ctx=row.ctx,
                created_at=row.created_at,
            )
            for row in panels.logs(session, ids, wanted, limit=min(limit, LIMIT))
        ]
