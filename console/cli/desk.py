"""What a verb that needs the desk opens: settings, store, keys, and who is asking."""

from __future__ import annotations

import getpass
import os

from console import wiring
from console.services.permissions import Actor
from console.wiring import Wiring
from shared import schema
from shared.config import load_settings
from shared.crypto import load_private
from shared.db import reading
from shared.domain.errors import ConfigError, Forbidden
from shared.models import Role
from shared.store.people import token_user


def open_desk() -> tuple[Wiring, Actor]:
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
        return wired, Actor(None, Role.ADMIN, "cli", getpass.getuser())
    except (ConfigError, PermissionError):
        return wired, _token_actor(wired)


def _token_actor(wired: Wiring) -> Actor:
    token = os.environ.get("LETSTRADE_TOKEN", "")
    with reading(wired.engine) as session:
        user = token_user(session, token, wired.clock.wall_now()) if token else None
        if user is not None:
            return Actor(user.id, Role(user.role), "cli", user.email)
    raise Forbidden(
        "이 명령을 내릴 권한이 없습니다 (not allowed)",
        "the master key file cannot be read and LETSTRADE_TOKEN is not a valid token",
        "run as the user who ran `make run`, or set LETSTRADE_TOKEN",
    )
