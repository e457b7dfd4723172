"""The only module that imports talib: its package pulls in pandas and polars where they are installed (+74 MB).

Both are hidden around the import; a copy already in use elsewhere stays in place. `talib.abstract` is not imported: it
makes an object for each of 161 functions (1 MB a bot), `described` one for a function that is asked for.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_HEAVY = ("pandas", "polars")


def _import_talib() -> tuple[Any, Any]:
    hidden: dict[str, ModuleType | None] = {name: sys.modules[name] for name in _HEAVY if name in sys.modules}
    sys.modules.update(dict.fromkeys(_HEAVY))  # type: ignore[arg-type]  # None makes `import pandas` fail at once
    try:
        import talib
        from talib import _ta_lib
    finally:
        for name in _HEAVY:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in hidden.items() if module is not None})
    return talib, _ta_lib


talib, _compiled = _import_talib()


def described(function: str, **params: int | float) -> Any:
    """The abstract form of TA-Lib's `function`: its `.info` and, with `params`, its `.lookback`.

    Raises Exception, as talib does, when there is no such function or it refuses a parameter.
    """
    return _compiled.Function(function, getattr(_compiled, function), **params)
