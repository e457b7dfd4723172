"""계좌: one account, everything about it: what it does, holds, ordered, decided and said; its keys and limits."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.choices import account_choice
from console.components.commands import command_table
from console.components.figures import (
    Html,
    ago,
    environment_badge,
    join,
    mark,
    money,
    moved_money,
    span,
    token_left,
)
from console.components.frame import allowed, lang, me, t, wiring
from console.components.help import titled
from console.components.order_ticket import followed, open_ticket, order_ticket
from console.components.reasons import decision_table
from console.components.rows import cash_table, fill_table, log_table, order_table, position_table
from console.components.secret import secret_input
from console.components.table import facts, note
from console.services import accounts, holdings, logs, orders, overview
from console.services.accounts import Keys, Limits, new_key
from console.services.overview import Trouble
from console.services.permissions import Action, refuse
from shared.domain.account import Environment
from shared.domain.errors import Conflict
from shared.models import BrokerageAccount
from shared.store.panels import LogFilter

_TONES = {Trouble.ACT: "act", Trouble.WATCH: "watch", Trouble.FINE: "fine", Trouble.OFF: "off"}
_SECTIONS = ("summary", "orders", "fills", "decisions", "logs", "settings")
_SECRETS = ("set_app_key", "set_app_secret", "set_account_no", "set_hts_id")


@st.fragment(run_every="2s")
def _head(account_id: int) -> None:
    view = overview.overview(wiring(), me(), only=account_id)
    line = view.lines[0]
    wanted = t("desired.on") if line.enabled else t("desired.off")
    state = mark(_TONES[line.trouble], f"{wanted} → {t(f'status.{line.status}')}")
    facts(
        [
            (t("col.state"), join(state, span("lt-sub", line.why) if line.why else Html(""))),
            (t("col.heartbeat"), ago(line.heartbeat_age_s, lang())),
            (t("col.feed"), ago(line.feed_age_s, lang())),
            (t("col.pnl_today"), moved_money(line.pnl_today)),
            (t("col.equity"), money(line.equity)),
            (t("col.cash"), money(line.cash)),
            (t("col.token"), token_left(line.token_expires_at, view.as_of, lang())),
        ],
        name="account_head",
    )


def _switch(row: BrokerageAccount) -> None:
    """Start and stop; the dialog repeats account and environment."""
    actor = me()
    one, two, three, four, _ = st.columns([1, 1, 1, 1, 1])
    may_start, may_stop = allowed(actor, Action.ACCOUNT_START), allowed(actor, Action.ACCOUNT_STOP)
    idle = overview.startable(wiring(), actor, row)
    kind = "primary" if idle else "secondary"
    if one.button(t("account.start"), key="start", type=kind, width="stretch", disabled=not (may_start and idle)):
        confirm.open_dialog("start", row=row)
    if two.button(t("account.stop"), key="stop", width="stretch", disabled=not (may_stop and row.enabled)):
        confirm.open_dialog("stop", row=row)
    three.button(
        t("account.test_key"),
        key="test_key",
        width="stretch",
        disabled=not allowed(actor, Action.KEY_TEST),
        on_click=_test_key,
        args=(row.id, st.session_state.setdefault("test_key_id", new_key())),
        help=t("account.test_key_help"),
    )
    may_place = allowed(actor, Action.ORDER_PLACE)
    if four.button(t("ticket.new"), key="ticket_open", icon=":material/add:", width="stretch", disabled=not may_place):
        open_ticket(row.id or 0)
    followed()


def _test_key(account_id: int, key: str) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(lambda: accounts.test_key(desk, actor, account_id, key=key), t("account.test_key_asked"))
    st.session_state["test_key_id"] = new_key()


def _start_dialog(row: BrokerageAccount) -> None:
    actor, desk = me(), wiring()
    _repeat(row)
    st.markdown(t("account.start_effect"))
    typed = reason = ""
    if row.environment == Environment.LIVE:
        st.warning(t("account.start_live"), icon=":material/warning:")
        typed = st.text_input(t("field.confirm_name"), key="start_confirm", live=True, autocomplete="off")
        reason = st.text_input(t("field.reason"), key="start_reason")
    ready = row.environment != Environment.LIVE or typed == row.nickname
    if st.button(t("account.start_do"), key="start_do", type="primary", width="stretch", disabled=not ready):
        confirm.in_dialog(
            lambda: accounts.start(desk, actor, row.id or 0, confirm=typed, reason=reason), t("account.start_asked")
        )
    confirm.cancel_button()


def _stop_dialog(row: BrokerageAccount) -> None:
    actor, desk = me(), wiring()
    _repeat(row)
    st.markdown(t("account.stop_effect"))
    if st.button(t("account.stop_do"), key="stop_do", type="primary", width="stretch"):
        confirm.in_dialog(lambda: accounts.stop(desk, actor, row.id or 0), t("account.stop_asked"))
    confirm.cancel_button()


def _repeat(row: BrokerageAccount) -> None:
    st.html(join(Html("<strong>"), row.nickname, Html("</strong> "), environment_badge(row.environment, lang())))
    st.caption(f"{row.broker} {row.market} ··{row.last4}")


@st.fragment(run_every="2s")
def _summary(account_id: int) -> None:
    now = wiring().clock.wall_now()
    position_table(holdings.positions(wiring(), me(), account_id=account_id), now, with_account=False)
    cash_table(holdings.cash(wiring(), me(), account_id=account_id), now, with_account=False)
    st.subheader(t("account.commands"))
    command_table(orders.recent_commands(wiring(), me(), account_id), now)


@st.fragment(run_every="2s")
def _orders(account_id: int) -> None:
    order_table(orders.listed(wiring(), me(), account_id=account_id, limit=100), with_account=False)


@st.fragment(run_every="2s")
def _fills(account_id: int) -> None:
    fill_table(orders.fills(wiring(), me(), account_id=account_id), with_account=False)


@st.fragment(run_every="2s")
def _decisions(account_id: int) -> None:
    decision_table(holdings.decisions(wiring(), me(), account_id), wiring().clock.wall_now())


@st.fragment(run_every="2s")
def _logs(account_id: int) -> None:
    log_table(logs.newest(wiring(), me(), LogFilter(), account_id=account_id, limit=100), with_account=False)


def _settings(account_id: int) -> None:
    row = accounts.detail(wiring(), me(), account_id)
    may = allowed(me(), Action.CREDENTIAL_SET)
    if not may:
        note(t("page.admin_only"))
    st.subheader(t("account_new.limits"))
    _limit_form(row, disabled=not may)
    st.subheader(t("account.replace_keys"))
    _key_form(row, disabled=not may)


def _limit_form(row: BrokerageAccount, *, disabled: bool) -> None:
    names = ("max_order_amount", "max_symbol_amount", "max_daily_buy", "max_daily_loss")
    for column, name in zip(st.columns(4), names, strict=True):
        present = getattr(row, name)
        shown = "" if present is None else f"{present:f}"
        column.text_input(t(f"limit.{name}"), shown, key=f"limit_{name}_{row.id}", disabled=disabled)
    present_trades = row.max_trades_per_day or 0
    st.number_input(
        t("limit.max_trades_per_day"), 0, 10_000, present_trades, key=f"limit_trades_{row.id}", disabled=disabled
    )
    st.text_input(t("field.reason"), key="limit_reason", disabled=disabled)
    st.button(t("limit.save"), key="limit_save", disabled=disabled, on_click=_save_limits, args=(row.id, names))


def _save_limits(account_id: int, names: tuple[str, ...]) -> None:
    actor, desk, state = me(), wiring(), st.session_state

    def save() -> None:
        amounts = [_decimal(name, str(state[f"limit_{name}_{account_id}"])) for name in names]
        limits = Limits(*amounts, max_trades_per_day=int(state[f"limit_trades_{account_id}"]))
        accounts.set_limits(desk, actor, account_id, limits, reason=str(state["limit_reason"]))

    confirm.attempt(save, t("limit.saved"))


def _decimal(name: str, typed: str) -> Decimal | None:
    plain = typed.replace(",", "").strip()
    if not plain:
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise refuse(Conflict, "bad_limit", me().lang, name=t(f"limit.{name}")) from None


def _key_form(row: BrokerageAccount, *, disabled: bool) -> None:
    one, two = st.columns(2)
    secret_input(one, t("field.app_key"), key="set_app_key", disabled=disabled)
    secret_input(two, t("field.app_secret"), key="set_app_secret", disabled=disabled)
    three, four = st.columns(2)
    three.text_input(t("field.account_no"), key="set_account_no", disabled=disabled, autocomplete="off")
    four.text_input(t("field.hts_id"), key="set_hts_id", disabled=disabled, autocomplete="off")
    if row.environment == Environment.LIVE:
        st.text_input(t("field.confirm_name"), key="set_confirm", disabled=disabled, autocomplete="off")
    st.button(t("account.save_keys"), key="set_submit", disabled=disabled, on_click=_save_keys, args=(row.id,))
    st.caption(t("account_new.sealed"))


def _save_keys(account_id: int) -> None:
    actor, desk, state = me(), wiring(), st.session_state
    keys = Keys(*(str(state[name]) for name in _SECRETS))
    typed = str(state.get("set_confirm", ""))
    if confirm.attempt(
        lambda: accounts.set_credentials(desk, actor, account_id, keys, confirm=typed), t("account.keys_saved")
    ):
        for name in _SECRETS:
            state[name] = ""


_DRAW = {
    "summary": _summary,
    "orders": _orders,
    "fills": _fills,
    "decisions": _decisions,
    "logs": _logs,
    "settings": _settings,
}

bar()
titled("account")
confirm.notice()
chosen = account_choice()
if chosen is None:
    st.html(f'<p class="lt-empty" data-table="account">{t("empty.accounts")}</p>')
else:
    account_row = accounts.detail(wiring(), me(), chosen)
    _head(chosen)
    _switch(account_row)
    section = st.segmented_control(
        t("account.section"),
        _SECTIONS,
        default="summary",
        required=True,
        format_func=lambda one: t(f"section.{one}"),
        key="section",
        label_visibility="collapsed",
    )
    _DRAW[section or "summary"](chosen)
    for name, draw in (("start", _start_dialog), ("stop", _stop_dialog)):
        question = confirm.opened(name)
        if question is not None:
            st.dialog(t(f"account.{name}"), on_dismiss=confirm.close)(draw)(**question)
    order_ticket()
