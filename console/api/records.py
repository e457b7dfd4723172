"""`/orders`, `/positions`, `/alerts`, `/audit`: what happened, page by page, and the cancel of an order."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Query, Request, Response

from console.api.accounts import Id
from console.api.door import NoQuery, Reader, Trader, answer
from console.api.schemas import AlertsQuery, CancelIn, Listing, OrdersQuery, Page, Problem, RulesQuery
from console.services import alerts, holdings, incident, orders, trail_check
from shared.store.panels import OrderFilter

router = APIRouter(tags=["records"], responses={n: {"model": Problem} for n in (401, 403, 404, 409, 422, 429)})


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
    following = f"{last.placed_at.isoformat()}|{last.id}" if last else None
    items = [asdict(line) for line in lines]
    return answer(request, {"items": items, "next": following, "as_of": caller.wiring.clock.wall_now()})


@router.post("/orders/{order_id}:cancel", status_code=202)
def cancel(request: Request, caller: Trader, order_id: Id, body: CancelIn, _: NoQuery) -> Response:
    """Ask the order's bot to cancel it; the answer is the command, its outcome is in the order."""
    key = f"api:{caller.actor.user_id}:{body.key or uuid4().hex}"
    command = orders.request_cancel(caller.wiring, caller.actor, order_id, key=key)
    told = {"command": {"id": command.id, "status": command.status, "expires_at": command.expires_at}}
    return answer(request, told, 202)


@router.get("/positions", response_model=Listing)
def positions(request: Request, caller: Reader, query: Annotated[RulesQuery, Query()]) -> Response:
    lines = holdings.positions(caller.wiring, caller.actor, account_id=query.account_id)
    items = [asdict(line) for line in lines]
    return answer(request, {"items": items, "next": None, "as_of": caller.wiring.clock.wall_now()})


@router.get("/alerts", response_model=Listing)
def alerts_(request: Request, caller: Reader, query: Annotated[AlertsQuery, Query()]) -> Response:
    lines = alerts.inbox(caller.wiring, caller.actor, acknowledged=query.acknowledged, limit=query.limit)
    items = [asdict(line) for line in lines]
    return answer(request, {"items": items, "next": None, "as_of": caller.wiring.clock.wall_now()})


@router.get("/alerts/{alert_id}/timeline", response_model=Listing)
def timeline(request: Request, caller: Reader, alert_id: Id, _: NoQuery) -> Response:
    """What happened around an alert, oldest first: alerts, orders, log lines, commands, and audit for an Admin."""
    items = [asdict(one) for one in incident.timeline(caller.wiring, caller.actor, alert_id)]
    return answer(request, {"items": items, "next": None, "as_of": caller.wiring.clock.wall_now()})


@router.get("/audit", response_model=Listing)
def audit(request: Request, caller: Reader, query: Annotated[Page, Query()]) -> Response:
    """An Admin's; newest first."""
    if query.before and not query.before.isdigit():
        raise _bad_cursor()
    before = int(query.before) if query.before else None
    rows = trail_check.newest(caller.wiring, caller.actor, before=before, limit=query.limit)
    following = str(rows[-1].id) if len(rows) == query.limit else None
    items = [row.model_dump() for row in rows]
    return answer(request, {"items": items, "next": following, "as_of": caller.wiring.clock.wall_now()})


def _order_cursor(text: str) -> tuple[datetime, int] | None:
    if not text:
        return None
    at, _, last = text.replace(" ", "+").partition("|")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(at)
        return moment, int(last)
    except ValueError:
        raise _bad_cursor() from None


def _bad_cursor() -> HTTPException:
    return HTTPException(422, {"code": "unreadable", "what": "`before` is not the `next` of a page"})
