"""Who may come in: bearer tokens, their scopes, their rate; bodies of a bounded size; answers that carry an ETag."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from console.plain import to_plain
from console.services.permissions import Actor
from console.services.tokens import Scope, bearer, note_use
from console.wiring import Wiring
from shared.models import Role
from shared.words import LANGS

PER_MINUTE = 240
BURST = 60
BODY_MAX = 256 * 1024
NOTE_EVERY_S = 60.0


@dataclass(slots=True)
class Bucket:
    left: float = BURST
    at: float = 0.0


@dataclass(slots=True)
class Door:
    """Counts requests per token; lives in the one console process."""

    wiring: Wiring
    buckets: dict[str, Bucket] = field(default_factory=lambda: defaultdict(Bucket))
    noted: dict[int, float] = field(default_factory=dict)  # token → when its use was last written down

    def note_use(self, token_id: int) -> None:
        """Keep `last_used_at` about right, at most one write per minute and token."""
        now = self.wiring.clock.monotonic()
        if now - self.noted.get(token_id, -NOTE_EVERY_S) >= NOTE_EVERY_S:
            self.noted[token_id] = now
            note_use(self.wiring, token_id)

    def wait_s(self, key: str) -> float:
        """Take one request of `key`; how long to wait when there is none left, else 0."""
        if len(self.buckets) > 5000:  # a flood of keys must not fill the memory
            self.buckets.clear()
        now, bucket = self.wiring.clock.monotonic(), self.buckets[key]
        bucket.left = min(BURST, bucket.left + (now - bucket.at) * PER_MINUTE / 60)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0.0
        return (1 - bucket.left) * 60 / PER_MINUTE


@dataclass(frozen=True, slots=True)
class Caller:
    wiring: Wiring
    actor: Actor
    scopes: frozenset[str]


async def admit(request: Request) -> Caller:
    """The caller behind the bearer token. 401 without one, 429 with Retry-After beyond its rate, 413 for a large body."""
    door: Door = request.app.state.door
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    who = await asyncio.to_thread(bearer, door.wiring, token) if scheme.lower() == "bearer" and token else None
    key = f"token:{who.token_id}" if who else f"address:{request.client.host if request.client else ''}"
    wait = door.wait_s(key)
    if wait:
        raise HTTPException(429, {"code": "too_many"}, {"retry-after": str(int(wait) + 1)})
    if who is None:
        raise HTTPException(401, {"code": "unauthorized"}, {"www-authenticate": "Bearer"})
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_MAX or "chunked" in request.headers.get("transfer-encoding", ""):
        raise HTTPException(413, {"code": "too_large"})
    await asyncio.to_thread(door.note_use, who.token_id)
    lang = who.lang if who.lang in LANGS else door.wiring.settings.lang
    caller = Caller(door.wiring, Actor(who.user_id, Role(who.role), "api", who.email, lang), who.scopes)
    request.state.caller = caller
    return caller


def needs(scope: Scope) -> Callable[..., Caller]:
    """A dependency: the caller, when his token has the scope."""

    def check(request: Request) -> Caller:
        caller: Caller = request.state.caller
        if scope.value not in caller.scopes:
            said = {"code": "scope", "what": f"the token lacks the scope {scope.value}", "now": "letstrade token add"}
            raise HTTPException(403, said)
        return caller

    return check


Reader = Annotated[Caller, Depends(needs(Scope.READ))]
Trader = Annotated[Caller, Depends(needs(Scope.TRADE))]
Manager = Annotated[Caller, Depends(needs(Scope.MANAGE))]


class Strict(BaseModel):
    """A request: an unknown name is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Nothing(Strict):
    """A route without parameters."""


NoQuery = Annotated[Nothing, Query()]


def answer(request: Request, document: Any, status: int = 200) -> Response:
    """A JSON answer with its ETag; 304 when the caller has it already. `as_of` is not part of what is compared."""
    plain = to_plain(document)
    compared = {name: value for name, value in plain.items() if name != "as_of"} if isinstance(plain, dict) else plain
    tag = '"' + hashlib.sha256(orjson.dumps(compared)).hexdigest()[:24] + '"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    given = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if request.method == "GET" and tag in given:
        return Response(status_code=304, headers=headers)
    return Response(orjson.dumps(plain), status, headers, "application/json")
