"""The example messages of the broker's documentation: the common ground on which each side is tested by itself."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "payloads"


def _read(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return parsed


REQUESTS = _read("requests")  # TR -> request body
RESPONSES = _read("responses")  # TR -> response body
FRAMES = _read("frames")  # tr_cd -> WebSocket message; "ack" and "register" beside

# Examples that the exchange's side tests in a table of its own.
_FURTHER = _read("further")
FURTHER_REQUESTS, FURTHER_RESPONSES, FURTHER_FRAMES = (_FURTHER[name] for name in ("requests", "responses", "frames"))


def kinds(value: Any) -> Any:
    """Field names and JSON kinds without the values. An empty list has no kinds to compare."""
    if isinstance(value, dict):
        return {name: kinds(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])] if value else []
    return type(value).__name__
