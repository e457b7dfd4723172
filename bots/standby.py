"""The sealed copy beside the journal: with it a bot that starts while the store is away still gets positions out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bots.config import BotConfig, load
from brokers.contract import Token
from shared.clock import Clock
from shared.crypto import KeyProvider
from shared.db import Store
from shared.domain.bot_state import KillLevel
from shared.domain.errors import ConfigError
from shared.store import kill, secrets, standby
from shared.store.secrets import OpenedCredential

Held = frozenset[tuple[int, int | None]]  # (rule, version) of positions

log = logging.getLogger("bots.standby")


@dataclass(frozen=True, slots=True, repr=False)
class Copy:
    """What the copy says, opened."""

    taken_at: datetime
    config: BotConfig
    credential: OpenedCredential
    token: Token | None
    kill_level: KillLevel


class Standby:
    """One account's copy. Called on other threads than the loop's; a copy that fails never stops the bot."""

    def __init__(self, folder: Path, keys: KeyProvider, account_id: int, clock: Clock) -> None:
        self._path = folder / standby.FILE
        self._keys, self._account_id, self._clock = keys, account_id, clock

    def keep(self, store: Store, held: Held) -> bool:
        """Copy the account's rows from the store; False when the copy could not be replaced (it stays as it was)."""
        rows = standby.collect(store, self._account_id, [version for _, version in held if version is not None])
        return self._guarded(lambda: standby.keep(self._path, rows, self._clock.wall_now(), self._keys))

    def keep_token(self, token: Token, key_hash: str) -> bool:
        """Keep a token that the store cannot take now."""

        def save() -> None:
            with standby.opened(self._path) as store:
                if store is not None:
                    secrets.save_token(
                        store, self._clock.wall_now(), self._keys, account_id=self._account_id, key_hash=key_hash,
                        value=token.value, generation=token.generation, expires_at=token.expires_at,
                    )  # fmt: skip

        return self._guarded(save)

    def read(self, held: Held) -> Copy | None:
        """Open the copy; None when there is none, or nothing to start from in it."""
        try:
            with standby.opened(self._path) as store:
                if store is None:
                    return None
                config = load(store, self._account_id, held, from_copy=True)
                credential = secrets.open_credential(store, self._keys, self._account_id)
                if credential is None:
                    return None
                found = secrets.load_token(store, self._keys, self._account_id, credential.key_hash)
                token = None if found is None else Token(found.value, found.expires_at, found.generation)
                level = kill.level_over(store, self._account_id)
                return Copy(standby.copied_at(store), config, credential, token, level)
        except (ConfigError, SQLAlchemyError, OSError, ValueError) as e:
            log.warning("사본을 읽을 수 없습니다: %s", e)
            return None

    def _guarded(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except (ConfigError, SQLAlchemyError, OSError) as e:
            log.warning("사본을 쓰지 못했습니다: %s", e)
            return False
        return True
