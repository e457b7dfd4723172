"""Tokens live until 07:00 KST; forms, keys and secrets are checked as the gateway does (ls.md §2)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.ls_wire.formats import KST
from brokers.paper.ls_wire.oauth import lifetime_s
from shared.domain.account import BrokerName
from shared.domain.money import Currency
from tests.brokers.ls.documented import REQUESTS, RESPONSES, kinds
from tests.brokers.paper.ls_wire.bench import LIVE_KEY, SECRET, Bench, open_bench

ASKED = {"grant_type": "client_credentials", "appkey": LIVE_KEY, "appsecretkey": SECRET, "scope": "oob"}


@given(st.integers(0, 200_000_000))
def test_every_token_ends_at_seven_in_the_morning_within_a_day(after_s: int) -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=after_s)
    seconds = lifetime_s(now)
    end = (now + timedelta(seconds=seconds)).astimezone(KST)
    assert (end.hour, end.minute, end.second) == (7, 0, 0)
    assert 0 < seconds <= 86_400


async def test_a_token_has_the_documented_form(bench: Bench) -> None:
    status, body = await bench.oauth("/oauth2/token", ASKED)
    assert status == 200
    assert kinds(body) == kinds(RESPONSES["token"])
    assert (body["scope"], body["token_type"]) == ("oob", "Bearer")


@pytest.mark.parametrize(
    ("changed", "headers", "code"),
    [
        ({"appkey": ""}, {}, "IGW00103"),
        ({"appsecretkey": ""}, {}, "IGW00105"),
        ({"scope": ""}, {}, "IGW40013"),
        ({"grant_type": "password"}, {}, "IGW40013"),
        ({}, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, "IGW00133"),
        ({}, {"Content-Type": "application/json"}, "IGW00133"),
    ],
)
async def test_a_wrong_token_request_is_a_403_with_the_gateways_words(
    bench: Bench, changed: dict[str, str], headers: dict[str, str], code: str
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, body = await bench.oauth("/oauth2/token", {**ASKED, **changed}, {**form, **headers})
    assert (status, body["error_code"]) == (403, code)
    assert kinds(body) == kinds(RESPONSES["oauth error"])


async def test_a_revoked_token_opens_nothing(bench: Bench) -> None:
    token = await bench.token()
    form = {"appkey": LIVE_KEY, "appsecretkey": SECRET, "token_type_hint": "access_token", "token": token}
    assert await bench.oauth("/oauth2/revoke", form) == (200, RESPONSES["revoke"])
    assert (await bench.call("t1102", REQUESTS["t1102"])).code == "IGW00121"
    assert (await bench.oauth("/oauth2/revoke", form))[0] == 403


async def test_one_key_is_one_account_of_eleven_digits(bench: Bench) -> None:
    first = (await bench.call("CSPAQ12200", REQUESTS["CSPAQ12200"])).body["CSPAQ12200OutBlock1"]["AcntNo"]
    again = (await bench.call("CSPAQ12200", REQUESTS["CSPAQ12200"])).body["CSPAQ12200OutBlock1"]["AcntNo"]
    other = await bench.call("CSPAQ12200", REQUESTS["CSPAQ12200"], key="PSother0000000000001")
    assert first == again
    assert first != other.body["CSPAQ12200OutBlock1"]["AcntNo"]
    assert len(first) == 11
    assert first.isdigit()


async def test_strict_knows_registered_keys_only_and_one_token_each(tmp_path: Path) -> None:
    async with open_bench(tmp_path, Profile.STRICT) as bench:
        assert (await bench.oauth("/oauth2/token", ASKED))[1]["error_code"] == "IGW00103"
        bench.exchange.register(
            broker=BrokerName.LS, env=ExEnv.LIVE, app_key=LIVE_KEY, secret=SECRET, account="20000000001",
            hts_id="", cash={Currency.KRW: Decimal(1_000_000)}, holdings=[],
        )  # fmt: skip
        assert (await bench.oauth("/oauth2/token", {**ASKED, "appsecretkey": "wrong"}))[1]["error_code"] == "IGW00105"
        await bench.token()
        assert (await bench.call("t1102", REQUESTS["t1102"])).code == "00000"
        assert (await bench.oauth("/oauth2/token", ASKED))[0] == 200
        assert (await bench.call("t1102", REQUESTS["t1102"])).code == "IGW00121"
