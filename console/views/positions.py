"""잔고·포지션: what every account holds, whether a stop watches it, how old each number is."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.choices import row_choice
from console.components.figures import Html, age, amount, environment_badge, join, moved, price
from console.components.frame import allowed, lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.order_ticket import follow, followed
from console.components.rows import called, cash_table, position_table
from console.components.table import facts
from console.services import holdings, manual_orders
from console.services.accounts import new_key
from console.services.holdings import PositionLine
from console.services.permissions import Action
from shared.domain.account import Environment


@live(2)
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


def _closer() -> None:
    """Outside what refreshes: choose one position and ask to sell it."""
    rows = {f"{row.account_id}:{row.symbol}": row for row in holdings.positions(wiring(), me())}
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    words = {one: _label(row) for one, row in rows.items()}
    chosen = row_choice(t("close.choose"), words, "close_position", where=left, empty=t("close.nothing"))
    row = None if chosen is None else rows[chosen]
    ready = row is not None and allowed(me(), Action.ORDER_PLACE)
    right.button(t("close.open"), key="close_open", disabled=not ready, width="stretch", on_click=_open, args=(row,))


def _open(row: PositionLine | None) -> None:
    if row is not None:
        confirm.open_dialog("close", row=row, key=new_key())


def _label(row: PositionLine) -> str:
    name = f"{row.symbol} {called(row.symbol, row.currency, row.name)}".strip()
    return f"{row.account} ({t(f'env.{row.environment}')}) · {name} · {row.qty:,}"


def _close_dialog(row: PositionLine, key: str) -> None:
    actor, desk = me(), wiring()
    st.html(join(Html("<strong>"), row.account, Html("</strong> "), environment_badge(row.environment, lang())))
    st.code(_label(row), language=None)
    st.caption(t("close.effect"))
    facts(
        [
            (t("col.last"), price(row.last_price, row.currency)),
            (t("col.value"), amount(row.value, row.currency)),
            (t("col.unrealized"), moved(row.unrealized_pnl, amount(row.unrealized_pnl, row.currency))),
            (t("col.age"), age(row.priced_at, desk.clock.wall_now(), lang())),
        ],
        name="close",
    )
    typed = ""
    if row.environment == Environment.LIVE:
        typed = st.text_input(t("field.confirm_name"), key="close_confirm", live=True, autocomplete="off")
    ready = row.environment != Environment.LIVE or typed == row.account
    shares = row.qty if row.sellable is None else row.sellable
    verb = t("close.do", symbol=row.symbol, n=f"{shares:,}")
    if st.button(verb, key="close_do", type="primary", width="stretch", disabled=not ready):
        confirm.in_dialog(
            lambda: follow(manual_orders.close(desk, actor, row.account_id, row.symbol, key=key, confirm=typed).id),
            t("close.asked"),
        )
    confirm.cancel_button()


bar()
titled("positions")
followed()
_positions()
_closer()
question = confirm.opened("close")
if question is not None:
    st.dialog(t("close.title"), on_dismiss=confirm.close)(_close_dialog)(**question)
