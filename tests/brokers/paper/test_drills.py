"""Fire drills: each one fires on what it names, says how it ends, and ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from brokers.paper.accounts import ExEnv
from brokers.paper.admin import admin_app
from brokers.paper.drills import DRILLS, Drill
from brokers.paper.faults import FaultAction, FaultPlan
from shared.domain.account import BrokerName
from shared.domain.order import Side
from tests.brokers.paper.floor_rig import Rig

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
NAMES = [drill.name for drill in DRILLS]


def named(name: str) -> Drill:
    return next(drill for drill in DRILLS if drill.name == name)


class Wire:
    """One broker's REST call and one frame behind the plan, as the fault under test wants them."""

    def __init__(self) -> None:
        self.plan = FaultPlan(lambda: NOW, lambda *_: None)
        self.facts: dict[str, Any] = {}
        self.acted = 0
        self.url = ""

    def pose_as(self, match: dict[str, str]) -> None:
        side = Side.BUY if match.get("side") else None
        self.facts = {
            "broker": BrokerName(match.get("broker", "KIS")), "env": ExEnv.LIVE, "account": "12345678-01",
            "tr": match.get("tr", "TTTT1002U").split("|")[-1], "symbol": "AAPL", "side": side,
        }  # fmt: skip

    async def handle(self, request: web.Request) -> web.StreamResponse:
        async def act() -> web.Response:
            self.acted += 1
            return web.json_response({"rt_cd": "0", "msg1": "a whole answer of some length"})

        return await self.plan.answer(request, **self.facts, act=act)

    async def call(self, patience_s: float = 60) -> tuple[int, bytes, str] | None:
        """(status, body, Date) or None for no answer."""
        timeout = aiohttp.ClientTimeout(total=patience_s)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.post(self.url) as answer:
                return answer.status, await answer.read(), answer.headers["Date"]
        except (TimeoutError, aiohttp.ClientError):
            return None


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    app = web.Application()
    app.router.add_post("/", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = "http://{}:{}/".format(*runner.addresses[0][:2])
    yield made
    await runner.cleanup()


def test_every_drill_has_a_name_of_its_own_and_speaks_both_languages() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for drill in DRILLS:
        assert all(getattr(drill, field) for field in ("ko", "en", "does_ko", "does_en", "ends_ko", "ends_en"))
        assert drill.faults or drill.tape
        assert bool(drill.tape) is bool(drill.after)
        json.dumps(asdict(drill))


def test_the_drills_cover_the_broker_and_stream_faults_and_every_action() -> None:
    cases = {drill.case for drill in DRILLS}
    assert {"R01", "R03", "R04", "R05", "R06", "R09", "R10", "R13", "R17", "R21", "R24", "R26"} <= cases
    assert {"W01", "W03", "W04", "W06", "W08", "W09", "W11", "W14"} <= cases
    assert {fault["action"] for drill in DRILLS for fault in drill.faults} == set(FaultAction)


@pytest.mark.parametrize("name", [drill.name for drill in DRILLS if drill.faults])
async def test_a_drill_fires_as_often_as_it_says_and_is_over(wire: Wire, name: str) -> None:
    for body in named(name).faults:
        fault = wire.plan.add(json.loads(json.dumps(body)))
        wire.pose_as(fault.match)
        times = fault.count or 2
        if fault.match["channel"] == "rest":
            for _ in range(times):
                await wire.call(1)  # some are never answered
        else:
            frames = [wire.plan.frames(**wire.facts, frame=f"frame {i}") for i in range(times)]
            assert any(steps != [] and steps[0].frame != f"frame {i}" for i, steps in enumerate(frames)) or (
                fault.action in {FaultAction.SILENT, FaultAction.REORDER, FaultAction.DUPLICATE, FaultAction.KEY_CHANGE}
            )
        assert fault.fired == (times if fault.action is not FaultAction.SILENT else 1)
        assert wire.plan.remove(fault.id) == 1
        acted = wire.acted
        if fault.match["channel"] == "rest":
            answer = await wire.call()
            assert answer is not None and answer[0] == 200 and wire.acted == acted + 1
        else:
            assert [step.frame for step in wire.plan.frames(**wire.facts, frame="true")] == ["true"]


async def test_the_clock_drill_shows_in_the_date_of_the_answer(wire: Wire) -> None:
    fault = wire.plan.add(dict(named("server-clock-off").faults[0]))
    wire.pose_as(fault.match)
    answer = await wire.call()
    assert answer is not None and (parsedate_to_datetime(answer[2]) - NOW).total_seconds() == 300


async def test_an_order_under_the_late_answer_drill_is_placed_before_its_answer(wire: Wire) -> None:
    fault = wire.plan.add(dict(named("fill-before-answer").faults[0]))
    wire.pose_as(fault.match)
    assert await wire.call(1) is None  # the client gave up
    assert wire.acted == 1


@pytest.mark.parametrize("name", [drill.name for drill in DRILLS if drill.tape])
async def test_what_a_drill_does_to_the_tape_can_be_put_back(rig: Rig, name: str) -> None:
    runner = web.AppRunner(admin_app(rig.exchange))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}".format(*runner.addresses[0][:2])
    before = {symbol: rig.exchange.quote(symbol).price for symbol in ("AAPL", "005930")}
    async with aiohttp.ClientSession() as session:
        for action in (*named(name).tape, *named(name).after):
            async with session.post(f"{url}/tape", json=action) as answer:
                assert answer.status == 200, await answer.text()
        async with session.get(f"{url}/drills") as answer:
            assert [one["name"] for one in (await answer.json())["drills"]] == NAMES
    await runner.cleanup()
    rig.run(3)
    for symbol, price in before.items():
        assert not rig.exchange.tape.resting(symbol)
        assert abs(rig.exchange.quote(symbol).price / price - 1) < 0.01
        assert rig.buy(symbol, 1, rig.exchange.quote(symbol).ask).leaves == 1
