"""The gateway: headers, keys, tokens, TR ids, parameter case, rates and faults (kis.md §1, §2, §6.3)."""

import asyncio
import json
import re
from typing import Any

import httpx
import pytest

from brokers.paper.kis_wire.gateway import TRS
from shared.domain.account import Market
from tests.brokers.paper.kis_wire.desk import LIVE, MOCK, Client, Desk, documented_request
from tests.brokers.paper.kis_wire.documented import REQUESTS, RESPONSES, shape

PRICE = "HHDFS00000300"


def refused(answer: httpx.Response, code: str, status: int = 500) -> None:
    assert (answer.status_code, answer.json()["msg_cd"]) == (status, code), answer.text
    assert set(answer.json()) == {"rt_cd", "msg_cd", "msg1"}
    assert answer.json()["rt_cd"] != "0"


async def oauth(desk: Desk, path: str, body: Any, env: Any = LIVE, **headers: str) -> httpx.Response:
    return await desk.http.post(f"{desk.rest[env]}{path}", content=json.dumps(body), headers=headers)


def credentials(key: str = "PSkey", secret: str = "secret", name: str = "appsecret") -> dict[str, str]:
    return {"grant_type": "client_credentials", "appkey": key, name: secret}


# -- OAuth


async def test_a_token_has_the_four_documented_fields_and_a_korean_expiry(desk: Desk) -> None:
    answer = await oauth(desk, "/oauth2/tokenP", credentials())
    assert shape(answer.json()) == shape(RESPONSES["tokenP"])
    assert answer.json()["expires_in"] == 86400
    assert answer.json()["access_token_token_expired"] == "2026-07-10 23:15:30"
    assert len(answer.json()["access_token"]) <= 350


async def test_within_six_hours_the_same_token_comes_again_and_then_another(desk: Desk) -> None:
    first = (await oauth(desk, "/oauth2/tokenP", credentials())).json()["access_token"]
    desk.clock.tick(6 * 3600 - 1)
    assert (await oauth(desk, "/oauth2/tokenP", credentials())).json()["access_token"] == first
    desk.clock.tick(1)
    assert (await oauth(desk, "/oauth2/tokenP", credentials())).json()["access_token"] != first


async def test_strict_issues_one_token_a_minute(strict_desk: Desk) -> None:
    assert (await oauth(strict_desk, "/oauth2/tokenP", credentials("PSlive", "right"))).status_code == 200
    strict_desk.clock.tick(59)
    again = await oauth(strict_desk, "/oauth2/tokenP", credentials("PSlive", "right"))
    assert (again.status_code, again.json()) == (403, RESPONSES["tokenP-limit"])
    strict_desk.clock.tick(1)
    assert (await oauth(strict_desk, "/oauth2/tokenP", credentials("PSlive", "right"))).status_code == 200


async def test_compat_has_no_token_minute(desk: Desk) -> None:
    for _ in range(3):
        assert (await oauth(desk, "/oauth2/tokenP", credentials())).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (credentials(key=""), "EGW00102"),
        (credentials(secret=""), "EGW00104"),
        (credentials("PSnobody", "right"), "EGW00103"),
        (credentials("PSlive", "wrong"), "EGW00105"),
        (credentials("PSmock", "right"), "EGW02004"),
        ({**credentials("PSlive", "right"), "grant_type": "password"}, "EGW00106"),
    ],
)
async def test_a_token_refusal_names_its_fields_differently(strict_desk: Desk, body: Any, code: str) -> None:
    answer = await oauth(strict_desk, "/oauth2/tokenP", body)
    assert (answer.status_code, answer.json()["error_code"]) == (403, code)
    assert set(answer.json()) == {"error_code", "error_description"}


async def test_a_revoked_token_is_invalid_and_the_next_issue_is_new(desk: Desk) -> None:
    client = desk.client()
    await client.call(PRICE)
    old = desk.tokens[LIVE, "PSkey"]
    answer = await oauth(desk, "/oauth2/revokeP", {"appkey": "PSkey", "appsecret": "secret", "token": old})
    assert answer.json() == RESPONSES["revokeP"]
    refused(await client.call(PRICE), "EGW00121")
    desk.clock.tick(1)
    assert (await oauth(desk, "/oauth2/tokenP", credentials())).json()["access_token"] != old


