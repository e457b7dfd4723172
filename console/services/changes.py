"""Many viewers, one reading: what was read is shown again until a number of the store moved.

Off until the console's own process turns it on: command line, API and tests read the store each time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.store.changes import Numbers, numbers

P = ParamSpec("P")
T = TypeVar("T")

_MOST_HELD = 400  # readings; the least lately asked goes first
BRIEFLY_S = 5.0
_LONGEST_S = 15.0  # whatever the numbers say: a writer that forgot to count is seen then


@dataclass(slots=True)
class _Held:
    at: float
    numbers: Numbers
    value: Any


_sharing_s = [0.0]
_resting_s = [0.0]
_newest: dict[str, tuple[float, Numbers]] = {}  # store → when asked, what it said
_seen: dict[tuple[str, int | None, str], tuple[Numbers, tuple[int, ...]]] = {}  # who → the accounts he may see
_held: OrderedDict[tuple[Any, ...], _Held] = OrderedDict()
_briefly: dict[tuple[str, Hashable], tuple[float, tuple[int, ...], Any]] = {}  # (store, what) → when, at which number
_being_read: set[tuple[Any, ...]] = set()
_lock = threading.Lock()


def share(seconds: float, *, rest_s: float = 0.0) -> None:
    """Let viewers share readings; the numbers themselves are asked at most once in `seconds`.

    `rest_s`: bots that trade move their numbers all the time; a reading so young is shown even so. Whatever a person
    did is seen at once.
    """
    _sharing_s[0], _resting_s[0] = seconds, rest_s
    forget()


def forget() -> None:
    """Somebody acted here: the next look asks for the numbers, and who is who."""
    with _lock:
        _newest.clear()
        _briefly.clear()


def now(wiring: Wiring) -> Numbers:
    """The store's numbers, not older than the sharing time."""
    store, at = str(wiring.engine.url), wiring.clock.monotonic()
    with _lock:
        known = _newest.get(store)
    if known is not None and at - known[0] < _sharing_s[0]:
        return known[1]
    with reading(wiring.engine) as session:
        found = numbers(session)
    with _lock:
        _newest[store] = (at, found)
    return found


def briefly(wiring: Wiring, key: Hashable, read: Callable[[], T], *, at_most_s: float = BRIEFLY_S) -> T:
    """Hold a small reading, until anybody did anything on this desk (that leaves a row in the audit) or time is over.

    For drawing only: what takes effect asks the database itself. A session that was ended or a role that was changed
    is seen at the next look.
    """
    if not _sharing_s[0]:
        return read()
    desk, at = now(wiring).desk, wiring.clock.monotonic()
    name = (str(wiring.engine.url), key)
    with _lock:
        known = _briefly.get(name)
    if known is not None and known[1] == desk and at - known[0] < at_most_s:
        value: T = known[2]
        return value
    value = read()
    with _lock:
        if len(_briefly) >= _MOST_HELD:
            _briefly.clear()
        _briefly[name] = (at, desk, value)
    return value


def by_number(
    *, at_most_s: float = _LONGEST_S
) -> Callable[[Callable[Concatenate[Wiring, Actor, P], T]], Callable[Concatenate[Wiring, Actor, P], T]]:
    """Hold what a service function read for all who see the same accounts, until a number moved or `at_most_s` passed.

    What depends on the time of day (a silence, an age) says for how long it may be shown. The value is shared: nobody
    changes it.
    """

    def around(read: Callable[Concatenate[Wiring, Actor, P], T]) -> Callable[Concatenate[Wiring, Actor, P], T]:
        @wraps(read)
        def ask(wiring: Wiring, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> T:
            if not _sharing_s[0]:
                return read(wiring, actor, *args, **kwargs)
            moved = now(wiring)
            key = (read, str(wiring.engine.url), _visible(wiring, actor, moved), args, tuple(sorted(kwargs.items())))
            at = wiring.clock.monotonic()
            with _lock:
                held = _held.get(key)
                fresh = held is not None and _still_shown(held, moved, at, at_most_s)
                if held is not None and (fresh or key in _being_read):  # another viewer brings the new one
                    _held.move_to_end(key)
                    value: T = held.value
                    return value
                _being_read.add(key)
            try:
                value = read(wiring, actor, *args, **kwargs)
                with _lock:
                    _held[key] = _Held(at, moved, value)
                    while len(_held) > _MOST_HELD:
                        _held.popitem(last=False)
            finally:
                with _lock:
                    _being_read.discard(key)
            return value

        return ask

    return around


def _still_shown(held: _Held, moved: Numbers, at: float, at_most_s: float) -> bool:
    age_s = at - held.at
    if held.numbers == moved:
        return age_s < at_most_s
    return age_s < min(_resting_s[0], at_most_s) and held.numbers.desk == moved.desk


def _visible(wiring: Wiring, actor: Actor, moved: Numbers) -> tuple[int, ...]:
    """The accounts this person may see, asked again whenever anything moved: a grant that ended ends here too."""
    who = (str(wiring.engine.url), actor.user_id, actor.role.value)
    with _lock:
        known = _seen.get(who)
    if known is not None and known[0].desk == moved.desk:
        return known[1]
    with reading(wiring.engine) as session:
        ids = tuple(row.id or 0 for row in visible_accounts(session, actor))
    with _lock:
        _seen[who] = (moved, ids)
    return ids
