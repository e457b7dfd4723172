"""What is made of a reading that many look at: made once, and sent to each of them."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from console.components.frame import lang

T = TypeVar("T")

_MOST = 6  # of each name: the newest readings by person's accounts, language and choice; a reading is large
_made: defaultdict[str, OrderedDict[tuple[Hashable, ...], tuple[object, Any]]] = defaultdict(OrderedDict)
_making: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
_lock = threading.Lock()


def once(view: object, name: str, make: Callable[[], T], *also: Hashable) -> T:
    """What `make` returns, which depends on `view`, the language and `also` alone; the same view is not drawn twice.

    The view is kept as long as what was made of it, so that no other one can be taken for it. The value is shared:
    nobody changes it.
    """
    key = (lang(), id(view), *also)
    with _lock:
        mine = _making[name]
    with mine:  # who comes while it is being made waits for it
        held = _made[name]
        known = held.get(key)
        if known is not None:
            held.move_to_end(key)
            value: T = known[1]
            return value
        value = make()
        held[key] = (view, value)
        while len(held) > _MOST:
            held.popitem(last=False)
        return value
