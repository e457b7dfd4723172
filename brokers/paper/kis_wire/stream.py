"""The WebSocket side of one KIS host: sessions, registrations, keep-alive, and who gets which frame (kis.md §5).

Nothing here waits on a client: frames are queued per session, and a session that does not read is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace

from aiohttp import WSMsgType, web

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.exchange import Exchange
from brokers.paper.faults import Step, StepKind
from brokers.paper.kis_wire import control, feeds, frames
from brokers.paper.kis_wire.auth import LIFETIME, read_approval
from brokers.paper.kis_wire.control import Ask, ControlRefusal
from brokers.paper.kis_wire.feeds import Feed
from brokers.paper.kis_wire.notices import CipherKey, encrypted_frame, notice
from brokers.paper.orders import OrderEvent
from brokers.paper.tape import Trade
from shared.domain.account import BrokerName
from shared.domain.market import OrderBook
from shared.domain.order import Side

PING_EVERY_S = 100.0
MAX_QUEUED = 20_000


def ws_app(exchange: Exchange, env: ExEnv, *, ping_every_s: float = PING_EVERY_S) -> web.Application:
    """The WebSocket side of one KIS host, on any path."""
    hub = Hub(exchange, env, ping_every_s)
    app = web.Application()
    app.router.add_get("/{path:.*}", hub.handle)
    app.on_shutdown.append(hub.close)
    return app


class Session:
    """One client's socket and what it registered."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.key = CipherKey.fresh()  # one for all TRs: a published client keeps only the last it saw (kis.md §5.1)
        self.key_ids: set[str] = set()  # fingerprints of the app keys that spoke here
        self.registered: set[tuple[str, str]] = set()  # (TR id, tr_key)
        self.answered = True  # the last PINGPONG
        self._outbox: asyncio.Queue[Step] = asyncio.Queue()

    def send(self, text: str) -> None:
        self.queue(Step(StepKind.SEND, text))

    def queue(self, step: Step) -> None:
        if self._outbox.qsize() >= MAX_QUEUED:
            step = Step(StepKind.KICK)
        if step.delay_s > 0:
            asyncio.get_running_loop().call_later(step.delay_s, self._outbox.put_nowait, step)
        else:
            self._outbox.put_nowait(step)

    async def write(self, transport: asyncio.Transport | None) -> None:
        """Send what is queued until the socket is gone."""
        with contextlib.suppress(ConnectionError):
            while not self.socket.closed:
                step = await self._outbox.get()
                if step.kind is StepKind.SEND and isinstance(step.frame, bytes):
                    await self.socket.send_frame(step.frame, WSMsgType.TEXT)
                elif step.kind is StepKind.SEND:
                    await self.socket.send_str(str(step.frame))
                elif step.abrupt and transport is not None:
                    transport.abort()
                    return
                else:
                    await self.socket.close()