async def test_an_approval_key_is_given_for_secretkey_on_either_host(strict_desk: Desk) -> None:
    for env in (LIVE, MOCK):
        answer = await oauth(strict_desk, "/oauth2/Approval", credentials("PSlive", "right", "secretkey"), env)
        assert shape(answer.json()) == shape(RESPONSES["Approval"])
    answer = await oauth(strict_desk, "/oauth2/Approval", credentials("PSlive", "right"))
    assert answer.json()["error_code"] == "EGW00104"


async def test_a_hash_needs_no_token_and_echoes_the_body(desk: Desk) -> None:
    body = REQUESTS["hashkey"]
    answer = await oauth(desk, "/uapi/hashkey", body, appKey="PSkey", appSecret="secret")
    assert shape(answer.json()) == shape(RESPONSES["hashkey"])
    assert answer.json()["BODY"] == body
    assert re.fullmatch("[0-9a-f]{64}", answer.json()["HASH"])


# -- keys and tokens of calls


async def test_missing_or_bad_credentials_are_refused_by_their_codes(desk: Desk) -> None:
    client = desk.client()
    refused(await client.call(PRICE, headers={"authorization": ""}), "EGW00122")
    refused(await client.call(PRICE, headers={"authorization": "Bearer nonsense"}), "EGW00121")
    refused(await client.call(PRICE, headers={"authorization": desk.tokens[LIVE, "PSkey"]}), "EGW00205")
    refused(await client.call(PRICE, headers={"appkey": ""}), "EGW00102")
    refused(await client.call(PRICE, headers={"appsecret": ""}), "EGW00104")


async def test_an_expired_token_says_so_in_the_documented_words(desk: Desk) -> None:
    client = desk.client()
    await client.call(PRICE)
    desk.clock.tick(24 * 3600)
    answer = await client.call(PRICE)
    assert (answer.status_code, answer.json()) == (500, RESPONSES["EGW00123"])


async def test_strict_refuses_foreign_keys_tokens_and_accounts(strict_desk: Desk) -> None:
    own = strict_desk.client(LIVE, key="PSlive", secret="right")
    assert (await own.call(PRICE)).json()["rt_cd"] == "0"
    refused(await own.call(PRICE, headers={"appkey": "PSnobody"}), "EGW00103")
    refused(await own.call(PRICE, headers={"appsecret": "wrong"}), "EGW00105")
    refused(await own.call(PRICE, headers={"appkey": "PSmock"}), "EGW02004")
    mock_token = await strict_desk.token(MOCK, "PSmock", "right")
    refused(await own.call(PRICE, headers={"authorization": f"Bearer {mock_token}"}), "EGW00121")
    refused(await own.call("TTTS3012R", {"CANO": "87654321"}), "OPSQ2000")


async def test_compat_takes_any_key_and_a_token_of_either_host(desk: Desk) -> None:
    token = await desk.token(MOCK, "someone")
    answer = await desk.client(LIVE, key="someone-else").call(PRICE, headers={"authorization": f"Bearer {token}"})
    assert answer.json()["rt_cd"] == "0"


@pytest.mark.parametrize("cano", ["1234", "", "abcdefgh"])
async def test_an_account_that_is_none_is_refused(desk: Desk, cano: str) -> None:
    refused(await desk.client().call("TTTS3012R", {"CANO": cano}), "OPSQ2000")


# -- transaction ids


async def test_every_tr_of_one_host_is_refused_on_the_other(desk: Desk) -> None:
    live_only = [tr_id for tr_id, tr in TRS.items() if tr.env is LIVE]
    mock_only = [tr_id for tr_id, tr in TRS.items() if tr.env is MOCK]
    assert len(live_only) > 20 and len(mock_only) > 15
    for tr_id in live_only:
        refused(await desk.client(MOCK).call(tr_id), "EGW02006")
    for tr_id in mock_only:
        refused(await desk.client(LIVE).call(tr_id), "OPSQ0002")


