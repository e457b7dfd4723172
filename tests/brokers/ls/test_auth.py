"""The token's life, and the proof of its side: without it no order leaves, and any doubt is a refusal."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from brokers.contract import Credentials
from brokers.http import Answer, Door, HostList, Mask
from brokers.ls import auth as auth_module
from brokers.ls import tr
from brokers.ls.auth import Auth, decode_token
from brokers.ls.codec import KST, judge
from brokers.ls.rest import Rest
from brokers.pacing import Pace, Pacer, Priority
from shared.clock import SystemClock
from shared.domain.account import Environment
from shared.domain.errors import AuthRefused, NotSent, OutcomeUnknown
from tests.brokers.ls.documented import RESPONSES
from tests.brokers.rig import FakeClock, MemoryTokens

NOT_OFFERED = {"rsp_cd": "01900", "rsp_msg": "모의투자에서는 해당업무가 제공되지 않습니다."}
OURS = "20099911101"  # the account of the documented answers
ORDER = RESPONSES["CSPAT00601"]


class Gateway:
    """LS's token call, its probe and its order TR, counted."""

    def __init__(self) -> None:
        self.clock = FakeClock(datetime(2026, 3, 10, 1, 0, tzinfo=UTC))  # 10:00 in Seoul
        self.issued, self.probes, self.orders = 0, 0, 0
        self.probe: Any = RESPONSES["FOCCQ33600"]
        self.probe_status = 200
        self.token_failure: dict[str, str] = {}
        self.order: tuple[int, Any] = (200, ORDER)
        self.lifetime_s = 50_000
        self.revoked: list[str] = []

    async def token(self, request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        form = await request.post()
        assert (form["grant_type"], form["scope"]) == ("client_credentials", "oob")
        if self.token_failure:
            return web.json_response(self.token_failure, status=403)
        self.issued += 1
        body = {**RESPONSES["token"], "access_token": f"token-{self.issued}", "expires_in": self.lifetime_s}
        return web.json_response(body)

    async def revoke(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert set(form) == {"appkey", "appsecretkey", "token_type_hint", "token"}
        self.revoked.append(str(form["token"]))
        return web.json_response(RESPONSES["revoke"])

    async def tr(self, request: web.Request) -> web.Response:
        assert request.headers["authorization"].startswith("Bearer token-")
        if request.headers["tr_cd"] == "FOCCQ33600":
            self.probes += 1
            self.clock.forward(seconds=2)  # so that trying again comes to an end
            return web.json_response(self.probe, status=self.probe_status)
        self.orders += 1
        status, body = self.order
        return web.json_response(body, status=status)


class Rig:
    def __init__(self, gateway: Gateway, port: int) -> None:
        self.gateway, self.port, self.tokens = gateway, port, MemoryTokens()
        self._doors: list[Door] = []

    def site(self, environment: Environment) -> tr.Site:
        hosts = HostList("LS", environment, frozenset({("http", "127.0.0.1", self.port)}))
        mock = environment is Environment.MOCK
        return tr.Site(environment, f"http://127.0.0.1:{self.port}", "", mock, tr.PATIENCE, hosts)

    def desk(self, environment: Environment = Environment.LIVE, account_no: str = OURS) -> tuple[Auth, Rest]:
        site, clock = self.site(environment), self.gateway.clock
        pacers = {code: Pacer("LS", Pace(100), SystemClock()) for code in tr.TRS}
        door = Door("LS", site.hosts, Pacer("LS", Pace(100), SystemClock()), clock, judge, Mask({"x"}, ()), None)
        self._doors.append(door)
        credentials = Credentials("k", "s", account_no)
        auth = Auth(door, site, credentials, clock, self.tokens, pacers[tr.PROBE.code])
        return auth, Rest(door, auth, site, pacers)

    async def close(self) -> None:
        for door in self._doors:
            await door.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    gateway = Gateway()
    app = web.Application()
    app.router.add_post("/oauth2/token", gateway.token)
    app.router.add_post("/oauth2/revoke", gateway.revoke)
    app.router.add_post("/{path:.*}", gateway.tr)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = Rig(gateway, runner.addresses[0][1])
    yield made
    await made.close()
    await runner.cleanup()


async def send(rest: Rest) -> Any:
    return await rest.order(tr.NEW, {"IsuNo": "A005930", "OrdQty": 1}, Priority.ENTRY, None)


async def test_callers_at_the_same_time_share_one_token_and_one_proof(rig: Rig) -> None:
    auth, _ = rig.desk()
    values = await asyncio.gather(*(auth.ensure_token() for _ in range(5)))
    assert set(values) == {"token-1"}
    assert (rig.gateway.issued, rig.gateway.probes) == (1, 1)


async def test_a_stored_token_is_used_again_after_a_restart_and_proven_again(rig: Rig) -> None:
    first, _ = rig.desk()
    await first.ensure_token()
    second, _ = rig.desk()
    assert await second.ensure_token() == "token-1"
    assert (rig.gateway.issued, rig.gateway.probes) == (1, 2)


@pytest.mark.parametrize(
    ("environment", "probe"),
    [
        (Environment.MOCK, RESPONSES["FOCCQ33600"]),
        (Environment.LIVE, NOT_OFFERED),
        (Environment.SIM, NOT_OFFERED),
        (Environment.LIVE, {"rsp_cd": "01900", "rsp_msg": ""}),
        (Environment.MOCK, {"rsp_cd": "01900", "rsp_msg": ""}),
        (Environment.LIVE, {"rsp_cd": "99999", "rsp_msg": "?"}),
        (Environment.LIVE, {}),
        (Environment.MOCK, {}),
        (Environment.LIVE, {"rsp_cd": "00136", "rsp_msg": "모의투자 조회가 완료되었습니다."}),
    ],
)
async def test_disagreement_or_doubt_about_the_side_stops_every_order(
    rig: Rig, environment: Environment, probe: Any
) -> None:
    rig.gateway.probe = probe
    auth, rest = rig.desk(environment)
    with pytest.raises(AuthRefused):
        await auth.ensure_token()
    with pytest.raises(AuthRefused):
        await send(rest)
    assert rig.gateway.orders == 0


@pytest.mark.parametrize(
    ("environment", "probe"), [(Environment.LIVE, RESPONSES["FOCCQ33600"]), (Environment.MOCK, NOT_OFFERED)]
)
async def test_the_right_side_may_order(rig: Rig, environment: Environment, probe: Any) -> None:
    rig.gateway.probe = probe
    _, rest = rig.desk(environment)
    assert await send(rest) == ORDER
    assert rig.gateway.orders == 1


async def test_a_key_of_another_account_is_refused(rig: Rig) -> None:
    auth, rest = rig.desk(account_no="20099911102")
    with pytest.raises(AuthRefused, match="another account"):
        await auth.ensure_token()
    with pytest.raises(AuthRefused):
        await send(rest)
    assert rig.gateway.orders == 0


async def test_a_new_token_is_proven_before_its_first_order(rig: Rig) -> None:
    auth, rest = rig.desk()
    await send(rest)
    rig.gateway.clock.forward(hours=20, minutes=59)  # 06:59 in Seoul: the token is about to die
    rig.gateway.probe = NOT_OFFERED
    with pytest.raises(AuthRefused):
        await send(rest)
    assert (rig.gateway.issued, rig.gateway.orders) == (2, 1)
    assert auth.token == "token-2"


async def test_a_token_is_renewed_before_its_end_and_not_twice(rig: Rig) -> None:
    auth, _ = rig.desk()
    await auth.ensure_token()
    rig.gateway.clock.forward(seconds=rig.gateway.lifetime_s - 150)
    assert await auth.ensure_token() == "token-1"
    rig.gateway.clock.forward(seconds=60)
    assert await auth.ensure_token() == "token-2"
    assert await auth.ensure_token() == "token-2"


async def test_an_old_token_serves_while_no_new_one_can_be_had(rig: Rig) -> None:
    auth, _ = rig.desk()
    await auth.ensure_token()
    rig.gateway.token_failure = {"error_code": "IGW00201"}
    rig.gateway.clock.forward(seconds=rig.gateway.lifetime_s - 100)
    assert await auth.ensure_token() == "token-1"


@pytest.mark.parametrize("code", ["IGW00103", "IGW00105"])
async def test_a_refused_key_is_for_a_person(rig: Rig, code: str) -> None:
    rig.gateway.token_failure = {"error_code": code, "error_description": "…"}
    auth, _ = rig.desk()
    with pytest.raises(AuthRefused):
        await auth.ensure_token()


async def test_an_order_on_a_dead_token_is_unknown_sent_once_and_the_token_renewed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_module, "PAUSE", timedelta(0))
    auth, rest = rig.desk()
    await auth.ensure_token()
    rig.gateway.order = (500, {"rsp_cd": "IGW00121", "rsp_msg": "유효하지 않은 token입니다."})
    with pytest.raises(OutcomeUnknown):
        await send(rest)
    assert rig.gateway.orders == 1
    assert auth.token == "token-2"


async def test_an_order_that_could_not_be_prepared_was_not_sent(rig: Rig) -> None:
    rig.gateway.probe_status = 500
    rig.gateway.probe = {"rsp_cd": "IGW50008"}
    _, rest = rig.desk()
    with pytest.raises(NotSent):
        await send(rest)
    assert rig.gateway.orders == 0


def token_answer(at: datetime, seconds: int) -> Answer:
    body = {**RESPONSES["token"], "expires_in": seconds}
    return Answer("token", 200, httpx.Headers(), json.dumps(body).encode(), at)


@given(st.integers(0, 200_000_000), st.integers(1, 90_000))
def test_no_token_is_trusted_beyond_its_word_or_beyond_the_next_seven_in_the_morning(after_s: int, life_s: int) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=after_s)
    _, ends = decode_token(token_answer(at, life_s))
    assert at < ends <= at + timedelta(seconds=life_s)
    local = at.astimezone(KST)
    seven = local.replace(hour=7, minute=0, second=0) + timedelta(days=local.hour >= 7)
    assert ends <= seven or seven - at <= timedelta(minutes=2)


async def test_a_token_is_given_back_once_and_never_used_again(rig: Rig) -> None:
    auth, _ = rig.desk()
    await auth.ensure_token()
    await auth.revoke()
    await auth.revoke()
    assert rig.gateway.revoked == ["token-1"]
    again, _ = rig.desk()
    assert await again.ensure_token() == "token-2"
    assert rig.tokens.token is not None and rig.tokens.token.generation == 2


async def test_nothing_is_given_back_without_a_token(rig: Rig) -> None:
    auth, _ = rig.desk()
    await auth.revoke()
    assert (rig.gateway.revoked, rig.gateway.issued) == ([], 0)


def test_a_form_shows_no_token_in_a_log() -> None:
    mask = Mask(tr.MASKED_FIELDS, ())
    assert mask("appkey=aaa&appsecretkey=bbb&token_type_hint=access_token&token=ccc") == (
        "appkey=***&appsecretkey=***&token_type_hint=access_token&token=***"
    )
