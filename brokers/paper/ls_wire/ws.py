"""The WebSocket side of LS: registrations, acks, pushes (ls.md §5). No application ping; idle sockets stay open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from brokers.paper.accounts import Account, AccountId, ExEnv, Profile, UnknownAccount
from brokers.paper.clock import Sessions
from brokers.paper.exchange import Exchange
from brokers.paper.faults import StepKind
from brokers.paper.ls_wire.notices import notices
from brokers.paper.ls_wire.pushes import BOOK_TRS, TRADE_TRS, Body, book_body, status_changes, trade_body
from brokers.paper.ls_wire.tally import Tallies
from brokers.paper.orders import OrderEvent
from brokers.paper.tape import Trade
from shared.domain.account import BrokerName
from shared.domain.market import OrderBook
from shared.domain.money import Currency
from shared.domain.order import Side

NOTICE_TRS = {"SC0", "SC1", "SC2", "SC3", "SC4"}  # registering any one delivers all
STATUS_TR = "JIF"
REGISTER, UNREGISTER = {"1", "3"}, {"2", "4"}
STRICT_REGISTRATIONS = 200  # beyond it acks stay 00000 but no data comes (ls.md §5.1)
MOST_QUEUED = 20_000  # a client that does not read is dropped
STATUS_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A frame waiting for its socket, with what faults may match it by."""

    tr: str
    frame: str
    account: str = ""
    symbol: str = ""
    side: Side | None = None


