"""Where second-factor secrets are sealed: a key of their own, made from the lookup key.

The console must open what it checks, and it never holds the master key. Whoever copies the store alone still reads
nothing; the lookup key is not in it and never rotates with the master key.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.crypto import KeyRing, LookupKey, Place, open_sealed


def _ring(lookup: LookupKey) -> KeyRing:
    return KeyRing([HKDF(algorithm=SHA256(), length=32, salt=None, info=b"letstrade factor box").derive(lookup.key)])


def _place(user_id: int) -> Place:
    return Place("users", str(user_id), "totp_secret")


def seal_factor(lookup: LookupKey, user_id: int, secret: str) -> str:
    """Return `secret` sealed for this user's row: moved to another row it does not open."""
    return _ring(lookup).current().seal(secret, _place(user_id))


def open_factor(lookup: LookupKey, user_id: int, sealed: str) -> str:
    """Open what `seal_factor` sealed. Raises SecretError."""
    return open_sealed(_ring(lookup), sealed, _place(user_id))


def recovery_hash(lookup: LookupKey, user_id: int, code: str) -> str:
    """The keyed hash of a recovery code; dashes, blanks and case do not matter."""
    return lookup.fingerprint("recovery", str(user_id), "".join(code.split()).replace("-", "").upper())
