"""GET /healthz (open): it serves and the store answers. GET /readyz (session or bearer): ready, or the reasons why not."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from console.services import watch
from console.services.overview import SILENT_S
from console.wiring import Wiring
from shared import schema
from shared.db import reading
from shared.domain.errors import ConfigError
from shared.store.accounts import live_accounts
from shared.store.panels import heartbeats
from shared.store.people import token_user

STORE_TIMEOUT_S = 3.0


def health_routes(wiring: Wiring) -> list[Route]:
    """The two routes, bound to this process's store."""

    async def healthz(_request: Request) -> JSONResponse:
        answered = await _in_time(_store_answers, wiring)
        return JSONResponse({"ok": bool(answered)}, 200 if answered else 503)

    async def readyz(request: Request) -> JSONResponse:
        if "letstrade.user" not in request.scope and not await asyncio.to_thread(_bearer_known, wiring, request):
            return JSONResponse({"error": {"code": "unauthorized"}}, 401)
        reasons = await _in_time(_reasons, wiring)
        found = ["store: no answer in time"] if reasons is None else reasons
        return JSONResponse({"ready": not found, "reasons": found}, 503 if found else 200)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def _in_time(ask, wiring: Wiring):  # type: ignore[no-untyped-def]
    try:
        return await asyncio.wait_for(asyncio.to_thread(ask, wiring), STORE_TIMEOUT_S)
    except TimeoutError:
        return None


def _store_answers(wiring: Wiring) -> bool:
    try:
        with reading(wiring.engine) as session:
            return session.execute(text("SELECT 1")).scalar() == 1
    except SQLAlchemyError:
        return False


def _bearer_known(wiring: Wiring, request: Request) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return False
    with reading(wiring.engine) as session:
        return token_user(session, token, wiring.clock.wall_now()) is not None


def _reasons(wiring: Wiring) -> list[str]:
    if not _store_answers(wiring):
        return ["store: no answer"]
    try:
        schema.require_current(wiring.engine)
    except ConfigError as error:
        return [f"schema: {error.what}"]
    open_doors = [f"row security: {gap}" for gap in schema.row_security_gaps(wiring.engine) or []]
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        wanted = {row.id: row.nickname for row in live_accounts(session) if row.id is not None and row.enabled}
        beats = heartbeats(session, wanted)
    silent = [
        name for key, name in wanted.items() if key not in beats or (now - beats[key].at).total_seconds() > SILENT_S
    ]
    unwatched = [f"nobody watches: {name}" for name in watch.silent_programs(wiring)]
    return [*open_doors, *(f"bot silent: {name}" for name in silent), *unwatched]
