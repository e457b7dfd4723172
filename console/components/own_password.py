"""One's own password on the screen: streamlit-authenticator's reset widget over our own table and session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from console.components import confirm
from console.components.frame import me, session_cookie, t, wiring
from console.passwords import Authenticate
from console.services import changes, own_password
from console.services.proof import asks_code
from shared.domain.errors import TradingError

_WORDS = {
    "Form name": "password.title", "Current password": "password.current", "New password": "password.new",  # pragma: allowlist secret
    "Repeat password": "password.repeat", "Reset": "password.submit",  # pragma: allowlist secret
}  # fmt: skip


class _Decider:
    """Stands where the widget asks its own user file: our service checks, throttles, hashes and writes the audit."""

    def __init__(self, code: str) -> None:
        self._code = code

    def reset_password(
        self, _name: str, current: str, new: str, repeat: str, _callback: Callable[..., Any] | None = None
    ) -> bool:
        desk, token = wiring(), session_cookie() or ""
        own_password.change(desk, me(), current, new, repeat, token=token, code=self._code)
        return True


class _Widgets(Authenticate):  # type: ignore[misc]
    """Its widgets without its cookie: the session of record is ours."""

    def __init__(self, code: str) -> None:
        self.path, self.attrs = None, {"password_instructions": t("password.note")}
        self.authentication_controller = _Decider(code)


def own_password_form() -> None:
    """Draw the widget; a refusal is said in our words."""
    actor, code = me(), ""
    if asks_code(wiring(), actor):
        code = st.text_input(t("factor.code"), key="own_code", autocomplete="one-time-code", max_chars=24)
    st.session_state["authentication_status"] = (
        True  # the gate has let this person in; the widget asks for its own mark
    )
    try:
        fields = {place: t(key) for place, key in _WORDS.items()}
        if _Widgets(code).reset_password(actor.name, fields=fields, clear_on_submit=True, key="own_password"):
            changes.forget()
            st.success(t("password.changed"), icon=":material/check:")
    except TradingError as refusal:
        confirm.show(refusal)
