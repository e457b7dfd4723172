"""What happened, in one line of time: alerts, troubled orders, errors, and what people asked and did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from console.services.alerts import TOLD_BY_ORDERS
from console.services.changes import by_number
from console.services.permissions import Actor, present_role, visible_accounts
from console.services.trail_names import names_of
from console.wiring import Wiring
from shared.db import reading
from shared.models import BrokerageAccount, Role
from shared.store import watching
from shared.store.people import labels

LIMIT = 200


class Kind(StrEnum):
    ALERT = "alert"
    ORDER = "order"
    ERROR = "error"
    COMMAND = "command"
    DEED = "deed"


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing that happened. `code` and `params` are for the words; `text` is its writer's own."""

    at: datetime
    kind: Kind
    account_id: int | None
    account: str
    environment: str
    code: str
    severity: str = "info"  # critical | warning | info
    text: str = ""
    by: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    until: datetime | None = None  # when it was seen, or over


def timeline(
    wiring: Wiring,
    actor: Actor,
    span: timedelta,
    *,
    account_id: int | None = None,
    kinds: frozenset[Kind] = frozenset(Kind),
    limit: int = LIMIT,
) -> list[Incident]:
    """Newest first, of the accounts this person may see; what people did is an Admin's to read."""
    asked = kinds if actor.role is Role.ADMIN else kinds - {Kind.DEED}
    return _timeline(wiring, actor, span, account_id=account_id, kinds=asked, limit=limit)


@by_number()
def _timeline(
    wiring: Wiring, actor: Actor, span: timedelta, *, account_id: int | None, kinds: frozenset[Kind], limit: int
) -> list[Incident]:
    """`kinds` keeps those apart who may read other things: what an Admin read is never shown to another role."""
    return since(wiring, actor, wiring.clock.wall_now() - span, account_id=account_id, kinds=kinds, limit=limit)


def since(
    wiring: Wiring,
    actor: Actor,
    begin: datetime,
    *,
    account_id: int | None = None,
    kinds: frozenset[Kind] = frozenset(Kind),
    limit: int = LIMIT,
) -> list[Incident]:
    """The same from a moment on."""
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if account_id in (None, row.id) and row.id}
        found = [
            one
            for kind, read in _READERS.items()
            if kind in kinds and (kind is not Kind.DEED or present_role(session, actor) is Role.ADMIN)
            for one in read(session, known, begin, limit)
        ]
    if account_id is not None:
        found = [one for one in found if one.account_id == account_id]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


Known = dict[int, BrokerageAccount]


def _alerts(session: Session, known: Known, begin: datetime, limit: int) -> Iterable[Incident]:
    for row in watching.alerts(session, known.keys(), begin, limit=limit, without=TOLD_BY_ORDERS):
        yield _one(
            row.last_at, Kind.ALERT, row.account_id, known, row.kind, severity=row.severity, params=row.params,
            until=row.acknowledged_at,
        )  # fmt: skip


def _orders(session: Session, known: Known, begin: datetime, limit: int) -> Iterable[Incident]:
    for row in watching.troubled_orders(session, known.keys(), begin, limit=limit):
        severity = "critical" if row.status in {"UNKNOWN", "NEEDS_OPERATOR"} else "warning"
        told = {"symbol": row.symbol, "side": row.side, "qty": row.qty}
        yield _one(
            row.placed_at,
            Kind.ORDER,
            row.account_id,
            known,
            row.status,
            severity=severity,
            text=row.reason,
            params=told,
        )


def _errors(session: Session, known: Known, begin: datetime, limit: int) -> Iterable[Incident]:
    for row in watching.bad_logs(session, known.keys(), begin, limit=limit):
        yield _one(row.created_at, Kind.ERROR, row.account_id, known, row.level, severity="warning", text=row.message)


def _commands(session: Session, known: Known, begin: datetime, limit: int) -> Iterable[Incident]:
    names = labels(session)
    for row in watching.commands(session, known.keys(), begin, limit=limit):
        by = names.get(row.requested_by, row.requested_by)
        yield _one(
            row.requested_at, Kind.COMMAND, row.account_id, known, row.kind, by=by, params={"status": row.status},
            until=row.finished_at, severity="warning" if row.status in {"FAILED", "UNKNOWN"} else "info",
        )  # fmt: skip


def _deeds(session: Session, known: Known, begin: datetime, limit: int) -> Iterable[Incident]:
    rows = watching.deeds(session, known.keys(), begin, limit=limit)
    names = names_of(session, {one for row in rows for one in (row.actor, row.target)})
    for row in rows:
        about = {"of": row.target, "names": names}
        yield _one(row.at, Kind.DEED, row.account_id, known, row.action, by=row.actor, text=row.reason, params=about)


_READERS = {
    Kind.ALERT: _alerts, Kind.ORDER: _orders, Kind.ERROR: _errors, Kind.COMMAND: _commands, Kind.DEED: _deeds,
}  # fmt: skip


def _one(at: datetime, kind: Kind, account_id: int | None, known: Known, code: str, **more: Any) -> Incident:
    row = known.get(account_id) if account_id is not None else None
    return Incident(at, kind, account_id, row.nickname if row else "", row.environment if row else "", code, **more)
