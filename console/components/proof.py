"""Fields to sign again with: the password, and the code of who has a second factor."""

from __future__ import annotations

import streamlit as st

from console.components.frame import me, t, wiring
from console.components.secret import secret_input
from console.services.proof import asks_code


def proof_fields(name: str) -> None:
    """Draw the fields; `name` keeps those of several dialogs apart."""
    if asks_code(wiring(), me()):
        left, right = st.columns(2)
        right.text_input(t("factor.code"), key=f"{name}_code", autocomplete="one-time-code", max_chars=24)
    else:
        left = st.container()
    secret_input(left, t("password.current"), key=f"{name}_password")


def proven(name: str) -> dict[str, str]:
    """What was typed, as the services take it."""
    state = st.session_state
    return {"password": str(state.get(f"{name}_password", "")), "code": str(state.get(f"{name}_code", ""))}
