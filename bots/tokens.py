"""Where this account's access token survives a restart: sealed in the store, handed to the adapter."""

from __future__ import annotations

import asyncio
import logging

from bots.standby import Standby
from bots.sync import StoreAway, StoreLink
from brokers.contract import Token
from shared.clock import Clock
from shared.crypto import KeyProvider, SecretError
from shared.store import secrets

ANSWER_S = 3.0  # a store that takes longer must not hold up the call that waits for the token
ISSUE_EVERY_S = 61.0  # brokers issue at most once a minute

log = logging.getLogger("bots.tokens")


class SealedTokenStore:
    """A store outage never stops trading: a token that could not be saved is saved with `save_pending`."""

    def __init__(
        self, link: StoreLink, keys: KeyProvider, account_id: int, key_hash: str, clock: Clock, standby: Standby,
        current: Token | None = None,
    ) -> None:  # fmt: skip
        self._link, self._keys, self._clock, self._standby = link, keys, clock, standby
        self._account_id, self._key_hash = account_id, key_hash
        self.current = current
        self._pending: Token | None = None

    async def load(self) -> Token | None:
        """The token to go on with; one that does not open counts as none, and its minute is waited out."""
        try:
            async with asyncio.timeout(ANSWER_S):
                found = await self._link.read(
                    lambda store: secrets.load_token(store, self._keys, self._account_id, self._key_hash)
                )
        except (StoreAway, TimeoutError):
            return self.current
        except SecretError as e:
            log.warning("%s: 새 토큰을 받습니다", e)
            await self._wait_for_turn()
            return self.current
        if found is not None:
            self.current = Token(found.value, found.expires_at, found.generation)
        return self.current

    async def save(self, token: Token) -> None:
        self.current = self._pending = token
        await self.save_pending()
        if self._pending is not None:
            await asyncio.to_thread(self._standby.keep_token, token, self._key_hash)

    async def save_pending(self) -> None:
        """Write a token the store does not have yet; without one nothing happens."""
        token = self._pending
        if token is None:
            return
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._link.write(
                    lambda store: secrets.save_token(
                        store, self._clock.wall_now(), self._keys, account_id=self._account_id,
                        key_hash=self._key_hash, value=token.value, generation=token.generation,
                        expires_at=token.expires_at,
                    )
                )  # fmt: skip
        except (StoreAway, TimeoutError):
            return
        if self._pending is token:
            self._pending = None

    async def _wait_for_turn(self) -> None:
        """An unreadable token still tells when it was issued."""
        try:
            issued_at = await self._link.read(lambda store: secrets.token_issued_at(store, self._account_id))
        except StoreAway:
            return
        if issued_at is not None:
            wait_s = ISSUE_EVERY_S - (self._clock.wall_now() - issued_at).total_seconds()
            if 0 < wait_s <= ISSUE_EVERY_S:
                await asyncio.sleep(wait_s)
