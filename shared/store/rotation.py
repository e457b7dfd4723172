"""Rotate the master key beside running programs: at every step each sealed field opens with what the key file holds."""

from __future__ import annotations

import base64
import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from shared import crypto
from shared.config import Settings
from shared.db import writing
from shared.domain.errors import Conflict
from shared.store import secrets, standby

STEPS = ("both keys in the file", "public half published", "store sealed again", "copies sealed again", "old key gone")


def rotate(
    settings: Settings, engine: Engine, note: Callable[[Session, str, int], None], reached: Callable[[str], None]
) -> tuple[str, int]:
    """Make a new key, seal everything again, drop the old one; returns the new key's id and the fields sealed again.

    `note` writes the audit row in the transaction that seals; `reached` hears each of STEPS once it is on disk. Cut
    anywhere, run it again: it goes on with the key it had made.

    Raises:
        Conflict: another rotation runs here, or the key is not in a file.
        SecretError: a field does not open with the keys there are; nothing was changed.
    """
    if settings.master_key is not None:
        raise Conflict(
            "the master key comes from LETSTRADE_MASTER_KEY",
            "this program cannot change an environment variable",
            "put a new key in front of the old one there, separated by a comma, and run `keys rotate` again without it",
        )
    path = settings.master_key_file
    with _alone(path.with_name("rotate.lock")):
        old = path.read_text(encoding="utf-8").split()
        fresh = old if len(old) > 1 else [base64.b64encode(crypto.new_private_key()).decode(), *old]
        crypto.write_secret_file(path, "\n".join(fresh) + "\n")
        reached(STEPS[0])
        ring = crypto.load_private(settings)
        # Whoever seals from here on seals under the new key, except those who already hold the old one (hold_key).
        crypto.write_public(settings, ring.current())
        reached(STEPS[1])
        key_id = ring.current().key_id.hex()
        with writing(engine) as session:
            changed = secrets.reseal_all(session, ring, lambda what: None)
            note(session, key_id, changed)
        reached(STEPS[2])
        changed += standby.reseal(settings.home / "accounts", ring)
        reached(STEPS[3])
        crypto.write_secret_file(path, fresh[0] + "\n")
        reached(STEPS[4])
        return key_id, changed


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        path.chmod(0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("keys are being rotated", "another `keys rotate` runs here", "wait for its end") from None
        yield
