"""Acting: show a refusal as what / why / now, ask before danger, repeat account and environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from console.components import frame
from console.components.frame import in_words, lang, t, wiring
from console.services import changes
from console.services.people import actor_of
from console.services.permissions import refuse
from shared.domain.errors import Forbidden, TradingError

_NOTICE = "notice"
_WAITS = "second_admin"  # not refused: another Admin is asked


def attempt(action: Callable[[], object], done: str) -> bool:
    """Run a service call from a callback: a toast when it worked, else the refusal stays on the page."""
    if not prepare(action):
        return False
    changes.forget()
    st.toast(done, icon=":material/check:")
    return True


def _do(action: Callable[[], object]) -> None:
    """Whoever acts is signed in at this moment: his session may have been ended since the page was drawn."""
    if actor_of(wiring(), frame.session_cookie()) is None:
        raise refuse(Forbidden, "signed_out", lang())
    action()


def prepare(action: Callable[[], object]) -> bool:
    """Read what was typed, from a callback, before a question opens; a refusal stays on the page."""
    try:
        _do(action)
    except TradingError as refusal:
        st.session_state[_NOTICE] = refusal
        return False
    st.session_state.pop(_NOTICE, None)
    return True


def notice() -> None:
    """Draw the last refusal of this page, once."""
    refusal = st.session_state.pop(_NOTICE, None)
    if isinstance(refusal, TradingError):
        show(refusal)


def show(refusal: TradingError) -> None:
    """What happened, why, what to do now. What only waits for a second Admin is no failure."""
    told = "\n\n".join(
        (f"**{plain(in_words(refusal.what))}**", plain(in_words(refusal.why)), plain(in_words(refusal.now)))
    )
    if refusal.code == _WAITS:
        st.info(told, icon=":material/how_to_reg:")
    else:
        st.error(told, icon=":material/block:")


def plain(text: str) -> str:
    """Names typed by people must not become Markdown."""
    return "".join("\\" + sign if sign in "\\`*_{}[]()#+!|<>$~:" else sign for sign in text)


def in_dialog(action: Callable[[], object], done: str) -> None:
    """Run a service call inside a dialog: closes it when it worked or waits for a second Admin, else says why and stays."""
    try:
        _do(action)
    except TradingError as refusal:
        if refusal.code != _WAITS:
            show(refusal)
            return
        st.session_state[_NOTICE] = refusal
        close()
        st.rerun()
    changes.forget()
    close()
    st.toast(done, icon=":material/check:")
    st.rerun()


def instead(action: Callable[[], object]) -> None:
    """Run a service call that opens the next dialog itself; a refusal is shown and the present one stays."""
    try:
        _do(action)
    except TradingError as refusal:
        show(refusal)
        return
    changes.forget()
    st.rerun()


def open_dialog(name: str, **values: object) -> None:
    """Remember which question is open; it is drawn by the page on each run until answered.

    For a button's `on_click`: what refreshes must know before the page is drawn that it stands still now.
    """
    st.session_state["dialog"] = (name, values)


def opened(name: str) -> dict[str, Any] | None:
    """The values of the open question `name`, or None."""
    held = st.session_state.get("dialog")
    return held[1] if held and held[0] == name else None


def any_open() -> bool:
    return "dialog" in st.session_state


def close() -> None:
    st.session_state.pop("dialog", None)


def cancel_button() -> None:
    if st.button(t("deed.back"), key="dialog_back", width="stretch"):
        close()
        st.rerun()
