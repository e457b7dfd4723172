"""What refreshes by itself, and stands still while a question is open or a text is being edited."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from console.components import confirm
from console.components.figures import clock
from console.components.frame import t, wiring
from console.components.table import note

P = ParamSpec("P")
_HELD = "held_still"


def live(every: float) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Draw a panel anew every so many seconds; while a person decides or writes it stands still and says since when.

    A number, never "2s": Streamlit reads such a text with pandas, which costs the process 70 MB.

    The bar on top of the page is no such panel: kill switch and silence of bots are always shown as they are.
    """

    def around(draw: Callable[P, None]) -> Callable[P, None]:
        @wraps(draw)
        def still(*args: P.args, **kwargs: P.kwargs) -> None:
            draw(*args, **kwargs)
            note(t("live.paused", at=clock(wiring().clock.wall_now())))

        moving, standing = st.fragment(draw, run_every=every), st.fragment(still)

        @wraps(draw)
        def panel(*args: P.args, **kwargs: P.kwargs) -> None:
            (standing if busy() else moving)(*args, **kwargs)

        return panel

    return around


def busy() -> bool:
    """True while a question is open, or a text was changed and not saved."""
    return confirm.any_open() or bool(st.session_state.get(_HELD))


def hold(name: str) -> None:
    """Begin to edit `name`: for the callback of what a person types into."""
    st.session_state.setdefault(_HELD, set()).add(name)


def let_go(name: str) -> None:
    """What was edited is saved, or given up."""
    st.session_state.get(_HELD, set()).discard(name)


def turned_to(page: str) -> None:
    """Another page: what was typed on the last one is gone, and so is its hold."""
    if st.session_state.get("page_shown") != page:
        st.session_state["page_shown"] = page
        st.session_state.pop(_HELD, None)
