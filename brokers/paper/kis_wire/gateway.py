"""The REST door of one KIS host: finds the TR, checks keys and token, runs the handler, writes the answer.

Checks in the order of the real gateway: keys, token, transaction id, rate, request form, account (kis.md §6.3, §8).
"""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal

from aiohttp import web

from brokers.paper.accounts import Account, ExEnv, Profile
from brokers.paper.exchange import Exchange
from brokers.paper.kis_wire import (
    charts_krx,
    charts_us,
    domestic,
    domestic_account,
    holidays,
    overseas,
    overseas_account,
    overseas_profit,
    overseas_reserved,
    products,
    quotes_krx,
    quotes_many,
    quotes_us,
)
from brokers.paper.kis_wire.answers import Answer, Json, Refusal, gateway, missing_field, rejected
from brokers.paper.kis_wire.auth import Keys, OAuthRefusal, body_hash
from brokers.paper.kis_wire.calls import Call, Tr
from brokers.paper.orders import Reject
from shared.domain.account import BrokerName

MODULES = (
    *(overseas, overseas_reserved, overseas_account, overseas_profit, domestic, domestic_account),
    *(quotes_us, quotes_many, quotes_krx, charts_us, charts_krx, products, holidays),
)
TRS: dict[str, Tr] = {tr.tr_id: tr for module in MODULES for tr in module.TRS}

CALLS_PER_SECOND = {ExEnv.LIVE: 18, ExEnv.MOCK: 1}  # strict only (kis.md §6.1, notice of 2026-04-20)
OAUTH = {"/oauth2/tokenP": "tokenP", "/oauth2/revokeP": "revokeP", "/oauth2/Approval": "Approval"}
HASHKEY = "/uapi/hashkey"


def rest_app(exchange: Exchange, env: ExEnv) -> web.Application:
    """The REST side of one KIS host: any path, dispatched by tr_id."""
    door = Gateway(exchange, env)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", door.handle)
    return app


