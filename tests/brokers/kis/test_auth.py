"""The token's life: one issue for all callers, none after a restart, renewal before the end, a hash or no order."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiohttp import web

from brokers.contract import Credentials, Token
from brokers.http import Answer, Door, HostList, Mask
from brokers.kis import auth as auth_module
from brokers.kis.auth import Auth, decode_token
from brokers.kis.codec import judge
from brokers.kis.tr import LIVE_PACE, PATIENCE, Site
from brokers.pacing import Pace, Pacer
from shared.clock import SystemClock
from shared.domain.account import Environment
from shared.domain.errors import AuthExpired, AuthRefused, NotSent
from tests.brokers.kis.payload import answer, request
from tests.brokers.rig import FakeClock, MemoryTokens, until


class Gateway:
    """KIS's OAuth calls, counted."""

    def __init__(self) -> None:
        self.issued = 0
        self.value = ""  # "" makes each token a new one
        self.status, self.failure = 200, {}  # type: tuple[int, dict[str, str]]
        self.clock = FakeClock()
        self.revoked: list[str] = []
        self.asked: list[dict[str, str]] = []

    async def token(self, request: web.Request) -> web.Response:
        self.issued += 1
        self.asked.append(json.loads(await request.text()))
        if self.failure:
            return web.json_response(self.failure, status=self.status)
        ends = self.clock.wall_now() + timedelta(hours=33)  # 24 h from now, written in Seoul's time
        return web.json_response(
            {
                "access_token": self.value or f"token-{self.issued}",
                "token_type": "Bearer",
                "expires_in": 86400,
                "access_token_token_expired": f"{ends:%Y-%m-%d %H:%M:%S}",
            }
        )

    async def approval(self, request: web.Request) -> web.Response:
        self.asked.append(json.loads(await request.text()))
        return web.json_response(answer("Approval"))

    async def revoke(self, request: web.Request) -> web.Response:
        self.revoked.append(json.loads(await request.text())["token"])
        return web.json_response({"code": 200, "message": "접근토큰 폐기에 성공하였습니다"})

    async def hashkey(self, request: web.Request) -> web.Response:
        if self.failure:
            return web.json_response(self.failure, status=self.status)
        return web.json_response({"BODY": json.loads(await request.text()), "HASH": "abc123"})


class Rig:
    def __init__(self, gateway: Gateway, port: int) -> None:
        self.gateway, self.port, self.tokens = gateway, port, MemoryTokens()

    def auth(self) -> Auth:
        address = ("http", "127.0.0.1", self.port)
        hosts = HostList("KIS", Environment.SIM, frozenset({address}))
        site = Site(Environment.SIM, f"http://127.0.0.1:{self.port}", "", False, LIVE_PACE, PATIENCE, hosts)
        real = SystemClock()
        self.door = Door("KIS", hosts, Pacer("KIS", Pace(100), real), real, judge, Mask({"x"}, ()), None)
        return Auth(self.door, site, Credentials("k", "s", "1234567801"), self.gateway.clock, self.tokens)


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    gateway = Gateway()
    app = web.Application()
    app.router.add_post("/oauth2/tokenP", gateway.token)
    app.router.add_post("/oauth2/Approval", gateway.approval)
    app.router.add_post("/oauth2/revokeP", gateway.revoke)
    app.router.add_post("/uapi/hashkey", gateway.hashkey)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made = Rig(gateway, runner.addresses[0][1])
    yield made
    await made.door.close()
    await runner.cleanup()


async def test_callers_at_the_same_time_share_one_issue(rig: Rig) -> None:
    auth = rig.auth()
    assert await asyncio.gather(*(auth.ensure_token() for _ in range(10))) == ["token-1"] * 10
    assert rig.gateway.issued == 1


async def test_a_token_survives_a_restart_and_its_end_is_read_as_seoul_time(rig: Rig) -> None:
    await rig.auth().ensure_token()
    assert rig.tokens.token is not None
    assert rig.tokens.token.expires_at == rig.gateway.clock.wall_now() + timedelta(hours=24)
    await rig.door.close()
    assert await rig.auth().ensure_token() == "token-1"
    assert rig.gateway.issued == 1


async def test_a_token_is_renewed_before_it_ends_and_its_generation_grows(rig: Rig) -> None:
    auth = rig.auth()
    await auth.ensure_token()
    rig.gateway.clock.forward(hours=23, minutes=29)
    assert await auth.ensure_token() == "token-1"
    rig.gateway.clock.forward(minutes=2)
    assert await auth.ensure_token() == "token-2"
    assert rig.tokens.token is not None and rig.tokens.token.generation == 2


