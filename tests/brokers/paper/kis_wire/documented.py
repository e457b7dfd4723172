"""The documented example messages, by TR id: what the broker's wire looks like."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "payloads"
REQUESTS: dict[str, Any] = json.loads((_FOLDER / "requests.json").read_text(encoding="utf-8"))
RESPONSES: dict[str, Any] = json.loads((_FOLDER / "responses.json").read_text(encoding="utf-8"))


def shape(value: Any) -> Any:
    """Field names and kinds without the values: what a client parses by. An empty list has no shape to compare."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__
