"""`/logs` and `/stream`: rows as they arrive, by Server-Sent Events that can be resumed with Last-Event-ID."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError
from sse_starlette import EventSourceResponse

from console.api.door import Caller, Reader, Strict, answer
from console.api.schemas import PROBLEMS, AccountId, LogsQuery
from console.plain import to_plain
from console.services import holdings, logs, overview
from console.services.permissions import visible_accounts
from shared.db import reading
from shared.domain.errors import TradingError
from shared.store import panels
from shared.store.panels import LogFilter

router = APIRouter(tags=["stream"], responses=PROBLEMS)
TOPICS = ("logs", "orders", "positions", "heartbeats")
EVERY_S = 1.0
MOST_STREAMS = 20
BATCH = 200
_open: set[object] = set()  # streams of this process


class StreamQuery(Strict):
    topics: Annotated[str, Field(max_length=80)] = ",".join(TOPICS)
    account_id: AccountId | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """How far a listener has read; written as the id of every event."""

    log: int
    event: int

    def __str__(self) -> str:
        return f"L{self.log}-E{self.event}"


@router.get("/logs")
async def logs_(request: Request, caller: Reader, query: Annotated[LogsQuery, Query()]) -> Response:
    """Newest first as JSON; with `Accept: text/event-stream`, what comes from now on."""
    wanted = LogFilter(frozenset({query.level}) if query.level else frozenset(), "", query.rule_id)
    if "text/event-stream" in request.headers.get("accept", ""):
        return await _events(request, caller, ("logs",), query.account_id, wanted)
    paged = replace(wanted, before=int(query.before) if query.before else None)
    lines = await asyncio.to_thread(
        logs.newest, caller.wiring, caller.actor, paged, account_id=query.account_id, limit=query.limit
    )
    following = str(lines[-1].id) if len(lines) == query.limit else None
    items = [asdict(line) for line in lines]
    return answer(request, {"items": items, "next": following, "as_of": caller.wiring.clock.wall_now()})


@router.get("/stream")
async def stream(request: Request, caller: Reader, query: Annotated[StreamQuery, Query()]) -> Response:
    """Server-Sent Events of the topics; logs and orders go on where Last-Event-ID ends."""
    topics = tuple(dict.fromkeys(part for part in query.topics.split(",") if part))
    if not topics or set(topics) - set(TOPICS):
        raise HTTPException(422, {"code": "unreadable", "what": f"topics are {', '.join(TOPICS)}"})
    return await _events(request, caller, topics, query.account_id, LogFilter())


async def _events(
    request: Request, caller: Caller, topics: tuple[str, ...], account_id: int | None, wanted: LogFilter
) -> Response:
    if len(_open) >= MOST_STREAMS:
        raise HTTPException(429, {"code": "too_many_streams"}, {"retry-after": "30"})
    place = _place(request.headers.get("last-event-id", "")) or await asyncio.to_thread(_now, caller)
    return EventSourceResponse(_follow(caller, topics, account_id, wanted, place), ping=15)


async def _follow(
    caller: Caller, topics: tuple[str, ...], account_id: int | None, wanted: LogFilter, place: Place
) -> AsyncIterator[dict[str, Any]]:
    mark = object()
    _open.add(mark)
    shown: dict[str, Any] = {}
    concurrent = caller.wiring.engine.dialect.name == "postgresql"
    settled: Place | None = None
    try:
        while True:
            try:
                newest = await asyncio.to_thread(_now, caller) if concurrent else None
                top = (settled or place) if concurrent else None  # what was there one look ago
                found, place = await asyncio.to_thread(_read, caller, topics, account_id, wanted, place, shown, top)
                settled = newest
            except TradingError:  # the token's user was disabled or lost the account
                return
            except SQLAlchemyError:
                found = []  # the store is away; the listener keeps its place
            for topic, at, row in found:
                yield {"event": topic, "id": str(at), "data": orjson.dumps(to_plain(row)).decode()}
            await asyncio.sleep(EVERY_S)
    finally:
        _open.discard(mark)


def _read(
    caller: Caller,
    topics: tuple[str, ...],
    account_id: int | None,
    wanted: LogFilter,
    place: Place,
    shown: dict[str, Any],
    top: Place | None,
) -> tuple[list[tuple[str, Place, Any]], Place]:
    """What is new since `place`, each with the place after it; state topics come when they differ from `shown`.

    Nothing above `top` is told yet: bots that write at the same time take their numbers before they commit, and one who
    listens must not be past a row that comes a moment later.
    """
    found: list[tuple[str, Place, Any]] = []
    wiring, actor = caller.wiring, caller.actor
    if "logs" in topics:
        since = replace(wanted, after=place.log)
        for line in logs.newest(wiring, actor, since, account_id=account_id, limit=BATCH):
            if top is not None and line.id > top.log:
                break
            place = replace(place, log=line.id)
            found.append(("logs", place, asdict(line)))
    if "orders" in topics:
        with reading(wiring.engine) as session:
            known = [row.id for row in visible_accounts(session, actor) if row.id and account_id in (None, row.id)]
            for event in panels.order_events_after(session, known, place.event, limit=BATCH):
                if top is not None and (event.id or 0) > top.event:
                    break
                place = replace(place, event=event.id or 0)
                found.append(("orders", place, event.model_dump()))
    if "positions" in topics:
        rows = [asdict(one) for one in holdings.positions(wiring, actor, account_id=account_id)]
        if shown.get("positions") != rows:
            shown["positions"] = rows
            found.append(("positions", place, {"items": rows}))
    if "heartbeats" in topics:
        beats = [
            {"account_id": one.id, "status": one.status, "why": one.why, "kill": one.kill}
            for one in overview.overview(wiring, actor).lines
            if account_id in (None, one.id)
        ]
        if shown.get("heartbeats") != beats:
            shown["heartbeats"] = beats
            found.append(("heartbeats", place, {"items": beats}))
    return found, place


def _now(caller: Caller) -> Place:
    with reading(caller.wiring.engine) as session:
        return Place(panels.newest_log_id(session), panels.newest_event_id(session))


def _place(text: str) -> Place | None:
    """The place a Last-Event-ID names; None when there is none or it is not one of ours."""
    log, dash, event = text.partition("-")
    if dash and log[:1] == "L" and event[:1] == "E" and log[1:].isdigit() and event[1:].isdigit():
        return Place(int(log[1:]), int(event[1:]))
    return None
