"""The WebSocket side of LS: registrations and acks (ls.md §5). No application ping; idle sockets stay open."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from aiohttp import WSMsgType, web

from brokers.paper.accounts import Account, ExEnv, Profile, UnknownAccount
from brokers.paper.exchange import Exchange
from brokers.paper.faults import StepKind
from brokers.paper.ls_wire.broadcast import Broadcast
from brokers.paper.ls_wire.channels import BOOKS, KNOWN_TRS, KR_NOTICES, TRADES, US_NOTICES, keys_of
from brokers.paper.ls_wire.refusals import Refusal, business, gateway
from brokers.paper.ls_wire.registry import Client, Outgoing, Registry
from brokers.paper.ls_wire.watch import Watch
from shared.domain.account import BrokerName

REGISTER, UNREGISTER, ACCOUNT = {"1", "3"}, {"2", "4"}, {"1", "2"}
US_TRS = US_NOTICES | {TRADES.us, BOOKS.us}
STRICT_REGISTRATIONS = 200  # beyond it acks stay 00000 but no data comes (ls.md §5.1)
MOST_QUEUED = 20_000  # a client that does not read is dropped


def ws_app(exchange: Exchange, env: ExEnv) -> web.Application:
    """Build the LS WebSocket application of one side; any path is accepted."""
    registry = Registry()
    app = web.Application()
    app.router.add_get("/{path:.*}", _Door(exchange, env, registry).serve)
    Broadcast(exchange, registry)
    app.cleanup_ctx.append(Watch(exchange, registry).run)
    return app


class _Door:
    def __init__(self, exchange: Exchange, env: ExEnv, registry: Registry) -> None:
        self._exchange, self._env, self._registry = exchange, env, registry

    async def serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=True, compress=False)
        await socket.prepare(request)
        client = Client(socket, request.transport)
        self._registry.enter(client)
        writer = asyncio.create_task(self._write(client))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    client.put(self._answer(client, message.data))
        finally:
            self._registry.leave(client)
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        return socket

    # -- registrations

    def _answer(self, client: Client, text: str) -> Outgoing:
        tr = kind = ""
        try:
            frame = json.loads(text)
            header, body = frame["header"], frame.get("body") or {}
            tr, key, kind = str(body.get("tr_cd", "")), str(body.get("tr_key") or ""), str(header.get("tr_type", ""))
            owner = self._register(client, tr, key, kind, str(header.get("token", "")))
        except (ValueError, KeyError, TypeError, AttributeError):
            return _ack("", "", "IGW40013", "요청을 읽을 수 없습니다.")
        except Refusal as refusal:
            return _ack(kind, tr, refusal.code, refusal.text)
        return _ack(kind, tr, "00000", "정상처리되었습니다", owner.number)

    def _register(self, client: Client, tr: str, key: str, kind: str, token: str) -> Account:
        owner = self._owner(token)
        if owner is None:
            raise gateway("IGW00121")
        if self._exchange.profile is Profile.STRICT and owner.env is not self._env:
            raise Refusal("10001", "실투자와 모의투자의 접속 포트가 다릅니다.")
        # A published client registers all notices without naming any.
        unnamed = not tr and kind in ACCOUNT and self._exchange.profile is Profile.COMPAT
        if not unnamed and (tr not in KNOWN_TRS or kind not in REGISTER | UNREGISTER):
            raise gateway("IGW00215")
        if tr in US_TRS and owner.env is ExEnv.MOCK:
            raise business("01900")
        client.account = owner.number
        self._note(client, tr, key, owner, on=kind in REGISTER)
        return owner

    def _owner(self, token_value: str) -> Account | None:
        token = self._exchange.check_token(token_value)
        if token is None or token.broker is not BrokerName.LS or token.expires_at <= self._exchange.clock.wall_now():
            return None
        try:
            return self._exchange.account_of_token(token)
        except UnknownAccount:
            return None

    def _note(self, client: Client, tr: str, key: str, owner: Account, *, on: bool) -> None:
        if tr in KR_NOTICES | US_NOTICES | {""}:
            for family in {tr[:2]} if tr else {"SC", "AS"}:
                (client.notices.add if on else client.notices.discard)((family, owner.id))
            return
        for one in keys_of(tr, key):
            if not on:
                self._registry.drop(client, (tr, one))
            elif self._exchange.profile is Profile.COMPAT or len(client.wanted) < STRICT_REGISTRATIONS:
                self._registry.add(client, (tr, one))

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
