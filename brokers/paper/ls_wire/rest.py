"""The REST side of LS: one host for both sides, the app key decides (ls.md §1, §8)."""

from __future__ import annotations

import json

from aiohttp import web

from brokers.paper.accounts import Account, ExEnv, IssuedToken, Profile, UnknownAccount
from brokers.paper.exchange import Exchange
from brokers.paper.ls_wire import orders, us_orders
from brokers.paper.ls_wire.blocks import read_in_block
from brokers.paper.ls_wire.budget import Budget
from brokers.paper.ls_wire.call import Call, Reply
from brokers.paper.ls_wire.formats import short_code
from brokers.paper.ls_wire.memory import memory_of
from brokers.paper.ls_wire.oauth import TokenDesk
from brokers.paper.ls_wire.refusals import MOCK_PREFIX, Refusal, gateway
from brokers.paper.ls_wire.trs import TRS, Tr
from shared.domain.account import BrokerName
from shared.domain.order import Side

CONTENT_TYPE = "application/json;charset=UTF-8"


def rest_app(exchange: Exchange, env: ExEnv | None = None) -> web.Application:
    """Build the LS REST application. `env` is ignored: LS serves both sides from one host."""
    app = web.Application(client_max_size=2**20)
    tokens = TokenDesk(exchange)
    app.router.add_post("/oauth2/token", tokens.token)
    app.router.add_post("/oauth2/revoke", tokens.revoke)
    app.router.add_post("/{path:.*}", _Gateway(exchange).serve)
    return app


class _Gateway:
    """Checks in the gateway's order: authorization → tr_cd → tr_cont → JSON types → rate → business (ls.md §8)."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._budget = Budget(lambda: exchange.clock.wall_now().timestamp())
        self._memory = memory_of(exchange)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        code = request.headers.get("tr_cd", "")
        try:
            token = self._token(request)
            owner = self._exchange.account_of_token(token)
        except Refusal as refusal:
            return _refusal_answer(code, refusal)
        except UnknownAccount:
            return _refusal_answer(code, gateway("IGW00121"))
        raw = await request.read()

        async def act() -> web.Response:
            try:
                tr = self._tr(request, code)
                asked = read_in_block(code, raw, may_be_empty=tr.may_be_empty)
                self._check_rate(token, code, tr)
                cont = request.headers["tr_cont"] == "Y"
                key = request.headers.get("tr_cont_key", "").strip()
                call = Call(self._exchange, owner, asked, cont, key, self._memory)
                answer = _reply_answer(code, tr.run(call), owner.env)
                self._budget.weigh(token.key_id, answer.content_length or 0)
                return answer
            except orders.RefusedOrder as refused:
                return _reply_answer(code, refused.reply, owner.env)
            except Refusal as refusal:
                return _refusal_answer(code, refusal, owner.env)

        symbol, side = self._about(owner, raw)
        return await self._exchange.faults.answer(
            request,
            broker=BrokerName.LS,
            env=owner.env,
            tr=code,
            account=owner.number,
            symbol=symbol,
            side=side,
            act=act,
        )

    def _token(self, request: web.Request) -> IssuedToken:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer":
            raise gateway("IGW00205")
        token = self._exchange.check_token(value.strip())
        if token is None or token.broker is not BrokerName.LS:
            raise gateway("IGW00121")
        if token.expires_at <= self._exchange.clock.wall_now():
            raise gateway("IGW00123")
        return token

    def _tr(self, request: web.Request, code: str) -> Tr:
        if not code:
            raise gateway("IGW00214")
        tr = TRS.get(code)
        if tr is None:
            raise gateway("IGW00215")
        if request.path != tr.path:
            raise gateway("IGW50008")
        if request.headers.get("tr_cont") not in {"N", "Y"}:
            raise gateway("IGW40010")
        return tr

    def _check_rate(self, token: IssuedToken, code: str, tr: Tr) -> None:
        if self._exchange.profile is not Profile.STRICT:
            return
        if not self._budget.take(token.key_id, code, tr.per_s, order=tr.is_order):
            raise gateway("IGW00201")

    def _about(self, owner: Account, raw: bytes) -> tuple[str, Side | None]:
        """Symbol and side of a call, for matching faults; blank where the call names none."""
        try:
            body = json.loads(raw or b"{}")
            (asked,) = body.values()
            names = ("IsuNo", "shcode", "expcode", "symbol")
            symbol = short_code(str(next((asked[name] for name in names if asked.get(name)), "")))
            side = orders.SIDES.get(str(asked.get("BnsTpCode", "")))
            side = side or us_orders.SIDES.get(str(asked.get("OrdPtnCode", "")))
            if side is None and isinstance(asked.get("OrgOrdNo"), int):
                original = self._exchange.order(owner, asked["OrgOrdNo"])
                return (original.symbol, original.side) if original else (symbol, None)
        except (ValueError, AttributeError, TypeError):
            return "", None
        return symbol, side


def _reply_answer(code: str, reply: Reply, env: ExEnv) -> web.Response:
    body = {**reply.blocks, "rsp_cd": reply.code, "rsp_msg": _said(reply.text, env)}
    return _answer(code, body, 200, reply.cont_key)


def _refusal_answer(code: str, refusal: Refusal, env: ExEnv = ExEnv.LIVE) -> web.Response:
    """The gateway's own words (status not 200) never tell the side."""
    text = _said(refusal.text, env) if refusal.status == 200 else refusal.text
    return _answer(code, {"rsp_cd": refusal.code, "rsp_msg": text}, refusal.status, "")


def _said(text: str, env: ExEnv) -> str:
    """모의투자 says so at the beginning of every message (ls.md §1.1)."""
    if env is ExEnv.LIVE or text.startswith(MOCK_PREFIX.strip()):
        return text
    return MOCK_PREFIX + text


def _answer(code: str, body: object, status: int, cont_key: str) -> web.Response:
    """Always all four headers in exactly this capitalisation: clients index them case-sensitively (ls.md §1.2)."""
    headers = {
        "Content-Type": CONTENT_TYPE,
        "tr_cd": code,
        "tr_cont": "Y" if cont_key else "N",
        "tr_cont_key": cont_key,
    }
    return web.Response(body=json.dumps(body, ensure_ascii=False).encode(), status=status, headers=headers)
