"""The WebSocket over real sockets: registrations, frames, notices, keep-alive, limits, faults (kis.md §5)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.notices import CipherKey
from tests.brokers.paper.kis_wire.desk import LIVE, MOCK, Desk, open_desk
from tests.brokers.paper.kis_wire.test_notices import decrypt


class Feed:
    """One socket: registers, and reads with the market moving until something comes."""

    def __init__(self, desk: Desk, socket: ClientConnection, approval: str) -> None:
        self.desk, self.socket, self.approval = desk, socket, approval

    async def ask(self, tr_id: str, tr_key: str, tr_type: str = "1") -> dict[str, Any]:
        header = {"approval_key": self.approval, "custtype": "P", "tr_type": tr_type, "content-type": "utf-8"}
        await self.socket.send(json.dumps({"header": header, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}}))
        while True:
            text = await self.read()
            if text.startswith("{"):
                answer: dict[str, Any] = json.loads(text)
                return answer

    async def read(self) -> str:
        return str(await asyncio.wait_for(self.socket.recv(), 60))

    async def next(self, wanted: Callable[[str], bool]) -> str:
        """Let time pass until a text of this kind comes."""
        for _ in range(200):
            self.desk.pass_time(0.5)
            try:
                while True:
                    text = str(await asyncio.wait_for(self.socket.recv(), 0.02))
                    if wanted(text):
                        return text
            except TimeoutError:
                continue
        raise AssertionError("nothing of this kind within 100 s of market time")


async def approval_key(desk: Desk, env: ExEnv = LIVE, key: str = "PSkey", secret: str = "secret") -> str:
    body = {"grant_type": "client_credentials", "appkey": key, "secretkey": secret}
    answer = await desk.http.post(f"{desk.rest[env]}/oauth2/Approval", json=body)
    return str(answer.json()["approval_key"])


@asynccontextmanager
async def feed(
    desk: Desk, env: ExEnv = LIVE, *, key: str = "PSkey", secret: str = "secret", path: str = "/tryitout"
) -> AsyncIterator[Feed]:
    async with connect(desk.ws[env] + path, ping_interval=None) as socket:
        yield Feed(desk, socket, await approval_key(desk, env, key, secret))


def cipher(ack: dict[str, Any]) -> CipherKey:
    return CipherKey(ack["body"]["output"]["key"], ack["body"]["output"]["iv"])


def notice_of(text: str, ack: dict[str, Any]) -> list[str]:
    marker, _, count, payload = text.split("|")
    assert (marker, count) == ("1", "001")
    return decrypt(payload, cipher(ack)).split("^")


# -- quotes


@pytest.mark.parametrize("path", ["/tryitout", "/tryitout/HDFSCNT0", "/", ""])
async def test_any_path_streams_the_registered_symbol_and_nothing_else(desk: Desk, path: str) -> None:
    async with feed(desk, path=path) as stream:
        ack = await stream.ask("HDFSCNT0", "DNASAAPL")
        assert (ack["header"]["encrypt"], ack["body"]["msg_cd"]) == ("N", "OPSP0000")
        assert (len(ack["body"]["output"]["iv"]), len(ack["body"]["output"]["key"])) == (16, 32)
        text = await stream.next(lambda text: True)
        assert text.startswith("0|HDFSCNT0|001|DNASAAPL^AAPL^")


@pytest.mark.parametrize(
    ("tr_id", "tr_key", "fields"),
    [
        ("HDFSCNT0", "DNASAAPL", 26),
        ("HDFSCNT0", "RBAQAAPL", 26),
        ("HDFSCNT0", "DAMSSPY", 26),
        ("HDFSASP0", "DNASAAPL", 71),
        ("H0STCNT0", "005930", 46),
        ("H0STASP0", "005930", 59),
        ("HDFSCNT0", "DNYSBRK/B", 26),
        ("HDFSASP1", "DNASAAPL", 17),
        ("H0UNCNT0", "005930", 46),
        ("H0NXCNT0", "005930", 46),
        ("H0UNASP0", "005930", 65),
        ("H0NXASP0", "005930", 65),
        ("H0STOUP0", "005930", 43),
    ],
)
async def test_each_quote_frame_has_its_fields(desk: Desk, tr_id: str, tr_key: str, fields: int) -> None:
    async with feed(desk) as stream:
        await stream.ask(tr_id, tr_key)
        marker, sent, count, payload = (await stream.next(lambda text: text[0] == "0")).split("|")
        assert (marker, sent, count, len(payload.split("^"))) == ("0", tr_id, "001", fields)
        assert payload.startswith(tr_key)


async def test_an_unregistered_symbol_goes_quiet(desk: Desk) -> None:
    async with feed(desk) as stream:
        await stream.ask("H0STCNT0", "005930")
        ack = await stream.ask("H0STCNT0", "005930", "2")
        assert ack["body"]["msg_cd"] == "OPSP0001" and ack["body"]["msg1"].startswith("UNSUB")
        await stream.ask("H0STCNT0", "000660")
        assert "000660" in await stream.next(lambda text: text[0] == "0")
        assert (await stream.ask("H0STCNT0", "005930", "2"))["body"]["msg_cd"] == "OPSP0003"


# -- refusals


async def test_registering_twice_or_without_a_known_key_is_refused(desk: Desk) -> None:
    async with feed(desk) as stream:
        await stream.ask("H0STCNT0", "005930")
        assert (await stream.ask("H0STCNT0", "005930"))["body"] == {
            "rt_cd": "1",
            "msg_cd": "OPSP0002",
            "msg1": "ALREADY IN SUBSCRIBE",
        }
        stream.approval = "made-up"
        refused = (await stream.ask("H0STCNT0", "000660"))["body"]
        assert (refused["msg_cd"], "invalid approval" in refused["msg1"]) == ("OPSP0011", True)


async def test_an_approval_key_opens_sessions_for_a_day_and_old_ones_stay_valid(desk: Desk) -> None:
    first = await approval_key(desk)
    await approval_key(desk)
    async with feed(desk) as stream:
        stream.approval = first
        assert (await stream.ask("H0STCNT0", "005930"))["body"]["rt_cd"] == "0"
        desk.clock.tick(86_401)
        assert (await stream.ask("H0STCNT0", "000660"))["body"]["rt_cd"] == "0"  # a running session survives
    async with feed(desk) as stream:
        stream.approval = first
        assert (await stream.ask("H0STCNT0", "005930"))["body"]["msg_cd"] == "OPSP0011"


async def test_the_42nd_registration_is_refused_and_a_place_can_be_freed(desk: Desk) -> None:
    async with feed(desk) as stream:
        for n in range(40):
            assert (await stream.ask("H0STCNT0", f"{n:06d}"))["body"]["rt_cd"] == "0"
        assert (await stream.ask("H0GSCNI0", "HTSID01"))["body"]["rt_cd"] == "0"
        assert (await stream.ask("H0STCNT0", "005930"))["body"]["msg_cd"] == "OPSP0008"
        await stream.ask("H0STCNT0", "000000", "2")
        assert (await stream.ask("H0STCNT0", "005930"))["body"]["rt_cd"] == "0"


async def test_garbage_is_answered_and_the_session_lives(desk: Desk) -> None:
    async with feed(desk) as stream:
        await stream.socket.send("not json")
        assert json.loads(await stream.read())["body"]["msg_cd"] == "OPSP9999"
        assert (await stream.ask("H0STCNT0", "005930"))["body"]["rt_cd"] == "0"


async def test_strict_takes_one_session_per_app_key(strict_desk: Desk) -> None:
    async with feed(strict_desk, key="PSlive", secret="right") as one:
        await one.ask("H0STCNT0", "005930")
        async with feed(strict_desk, key="PSlive", secret="right") as two:
            refused = await two.ask("H0STCNT0", "005930")
            assert (refused["body"]["rt_cd"], refused["body"]["msg_cd"]) == ("9", "OPSP8996")
            with pytest.raises(websockets.ConnectionClosed):
                await two.read()
        assert (await one.ask("H0STCNT0", "000660"))["body"]["rt_cd"] == "0"


async def test_compat_takes_several_sessions_of_one_key(desk: Desk) -> None:
    async with feed(desk) as one, feed(desk) as two:
        for stream in (one, two):
            assert (await stream.ask("H0STCNT0", "005930"))["body"]["rt_cd"] == "0"


# -- notices


@pytest.mark.parametrize(
    ("symbol", "env", "tr_id", "fields", "places"),
    [
        ("AAPL", LIVE, "H0GSCNI0", 21, (12, 13)),
        ("AAPL", MOCK, "H0GSCNI9", 21, (12, 13)),
        ("005930", LIVE, "H0STCNI0", 23, (13, 14)),
        ("005930", MOCK, "H0STCNI9", 23, (13, 14)),
    ],
)
async def test_an_order_is_told_accepted_and_then_filled_to_its_last_share(
    desk: Desk, symbol: str, env: ExEnv, tr_id: str, fields: int, places: tuple[int, int]
) -> None:
    async with feed(desk, env) as stream:
        ack = await stream.ask(tr_id, "HTSID01")
        assert ack["header"]["encrypt"] == "Y"
        number = await desk.client(env).fill(symbol, 7)
        accepted = notice_of(await stream.next(lambda text: text[0] == "1"), ack)
        assert len(accepted) == fields
        assert accepted[:3] == ["HTSID01", desk.account(env).number.replace("-", ""), f"{int(number):010d}"]
        assert [accepted[place] for place in places] == ["1", "1"]
        filled = 0
        while filled < 7:
            told = notice_of(await stream.next(lambda text: text[0] == "1"), ack)
            assert [told[place] for place in places] == ["2", "2"]
            filled += int(told[places[0] - 4])
        assert filled == 7


async def test_a_cancel_is_told_with_the_original_number(desk: Desk) -> None:
    async with feed(desk) as stream:
        ack = await stream.ask("H0GSCNI0", "HTSID01")
        client = desk.client()
        number = await client.buy()
        cancel = (await client.call("TTTT1004U", {"ORGN_ODNO": number, "ORD_QTY": "0"})).json()["output"]["ODNO"]
        await stream.next(lambda text: text[0] == "1")
        told = notice_of(await stream.next(lambda text: text[0] == "1"), ack)
        assert (told[2], told[3], told[5], told[8], told[12:14]) == (cancel, number, "2", "0000000010", ["1", "2"])


async def test_one_key_serves_all_trs_of_a_session_and_differs_between_sessions(desk: Desk) -> None:
    async with feed(desk) as one, feed(desk) as two:
        first, second = await one.ask("H0GSCNI0", "HTSID01"), await one.ask("HDFSCNT0", "DNASAAPL")
        assert cipher(first) == cipher(second) != cipher(await two.ask("H0GSCNI0", "HTSID01"))


async def test_compat_tells_a_key_that_used_the_account_on_either_port(desk: Desk) -> None:
    """A published client registers the 모의 notice on the live socket, under whatever HTS id it has."""
    async with feed(desk, LIVE, key="mine") as stream:
        ack = await stream.ask("H0GSCNI9", "myhtsid")
        number = await desk.client(MOCK, key="mine").buy()
        told = notice_of(await stream.next(lambda text: text[0] == "1"), ack)
        assert (told[0], told[2]) == ("myhtsid", f"{int(number):010d}")


async def test_a_key_that_never_used_the_account_hears_nothing_of_it(desk: Desk) -> None:
    async with feed(desk, key="stranger") as stream:
        await stream.ask("H0GSCNI0", "otherid")
        await desk.client(key="mine").fill("AAPL", 1)
        await stream.ask("HDFSCNT0", "DNASAAPL")
        seen = [await stream.next(lambda text: True) for _ in range(5)]
        assert all(text.startswith("0|HDFSCNT0|") for text in seen)


async def test_strict_tells_only_the_owners_hts_id_on_its_own_port(strict_desk: Desk) -> None:
    client = strict_desk.client(LIVE, key="PSlive", secret="right")
    async with feed(strict_desk, key="PSlive", secret="right") as stream:
        assert (await stream.ask("H0GSCNI9", "HTSlive"))["body"]["msg_cd"] == "OPSP8991"
        await stream.ask("H0GSCNI0", "someone")
        await client.buy(quantity=1)
        strict_desk.pass_time(1)
        ack = await stream.ask("H0GSCNI0", "HTSlive")
        number = await client.buy(quantity=1)
        told = notice_of(await stream.next(lambda text: text[0] == "1"), ack)
        assert (told[0], told[2], len(told)) == ("HTSlive", number, 25)


# -- keep-alive


@pytest.mark.parametrize("answers", ["echo", "pong", None])
async def test_a_pingpong_is_answered_by_echo_or_pong_or_the_socket_closes(tmp_path: Path, answers: str | None) -> None:
    async with open_desk(tmp_path, ping_every_s=0.1) as desk, feed(desk) as stream:
        for _ in range(4):
            try:
                text = await stream.read()
            except websockets.ConnectionClosed:
                assert answers is None
                return
            assert json.loads(text) == {"header": {"tr_id": "PINGPONG", "datetime": "20260709231530"}}
            if answers == "echo":
                await stream.socket.send(text)
            elif answers == "pong":
                await stream.socket.pong(text.encode())
        assert answers is not None


async def test_protocol_pings_are_answered(desk: Desk) -> None:
    async with feed(desk) as stream:
        await asyncio.wait_for(await stream.socket.ping("here?"), 60)


# -- faults


async def test_a_kick_ends_the_session_and_the_client_may_come_back(desk: Desk) -> None:
    desk.exchange.faults.add({"match": {"channel": "ws", "tr": "HDFSCNT0"}, "nth": 2, "action": "kick"})
    async with feed(desk) as stream:
        await stream.ask("HDFSCNT0", "DNASAAPL")
        with pytest.raises(websockets.ConnectionClosed):
            for _ in range(3):
                await stream.next(lambda text: True)
    async with feed(desk) as again:
        assert (await again.ask("HDFSCNT0", "DNASAAPL"))["body"]["rt_cd"] == "0"


async def test_a_duplicated_notice_comes_twice(desk: Desk) -> None:
    desk.exchange.faults.add({"match": {"tr": "H0GSCNI0"}, "action": "duplicate"})
    async with feed(desk) as stream:
        ack = await stream.ask("H0GSCNI0", "HTSID01")
        await desk.client().buy()
        first = notice_of(await stream.next(lambda text: text[0] == "1"), ack)
        assert notice_of(await stream.read(), ack) == first


async def test_after_a_key_change_no_notice_can_be_read(desk: Desk) -> None:
    desk.exchange.faults.add({"match": {"tr": "H0GSCNI0"}, "action": "key_change"})
    async with feed(desk) as stream:
        ack = await stream.ask("H0GSCNI0", "HTSID01")
        for _ in range(2):  # the fault fires once, the key stays unknown
            number = await desk.client().buy()
            text = await stream.next(lambda text: text[0] == "1")
            assert number not in decrypted_or_nothing(text, ack)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.socket.recv(), 0.2)  # one frame for each order


def decrypted_or_nothing(text: str, ack: dict[str, Any]) -> str:
    try:
        return decrypt(text.split("|")[3], cipher(ack))
    except UnicodeDecodeError:
        return ""


async def test_silence_stops_what_it_matches_and_nothing_else(desk: Desk) -> None:
    desk.exchange.faults.add({"match": {"symbol": "AAPL"}, "action": "silent", "args": {"seconds": 600}})
    async with feed(desk) as stream:
        await stream.ask("HDFSCNT0", "DNASAAPL")
        await stream.ask("HDFSCNT0", "DNASMSFT")
        assert {(await stream.next(lambda text: True)).split("^")[1] for _ in range(5)} == {"MSFT"}


async def test_a_garbage_frame_is_not_text_a_strict_reader_accepts(desk: Desk) -> None:
    desk.exchange.faults.add({"match": {"channel": "ws", "tr": "HDFSCNT0"}, "action": "garbage"})
    async with feed(desk) as stream:
        await stream.ask("HDFSCNT0", "DNASAAPL")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await stream.next(lambda text: True)
        assert closed.value.sent is not None and closed.value.sent.code == 1007


async def test_prices_on_the_stream_are_those_of_the_quote(desk: Desk) -> None:
    async with feed(desk) as stream:
        await stream.ask("H0STCNT0", "005930")
        fields = (await stream.next(lambda text: text[0] == "0")).split("|")[3].split("^")
        while fields[13] != str(desk.exchange.quote("005930").cum_volume):
            fields = (await stream.read()).split("|")[3].split("^")
        assert Decimal(fields[2]) == desk.exchange.quote("005930").price
