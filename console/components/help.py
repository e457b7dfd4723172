"""The title of a page, with what the page is for and where the guide says more."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from console.components.frame import lang, t
from console.components.table import link
from shared.words import WORDS

GUIDES = (
    "README", "rules", "strategy-guide", "research", "operations", "telegram", "cli", "api", "deploy", "security",
    "supabase", "architecture", "adding-a-broker",
)  # fmt: skip
_GUIDE_OF = {
    "rules": "rules", "research": "research", "system": "operations", "alerts": "operations", "inbox": "operations",
    "logs": "operations", "risk": "operations", "schedule": "operations", "people": "security",
}  # fmt: skip


def titled(page: str) -> None:
    """Draw the title of the page, its help behind a question mark."""
    left, right = st.columns([9, 1], vertical_alignment="center")
    left.title(t(f"nav.{page}"))
    if f"help.{page}" in WORDS:
        with right:
            help_of(page)


def help_of(page: str, width: Literal["stretch", "content"] = "stretch") -> None:
    """Draw the question mark of a page."""
    with st.popover(t("help.open"), icon=":material/help:", width=width):
        st.markdown(t(f"help.{page}"))
        guide = _GUIDE_OF.get(page, "README")
        st.html(link(f"/help?doc={guide}&lang={lang()}", t("help.more")))
