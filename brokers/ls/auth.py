"""The life of an LS token, and the proof that its key belongs to the account's own side (ls.md §2, §7.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

import orjson

from brokers.contract import Credentials, Token, TokenStore
from brokers.http import Answer, Call, Door
from brokers.ls import tr
from brokers.ls.account_krx import account_named
from brokers.ls.codec import KST, text
from brokers.pacing import Pacer, Priority
from shared.clock import Clock
from shared.domain.account import Environment
from shared.domain.errors import AuthRefused, BrokerError, WireError

DIES_AT = time(7, 0)  # KST, every day
RENEW_BEFORE = timedelta(minutes=2)
LAST_USE = timedelta(seconds=10)  # a token this close to its end may expire on the way
# Hammering the token call gets refused (ls.md §2.1): a pause after each request, a long one after a failure.
PAUSE, LONG_PAUSE = timedelta(seconds=10), timedelta(seconds=60)
KEEP_EVERY_S = 20.0
PROBE_DEADLINE_S = 5.0  # an order may be waiting behind it
FORM = {"content-type": "application/x-www-form-urlencoded"}  # exactly: no charset may follow


class Auth:
    """One app key's token: issued once, kept in the store, renewed before it ends, proven before its first use."""

    def __init__(
        self, door: Door, site: tr.Site, credentials: Credentials, clock: Clock, store: TokenStore, pacer: Pacer
    ) -> None:
        self._door, self._site, self._credentials, self._clock, self._store = door, site, credentials, clock, store
        self._probe_pacer = pacer
        self._token: Token | None = None
        self._proven = 0  # generation whose side was proven
        self._one_at_a_time = asyncio.Lock()
        self._issued_at: datetime | None = None  # wall time of our last token
        self._ask_again_at: datetime | None = None  # wall time before which no token is asked for
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, on_change: Callable[[], Awaitable[None]]) -> None:
        """Have a valid, proven token and keep it so; `on_change` is awaited after each later replacement.

        Raises:
            AuthRefused: the key is not accepted, or its side is not the account's, or in doubt.
        """
        await self.ensure_token()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(on_change), name="token")

    async def close(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def ensure_token(self) -> str:
        """Return a token that is valid now and whose side was proven; callers at the same time share the work."""
        if self._token is not None and self._left() > RENEW_BEFORE and self._proven == self._token.generation:
            return self._token.value
        async with self._one_at_a_time:
            if self._token is None:
                self._token = await self._store.load()
            if self._left() <= RENEW_BEFORE:
                await self._replace()
            return await self._prove()

    async def renew(self, refused: str) -> None:
        """Replace a token that LS no longer accepts; once for all who saw it refused."""
        async with self._one_at_a_time:
            if self._token is None or self._token.value == refused:
                await self.get_access_token()
            await self._prove()

    async def get_access_token(self) -> str:
        """Ask LS for a token and store it; waits out the pause between two requests.

        Raises:
            AuthRefused: key or secret is wrong. BrokerUnavailable, RateLimited: not now.
        """
        if self._ask_again_at is not None:
            await asyncio.sleep(max(0.0, (self._ask_again_at - self._clock.wall_now()).total_seconds()))
        self._ask_again_at = self._clock.wall_now() + LONG_PAUSE
        form = {
            "grant_type": "client_credentials",
            "appkey": self._credentials.app_key,
            "appsecretkey": self._credentials.app_secret,
            "scope": "oob",
        }
        # The log masks JSON fields; in a form the values themselves are masked.
        call = Call(tr.TOKEN, "POST", self._site.rest + tr.TOKEN_PATH, FORM, body=urlencode(form).encode())
        answer = await self._door.read(call)
        value, expires_at = decode_token(answer)
        self._issued_at = self._clock.wall_now()
        self._ask_again_at = self._issued_at + PAUSE
        generation = self._token.generation if self._token else 0
        self._token = Token(value, expires_at, generation + 1)
        await self._store.save(self._token)
        return value

    async def revoke(self) -> None:
        """Give the token back to LS and stop keeping one, for a key that is taken out of use; nothing without a token."""
        await self.close()
        async with self._one_at_a_time:
            self._token = self._token or await self._store.load()
            if self._token is None or self._left() <= timedelta(0):
                return
            form = {
                "appkey": self._credentials.app_key,
                "appsecretkey": self._credentials.app_secret,
                "token_type_hint": "access_token",
                "token": self._token.value,
            }
            await self._door.read(
                Call(tr.REVOKE, "POST", self._site.rest + tr.REVOKE_PATH, FORM, body=urlencode(form).encode())
            )
            # The store keeps the number of the generation; a token that has ended is never used again.
            self._token = replace(self._token, expires_at=self._clock.wall_now())
            await self._store.save(self._token)

    @property
    def token(self) -> str:
        """The token in use, "" before the first one; the stream repeats it in every frame."""
        return self._token.value if self._token else ""

    def headers(self, token: str, code: str, *, cont: bool = False, cont_key: str = "") -> dict[str, str]:
        """What every TR call carries (ls.md §1.2)."""
        return {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {token}",
            "tr_cd": code,
            "tr_cont": "Y" if cont else "N",
            "tr_cont_key": cont_key,
            "mac_address": "",
        }

    async def _replace(self) -> None:
        """Issue a token; one that still serves is kept when LS has none to give just now."""
        try:
            just_now = self._issued_at is not None and self._clock.wall_now() - self._issued_at < RENEW_BEFORE
            if just_now and self._left() > LAST_USE:
                return  # issued shortly before 07:00: a new one would end at the same time
            await self.get_access_token()
        except BrokerError:
            if self._left() <= LAST_USE:
                raise

    async def _prove(self) -> str:
        """Ask the one question that only the real side answers.

        Raises:
            AuthRefused: the side is not the account's own, the answer leaves doubt, or it names another account.
        """
        token = self._token
        assert token is not None
        if self._proven == token.generation:
            return token.value
        call = Call(
            tr.PROBE.code,
            "POST",
            self._site.rest + tr.PROBE.path,
            self.headers(token.value, tr.PROBE.code),
            body=orjson.dumps({"FOCCQ33600InBlock1": probe_days(self._clock.wall_now())}),
            priority=Priority.EXIT,  # an exit may be waiting behind it
            budget=self._probe_pacer,
        )
        answer = await self._door.read(call, PROBE_DEADLINE_S)
        check_side(answer, self._site, self._credentials.account_no)
        self._proven = token.generation
        return token.value

    def _left(self) -> timedelta:
        return self._token.expires_at - self._clock.wall_now() if self._token else timedelta(0)

    async def _keep(self, on_change: Callable[[], Awaitable[None]]) -> None:
        """Renew ahead of time; a failure is tried again, and every call reports it by itself."""
        known = self.token
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            try:
                await self.ensure_token()
            except BrokerError:
                continue
            if self.token != known:
                known = self.token
                await on_change()


def probe_days(now: datetime) -> dict[str, str]:
    day = f"{now.astimezone(KST):%Y%m%d}"
    return {"QrySrtDt": day, "QryEndDt": day, "TermTp": "1"}


def check_side(answer: Answer, site: tr.Site, account_no: str) -> None:
    """Compare what FOCCQ33600 answered with what the account must be; any doubt is a refusal (design.md §5)."""
    body = answer.json(tr.LS)
    code, message = text(body, "rsp_cd"), text(body, "rsp_msg")
    if tr.MOCK_WORD in message:
        mock = True
    elif code in tr.PROBE.success:
        mock = False
    else:
        raise refused(code, f"the side of the account could not be told: {message}")
    if mock != site.mock:
        found, wanted = (("모의투자", "실투자"), ("실투자", "모의투자"))[not mock]
        raise refused(
            code, f"앱키는 {found} 계좌의 것이나 이 계좌는 {wanted}로 등록됨 / the key's side is not the account's"
        )
    named, ours = account_named(body, tr.PROBE.code), "".join(c for c in account_no if c.isdigit())
    # Our local exchange invents a number for a key that nobody registered there.
    if named and ours and named != ours and site.environment is not Environment.SIM:
        raise refused(code, "앱키가 다른 계좌의 것임 / the key belongs to another account")


def refused(code: str, why: str) -> AuthRefused:
    return AuthRefused(tr.LS, code, why, "check environment and app key of the account")


def decode_token(answer: Answer) -> tuple[str, datetime]:
    """Token and its end: what `expires_in` says, but never beyond the next 07:00 KST, when every token dies."""
    body = answer.json(tr.LS)
    value, seconds = body.get("access_token"), body.get("expires_in")
    if not isinstance(value, str) or not value:
        raise WireError(tr.LS, "-", "token: no access_token in the answer")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds <= 0:
        raise WireError(tr.LS, "-", "token: no expires_in in the answer")
    local = answer.received_at.astimezone(KST)
    dies = datetime.combine(local.date(), DIES_AT, KST)
    # One issued just before 07:00 may already be the next day's: there expires_in is believed.
    if dies <= local + RENEW_BEFORE:
        dies += timedelta(days=1)
    return value, min(answer.received_at + timedelta(seconds=seconds), dies)
