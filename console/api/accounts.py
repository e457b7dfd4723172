"""`/accounts` and `/bots`: register, look at, limits, keys, switch on and off."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from console.api.door import Caller, Manager, NoQuery, Reader, Trader, answer
from console.api.schemas import PROBLEMS, AccountIn, AccountOut, KeysIn, LimitsIn, Listing, SwitchIn, ToggleIn
from console.services import accounts, overview
from console.services.accounts import Keys, Limits, NewAccount
from console.services.overview import AccountLine

router = APIRouter(tags=["accounts"], responses=PROBLEMS)
Id = Annotated[int, Path(ge=1, le=2**31 - 1)]
_LIMITS = tuple(one.name for one in fields(Limits))


@router.get("/accounts", response_model=Listing)
def listed(request: Request, caller: Reader, _: NoQuery) -> Response:
    view = overview.overview(caller.wiring, caller.actor)
    items = [_line(caller, line) for line in sorted(view.lines, key=lambda one: one.id)]
    return answer(request, {"items": items, "next": None, "as_of": view.as_of})


@router.post("/accounts", response_model=AccountOut, status_code=201)
def add(request: Request, caller: Manager, body: AccountIn, _: NoQuery) -> Response:
    """Register an account, switched off. Its keys are sealed at once and never answered."""
    new = NewAccount(body.nickname, body.broker, body.market, body.environment)
    limits = Limits(**{name: getattr(body, name) for name in _LIMITS})
    account_id = accounts.add_account(caller.wiring, caller.actor, new, _keys(body), limits, confirm=body.confirm)
    return answer(request, _one(caller, account_id), 201)


@router.get("/accounts/{account_id:int}", response_model=AccountOut)
def shown(request: Request, caller: Reader, account_id: Id, _: NoQuery) -> Response:
    return answer(request, _one(caller, account_id))


@router.patch("/accounts/{account_id:int}", response_model=AccountOut)
def limits(request: Request, caller: Manager, account_id: Id, body: LimitsIn, _: NoQuery) -> Response:
    """Change limits; what is left out stays."""
    row = accounts.detail(caller.wiring, caller.actor, account_id)
    sent = body.model_fields_set
    wanted = Limits(**{name: getattr(body if name in sent else row, name) for name in _LIMITS})
    accounts.set_limits(caller.wiring, caller.actor, account_id, wanted, reason=body.reason)
    return answer(request, _one(caller, account_id))


@router.post("/accounts/{account_id:int}:toggle", response_model=AccountOut)
def toggle(request: Request, caller: Trader, account_id: Id, body: ToggleIn, _: NoQuery) -> Response:
    """Ask for the account's bot to run or stop. LIVE: `confirm` is the account's name, with a reason, by an Admin."""
    if body.enabled:
        accounts.start(caller.wiring, caller.actor, account_id, confirm=body.confirm, reason=body.reason)
    else:
        accounts.stop(caller.wiring, caller.actor, account_id, reason=body.reason)
    return answer(request, _one(caller, account_id))


@router.post("/accounts/{account_id:int}/credentials", response_model=AccountOut)
def credentials(request: Request, caller: Manager, account_id: Id, body: KeysIn, _: NoQuery) -> Response:
    """Replace the keys; they are sealed at once and never answered."""
    accounts.set_credentials(caller.wiring, caller.actor, account_id, _keys(body), confirm=body.confirm)
    return answer(request, _one(caller, account_id))


@router.get("/bots", response_model=Listing)
def bots(request: Request, caller: Reader, _: NoQuery) -> Response:
    view = overview.overview(caller.wiring, caller.actor)
    names = ("id", "nickname", "environment", "enabled", "status", "why", "heartbeat_age_s", "feed_age_s", "kill")
    items = [{name: getattr(line, name) for name in names} for line in view.lines]
    return answer(request, {"items": items, "next": None, "as_of": view.as_of})


@router.post("/bots/{account_id:int}:start", response_model=AccountOut)
def start(request: Request, caller: Trader, account_id: Id, body: SwitchIn, _: NoQuery) -> Response:
    accounts.start(caller.wiring, caller.actor, account_id, confirm=body.confirm, reason=body.reason)
    return answer(request, _one(caller, account_id))


@router.post("/bots/{account_id:int}:stop", response_model=AccountOut)
def stop(request: Request, caller: Trader, account_id: Id, body: SwitchIn, _: NoQuery) -> Response:
    accounts.stop(caller.wiring, caller.actor, account_id, reason=body.reason)
    return answer(request, _one(caller, account_id))


@router.post("/bots/{account_id:int}:restart", response_model=AccountOut)
def restart(request: Request, caller: Trader, account_id: Id, body: SwitchIn, _: NoQuery) -> Response:
    """A new generation: fleet ends the bot and starts it again; positions and orders stay at the broker."""
    accounts.stop(caller.wiring, caller.actor, account_id, reason=body.reason)
    accounts.start(caller.wiring, caller.actor, account_id, confirm=body.confirm, reason=body.reason)
    return answer(request, _one(caller, account_id))


def _keys(body: KeysIn) -> Keys:
    given = (body.app_key, body.app_secret, body.account_no, body.hts_id)
    return Keys(*(one.get_secret_value() for one in given))


def _one(caller: Caller, account_id: int) -> dict[str, Any]:
    accounts.detail(caller.wiring, caller.actor, account_id)  # 404 for one that is not his
    line = overview.overview(caller.wiring, caller.actor, only=account_id).lines[0]
    return _line(caller, line)


def _line(caller: Caller, line: AccountLine) -> dict[str, Any]:
    row = accounts.detail(caller.wiring, caller.actor, line.id)
    whole = asdict(line)
    left_out = (
        "decision",
        "last4",
        "trouble",
        "equity",
        "cash",
        "pnl_today",
        "first_today",
        "heartbeat_age_s",
        "feed_age_s",
    )
    told = {name: value for name, value in whole.items() if name not in left_out}
    money = {name: getattr(line, name) for name in ("equity", "cash", "pnl_today")}
    amounts = {name: None if one is None else one.amount for name, one in money.items()}
    limits = {name: getattr(row, name) for name in _LIMITS}
    return {**told, **amounts, **limits, "account_no": accounts.masked(row), "created_at": row.created_at}
