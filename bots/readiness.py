"""Before the open: is every account ready to trade? From what bots, people and brokers left in the store.

A bot that is dead says nothing, so this is the desk's question, not the bot's own. Each check has a name (its words:
`ready.<name>`), whether it holds, and what was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from shared.domain.account import Environment
from shared.domain.bot_state import KillLevel
from shared.domain.order_state import UNPROVEN
from shared.models import Alert, ApiCredential, BrokerageAccount, Heartbeat, OrderRow, PositionRow
from shared.store import kill

SILENT_S = 30.0
WORKING = frozenset({"READY"})
LIMITS = ("max_order_amount", "max_symbol_amount", "max_daily_buy", "max_daily_loss", "max_trades_per_day")


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    told: str = ""  # what was seen, for the operator

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "told": self.told}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store says of one account now."""

    account: BrokerageAccount
    key: bool  # a sealed key is there
    beat: Heartbeat | None
    unproven: int
    bare: Sequence[str]  # symbols with shares that no stop watches
    kill: KillLevel
    refused: bool  # an open alert: the broker refused the key


def facts(session: Session, account: BrokerageAccount) -> Facts:
    one = account.id or 0
    unproven = session.exec(
        select(OrderRow.id).where(OrderRow.account_id == one, col(OrderRow.status).in_(sorted(UNPROVEN)))
    ).all()
    held = session.exec(select(PositionRow).where(PositionRow.account_id == one))
    bare = [row.symbol for row in held if row.guarded_by is None or (row.guarded_qty or row.qty) < row.qty]
    refused = select(Alert.id).where(
        Alert.account_id == one, Alert.kind == "KEY_REFUSED", col(Alert.acknowledged_at).is_(None)
    )
    return Facts(
        account,
        session.exec(select(ApiCredential.id).where(ApiCredential.account_id == one)).first() is not None,
        session.get(Heartbeat, one),
        len(unproven),
        sorted(bare),
        kill.level_over(session, one),
        session.exec(refused.limit(1)).first() is not None,
    )


def checks(seen: Facts, now: datetime, closes: datetime) -> tuple[Check, ...]:
    """Judge the account for the session that ends at `closes`; every check is told, those that hold too."""
    account, beat = seen.account, seen.beat
    age = None if beat is None else (now - beat.at).total_seconds()
    alive = beat is not None and age is not None and age <= SILENT_S
    state = f"{beat.state} {beat.reason}".strip() if beat is not None else "—"
    detail = beat.detail if beat is not None and alive else {}
    until = None if beat is None else beat.token_expires_at
    blank = [name for name in LIMITS if not getattr(account, name)]
    armed = account.environment != Environment.LIVE or (
        account.armed_until is not None and account.armed_until >= closes
    )
    disagrees = str(detail.get("no_entries") or "")
    return (
        Check("key", seen.key and not seen.refused, "" if seen.key else "—"),
        Check(
            "bot", alive and beat is not None and beat.state in WORKING, state if alive else f"{state} ({_age(age)})"
        ),
        Check("token", until is not None and until > now + timedelta(minutes=5), _time(until)),
        Check("stream", bool(detail.get("stream"))),
        Check("calendar", alive and not disagrees, disagrees),
        Check("limits", not blank, ", ".join(blank)),
        Check("armed", armed, _time(account.armed_until)),
        Check("kill", seen.kill is KillLevel.RUN, seen.kill.name),
        Check("unknown_orders", seen.unproven == 0, str(seen.unproven)),
        Check("protected", not seen.bare, ", ".join(seen.bare)),
    )


def _age(age: float | None) -> str:
    return "—" if age is None else f"{age:.0f}s"


def _time(at: datetime | None) -> str:
    return "—" if at is None else f"{at.isoformat(timespec='minutes')}"
