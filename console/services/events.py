"""What happened lately, in one list: orders and alerts, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.services.alerts import TOLD_BY_ORDERS, AlertLine, alert_line
from console.services.changes import by_number
from console.services.orders import OrderLine, order_line
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.store import alert_lists, panels
from shared.store.panels import OrderFilter

LIMIT = 20


@dataclass(frozen=True, slots=True)
class Event:
    """Either an order that changed or an alert."""

    at: datetime
    order: OrderLine | None = None
    alert: AlertLine | None = None


@by_number()
def recent(wiring: Wiring, actor: Actor, *, limit: int = LIMIT) -> list[Event]:
    """Newest first, of the accounts this person may see; orders stand at the time they were placed."""
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        rows = panels.orders(session, known.keys(), OrderFilter(), limit=limit)
        oldest = rows[-1].placed_at if len(rows) == limit else None  # nothing before it would be shown
        told = alert_lists.waiting(session, known.keys(), limit=limit, since=oldest, without=TOLD_BY_ORDERS)
        events = [Event(row.placed_at, order=order_line(row, known[row.account_id])) for row in rows]
        for row in told:
            account = known.get(row.account_id) if row.account_id is not None else None
            events.append(Event(row.last_at, alert=alert_line(row, account, {})))
    return sorted(events, key=lambda event: event.at, reverse=True)[:limit]
