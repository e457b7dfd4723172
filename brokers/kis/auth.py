"""The life of a KIS token, the stream's key and an order's hash (kis.md §2)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson

from brokers.contract import Credentials, Token, TokenStore
from brokers.http import Answer, Call, Door
from brokers.kis.codec import KST
from brokers.kis.tr import APPROVAL, HASHKEY, KIS, REVOKE, TOKEN, Site
from brokers.pacing import Priority
from shared.clock import Clock
from shared.domain.errors import AuthExpired, BrokerError, NotSent, RateLimited, WireError

RENEW_BEFORE = timedelta(minutes=30)
LAST_USE = timedelta(seconds=30)  # a token this close to its end may expire on the way
LIFE = timedelta(hours=24)
ISSUE_EVERY_S = 61.0  # once a minute per app key; more may restrict the key
KEEP_EVERY_S = 60.0
JSON = {"content-type": "application/json; charset=utf-8"}


class Auth:
    """One app key's token: issued once, kept in the store, renewed before it ends."""

    def __init__(self, door: Door, site: Site, credentials: Credentials, clock: Clock, store: TokenStore) -> None:
        self._door, self._site, self._credentials, self._clock, self._store = door, site, credentials, clock, store
        self._token: Token | None = None
        self._one_at_a_time = asyncio.Lock()
        self._issued_at: datetime | None = None  # wall time of the last issue we know of
        self._renew_now = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Have a valid token and keep it so. Raises AuthRefused when the key is not accepted."""
        await self.ensure_token()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name="token")

    async def close(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def ensure_token(self) -> str:
        """Return a token that is valid now, issuing one only when none is; callers at the same time share one issue."""
        if self._left() > RENEW_BEFORE and self._token is not None:
            return self._token.value
        async with self._one_at_a_time:
            await self._load()
            if self._token is not None and self._left() > RENEW_BEFORE:
                return self._token.value
            try:
                return await self.get_access_token()
            except BrokerError:
                if self._token is None or self._left() <= LAST_USE:
                    raise
                return self._token.value  # the old one still serves; the keeper asks again

    async def _load(self) -> None:
        if self._token is None:
            self._token = await self._store.load()
            if self._token is not None and self._issued_at is None:
                self._issued_at = self._token.expires_at - LIFE  # the once-a-minute rule holds across a restart

    def drop(self, refused: str) -> None:
        """Use a refused token no more and begin its renewal; whoever needs a token next waits for the new one."""
        if self._token is not None and self._token.value == refused:
            self._token = replace(self._token, expires_at=self._clock.wall_now())
            self._renew_now.set()

    async def renew(self, refused: str) -> None:
        """Replace a token the broker no longer accepts (KIS ends some early, kis.md §2.1); once for all who saw it."""
        async with self._one_at_a_time:
            if self._token is None or self._token.value == refused:
                await self.get_access_token()
                if self._token is not None and self._token.value == refused:
                    raise AuthExpired(
                        KIS, "-", "거절된 토큰이 다시 발급되었습니다 / the broker issued the refused token again"
                    )

    async def get_access_token(self) -> str:
        """Ask the broker for a token and store it; waits out the once-a-minute rule.

        Raises:
            AuthRefused: key or secret is wrong. BrokerUnavailable, RateLimited: not now.
        """
        await self._wait_for_turn()
        body = {"grant_type": "client_credentials", **self._key_pair("appsecret")}
        call = Call("tokenP", "POST", self._site.rest + TOKEN, JSON, body=orjson.dumps(body))
        try:
            answer = await self._door.read(call)
        except RateLimited:
            self._issued_at = self._clock.wall_now()  # someone issued within this minute; the next try waits it out
            raise
        self._issued_at = self._clock.wall_now()
        known = self._token
        value, expires_at = decode_token(answer)
        # Within six hours the broker issues the same token again (kis.md §2.1): no new generation, perhaps a new end.
        generation = (known.generation if known else 0) + (known is None or known.value != value)
        if known is None or (known.value, known.expires_at) != (value, expires_at):
            self._token = Token(value, expires_at, generation)
            await self._store.save(self._token)
        return value

    async def revoke(self) -> None:
        """Give the token back to the broker and stop keeping one; does nothing without a token.

        For a key that is taken out of use. The stream's place is not freed by it (kis.md §2.2).
        """
        await self.close()
        async with self._one_at_a_time:
            await self._load()
            if self._token is None or self._left() <= timedelta(0):
                return
            body = {**self._key_pair("appsecret"), "token": self._token.value}
            await self._door.read(Call("revokeP", "POST", self._site.rest + REVOKE, JSON, body=orjson.dumps(body)))
            # The store keeps the number of the generation; a token that has ended is never used again.
            self._token = replace(self._token, expires_at=self._clock.wall_now())
            await self._store.save(self._token)

    async def approval_key(self) -> str:
        """Ask for the stream's key; a fresh one for each connection."""
        body = {"grant_type": "client_credentials", **self._key_pair("secretkey")}
        call = Call("Approval", "POST", self._site.rest + APPROVAL, JSON, body=orjson.dumps(body))
        return answer_field(await self._door.read(call), "approval_key")

    async def sign_order(self, payload: bytes, priority: Priority = Priority.ENTRY) -> str:
        """Return the broker's hash of the exact order body.

        Raises:
            NotSent: no hash could be had, so the order was not sent.
        """
        headers = {**JSON, **self._key_pair("appsecret")}
        call = Call("hashkey", "POST", self._site.rest + HASHKEY, headers, body=payload, priority=priority)
        try:
            return answer_field(await self._door.read(call, deadline_s=5.0), "HASH")
        except BrokerError as e:
            raise NotSent(
                KIS,
                e.broker_code,
                f"주문에 서명하지 못해 보내지 않았습니다 / the order could not be signed: {e.message}",
                e.now,
            ) from e

    def headers(self, token: str) -> dict[str, str]:
        """What every REST call carries (kis.md §1.2)."""
        return {**JSON, "authorization": f"Bearer {token}", **self._key_pair("appsecret"), "custtype": "P"}

    def _key_pair(self, secret_name: str) -> dict[str, str]:
        return {"appkey": self._credentials.app_key, secret_name: self._credentials.app_secret}

    def _left(self) -> timedelta:
        return self._token.expires_at - self._clock.wall_now() if self._token else timedelta(0)

    async def _wait_for_turn(self) -> None:
        if self._issued_at is not None:
            wait_s = ISSUE_EVERY_S - (self._clock.wall_now() - self._issued_at).total_seconds()
            if 0 < wait_s <= ISSUE_EVERY_S:
                await asyncio.sleep(wait_s)

    async def _keep(self) -> None:
        """Renew ahead of time; a failure leaves the old token in use and is tried again a minute later."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(KEEP_EVERY_S):
                    await self._renew_now.wait()
            self._renew_now.clear()
            try:
                await self.ensure_token()
            except BrokerError:
                continue  # every call reports it by itself, and masked in the call log


def decode_token(answer: Answer) -> tuple[str, datetime]:
    """Token and its end. The text's time is KST without a zone (kis.md §7.3); `expires_in` counts from now."""
    body = answer.json(KIS)
    value, seconds, ends = body.get("access_token"), body.get("expires_in"), body.get("access_token_token_expired")
    if not isinstance(value, str) or not value:
        raise WireError(KIS, "-", "tokenP: no access_token in the answer")
    if isinstance(ends, str) and ends:
        try:
            return value, datetime.strptime(ends, "%Y-%m-%d %H:%M:%S").replace(tzinfo=KST).astimezone(UTC)
        except ValueError as e:
            raise WireError(KIS, "-", f"tokenP: not a time: {ends!r}") from e
    if not isinstance(seconds, int) or seconds <= 0:
        raise WireError(KIS, "-", "tokenP: no expiry in the answer")
    return value, answer.received_at + timedelta(seconds=seconds)


def answer_field(answer: Answer, name: str) -> str:
    value = answer.json(KIS).get(name)
    if not isinstance(value, str) or not value:
        raise WireError(KIS, "-", f"{answer.tr}: no {name} in the answer")
    return value
