"""`/rules`: add, list, change, switch."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from console.api.accounts import Id
from console.api.door import Caller, NoQuery, Reader, Trader, answer
from console.api.schemas import PROBLEMS, Listing, RuleIn, RulePatch, RulesQuery, ToggleIn
from console.services import rules
from console.services.rules import RuleLine

router = APIRouter(tags=["rules"], responses=PROBLEMS)
_SHOWN = ("id", "account_id", "account", "environment", "name", "symbol", "enabled", "version", "updated_at")


@router.get("/rules", response_model=Listing)
def listed(request: Request, caller: Reader, query: Annotated[RulesQuery, Query()]) -> Response:
    lines = rules.listed(caller.wiring, caller.actor, account_id=query.account_id)
    items = [_row(line) for line in lines]
    return answer(request, {"items": items, "next": None, "as_of": caller.wiring.clock.wall_now()})


@router.post("/rules", status_code=201)
def add(request: Request, caller: Trader, body: RuleIn, _: NoQuery) -> Response:
    """Save a text as a new rule, switched off."""
    rule_id = rules.add_rule(
        caller.wiring,
        caller.actor,
        body.account_id,
        body.text,
        symbols=body.symbols,
        max_position=body.max_position,
    )
    return answer(request, _one(caller, rule_id), 201)


@router.patch("/rules/{rule_id:int}")
def save(request: Request, caller: Trader, rule_id: Id, body: RulePatch, _: NoQuery) -> Response:
    """Save the next version. `If-Match: "<version>"` refuses with 412 when somebody saved meanwhile."""
    expected = request.headers.get("if-match", "").strip('" ')
    present = rules.opened(caller.wiring, caller.actor, rule_id).version.number
    if expected and expected != str(present):
        raise HTTPException(412, {"code": "rule_changed", "what": f"the rule is at version {present}"})
    rules.save_version(
        caller.wiring,
        caller.actor,
        rule_id,
        body.text,
        symbols=body.symbols,
        max_position=body.max_position,
        expected_version=int(expected) if expected else None,
    )
    return answer(request, _one(caller, rule_id))


@router.post("/rules/{rule_id:int}:toggle")
def toggle(request: Request, caller: Trader, rule_id: Id, body: ToggleIn, _: NoQuery) -> Response:
    """Switch a rule. LIVE: `confirm` is the account's name, by an Admin."""
    rules.switch(
        caller.wiring,
        caller.actor,
        rule_id,
        enabled=body.enabled,
        confirm=body.confirm,
        reason=body.reason,
        waive=body.waive,
    )
    return answer(request, _one(caller, rule_id))


def _one(caller: Caller, rule_id: int) -> dict[str, Any]:
    opened = rules.opened(caller.wiring, caller.actor, rule_id)
    line = next(one for one in rules.listed(caller.wiring, caller.actor) if one.id == rule_id)
    return {**_row(line), "max_position": opened.max_position, "text": opened.version.text}


def _row(line: RuleLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in _SHOWN}
