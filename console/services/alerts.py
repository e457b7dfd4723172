"""What waits for a person: open alerts, and saying "seen"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.services.changes import by_number
from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.services.trail import note
from console.wiring import Wiring
from shared.db import reading, writing
from shared.domain.errors import NotFound
from shared.models import Alert, BrokerageAccount
from shared.store import alert_lists
from shared.store.people import labels

TOLD_BY_ORDERS = frozenset({"SIGNAL", "FILL"})  # kinds that an order's own row already tells


@dataclass(frozen=True, slots=True)
class AlertLine:
    id: int
    account_id: int | None
    account: str
    environment: str
    kind: str
    severity: str
    params: dict[str, Any]
    count: int
    created_at: datetime
    last_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str


@by_number()
def inbox(wiring: Wiring, actor: Actor, *, acknowledged: bool = False, limit: int = 100) -> list[AlertLine]:
    """Open alerts of the accounts this person may see, gravest first, then newest; or those already seen."""
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor)}
        rows = (alert_lists.seen if acknowledged else alert_lists.waiting)(
            session, {i for i in known if i is not None}, limit=limit
        )
        names = labels(session) if acknowledged else {}
        return [alert_line(row, known.get(row.account_id), names) for row in rows]


def acknowledge(wiring: Wiring, actor: Actor, alert_id: int) -> None:
    """Mark one alert as seen; the first one to do so stays named."""
    with writing(wiring.engine) as session:
        row = session.get(Alert, alert_id)
        if row is None:
            raise refuse(NotFound, "no_alert", actor.lang)
        authorize(session, actor, Action.ALERT_ACK, row.account_id)
        if row.acknowledged_at is not None:
            return
        row.acknowledged_at, row.acknowledged_by = wiring.clock.wall_now(), actor.label
        session.add(row)
        note(
            session,
            wiring,
            actor,
            Action.ALERT_ACK,
            f"alert:{alert_id}",
            account_id=row.account_id,
            after={"kind": row.kind},
        )


def alert_line(row: Alert, account: BrokerageAccount | None, names: dict[str, str]) -> AlertLine:
    return AlertLine(
        id=row.id or 0,
        account_id=row.account_id,
        account=account.nickname if account else "",
        environment=account.environment if account else "",
        kind=row.kind,
        severity=row.severity,
        params=row.params,
        count=row.count,
        created_at=row.created_at,
        last_at=row.last_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=names.get(row.acknowledged_by, row.acknowledged_by),
    )
