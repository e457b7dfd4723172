"""주문·체결: what was asked of the market and what came back; ask the owning bot to cancel."""

from __future__ import annotations

import json

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.choices import account_filter, row_choice
from console.components.frame import allowed, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.order_ticket import follow, followed, open_ticket, order_ticket, typed_price
from console.components.rows import fill_table, order_label, order_table
from console.components.table import note
from console.components.timeline import timeline
from console.services import manual_orders, orders, rules
from console.services.accounts import new_key
from console.services.orders import OrderLine
from console.services.permissions import Action
from shared.domain.account import Environment
from shared.domain.order_state import OPEN, TERMINAL, UNPROVEN
from shared.store.panels import OrderFilter

_KINDS = {
    "all": frozenset[str](),
    "open": frozenset(status.value for status in OPEN),
    "unproven": frozenset(status.value for status in UNPROVEN),
    "closed": frozenset(status.value for status in TERMINAL),
}


SHOWN = 100  # newest first; the choices above reach the rest


@live(2)
def _orders(account_id: int | None, wanted: OrderFilter) -> None:
    rows = orders.listed(wiring(), me(), account_id=account_id, wanted=wanted, limit=SHOWN)
    order_table(rows)
    if len(rows) == SHOWN:
        note(t("orders.limit", n=SHOWN))


@live(2)
def _fills(account_id: int | None, symbol: str) -> None:
    fill_table(orders.fills(wiring(), me(), account_id=account_id, symbol=symbol))


def _timeline_chooser(account_id: int | None, wanted: OrderFilter) -> None:
    """Outside what refreshes: which order's life is shown."""
    shown = orders.listed(wiring(), me(), account_id=account_id, wanted=wanted, limit=SHOWN)
    rows = {row.id: row for row in shown}
    words = {one: order_label(row) for one, row in rows.items()}
    chosen = row_choice(t("orders.choose_timeline"), words, "timeline_order")
    if chosen is not None:
        _timeline(chosen)
        with st.expander(t("orders.answer")):
            answer = orders.broker_answer(wiring(), me(), chosen)
            if answer is None:
                note(t("orders.no_answer"))
            else:
                st.code(json.dumps(answer, ensure_ascii=False, indent=1, default=str), language="json")


@live(2)
def _timeline(order_id: int) -> None:
    timeline(orders.history(wiring(), me(), order_id))


def _chooser(account_id: int | None) -> None:
    """Outside what refreshes: the choice stays while the table moves."""
    rows = {row.id: row for row in orders.open_orders(wiring(), me(), account_id=account_id) if row.cancelable}
    left, middle, right = st.columns([4, 1, 1], vertical_alignment="bottom")
    words = {one: order_label(row) for one, row in rows.items()}
    chosen = row_choice(t("orders.choose_cancel"), words, "cancel_order", where=left, empty=t("orders.none_cancelable"))
    order = None if chosen is None else rows[chosen]
    may_amend = order is not None and allowed(me(), Action.ORDER_AMEND)
    ready = order is not None and allowed(me(), Action.ORDER_CANCEL)
    for cell, name, label, may in (
        (middle, "amend", t("amend.title"), may_amend),
        (right, "cancel", t("orders.cancel"), ready),
    ):
        cell.button(label, key=f"{name}_open", disabled=not may, width="stretch", on_click=_open, args=(name, order))


def _open(name: str, order: OrderLine | None) -> None:
    if order is not None:
        confirm.open_dialog(name, order=order, key=new_key())


def _cancel_dialog(order: OrderLine, key: str) -> None:
    actor, desk = me(), wiring()
    st.markdown(t("orders.cancel_question"))
    st.code(order_label(order), language=None)
    st.caption(t("orders.cancel_effect", env=t(f"env.{order.environment}")))
    if st.button(t("orders.cancel_do"), key="cancel_do", type="primary", width="stretch"):
        confirm.in_dialog(
            lambda: follow(orders.request_cancel(desk, actor, order.id, key=key).id), t("orders.cancel_asked")
        )
    confirm.cancel_button()


def _amend_dialog(order: OrderLine, key: str) -> None:
    actor, desk = me(), wiring()
    left = order.qty - order.filled_qty
    st.code(order_label(order), language=None)
    st.caption(t("amend.effect", left=f"{left:,}"))
    one, two = st.columns(2)
    typed = one.text_input(
        f"{t('col.price')} ({order.currency})", "" if order.price is None else f"{order.price:f}", key="amend_price"
    )
    quantity = two.number_input(t("col.quantity"), 1, max(left, 1), max(left, 1), key="amend_quantity")
    name = ""
    if order.environment == Environment.LIVE:
        name = st.text_input(t("field.confirm_name"), key="amend_confirm", live=True, autocomplete="off")
    at = typed_price(typed)
    if (
        st.button(t("amend.do"), key="amend_do", type="primary", width="stretch", disabled=at is None)
        and at is not None
    ):
        share = None if quantity == left else int(quantity)
        confirm.in_dialog(
            lambda: follow(
                manual_orders.amend(desk, actor, order.id, price=at, quantity=share, key=key, confirm=name).id
            ),
            t("amend.asked"),
        )
    confirm.cancel_button()


bar()
titled("orders")
confirm.notice()
first, second, third, fourth, fifth = st.columns([3, 4, 2, 3, 2], vertical_alignment="bottom")
with first:
    account = account_filter()
kind = second.segmented_control(
    t("orders.kind"),
    list(_KINDS),
    default="all",
    required=True,
    format_func=lambda one: t(f"orders.kind.{one}"),
    key="kind",
)
symbol = third.text_input(t("col.symbol"), key="symbol", max_chars=16).strip().upper()
known_rules = {line.id: line for line in rules.shown(wiring(), me(), account_id=account)}
rule = fourth.selectbox(
    t("orders.rule"),
    [None, *known_rules],
    format_func=lambda one: f"#{one} {known_rules[one].name}" if one in known_rules else t("orders.all_rules"),
    key="rule_filter",
)
may_place = account is not None and allowed(me(), Action.ORDER_PLACE)
fifth.button(
    t("ticket.new"),
    key="ticket_open",
    icon=":material/add:",
    width="stretch",
    disabled=not may_place,
    help=None if may_place else t("ticket.choose_account"),
    on_click=open_ticket,
    args=(account or 0, symbol),
)
followed()
asked = OrderFilter(statuses=_KINDS[kind or "all"], symbol=symbol, rule_id=rule)
_orders(account, asked)
_timeline_chooser(account, asked)
_chooser(account)
st.subheader(t("orders.fills"))
_fills(account, symbol)
for name, title, draw in (
    ("cancel", t("orders.cancel"), _cancel_dialog),
    ("amend", t("amend.title"), _amend_dialog),
):
    question = confirm.opened(name)
    if question is not None:
        st.dialog(title, on_dismiss=confirm.close)(draw)(**question)
order_ticket()
