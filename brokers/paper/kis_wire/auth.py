"""OAuth of the local exchange: access token, revocation, WebSocket approval key, hash key (kis.md §2)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from brokers.paper.accounts import Account, ExEnv, Profile, UnknownAccount, fingerprint
from brokers.paper.exchange import Exchange
from brokers.paper.kis_wire.answers import GATEWAY_TEXTS, Answer, Json, Refusal, gateway
from brokers.paper.kis_wire.fields import KST
from shared.domain.account import BrokerName

LIFETIME = timedelta(hours=24)
SAME_TOKEN_FOR = timedelta(hours=6)
BETWEEN_ISSUES = timedelta(minutes=1)


class OAuthRefusal(Exception):
    """The token endpoints name their error fields differently (kis.md §2.1); HTTP 403."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def answer(self) -> Answer:
        return Answer({"error_description": GATEWAY_TEXTS[self.code], "error_code": self.code}, 403)


class Keys:
    """Issues and checks keys and tokens on one host.

    compat takes any key and secret, and a token of either host; strict only what was registered, on its own host, with
    at most one issue a minute.
    """

    def __init__(self, exchange: Exchange, env: ExEnv) -> None:
        self._exchange, self._env = exchange, env
        self._asked_at: dict[str, datetime] = {}  # app key fingerprint -> last token request

    def token(self, body: Json) -> Answer:
        """Issue an access token; within six hours the same one again."""
        app_key = self._credentials(body, "appsecret")
        now, key_id = self._exchange.clock.wall_now(), fingerprint(app_key)
        issued = self._exchange.current_token(BrokerName.KIS, self._env, app_key)
        if self._exchange.profile is Profile.STRICT:
            asked_at = self._asked_at.get(key_id) or (issued.issued_at if issued else None)
            if asked_at is not None and now - asked_at < BETWEEN_ISSUES:
                raise OAuthRefusal("EGW00133")
        self._asked_at[key_id] = now
        if issued is None or now - issued.issued_at >= SAME_TOKEN_FOR:
            issued = self._exchange.issue_token(BrokerName.KIS, self._env, app_key, LIFETIME.total_seconds())
        return Answer(
            {
                "access_token": issued.value,
                "token_type": "Bearer",
                "expires_in": round((issued.expires_at - now).total_seconds()),
                "access_token_token_expired": issued.expires_at.astimezone(KST).strftime("%Y-%m-%d %H:%M:%S"),
            }
        )

    def revoke(self, body: Json) -> Answer:
        self._credentials(body, "appsecret")
        if not self._exchange.revoke_token(str(body.get("token", ""))):
            raise OAuthRefusal("EGW00121")
        return Answer({"code": 200, "message": "접근토큰 폐기에 성공하였습니다"})

    def approval(self, body: Json) -> Answer:
        """Issue a WebSocket key. Not bound to the host; earlier ones stay valid (kis.md §2.3)."""
        app_key = self._credentials(body, "secretkey", any_host=True)
        return Answer({"approval_key": write_approval(app_key, self._exchange.clock.wall_now())})

    def hashkey(self, app_key: str, app_secret: str, body: Json) -> Answer:
        """Hash an order body; strict checks the `hashkey` header of orders against it (kis.md §2.4)."""
        self.check_key(app_key, app_secret)
        return Answer({"BODY": body, "HASH": body_hash(body)})

    def _credentials(self, body: Json, secret_name: str, *, any_host: bool = False) -> str:
        app_key, secret = str(body.get("appkey", "")), str(body.get(secret_name, ""))
        if body.get("grant_type", "client_credentials") != "client_credentials":
            raise OAuthRefusal("EGW00106")
        try:
            self.check_key(app_key, secret, any_host=any_host)
        except Refusal as e:
            raise OAuthRefusal(e.msg_cd) from None
        return app_key

    def check_key(self, app_key: str, secret: str, *, any_host: bool = False) -> None:
        """Refuse a key or secret that is missing and, in strict, one that is not registered for this host."""
        if not app_key:
            raise gateway("EGW00102")
        if not secret:
            raise gateway("EGW00104")
        if self._exchange.profile is Profile.COMPAT:
            return
        account = self._registered(app_key)
        if account.env is not self._env and not any_host:
            raise gateway("EGW02004")
        if account.secret_id != fingerprint(secret):
            raise gateway("EGW00105")

    def check_token(self, authorization: str, app_key: str) -> None:
        """Refuse a call whose bearer token is missing, unknown, expired or another key's (strict)."""
        if not authorization:
            raise gateway("EGW00122")
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise gateway("EGW00205")
        token = self._exchange.check_token(value.strip())
        if token is None or token.broker is not BrokerName.KIS:
            raise gateway("EGW00121")
        strict = self._exchange.profile is Profile.STRICT
        if strict and (token.key_id != fingerprint(app_key) or token.env is not self._env):
            raise gateway("EGW00121")
        if token.expires_at <= self._exchange.clock.wall_now():
            raise gateway("EGW00123")

    def account(self, number: str, app_key: str) -> Account:
        """The account a call names; in strict it must be the key's own."""
        try:
            account = self._exchange.account(BrokerName.KIS, self._env, number, app_key=app_key)
        except UnknownAccount:
            raise gateway("OPSQ2000") from None
        if self._exchange.profile is Profile.STRICT and account.key_id != fingerprint(app_key):
            raise gateway("OPSQ2000")
        return account

    def _registered(self, app_key: str) -> Account:
        try:
            return self._exchange.account_of_key(BrokerName.KIS, app_key)
        except UnknownAccount:
            raise gateway("EGW00103") from None


def body_hash(body: Json) -> str:
    """The hash of what a body says, however it was written down. The broker's own algorithm is not published."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Approval:
    key_id: str  # fingerprint of the app key it was issued to
    issued_at: datetime


def write_approval(app_key: str, now: datetime) -> str:
    """Make an approval key that says whose it is, so that it outlives a restart without being stored."""
    return f"{fingerprint(app_key)}-{int(now.timestamp()):x}-{secrets.token_hex(8)}"


def read_approval(text: str) -> Approval | None:
    """Read an approval key back; None when we never wrote such a text."""
    key_id, _, rest = text.partition("-")
    seconds, _, nonce = rest.partition("-")
    if len(key_id) != 64 or len(nonce) != 16:
        return None
    try:
        int(key_id, 16)
        return Approval(key_id, datetime.fromtimestamp(int(seconds, 16), UTC))
    except (ValueError, OverflowError, OSError):
        return None
