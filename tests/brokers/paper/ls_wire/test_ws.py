"""The stream: acknowledgements, trades and books by board, the notices of an order's life, market status."""

import asyncio
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import WSMsgType

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.ls_wire.formats import KST
from brokers.paper.ls_wire.status import status_changes
from shared.domain.account import BrokerName
from shared.domain.money import Currency
from tests.brokers.ls.documented import FRAMES, kinds
from tests.brokers.paper.ls_wire.bench import LIVE_KEY, MOCK_KEY, SECRET, Bench, open_bench
from tests.brokers.paper.ls_wire.listening import hear, playing, pushed, register


@pytest.mark.parametrize("path", ["/websocket", "/websocket/stock", "/"])
async def test_a_registration_is_acknowledged_on_any_path(bench: Bench, path: str) -> None:
    socket = await bench.listen(path=path)
    ack = await register(socket, await bench.token(), "S3_", "005930")
    assert ack == FRAMES["ack"]


@pytest.mark.parametrize("tr", ["S3_", "H1_"])
async def test_a_push_has_the_documented_keys_and_strings_only(bench: Bench, tr: str) -> None:
    socket = await bench.listen()
    await register(socket, await bench.token(), tr, "005930")
    async with playing(bench):
        frame = await hear(socket, pushed(tr))
    assert kinds(frame) == kinds(FRAMES[tr])
    assert frame["header"] == FRAMES[tr]["header"]
    assert frame["body"]["shcode"] == "005930"


async def test_several_codes_may_be_written_together(bench: Bench) -> None:
    socket = await bench.listen()
    await register(socket, await bench.token(), "S3_", "005930000660")
    async with playing(bench):
        for symbol in ("005930", "000660"):
            await hear(socket, lambda frame, symbol=symbol: frame["header"].get("tr_key") == symbol)


async def test_the_other_boards_tr_is_acknowledged_and_silent(bench: Bench) -> None:
    socket = await bench.listen()
    token = await bench.token()
    assert (await register(socket, token, "K3_", "005930"))["header"]["rsp_cd"] == "00000"
    await register(socket, token, "S3_", "000660")
    async with playing(bench):
        for _ in range(3):
            frame = await hear(socket, lambda frame: "rsp_cd" not in frame["header"])
            assert frame["header"]["tr_key"] == "000660"


async def test_an_unregistered_symbol_is_silent_again(bench: Bench) -> None:
    socket = await bench.listen()
    token = await bench.token()
    await register(socket, token, "S3_", "005930")
    await register(socket, token, "S3_", "000660")
    await register(socket, token, "S3_", "005930", kind="4")
    async with playing(bench):
        for _ in range(3):
            assert (await hear(socket, pushed("S3_")))["header"]["tr_key"] == "000660"


@pytest.mark.parametrize(("token", "tr", "code"), [("wrong", "S3_", "IGW00121"), (None, "XYZ", "IGW00215")])
async def test_a_refused_registration_keeps_the_shape(bench: Bench, token: str | None, tr: str, code: str) -> None:
    socket = await bench.listen()
    ack = await register(socket, token or await bench.token(), tr, "005930")
    assert (ack["header"]["rsp_cd"], ack["body"]) == (code, None)


async def test_a_text_that_is_no_frame_is_answered_not_fatal(bench: Bench) -> None:
    socket = await bench.listen()
    await socket.send_str("hello")
    assert json.loads((await socket.receive()).data)["header"]["rsp_cd"] == "IGW40013"
    assert (await register(socket, await bench.token(), "JIF", "0"))["header"]["rsp_cd"] == "00000"


async def test_either_sides_token_serves_on_both_ports_unless_strict(bench: Bench, tmp_path: Path) -> None:
    socket = await bench.listen(ExEnv.MOCK)
    assert (await register(socket, await bench.token(LIVE_KEY), "SC0"))["header"]["rsp_cd"] == "00000"
    async with open_bench(tmp_path / "strict", Profile.STRICT) as strict:
        strict.exchange.register(
            broker=BrokerName.LS, env=ExEnv.LIVE, app_key=LIVE_KEY, secret=SECRET, account="20000000001",
            hts_id="", cash={Currency.KRW: Decimal(1_000_000)}, holdings=[],
        )  # fmt: skip
        token = await strict.token(LIVE_KEY)
        wrong, right = await strict.listen(ExEnv.MOCK), await strict.listen(ExEnv.LIVE)
        assert (await register(wrong, token, "SC0"))["header"]["rsp_cd"] == "10001"
        assert (await register(right, token, "SC0"))["header"]["rsp_cd"] == "00000"


@pytest.mark.parametrize("registered", ["SC0", "SC1", "SC4"])
async def test_registering_any_notice_delivers_all_of_them(bench: Bench, registered: str) -> None:
    socket = await bench.listen()
    await register(socket, await bench.token(), registered)
    number = await bench.fill()
    received = await hear(socket, pushed("SC0"))
    filled = await hear(socket, pushed("SC1"))
    for tr, frame in (("SC0", received), ("SC1", filled)):
        assert kinds(frame) == kinds(FRAMES[tr]), tr
        assert frame["body"]["ordno"] == str(number)
        assert "tr_key" not in frame["header"]
    body = received["body"]
    assert (body["trcode"], body["ordchegb"], body["shtcode"]) == ("SONAT000", "01", "A005930")
    assert (body["expcode"], body["bnstp"], body["ordqty"]) == ("KR7005930003", "2", "10")


