"""numpy without the words for type checkers that it makes at import: a bot would carry 2 MB and wait 20 ms for them.

Imported before any other module of this folder. Whoever imports `numpy.typing` later has the real thing.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_FOR_CHECKERS = "numpy._typing"


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return list  # numpy writes NDArray[Any] beside the fields of its results, and nothing reads it


def _import_numpy() -> None:
    if "numpy" in sys.modules:
        return
    sys.modules[_FOR_CHECKERS] = _StandIn(_FOR_CHECKERS)
    try:
        import numpy  # noqa: F401
    finally:
        del sys.modules[_FOR_CHECKERS]


_import_numpy()
