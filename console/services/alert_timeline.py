"""What happened around an alert, in one list, whoever wrote it down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.services.permissions import Action, Actor, authorize, refuse, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.domain.errors import Forbidden, NotFound
from shared.models import Alert, OrderEvent, OrderRow
from shared.store import incidents
from shared.store.people import labels
from shared.words import alert_text, deed_text, say

BEFORE, AFTER = timedelta(minutes=10), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline; `kind`: alert, order, log, command or audit."""

    at: datetime
    kind: str
    account: str
    text: str


def around(wiring: Wiring, actor: Actor, alert_id: int) -> list[Moment]:
    """Ten minutes before the alert was first raised to five after it was last: its account, and the desk itself.

    Raises:
        NotFound: no such alert, or not of an account this person may see.
    """
    with reading(wiring.engine) as session:
        names = {row.id: row.nickname for row in visible_accounts(session, actor) if row.id is not None}
        alert = session.get(Alert, alert_id)
        if alert is None or (alert.account_id is not None and alert.account_id not in names):
            raise refuse(NotFound, "no_alert", actor.lang)
        try:
            authorize(session, actor, Action.AUDIT_READ)
            audited = True
        except Forbidden:
            audited = False
        mine = names.keys() if alert.account_id is None else {alert.account_id}
        span = incidents.around(session, mine, alert.created_at - BEFORE, alert.last_at + AFTER, audit=audited)
        people = labels(session)
        return sorted(_moments(span, names, people, actor.lang), key=lambda one: one.at)


def _moments(span: incidents.Span, names: dict[int, str], people: dict[str, str], lang: str) -> Iterator[Moment]:
    def name(account_id: int | None) -> str:
        return "" if account_id is None else names.get(account_id, "")

    for alert in span.alerts:
        text = alert_text(alert.kind, lang, alert.params)
        yield Moment(alert.created_at, "alert", name(alert.account_id), f"{alert.kind}: {text}")
    for event, order in span.orders:
        yield Moment(event.at, "order", name(order.account_id), _order(event, order, lang))
    for line in span.logs:
        yield Moment(line.created_at, "log", name(line.account_id), f"{line.level} {line.message}")
    for command in span.commands:
        who, what = people.get(command.requested_by, command.requested_by), say(f"command.{command.kind}", lang)
        yield Moment(command.requested_at, "command", name(command.account_id), f"{what} · {who} · {command.status}")
    for row in span.audit:
        who = people.get(row.actor, row.actor)
        yield Moment(
            row.at,
            "audit",
            name(row.account_id),
            f"{deed_text(row.action, lang)} {row.target} · {who} {row.reason}".rstrip(),
        )


def _order(event: OrderEvent, order: OrderRow, lang: str) -> str:
    said = f"#{order.id} {order.symbol} {say(f'side.{order.side}', lang)} {order.qty} · {say(f'event.{event.event}', lang)}"
    return f"{said} · {event.note}" if event.note else said
