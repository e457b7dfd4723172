"""What goes wrong between us and the broker has its name: DNS, TLS, a dead address family, a door that never opens."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from brokers.contract import BrokerEvent, StreamDown, StreamUp
from brokers.http import Call, Door, HostList, Mask, tls_context
from brokers.pacing import Pace, Pacer, Priority
from brokers.reconnect import Patience, Reconnector, Send, StreamTaken, Talk
from shared.clock import SystemClock
from shared.domain.account import Environment
from shared.domain.errors import BrokerUnavailable, NotSent
from tests.brokers.rig import until
from tests.brokers.test_http import OK, Server, judge
from tests.brokers.test_transport import certificate

CLOCK = SystemClock()
NOWHERE = "no-such-host.invalid"  # RFC 6761: never resolves


def door_of(scheme: str, host: str, port: int) -> tuple[Door, str]:
    hosts = HostList("T", Environment.SIM, frozenset({(scheme, host, port)}))
    door = Door("T", hosts, Pacer("T", Pace(100), CLOCK), CLOCK, judge, Mask([], []), None)
    return door, f"{scheme}://{host}:{port}/"


async def outcome(door: Door, url: str) -> tuple[NotSent, BrokerUnavailable]:
    """What an order and a read come to; the door is closed afterwards."""
    try:
        with pytest.raises(NotSent) as sent:
            await door.send_once(Call("ORDER", "POST", url, body=b"{}", priority=Priority.ENTRY))
        with pytest.raises(BrokerUnavailable) as read:
            await door.read(Call("READ", "GET", url), deadline_s=0.3)
    finally:
        await door.close()
    return sent.value, read.value


async def test_a_name_that_cannot_be_looked_up_is_called_dns_and_nothing_was_sent() -> None:
    sent, read = await outcome(*door_of("http", NOWHERE, 18443))
    assert (sent.broker_code, read.broker_code) == ("DNS", "DNS")
    assert "주소를 찾지 못했습니다" in sent.why and "DNS" in sent.now


async def test_a_certificate_that_is_not_theirs_is_called_tls_and_nothing_was_sent(tmp_path: Path) -> None:
    theirs, _ = certificate(tmp_path)
    server = Server([OK])
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=theirs)
    port = listener.sockets[0].getsockname()[1]
    sent, read = await outcome(*door_of("https", "127.0.0.1", port))
    assert (sent.broker_code, read.broker_code) == ("TLS", "TLS")
    assert server.requests == []
    listener.close()


async def test_a_plain_server_where_tls_is_expected_is_called_tls() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(plain, "127.0.0.1", 0)
    sent, read = await outcome(*door_of("https", "127.0.0.1", listener.sockets[0].getsockname()[1]))
    assert (sent.broker_code, read.broker_code) == ("TLS", "TLS")
    listener.close()


async def test_a_handshake_that_never_comes_ends_by_our_own_limit_unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brokers.http.TIME_OUTS", {"connect": 0.1, "read": 0.1})

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(mute, "127.0.0.1", 0)
    sent, _ = await outcome(*door_of("https", "127.0.0.1", listener.sockets[0].getsockname()[1]))
    assert "no connection" in sent.why
    listener.close()


async def test_where_one_address_family_is_dead_the_other_serves() -> None:
    server = Server([OK])
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)  # "localhost" may be ::1 first
    door, url = door_of("http", "localhost", listener.sockets[0].getsockname()[1])
    answer = await door.send_once(Call("ORDER", "POST", url, body=b"{}", priority=Priority.ENTRY))
    assert answer.status == 200 and len(server.requests) == 1
    await door.close()
    listener.close()


def stream_to(url: str, host: tuple[str, str, int], patience: Patience, events: list[BrokerEvent]) -> Reconnector:
    async def on_open(send: Send) -> tuple[()]:
        return ()

    def read(text: str) -> tuple[()]:
        raise StreamTaken(text)

    hosts = HostList("T", Environment.SIM, frozenset({host}))
    return Reconnector(hosts, CLOCK, Talk(lambda: url, on_open, read), patience, events.append)


@pytest.mark.parametrize(
    ("scheme", "host", "word"), [("ws", NOWHERE, "주소를 찾지 못했습니다"), ("wss", "127.0.0.1", "인증서")]
)
async def test_a_stream_says_dns_and_tls_by_name_too(scheme: str, host: str, word: str, tmp_path: Path) -> None:
    theirs, _ = certificate(tmp_path)
    listener = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=theirs)
    port = listener.sockets[0].getsockname()[1]
    events: list[BrokerEvent] = []
    line = stream_to(f"{scheme}://{host}:{port}/", (scheme, host, port), Patience(silence_s=5, first_s=30), events)
    line.start()
    await until(lambda: bool(events))
    assert isinstance(events[0], StreamDown) and word in events[0].reason and not events[0].taken
    await line.stop()
    listener.close()


async def test_a_taken_place_is_told_apart_and_not_hammered() -> None:
    attempts = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal attempts
        attempts += 1
        await socket.send("ALREADY IN USE appkey")
        await socket.wait_closed()

    server = await serve(handler, "127.0.0.1", 0)
    port = next(iter(server.sockets)).getsockname()[1]
    events: list[BrokerEvent] = []
    patience = Patience(silence_s=5, first_s=0.001, cap_s=0.001, taken_s=30)
    line = stream_to(f"ws://127.0.0.1:{port}/", ("ws", "127.0.0.1", port), patience, events)
    line.start()
    await until(lambda: bool(events))
    await asyncio.sleep(0.1)
    assert attempts == 1
    assert isinstance(events[0], StreamDown) and events[0].taken
    await line.stop()
    server.close()


async def test_a_stream_dropped_by_us_says_why_and_comes_back() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async def on_open(send: Send) -> tuple[StreamUp]:
        return (StreamUp(CLOCK.wall_now()),)

    server = await serve(handler, "127.0.0.1", 0)
    port = next(iter(server.sockets)).getsockname()[1]
    events: list[BrokerEvent] = []
    hosts = HostList("T", Environment.SIM, frozenset({("ws", "127.0.0.1", port)}))
    talk = Talk(lambda: f"ws://127.0.0.1:{port}/", on_open, lambda text: ())
    line = Reconnector(hosts, CLOCK, talk, Patience(silence_s=30, first_s=0.01), events.append)
    line.start()
    await until(lambda: len(events) == 1)
    line.drop("half-open")
    await until(lambda: len(events) == 3)
    assert [type(event) for event in events] == [StreamUp, StreamDown, StreamUp]
    assert isinstance(events[1], StreamDown) and events[1].reason == "half-open"
    await line.stop()
    server.close()


def test_the_trust_of_a_door_with_tls_is_not_empty() -> None:
    hosts = HostList("T", Environment.LIVE, frozenset({("https", "openapi.ls-sec.co.kr", 8080)}))
    context = tls_context(hosts)
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
