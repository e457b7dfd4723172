"""Server-Sent Events from the real console: what comes in between is told, and a broken line goes on where it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from console.services import tokens
from console.services.tokens import Scope
from shared.db import writing
from shared.models import ExecutionLog, Role
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import console_on, free_port

US = "미국 주식 1호"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str, dict[str, str]]]:
    desk = desks.normal_desk(tmp_path_factory.mktemp("stream"), port=free_port())
    token = tokens.add(desk.wiring, desk.actor(Role.ADMIN), desk.users[Role.ADMIN], "t", [Scope.READ], days=1)[1]
    with console_on(desk, beating=False) as url:
        yield desk, url, {"authorization": f"Bearer {token}"}


def write_log(desk: Desk, seq: int) -> None:
    with writing(desk.wiring.engine) as session:
        now = desk.wiring.clock.wall_now()
        row = ExecutionLog(account_id=desk.accounts[US], seq=seq, level="INFO", message=f"line {seq}", created_at=now)
        session.add(row)


def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if not line and "data" in event:
            yield event
            event = {}
        name, colon, value = line.partition(":")
        if colon and name:
            event[name] = value.strip()


def test_what_happens_is_told_and_a_broken_line_is_resumed(served: tuple[Desk, str, dict[str, str]]) -> None:
    desk, url, headers = served
    with httpx.Client(trust_env=False, timeout=60) as client:
        with client.stream("GET", f"{url}/api/v1/stream?topics=logs,heartbeats", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            told = events(answer.iter_lines())
            assert next(told)["event"] == "heartbeats"
            write_log(desk, 501)
            got = next(one for one in told if one["event"] == "logs")
            assert json.loads(got["data"])["message"] == "line 501"
        write_log(desk, 502)  # nobody listens
        write_log(desk, 503)
        again = {**headers, "last-event-id": got["id"], "accept": "text/event-stream"}
        with client.stream("GET", f"{url}/api/v1/logs", headers=again) as answer:
            told = events(answer.iter_lines())
            assert [json.loads(next(told)["data"])["message"] for _ in range(2)] == ["line 502", "line 503"]


def test_the_routes_stand_behind_the_gate(served: tuple[Desk, str, dict[str, str]]) -> None:
    _, url, headers = served
    with httpx.Client(trust_env=False, timeout=60) as client:
        assert client.get(f"{url}/api/v1/accounts").status_code == 401
        assert client.get(f"{url}/metrics").status_code == 401
        assert client.get(f"{url}/api/v1/accounts", headers=headers).status_code == 200
        assert client.get(f"{url}/metrics", headers=headers).status_code == 200
        assert client.post(f"{url}/api/v1/webhook/tradingview/x", content=b"{}").status_code == 422
        assert client.get(f"{url}/api/v1/accounts", headers={**headers, "host": "evil.example"}).status_code == 400
