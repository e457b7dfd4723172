"""Passwords: streamlit_authenticator's Hasher (bcrypt); its widgets are drawn by components/own_password.py."""

from __future__ import annotations

import logging

# Its package draws itself on import and warns about every widget it misses outside of a page.
_before = logging.root.manager.disable
logging.disable(logging.WARNING)
from streamlit_authenticator import Authenticate  # noqa: E402
from streamlit_authenticator.utilities.hasher import Hasher  # noqa: E402

logging.disable(_before)

__all__ = ["Authenticate", "check_password", "fits", "hash_password"]
MAX_BYTES = 72  # bcrypt reads no further: a longer password would be cut silently


def fits(password: str) -> bool:
    """True when bcrypt reads all of it."""
    return 0 < len(password.encode()) <= MAX_BYTES


def hash_password(password: str) -> str:
    """Return the bcrypt hash; ValueError when it is empty or longer than bcrypt reads."""
    if not fits(password):
        raise ValueError(f"a password has 1 to {MAX_BYTES} bytes")
    return str(Hasher.hash(password))


def check_password(password: str, stored: str) -> bool:
    """Compare in bcrypt's own time; False for one that does not fit, after the same time."""
    right = Hasher.check_pw(password if fits(password) else "x", stored)
    return bool(right) and fits(password)
