"""The title of a page, with what the page is for and where the guide says more."""

from __future__ import annotations

import streamlit as st

from console.components.frame import lang, t
from console.components.table import link
from shared.words import WORDS

GUIDES = ("README", "rules", "strategy-guide", "architecture", "adding-a-broker")
_GUIDE_OF = {"rules": "rules", "research": "strategy-guide", "system": "architecture", "account_new": "README"}


def titled(page: str) -> None:
    """Draw the title of the page, its help behind a question mark."""
    left, right = st.columns([9, 1], vertical_alignment="center")
    left.title(t(f"nav.{page}"))
    if f"help.{page}" not in WORDS:
        return
    with right.popover(t("help.open"), icon=":material/help:", width="stretch"):
        st.markdown(t(f"help.{page}"))
        guide = _GUIDE_OF.get(page, "README")
        st.html(link(f"/help?doc={guide}&lang={lang()}", t("help.more")))
