"""위험: each limit and how much of it is used, exposure over accounts, kill switch and its actions, what was blocked."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.choices import owner_name
from console.components.figures import UNKNOWN, Html, age, amount, environment_badge, join, mark, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.proof import proof_fields, proven
from console.components.rows import account_cell
from console.components.second_question import Change, Question, ask, second_question
from console.components.table import Column, note, table
from console.components.vitals_charts import exposure_chart
from console.services import holdings, kill, orders_at_once, risk
from console.services.accounts import new_key
from console.services.permissions import Action, refuse
from console.services.risk import EXTENDED_HOURS, AccountRisk, Meter, MoreLimits, OwnerRisk
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict
from shared.models import Owner
from shared.words import reason_text

_NEAR = 80  # percent of a limit from which it is worth a look
_MOST = 999  # a larger share says no more
_LEVELS = (KillLevel.NO_NEW, KillLevel.REDUCE_ONLY, KillLevel.HALT)
_TONES = {KillLevel.RUN: "fine", KillLevel.NO_NEW: "watch", KillLevel.REDUCE_ONLY: "watch", KillLevel.HALT: "act"}


@live(3)
def _figures() -> None:
    view = risk.view(wiring(), me())
    st.subheader(t("risk.accounts"))
    names = [meter.name for meter in view.accounts[0].meters] if view.accounts else []
    columns = [Column(t("col.account")), Column(t("risk.level"))]
    columns += [Column(t(f"limit.{name}"), numeric=True) for name in names]
    table(columns, [_account(one) for one in view.accounts], name="risk_accounts", empty=t("risk.no_accounts"))
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader(t("risk.blocked"))
        _blocked(view)
    with right:
        st.subheader(t("risk.owners"))
        _owners(view.owners)


@live(15)
def _exposure() -> None:
    st.subheader(t("exposure.title"))
    found = holdings.exposure(wiring(), me())
    if found.parts:
        exposure_chart(found)
    elif not found.unknown:
        note(t("empty.exposure"))
    if found.unknown:
        note(t("exposure.unknown", symbols=", ".join(found.unknown)))


def _account(one: AccountRisk) -> list[object]:
    where = "" if one.effective == one.kill else t("risk.level_all")
    level = join(mark(_TONES[one.effective], t(f"kill.{one.effective.name}")), span("lt-sub", where) if where else "")
    return [
        account_cell(one.id, one.nickname, one.environment),
        level,
        *(_meter(meter, one.currency) for meter in one.meters),
    ]


def _meter(meter: Meter, currency: str) -> Html:
    """Used over limit, with its share; a limit of zero stops everything and says so."""
    count = meter.name == "max_trades_per_day"
    used, limit = (
        UNKNOWN if value is None else f"{value:,.0f}" if count else amount(value, currency)
        for value in (meter.used, meter.limit)
    )
    share = meter.share
    if share is None:
        return join(span("lt-unknown", UNKNOWN), span("lt-sub", t("risk.of_limit", limit=limit)))
    tone = "act" if share >= 100 else "watch" if share >= _NEAR else ""
    percent = f"{share:.0f}%" if share < _MOST else f">{_MOST}%"
    shown: object = mark(tone, percent) if tone else percent
    return join(shown, span("lt-sub", t("risk.used_of", used=used, limit=limit)))


def _blocked(view: risk.RiskView) -> None:
    columns = [
        Column(t("col.reason"), wide=True),
        Column(t("risk.times"), numeric=True),
        Column(t("col.account"), wide=True),
        Column(t("risk.last"), numeric=True),
    ]
    rows = [
        [
            span("", reason_text(one.code, lang()), one.code),
            f"{one.times:,}",
            ", ".join(one.accounts),
            age(one.last_at, view.as_of, lang()),
        ]
        for one in view.blocked
    ]
    table(columns, rows, name="blocked", empty=t("risk.nothing_blocked"))


def _owners(owners: tuple[OwnerRisk, ...]) -> None:
    columns = [
        Column(t("risk.owner")),
        Column(t("risk.owner_accounts"), numeric=True),
        Column(t("risk.exposure"), numeric=True),
        Column(t("risk.limit"), numeric=True),
        Column(t("risk.opposite"), wide=True),
    ]
    rows = [
        [
            join(
                owner_name(one.owner),
                " ",
                environment_badge(one.environment, lang()),
                span("lt-sub", t(f"market.{one.market}")),
            ),
            one.accounts,
            amount(one.amount, one.currency),
            amount(one.limit, one.currency) if one.limit is not None else span("lt-soft", t("risk.no_limit")),
            mark("act", ", ".join(one.opposite)) if one.opposite else span("lt-soft", t("risk.none")),
        ]
        for one in owners
    ]
    table(columns, rows, name="owners", empty=t("risk.no_accounts"))


def _actions(accounts: dict[int, AccountRisk]) -> None:
    st.subheader(t("risk.act"))
    chosen = st.selectbox(
        t("col.account"), list(accounts), format_func=lambda one: _name(accounts[one]), key="risk_account"
    )
    account, actor = accounts[chosen], me()
    may = allowed(actor, Action.KILL_RAISE)
    cells = st.columns([3, 3, 2, 3, 4, 3])
    for cell, level in zip(cells, _LEVELS, strict=False):
        cell.button(
            t(f"kill.{level.name}"), key=f"risk_raise_{level.name}", width="stretch",
            disabled=not may or level <= account.kill, help=t(f"kill.help.{level.name}"),
            on_click=_raise, args=(account.id, level),
        )  # fmt: skip
    lowers = allowed(actor, Action.KILL_LOWER) and account.kill > KillLevel.RUN
    cells[3].button(
        t("risk.lower"), key="risk_lower", width="stretch", disabled=not lowers, on_click=confirm.open_dialog,
        args=("risk_lower",), kwargs={"account": account},
    )  # fmt: skip
    cells[4].button(
        t("risk.cancel_all"), key="risk_cancel_all", width="stretch", disabled=not allowed(actor, Action.CANCEL_ALL),
        on_click=_cancel_all, args=(account.id,),
    )  # fmt: skip
    may_flatten = allowed(actor, Action.FLATTEN)
    cells[5].button(
        t("risk.flatten"), key="risk_flatten", width="stretch", disabled=not may_flatten,
        on_click=confirm.open_dialog, args=("risk_flatten",), kwargs={"account": account, "key": new_key()},
    )  # fmt: skip
    note(t("risk.level_help"))
    with st.expander(t("risk.more")):
        _more(account, disabled=not allowed(actor, Action.ACCOUNT_LIMITS))
        _owner_limits(account, disabled=not allowed(actor, Action.OWNER_LIMITS))


def _name(one: AccountRisk) -> str:
    return f"{one.nickname} · {one.market} · {t(f'env.{one.environment}')}"


def _raise(account_id: int, level: KillLevel) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(lambda: kill.raise_level(desk, actor, level, account_id=account_id), t("kill.raised"))


def _cancel_all(account_id: int) -> None:
    actor, desk = me(), wiring()
    confirm.attempt(
        lambda: orders_at_once.cancel_all(desk, actor, account_id, key=new_key()), t("risk.cancel_all_asked")
    )


def _lower_dialog(account: AccountRisk) -> None:
    actor, desk = me(), wiring()
    _repeat(account)
    reason = st.text_input(t("field.reason"), key="risk_reason")
    typed = st.text_input(t("kill.word"), key="risk_word", placeholder=KillLevel.RUN.name, autocomplete="off")
    proof_fields("risk")
    if st.button(t("risk.lower"), key="risk_lower_do", type="primary", width="stretch"):
        confirm.in_dialog(
            lambda: kill.lower_level(
                desk, actor, KillLevel.RUN, reason=reason, typed=typed, account_id=account.id, **proven("risk")
            ),
            t("risk.lowered"),
        )
    confirm.cancel_button()


def _flatten_dialog(account: AccountRisk, key: str) -> None:
    actor, desk = me(), wiring()
    _repeat(account)
    st.warning(t("risk.flatten_effect"), icon=":material/warning:")
    typed = st.text_input(t("field.confirm_name"), key="risk_confirm", live=True, autocomplete="off")
    reason = st.text_input(t("field.reason"), key="risk_flatten_reason")
    ready = typed == account.nickname
    if st.button(t("risk.flatten"), key="risk_flatten_do", type="primary", width="stretch", disabled=not ready):
        confirm.in_dialog(
            lambda: orders_at_once.flatten(desk, actor, account.id, key=key, confirm=typed, reason=reason),
            t("risk.flatten_asked"),
        )
    confirm.cancel_button()


def _repeat(account: AccountRisk) -> None:
    badge = environment_badge(account.environment, lang())
    st.html(join(Html("<strong>"), account.nickname, Html("</strong> "), badge))


def _more(account: AccountRisk, *, disabled: bool) -> None:
    one, two, three, four = st.columns(4)
    for cell, name, value in (
        (one, "max_account_amount", account.max_account_amount),
        (two, "first_day_amount", account.first_day_amount),
    ):
        shown = "" if value is None else f"{value:f}"
        cell.text_input(
            f"{t(f'limit.{name}')} ({account.currency})", shown, key=f"{name}_{account.id}", disabled=disabled
        )
    minute = f"minute_{account.id}"
    three.number_input(
        t("limit.max_orders_per_minute"), 0, 1_000, account.minute_limit, key=minute, disabled=disabled
    )  # fmt: skip
    four.multiselect(
        t("limit.extended_hours"), EXTENDED_HOURS, account.extended_hours, key=f"hours_{account.id}",
        format_func=lambda word: t(f"hours.{word}"), disabled=disabled, placeholder=t("hours.none"),
    )  # fmt: skip
    st.button(t("limit.save"), key="more_save", disabled=disabled, on_click=_ask_more, args=(account,))
    note(t("risk.blank_account"))


def _ask_more(account: AccountRisk) -> None:
    actor, desk, state = me(), wiring(), st.session_state

    def prepared() -> None:
        wish = MoreLimits(
            _money("max_account_amount", f"max_account_amount_{account.id}"),
            _money("first_day_amount", f"first_day_amount_{account.id}"),
            int(state[f"minute_{account.id}"]),
            tuple(word for word in EXTENDED_HOURS if word in state[f"hours_{account.id}"]),
        )
        pairs = (
            ("max_account_amount", *(_told(one.max_account_amount, account.currency) for one in (account, wish))),
            ("first_day_amount", *(_told(one.first_day_amount, account.currency) for one in (account, wish))),
            ("max_orders_per_minute", f"{account.minute_limit:,}", f"{wish.max_orders_per_minute:,}"),
            ("extended_hours", _hours(account.extended_hours), _hours(wish.extended_hours)),
        )
        changes = [Change(t(f"limit.{name}"), before, after) for name, before, after in pairs]
        ask(
            Question(
                t("risk.more"), account.nickname, account.environment, changes, t("limit.save"), t("limit.saved"),
                lambda reason, _: risk.set_more_limits(desk, actor, account.id, wish, reason=reason),
            )
        )  # fmt: skip

    confirm.prepare(prepared)


def _told(value: Decimal | None, currency: str) -> str:
    return t("second.empty") if value is None else amount(value, currency)


def _hours(words: tuple[str, ...]) -> str:
    return ", ".join(t(f"hours.{word}") for word in words) or t("hours.none")


def _owner_limits(account: AccountRisk, *, disabled: bool) -> None:
    owner = risk.owner_of(wiring(), me(), account.id)
    st.markdown(f"**{t('risk.owner')} {confirm.plain(owner.name)}**")
    one, two, _ = st.columns([1, 1, 2])
    for cell, name, value in (
        (one, "max_exposure_krw", owner.max_exposure_krw),
        (two, "max_exposure_usd", owner.max_exposure_usd),
    ):
        shown = "" if value is None else f"{value:f}"
        cell.text_input(t(f"limit.{name}"), shown, key=f"{name}_{owner.id}", disabled=disabled)
    st.button(t("risk.owner_save"), key="owner_save", disabled=disabled, on_click=_ask_owner, args=(owner,))
    note(t("risk.blank_owner"))


def _ask_owner(owner: Owner) -> None:
    actor, desk = me(), wiring()

    def prepared() -> None:
        krw, usd = (_money(name, f"{name}_{owner.id}") for name in ("max_exposure_krw", "max_exposure_usd"))
        changes = [
            Change(t("limit.max_exposure_krw"), _told(owner.max_exposure_krw, "KRW"), _told(krw, "KRW")),
            Change(t("limit.max_exposure_usd"), _told(owner.max_exposure_usd, "USD"), _told(usd, "USD")),
        ]
        ask(
            Question(
                t("risk.owner_save"), owner.name, "", changes, t("risk.owner_save"), t("limit.saved"),
                lambda reason, _: risk.set_owner_limits(desk, actor, owner.id or 0, krw, usd, reason=reason),
            )
        )  # fmt: skip

    confirm.prepare(prepared)


def _money(name: str, key: str) -> Decimal | None:
    typed = str(st.session_state[key]).replace(",", "").strip()
    try:
        return Decimal(typed) if typed else None
    except InvalidOperation:
        raise refuse(Conflict, "bad_limit", lang(), name=t(f"limit.{name}")) from None


bar()
titled("risk")
confirm.notice()
_figures()
_exposure()
known = {one.id: one for one in risk.view(wiring(), me()).accounts}
if known:
    _actions(known)
for name, title, dialog in (
    ("risk_lower", "risk.lower", _lower_dialog),
    ("risk_flatten", "risk.flatten", _flatten_dialog),
):
    question = confirm.opened(name)
    if question is not None:
        st.dialog(t(title), on_dismiss=confirm.close)(dialog)(**question)
second_question()
