"""Pages: complete or an error, never a part; a refused token is renewed once for a read."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from brokers.ls import account_krx as account
from brokers.ls import tr
from brokers.ls.rest import Rest
from shared.domain.account import Environment
from shared.domain.errors import AuthExpired, WireError
from tests.brokers.ls.documented import RESPONSES
from tests.brokers.ls.test_auth import Gateway, Rig

ROW = RESPONSES["t0425"]["t0425OutBlock1"][1]


def page(numbers: list[int], cursor: str, total: int) -> tuple[int, Any, str]:
    """A t0425 answer with these orders of ten shares each."""
    head = {**RESPONSES["t0425"]["t0425OutBlock"], "cts_ordno": cursor, "tqty": total}
    found = [{**ROW, "ordno": number} for number in numbers]
    return 200, {"t0425OutBlock": head, "t0425OutBlock1": found, "rsp_cd": "00000", "rsp_msg": ""}, cursor


class Scripted(Gateway):
    """Serves the scripted t0425 answers in turn; the last one repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.script: list[tuple[int, Any, str]] = []
        self.asked: list[tuple[str, str, Any]] = []  # tr_cont, tr_cont_key, InBlock

    async def tr(self, request: web.Request) -> web.Response:
        if request.headers["tr_cd"] != "t0425":
            return await super().tr(request)
        block = (await request.json())["t0425InBlock"]
        self.asked.append((request.headers["tr_cont"], request.headers["tr_cont_key"], block))
        status, body, key = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return web.json_response(body, status=status, headers={"tr_cont": "Y" if key else "N", "tr_cont_key": key})


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    gateway = Scripted()
    app = web.Application()
    app.router.add_post("/oauth2/token", gateway.token)
    app.router.add_post("/{path:.*}", gateway.tr)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = Rig(gateway, runner.addresses[0][1])
    yield made
    await made.close()
    await runner.cleanup()


async def today(rig: Rig, *script: tuple[int, Any, str]) -> list[int]:
    assert isinstance(rig.gateway, Scripted)
    rig.gateway.script = list(script)
    rest: Rest = rig.desk(Environment.LIVE)[1]
    rows = await rest.list(
        tr.TODAY,
        lambda cursor: account.encode_today(only_open=False, cursor=cursor),
        "t0425OutBlock1",
        cursor="cts_ordno",
        ident="ordno",
        total=("tqty", "qty"),
    )
    return [row["ordno"] for row in rows]


async def test_pages_are_followed_by_header_and_body(rig: Rig) -> None:
    assert await today(rig, page([5, 4], "3", 50), page([3, 2], "1", 50), page([1], "", 50)) == [5, 4, 3, 2, 1]
    assert isinstance(rig.gateway, Scripted)
    assert [(cont, key, block["cts_ordno"]) for cont, key, block in rig.gateway.asked] == [
        ("N", "", " "),
        ("Y", "3", "3"),
        ("Y", "1", "1"),
    ]


async def test_a_missing_row_block_is_an_empty_list(rig: Rig) -> None:
    status, body, key = page([], "", 0)
    del body["t0425OutBlock1"]
    assert await today(rig, (status, body, key)) == []


async def test_a_row_on_two_pages_counts_once(rig: Rig) -> None:
    assert await today(rig, page([3, 2], "2", 30), page([2, 1], "", 30)) == [3, 2, 1]


async def test_a_walk_without_end_is_complete_when_its_total_is_reached(rig: Rig) -> None:
    assert await today(rig, page([3, 2], "9", 20)) == [3, 2]


async def test_a_walk_without_end_that_does_not_add_up_is_no_list(rig: Rig) -> None:
    with pytest.raises(WireError):
        await today(rig, page([3, 2], "9", 50))


async def test_a_refused_token_is_renewed_once_for_a_read(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brokers.ls.auth.PAUSE", timedelta(0))
    dead = (500, {"rsp_cd": "IGW00121", "rsp_msg": ""}, "")
    assert await today(rig, dead, page([1], "", 10)) == [1]
    assert rig.gateway.issued == 2
    with pytest.raises(AuthExpired):
        await today(rig, dead)
