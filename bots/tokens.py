"""Where this account's access token survives a restart: sealed in the store, handed to the adapter."""

from __future__ import annotations

from bots.sync import StoreAway, StoreLink
from brokers.contract import Token
from shared.clock import Clock
from shared.crypto import KeyProvider
from shared.store import secrets


class SealedTokenStore:
    """A store outage never stops trading: a token that could not be saved is saved with `save_pending`."""

    def __init__(self, link: StoreLink, provider: KeyProvider, account_id: int, key_hash: str, clock: Clock) -> None:
        self._link, self._provider, self._clock = link, provider, clock
        self._account_id, self._key_hash = account_id, key_hash
        self.current: Token | None = None
        self._pending: Token | None = None

    async def load(self) -> Token | None:
        try:
            found = await self._link.read(
                lambda session: secrets.load_token(session, self._provider, self._account_id, self._key_hash)
            )
        except StoreAway:
            return self.current
        if found is not None:
            self.current = Token(found.value, found.expires_at, found.generation)
        return self.current

    async def save(self, token: Token) -> None:
        self.current = self._pending = token
        await self.save_pending()

    async def save_pending(self) -> None:
        """Write a token the store does not have yet; without one nothing happens."""
        token = self._pending
        if token is None:
            return
        try:
            await self._link.write(
                lambda session: secrets.save_token(
                    session, self._clock.wall_now(), self._provider.current(), account_id=self._account_id,
                    key_hash=self._key_hash, value=token.value, generation=token.generation,
                    expires_at=token.expires_at,
                )
            )  # fmt: skip
        except StoreAway:
            return
        if self._pending is token:
            self._pending = None
