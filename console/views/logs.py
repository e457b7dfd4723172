"""로그: what the bots say, as it arrives."""

from __future__ import annotations

import streamlit as st

from console.components.bar import bar
from console.components.choices import account_filter
from console.components.frame import me, t, wiring
from console.components.rows import log_table
from console.components.table import note
from console.services import logs
from shared.store.panels import SEARCHED, LogFilter


@st.fragment(run_every="2s")
def _live(account_id: int | None, levels: frozenset[str], text: str) -> None:
    rows = logs.newest(wiring(), me(), LogFilter(levels=levels, text=text), account_id=account_id)
    log_table(rows)
    if levels or text:
        note(t("logs.searched", n=f"{SEARCHED:,}"))
    if len(rows) == logs.LIMIT:
        note(t("logs.limit", n=logs.LIMIT))


bar()
st.title(t("nav.logs"))
first, second, third = st.columns([2, 2, 2])
with first:
    account = account_filter()
chosen = second.pills(t("col.level"), logs.LEVELS, selection_mode="multi", key="levels")
text = third.text_input(t("logs.search"), key="log_text", max_chars=80)
_live(account, frozenset(chosen or ()), text.strip())
