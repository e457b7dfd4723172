"""One message on a pipe: four bytes of length, then JSON. Shared by both ends; neither trusts the other's length."""

from __future__ import annotations

import json
from typing import Any

HEAD = 4
ANSWER_LIMIT = 4096
FIRST_CPU_S = 10  # processor time a child begins with; the parent adds the time of what it asked


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
