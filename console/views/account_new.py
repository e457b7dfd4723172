"""계좌 등록: an account, its keys and its limits in one form. Keys go in and never come out."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import streamlit as st

from console.components import confirm
from console.components.bar import bar
from console.components.frame import allowed, me, t, wiring
from console.components.help import titled
from console.components.secret import secret_input
from console.services import accounts
from console.services.accounts import Keys, Limits, NewAccount
from console.services.permissions import Action, refuse
from shared.domain.account import SUPPORTED, BrokerName, Environment, Market
from shared.domain.errors import Conflict

_SECRETS = ("new_app_key", "new_app_secret", "new_account_no", "new_hts_id")
_LIMITS = ("max_order_amount", "max_symbol_amount", "max_daily_buy", "max_daily_loss")


def _register() -> None:
    """A callback: runs before the next draw, so that the keys are gone from the page at once."""
    actor, desk, state = me(), wiring(), st.session_state
    made: list[int] = []

    def add() -> None:
        new = NewAccount(
            str(state["new_nickname"]).strip(),
            BrokerName(state["new_broker"]),
            Market(state["new_market"]),
            Environment(state["new_environment"]),
        )
        keys = Keys(*(str(state[name]) for name in _SECRETS))
        made.append(accounts.add_account(desk, actor, new, keys, _limits(), confirm=str(state.get("new_confirm", ""))))

    if confirm.attempt(add, t("account_new.done")):
        for name in ("new_nickname", "new_confirm", *_SECRETS):
            state[name] = ""
        state["account_made"] = made[0]


def _limits() -> Limits:
    amounts = [_decimal(name) for name in _LIMITS]
    return Limits(*amounts, max_trades_per_day=int(st.session_state["new_max_trades"]))


def _decimal(name: str) -> Decimal:
    typed = str(st.session_state[f"new_{name}"]).replace(",", "").strip()
    try:
        return Decimal(typed)
    except InvalidOperation:
        raise refuse(Conflict, "bad_limit", me().lang, name=t(f"limit.{name}")) from None


def _identity() -> tuple[Market, Environment]:
    st.text_input(t("field.nickname"), key="new_nickname", max_chars=40, placeholder=t("field.nickname_hint"))
    one, two, three = st.columns(3)
    broker = one.selectbox(
        t("field.broker"), list(BrokerName), key="new_broker", format_func=lambda b: t(f"broker.{b}")
    )
    markets = [market for market in Market if any((broker, market, env) in SUPPORTED for env in Environment)]
    market = two.selectbox(t("field.market"), markets, key="new_market", format_func=lambda m: t(f"market.{m}"))
    offered = [env for env in Environment if (broker, market, env) in SUPPORTED]
    environment = three.selectbox(
        t("field.environment"), offered, key="new_environment", format_func=lambda env: t(f"env_long.{env}")
    )
    if Environment.MOCK not in offered:
        st.caption(t("account_new.no_mock"))
    return market, environment


def _keys() -> None:
    one, two = st.columns(2)
    secret_input(one, t("field.app_key"), key="new_app_key")
    secret_input(two, t("field.app_secret"), key="new_app_secret")
    three, four = st.columns(2)
    number = "20212345601" if st.session_state.get("new_broker") is BrokerName.LS else "12345678-01"
    three.text_input(t("field.account_no"), key="new_account_no", placeholder=number, autocomplete="off")
    four.text_input(t("field.hts_id"), key="new_hts_id", autocomplete="off", help=t("field.hts_id_help"))
    st.caption(t("account_new.sealed"), help=t("account_new.sealed_help"))


def _limit_fields(market: Market) -> None:
    st.caption(t("limit.explain", currency=market.currency.value))
    suggested = {
        Market.US: ("2000", "5000", "10000", "500"),
        Market.KRX: ("2000000", "5000000", "10000000", "500000"),
    }[market]
    for column, name, value in zip(st.columns(4), _LIMITS, suggested, strict=True):
        # One key per market: another currency must not inherit the other's figures.
        typed = column.text_input(f"{t(f'limit.{name}')} ({market.currency})", value, key=f"new_{name}_{market}")
        st.session_state[f"new_{name}"] = typed
    st.number_input(
        t("limit.max_trades_per_day"), min_value=0, max_value=10_000, value=20, step=1, key="new_max_trades"
    )


def _form() -> None:
    with st.container(border=True):
        st.subheader(t("account_new.who"))
        market, environment = _identity()
        st.subheader(t("account_new.keys"))
        _keys()
        st.subheader(t("account_new.limits"))
        _limit_fields(market)
        if environment is Environment.LIVE:
            st.warning(t("account_new.live"), icon=":material/warning:")
            st.text_input(t("field.confirm_name"), key="new_confirm", autocomplete="off")
        st.button(t("account_new.submit"), key="new_submit", type="primary", on_click=_register)


bar()
titled("account_new")
confirm.notice()
if not allowed(me(), Action.ACCOUNT_ADD):
    st.info(t("page.admin_only"), icon=":material/lock:")
else:
    if "account_made" in st.session_state:
        st.success(t("account_new.next"))
        st.page_link(
            "views/account.py",
            label=t("account_new.open"),
            icon=":material/arrow_forward:",
            query_params={"account": str(st.session_state.pop("account_made"))},
        )
    _form()