class Hub:
    def __init__(self, exchange: Exchange, env: ExEnv, ping_every_s: float) -> None:
        self._exchange, self._env, self._ping_every_s = exchange, env, ping_every_s
        self._sessions: set[Session] = set()
        self._readers: defaultdict[tuple[str, str], set[Session]] = defaultdict(set)
        self._wanted: set[str] = set()  # symbols somebody registered: others are not even looked at
        exchange.subscribe_trades(self._on_trade)
        exchange.subscribe_books(self._on_book)
        exchange.subscribe_orders(self._on_order)

    # -- sessions

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        session = Session(socket)
        self._sessions.add(session)
        try:
            async with _tasks(session.write(request.transport), self._keep_alive(session)):
                await self._listen(session)
        finally:
            self._sessions.discard(session)
            for target in session.registered:
                self._readers[target].discard(session)
            self._note_wanted()
        return socket

    async def close(self, _app: web.Application) -> None:
        for session in list(self._sessions):
            await session.socket.close()

    async def _listen(self, session: Session) -> None:
        async for message in session.socket:
            if message.type is WSMsgType.PING:
                await session.socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                session.answered = True  # the official client answers PINGPONG so
            elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                text = message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
                self._answer(session, text)

    async def _keep_alive(self, session: Session) -> None:
        while not session.socket.closed:
            await asyncio.sleep(self._ping_every_s)
            if not session.answered:
                session.queue(Step(StepKind.KICK))
                return
            session.answered = False
            self._emit(session, control.PINGPONG, control.pingpong(self._exchange.clock.wall_now()))

    # -- control messages

    def _answer(self, session: Session, text: str) -> None:
        """Do what a message asks and queue the reply; a key in use elsewhere ends the session after it."""
        try:
            ask = control.read(text)
            if ask is None:
                session.answered = True
                return
            self._admit(session, ask)
            code = self._register(session, ask) if ask.tr_type == control.REGISTER else self._unregister(session, ask)
        except ControlRefusal as e:
            session.send(control.refused(e))
            if e.code == "OPSP8996":
                session.queue(Step(StepKind.KICK))
        else:
            session.send(control.acknowledged(ask, code, session.key))

    def _admit(self, session: Session, ask: Ask) -> None:
        """Check the approval key; in strict one session per app key (kis.md §5.10)."""
        approval = read_approval(ask.approval_key)
        now = self._exchange.clock.wall_now()
        if approval is None or (not session.key_ids and now - approval.issued_at > LIFETIME):
            raise ControlRefusal("OPSP0011", ask.tr_id, ask.tr_key)
        others = (other for other in self._sessions if other is not session)
        if self._exchange.profile is Profile.STRICT and any(approval.key_id in other.key_ids for other in others):
            raise ControlRefusal("OPSP8996")
        session.key_ids.add(approval.key_id)

    def _register(self, session: Session, ask: Ask) -> str:
        control.check_target(ask, self._env, self._exchange.profile)
        target = (ask.tr_id, ask.tr_key)
        if target in session.registered:
            raise ControlRefusal("OPSP0002", *target)
        if len(session.registered) >= control.MAX_REGISTRATIONS:
            raise ControlRefusal("OPSP0008", *target)
        session.registered.add(target)
        self._readers[target].add(session)
        self._note_wanted()
        return "OPSP0000"

    def _unregister(self, session: Session, ask: Ask) -> str:
        target = (ask.tr_id, ask.tr_key)
        if target not in session.registered:
            raise ControlRefusal("OPSP0003", *target)
        session.registered.discard(target)
        self._readers[target].discard(session)
        self._note_wanted()
        return "OPSP0001"

    def _note_wanted(self) -> None:
        self._readers = defaultdict(set, {target: readers for target, readers in self._readers.items() if readers})
        self._wanted = {control.symbol_of(tr_key) for _, tr_key in self._readers}

    # -- frames

    def _on_trade(self, trade: Trade) -> None:
        listing = self._exchange.listing(trade.symbol)
        if listing is not None and trade.symbol in self._wanted:
            for one in feeds.of_trade(self._exchange, listing, trade):
                self._broadcast(one, trade.symbol)

    def _on_book(self, book: OrderBook) -> None:
        listing = self._exchange.listing(book.symbol)
        if listing is not None and book.symbol in self._wanted:
            for one in feeds.of_book(self._exchange, listing, book):
                self._broadcast(one, book.symbol)

    def _on_order(self, event: OrderEvent) -> None:
        """Tell the sessions that registered a notice and may know this account (kis.md §5.6, §5.9)."""
        account, order = event.account, event.order
        strict = self._exchange.profile is Profile.STRICT
        if account.broker is not BrokerName.KIS or (strict and account.env is not self._env):
            return
        listing = self._exchange.listing(order.symbol)
        name = listing.name_ko if listing else order.symbol
        tr_id = control.NOTICES[order.market, account.env]
        for session in list(self._sessions):
            hts_id = self._told_as(session, event, tr_id)
            plain = notice(event, hts_id, name, self._exchange.profile, self._exchange.frames) if hts_id else None
            if plain is not None:
                self._emit(session, tr_id, encrypted_frame(tr_id, plain, session.key), event, plain)

    def _told_as(self, session: Session, event: OrderEvent, tr_id: str) -> str | None:
        """The HTS id under which a session hears of an event; None when it does not.

        It is the owner's; compat also serves a key that used the account, whatever HTS id it registered.
        """
        hts_ids = sorted(key for tr, key in session.registered if tr == tr_id)
        if event.account.hts_id in hts_ids:
            return event.account.hts_id
        compat = self._exchange.profile is Profile.COMPAT
        if compat and any(self._exchange.used_by(event.account.id, key_id) for key_id in session.key_ids):
            return next(iter(hts_ids), None)
        return None

    def _broadcast(self, feed: Feed, symbol: str) -> None:
        readers = self._readers.get((feed.tr_id, feed.tr_key))
        if readers:
            text = frames.frame(feed.tr_id, feed.write())
            for session in list(readers):
                self._emit(session, feed.tr_id, text, symbol=symbol)

    def _emit(
        self,
        session: Session,
        tr_id: str,
        text: str,
        event: OrderEvent | None = None,
        plain: str = "",
        symbol: str = "",
    ) -> None:
        """Queue a frame as the fault plan has it. After KEY_CHANGE a notice is encrypted with a key nobody was told."""
        side: Side | None = event.order.side if event else None
        steps = self._exchange.faults.frames(
            broker=BrokerName.KIS,
            env=self._env,
            tr=tr_id,
            account=event.account.number if event else "",
            symbol=event.order.symbol if event else symbol,
            side=side,
            frame=text,
            socket=session,
        )
        anew = text
        for step in steps:
            if step.kind is StepKind.KEY_CHANGE and plain:
                session.key = CipherKey.fresh()
                anew = encrypted_frame(tr_id, plain, session.key)
            elif step.kind is not StepKind.KEY_CHANGE:
                session.queue(replace(step, frame=anew) if step.frame == text else step)


@contextlib.asynccontextmanager
async def _tasks(*coroutines: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these beside the body; they end with it."""
    running = [asyncio.ensure_future(one) for one in coroutines]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
