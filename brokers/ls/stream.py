"""LS's WebSocket: registrations that survive reconnects; ticks, books and notices out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brokers.contract import BrokerEvent, NoticeUnreadable, StreamUp
from brokers.ls import codec_krx, codec_us, frames, tr
from brokers.ls.auth import Auth
from brokers.ls.codec import Row
from brokers.ls.phases import decode_phase
from brokers.reconnect import Reconnector, Send, StreamLost, Talk
from shared.clock import Clock
from shared.domain.account import Market
from shared.domain.errors import StreamFull, WireError
from shared.domain.instrument import Venue

Registration = tuple[str, str]  # tr_cd, tr_key
UNIFIED_SIZES = "unt_"  # UH1 has sizes by venue and together, no plain ones


class LsStream:
    """One socket of one app key. Everything heard goes to `emit`, in order of arrival."""

    def __init__(
        self, site: tr.Site, clock: Clock, auth: Auth, market: Market, emit: Callable[[BrokerEvent], None]
    ) -> None:
        self._clock, self._auth, self._market, self._emit = clock, auth, market, emit
        self._wanted: dict[Registration, None] = {(code, ""): None for code in tr.NOTICES[market]}
        self._wanted[tr.PHASES, tr.PHASES_KEY] = None
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

    def drop(self, why: str) -> None:
        """End the connection of now; the next one registers everything again."""
        self._line.drop(why)

    async def close(self) -> None:
        await self._line.stop()

    async def subscribe(self, code: str, key: str) -> None:
        """Want what tr_cd `code` says of `key`.

        Raises:
            StreamFull: the connection's registrations are used up.
        """
        if (code, key) in self._wanted:
            return
        if len(self._wanted) >= tr.MAX_REGISTRATIONS:
            raise StreamFull(
                tr.LS,
                "-",
                f"실시간 등록 {tr.MAX_REGISTRATIONS}건을 모두 썼습니다 / {tr.MAX_REGISTRATIONS} registrations are in use",
                "다른 종목을 먼저 해지하십시오. / Unsubscribe one first.",
            )
        self._wanted[code, key] = None
        if self._open_now:
            self._pending.append(code)
            await self._line.send(frames.encode_registration(self._auth.token, code, key, True))

    async def unsubscribe(self, code: str, key: str) -> None:
        if (code, key) in self._wanted:
            del self._wanted[code, key]
            if self._open_now:
                await self._line.send(frames.encode_registration(self._auth.token, code, key, False))

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
        if frame.tr in frames.ALL_NOTICES:
            try:
                notice = frames.decode_notice(self._market, frame.tr, frame.body or {}, market_now, now)
            except WireError as e:
                return (NoticeUnreadable(now, e.message),)
            return () if notice is None else (notice,)
        try:
            if frame.tr == tr.PHASES:
                phase = decode_phase(self._market, frame.body or {}, market_now)
                return () if phase is None else (phase,)
            return (self._market_data(frame.tr, frame.body or {}),)
        except WireError:
            self.dropped_frames += 1
            return ()

    def _market_data(self, code: str, body: Row) -> BrokerEvent:
        now, market_now = self._clock.wall_now(), self._clock.market_now()
        if code == tr.US_TICKS:
            return codec_us.decode_tick(body, now)
        if code == tr.US_BOOKS:
            return codec_us.decode_pushed_book(body, market_now, now)
        if code in tr.TICKS.values():
            return codec_krx.decode_tick(body, market_now, now)
        if code in tr.BOOKS.values():
            sizes = UNIFIED_SIZES if code == tr.BOOKS[Venue.SOR] else ""
            return codec_krx.decode_pushed_book(body, sizes, market_now, now)
        raise WireError(tr.LS, "-", f"a frame nobody asked for: {code}")

    def _acknowledged(self, frame: frames.Frame) -> Sequence[BrokerEvent]:
        if frame.code != tr.REGISTERED:
            raise StreamLost(f"{frame.tr} {frame.code} {frame.message}")
        if frame.kind in {frames.ACCOUNT_TYPES[0], frames.QUOTE_TYPES[0]} and frame.tr in self._pending:
            self._pending.remove(frame.tr)
        if self._pending or self._told_up:
            return ()
        self._told_up = True
        return (StreamUp(self._clock.wall_now()),)
