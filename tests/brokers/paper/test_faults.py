"""Faults: what a client sees on a real socket, and what really happened to its order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from brokers.paper.accounts import ExEnv
from brokers.paper.faults import BadFault, FaultAction, FaultPlan, Step, StepKind
from shared.domain.account import BrokerName, Market
from shared.domain.order import Side
from tests.brokers.paper.floor_rig import Rig

ANSWER = {"rt_cd": "0", "text": "주문"}


class Wire:
    """A one-call broker behind the plan, and a client for it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)
        self.logged: list[str] = []
        self.acted = 0
        self.plan = FaultPlan(lambda: self.now, lambda fault, *_: self.logged.append(fault.action))
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        return await self.plan.answer(
            request,
            broker=BrokerName.KIS,
            env=ExEnv.LIVE,
            tr="TTTT1002U",
            account="12345678-01",
            symbol="AAPL",
            side=Side.BUY,
            act=self.act,
        )

    async def act(self) -> web.Response:
        self.acted += 1
        return web.json_response(ANSWER)

    async def call(self, patience_s: float = 60) -> tuple[int, bytes]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience_s)) as session,
            session.post(self.url) as answer,
        ):
            return answer.status, await answer.read()

    def frames(self, frame: str, tr: str = "H0GSCNI0") -> list[Step]:
        return self.plan.frames(
            broker=BrokerName.KIS, env=ExEnv.LIVE, tr=tr, account="12345678-01", symbol="AAPL", side=None, frame=frame
        )


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    app = web.Application()
    app.router.add_post("/", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = "http://{}:{}/".format(*runner.addresses[0][:2])
    yield made
    await runner.cleanup()


def fault(
    action: str, *, nth: int = 1, count: int = 1, match: dict[str, str] | None = None, **args: Any
) -> dict[str, Any]:
    return {"action": action, "nth": nth, "count": count, "match": match or {}, "args": args}


async def test_without_a_fault_the_answer_passes(wire: Wire) -> None:
    status, body = await wire.call()
    assert (status, json.loads(body), wire.acted) == (200, ANSWER, 1)


@pytest.mark.parametrize(
    ("action", "args", "acted"),
    [
        ("drop_before_accept", {}, 0),
        ("drop_after_accept", {}, 1),
        ("reset", {}, 0),
        ("reset", {"accept": True}, 1),
        ("cut_after_bytes", {"bytes": 5}, 1),
        ("hang", {}, 0),
        ("hang", {"accept": True}, 1),
    ],
)
async def test_an_answer_that_never_arrives_whole(wire: Wire, action: str, args: dict[str, Any], acted: int) -> None:
    wire.plan.add(fault(action, **args))
    with pytest.raises((aiohttp.ClientError, TimeoutError, ConnectionError)):
        await wire.call(1 if action == "hang" else 60)
    assert wire.acted == acted
    assert (await wire.call())[0] == 200  # it fired once


@pytest.mark.parametrize(
    ("action", "args", "status", "body", "acted"),
    [
        ("status", {}, 500, b"", 0),
        ("status", {"status": 429, "body": "slow", "accept": True}, 429, b"slow", 1),
        ("body", {"body": "<html>"}, 200, b"<html>", 0),
        ("body", {"body": {"rt_cd": "1"}}, 200, b'{"rt_cd": "1"}', 0),
    ],
)
async def test_another_answer_than_the_true_one(
    wire: Wire, action: str, args: dict[str, Any], status: int, body: bytes, acted: int
) -> None:
    wire.plan.add(fault(action, **args))
    assert (*await wire.call(), wire.acted) == (status, body, acted)


async def test_garbage_is_not_json(wire: Wire) -> None:
    wire.plan.add(fault("garbage"))
    status, body = await wire.call()
    assert status == 200
    with pytest.raises(ValueError):
        json.loads(body)


async def test_a_delayed_answer_comes_late_and_true(wire: Wire) -> None:
    wire.plan.add(fault("delay", seconds=0.3))
    begun = asyncio.get_running_loop().time()
    assert (await wire.call())[0] == 200
    assert asyncio.get_running_loop().time() - begun >= 0.3


async def test_the_nth_call_and_the_count_are_kept(wire: Wire) -> None:
    planned = wire.plan.add(fault("status", nth=2, count=2))
    assert [(await wire.call())[0] for _ in range(5)] == [200, 500, 500, 200, 200]
    assert (planned.seen, planned.fired, wire.logged) == (5, 2, ["status", "status"])


async def test_only_what_matches_is_hit_and_a_removed_fault_is_gone(wire: Wire) -> None:
    for match in ({"broker": "LS"}, {"env": "mock"}, {"tr": "X"}, {"account": "50001234-01"}, {"side": "SELL"}):
        wire.plan.add(fault("status", match=match))
    assert (await wire.call())[0] == 200
    hit = wire.plan.add(fault("status", count=0, match={"broker": "kis", "account": "12345678", "side": "buy"}))
    assert [(await wire.call())[0] for _ in range(3)] == [500] * 3
    assert wire.plan.remove(hit.id) == 1
    assert (await wire.call())[0] == 200
    assert wire.plan.remove() == 5
    assert wire.plan.all() == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"action": "explode"}, "action must be one of"),
        ({"action": "kick", "match": {"channel": "rest"}}, "does not exist on channel"),
        ({"action": "status", "match": {"channel": "ws"}}, "does not exist on channel"),
        ({"action": "status", "match": {"colour": "red"}}, "match has no field"),
        ({"action": "status", "nth": 0}, "nth"),
        ({"action": "status", "count": -1}, "count"),
        ({"action": "delay", "args": {"seconds": "long"}}, "seconds"),
        ({"action": "delay", "when": "now"}, "unknown field"),
    ],
)
def test_a_fault_that_cannot_be_planned_is_refused_by_name(
    wire_plan: FaultPlan, body: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadFault, match=why):
        wire_plan.add(body)
    assert wire_plan.all() == []


