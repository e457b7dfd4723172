"""What gate, routes and pages of this process share: settings, engine, clock and the public halves of the keys."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from shared.clock import Clock, SystemClock
from shared.config import Settings
from shared.crypto import LookupKey, SealingKey, load_lookup, load_public
from shared.db import open_engine
from shared.domain.errors import ConfigError

TRUSTED_S = 5.0  # a server's connection used so lately is not asked first whether it is there: a way to it and back


@dataclass(frozen=True, slots=True)
class Wiring:
    """Holds no private key: the console writes secrets and cannot read them."""

    settings: Settings
    engine: Engine
    clock: Clock
    lookup: LookupKey

    @property
    def sealing(self) -> SealingKey:
        """The public half in force, read now: keys are rotated while the console runs."""
        return load_public(self.settings)


_current: list[Wiring] = []  # one entry once the process is wired


def wire(settings: Settings) -> Wiring:
    """Open what the console needs; ConfigError when setup has not run."""
    lookup = load_lookup(settings)
    if len(lookup.key) < 32 or len(set(lookup.key)) < 8:
        raise ConfigError(
            "lookup.key is not a secret",
            "it is shorter than 32 bytes or made of one repeated byte",
            "delete it and run `python -m console.cli setup`",
        )
    load_public(settings)
    return Wiring(settings, open_engine(settings.database_url, trusted_s=TRUSTED_S), SystemClock(), lookup)


def use(wiring: Wiring) -> None:
    """Make `wiring` the one of this process."""
    _current[:] = [wiring]


def current() -> Wiring:
    return _current[0]
