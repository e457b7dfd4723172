"""Many viewers, one reading: what was read is shown again until a number of the store moved.

Off until the console's own process turns it on: command line, API and tests read the store each time. What somebody
looks at is kept up to date beside them (`keep_up`), so that a panel which draws itself anew asks the store for nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from console.services.permissions import Actor, Seen, looking, present_role, visible_to
from console.wiring import Wiring
from shared.db import reading
from shared.domain.errors import TradingError
from shared.store.changes import Numbers, numbers

P = ParamSpec("P")
T = TypeVar("T")

_MOST_HELD = 400  # readings; the least lately asked goes first
BRIEFLY_S = 5.0
_LONGEST_S = 15.0  # whatever the numbers say: a writer that forgot to count is seen then
_LOOKED_AT_S = 8.0  # a reading that nobody asked for so long is nobody's panel; the slowest of the first screen takes 4


_Key = tuple[Callable[..., object], str, tuple[int | None, ...], tuple[object, ...], tuple[tuple[str, object], ...]]


@dataclass(slots=True)
class _Held:
    at: float
    numbers: Numbers
    value: Any
    asked_at: float  # when a viewer last wanted it
    again: Callable[[], object]  # reads it anew, and holds that


_sharing_s = [0.0]
_resting_s = [0.0]
_kept_up: dict[str, tuple[float, float]] = {}  # store → when its readings were last brought up to date, how often
_keeping = threading.local()  # in the thread that brings them up to date: since when it does so, and how often
_forgotten = [0]  # how often
_newest: dict[str, tuple[float, Numbers]] = {}  # store → when asked, what it said
_seen: dict[tuple[str, int | None, str], tuple[Hashable, Seen]] = {}  # who → his role and the accounts he may see
_held: OrderedDict[_Key, _Held] = OrderedDict()
_briefly: dict[tuple[str, Hashable], tuple[float, tuple[int, ...], Any]] = {}  # (store, what) → when, at which number
_being_read: set[_Key] = set()
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
        _forgotten[0] += 1
        _newest.clear()
        _briefly.clear()


def keep_up(wiring: Wiring, every_s: float) -> None:
    """Bring what somebody looks at up to date, once; called every `every_s` seconds beside the pages.

    Nothing is asked while nobody looks. When the store does not answer this raises, and pages ask for themselves.
    """
    store, at = str(wiring.engine.url), wiring.clock.monotonic()
    with _lock:
        watched = [one.again for key, one in _held.items() if key[1] == store and at - one.asked_at < _LOOKED_AT_S]
    if not watched:
        return
    _ask_numbers(wiring, store)
    _keeping.since, _keeping.every_s = at, every_s
    try:
        for again in watched:
            with suppress(TradingError):  # who may no longer look is told so by his own look
                again()
    finally:
        _keeping.since = None
    with _lock:
        _kept_up[store] = (wiring.clock.monotonic(), every_s)


def now(wiring: Wiring) -> Numbers:
    """The store's numbers, not older than the sharing time."""
    store, at = str(wiring.engine.url), wiring.clock.monotonic()
    with _lock:
        known = _newest.get(store)
    if known is not None and at - known[0] < _sharing_s[0] + max(0.0, _slack_s(store, at)):
        return known[1]
    return _ask_numbers(wiring, store)


def _ask_numbers(wiring: Wiring, store: str) -> Numbers:
    at, forgotten = wiring.clock.monotonic(), _forgotten[0]
    with reading(wiring.engine) as session:
        found = numbers(session)
    with _lock:
        if forgotten == _forgotten[0]:  # somebody acted meanwhile: these numbers may be from before
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


def desk_only(moved: Numbers) -> Hashable:
    """What people change: a panel that shows nothing else stays while bots trade."""
    return moved.desk, tuple(one[:4] for one in moved.accounts)


def _everything(moved: Numbers) -> Hashable:
    return moved


