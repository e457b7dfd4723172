"""손익·세금: what trading earned in won, price and exchange rate apart, fees and taxes off; nothing added without a rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial

import streamlit as st

from console.components import confirm, money
from console.components.bar import bar
from console.components.charts import bars_chart
from console.components.choices import owner_name
from console.components.drawn import once
from console.components.figures import UNKNOWN, Html, age, amount, environment_badge, join, mark, moved, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.help import titled
from console.components.order_ticket import typed_price
from console.components.rows import on_cost
from console.components.table import Column, facts, note, table_markup
from console.services import market_clock, profit, rules, sheets, won
from console.services.permissions import Action
from console.services.profit import Day, Statement
from shared.domain.account import Environment

_SPANS = {"week": 7, "month": 31, "quarter": 92, "year": 366}
Groups = list[tuple[object, Day]]
_KEYS = ("day", "month", "account", "rule")


def _load(chosen: str, environment: str | None, owner: str | None) -> Callable[[], Statement]:
    """How the statement that was chosen is asked for: at once by the page, at the click by the file."""
    desk, actor, today = wiring(), me(), market_clock.today(wiring().clock.wall_now())
    of = Environment(environment) if environment else None
    since = today - timedelta(days=_SPANS[chosen])
    return lambda: profit.statement(desk, actor, since, today, environment=of, owner=owner or "")


def _sums(view: Statement, groups: Groups) -> None:
    days = [one for _, one in groups]  # sums of sums: what is unknown stays so
    won_known = not any(day.rateless for day in days)
    total = {
        name: sum((getattr(day, name) for day in days), Decimal(0))
        for name in ("net_won", "price_won", "fx_won", "fees_won", "taxes_won")
    }
    rate = view.rate
    below = (
        t("sum.at_rate", rate=f"{rate.won:,.2f}", age=age(rate.at, wiring().clock.wall_now(), lang()))
        if rate
        else t("sum.no_rate")
    )

    def told(name: str) -> Html:
        return moved(total[name], amount(total[name], "KRW")) if won_known else span("lt-unknown", UNKNOWN)

    def cost(name: str) -> str:
        return amount(-total[name], "KRW") if won_known else UNKNOWN

    facts(
        [
            (t("profit.net"), join(told("net_won"), span("lt-sub", below))),
            (t("profit.price"), told("price_won")),
            (t("profit.fx"), told("fx_won")),
            (t("profit.fees"), cost("fees_won")),
            (t("profit.taxes"), cost("taxes_won")),
        ],
        name="profit_sums",
    )
    notes = []
    if any(day.estimated for day in days):
        notes.append(t("profit.estimated"))
    unknown, rateless = sum(day.unknown for day in days), sum(day.rateless for day in days)
    if unknown:
        notes.append(t("profit.unknown", n=unknown))
    if rateless:
        notes.append(t("profit.rateless", n=rateless))
    if notes:
        note(" ".join(notes))


def _table(view: Statement, key: str, groups: Groups) -> str:
    columns = [
        Column(t(f"profit.by.{key}")),
        Column(t("profit.trades"), numeric=True),
        Column(t("profit.bought"), numeric=True),
        Column(t("profit.sold"), numeric=True),
        Column(t("profit.gain"), numeric=True),
        Column(t("profit.costs"), numeric=True),
        Column(t("profit.net_own"), numeric=True),
        Column(t("profit.price"), numeric=True),
        Column(t("profit.fx"), numeric=True),
        Column(t("profit.net"), numeric=True),
    ]
    called = {line.id: line.name for line in rules.shown(wiring(), me())} if key == "rule" else {}
    rows = [_row(view, key, group, one, called) for group, one in groups[:200]]
    return table_markup(columns, rows, name="profit", empty=t("empty.profit"))


def _row(view: Statement, key: str, group: object, one: Day, called: Mapping[object, str]) -> list[object]:
    known = not one.rateless
    return [
        join(_named(view, key, group), span("lt-sub", called[group]) if group in called else ""),
        f"{one.trades:,}",
        amount(one.bought, one.currency),
        amount(one.sold, one.currency),
        join(moved(one.gain, amount(one.gain, one.currency)), mark("watch", str(one.unknown)) if one.unknown else ""),
        amount(one.fees + one.taxes, one.currency) + (" *" if one.estimated else ""),
        join(moved(one.net, amount(one.net, one.currency)), on_cost(one.on_cost) if one.sold else ""),
        amount(one.price_won, "KRW") if known else UNKNOWN,
        amount(one.fx_won, "KRW") if known else UNKNOWN,
        moved(one.net_won, amount(one.net_won, "KRW")) if known else UNKNOWN,
    ]


def _named(view: Statement, key: str, group: object) -> object:
    if key == "account" and isinstance(group, int):
        environment = view.environments.get(group)
        badge = environment_badge(environment, lang()) if environment else ""
        return join(view.accounts.get(group, f"#{group}"), " ", badge)
    if key == "rule":
        return t("profit.by_hand") if group is None else t("order.rule", rule=group)
    return str(group)


def _per_group(view: Statement, key: str, groups: Groups) -> dict[str, Decimal]:
    """Net won by label, oldest day first: won is one unit, so currencies may meet here."""
    found: dict[str, Decimal] = {}
    for group, one in groups:
        label = (
            view.accounts.get(group, f"#{group}")
            if isinstance(group, int) and key == "account"
            else _named(view, key, group)
        )
        found[str(label)] = found.get(str(label), Decimal(0)) + one.net_won
    return dict(sorted(found.items()))


def _file(load: Callable[[], Statement]) -> bytes:
    """Made at the click, of what is then known: a page that is only looked at pays nothing for it."""
    return _csv(load())


def _csv(view: Statement) -> bytes:
    """One line per day, account and rule: for a spreadsheet or a tax adviser."""
    names = ("trades", "bought", "sold", "gain", "fees", "taxes", "net")
    in_won = ("price_won", "fx_won", "fees_won", "taxes_won", "net_won")
    rows: list[list[str | int | Decimal | None]] = [
        ["day", "owner", "account", "environment", "rule_id", "currency", *names, *in_won, "unknown_sales"]
    ]
    for day in view.days:
        rows.append(
            [
                day.day.isoformat(), view.owners.get(day.account_id, ""), view.accounts.get(day.account_id, ""),
                view.environments.get(day.account_id, ""), day.rule_id, day.currency,
                *(getattr(day, name) for name in names),
                *(None if day.rateless else round(getattr(day, name)) for name in in_won),
                day.unknown,
            ]
        )  # fmt: skip
    return sheets.as_csv(rows)


def _save_rate() -> None:
    actor, desk = me(), wiring()
    typed = typed_price(str(st.session_state.get("rate", ""))) or Decimal(0)
    if confirm.attempt(lambda: won.record_rate(desk, actor, typed), t("profit.rate_saved")):
        st.session_state["rate"] = ""


bar()
titled("profit")
confirm.notice()
first, second, third, fourth = st.columns([3, 3, 2, 1], vertical_alignment="bottom")
chosen_span = first.segmented_control(
    t("control.span"), list(_SPANS), default="month", required=True, key="profit_span",
    format_func=lambda one: t(f"profit.span.{one}"), label_visibility="collapsed",
)  # fmt: skip
environment = second.segmented_control(
    t("field.environment"), [one.value for one in (Environment.LIVE, Environment.MOCK, Environment.SIM)],
    key="profit_env", format_func=lambda one: t(f"env.{one}"), label_visibility="collapsed",
)  # fmt: skip
owner = third.selectbox(
    t("profit.owner"), profit.owners(wiring(), me()), index=None, key="profit_owner",
    placeholder=t("profit.all_owners"), label_visibility="collapsed", format_func=owner_name,
)  # fmt: skip
load = _load(chosen_span or "month", environment, owner)
view = load()
traded = once(view, "profit_traded", lambda: {view.environments.get(day.account_id) for day in view.days})
if environment is None and len(traded) > 1:
    gravest = next(one for one in (Environment.LIVE, Environment.MOCK, Environment.SIM) if one in traded)
    st.info(t("profit.apart", env=t(f"env.{gravest}")), icon=":material/info:")
    load = _load(chosen_span or "month", gravest, owner)
    view = load()
elif environment is None and traded:
    note(t("profit.of", env=t(f"env.{next(iter(traded))}")))
fourth.download_button(
    t("profit.csv"), partial(_file, load), file_name=f"profit-{market_clock.today(wiring().clock.wall_now())}.csv",
    mime="text/csv", key="profit_csv", icon=":material/download:", width="stretch", on_click="ignore",
)  # fmt: skip
sums = st.container()
by = st.segmented_control(
    t("profit.by"), _KEYS, default="day", required=True, key="profit_by",
    format_func=lambda one: t(f"profit.by.{one}"), label_visibility="collapsed",
)  # fmt: skip
key = by or "day"
groups = once(view, "profit_sums", lambda: profit.summed(view.days, key), key)
with sums:
    _sums(view, groups)
if groups and not any(one.rateless for _, one in groups):
    bars_chart(view, key, values=lambda: _per_group(view, key, groups), name=t("profit.net"), key="profit_chart")
st.html(once(view, "profit", lambda: _table(view, key, groups), key))
if key == "rule" and groups:
    note(t("profit.rule_lots"))
wanted = st.segmented_control(
    t("money.panel"), money.PANELS, key="money_panel", format_func=lambda one: t(f"money.{one}")
)
money.panel(wanted, _SPANS[chosen_span or "month"])
if allowed(me(), Action.FX_RATE):
    with st.expander(t("profit.rate_title")):
        st.caption(t("profit.rate_help"))
        a, b, _ = st.columns([1, 1, 3], vertical_alignment="bottom")
        a.text_input(t("profit.rate"), key="rate", max_chars=12, placeholder="1391.20")
        b.button(t("profit.rate_save"), key="rate_save", on_click=_save_rate, width="stretch")
