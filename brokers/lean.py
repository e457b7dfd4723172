"""httpx without its command line: a plain import loads click, rich and pygments where they are installed, and a bot
carries them for nothing (6 MB). Everything below this folder and bots/ imports httpx from here."""

from __future__ import annotations

import sys
from types import ModuleType

_COMMAND_LINE = "httpx._main"


def _import_httpx() -> ModuleType:
    if "httpx" not in sys.modules:
        sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # httpx does without it, by its own design
        import httpx

        sys.modules.pop(_COMMAND_LINE, None)
        return httpx
    return sys.modules["httpx"]


_import_httpx()

import httpx as httpx  # noqa: E402  the name that others import
