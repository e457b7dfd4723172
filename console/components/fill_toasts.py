"""A word on the screen for each fill, once: what came while this tab is open, never what was there before."""

from __future__ import annotations

import streamlit as st

from console.components import confirm
from console.components.figures import price
from console.components.frame import me, t, wiring
from console.services import orders

_SEEN = "newest_fill"
_MOST = 3  # a busy desk must not bury the screen


def fill_toasts() -> None:
    """For a panel that refreshes: tell the fills since the last look."""
    rows = orders.fills(wiring(), me(), limit=20)
    newest = max((row.id for row in rows), default=0)
    seen = st.session_state.setdefault(_SEEN, newest)
    fresh = sorted((row for row in rows if row.id > seen), key=lambda row: row.id)
    st.session_state[_SEEN] = max(newest, seen)
    for row in fresh[-_MOST:]:
        told = t(
            "toast.fill", account=row.account, symbol=row.symbol, side=t(f"side.{row.side}"), n=f"{row.qty:,}",
            price=price(row.price, row.currency),
        )  # fmt: skip
        st.toast(confirm.plain(told), icon=":material/swap_horiz:")
    if len(fresh) > _MOST:
        st.toast(t("toast.fills", n=len(fresh) - _MOST), icon=":material/swap_horiz:")
