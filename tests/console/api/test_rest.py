"""The REST interface behind the gate: tokens and scopes, masked numbers, paging, ETags, refusals, audit."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette

from console.api.app import api_app, api_routes
from console.api.door import BURST
from console.gate import Gate
from console.services import tokens
from console.services.tokens import Scope
from shared.clock import SystemClock
from shared.db import reading
from shared.models import AuditLog, Command, Role
from tests.console.desks import CANARIES, RULE_TEXT, Desk
from tests.console.entries import entry

US = "미국 주식 1호"
EVERY = list(Scope)


def token_for(desk: Desk, role: Role = Role.ADMIN, scopes: list[Scope] = EVERY) -> str:
    return tokens.add(desk.wiring, desk.actor(Role.ADMIN), desk.users[role], "t", scopes, days=1)[1]


@pytest.fixture
async def api(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    app = Gate(Starlette(routes=api_routes(desk.wiring)), desk.wiring)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:16501") as client:
        client.headers["authorization"] = f"Bearer {token_for(desk)}"
        yield client


async def test_nothing_answers_without_a_bearer_token(api: httpx.AsyncClient, desk: Desk) -> None:
    paths = [path for path in api_app(desk.wiring).openapi()["paths"] if "webhook" not in path]
    assert len(paths) >= 17
    for path in [*(f"/api{one}" for one in paths), "/api/openapi.json", "/metrics"]:
        for header in ("", "Bearer wrong"):
            answer = await api.request("GET", re.sub(r"{\w+}", "1", path), headers={"authorization": header})
            assert answer.status_code in {401, 405, 429}, path


async def test_a_line_break_in_a_path_is_an_unknown_path_and_opens_no_door(api: httpx.AsyncClient) -> None:
    """A URL made of the path would lose the break, or end at the "?": the gate would judge another one."""
    for path in ("/api/v1/accounts%0A", "/api/v1/acc%0Aounts", "/api/v1/webhook/tradingview/x%0Ay"):
        answer = await api.post(path, json={})
        assert (answer.status_code, answer.json()) == (404, {"error": {"code": "not_found"}}), path
    for path in ("/health%0Az", "/healthz%3F", "/healthz%3F/metrics", "/metr%0Aics"):
        answer = await api.get(path, headers={"authorization": ""})
        assert answer.status_code == 401, path


async def test_an_account_shows_four_digits_and_never_a_key(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v1/accounts")
    shown = {one["nickname"]: one["account_no"] for one in answer.json()["items"]}
    assert shown[US] == "****4321-01"
    everything = answer.text
    for path in ("bots", "orders", "positions", "rules", "alerts", "audit", "logs"):
        everything += (await api.get(f"/api/v1/{path}")).text
    assert not [canary for canary in CANARIES if canary in everything]


async def test_registering_answers_the_account_and_seals_the_keys(api: httpx.AsyncClient) -> None:
    body = {"nickname": "새 계좌", "broker": "KIS", "market": "US", "environment": "SIM",
            "app_key": "PSCANARYAPPKEY7777", "app_secret": "CANARYAPPSECRET7777zz", "account_no": "55556666-01"}  # fmt: skip
    answer = await api.post("/api/v1/accounts", json=body)
    assert answer.status_code == 201 and answer.json()["account_no"] == "****6666-01"
    assert "CANARY" not in answer.text
    again = await api.post("/api/v1/accounts", json=body)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "nickname_taken")
    strange = await api.post("/api/v1/accounts", json={**body, "colour": "red"})
    assert strange.status_code == 422 and "CANARY" not in strange.text


async def test_real_money_asks_for_the_name_and_a_reason(api: httpx.AsyncClient, desk: Desk) -> None:
    path = f"/api/v1/accounts/{desk.accounts['본계좌']}:toggle"
    bare = await api.post(path, json={"enabled": True})
    assert bare.status_code == 409 and "본계좌" in bare.json()["error"]["now"]
    assert (await api.post(path, json={"enabled": True, "confirm": "본계좌"})).status_code == 409
    done = await api.post(path, json={"enabled": True, "confirm": "본계좌", "reason": "시작"})
    assert done.status_code == 200 and done.json()["enabled"] is True
    with reading(desk.wiring.engine) as session:
        row = session.exec(select(AuditLog).where(AuditLog.action == "account.start", AuditLog.source == "api")).one()
    assert row.reason == "시작" and row.actor == f"user:{desk.users[Role.ADMIN]}"


async def test_an_unknown_parameter_is_refused_not_ignored(api: httpx.AsyncClient) -> None:
    for path in (
        "accounts?x=1",
        "orders?acount_id=1",
        "logs?limit=0",
        "audit?before=abc",
        "orders?before=zz",
        "stream?topics=x",
    ):
        assert (await api.get(f"/api/v1/{path}")).status_code == 422, path


async def test_pages_follow_each_other_without_gap_or_repeat(api: httpx.AsyncClient) -> None:
    whole = [one["id"] for one in (await api.get("/api/v1/orders")).json()["items"]]
    seen, before = [], ""
    while True:
        page = (await api.get("/api/v1/orders", params={"limit": 2, "before": before})).json()
        seen += [one["id"] for one in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert seen == whole and len(whole) > 4


async def test_an_unchanged_answer_is_304(api: httpx.AsyncClient) -> None:
    first = await api.get("/api/v1/orders")
    again = await api.get("/api/v1/orders", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_rule_is_saved_once_per_version(api: httpx.AsyncClient, desk: Desk) -> None:
    text = RULE_TEXT.format(name="API", symbol="AAPL")
    made = (await api.post("/api/v1/rules", json={"account_id": desk.accounts[US], "text": text})).json()
    assert made["version"] == 1 and made["enabled"] is False
    changed = {"text": text + "\n# two\n"}
    path = f"/api/v1/rules/{made['id']}"
    assert (await api.patch(path, json=changed, headers={"if-match": '"1"'})).json()["version"] == 2
    assert (await api.patch(path, json=changed, headers={"if-match": '"1"'})).status_code == 412
    assert (
        await api.post("/api/v1/rules", json={"account_id": desk.accounts[US], "text": "no: rule"})
    ).status_code == 409
    assert (await api.post(f"{path}:toggle", json={"enabled": True})).json()["enabled"] is True


async def test_a_cancel_with_the_same_key_is_one_command(api: httpx.AsyncClient, desk: Desk) -> None:
    orders = (await api.get("/api/v1/orders", params={"status": "ACCEPTED"})).json()["items"]
    path = f"/api/v1/orders/{orders[0]['id']}:cancel"
    answers = [await api.post(path, json={"key": "click-0001"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json()["command"]["id"] == answers[1].json()["command"]["id"]
    with reading(desk.wiring.engine) as session:
        assert len(session.exec(select(Command).where(Command.kind == "CANCEL_ORDER")).all()) == 1


async def test_an_entry_that_waits_is_listed_and_answered_once(api: httpx.AsyncClient, desk: Desk) -> None:
    sim, live = entry(desk, US, "s1"), entry(desk, "본계좌", "s2")
    listed = (await api.get("/api/v1/proposals")).json()["items"]
    assert [(one["id"], one["symbol"], one["qty"], one["price"], one["status"]) for one in listed] == [
        (sim, "AAPL", 3, "211.5", "WAITING"), (live, "AAPL", 3, "211.5", "WAITING")
    ]  # fmt: skip
    first, again = [await api.post(f"/api/v1/proposals/{sim}:approve", json={}) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["command"]["id"] == again.json()["command"]["id"]
    assert (await api.post(f"/api/v1/proposals/{sim}:decline", json={})).status_code == 409, "the first answer counts"
    bare = await api.post(f"/api/v1/proposals/{live}:approve", json={})
    assert bare.status_code == 409 and "본계좌" in bare.json()["error"]["now"]
    assert (await api.post(f"/api/v1/proposals/{live}:approve", json={"confirm": "본계좌"})).status_code == 202
    assert (await api.post("/api/v1/proposals/99:approve", json={})).status_code == 404
    viewer = {"authorization": f"Bearer {token_for(desk, Role.VIEWER)}"}
    assert (await api.post(f"/api/v1/proposals/{sim}:approve", json={}, headers=viewer)).status_code == 403


@pytest.mark.parametrize(
    ("role", "scopes", "status"),
    [(Role.ADMIN, [Scope.READ], 403), (Role.VIEWER, EVERY, 403), (Role.TRADER, [Scope.READ, Scope.TRADE], 200)],
)
async def test_scope_and_role_both_decide(
    api: httpx.AsyncClient, desk: Desk, role: Role, scopes: list[Scope], status: int
) -> None:
    token = {"authorization": f"Bearer {token_for(desk, role, scopes)}"}
    path = f"/api/v1/bots/{desk.accounts[US]}:stop"
    assert (await api.post(path, json={}, headers=token)).status_code == status
    hidden = f"/api/v1/accounts/{desk.accounts['모의 검증']}"
    assert (await api.get(hidden, headers=token)).status_code == (200 if role is Role.ADMIN else 404)


class StandingClock(SystemClock):
    """Nothing is refilled while the clock stands."""

    def monotonic(self) -> float:
        return 1000.0


async def test_too_many_requests_wait(desk: Desk) -> None:
    transport = httpx.ASGITransport(Starlette(routes=api_routes(replace(desk.wiring, clock=StandingClock()))))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:16501") as client:
        client.headers["authorization"] = f"Bearer {token_for(desk)}"
        codes = [(await client.get("/api/v1/rules?x=1")).status_code for _ in range(BURST)]
        assert set(codes) == {422}
        refused = await client.get("/api/v1/rules")
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1


async def test_metrics_are_prometheus_text(api: httpx.AsyncClient, desk: Desk) -> None:
    answer = await api.get("/metrics")
    assert answer.status_code == 200
    assert f'letstrade_bot_ready{{account="{desk.accounts[US]}",broker="KIS",environment="SIM"}} 1.0' in answer.text
    assert "letstrade_orders" in answer.text and "letstrade_open_alerts" in answer.text


async def test_the_schema_names_every_route(api: httpx.AsyncClient) -> None:
    paths = set((await api.get("/api/openapi.json")).json()["paths"])
    named = {"/v1/accounts", "/v1/accounts/{account_id}", "/v1/accounts/{account_id}:toggle", "/v1/orders",
             "/v1/accounts/{account_id}/credentials", "/v1/rules", "/v1/rules/{rule_id}", "/v1/rules/{rule_id}:toggle",
             "/v1/orders/{order_id}:cancel", "/v1/positions", "/v1/logs", "/v1/stream", "/v1/bots", "/v1/alerts",
             "/v1/bots/{account_id}:start", "/v1/bots/{account_id}:stop", "/v1/bots/{account_id}:restart", "/v1/audit",
             "/v1/alerts/{alert_id}/timeline", "/v1/proposals", "/v1/proposals/{proposal_id}:approve",
             "/v1/proposals/{proposal_id}:decline", "/v1/webhook/tradingview/{path_id}"}  # fmt: skip
    assert paths == named


def alert(secret: str, changes: dict[str, str] | None = None) -> dict[str, object]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = {
        "secret": secret,
        "ticker": "AAPL",
        "exchange": "NASDAQ",
        "action": "buy",
        "time": now,
        "timenow": now,
        "id": "Long",
    }
    return {**said, **(changes or {})}


async def test_tradingview_only_proposes_and_only_once(api: httpx.AsyncClient, desk: Desk) -> None:
    hook, secret = tokens.add_webhook(desk.wiring, desk.actor(Role.ADMIN), 1, "tv")
    path = f"/api/v1/webhook/tradingview/{hook.path_id}"
    headers = {"authorization": "", "host": "desk.example.com", "origin": "https://x.example"}
    said = alert(secret)
    first = await api.post(path, json=said, headers=headers)
    again = await api.post(path, json=said, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["command"]["id"] == again.json()["command"]["id"]
    with reading(desk.wiring.engine) as session:
        found = session.exec(select(Command).where(Command.kind == "PROPOSE")).one()
    assert (found.payload["symbol"], found.payload["verdict"], found.payload["rule_id"]) == ("AAPL", "BUY", 1)
    assert secret not in str(found)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"secret": "wrong"}, 404),
        ({"timenow": (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}, 409),
        ({"action": "{{strategy.order.action}}"}, 422),
        ({"action": "double"}, 422),
        ({"ticker": "005930"}, 422),
        ({"ticker": "TSLA"}, 409),
        ({"timenow": ""}, 422),
    ],
)
async def test_a_strange_alert_proposes_nothing(
    api: httpx.AsyncClient, desk: Desk, changes: dict[str, str], status: int
) -> None:
    hook, secret = tokens.add_webhook(desk.wiring, desk.actor(Role.ADMIN), 1, "tv")
    answer = await api.post(f"/api/v1/webhook/tradingview/{hook.path_id}", json=alert(secret, changes))
    assert answer.status_code == status, answer.text
    assert (await api.post("/api/v1/webhook/tradingview/none", json=alert(secret))).status_code == 404
    with reading(desk.wiring.engine) as session:
        assert session.exec(select(Command).where(Command.kind == "PROPOSE")).all() == []
