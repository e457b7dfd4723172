"""잔고·포지션: what every account holds, whether a stop watches it, how old each number is."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from console.components.bar import bar
from console.components.figures import amount, moved
from console.components.frame import me, t, wiring
from console.components.rows import cash_table, position_table
from console.components.table import facts
from console.services import holdings
from console.services.holdings import PositionLine


@st.fragment(run_every="2s")
def _positions() -> None:
    rows, now = holdings.positions(wiring(), me()), wiring().clock.wall_now()
    if rows:
        facts(_sums(rows), name="position_sums")
    position_table(rows, now)
    st.subheader(t("positions.cash"))
    cash_table(holdings.cash(wiring(), me()), now)


def _sums(rows: list[PositionLine]) -> list[tuple[str, object]]:
    """One figure per currency; a position without a price makes its sum say so."""
    shown: list[tuple[str, object]] = []
    for currency in sorted({row.currency for row in rows}):
        mine = [row for row in rows if row.currency == currency]
        known = [row for row in mine if row.value is not None]
        missing = len(mine) - len(known)
        gap = f" ({t('sum.unknown', n=missing)})" if missing else ""
        value = sum((row.value for row in known if row.value is not None), Decimal(0))
        pnl = sum((row.unrealized_pnl for row in known if row.unrealized_pnl is not None), Decimal(0))
        shown.append((f"{t('col.value')} {currency}{gap}", amount(value, currency) if known else "—"))
        shown.append((f"{t('col.unrealized')} {currency}{gap}", moved(pnl, amount(pnl, currency)) if known else "—"))
    return shown


bar()
st.title(t("nav.positions"))
_positions()