async def test_while_renewal_fails_the_old_token_serves_to_its_end(rig: Rig) -> None:
    auth = rig.auth()
    await auth.ensure_token()
    rig.gateway.clock.forward(hours=23, minutes=45)
    rig.gateway.status, rig.gateway.failure = 403, {"error_code": "EGW00103", "error_description": "x"}
    assert await auth.ensure_token() == "token-1"
    rig.gateway.clock.forward(minutes=15)
    with pytest.raises(AuthRefused):
        await auth.ensure_token()


async def test_a_refused_token_is_replaced_once_for_all_who_saw_it(rig: Rig) -> None:
    auth = rig.auth()
    await auth.ensure_token()
    rig.gateway.clock.forward(hours=7)
    await asyncio.gather(*(auth.renew("token-1") for _ in range(5)))
    assert (await auth.ensure_token(), rig.gateway.issued) == ("token-2", 2)


async def test_the_same_token_issued_again_after_its_refusal_is_not_called_new(rig: Rig) -> None:
    rig.gateway.value = "same"
    auth = rig.auth()
    await auth.ensure_token()
    rig.gateway.clock.forward(hours=1)
    with pytest.raises(AuthExpired):
        await auth.renew("same")
    assert rig.tokens.token is not None and rig.tokens.token.generation == 1


async def test_two_issues_are_a_minute_apart_even_across_a_restart(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        rig.gateway.clock.forward(seconds=seconds)

    monkeypatch.setattr(auth_module.asyncio, "sleep", sleep)
    now = rig.gateway.clock.wall_now()
    rig.tokens.token = Token("just-issued", now + timedelta(hours=24) - timedelta(seconds=1), 1)
    auth = rig.auth()
    await auth.ensure_token()
    await auth.renew("just-issued")
    assert waits == [60.0]


async def test_an_order_without_a_hash_is_not_sent_and_says_why(rig: Rig) -> None:
    auth = rig.auth()
    assert await auth.sign_order(b'{"PDNO":"AAPL"}') == "abc123"
    rig.gateway.status, rig.gateway.failure = 500, {"rt_cd": "1", "msg_cd": "EGW00131", "msg1": "x"}
    with pytest.raises(NotSent) as refused:
        await auth.sign_order(b'{"PDNO":"AAPL"}')
    assert refused.value.broker_code == "EGW00131"


async def test_a_revoked_token_is_given_back_once_and_never_used_again(rig: Rig) -> None:
    auth = rig.auth()
    await auth.revoke()  # nothing to give back
    await auth.ensure_token()
    await auth.revoke()
    await auth.revoke()
    assert rig.gateway.revoked == ["token-1"]
    assert rig.tokens.token is not None and rig.tokens.token.expires_at <= rig.gateway.clock.wall_now()
    rig.gateway.clock.forward(minutes=2)
    await rig.door.close()
    assert await rig.auth().ensure_token() == "token-2"


async def test_the_same_token_issued_after_it_was_given_back_lives_again(rig: Rig) -> None:
    rig.gateway.value = "same"
    auth = rig.auth()
    await auth.ensure_token()
    await auth.revoke()
    rig.gateway.clock.forward(minutes=2)
    assert [await auth.ensure_token() for _ in range(3)] == ["same"] * 3
    assert rig.gateway.issued == 2
    assert rig.tokens.token is not None and rig.tokens.token.generation == 1


async def test_a_dropped_token_is_replaced_before_anyone_uses_it_again(rig: Rig) -> None:
    auth = rig.auth()
    await auth.start()
    rig.gateway.clock.forward(minutes=2)
    auth.drop("another")  # an older one: nothing happens
    assert await auth.ensure_token() == "token-1"
    auth.drop("token-1")
    assert await auth.ensure_token() == "token-2"
    await until(lambda: rig.gateway.issued == 2)
    await auth.close()


async def test_the_keeper_replaces_a_dropped_token_by_itself(rig: Rig) -> None:
    auth = rig.auth()
    await auth.start()
    rig.gateway.clock.forward(minutes=2)
    auth.drop("token-1")
    await until(lambda: rig.gateway.issued == 2)
    await auth.close()


async def test_token_and_stream_key_are_asked_as_documented(rig: Rig) -> None:
    auth = rig.auth()
    await auth.ensure_token()
    assert await auth.approval_key() == answer("Approval")["approval_key"]
    assert [set(body) for body in rig.gateway.asked] == [set(request("tokenP")), set(request("Approval"))]


def test_the_documented_token_is_read_as_seoul_time() -> None:
    made = Answer("tokenP", 200, httpx.Headers(), json.dumps(answer("tokenP")).encode(), FakeClock().wall_now())
    value, expires_at = decode_token(made)
    assert value.startswith("eyJ") and expires_at == datetime(2026, 7, 10, 0, 31, 7, tzinfo=UTC)