async def test_an_unknown_or_missing_tr_id_is_refused(desk: Desk) -> None:
    refused(await desk.client().call(PRICE, headers={"tr_id": "HHDFS99999999"}), "OPSQ0002")
    refused(await desk.client(MOCK).call(PRICE, headers={"tr_id": "HHDFS99999999"}), "EGW02006")
    refused(await desk.client().call(PRICE, headers={"tr_id": ""}), "EGW00310")


async def raw(client: Client, method: str, path: str, tr_id: str, **more: Any) -> httpx.Response:
    token = await client.desk.token(client.env, client.key, client.secret)
    headers = {"Authorization": f"Bearer {token}", "appKey": client.key, "appSecret": client.secret, "tr_id": tr_id}
    return await client.desk.http.request(method, client.desk.rest[client.env] + path, headers=headers, **more)


async def test_the_tr_id_decides_in_compat_and_the_path_is_checked_in_strict(desk: Desk, strict_desk: Desk) -> None:
    path, params = "/uapi/domestic-stock/v1/trading/inquire-daily-ccld", REQUESTS["TTTC8908R"]
    tolerant = await raw(desk.client(), "GET", path, "TTTC8908R", params=params)
    assert tolerant.json()["output"]["ord_psbl_cash"] == "100000000"
    strict = strict_desk.client(LIVE, key="PSlive", secret="right")
    refused(await raw(strict, "GET", path, "TTTC8908R", params=params), "EGW00202")


async def test_repeated_slashes_collapse_and_header_case_does_not_matter(strict_desk: Desk) -> None:
    client = strict_desk.client(LIVE, key="PSlive", secret="right")
    params = REQUESTS[PRICE]
    answer = await raw(client, "GET", "//uapi//overseas-price/v1/quotations/price", PRICE, params=params)
    assert answer.json()["rt_cd"] == "0"


async def test_get_names_match_in_any_case_and_post_names_only_in_upper_case(desk: Desk) -> None:
    client = desk.client()
    path = TRS["TTTS3012R"].path
    lower = {name.lower(): value for name, value in REQUESTS["TTTS3012R"].items()}
    assert (await raw(client, "GET", path, "TTTS3012R", params=lower)).json()["rt_cd"] == "0"
    body = {name.lower(): value for name, value in REQUESTS["TTTT1002U"].items()}
    refused(await raw(client, "POST", TRS["TTTT1002U"].path, "TTTT1002U", json=body), "OPSQ2001")


async def test_a_body_that_is_no_object_or_the_wrong_method_is_refused(desk: Desk) -> None:
    client, order = desk.client(), TRS["TTTT1002U"].path
    refused(await raw(client, "POST", order, "TTTT1002U", content="{not json"), "OPSQ9999")
    refused(await raw(client, "POST", order, "TTTT1002U", content="[1]"), "OPSQ9999")
    refused(await raw(client, "GET", order, "TTTT1002U", params=REQUESTS["TTTT1002U"]), "EGW00101")


async def test_numbers_in_a_body_count_as_text_and_stay_exact(desk: Desk) -> None:
    fields = {"ORD_QTY": 3, "OVRS_ORD_UNPR": 190.1}
    number = (await desk.client().call("TTTT1002U", fields)).json()["output"]["ODNO"]
    order = desk.exchange.order(desk.account(), int(number))
    assert order is not None and (order.quantity, str(order.price)) == (3, "190.1")


@pytest.mark.parametrize("field", ["CANO", "ACNT_PRDT_CD"])
async def test_a_missing_account_field_is_named(desk: Desk, field: str) -> None:
    for tr_id in (tr_id for tr_id, tr in TRS.items() if tr.names_account and tr.env is LIVE):
        answer = await desk.client().call(tr_id, {field: None})
        refused(answer, "OPSQ2001")
        assert f"[{field}]" in answer.json()["msg1"]


