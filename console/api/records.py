"""`/orders`, `/positions`, `/proposals`, `/alerts`, `/audit`: what happened, page by page; cancels and approvals."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response

from console.api.accounts import Id
from console.api.door import NoQuery, Reader, Trader, answer
from console.api.schemas import (
    PROBLEMS,
    AlertsQuery,
    ApproveIn,
    CancelIn,
    DeclineIn,
    Listing,
    OrdersQuery,
    Page,
    RulesQuery,
)
from console.services import alert_timeline, alerts, approvals, holdings, orders, trail_check
from console.services.orders import OrderLine
from shared.models import Command
from shared.store.panels import OrderFilter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
router = APIRouter(tags=["records"], responses=PROBLEMS)


@router.get("/orders", response_model=Listing)
def orders_(request: Request, caller: Reader, query: Annotated[OrdersQuery, Query()]) -> Response:
    """Newest first; `next` continues."""
    wanted = OrderFilter(
        statuses=frozenset({query.status}) if query.status else frozenset(),
        symbol=query.symbol,
        rule_id=query.rule_id,
        before=_order_cursor(query.before),
    )
    lines = orders.listed(caller.wiring, caller.actor, account_id=query.account_id, wanted=wanted, limit=query.limit)
    last = lines[-1] if len(lines) == query.limit else None
    following = _cursor_of(last) if last else None
    items = [asdict(line) for line in lines]
    return answer(request, {"items": items, "next": following, "as_of": caller.wiring.clock.wall_now()})


@router.post("/orders/{order_id:int}:cancel", status_code=202)
def cancel(request: Request, caller: Trader, order_id: Id, body: CancelIn, _: NoQuery) -> Response:
    """Ask the order's bot to cancel it; the answer is the command, its outcome is in the order."""
    key = f"api:{caller.actor.user_id}:{body.key or uuid4().hex}"
    command = orders.request_cancel(caller.wiring, caller.actor, order_id, key=key)
    return answer(request, _asked(command), 202)


@router.get("/positions", response_model=Listing)
def positions(request: Request, caller: Reader, query: Annotated[RulesQuery, Query()]) -> Response:
    lines = holdings.positions(caller.wiring, caller.actor, account_id=query.account_id)
    items = [asdict(line) for line in lines]
    return answer(request, {"items": items, "next": None, "as_of": caller.wiring.clock.wall_now()})


@router.get("/proposals", response_model=Listing)
def proposals(request: Request, caller: Reader, query: Annotated[RulesQuery, Query()]) -> Response:
    """Entries of semi-automatic rules that wait for a yes, the first to end first."""
    found = approvals.waiting(caller.wiring, caller.actor)
    items = [one.told for one in found if query.account_id in (None, one.account_id)]
    return answer(request, {"items": items, "next": None, "as_of": caller.wiring.clock.wall_now()})


@router.post("/proposals/{proposal_id:int}:approve", status_code=202)
def approve(request: Request, caller: Trader, proposal_id: Id, body: ApproveIn, _: NoQuery) -> Response:
    """Say yes: the account's bot asks every guard again and sends it. LIVE: `confirm` is the account's name."""
    command = approvals.approve(caller.wiring, caller.actor, proposal_id, confirm=body.confirm)
    return answer(request, _asked(command), 202)


@router.post("/proposals/{proposal_id:int}:decline", status_code=202)
def decline(request: Request, caller: Trader, proposal_id: Id, body: DeclineIn, _: NoQuery) -> Response:
    """Say no: nothing is sent."""
    return answer(request, _asked(approvals.decline(caller.wiring, caller.actor, proposal_id)), 202)


@router.get("/alerts", response_model=Listing)
def alerts_(request: Request, caller: Reader, query: Annotated[AlertsQuery, Query()]) -> Response:
    lines = alerts.inbox(caller.wiring, caller.actor, acknowledged=query.acknowledged, limit=query.limit)
    items = [asdict(line) for line in lines]
    return answer(request, {"items": items, "next": None, "as_of": caller.wiring.clock.wall_now()})


@router.get("/alerts/{alert_id:int}/timeline", response_model=Listing)
def timeline(request: Request, caller: Reader, alert_id: Id, _: NoQuery) -> Response:
    """What happened around an alert, oldest first: alerts, orders, log lines, commands, and audit for an Admin."""
    items = [asdict(one) for one in alert_timeline.around(caller.wiring, caller.actor, alert_id)]
    return answer(request, {"items": items, "next": None, "as_of": caller.wiring.clock.wall_now()})


@router.get("/audit", response_model=Listing)
def audit(request: Request, caller: Reader, query: Annotated[Page, Query()]) -> Response:
    """An Admin's; newest first."""
    before = int(query.before) if query.before else None
    rows = trail_check.newest(caller.wiring, caller.actor, before=before, limit=query.limit)
    following = str(rows[-1].id) if len(rows) == query.limit else None
    items = [row.model_dump() for row in rows]
    return answer(request, {"items": items, "next": following, "as_of": caller.wiring.clock.wall_now()})


def _asked(command: Command) -> dict[str, object]:
    return {"command": {"id": command.id, "status": command.status, "expires_at": command.expires_at}}


def _cursor_of(line: OrderLine) -> str:
    """Microseconds of the time it was placed, and its id: where the next page begins."""
    return f"{(line.placed_at - _EPOCH) // timedelta(microseconds=1)}-{line.id}"


def _order_cursor(text: str) -> tuple[datetime, int] | None:
    micros, _, last = text.partition("-")
    return (_EPOCH + timedelta(microseconds=int(micros)), int(last)) if text else None
