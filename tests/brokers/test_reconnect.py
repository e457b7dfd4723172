"""The socket that comes back: registered anew, told once, never in a storm, never on another host."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from brokers.contract import BrokerEvent, StreamDown, StreamUp
from brokers.http import HostList
from brokers.reconnect import Patience, Reconnector, Send, StreamLost, Talk
from shared.clock import SystemClock
from shared.domain.account import Environment
from shared.domain.errors import DoorClosed

CLOCK = SystemClock()
QUICK = Patience(silence_s=5.0, ready_s=5.0, first_s=0.01, cap_s=0.02)


async def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


@dataclass
class Line:
    """A reconnector on a real server that does what the test's handler says."""

    port: int
    patience: Patience = QUICK
    events: list[BrokerEvent] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        hosts = HostList("T", Environment.SIM, frozenset({("ws", "127.0.0.1", self.port)}))
        talk = Talk(lambda: f"ws://127.0.0.1:{self.port}", self._open, self._read, self._reply)
        self.reconnector = Reconnector(hosts, CLOCK, talk, self.patience, self.events.append)

    async def _open(self, send: Send) -> Sequence[BrokerEvent]:
        await send("register")
        return ()

    def _read(self, text: str) -> Sequence[BrokerEvent]:
        self.heard.append(text)
        if text == "in use":
            raise StreamLost("in use")
        return (StreamUp(CLOCK.wall_now()),) if text == "registered" else ()

    def _reply(self, text: str) -> str | None:
        return text if text == "ping" else None

    def kinds(self) -> list[type]:
        return [type(event) for event in self.events]


Handler = Callable[[ServerConnection], Awaitable[None]]


async def listen(handler: Handler) -> tuple[Server, int]:
    server = await serve(handler, "127.0.0.1", 0)
    return server, next(iter(server.sockets)).getsockname()[1]


async def test_a_dropped_stream_registers_again_and_says_down_then_up() -> None:
    said: list[str | bytes] = []

    async def handler(socket: ServerConnection) -> None:
        said.append(await socket.recv())
        await socket.send("registered")
        if len(said) == 1:
            socket.transport.abort()
        await socket.wait_closed()

    server, port = await listen(handler)
    line = Line(port)
    line.reconnector.start()
    await until(lambda: line.kinds() == [StreamUp, StreamDown, StreamUp])
    assert said == ["register", "register"]
    await line.reconnector.stop()
    server.close()


async def test_a_ping_is_answered_and_not_handed_on() -> None:
    answered: list[str | bytes] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send("ping")
        answered.append(await socket.recv())
        await socket.wait_closed()

    server, port = await listen(handler)
    line = Line(port)
    line.reconnector.start()
    await until(lambda: answered == ["ping"])
    assert line.heard == []
    await line.reconnector.stop()
    server.close()


async def test_invalid_utf8_does_not_end_the_stream() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(b"na\xffme", text=True)
        await socket.send("registered")
        await socket.wait_closed()

    server, port = await listen(handler)
    line = Line(port)
    line.reconnector.start()
    await until(lambda: line.kinds() == [StreamUp])
    assert line.heard == ["na\ufffdme", "registered"]
    await line.reconnector.stop()
    server.close()


@pytest.mark.parametrize(
    ("first_words", "patience", "why"),
    [
        (["registered"], Patience(silence_s=0.1, first_s=30), "silent"),
        (["noise"], Patience(silence_s=30, ready_s=0.1, first_s=30), "not acknowledged"),
        (["in use"], Patience(silence_s=30, first_s=30), "in use"),
    ],
)
async def test_a_stream_that_is_of_no_use_is_dropped(first_words: list[str], patience: Patience, why: str) -> None:
    async def handler(socket: ServerConnection) -> None:
        for word in first_words:
            await socket.send(word)
        await socket.wait_closed()

    server, port = await listen(handler)
    line = Line(port, patience)
    line.reconnector.start()
    await until(lambda: StreamDown in line.kinds())
    down = line.events[-1]
    assert isinstance(down, StreamDown) and why in down.reason
    await line.reconnector.stop()
    server.close()


async def test_an_outage_is_told_once_and_attempts_stop_at_the_storm_limit() -> None:
    attempts = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal attempts
        attempts += 1
        await socket.close()

    server, port = await listen(handler)
    line = Line(port, Patience(silence_s=5, first_s=0.001, cap_s=0.001, storm=4, storm_window_s=60))
    line.reconnector.start()
    await until(lambda: attempts == 4)
    await asyncio.sleep(0.1)
    assert attempts == 4
    assert line.kinds() == [StreamDown]
    await line.reconnector.stop()
    server.close()


async def test_a_redirect_of_the_handshake_is_not_followed() -> None:
    reached = asyncio.Event()

    async def elsewhere(socket: ServerConnection) -> None:
        reached.set()

    other, other_port = await listen(elsewhere)
    target = Headers({"Location": f"ws://127.0.0.1:{other_port}/"})

    def redirect(socket: ServerConnection, request: Request) -> Response:
        return Response(302, "Found", target)

    server = await serve(elsewhere, "127.0.0.1", 0, process_request=redirect)
    line = Line(next(iter(server.sockets)).getsockname()[1], Patience(silence_s=5, first_s=30))
    line.reconnector.start()
    await until(lambda: line.kinds() == [StreamDown])
    assert not reached.is_set()
    await line.reconnector.stop()
    server.close()
    other.close()


async def test_a_host_off_the_list_is_refused_before_anything_starts() -> None:
    hosts = HostList("T", Environment.SIM, frozenset({("ws", "127.0.0.1", 1)}))
    line = Line(1)
    talk = Talk(lambda: "ws://ops.koreainvestment.com:21000", line._open, line._read)
    with pytest.raises(DoorClosed):
        Reconnector(hosts, CLOCK, talk, QUICK, line.events.append).start()