ODD = ["", " ", "-1", "1e999999", "1e-999999", "NaN", "9" * 5000, "%", "^", "\u0661", "99991231", "00000000", "'; --"]


async def test_no_value_of_any_field_breaks_the_server(desk: Desk) -> None:
    """Whatever a field holds, the answer is the envelope: never a bare HTTP error."""
    client = desk.client()
    await client.fill("AAPL", 1)
    for tr_id, tr in TRS.items():
        if tr.env is MOCK:
            continue
        request = documented_request(tr_id)
        for place, name in enumerate(sorted(request)):
            for odd in ODD[place % 2 :: 2]:
                answer = await client.call(tr_id, {name: odd})
                assert {"rt_cd", "msg_cd", "msg1"} <= set(answer.json()), (tr_id, name, odd)


# -- headers


async def test_standard_headers_are_capitalised_and_kis_headers_lower_case(desk: Desk) -> None:
    answer = await desk.client().call("TTTS3012R", headers={"gt_uid": "0123456789abcdef0123456789abcdef"})
    names = [name.decode() for name, _ in answer.headers.raw]
    assert answer.http_version == "HTTP/1.1"
    assert {name for name in names if name.islower()} == {"tr_id", "tr_cont", "gt_uid"}
    assert answer.headers["tr_id"] == "TTTS3012R"
    assert answer.headers["gt_uid"] == "0123456789abcdef0123456789abcdef"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_every_reply_has_tr_cont_and_a_generated_gt_uid(desk: Desk) -> None:
    quote = await desk.client().call(PRICE)
    assert quote.headers["tr_cont"] == ""
    assert len(quote.headers["gt_uid"]) == 32
    assert "tr_cont" in (await desk.client().call(PRICE, headers={"authorization": ""})).headers


# -- rates and faults


@pytest.mark.parametrize(("env", "key", "limit"), [(LIVE, "PSlive", 18), (MOCK, "PSmock", 1)])
async def test_strict_limits_the_calls_of_a_second(strict_desk: Desk, env: Any, key: str, limit: int) -> None:
    client = strict_desk.client(env, key=key, secret="right")
    await strict_desk.token(env, key, "right")
    answers = await asyncio.gather(*(client.call(PRICE) for _ in range(limit + 1)))
    codes = sorted(answer.json()["msg_cd"] for answer in answers)
    assert codes == ["EGW00201"] + ["MCA00000"] * limit
    strict_desk.clock.tick(1)
    assert (await client.call(PRICE)).json()["rt_cd"] == "0"


async def test_a_fault_can_answer_any_documented_code_before_anything_is_placed(desk: Desk) -> None:
    body = {"rt_cd": "1", "msg_cd": "EGW00215", "msg1": "원장에서 허용 가능한 초당 거래건수 초과"}
    match = {"tr": "TTTT1002U", "account": "12345678-01", "symbol": "AAPL", "side": "BUY"}
    desk.exchange.faults.add({"match": match, "action": "status", "args": {"status": 500, "body": body}})
    refused(await desk.client().call("TTTT1002U", {"OVRS_ORD_UNPR": "190.00"}), "EGW00215")
    assert desk.exchange.open_orders(desk.account(), Market.US) == []


async def test_a_connection_dropped_after_acceptance_leaves_the_order_placed(desk: Desk) -> None:
    desk.exchange.faults.add({"match": {"tr": "TTTT1002U"}, "action": "drop_after_accept"})
    await desk.token(LIVE, "PSkey")
    with pytest.raises(httpx.TransportError):
        await desk.client().call("TTTT1002U", {"OVRS_ORD_UNPR": "190.00"})
    assert len(desk.exchange.open_orders(desk.account(), Market.US)) == 1


async def test_a_fault_on_the_token_endpoint_is_matched_by_its_name(desk: Desk) -> None:
    desk.exchange.faults.add({"match": {"tr": "tokenP"}, "action": "status", "args": {"status": 500}})
    assert (await oauth(desk, "/oauth2/tokenP", credentials())).status_code == 500
    assert (await oauth(desk, "/oauth2/tokenP", credentials())).status_code == 200
