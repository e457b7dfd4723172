"""What the desk runs on: programs, bots, budgets, database, versions. From rows that fleet and bots write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

from sqlalchemy import text

from console.services import parts
from console.services.changes import by_number
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared import schema
from shared.db import reading
from shared.store import heartbeats

HOST_SILENT = timedelta(seconds=60)  # fleet looks at supervisord far more often
_PACKAGES = ("streamlit", "plotly", "supervisor", "httpx", "websockets", "sqlmodel", "sqlalchemy", "cryptography")
_BIG = (
    "execution_logs",
    "orders",
    "order_events",
    "fills",
    "decisions",
    "equity_snapshots",
    "price_bars",
    "audit_logs",
)


@dataclass(frozen=True, slots=True)
class ProgramLine:
    host: str
    name: str
    state: str
    pid: int | None
    told: str
    seen_at: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class BotLine:
    account_id: int
    account: str
    environment: str
    state: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime
    loop_lag_ms: float
    rss_mb: float
    rate_used: int
    rate_limit: float
    outbox_depth: int
    token_expires_at: datetime | None
    code_hash: str


@dataclass(frozen=True, slots=True)
class StoreFacts:
    kind: str
    size_bytes: int | None
    revision: str
    rows: tuple[tuple[str, int], ...]  # the highest id of each large table: how much was ever written


@by_number(at_most_s=4.0)
def programs(wiring: Wiring, actor: Actor) -> list[ProgramLine]:
    """supervisord's view as fleet last wrote it, per host."""
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        visible_accounts(session, actor)
        return [
            ProgramLine(
                host.name,
                name,
                str(told.get("state", "")),
                told.get("pid") or None,
                str(told.get("text", "")),
                host.seen_at,
                now - host.seen_at > HOST_SILENT,
            )
            for host in heartbeats.hosts(session)
            for name, told in sorted(host.programs.items())
        ]


@by_number(at_most_s=2.0)
def bots(wiring: Wiring, actor: Actor) -> list[BotLine]:
    """What each bot said of itself last."""
    with reading(wiring.engine) as session:
        mine = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
    beats = parts.beats(wiring, actor)
    return [
        BotLine(
            account_id=key,
            account=mine[key].nickname,
            environment=mine[key].environment,
            state=beat.state,
            host=beat.host,
            pid=beat.pid,
            started_at=beat.started_at,
            beat_at=beat.at,
            loop_lag_ms=beat.loop_lag_ms,
            rss_mb=beat.rss_mb,
            rate_used=beat.rate_used,
            rate_limit=beat.rate_limit,
            outbox_depth=beat.outbox_depth,
            token_expires_at=beat.token_expires_at,
            code_hash=beat.code_hash,
        )
        for key, beat in sorted(beats.items())
    ]


@by_number()
def store_facts(wiring: Wiring, actor: Actor) -> StoreFacts:
    with reading(wiring.engine) as session:
        visible_accounts(session, actor)
        kind = session.get_bind().dialect.name
        if kind == "postgresql":
            size = session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        else:
            path = wiring.engine.url.database
            size = Path(path).stat().st_size if path and Path(path).exists() else None
        newest = ", ".join(f"(SELECT max(id) FROM {name})" for name in _BIG)
        rows = session.execute(text(f"SELECT {newest}")).one()
    counts = tuple((name, int(many or 0)) for name, many in zip(_BIG, rows, strict=True))
    return StoreFacts(kind, size, schema.current(wiring.engine) or "", counts)


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """What runs here; it stays for as long as the process."""
    found = [("Python", python_version())]
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)
