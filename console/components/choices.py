"""Choices that pages share; they live in the URL, so a reload or a sent link shows the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from console.components.frame import me, t, wiring
from console.services import people
from console.services.accounts import names

K = TypeVar("K")


def row_choice(
    label: str,
    words: Mapping[K, str],
    key: str,
    *,
    where: DeltaGenerator | None = None,
    empty: str = "",
    index: int | None = None,
) -> K | None:
    """One of rows that move: an order that fills in part meanwhile stays chosen, and no two rows read alike.

    Streamlit sends the words of an option back, not the option. When a row's words have changed since they were drawn,
    what was chosen is lost; and of rows with the same words it takes the last, whichever was clicked.
    """
    told = _apart(words)
    drawn: Mapping[K, str] = st.session_state.get(f"{key}:words", {})
    held = st.session_state.get(key)  # read with the words of the last drawing
    if held in told and drawn.get(held, told[held]) != told[held]:
        st.session_state[key] = held
    st.session_state[f"{key}:words"] = told
    chosen: K | None = (where or st).selectbox(
        label, list(told), index=index, key=key, format_func=lambda one: told.get(one, f"#{one}"),
        placeholder=empty if empty and not told else t("choice.none"),
    )  # fmt: skip
    return chosen if chosen in told else None


def _apart(words: Mapping[K, str]) -> dict[K, str]:
    """Rows that read alike, numbered."""
    seen: Counter[str] = Counter()
    told = {}
    for row, said in words.items():
        seen[said] += 1
        told[row] = said if seen[said] == 1 else f"{said} ({seen[said]})"
    return told


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