@dataclass(eq=False, slots=True)
class Client:
    """One socket and what it registered."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None  # for the fault that cuts without a word
    wanted: set[tuple[str, str]] = field(default_factory=set)  # (tr, key)
    accounts: set[AccountId] = field(default_factory=set)  # whose notices it gets
    queue: asyncio.Queue[Outgoing] = field(default_factory=asyncio.Queue)
    account: str = ""

    def put(self, out: Outgoing) -> None:
        self.queue.put_nowait(out)


def ws_app(exchange: Exchange, env: ExEnv) -> web.Application:
    """Build the LS WebSocket application of one side; any path is accepted."""
    hub = _Hub(exchange, env)
    app = web.Application()
    app.router.add_get("/{path:.*}", hub.serve)
    app.cleanup_ctx.append(hub.watch_status)
    return app


class _Hub:
    def __init__(self, exchange: Exchange, env: ExEnv) -> None:
        self._exchange, self._env = exchange, env
        self._clients: set[Client] = set()
        self._tallies = Tallies(exchange)
        exchange.subscribe_trades(self._on_trade)
        exchange.subscribe_books(self._on_book)
        exchange.subscribe_orders(self._on_order)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=True, compress=False)
        await socket.prepare(request)
        client = Client(socket, request.transport)
        self._clients.add(client)
        writer = asyncio.create_task(self._write(client))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    client.put(self._register(client, message.data))
        finally:
            self._clients.discard(client)
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        return socket

    async def watch_status(self, _app: web.Application) -> AsyncIterator[None]:
        """JIF is edge-triggered: tell each change as market time passes it, on days with sessions."""
        task = asyncio.create_task(self._tell_status())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    # -- registrations

    def _register(self, client: Client, text: str) -> Outgoing:
        try:
            frame = json.loads(text)
            header, body = frame["header"], frame.get("body") or {}
            tr, key, kind = str(body.get("tr_cd", "")), str(body.get("tr_key", "")), str(header.get("tr_type", ""))
            owner = self._owner(str(header.get("token", "")))
        except (ValueError, KeyError, TypeError, AttributeError):
            return _ack("", "", "IGW40013", "요청을 읽을 수 없습니다.")
        if owner is None:
            return _ack(kind, tr, "IGW00121", "유효하지 않은 token입니다.")
        if self._exchange.profile is Profile.STRICT and owner.env is not self._env:
            return _ack(kind, tr, "10001", "실투자와 모의투자의 접속 포트가 다릅니다.")
        if tr not in NOTICE_TRS | TRADE_TRS.keys() | BOOK_TRS.keys() | {STATUS_TR} or kind not in REGISTER | UNREGISTER:
            return _ack(kind, tr, "IGW00215", "유효하지 않은 TR CD 입니다.")
        client.account = owner.number
        self._note(client, tr, key, owner, on=kind in REGISTER)
        return _ack(kind, tr, "00000", "정상처리되었습니다", owner.number)

    def _owner(self, token_value: str) -> Account | None:
        token = self._exchange.check_token(token_value)
        if token is None or token.broker is not BrokerName.LS or token.expires_at <= self._exchange.clock.wall_now():
            return None
        try:
            return self._exchange.account_of_token(token)
        except UnknownAccount:
            return None

    def _note(self, client: Client, tr: str, key: str, owner: Account, *, on: bool) -> None:
        if tr in NOTICE_TRS:
            (client.accounts.add if on else client.accounts.discard)(owner.id)
            return
        keys = [key] if tr == STATUS_TR else [key[i : i + 6].strip() for i in range(0, len(key.strip()), 6)]
        for one in keys:
            if not on:
                client.wanted.discard((tr, one))
            elif self._exchange.profile is Profile.COMPAT or len(client.wanted) < STRICT_REGISTRATIONS:
                client.wanted.add((tr, one))

    # -- pushes

    def _on_trade(self, trade: Trade) -> None:
        tr = self._tr_of(trade.symbol, TRADE_TRS)
        if tr and self._wanted(tr, trade.symbol):
            day = self._tallies.of(trade.symbol)
            if day is not None:
                body = trade_body(trade, day, self._exchange.price_limits(trade.symbol))
                self._push(tr, trade.symbol, body)

    def _on_book(self, book: OrderBook) -> None:
        tr = self._tr_of(book.symbol, BOOK_TRS)
        if tr and self._wanted(tr, book.symbol):
            self._push(tr, book.symbol, book_body(book, self._exchange.quote(book.symbol).cum_volume))

    def _on_order(self, event: OrderEvent) -> None:
        if event.account.broker is not BrokerName.LS:
            return
        clients = [client for client in self._clients if event.account.id in client.accounts]
        listing = self._exchange.listing(event.order.symbol)
        if not clients or listing is None:
            return
        cash = self._exchange.cash(event.account, Currency.KRW)
        executions = self._exchange.executions(event.account, event.order.order_no)
        for tr, body in notices(event, listing, cash, executions):
            frame = _frame({"tr_cd": tr}, body)  # account notices carry no tr_key
            out = Outgoing(tr, frame, event.account.number, event.order.symbol, event.order.side)
            for client in clients:
                client.put(out)

    async def _tell_status(self) -> None:
        before = self._exchange.clock.market_now()
        while True:
            await asyncio.sleep(STATUS_EVERY_S)
            now = self._exchange.clock.market_now()
            if self._keeps_hours():
                for body in status_changes(before, now):
                    self._push(STATUS_TR, "0", body)
            before = now

    def _keeps_hours(self) -> bool:
        return self._exchange.clock.sessions is Sessions.CALENDAR or self._exchange.profile is Profile.STRICT

    def _tr_of(self, symbol: str, table: dict[str, str]) -> str | None:
        listing = self._exchange.listing(symbol)
        return next((tr for tr, board in table.items() if listing is not None and listing.board == board), None)

    def _wanted(self, tr: str, key: str) -> bool:
        return any((tr, key) in client.wanted for client in self._clients)

    def _push(self, tr: str, key: str, body: Body) -> None:
        frame = _frame({"tr_cd": tr, "tr_key": key}, body)
        for client in self._clients:
            if (tr, key) in client.wanted:
                client.put(Outgoing(tr, frame, client.account, "" if tr == STATUS_TR else key))

    # -- one writer per socket

    async def _write(self, client: Client) -> None:
        """Send what is queued, as the faults allow, until the socket is gone."""
        while not client.socket.closed:
            out = await client.queue.get()
            if client.queue.qsize() > MOST_QUEUED:
                await client.socket.close()
                return
            steps = self._exchange.faults.frames(
                broker=BrokerName.LS,
                env=self._env,
                tr=out.tr,
                account=out.account,
                symbol=out.symbol,
                side=out.side,
                frame=out.frame,
                socket=client.socket,
            )
            for step in steps:
                if step.delay_s:
                    await asyncio.sleep(step.delay_s)
                if step.kind is StepKind.KICK:
                    await _kick(client, abrupt=step.abrupt)
                    return
                if step.kind is StepKind.SEND:
                    await _send(client.socket, step.frame)


async def _send(socket: web.WebSocketResponse, frame: str | bytes) -> None:
    with suppress(ConnectionError, RuntimeError):  # the client left between two frames
        if isinstance(frame, bytes):
            await socket.send_bytes(frame)
        else:
            await socket.send_str(frame)


async def _kick(client: Client, *, abrupt: bool) -> None:
    if abrupt and client.transport is not None:
        client.transport.abort()
    else:
        await client.socket.close()


def _ack(kind: str, tr: str, code: str, text: str, account: str = "") -> Outgoing:
    frame = json.dumps(
        {"header": {"tr_type": kind, "tr_cd": tr, "rsp_cd": code, "rsp_msg": text}, "body": None}, ensure_ascii=False
    )
    return Outgoing(tr, frame, account)


def _frame(header: dict[str, str], body: Body) -> str:
    return json.dumps({"header": header, "body": body}, ensure_ascii=False)
