"""Recorded-shape messages of KIS (kis.md), all account numbers and keys invented."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("payloads")


def request(name: str) -> dict[str, str]:
    return dict(json.loads((FOLDER / f"req_{name}.json").read_text(encoding="utf-8")))


def answer(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"res_{name}.json").read_text(encoding="utf-8")))