def by_number(
    *, at_most_s: float = _LONGEST_S, of: Callable[[Numbers], Hashable] = _everything
) -> Callable[[Callable[Concatenate[Wiring, Actor, P], T]], Callable[Concatenate[Wiring, Actor, P], T]]:
    """Hold what a service function read for all who see the same accounts, until a number moved or `at_most_s` passed.

    What depends on the time of day (a silence, an age) says for how long it may be shown; `of` picks the numbers that
    can change it. The value is shared: nobody changes it. Reading it asks neither role nor grants again: they stand
    since a person last changed anything.
    """

    def around(read: Callable[Concatenate[Wiring, Actor, P], T]) -> Callable[Concatenate[Wiring, Actor, P], T]:
        @wraps(read)
        def ask(wiring: Wiring, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> T:
            if not _sharing_s[0]:
                return read(wiring, actor, *args, **kwargs)
            moved = now(wiring)
            seen = _visible(wiring, actor, moved)
            mine, store = tuple(row.id for row in seen.rows), str(wiring.engine.url)
            key = (read, store, mine, args, tuple(sorted(kwargs.items())))
            at = wiring.clock.monotonic()
            held = _shown(key, moved, at, at_most_s, of)
            if held is not None:
                known: T = held.value
                return known
            try:
                with looking(seen):
                    value = read(wiring, actor, *args, **kwargs)
                _hold(key, _Held(at, moved, value, at, lambda: ask(wiring, actor, *args, **kwargs)))
            finally:
                with _lock:
                    _being_read.discard(key)
            return value

        return ask

    return around


def _shown(key: _Key, moved: Numbers, at: float, at_most_s: float, of: Callable[[Numbers], Hashable]) -> _Held | None:
    """What is held and may be shown; None: whoever asks reads it anew.

    Others show what there is meanwhile, but nothing from before a person's deed.
    """
    since: float | None = getattr(_keeping, "since", None)
    with _lock:
        held = _held.get(key)
        if held is not None and since is None:
            held.asked_at = at
            _held.move_to_end(key)
        if held is not None and _still_shown(held, moved, at - _slack_s(key[1], at), at_most_s, of):
            return held
        young = held is not None and at - held.at < _LONGEST_S and held.numbers.desk == moved.desk
        if young and key in _being_read:
            return held
        _being_read.add(key)
    return None


def _hold(key: _Key, new: _Held) -> None:
    with _lock:
        held = _held.get(key)
        if held is not None and getattr(_keeping, "since", None) is not None:
            new.asked_at = held.asked_at  # nobody looked: it was brought up to date
        _held[key] = new
        while len(_held) > _MOST_HELD:
            _held.popitem(last=False)


def _slack_s(store: str, at: float) -> float:
    """How much longer a reading may be shown because a newer one is on its way: nothing where nobody brings it.

    Whoever brings it does so before the time is over.
    """
    if getattr(_keeping, "since", None) is not None:
        return -float(_keeping.every_s)
    when, every_s = _kept_up.get(store, (at, 0.0))
    return 1.5 * every_s if at - when < 3 * every_s else 0.0


def _still_shown(held: _Held, moved: Numbers, at: float, at_most_s: float, of: Callable[[Numbers], Hashable]) -> bool:
    since: float | None = getattr(_keeping, "since", None)
    if since is not None and held.at >= since:
        return True
    age_s = at - held.at
    if of(held.numbers) == of(moved):
        return age_s < at_most_s
    return age_s < min(_resting_s[0], at_most_s) and held.numbers.desk == moved.desk


def _visible(wiring: Wiring, actor: Actor, moved: Numbers) -> Seen:
    """Role and accounts of this person, asked again whenever a person did anything: a grant that ended ends here too."""
    who, stands = (str(wiring.engine.url), actor.user_id, actor.role.value), desk_only(moved)
    with _lock:
        known = _seen.get(who)
    if known is not None and known[0] == stands:
        return known[1]
    with reading(wiring.engine) as session:
        role = present_role(session, actor)
        seen = Seen(actor.user_id, role, tuple(visible_to(session, actor, role)))
    with _lock:
        _seen[who] = (stands, seen)
    return seen
