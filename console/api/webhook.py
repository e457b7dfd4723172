"""TradingView's webhook: it only proposes. Path id and body secret, age, once per alert; answered at once, then queued."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, HTTPException, Request, Response
from sqlmodel import Session

from console.api.door import Door, answer
from console.api.schemas import Problem
from console.services import orders_at_once
from console.services.permissions import Actor
from console.services.tokens import opened_by
from console.wiring import Wiring
from shared.db import writing
from shared.domain.account import Market
from shared.domain.instrument import check_symbol
from shared.domain.signal import Verdict
from shared.models import Role, User, Webhook
from shared.store import accounts

router = APIRouter(tags=["webhook"], responses={n: {"model": Problem} for n in (404, 409, 413, 422, 429)})
BODY_MAX = 8 * 1024
AGE = timedelta(seconds=60)
AHEAD = timedelta(seconds=10)  # their clock may be a little before ours
MOST_FIELDS = 40
VERDICTS = {"buy": Verdict.BUY, "long": Verdict.BUY, "sell": Verdict.SELL, "flat": Verdict.SELL, "exit": Verdict.SELL}
BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "maxProperties": MOST_FIELDS,
                "required": ["secret", "ticker", "action", "timenow"],
                "properties": {
                    "secret": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,100}$"},
                    "ticker": {"type": "string", "pattern": "^([A-Z]{1,12}:)?[A-Z0-9]{1,12}$"},
                    "action": {"type": "string", "enum": sorted(VERDICTS)},
                    "timenow": {
                        "type": "string",
                        "pattern": "^20[0-9]{2}-0[1-9]-[01][1-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]Z$",
                    },
                    "time": {"type": "string", "pattern": "^[0-9TZ:.-]{0,40}$"},
                    "id": {"type": "string", "pattern": "^[A-Za-z0-9 _-]{0,80}$"},
                },
                "additionalProperties": {"type": "number"},
            }
        }
    },
}


@dataclass(frozen=True, slots=True)
class Said:
    """What an alert says, once its placeholders are filled in."""

    secret: str
    symbol: str
    verdict: Verdict
    at: datetime
    once: str  # the same for the same alert


@router.post("/webhook/tradingview/{path_id}", status_code=202, openapi_extra={"requestBody": BODY})
async def tradingview(request: Request, path_id: str) -> Response:
    """202 with the command's id. 404 for a wrong path or secret alike, 409 for an old alert, 422 for a strange one."""
    door: Door = request.app.state.door
    wait = door.wait_s(f"hook:{path_id[:32]}")
    if wait:
        raise HTTPException(429, {"code": "too_many"}, {"retry-after": str(int(wait) + 1)})
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise HTTPException(413, {"code": "too_large"})
    said = read(body)
    return answer(request, await asyncio.to_thread(_propose, door.wiring, path_id, said), 202)


def read(body: bytes) -> Said:
    """Read an alert's JSON.

    `action` is {{strategy.order.action}} (or {{strategy.market_position}}), `ticker` may carry its exchange,
    `timenow` is when the alert fired, `time` its bar.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise _strange("the body is not JSON") from None
    if not isinstance(fields, dict) or len(fields) > MOST_FIELDS:
        raise _strange("the body is not one JSON object")
    text = {str(name): str(value) for name, value in fields.items() if isinstance(value, (str, int, float))}
    if any("{{" in value for value in text.values()):
        raise _strange("a placeholder was not filled in")
    verdict = VERDICTS.get(text.get("action", "").strip().lower())
    if verdict is None:
        raise _strange("action is none of buy, sell, long, flat, exit")
    at = _moment(text.get("timenow", ""))
    symbol = text.get("ticker", "").strip().upper().rpartition(":")[2]
    if not re.fullmatch(r"[A-Z0-9.\-]{1,12}", symbol):
        raise _strange("ticker cannot be read")
    once = "|".join((symbol, verdict, text.get("timenow", ""), text.get("time", ""), text.get("id", "")))
    return Said(text.get("secret", ""), symbol, verdict, at, hashlib.sha256(once.encode()).hexdigest()[:32])


def _propose(wiring: Wiring, path_id: str, said: Said) -> dict[str, object]:
    now = wiring.clock.wall_now()
    with writing(wiring.engine) as session:
        row = opened_by(session, path_id, said.secret)
        if row is None:
            raise HTTPException(404, {"code": "not_found"})
        if not -AHEAD <= now - said.at <= AGE:
            raise HTTPException(409, {"code": "too_old", "what": f"fired at {said.at.isoformat()}"})
        row.last_used_at = now
        session.add(row)
        symbol, actor = _symbol(session, row, said.symbol), _actor(session, row, wiring.settings.lang)
        rule_id, key, source = row.rule_id, f"tv:{row.id}:{said.once}", f"webhook:{row.id}"
    command = orders_at_once.propose(wiring, actor, rule_id, symbol, said.verdict, key=key, source=source)
    return {"command": {"id": command.id, "status": command.status}, "proposed": said.verdict, "symbol": symbol}


def _symbol(session: Session, row: Webhook, symbol: str) -> str:
    account = accounts.find(session, row.account_id)
    try:
        return check_symbol(symbol, Market(account.market if account else Market.US))
    except ValueError:
        raise _strange("ticker is not a symbol of the account's market") from None


def _actor(session: Session, row: Webhook, lang: str) -> Actor:
    """The webhook acts for whom it was made; one made at the command line of this machine acts for that."""
    if row.user_id is None:
        return Actor(None, Role.TRADER, "cli", f"webhook:{row.id}", lang)
    user = session.get(User, row.user_id)
    return Actor(row.user_id, Role(user.role if user else Role.VIEWER), "api", row.name, lang)


def _moment(text: str) -> datetime:
    """{{timenow}}: 2026-11-21T09:56:00Z."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _strange("timenow is missing or no time") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _strange(what: str) -> HTTPException:
    return HTTPException(422, {"code": "unreadable", "what": what})
