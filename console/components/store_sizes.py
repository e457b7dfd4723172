"""The store's size by table with what is kept how long, and the line that changes come by."""

from __future__ import annotations

import streamlit as st

from console.cloud.changes import Line
from console.components.figures import age, mark
from console.components.frame import lang, me, t, wiring
from console.components.table import Column, note, table
from console.services import store_sizes
from console.services.store_sizes import FREE_TIER_BYTES, Sizes, TableSize

_TONES = {Line.LIVE: "fine", Line.POLLING: "watch", Line.OFF: "off"}


def store_sizes_panel() -> None:
    """Draw it; the tables of a large file are measured when somebody asks, and stay as they were then."""
    told = store_sizes.sizes(wiring(), me())
    st.html(mark(_TONES[told.line], t(f"sizes.line.{told.line.value}", why=told.why)))
    if told.tables is None:
        told = _measured()
    if told.tables is None:
        return
    columns = [Column(t("system.table")), Column(t("sizes.size"), numeric=True), Column(t("sizes.kept"), wide=True)]
    body = [[one.table, f"{one.bytes / 1e6:,.1f} MB", _kept(one)] for one in told.tables]
    table(columns, body, name="store_sizes", empty=t("sizes.untold"))
    if told.hosted:
        note(_free_tier(told))


def _measured() -> Sizes:
    """What was measured last in this sign-in, with its age; measured anew at the button."""
    now = wiring().clock.wall_now()
    if st.button(t("sizes.measure"), icon=":material/straighten:", help=t("sizes.measure_help")):
        st.session_state["store_sizes"] = (now, store_sizes.sizes(wiring(), me(), measure=True))
    at, told = st.session_state.get("store_sizes", (now, Sizes(False, None, Line.OFF, "")))
    if told.tables is not None:
        note(t("sizes.measured", age=age(at, now, lang())))
    return told


def _kept(one: TableSize) -> str:
    place = 0 if lang() == "ko" else -1
    parts = [t("sizes.after", days=days, becomes=becomes.split(" · ")[place]) for days, becomes in one.kept]
    return "; ".join(parts) or t("sizes.for_good")


def _free_tier(told: Sizes) -> str:
    share = told.shown_bytes / FREE_TIER_BYTES * 100
    return t("sizes.free_tier", share=f"{share:.0f}")
