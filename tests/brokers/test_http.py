"""The two doors against a real socket: reads repeat, orders go once, and what is unknown is called unknown."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from brokers.contract import CallRecord
from brokers.http import Answer, Call, Door, HostList, Mask
from brokers.last_look import last_look
from brokers.pacing import Pace, Pacer, Priority
from shared.clock import SystemClock
from shared.domain.account import Environment
from shared.domain.errors import (
    BrokerError,
    BrokerUnavailable,
    DoorClosed,
    NotSent,
    OrderRejected,
    OutcomeUnknown,
    RateLimited,
    WireError,
)

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"code":"fine"}'
TOO_MANY = b'HTTP/1.1 500 X\r\nContent-Length: 15\r\n\r\n{"code":"many"}'
REFUSED = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"code":"nono"}'
ODD_500 = b'HTTP/1.1 500 X\r\nContent-Length: 15\r\n\r\n{"code":"odd!"}'
FINE_500 = b'HTTP/1.1 500 X\r\nContent-Length: 15\r\n\r\n{"code":"fine"}'
HTML = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>sorry</h>"
CUT = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"code":"fi'
REDIRECT = b"HTTP/1.1 302 X\r\nLocation: http://openapi.koreainvestment.com:9443/x\r\nContent-Length: 0\r\n\r\n"
HANG_UP = b""
RESET = b"reset"


def judge(answer: Answer, order: bool) -> None:
    code = answer.json("T").get("code")
    if code == "many":
        raise RateLimited("T", code, "slow down", 0.01)
    if code == "nono":
        raise OrderRejected("T", code, "no")
    if code != "fine":
        raise WireError("T", str(code), "odd")


@dataclass
class Server:
    """Answers each request with the next scripted bytes; the last one repeats. Keeps every request it read whole."""

    script: list[bytes]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-le")
                    ),
                    0,
                )
                self.requests.append(head + await reader.readexactly(length))
                answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if answer == RESET:
                    writer.transport.abort()
                    return
                writer.write(answer)
                await writer.drain()
                if answer in (HANG_UP, CUT):
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()


@asynccontextmanager
async def door_to(*script: bytes, log: list[CallRecord] | None = None) -> AsyncIterator[tuple[Door, Server]]:
    server = Server(list(script))
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    door = open_door(server.port, log)
    try:
        yield door, server
    finally:
        await door.close()
        listener.close()


def open_door(port: int, log: list[CallRecord] | None = None) -> Door:
    clock = SystemClock()
    hosts = HostList("T", Environment.SIM, frozenset({("http", "127.0.0.1", port)}))
    mask = Mask({"appsecret", "token"}, {"12345678"})
    return Door("T", hosts, Pacer("T", Pace(100), clock), clock, judge, mask, log.append if log is not None else None)


def order(port: int, **more: object) -> Call:
    body = b'{"CANO":"12345678","appsecret":"s\\"hush","qty":"1"}'
    return Call("ORDER", "POST", f"http://127.0.0.1:{port}/order", body=body, priority=Priority.ENTRY, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("lost", [RESET, HANG_UP, CUT, HTML, ODD_500, FINE_500, REDIRECT])
async def test_a_lost_or_strange_answer_is_unknown_and_was_sent_once(lost: bytes) -> None:
    async with door_to(lost) as (door, server):
        with pytest.raises(OutcomeUnknown):
            await door.send_once(order(server.port))
        assert len(server.requests) == 1


async def test_no_answer_in_time_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brokers.http.WHOLE_CALL_S", 0.1)
    async with door_to(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{") as (door, server):
        with pytest.raises(OutcomeUnknown):
            await door.send_once(order(server.port))
        assert len(server.requests) == 1


@pytest.mark.parametrize(("answer", "error"), [(REFUSED, OrderRejected), (TOO_MANY, RateLimited)])
async def test_a_listed_refusal_is_proven_and_not_repeated(answer: bytes, error: type[BrokerError]) -> None:
    async with door_to(answer, OK) as (door, server):
        with pytest.raises(error):
            await door.send_once(order(server.port))
        assert len(server.requests) == 1


async def test_an_order_that_finds_nobody_listening_was_not_sent() -> None:
    async with door_to(OK) as (_, server):
        port = server.port
    door = open_door(port)
    with pytest.raises(NotSent):
        await door.send_once(order(port))
    await door.close()


async def test_the_last_look_is_taken_at_the_socket_write_and_its_no_is_proven_not_sent() -> None:
    said: list[int] = []
    async with door_to(OK) as (door, server):

        def look() -> str | None:
            said.append(server.connections)
            return "the switch was raised" if len(said) == 1 else None

        with last_look(look):
            with pytest.raises(NotSent, match="the switch was raised"):
                await door.send_once(order(server.port))
            assert server.requests == []
            await door.send_once(order(server.port))
            await door.read(order(server.port))  # a read asks nobody
        assert len(said) == 2 and len(server.requests) == 2
        await door.send_once(order(server.port))
        assert len(said) == 2


async def test_an_order_after_the_server_closed_the_idle_connection_opens_a_fresh_one() -> None:
    async with door_to(OK) as (door, server):
        await door.send_once(order(server.port))
        assert server.connections == 1
        server.script = [HANG_UP]
        with pytest.raises(OutcomeUnknown):
            await door.send_once(order(server.port))
        server.script = [OK]
        await door.send_once(order(server.port))
        assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize("failure", [RESET, HANG_UP, CUT, TOO_MANY, b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n"])
async def test_a_read_asks_again_until_it_is_answered(failure: bytes) -> None:
    def away(answer: Answer, is_order: bool) -> None:
        if answer.status == 502:
            raise BrokerUnavailable("T", "502", "away")
        judge(answer, is_order)

    async with door_to(failure, failure, OK) as (door, server):
        door._judge = away
        answer = await door.read(Call("READ", "GET", f"http://127.0.0.1:{server.port}/x"))
        assert answer.json("T") == {"code": "fine"}
        assert len(server.requests) == 3


async def test_a_read_gives_up_at_its_deadline() -> None:
    async with door_to(HANG_UP) as (door, server):
        with pytest.raises(BrokerUnavailable):
            await door.read(Call("READ", "GET", f"http://127.0.0.1:{server.port}/x"), deadline_s=0.4)
        assert len(server.requests) >= 2


async def test_a_read_refused_by_the_broker_is_not_repeated() -> None:
    async with door_to(REFUSED, OK) as (door, server):
        with pytest.raises(OrderRejected):
            await door.read(Call("READ", "GET", f"http://127.0.0.1:{server.port}/x"))
        assert len(server.requests) == 1


async def test_the_log_shows_the_call_without_its_secrets() -> None:
    log: list[CallRecord] = []
    body = b'{"code":"fine","token":"abcdef","x":"12345678^01^"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    async with door_to(answer, log=log) as (door, server):
        await door.send_once(order(server.port, correlation_id="c-1"))
    (record,) = log
    assert (record.tr, record.status, record.outcome, record.correlation_id) == ("ORDER", 200, "ok", "c-1")
    assert '"qty":"1"' in record.request
    for secret in ("12345678", "hush", "abcdef"):
        assert secret not in record.request + record.response + str(record.headers)
    assert record.rate_used == 1 and record.rate_limit == 100


async def test_a_broken_answer_is_masked_too() -> None:
    log: list[CallRecord] = []
    async with door_to(b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"token":"abcdefghi', log=log) as (door, server):
        with pytest.raises(OutcomeUnknown):
            await door.send_once(order(server.port))
    assert log[0].outcome == "OutcomeUnknown"
    assert "abcdef" not in log[0].response


async def test_httpx_does_not_print_urls(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with door_to(OK) as (door, server):
        await door.send_once(order(server.port))
    assert not [record for record in caplog.records if record.name.startswith("http")]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:{port}/x",
        "http://localhost:{port}/x",
        "https://127.0.0.1:{port}/x",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1:{port}@openapi.koreainvestment.com:9443/x",
        "http://user@127.0.0.1:{port}/x",
        "http://[::1]:{port}/x",
        "//127.0.0.1:{port}/x",
        "file:///etc/passwd",
        "http://127.0.0.1:{port}\\@openapi.koreainvestment.com/",
    ],
)
async def test_a_host_off_the_list_is_refused(url: str) -> None:
    async with door_to(OK) as (door, server):
        call = Call("X", "POST", url.format(port=server.port), body=b"{}")
        with pytest.raises(DoorClosed):
            await door.send_once(call)
        with pytest.raises(DoorClosed):
            await door.read(call)
        assert server.requests == []


async def test_a_read_that_is_redirected_is_refused_and_not_followed() -> None:
    async with door_to(REDIRECT, OK) as (door, server):
        with pytest.raises(DoorClosed):
            await door.read(Call("READ", "GET", f"http://127.0.0.1:{server.port}/x"))
        assert len(server.requests) == 1


def budgeted(port: int, budget: Pacer) -> Call:
    return Call("ORDER", "POST", f"http://127.0.0.1:{port}/x", body=b"{}", priority=Priority.ENTRY, budget=budget)


async def test_too_many_slows_the_transactions_own_budget_and_leaves_the_key_alone() -> None:
    own = Pacer("T", Pace(10), SystemClock())
    async with door_to(TOO_MANY) as (door, server):
        with pytest.raises(RateLimited):
            await door.send_once(budgeted(server.port, own))
        assert (own.budget().limited_total, own.budget().limit_per_s) == (1, 5)
        assert door._pacer.budget().limited_total == 0


async def test_too_many_on_an_order_slows_down_even_where_it_proves_nothing_of_the_order() -> None:
    """As at LS, whose IGW00201 was never seen to mean that an order did not run."""

    def doubtful(answer: Answer, order: bool) -> None:
        if order:
            raise OutcomeUnknown("T", "many", "who knows")
        raise RateLimited("T", "many", "slow down", 0.01)

    own = Pacer("T", Pace(10), SystemClock())
    async with door_to(TOO_MANY) as (door, server):
        door._judge = doubtful
        with pytest.raises(OutcomeUnknown):
            await door.send_once(budgeted(server.port, own))
        assert own.budget().limited_total == 1
        assert len(server.requests) == 1


async def test_a_call_without_a_turn_in_its_own_budget_is_not_sent() -> None:
    own = Pacer("T", Pace(1, 5.0), SystemClock())
    async with door_to(OK) as (door, server):
        await door.send_once(budgeted(server.port, own))
        with pytest.raises(RateLimited):
            await door.send_once(budgeted(server.port, own), max_wait_s=0.05)
        assert len(server.requests) == 1
