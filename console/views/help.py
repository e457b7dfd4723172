"""도움말: the guides of the repository, readable without leaving the desk."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from console.components.bar import bar
from console.components.frame import lang, me, t
from console.components.help import GUIDES
from console.components.table import note

ROOT = Path(__file__).resolve().parents[2]
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")  # pictures are not served here
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)(?:docs/)?([^)#]*)[^)]*\)")


def _text(name: str) -> str:
    """The guide in the person's language where it is written in it; its links lead to guides that are read here."""
    if name == "README":
        path = ROOT / ("README.ko.md" if lang() == "ko" else "README.md")
    else:
        path = ROOT / "docs" / f"{name}.md"
    return _LINK.sub(_linked, _PICTURE.sub("", path.read_text(encoding="utf-8")))


def _linked(found: re.Match[str]) -> str:
    words, name = found[1], found[2].removesuffix(".md").removesuffix(".ko")
    return f"[{words}](/help?doc={name})" if name in GUIDES else words


bar()
me()
st.title(t("nav.help"))
asked = st.query_params.get("doc", GUIDES[0])
if "help_doc" not in st.session_state:
    st.session_state["help_doc"] = asked if asked in GUIDES else GUIDES[0]
chosen = st.selectbox(t("help.choose"), GUIDES, key="help_doc", format_func=lambda one: t(f"help.doc.{one}"))
st.query_params["doc"] = str(chosen or GUIDES[0])
if lang() == "ko" and chosen not in (None, "README"):
    note(t("help.in_english"))
st.markdown(_text(chosen or GUIDES[0]))
