"""Who types, and on which desk: settings, store and actor of one command."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from datetime import datetime

from console.services import overview
from console.services.permissions import Actor
from console.wiring import Wiring, wire
from shared.config import load_settings
from shared.crypto import load_private
from shared.db import reading
from shared.domain.errors import ConfigError, Forbidden, NotFound
from shared.models import Role
from shared.store.people import token_user


@dataclass(frozen=True, slots=True)
class Desk:
    wiring: Wiring
    actor: Actor

    @property
    def now(self) -> datetime:
        return self.wiring.clock.wall_now()

    def account(self, text: str) -> int:
        """The id of the account meant: its number or its nickname. NotFound when it is neither."""
        lines = overview.overview(self.wiring, self.actor).lines
        found = [line.id for line in lines if text == line.nickname or text == str(line.id)]
        if not found:
            raise NotFound(
                f"계좌 {text}을(를) 찾을 수 없습니다 · no account {text}",
                ", ".join(f"{line.id} {line.nickname}" for line in lines[:20]) or "등록된 계좌 없음 · none registered",
                "letstrade account list",
            )
        return found[0]

    def account_or_all(self, text: str | None) -> int | None:
        return None if text is None else self.account(text)


def open_desk() -> Desk:
    """Open the store as `cli:<os user>` with Admin rights where the key file can be read, else by LETSTRADE_TOKEN.

    Raises:
        ConfigError: setup has not run here.
        Forbidden: neither the key file nor a valid token.
    """
    settings = load_settings()
    wiring = wire(settings)
    try:
        load_private(settings)
    except (ConfigError, OSError) as closed:
        return Desk(wiring, _by_token(wiring, settings.lang, closed))
    return Desk(wiring, Actor(None, Role.ADMIN, "cli", getpass.getuser(), settings.lang))


def _by_token(wiring: Wiring, lang: str, closed: Exception) -> Actor:
    token = os.environ.get("LETSTRADE_TOKEN", "")
    if token:
        with reading(wiring.engine) as session:
            user = token_user(session, token, wiring.clock.wall_now())
        if user is not None:
            return Actor(user.id, Role(user.role), "cli", user.email, lang)
    raise Forbidden(
        "이 데스크를 쓸 수 없습니다 · you may not use this desk",
        f"LETSTRADE_TOKEN {'거부 · refused' if token else '없음 · not set'}; {closed}",
        "LETSTRADE_TOKEN=… letstrade …",
    )
