"""The deeds of one account: start and stop it, test its keys, arm a LIVE one, take it off the desk."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from console.components import confirm
from console.components.figures import Html, amount, environment_badge, join, length, mark, moment, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.order_ticket import followed, open_ticket
from console.components.second_question import Change, Question, ask
from console.components.table import facts
from console.services import accounts, arming, overview
from console.services.accounts import new_key
from console.services.permissions import Action
from shared.domain.account import Environment, Market
from shared.models import BrokerageAccount

_HOURS = (4, 8, 24, 72, 168, 720)  # the longest an approval may last is a month
_SOON = timedelta(hours=1)
_LIMITS = ("max_order_amount", "max_symbol_amount", "max_daily_buy", "max_daily_loss", "first_day_amount")


def deeds(row: BrokerageAccount) -> None:
    """The buttons under the account's head; each opens a question that repeats account and environment."""
    actor, live = me(), row.environment == Environment.LIVE
    cells = iter(st.columns(5 if live else 4))
    idle = overview.startable(wiring(), actor, row)
    next(cells).button(
        t("account.start"), key="start", type="primary" if idle else "secondary", width="stretch",
        disabled=not (idle and allowed(actor, Action.ACCOUNT_START)), on_click=confirm.open_dialog, args=("start",),
        kwargs={"row": row},
    )  # fmt: skip
    next(cells).button(
        t("account.stop"), key="stop", width="stretch",
        disabled=not (row.enabled and allowed(actor, Action.ACCOUNT_STOP)), on_click=confirm.open_dialog,
        args=("stop",), kwargs={"row": row},
    )  # fmt: skip
    if live:
        _arm_button(row, next(cells))
    next(cells).button(
        t("account.test_key"), key="test_key", width="stretch", disabled=not allowed(actor, Action.KEY_TEST),
        on_click=_test_key, args=(row.id, st.session_state.setdefault("test_key_id", new_key())),
        help=t("account.test_key_help"),
    )  # fmt: skip
    next(cells).button(
        t("ticket.new"), key="ticket_open", icon=":material/add:", width="stretch",
        disabled=not allowed(actor, Action.ORDER_PLACE), on_click=open_ticket, args=(row.id or 0,),
    )  # fmt: skip
    followed()


def deed_dialogs() -> None:
    """Draw the open question of this account, if any."""
    for name, draw in (("start", _start_dialog), ("stop", _stop_dialog), ("arm", _arm_dialog)):
        question = confirm.opened(name)
        if question is not None:
            title = t("account.arm_title") if name == "arm" else t(f"account.{name}")
            st.dialog(title, on_dismiss=confirm.close)(draw)(**question)


def approval(armed_until: datetime | None, now: datetime) -> Html:
    """How long a LIVE account may still open positions."""
    if armed_until is None:
        return mark("watch", t("account.approval_none"))
    if armed_until <= now:
        return mark("act", t("account.approval_over"), moment(armed_until))
    left = t("account.approval_left", left=length((armed_until - now).total_seconds(), lang()))
    told = mark("watch", left) if armed_until - now < _SOON else mark("fine", left)
    return join(told, span("lt-sub", t("account.approval_until", at=moment(armed_until))))


def archive_button(row: BrokerageAccount) -> None:
    may = allowed(me(), Action.ACCOUNT_ARCHIVE)
    st.caption(t("account.archive_help"))
    st.button(t("account.archive"), key="archive", icon=":material/archive:", disabled=not may, on_click=_ask_archive, args=(row,))  # fmt: skip


def _ask_archive(row: BrokerageAccount) -> None:
    actor, desk = me(), wiring()
    ask(
        Question(
            t("account.archive"), row.nickname, row.environment, (), t("account.archive"), t("account.archived"),
            lambda reason, typed: arming.archive(desk, actor, row.id or 0, confirm=typed, reason=reason),
            effect=t("account.archive_help"), typed=row.nickname,
        )
    )  # fmt: skip


def _arm_button(row: BrokerageAccount, cell: st.delta_generator.DeltaGenerator) -> None:
    """Arming anew prolongs; taking the approval back is one reason away."""
    actor, armed = me(), row.armed_until is not None and row.armed_until > wiring().clock.wall_now()
    if armed:
        cell.button(
            t("account.disarm"), key="disarm", width="stretch", disabled=not allowed(actor, Action.ACCOUNT_DISARM),
            on_click=_ask_disarm, args=(row,),
        )  # fmt: skip
        return
    cell.button(
        t("account.arm"), key="arm", icon=":material/lock_open:", width="stretch",
        disabled=not allowed(actor, Action.ACCOUNT_ARM), on_click=confirm.open_dialog, args=("arm",), kwargs={"row": row},
    )  # fmt: skip


def _ask_disarm(row: BrokerageAccount) -> None:
    actor, desk = me(), wiring()
    change = Change(t("account.approval"), moment(row.armed_until), t("account.approval_none"))
    ask(
        Question(
            t("account.disarm"), row.nickname, row.environment, (change,), t("account.disarm"), t("account.disarmed"),
            lambda reason, _: arming.disarm(desk, actor, row.id or 0, reason=reason), effect=t("account.disarm_effect"),
        )
    )  # fmt: skip


def _arm_dialog(row: BrokerageAccount) -> None:
    """Name, last four digits, until when, why; what stands between the account and the market is shown before."""
    actor, desk = me(), wiring()
    _repeat(row)
    st.warning(t("account.start_live"), icon=":material/warning:")
    st.markdown(t("account.arm_effect"))
    st.caption(t("account.arm_limits"))
    facts([(t(f"limit.{name}"), _limit(row, name)) for name in _LIMITS], name="arm_limits")
    hours = st.segmented_control(
        t("account.arm_hours"), _HOURS, default=8, required=True, format_func=_span, key="arm_hours"
    )
    until = desk.clock.wall_now() + timedelta(hours=hours or 8)
    st.caption(t("account.arm_until", at=moment(until)))
    left, right = st.columns(2)
    typed = left.text_input(t("field.confirm_name"), key="arm_name", live=True, autocomplete="off")
    last4 = right.text_input(t("account.arm_last4"), key="arm_last4", live=True, max_chars=4, autocomplete="off")
    reason = st.text_input(t("field.reason"), key="arm_reason", live=True, max_chars=200).strip()
    ready = typed == row.nickname and last4 == row.last4 and bool(reason)
    verb = t("account.arm_do", name=row.nickname)
    if st.button(verb, key="arm_do", type="primary", width="stretch", disabled=not ready):
        confirm.in_dialog(
            lambda: arming.arm(desk, actor, row.id or 0, hours=hours or 8, confirm=typed, last4=last4, reason=reason),
            t("account.armed"),
        )
    confirm.cancel_button()


def _limit(row: BrokerageAccount, name: str) -> object:
    value = getattr(row, name)
    return amount(value, Market(row.market).currency.value) if value else mark("watch", t("account.arm_none"))


def _span(hours: int) -> str:
    return t("account.arm_days", days=hours // 24) if hours > 24 else t("account.arm_for", hours=hours)


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
        st.html(approval(row.armed_until, desk.clock.wall_now()))
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
