"""Hold one WebSocket: connect → register → read → silence limit → back off, for as long as the account runs."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import websockets
from websockets.asyncio.client import ClientConnection, connect

from brokers.contract import BrokerEvent, StreamDown, StreamUp
from brokers.http import CONNECT_S, HostList, described
from brokers.transport import OTHER_FAMILY_AFTER_S
from shared.clock import Clock
from shared.domain.errors import BrokerError

Send = Callable[[str], Awaitable[None]]
OPEN_S = 2 * CONNECT_S  # connection and handshake together


class StreamLost(Exception):
    """The stream's own words say that this connection is of no use: drop it and begin again later."""


class StreamTaken(StreamLost):
    """Another session of the app key is in place, or the broker has not cleared our last one: wait long, tell a person."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds a stream may take. A broker blocks keys that reconnect in a loop, hence first, cap and storm."""

    silence_s: float  # nothing at all heard: the connection is dead
    ready_s: float = 15.0  # from connected to StreamUp
    first_s: float = 5.0
    cap_s: float = 120.0
    storm: int = 20  # connections within storm_window_s, then wait the window out
    storm_window_s: float = 600.0
    stable_s: float = 60.0  # a stream that lived this long starts again from first_s
    ping_s: float | None = None  # protocol pings, where the broker sends nothing of its own to be heard
    taken_s: float = 30.0  # the least wait when the place is taken: hours of quick attempts get a key blocked


@dataclass(frozen=True, slots=True)
class Talk:
    """What a broker's stream says and hears; reconnect knows nothing else of it."""

    url: Callable[[], str]
    on_open: Callable[[Send], Awaitable[Sequence[BrokerEvent]]]  # register everything wanted; StreamUp if nothing is
    on_text: Callable[[str], Sequence[BrokerEvent]]  # may raise StreamLost; yields StreamUp when all is registered
    reply_to: Callable[[str], str | None] = lambda text: None  # keep-alive: the text to answer with


class _DirectConnect(connect):
    """A connection that follows no redirect: the host was checked, another one was not."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Reconnector:
    """Run one stream for ever and put its events into `emit`, in order of arrival."""

    def __init__(
        self, hosts: HostList, clock: Clock, talk: Talk, patience: Patience, emit: Callable[[BrokerEvent], None]
    ) -> None:
        self._hosts, self._clock, self._talk, self._patience, self._emit = hosts, clock, talk, patience, emit
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._opened: deque[float] = deque()  # monotonic time of each attempt inside the storm window
        self._failures = 0
        self._up = False
        self._told_down = self._told_taken = False
        self._taken = False  # what ended the last attempt
        self._dropped = ""  # why we ended the connection ourselves

    @property
    def up(self) -> bool:
        return self._up

    def start(self) -> None:
        """Begin connecting in the background. Raises DoorClosed at once when the host is not on the list."""
        self._hosts.check(self._talk.url())
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="stream")

    async def stop(self) -> None:
        """Close the socket properly (a broker keeps the slot of an unclean drop busy); safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def drop(self, why: str) -> None:
        """End the connection of now, for a reason of ours; the next attempt keeps to the usual pauses."""
        socket = self._socket
        if socket is not None:
            self._dropped = why
            socket.transport.abort()  # a half-open line answers no closing handshake

    async def send(self, text: str) -> None:
        """Send now if connected; if not, on_open will say it all again anyway."""
        socket = self._socket
        if socket is not None:
            try:
                await socket.send(text)
            except websockets.ConnectionClosed:
                return  # the reading side sees the same end and reconnects

    async def _run(self) -> None:
        try:
            await self._keep_alive()
        finally:
            self._say_down("the stream has ended")  # stopped, or a fault of ours: whoever listens must not trust it

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._wait_s())
            began = self._clock.monotonic()
            self._opened.append(began)
            self._dropped, self._taken = "", False
            try:
                reason = await self._live()
            except (OSError, websockets.WebSocketException, BrokerError, StreamLost) as e:
                reason = self._dropped or described(e)[1]
                self._taken = isinstance(e, StreamTaken)
            finally:
                self._socket, self._up = None, False
            lived_s = self._clock.monotonic() - began
            self._failures = 1 if lived_s >= self._patience.stable_s else self._failures + 1
            self._say_down(reason)

    async def _live(self) -> str:
        """Serve one connection until it ends; the reason is returned or raised."""
        url = str(self._hosts.check(self._talk.url()))
        options = _DirectConnect(
            url,
            compression=None,
            max_queue=None,
            max_size=2**22,
            proxy=None,
            open_timeout=OPEN_S,
            close_timeout=2,
            happy_eyeballs_delay=OTHER_FAMILY_AFTER_S,
            ping_interval=self._patience.ping_s,
        )
        async with options as socket:
            self._socket = socket
            began = self._clock.monotonic()
            self._tell(await self._talk.on_open(socket.send))
            while True:
                patience_s = self._patience.silence_s
                if not self._up:
                    patience_s = max(0.0, began + self._patience.ready_s - self._clock.monotonic())
                try:
                    async with asyncio.timeout(patience_s):
                        # Names in frames may hold invalid UTF-8, on which a strict client would close (kis.md §5.10).
                        text = (await socket.recv(decode=False)).decode("utf-8", "replace")
                except TimeoutError:
                    return f"silent for {patience_s:g} s" if self._up else "registration was not acknowledged"
                await self._hear(socket, text)

    async def _hear(self, socket: ClientConnection, text: str) -> None:
        reply = self._talk.reply_to(text)
        if reply is not None:
            await socket.send(reply)
            return
        self._tell(self._talk.on_text(text))

    def _tell(self, events: Sequence[BrokerEvent]) -> None:
        for event in events:
            if isinstance(event, StreamUp):
                self._up, self._told_down, self._told_taken = True, False, False
            self._emit(event)

    def _say_down(self, reason: str) -> None:
        """Tell once per outage, not once per failed attempt; that the place is taken is news of its own."""
        if not self._told_down or (self._taken and not self._told_taken):
            self._told_down, self._told_taken = True, self._taken
            self._emit(StreamDown(self._clock.wall_now(), reason, self._taken))

    def _wait_s(self) -> float:
        now = self._clock.monotonic()
        while self._opened and now - self._opened[0] >= self._patience.storm_window_s:
            self._opened.popleft()
        if len(self._opened) >= self._patience.storm:
            return self._opened[0] + self._patience.storm_window_s - now
        if self._failures == 0:
            return 0.0
        longest = min(self._patience.cap_s, self._patience.first_s * 2.0 ** min(self._failures - 1, 16))
        least = self._patience.taken_s if self._taken else 0.0
        return max(longest, least) * (1.0 + random.random() / 4)
