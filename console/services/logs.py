"""The bots' logs, as they arrive in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.services.changes import by_number
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.models import BrokerageAccount, ExecutionLog
from shared.store import panels
from shared.store.panels import LogFilter

LEVELS = ("ERROR", "WARNING", "INFO", "DEBUG")
LIMIT = 200
WINDOWS = 4  # of 50,000 lines each, for one page of a search


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


@dataclass(frozen=True, slots=True)
class LogPage:
    rows: tuple[LogLine, ...]
    below: int  # where the next page goes on; 0: everything was looked through
    reached: datetime | None  # how far back this page looked


@by_number()
def newest(
    wiring: Wiring, actor: Actor, wanted: LogFilter, *, account_id: int | None = None, limit: int = LIMIT
) -> list[LogLine]:
    """Newest first, of the accounts this person may see."""
    with reading(wiring.engine) as session:
        known = _known(visible_accounts(session, actor), account_id)
        return [_line(row, known) for row in panels.logs(session, known.keys(), wanted, limit=min(limit, LIMIT))]


@by_number()
def page(
    wiring: Wiring, actor: Actor, wanted: LogFilter, *, account_id: int | None = None, limit: int = LIMIT
) -> LogPage:
    """One page of a search through everything that was ever written down, newest first; `wanted.before` goes on."""
    with reading(wiring.engine) as session:
        known = _known(visible_accounts(session, actor), account_id)
        rows, below = panels.log_page(session, known.keys(), wanted, limit=min(limit, LIMIT), windows=WINDOWS)
        reached = panels.log_moment(session, below) if below else None
        return LogPage(tuple(_line(row, known) for row in rows), below, reached)


def _known(rows: list[BrokerageAccount], only: int | None) -> dict[int, BrokerageAccount]:
    return {row.id: row for row in rows if row.id is not None and only in (None, row.id)}


def _line(row: ExecutionLog, known: dict[int, BrokerageAccount]) -> LogLine:
    return LogLine(
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
