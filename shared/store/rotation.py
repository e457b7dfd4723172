"""Rotate the master key beside running programs: at every step each sealed field opens with what the key file holds."""

from __future__ import annotations

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
from shared.kek import renew_local
from shared.secret_files import write_secret_file
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
        fresh = old if len(old) > 1 else [crypto.key_line(settings, crypto.new_private_key()), *old]
        write_secret_file(path, "\n".join(fresh) + "\n")
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
        write_secret_file(path, fresh[0] + "\n")
        reached(STEPS[4])
        return key_id, changed


def rewrap(settings: Settings) -> int:
    """Wrap the master key file with the key-encryption key that LETSTRADE_KEK names now; a file's is made anew.

    The keys in it stay the same, so that nothing in the store changes and running programs need nothing. Returns how many.

    Raises:
        Conflict: another rotation runs here, or the key is not in a file.
        KekError: a key cannot be unwrapped; the file is as it was.
    """
    if settings.master_key is not None:
        raise Conflict("the master key comes from LETSTRADE_MASTER_KEY", "there is no file to wrap", "unset it first")
    path = settings.master_key_file
    with _alone(path.with_name("rotate.lock")):
        private = crypto.load_private(settings).privates()

        def write() -> None:
            write_secret_file(path, "\n".join(crypto.key_line(settings, key) for key in private) + "\n")
            if crypto.load_private(settings).privates() != private:
                raise Conflict("the wrapped file does not open to the same keys", "nothing else was changed", "doctor")

        renew_local(settings.kek, write)
        return len(private)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        path.chmod(0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("keys are being rotated", "another `keys rotate` runs here", "wait for its end") from None
        yield
