"""What a verb that needs the desk opens: settings, store, keys, and who is asking."""

from __future__ import annotations

import getpass
import os
from datetime import datetime
from typing import NamedTuple

from console import wiring
from console.services import overview
from console.services.permissions import Actor
from console.wiring import Wiring
from shared import schema
from shared.config import load_settings
from shared.crypto import load_private
from shared.db import reading
from shared.domain.errors import ConfigError, Forbidden, NotFound
from shared.models import Role
from shared.store.people import token_user


class Desk(NamedTuple):
    """An open store and the one who asks."""

    wiring: Wiring
    actor: Actor

    @property
    def now(self) -> datetime:
        return self.wiring.clock.wall_now()

    def account(self, text: str) -> int:
        """The id of the account meant by number or nickname; NotFound, with those there are, when it is neither."""
        lines = overview.overview(self.wiring, self.actor).lines
        found = [line.id for line in lines if text in (line.nickname, str(line.id))]
        if not found:
            raise NotFound(
                f"계좌 {text}을(를) 찾을 수 없습니다 (no account {text})",
                ", ".join(f"{line.id} {line.nickname}" for line in lines[:20]) or "등록된 계좌 없음 (none registered)",
                "letstrade account list",
            )
        return found[0]

    def account_or_all(self, text: str | None) -> int | None:
        return None if text is None else self.account(text)


def open_desk() -> Desk:
    """Open the store and prove who asks.

    Whoever can read the master key file is Admin `cli:<os user>`; anybody else needs LETSTRADE_TOKEN.

    Raises:
        ConfigError: setup has not run, or the database has another schema.
        Forbidden: neither the key file nor a valid token.
    """
    wired = wiring.wire(load_settings())
    schema.require_current(wired.engine)
    try:
        load_private(wired.settings)
        return Desk(wired, Actor(None, Role.ADMIN, "cli", getpass.getuser(), wired.settings.lang))
    except (ConfigError, PermissionError):
        return Desk(wired, _token_actor(wired))


def _token_actor(wired: Wiring) -> Actor:
    token = os.environ.get("LETSTRADE_TOKEN", "")
    with reading(wired.engine) as session:
        user = token_user(session, token, wired.clock.wall_now()) if token else None
        if user is not None:
            return Actor(user.id, Role(user.role), "cli", user.email, user.lang or wired.settings.lang)
    raise Forbidden(
        "이 명령을 내릴 권한이 없습니다 (not allowed)",
        "the master key file cannot be read and LETSTRADE_TOKEN is not a valid token",
        "run as the user who ran `make run`, or set LETSTRADE_TOKEN",
    )
