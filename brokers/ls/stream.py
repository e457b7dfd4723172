"""LS's WebSocket: registrations that survive reconnects, ticks out, notices out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brokers.contract import BrokerEvent, NoticeUnreadable, StreamUp
from brokers.ls import frames, tr
from brokers.ls.auth import Auth
from brokers.reconnect import Reconnector, Send, StreamLost, Talk
from shared.clock import Clock
from shared.domain.errors import NotSupported, WireError
from shared.domain.market import Tick

Registration = tuple[str, str]  # tr_cd, tr_key


class LsStream:
    """One socket of one app key. Events go to `emit`, ticks to whoever asked with on_tick."""

    def __init__(self, site: tr.Site, clock: Clock, auth: Auth, emit: Callable[[BrokerEvent], None]) -> None:
        self._clock, self._auth, self._emit = clock, auth, emit
        self._on_tick: list[Callable[[Tick], None]] = []
        self._wanted: dict[Registration, None] = {(code, ""): None for code in tr.NOTICES}
        self._pending: list[str] = []  # tr_cd of each registration without its acknowledgement: acks name no key
        self._open_now = False
        self._told_up = False
        self.dropped_frames = 0  # market data that could not be read; an operator sees the count
        talk = Talk(url=lambda: site.stream, on_open=self._open, on_text=self._read)
        self._line = Reconnector(site.hosts, clock, talk, site.patience, emit)

    def connect(self) -> None:
        """Begin connecting in the background; StreamUp tells when everything is registered."""
        self._line.start()

    async def reconnect(self) -> None:
        """Begin anew with the token of now: what becomes of a socket whose token ended is not documented."""
        await self._line.stop()
        self._line.start()

    async def close(self) -> None:
        await self._line.stop()

    def on_tick(self, callback: Callable[[Tick], None]) -> None:
        """Call `callback` for every trade of a subscribed symbol, in order of arrival. It must not block."""
        self._on_tick.append(callback)

    async def subscribe(self, code: str, symbol: str) -> None:
        """Want the trades of `symbol` on tr_cd `code`.

        Raises:
            NotSupported: the connection's registrations are used up.
        """
        if (code, symbol) in self._wanted:
            return
        if len(self._wanted) >= tr.MAX_REGISTRATIONS:
            raise NotSupported(tr.LS, "-", f"{tr.MAX_REGISTRATIONS} registrations are in use; unsubscribe one first")
        self._wanted[code, symbol] = None
        if self._open_now:
            self._pending.append(code)
            await self._line.send(frames.encode_registration(self._auth.token, code, symbol, True))

    async def unsubscribe(self, code: str, symbol: str) -> None:
        if (code, symbol) in self._wanted:
            del self._wanted[code, symbol]
            if self._open_now:
                await self._line.send(frames.encode_registration(self._auth.token, code, symbol, False))

    async def _open(self, send: Send) -> Sequence[BrokerEvent]:
        self._open_now = self._told_up = False
        token = await self._auth.ensure_token()
        self._pending = [code for code, _ in self._wanted]
        self._open_now = True
        for code, key in list(self._wanted):
            await send(frames.encode_registration(token, code, key, True))
        return ()

    def _read(self, message: str) -> Sequence[BrokerEvent]:
        now, market_now = self._clock.wall_now(), self._clock.market_now()
        try:
            frame = frames.decode_frame(message)
        except WireError as e:
            # What cannot be told apart may have been an order notice.
            return (NoticeUnreadable(now, e.message),)
        if frame.code:
            return self._acknowledged(frame)
        if frame.tr in tr.NOTICES:
            try:
                notice = frames.decode_notice(frame.tr, frame.body or {}, market_now, now)
            except WireError as e:
                return (NoticeUnreadable(now, e.message),)
            return () if notice is None else (notice,)
        self._tick(frame)
        return ()

    def _tick(self, frame: frames.Frame) -> None:
        try:
            if frame.tr not in tr.TICKS.values():
                raise WireError(tr.LS, "-", f"a frame nobody asked for: {frame.tr}")
            tick = frames.decode_tick(frame.body or {}, self._clock.market_now(), self._clock.wall_now())
        except WireError:
            self.dropped_frames += 1
            return
        for callback in self._on_tick:
            callback(tick)

    def _acknowledged(self, frame: frames.Frame) -> Sequence[BrokerEvent]:
        if frame.code != tr.REGISTERED:
            raise StreamLost(f"{frame.tr} {frame.code} {frame.message}")
        if frame.kind in {frames.ACCOUNT_TYPES[0], frames.QUOTE_TYPES[0]} and frame.tr in self._pending:
            self._pending.remove(frame.tr)
        if self._pending or self._told_up:
            return ()
        self._told_up = True
        return (StreamUp(self._clock.wall_now()),)
