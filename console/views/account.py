"""계좌: one account, everything about it: what it does, holds, ordered, decided and said; its keys and limits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation

import streamlit as st

from console.components import confirm
from console.components.account_deeds import approval, archive_button, deed_dialogs, deeds
from console.components.bar import bar
from console.components.choices import account_choice
from console.components.commands import command_table
from console.components.figures import Html, ago, amount, join, mark, money, moved_money, part_told, span, token_left
from console.components.frame import allowed, lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.order_ticket import order_ticket
from console.components.reasons import decision_table
from console.components.return_charts import growth_chart
from console.components.rows import cash_table, fill_table, log_table, order_table, position_table, unknown_pnl
from console.components.second_question import Change, Question, ask, second_question
from console.components.secret import secret_input
from console.components.table import facts, link, note
from console.services import accounts, holdings, logs, orders, overview, returns
from console.services.accounts import Keys, Limits
from console.services.overview import Trouble
from console.services.permissions import Action, refuse
from shared.domain.account import Environment, Market
from shared.domain.errors import Conflict
from shared.models import BrokerageAccount
from shared.store.panels import LogFilter
from shared.words import reason_text

_TONES = {Trouble.ACT: "act", Trouble.WATCH: "watch", Trouble.FINE: "fine", Trouble.OFF: "off"}
_SECTIONS = ("summary", "positions", "orders", "fills", "returns", "decisions", "logs", "settings", "credentials")
_AMOUNTS = ("max_order_amount", "max_symbol_amount", "max_daily_buy", "max_daily_loss")
RETURNS_DAYS = 92
_SECRETS = ("set_app_key", "set_app_secret", "set_account_no", "set_hts_id")


@live(2)
def _head(account_id: int) -> None:
    view = overview.overview(wiring(), me(), only=account_id)
    line = view.lines[0]
    wanted = t("desired.on") if line.enabled else t("desired.off")
    state = mark(_TONES[line.trouble], f"{wanted} → {t(f'status.{line.status}')}")
    live_account = line.environment == Environment.LIVE
    approved = [(t("account.approval"), approval(line.armed_until, view.as_of))] if live_account else []
    facts(
        [
            (t("col.state"), join(state, span("lt-sub", reason_text(line.why, lang())) if line.why else Html(""))),
            (t("col.heartbeat"), ago(line.heartbeat_age_s, lang())),
            (t("col.feed"), ago(line.feed_age_s, lang())),
            (t("col.pnl_today"), moved_money(line.pnl_today) if line.pnl_today is not None else unknown_pnl(line)),
            (t("col.equity"), money(line.equity)),
            (t("col.cash"), money(line.cash)),
            (t("col.token"), token_left(line.token_expires_at, view.as_of, lang())),
            *approved,
        ],
        name="account_head",
    )


@live(2)
def _summary(account_id: int) -> None:
    now = wiring().clock.wall_now()
    position_table(holdings.positions(wiring(), me(), account_id=account_id), now, with_account=False)
    st.subheader(t("account.commands"))
    command_table(orders.recent_commands(wiring(), me(), account_id), now)


@live(2)
def _positions(account_id: int) -> None:
    now = wiring().clock.wall_now()
    position_table(holdings.positions(wiring(), me(), account_id=account_id), now, with_account=False)
    st.subheader(t("positions.cash"))
    cash_table(holdings.cash(wiring(), me(), account_id=account_id), now, with_account=False)


@live(2)
def _orders(account_id: int) -> None:
    order_table(orders.listed(wiring(), me(), account_id=account_id, limit=100), with_account=False)


@live(2)
def _fills(account_id: int) -> None:
    fill_table(orders.fills(wiring(), me(), account_id=account_id), with_account=False)


@live(60)
def _returns(account_id: int) -> None:
    since = wiring().clock.wall_now() - timedelta(days=RETURNS_DAYS)
    found = returns.statement(wiring(), me(), since, account_id=account_id)
    for one in found.curves:
        facts(
            [
                (t("returns.twr"), part_told(one.total)),
                (t("returns.deepest"), part_told(one.deepest)),
                *((t("returns.end"), amount(line.end, line.currency)) for line in found.lines),
            ],
            name="returns",
        )
        if len(one.days) > 1:
            growth_chart([one], key="account_growth")
    if not any(len(one.days) > 1 for one in found.curves):
        st.html(join(Html('<p class="lt-empty" data-table="growth">'), t("returns.soon"), Html("</p>")))
    note(join(t("returns.span", days=RETURNS_DAYS), " ", link("/profit", t("nav.profit"))))


@live(2)
def _decisions(account_id: int) -> None:
    decision_table(holdings.decisions(wiring(), me(), account_id), wiring().clock.wall_now())


@live(2)
def _logs(account_id: int) -> None:
    log_table(logs.newest(wiring(), me(), LogFilter(), account_id=account_id, limit=100), with_account=False)


def _settings(account_id: int) -> None:
    row = accounts.shown(wiring(), me(), account_id)
    may = allowed(me(), Action.ACCOUNT_LIMITS)
    if not may:
        note(t("page.admin_only"))
    st.subheader(t("account_new.limits"))
    _limit_form(row, disabled=not may)
    st.subheader(t("account.archive"))
    archive_button(row)


def _credentials(account_id: int) -> None:
    row = accounts.shown(wiring(), me(), account_id)
    may = allowed(me(), Action.CREDENTIAL_SET)
    if not may:
        note(t("page.admin_only"))
    st.subheader(t("account.replace_keys"))
    _key_form(row, disabled=not may)


def _limit_form(row: BrokerageAccount, *, disabled: bool) -> None:
    st.caption(t("limit.explain", currency=Market(row.market).currency.value))
    for column, name in zip(st.columns(4), _AMOUNTS, strict=True):
        present = getattr(row, name)
        shown = "" if present is None else f"{present:f}"
        column.text_input(t(f"limit.{name}"), shown, key=f"limit_{name}_{row.id}", disabled=disabled)
    present_trades = row.max_trades_per_day or 0
    st.number_input(
        t("limit.max_trades_per_day"), 0, 10_000, present_trades, key=f"limit_trades_{row.id}", disabled=disabled
    )
    st.button(t("limit.save"), key="limit_save", disabled=disabled, on_click=_ask_limits, args=(row,))


def _ask_limits(row: BrokerageAccount) -> None:
    """Read what was typed and show what it changes; nothing is saved before the second answer."""
    actor, desk, state = me(), wiring(), st.session_state

    def prepared() -> None:
        typed = [_decimal(name, str(state[f"limit_{name}_{row.id}"])) for name in _AMOUNTS]
        wish = Limits(*typed, max_trades_per_day=int(state[f"limit_trades_{row.id}"]))
        currency = Market(row.market).currency.value
        changes = [
            Change(t(f"limit.{name}"), _told(getattr(row, name), currency), _told(getattr(wish, name), currency))
            for name in _AMOUNTS
        ]
        trades = [f"{one or 0:,}" for one in (row.max_trades_per_day, wish.max_trades_per_day)]
        changes.append(Change(t("limit.max_trades_per_day"), *trades))
        ask(
            Question(
                t("account_new.limits"), row.nickname, row.environment, changes, t("limit.save"), t("limit.saved"),
                lambda reason, _: accounts.set_limits(desk, actor, row.id or 0, wish, reason=reason),
            )
        )  # fmt: skip

    confirm.prepare(prepared)


def _told(value: Decimal | None, currency: str) -> str:
    return t("second.empty") if value is None else amount(value, currency)


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
    st.button(t("account.save_keys"), key="set_submit", disabled=disabled, on_click=_ask_keys, args=(row,))
    st.caption(t("account_new.sealed"))


def _ask_keys(row: BrokerageAccount) -> None:
    """The typed keys wait in this session's memory for the second answer, and are gone from the form after it."""
    actor, desk, state = me(), wiring(), st.session_state
    keys = Keys(*(str(state[name]) for name in _SECRETS))
    changes = [
        Change(t(f"field.{name.removeprefix('set_')}"), t("second.kept"), t("second.new_value"))
        for name in _SECRETS
        if state[name]
    ]

    def save(reason: str, typed: str) -> None:
        accounts.set_credentials(desk, actor, row.id or 0, keys, confirm=typed, reason=reason)
        for name in _SECRETS:
            st.session_state.pop(name, None)

    ask(
        Question(
            t("account.replace_keys"), row.nickname, row.environment, changes, t("account.save_keys"),
            t("account.keys_saved"), save, typed=row.nickname if row.environment == Environment.LIVE else "",
        )
    )  # fmt: skip


_DRAW = {
    "summary": _summary,
    "positions": _positions,
    "orders": _orders,
    "fills": _fills,
    "returns": _returns,
    "decisions": _decisions,
    "logs": _logs,
    "settings": _settings,
    "credentials": _credentials,
}

bar()
titled("account")
confirm.notice()
chosen = account_choice()
if chosen is None:
    st.html(f'<p class="lt-empty" data-table="account">{t("empty.accounts")}</p>')
else:
    _head(chosen)
    deeds(accounts.shown(wiring(), me(), chosen))
    asked = st.query_params.get("section", "")
    section = st.segmented_control(
        t("account.section"),
        _SECTIONS,
        default=asked if asked in _SECTIONS else "summary",
        required=True,
        format_func=lambda one: t(f"section.{one}"),
        key="section",
        label_visibility="collapsed",
    )
    st.query_params["section"] = section or "summary"
    _DRAW[section or "summary"](chosen)
    deed_dialogs()
    second_question()
    order_ticket()
