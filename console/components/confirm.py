"""Acting: show a refusal as what / why / now, ask before danger, repeat account and environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from console.components.frame import t
from console.services import overview
from shared.domain.errors import TradingError

_NOTICE = "notice"


def attempt(action: Callable[[], object], done: str) -> bool:
    """Run a service call from a callback: a toast when it worked, else the refusal stays on the page."""
    try:
        action()
    except TradingError as refusal:
        st.session_state[_NOTICE] = refusal
        return False
    overview.forget()
    st.session_state.pop(_NOTICE, None)
    st.toast(done, icon=":material/check:")
    return True


def notice() -> None:
    """Draw the last refusal of this page, once."""
    refusal = st.session_state.pop(_NOTICE, None)
    if isinstance(refusal, TradingError):
        show(refusal)


def show(refusal: TradingError) -> None:
    """What happened, why, what to do now."""
    st.error(f"**{plain(refusal.what)}**\n\n{plain(refusal.why)}\n\n{plain(refusal.now)}", icon=":material/block:")


def plain(text: str) -> str:
    """Names typed by people must not become Markdown."""
    return "".join("\\" + sign if sign in "\\`*_{}[]()#+!|<>$~:" else sign for sign in text)


def in_dialog(action: Callable[[], object], done: str) -> None:
    """Run a service call inside a dialog: closes it when it worked, else says why and stays."""
    try:
        action()
    except TradingError as refusal:
        show(refusal)
        return
    overview.forget()
    close()
    st.toast(done, icon=":material/check:")
    st.rerun()


def instead(action: Callable[[], object]) -> None:
    """Run a service call that opens the next dialog itself; a refusal is shown and the present one stays."""
    try:
        action()
    except TradingError as refusal:
        show(refusal)
        return
    overview.forget()
    st.rerun()


def open_dialog(name: str, **values: object) -> None:
    """Remember which question is open; it is drawn by the page on each run until answered."""
    st.session_state["dialog"] = (name, values)


def opened(name: str) -> dict[str, Any] | None:
    """The values of the open question `name`, or None."""
    held = st.session_state.get("dialog")
    return held[1] if held and held[0] == name else None


def close() -> None:
    st.session_state.pop("dialog", None)


def cancel_button() -> None:
    if st.button(t("deed.back"), key="dialog_back", width="stretch"):
        close()
        st.rerun()
