"""Choices that pages share; they live in the URL, so a reload or a sent link shows the same."""

from __future__ import annotations

import streamlit as st

from console.components.frame import me, t, wiring
from console.services import people
from console.services.accounts import names


def account_filter() -> int | None:
    """All accounts, or one."""
    known = names(wiring(), me())
    return st.selectbox(
        t("col.account"),
        [None, *known],
        format_func=lambda one: t("choice.all_accounts") if one is None else known.get(one, f"#{one}"),
        key="account_filter",
    )


def owner_name(name: str) -> str:
    """The owner that a desk begins with has no name of its own."""
    return t("owner.desk") if name == "desk" else name


def account_choice(key: str = "account") -> int | None:
    """One account, from `?account=3`; None on an empty desk."""
    known = names(wiring(), me())
    if not known:
        return None
    asked = st.query_params.get("account", "")
    if key not in st.session_state and asked.isdigit() and int(asked) in known:
        st.session_state[key] = int(asked)
    chosen = st.selectbox(t("col.account"), list(known), format_func=lambda one: known.get(one, f"#{one}"), key=key)
    if chosen is not None:
        st.query_params["account"] = str(chosen)
    return chosen


def up_is_red() -> bool:
    """The Korean habit (up red, down blue) unless the person chose up green, down red."""
    return people.colours(wiring(), me()) == "red"


def colour_style() -> None:
    """The person's colours for every figure of this page."""
    if not up_is_red():
        st.html("<style>:root{--lt-up:light-dark(#2f7d4f,#6fc492);--lt-down:light-dark(#c0292e,#ff8682)}</style>")