@pytest.fixture
def wire_plan() -> FaultPlan:
    return Wire().plan


def test_every_action_can_be_planned_on_some_channel(wire_plan: FaultPlan) -> None:
    assert len({wire_plan.add({"action": action}).id for action in FaultAction}) == len(FaultAction)


def sent(steps: list[Step]) -> list[str | bytes]:
    assert all(step.kind is StepKind.SEND for step in steps)
    return [step.frame for step in steps]


def test_frames_pass_double_swap_and_vanish() -> None:
    wire = Wire()
    assert sent(wire.frames("a")) == ["a"]
    wire.plan.add(fault("duplicate"))
    assert sent(wire.frames("a")) == ["a", "a"]
    wire.plan.add(fault("reorder"))
    assert [sent(wire.frames(one)) for one in "abc"] == [[], ["b", "a"], ["c"]]
    wire.plan.add(fault("silent", seconds=5))
    assert sent(wire.frames("a")) == []
    wire.now += timedelta(seconds=4)
    assert sent(wire.frames("a")) == []
    wire.now += timedelta(seconds=2)
    assert sent(wire.frames("a")) == ["a"]


def test_frames_are_spoiled_late_or_the_last() -> None:
    wire = Wire()
    wire.plan.add(fault("garbage", match={"channel": "ws"}))
    assert sent(wire.frames("a")) != ["a"]
    wire.plan.add(fault("delay", match={"channel": "ws", "tr": "H0GSCNI0"}, seconds=2))
    assert wire.frames("a", tr="HDFSCNT0")[0].delay_s == 0
    assert wire.frames("a")[0].delay_s == 2
    wire.plan.add(fault("key_change"))
    assert [step.kind for step in wire.frames("a")] == [StepKind.KEY_CHANGE, StepKind.SEND]
    wire.plan.add(fault("kick", abrupt=True))
    assert wire.frames("a") == [Step(StepKind.KICK, abrupt=True)]


async def test_visibility_lag_hides_what_the_call_placed(rig: Rig) -> None:
    rig.exchange.faults.add(fault("visibility_lag", seconds=3))
    placed = []

    async def act() -> web.Response:
        placed.append(rig.buy("AAPL", 1, 150))
        return web.Response()

    for _ in range(2):
        await rig.exchange.faults.answer(
            make_mocked_request("POST", "/order"),
            broker=BrokerName.KIS,
            env=ExEnv.LIVE,
            tr="TTTT1002U",
            account="12345678-01",
            symbol="AAPL",
            side=Side.BUY,
            act=act,
        )
    assert rig.exchange.open_orders(rig.kis, Market.US) == [placed[1]]
    rig.run(3)
    assert rig.exchange.open_orders(rig.kis, Market.US) == placed[::-1]
    assert [row[-1] for row in rig.ledger("FAULT")] == ["visibility_lag"]


async def test_a_stale_balance_says_what_it_said_before_and_then_the_truth(rig: Rig) -> None:
    truths = iter(("10 shares", "11 shares", "12 shares"))

    async def act() -> web.Response:
        return web.Response(text=next(truths))

    async def ask() -> str:
        answer = await rig.exchange.faults.answer(
            make_mocked_request("GET", "/balance?page=1"), broker=BrokerName.KIS, env=ExEnv.LIVE, tr="TTTS3012R",
            account="12345678-01", symbol="", side=None, act=act,
        )  # fmt: skip
        assert isinstance(answer, web.Response)
        return str(answer.text)

    rig.exchange.faults.add(fault("stale", match={"tr": "TTTS3012R"}, nth=2, count=2))
    assert [await ask() for _ in range(4)] == ["10 shares", "10 shares", "10 shares", "11 shares"]
