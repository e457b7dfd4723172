"""What a run of a page has drawn reaches the browser whole, however the timers of its panels fall.

Streamlit loses some of it in two ways, the busier machine and network are the more often (decision 0015):

- A panel that asks while its page is drawn runs right after it, and what the page had drawn there is taken out of what
  waits to be sent. The browser closes the gap at the page's end, and puts the panel where by now something else stands.
- A panel that asks when its page's run has just ended begins a run of its own, and from then on nobody hears of the
  page's: what a click did is done, and not seen.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import RerunData

_clear = ForwardMsgQueue.clear
_start = AppSession._create_scriptrunner
_waiting: WeakKeyDictionary[AppSession, list[RerunData]] = WeakKeyDictionary()


def send_whole_pages() -> None:
    """Have every session do so; call before the first one begins."""
    ForwardMsgQueue.clear = _keep  # type: ignore[method-assign]
    AppSession._create_scriptrunner = _begin  # type: ignore[method-assign]


def _keep(
    queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
) -> None:
    """A page that is drawn anew replaces what waits; a panel comes after it, and is not folded into what it follows."""
    if retain_lifecycle_msgs and fragment_ids_this_run:
        queue._delta_index_map = {}
    else:
        _clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)


def _begin(session: AppSession, asked: RerunData) -> None:
    """A page begins at once. A panel's run begins when all has been taken in that the run before it has drawn."""
    if session._scriptrunner is None:
        _run(session, [*_waiting.pop(session, ()), asked])
    elif session in _waiting:
        _waiting[session].append(asked)
    else:
        # What an ended run drew is in this loop's queue already: whatever is added now comes after it.
        _waiting[session] = [asked]
        session._event_loop.call_soon(lambda: _run(session, _waiting.pop(session, [])))


def _run(session: AppSession, asked: list[RerunData]) -> None:
    """In the order in which they were asked: a later answer of a person must not be undone by an earlier one."""
    if session._state == AppSessionState.SHUTDOWN_REQUESTED:
        return
    for place, one in enumerate(asked):
        if place == 0:
            _start(session, one)
        elif session._scriptrunner is None or not session._scriptrunner.request_rerun(one):
            _begin(session, one)
