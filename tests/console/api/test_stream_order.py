"""Two bots write at once on PostgreSQL: who took the lower number may commit later, and a listener still hears both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlmodel import Session

from console.api import stream
from console.api.door import Caller
from shared.db import writing
from shared.models import ExecutionLog, Role
from shared.store.panels import LogFilter
from tests.console import desks
from tests.console.desks import Desk

pytestmark = pytest.mark.postgres


def line(desk: Desk, seq: int) -> ExecutionLog:
    now = desk.wiring.clock.wall_now()
    account = desk.accounts["미국 주식 1호"]
    return ExecutionLog(account_id=account, seq=seq, level="INFO", message=f"line {seq}", created_at=now)


async def told(events: AsyncIterator[dict[str, Any]]) -> tuple[str, str]:
    event = await anext(events)
    return orjson.loads(event["data"])["message"], event["id"]


async def test_a_row_that_is_committed_late_is_not_passed_over(
    postgresql_store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, committed, real = 0, threading.Event(), stream._read

    def look(*asked: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == 2:
            assert committed.wait(120)  # between the first look and the second one
        return real(*asked)

    monkeypatch.setattr(stream, "EVERY_S", 0.01)
    monkeypatch.setattr(stream, "_read", look)
    desk = desks.normal_desk(tmp_path, url=postgresql_store_url)
    caller = Caller(desk.wiring, desk.actor(Role.ADMIN), frozenset())
    start = stream._now(caller)
    with Session(desk.wiring.engine) as slow:
        slow.add(line(desk, 901))
        slow.flush()  # has its number, is not committed
        with writing(desk.wiring.engine) as session:
            session.add(line(desk, 902))
        async with aclosing(stream._follow(caller, ("logs",), None, LogFilter(), start)) as events:
            first = asyncio.ensure_future(told(events))
            while not looks:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(slow.commit)
            committed.set()
            messages = [(await first)[0]]
            messages.append((await told(events))[0])
            assert messages == ["line 901", "line 902"]
            with writing(desk.wiring.engine) as session:
                session.add(line(desk, 903))
            message, place = await told(events)
            assert message == "line 903"
    with writing(desk.wiring.engine) as session:
        session.add(line(desk, 904))
    again = stream._place(place)
    assert again is not None
    async with aclosing(stream._follow(caller, ("logs",), None, LogFilter(), again)) as events:
        assert (await told(events))[0] == "line 904"
    desk.wiring.engine.dispose()
