"""Tokens of LS: issued until 07:00 KST, revoked on request (ls.md §2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from brokers.paper.accounts import ExEnv, Profile, UnknownAccount, fingerprint, ls_env
from brokers.paper.exchange import Exchange
from brokers.paper.ls_wire.formats import KST
from shared.domain.account import BrokerName

FORM = "application/x-www-form-urlencoded"
Form = dict[str, str]


class OAuthRefusal(Exception):
    """HTTP 403 with the gateway's error_code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.code, self.text = code, text


def lifetime_s(now: datetime) -> float:
    """Seconds until the next 07:00 KST, when every LS token dies."""
    local = now.astimezone(KST)
    end = local.replace(hour=7, minute=0, second=0, microsecond=0)
    if end <= local:
        end += timedelta(days=1)
    return (end - local).total_seconds()


class TokenDesk:
    """POST /oauth2/token and /oauth2/revoke."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def token(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "token", self._issue)

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "revoke", self._revoke)

    async def _answer(self, request: web.Request, tr: str, do: Callable[[Form], web.Response]) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}

        async def act() -> web.Response:
            try:
                # Not even `; charset=…` may follow (ls.md §2.1).
                if request.headers.get("Content-Type", "") != FORM:
                    raise OAuthRefusal("IGW00133", "Content-Type이 유효하지 않습니다.")
                return do(form)
            except OAuthRefusal as e:
                return web.json_response({"error_code": e.code, "error_description": e.text}, status=403)

        return await self._exchange.faults.answer(
            request,
            broker=BrokerName.LS,
            env=self._env(form.get("appkey", "")),
            tr=tr,
            account="",
            symbol="",
            side=None,
            act=act,
        )

    def _env(self, app_key: str) -> ExEnv:
        try:
            return self._exchange.account_of_key(BrokerName.LS, app_key).env
        except UnknownAccount:
            return ls_env(app_key)

    def _check_key(self, form: Form) -> None:
        app_key, secret = form.get("appkey", ""), form.get("appsecretkey", "")
        if not app_key:
            raise OAuthRefusal("IGW00103", "유효하지 않은 AppKey입니다.")
        if not secret:
            raise OAuthRefusal("IGW00105", "유효하지 않은 AppSecret입니다.")
        try:
            account = self._exchange.account_of_key(BrokerName.LS, app_key)
        except UnknownAccount:
            raise OAuthRefusal("IGW00103", "유효하지 않은 AppKey입니다.") from None
        if account.secret_id is not None and account.secret_id != fingerprint(secret):
            raise OAuthRefusal("IGW00105", "유효하지 않은 AppSecret입니다.")

    def _issue(self, form: Form) -> web.Response:
        self._check_key(form)
        if form.get("grant_type") != "client_credentials" or form.get("scope") != "oob":
            raise OAuthRefusal("IGW40013", "grant_type 또는 scope 확인이 필요합니다.")
        env, app_key = self._env(form["appkey"]), form["appkey"]
        if self._exchange.profile is Profile.STRICT:
            # One report: a new token ends the one before (ls.md §2.1); strict takes the harder reading.
            before = self._exchange.current_token(BrokerName.LS, env, app_key)
            if before is not None:
                self._exchange.revoke_token(before.value)
        seconds = lifetime_s(self._exchange.clock.wall_now())
        token = self._exchange.issue_token(BrokerName.LS, env, app_key, seconds)
        return web.json_response(
            {"access_token": token.value, "scope": "oob", "token_type": "Bearer", "expires_in": int(seconds)}
        )

    def _revoke(self, form: Form) -> web.Response:
        self._check_key(form)
        if not self._exchange.revoke_token(form.get("token", "")):
            raise OAuthRefusal("IGW00121", "유효하지 않은 token입니다.")
        return web.json_response({"code": 200, "message": "접근토큰 폐기에 성공하였습니다."})