async def test_each_execution_has_its_number_and_what_is_left(bench: Bench) -> None:
    socket = await bench.listen()
    await register(socket, await bench.token(), "SC1")
    number = await bench.fill(quantity=1000)  # more than the best level shows
    order = bench.exchange.order(bench.account(), number)
    assert order is not None
    left, seen = 1000, 0
    async with playing(bench):
        while left:
            body = (await hear(socket, pushed("SC1")))["body"]
            seen += 1
            left -= int(body["execqty"])
            assert (body["ordxctptncode"], body["execno"], body["unercqty"]) == ("11", str(seen), str(left))
    assert seen > 1
    executions = bench.exchange.executions(bench.account(), number)
    assert sum(one.price * one.quantity for one in executions) == order.filled_amount


async def test_amend_and_cancel_are_received_then_confirmed(bench: Bench) -> None:
    socket = await bench.listen()
    await register(socket, await bench.token(), "SC2")
    lower = int(bench.exchange.price_limits("005930")[0])  # type: ignore[index]
    parent = await bench.rest_order()
    child = (await bench.amend(parent, lower + 100)).body["CSPAT00701OutBlock2"]["OrdNo"]
    request = (await bench.cancel(child)).body["CSPAT00801OutBlock2"]["OrdNo"]
    bench.exchange.advance()
    frames = [await hear(socket, lambda frame: "rsp_cd" not in frame["header"]) for _ in range(5)]
    told = [(f["header"]["tr_cd"], int(f["body"]["ordno"]), int(f["body"]["orgordno"])) for f in frames]
    assert told == [
        ("SC0", parent, 0),
        ("SC0", child, parent),
        ("SC2", child, parent),
        ("SC0", request, child),
        ("SC3", request, child),
    ]
    amended, canceled = frames[2]["body"], frames[4]["body"]
    assert kinds(amended) == kinds(canceled) == kinds(FRAMES["SC1"]["body"])
    assert [frames[i]["body"]["trcode"] for i in (1, 3)] == ["SONAT001", "SONAT002"]
    assert (amended["ordxctptncode"], amended["mdfycnfqty"], amended["mdfycnfprc"]) == ("12", "10", str(lower + 100))
    assert (canceled["ordxctptncode"], canceled["canccnfqty"], canceled["ordprc"]) == ("13", "10", "0")


async def test_the_rest_of_an_ioc_order_is_told_as_cancelled(bench: Bench) -> None:
    socket = await bench.listen()
    await register(socket, await bench.token(), "SC3")
    lower = int(bench.exchange.price_limits("005930")[0])  # type: ignore[index]
    said = await bench.order(OrdPrc=lower, OrdCndiTpCode="1")
    bench.exchange.advance()
    body = (await hear(socket, pushed("SC3")))["body"]
    assert int(body["ordno"]) == said.body["CSPAT00601OutBlock2"]["OrdNo"]
    assert body["canccnfqty"] == "10"


async def test_notices_reach_the_sockets_of_their_own_account_only(bench: Bench) -> None:
    mine, other = await bench.listen(), await bench.listen(ExEnv.MOCK)
    await register(mine, await bench.token(LIVE_KEY), "SC0")
    await register(other, await bench.token(MOCK_KEY), "SC0")
    await bench.fill(LIVE_KEY)
    number = await bench.fill(MOCK_KEY)
    assert (await hear(mine, pushed("SC0")))["body"]["accno"] == bench.account(LIVE_KEY).number
    heard = (await hear(other, pushed("SC0")))["body"]
    assert (heard["accno"], heard["ordno"]) == (bench.account(MOCK_KEY).number, str(number))


async def test_a_planned_fault_doubles_and_kicks(bench: Bench) -> None:
    socket = await bench.listen()
    await register(socket, await bench.token(), "SC1")
    bench.exchange.faults.add({"match": {"tr": "SC1"}, "action": "duplicate"})
    await bench.fill()
    first, second = await hear(socket, pushed("SC1")), await hear(socket, pushed("SC1"))
    assert first == second
    bench.exchange.faults.add({"match": {"tr": "SC0"}, "action": "kick", "args": {"abrupt": True}})
    await bench.fill()
    async with asyncio.timeout(120):
        message = await socket.receive()
        while message.type is WSMsgType.TEXT:
            message = await socket.receive()
    assert message.type in {WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.CLOSE, WSMsgType.ERROR}


def at(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, second, tzinfo=KST)


def test_market_status_is_told_once_as_its_time_passes() -> None:
    assert FRAMES["JIF"]["body"] in status_changes(at(10, 8, 59, 59), at(10, 9, 0))
    assert status_changes(at(10, 9, 0), at(10, 9, 0, 1)) == []
    assert [body["jstatus"] for body in status_changes(at(10, 15, 29, 59), at(10, 15, 31))] == ["41", "41", "B5"]
    assert [body["jangubun"] for body in status_changes(at(10, 15, 29, 59), at(10, 15, 31))] == ["1", "2", "6"]


def test_a_day_without_trading_has_no_market_status() -> None:
    assert status_changes(at(14, 8, 0), at(14, 18, 0)) == []  # a Saturday
