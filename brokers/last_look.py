"""The last look at an order, taken when the next thing that happens is its socket write.

Between a sender's gates and the wire lie a token, a turn, a connection; the whole process may be frozen there. What the
gates said is old by then: the sender hands his question down here, and the one send door asks it again. It travels with
the task, not through the adapters, so that no adapter can forget to pass it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Look = Callable[[], str | None]  # why nothing may leave now; None lets it out

_LOOK: ContextVar[Look | None] = ContextVar("last_look", default=None)


@contextmanager
def last_look(look: Look) -> Iterator[None]:
    """Whatever is sent inside asks `look` at its socket write; a task that begins inside keeps it."""
    token = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(token)


def why_not() -> str | None:
    """Ask the sender's question now; None without one."""
    look = _LOOK.get()
    return None if look is None else look()
