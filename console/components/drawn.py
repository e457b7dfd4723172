"""Markup of a reading that many look at: made once, and sent to each of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from console.components.frame import lang

_MOST = 16  # the newest readings of the first screen; a reading is large
_made: OrderedDict[tuple[str, str, int], tuple[object, str]] = OrderedDict()
_lock = threading.Lock()


def once(view: object, name: str, make: Callable[[], str]) -> str:
    """What `make` returns, which depends on `view` and the language alone; the same view is not drawn twice.

    The view is kept as long as its markup, so that no other one can be taken for it.
    """
    key = (name, lang(), id(view))
    with _lock:
        held = _made.get(key)
        if held is not None:
            _made.move_to_end(key)
            return held[1]
    markup = make()
    with _lock:
        _made[key] = (view, markup)
        while len(_made) > _MOST:
            _made.popitem(last=False)
    return markup