class Gateway:
    def __init__(self, exchange: Exchange, env: ExEnv) -> None:
        self._exchange, self._env = exchange, env
        self._keys = Keys(exchange, env)
        self._recent: defaultdict[str, deque[datetime]] = defaultdict(deque)  # app key -> times of its last calls

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = re.sub("/{2,}", "/", request.path)  # some clients join host and path with two slashes (kis.md §1.1)
        body = await _json_body(request)
        if path in OAUTH or path == HASHKEY:
            name = OAUTH.get(path, "hashkey")
            return await self._under_faults(request, name, {}, None, lambda: self._oauth(request, name, body))
        tr = TRS.get(request.headers.get("tr_id", ""))
        params = _texts(body or {}) if request.method == "POST" else _query(request)
        return await self._under_faults(
            request, request.headers.get("tr_id", ""), params, tr, lambda: self._serve(request, path, tr, params, body)
        )

    async def _under_faults(
        self, request: web.Request, name: str, params: dict[str, str], tr: Tr | None, act: Callable[[], Answer]
    ) -> web.StreamResponse:
        async def respond() -> web.Response:
            try:
                answer = act()
            except (Refusal, OAuthRefusal) as e:
                answer = e.answer()
            return _response(request, answer)

        acting: Callable[[], Awaitable[web.Response]] = respond
        return await self._exchange.faults.answer(
            request,
            broker=BrokerName.KIS,
            env=self._env,
            tr=name,
            account=_account_number(params),
            symbol=params.get(tr.symbol_field, "") if tr else "",
            side=tr.side if tr else None,
            act=acting,
        )

    def _oauth(self, request: web.Request, name: str, body: Json | None) -> Answer:
        if request.method != "POST":
            raise gateway("EGW00101")
        if body is None:
            raise gateway("OPSQ9999")
        if name == "hashkey":
            headers = request.headers
            return self._keys.hashkey(headers.get("appkey", ""), headers.get("appsecret", ""), body)
        if name == "tokenP":
            return self._keys.token(body)
        return self._keys.revoke(body) if name == "revokeP" else self._keys.approval(body)

    def _serve(
        self, request: web.Request, path: str, tr: Tr | None, params: dict[str, str], body: Json | None
    ) -> Answer:
        app_key = request.headers.get("appkey", "")
        self._keys.check_key(app_key, request.headers.get("appsecret", ""))
        self._keys.check_token(request.headers.get("authorization", ""), app_key)
        tr = self._known(request, tr)
        self._check_rate(app_key)
        if request.method != tr.method:
            raise gateway("EGW00101")
        if self._exchange.profile is Profile.STRICT:
            if path != tr.path:
                raise gateway("EGW00202")
            if request.headers.get("custtype", "P") not in ("P", "B"):
                raise gateway("EGW00101")
        if tr.method == "POST":
            self._check_body(request, body)
        owner = self._owner(params, app_key) if tr.names_account else None
        call = Call(self._exchange, self._env, tr, params, owner, request.headers.get("tr_cont", "").strip() == "N")
        try:
            return tr.handler(call)
        except Reject as e:
            raise rejected(e.reason, self._env, tr.market, self._exchange.clock.market_now()) from e

    def _known(self, request: web.Request, tr: Tr | None) -> Tr:
        if not request.headers.get("tr_id"):
            raise gateway("EGW00310")
        if tr is not None and tr.env in (None, self._env):
            return tr
        raise gateway("EGW02006" if self._env is ExEnv.MOCK else "OPSQ0002")

    def _check_body(self, request: web.Request, body: Json | None) -> None:
        """Refuse a body that is none and, in strict, another content type or a hash that is not the body's."""
        strict = self._exchange.profile is Profile.STRICT
        if strict and request.content_type != "application/json":
            raise gateway("EGW00132")
        if body is None:
            raise gateway("OPSQ9999")
        hashed = request.headers.get("hashkey", "")
        if strict and hashed and hashed != body_hash(body):
            raise gateway("EGW00131")

    def _check_rate(self, app_key: str) -> None:
        if self._exchange.profile is Profile.COMPAT:
            return
        now, recent = self._exchange.clock.wall_now(), self._recent[app_key]
        while recent and now - recent[0] >= timedelta(seconds=1):
            recent.popleft()
        if len(recent) >= CALLS_PER_SECOND[self._env]:
            raise gateway("EGW00201")
        recent.append(now)

    def _owner(self, params: dict[str, str], app_key: str) -> Account:
        for name in ("CANO", "ACNT_PRDT_CD"):
            if name not in params:
                raise missing_field(name)
        number = _account_number(params)
        if not re.fullmatch(r"\d{8}-\d{2}", number, re.ASCII):
            raise gateway("OPSQ2000")
        return self._keys.account(number, app_key)


def _account_number(params: dict[str, str]) -> str:
    cano, product = params.get("CANO", "").strip(), params.get("ACNT_PRDT_CD", "").strip()
    return f"{cano}-{product}" if cano else ""


async def _json_body(request: web.Request) -> Json | None:
    """The POST body as an object, whatever content type it came with; None when it is not one. Numbers stay exact."""
    raw = await request.read()
    try:
        body = json.loads(raw, parse_float=Decimal)
    except (ValueError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) else None


def _texts(body: Json) -> dict[str, str]:
    """POST names must be upper case on the wire; others are not looked at (kis.md §1.2)."""
    return {name: "" if value is None else str(value) for name, value in body.items() if name == name.upper()}


def _query(request: web.Request) -> dict[str, str]:
    """GET names are matched whatever their case (kis.md §1.2)."""
    return {name.upper(): value for name, value in request.query.items()}


def _response(request: web.Request, answer: Answer) -> web.Response:
    """Write an answer. Standard header names are Capitalised and KIS's own lower case: the official sample makes a
    namedtuple of every lower-case header (kis.md §1.3)."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "tr_id": request.headers.get("tr_id", ""),
        "tr_cont": answer.tr_cont,
        "gt_uid": request.headers.get("gt_uid") or uuid.uuid4().hex,
    }
    text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"), default=str)
    return web.Response(status=answer.status, body=text.encode(), headers=headers)
