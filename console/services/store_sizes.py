"""How large the store is, table by table, how long its rows are kept, and how changes reach this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from console.cloud.changes import Line, standing
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.store.retention import RULES

FREE_TIER_BYTES = 500_000_000  # database size of a project without a bill
MOST = 12  # tables shown: the largest
QUICK_BYTES = 20_000_000  # a SQLite file is walked page by page: a larger one only when somebody asks

_POSTGRES = """
SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 2 DESC LIMIT :most
"""
_SQLITE = """
SELECT coalesce(m.tbl_name, s.name), sum(s.pgsize) FROM dbstat s LEFT JOIN sqlite_master m ON m.name = s.name
GROUP BY 1 ORDER BY 2 DESC LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table with its indexes. `kept`: (days, what becomes of older rows), in order; empty: kept for good."""

    table: str
    bytes: int
    kept: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    hosted: bool  # the free tier's line is worth drawing
    tables: tuple[TableSize, ...] | None  # None: not measured yet, for that takes seconds
    line: Line  # how changes reach this console
    why: str

    @property
    def shown_bytes(self) -> int:
        return sum(one.bytes for one in self.tables or ())


def sizes(wiring: Wiring, actor: Actor, *, measure: bool = False) -> Sizes:
    """The largest tables now; an empty list where the database does not tell. `measure`: even if it takes seconds."""
    with reading(wiring.engine) as session:
        visible_accounts(session, actor)
        found = _tables(session) if measure or _quick(wiring) else None
    line, why = standing()
    return Sizes(wiring.settings.supabase_project_url is not None, found, line, why)


def _quick(wiring: Wiring) -> bool:
    path = wiring.engine.url.database
    if wiring.engine.dialect.name != "sqlite" or not path:
        return True
    return not Path(path).exists() or Path(path).stat().st_size <= QUICK_BYTES


def _tables(session: Session) -> tuple[TableSize, ...]:
    postgres = session.get_bind().dialect.name == "postgresql"
    if not postgres and not session.execute(text("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'")).first():
        return ()
    rows = session.execute(text(_POSTGRES if postgres else _SQLITE), {"most": MOST})
    return tuple(
        TableSize(str(name), int(size), tuple((rule.days, rule.becomes) for rule in RULES if rule.table == name))
        for name, size in rows
    )
