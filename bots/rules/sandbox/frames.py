"""One message on a pipe: four bytes of length, then JSON. Shared by both ends; neither trusts the other's length."""

from __future__ import annotations

import json
from typing import Any

HEAD = 4
ASK_LIMIT = 16 * 1024 * 1024
ANSWER_LIMIT = 4096


def pack(message: dict[str, Any]) -> bytes:
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    return len(body).to_bytes(HEAD, "big") + body


def read(body: bytes) -> dict[str, Any]:
    """Return a message of our own code; anything else is {}."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
