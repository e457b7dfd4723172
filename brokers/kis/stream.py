"""KIS's WebSocket: registrations that survive reconnects, ticks out, notices out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from brokers.contract import BrokerEvent, NoticeUnreadable, StreamUp
from brokers.kis import frames
from brokers.kis.auth import Auth
from brokers.kis.codes import explained
from brokers.kis.dialect import Registration
from brokers.kis.tr import KIS, MAX_REGISTRATIONS, REGISTERED, TAKEN, UNREGISTERED, Site
from brokers.reconnect import Reconnector, Send, StreamLost, StreamTaken, Talk
from shared.clock import Clock
from shared.domain.errors import BrokerError, StreamFull, WireError
from shared.domain.market import Tick

APPROVED_FOR = timedelta(hours=23)  # the key lives a day and is looked at when a session registers (kis.md §2.3)


class KisStream:
    """One socket of one app key. Events go to `emit`, ticks to whoever asked with on_tick."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        auth: Auth,
        notice: Registration | None,
        account: str,
        emit: Callable[[BrokerEvent], None],
    ) -> None:
        self._site, self._clock, self._auth = site, clock, auth
        self._account = account
        self._emit = emit
        self._on_tick: list[Callable[[Tick], None]] = []
        self._wanted: dict[Registration, None] = {notice: None} if notice else {}
        self._pending: set[Registration] = set()  # asked for on this connection, not yet acknowledged
        self._ciphers: dict[str, tuple[str, str]] = {}  # TR id -> key, iv of its acknowledgement
        self._approval_key = ""
        self._approved_at: datetime | None = None
        self._told_up = False
        self.dropped_frames = 0  # market data that could not be read; an operator sees the count
        talk = Talk(
            url=lambda: site.stream,
            on_open=self._open,
            on_text=self._read,
            reply_to=lambda text: text if frames.is_ping(text) else None,
        )
        self._line = Reconnector(site.hosts, clock, talk, site.patience, self._emit)

    def connect(self) -> None:
        """Begin connecting in the background; StreamUp tells when everything is registered."""
        self._line.start()

    async def close(self) -> None:
        await self._line.stop()

    def drop(self, why: str) -> None:
        """End the connection of now; the next one registers everything again."""
        self._line.drop(why)

    def on_tick(self, callback: Callable[[Tick], None]) -> None:
        """Call `callback` for every trade of a subscribed symbol, in order of arrival. It must not block."""
        self._on_tick.append(callback)

    async def subscribe(self, registration: Registration) -> None:
        """Want the ticks or books of a registration.

        Raises:
            StreamFull: the session's 41 registrations are used up.
        """
        if registration in self._wanted:
            return
        if len(self._wanted) >= MAX_REGISTRATIONS:
            why, now = explained("OPSP0008", f"{MAX_REGISTRATIONS} in use")
            raise StreamFull(KIS, "OPSP0008", why, now)
        self._wanted[registration] = None
        await self._register(registration, True)

    async def unsubscribe(self, registration: Registration) -> None:
        if registration in self._wanted:
            del self._wanted[registration]
            self._pending.discard(registration)
            await self._register(registration, False)

    async def _register(self, registration: Registration, register: bool) -> None:
        """Say it now when a connection is open; if not, _open will."""
        if self._approval_key:
            if self._approved_at is None or self._clock.wall_now() - self._approved_at > APPROVED_FOR:
                with suppress(BrokerError):  # should the old key be refused, the stream reconnects with a new one
                    await self._approve()
            if register:
                self._pending.add(registration)
            await self._line.send(frames.encode_registration(self._approval_key, *registration, register))

    async def _open(self, send: Send) -> Sequence[BrokerEvent]:
        self._approval_key, self._told_up = "", False
        self._ciphers.clear()
        approval_key = await self._approve()
        self._pending = set(self._wanted)
        for registration in list(self._wanted):
            await send(frames.encode_registration(approval_key, *registration, True))
        return self._up_if_ready()

    async def _approve(self) -> str:
        self._approval_key = await self._auth.approval_key()
        self._approved_at = self._clock.wall_now()
        return self._approval_key

    def _up_if_ready(self) -> Sequence[BrokerEvent]:
        if self._pending or self._told_up:
            return ()
        self._told_up = True
        return (StreamUp(self._clock.wall_now()),)

    def _read(self, text: str) -> Sequence[BrokerEvent]:
        if text.startswith("{"):
            return self._acknowledged(text)
        try:
            tick = frames.lone_tick(text, self._clock.wall_now())
        except WireError:
            self.dropped_frames += 1
            return ()
        if tick is not None:
            for callback in self._on_tick:
                callback(tick)
            return ()
        try:
            frame = frames.decode_frame(text)
        except WireError as e:
            # What cannot be told apart may have been an order notice.
            return (NoticeUnreadable(self._clock.wall_now(), e.message),)
        return self._notices(frame) if frame.tr in frames.NOTICE_LAYOUT else self._prices(frame)

    def _prices(self, frame: frames.Frame) -> Sequence[BrokerEvent]:
        try:
            if frame.tr in frames.BOOK_FIELDS:
                return frames.decode_books(frame, self._clock.wall_now())
            if frame.tr not in frames.TICK_FIELDS:
                raise WireError(KIS, "-", f"a frame nobody asked for: {frame.tr}")
            ticks = frames.decode_ticks(frame, self._clock.wall_now())
        except WireError:
            self.dropped_frames += 1
            return ()
        for tick in ticks:
            for callback in self._on_tick:
                callback(tick)
        return ()

    def _notices(self, frame: frames.Frame) -> Sequence[BrokerEvent]:
        now = self._clock.wall_now()
        try:
            plain = frame.payload
            if frame.encrypted:
                if frame.tr not in self._ciphers:
                    raise WireError(KIS, "-", "an encrypted notice before its key")
                plain = frames.decrypt(frame.payload, *self._ciphers[frame.tr])
            return frames.decode_notices(frame, plain, self._account, now)
        except WireError as e:
            return (NoticeUnreadable(now, e.message),)

    def _acknowledged(self, text: str) -> Sequence[BrokerEvent]:
        try:
            ack = frames.decode_control(text)
        except WireError as e:
            return (NoticeUnreadable(self._clock.wall_now(), e.message),)
        if ack.code in REGISTERED:
            if ack.cipher_key and ack.cipher_iv:
                self._ciphers[ack.tr] = (ack.cipher_key, ack.cipher_iv)
            self._pending.discard((ack.tr, ack.key))
            return self._up_if_ready()
        if ack.code in UNREGISTERED:
            return ()
        lost = StreamTaken if ack.code == TAKEN else StreamLost
        raise lost(f"{ack.code} {explained(ack.code, ack.message)[0]}")
