"""Money panels of the profit page: tax per owner, fees by contract and by the broker's word, returns, buying power."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import streamlit as st

from console.components import confirm
from console.components.figures import UNKNOWN, Html, age, amount, environment_badge, join, mark, moved, part_told, span
from console.components.frame import allowed, lang, me, t, wiring
from console.components.live import live
from console.components.order_ticket import typed_price
from console.components.return_charts import return_charts
from console.components.rows import account_cell
from console.components.table import Column, note, table
from console.services import buying, fees, gains, market_clock, returns, sheets
from console.services.accounts import names
from console.services.fees import ContractLine
from console.services.permissions import Action
from console.services.returns import ReturnCurve
from shared.domain.gains import LotMethod
from shared.domain.sessions import KST

PANELS = ("tax", "fees", "returns", "buying")
SOON_DAYS = 30


def panel(chosen: str | None, since_days: int) -> None:
    """Draw the one that was chosen; the others are not even reckoned."""
    match chosen:
        case "tax":
            _tax()
        case "fees":
            _fees(since_days)
        case "returns":
            _returns(since_days)
        case "buying":
            _buying()


def _tax() -> None:
    first, second, third, fourth = st.columns([2, 3, 1, 1], vertical_alignment="bottom")
    this_year = wiring().clock.wall_now().astimezone(KST).year
    year = first.selectbox(t("tax.year"), range(this_year, this_year - 5, -1), key="tax_year")
    method = second.segmented_control(
        t("tax.method"), [one.value for one in LotMethod], default=LotMethod.MOVING_AVERAGE.value, required=True,
        key="tax_method", format_func=lambda one: t(f"tax.{one}"),
    )  # fmt: skip
    found = gains.of_year(wiring(), me(), int(year), LotMethod(method or LotMethod.MOVING_AVERAGE))
    rows = gains.export_rows(found)
    third.download_button(
        "CSV", sheets.as_csv(rows), file_name=f"gains-{year}-{found.method}.csv", mime="text/csv", key="tax_csv",
        icon=":material/download:", width="stretch", on_click="ignore",
    )  # fmt: skip
    fourth.download_button(
        "Excel", sheets.as_xlsx(rows), file_name=f"gains-{year}-{found.method}.xlsx", key="tax_xlsx",
        icon=":material/download:", width="stretch", on_click="ignore",
    )  # fmt: skip
    columns = [Column(t("profit.owner")), Column(t("field.environment")), Column(t("tax.accounts"), numeric=True),
               Column(t("tax.gain"), numeric=True), Column(t("tax.used"), numeric=True),
               Column(t("tax.left"), numeric=True), Column(t("tax.due"), numeric=True),
               Column(t("tax.missing"), wide=True)]  # fmt: skip
    body = [
        [
            one.owner or UNKNOWN,
            t(f"env.{one.environment}"),
            str(one.accounts),
            moved(one.tax.gain_won, amount(one.tax.gain_won, "KRW")),
            amount(one.tax.allowance_used, "KRW"),
            amount(one.tax.allowance_left, "KRW"),
            amount(one.tax.tax, "KRW"),
            _missing(one.tax.without_cost, one.tax.without_rate),
        ]
        for one in found.owners
    ]
    table(columns, body, name="tax_owners", empty=t("empty.tax"))
    note(" ".join([t("tax.help"), t("profit.estimated") if found.estimated else ""]))


def _missing(without_cost: int, without_rate: int) -> str:
    told = []
    if without_cost:
        told.append(t("tax.without_cost", n=without_cost))
    if without_rate:
        told.append(t("tax.without_rate", n=without_rate))
    return " ".join(told)


def _fees(since_days: int) -> None:
    columns = [Column(t("col.account")), Column(t("fees.since")), Column(t("fees.until")),
               Column(t("fees.buy"), numeric=True), Column(t("fees.sell"), numeric=True),
               Column(t("fees.note"), wide=True)]  # fmt: skip
    rows = [_contract(one) for one in fees.contracts(wiring(), me())]
    table(columns, rows, name="fee_contracts", empty=t("empty.fees"))
    if allowed(me(), Action.FEE_CONTRACT):
        with st.expander(t("fees.add")):
            _add_contract()
    today = market_clock.today(wiring().clock.wall_now())
    off = fees.differences(wiring(), me(), today - timedelta(days=since_days), today)
    columns = [Column(t("profit.by.day")), Column(t("col.account")), Column(t("fees.ours"), numeric=True),
               Column(t("fees.theirs"), numeric=True), Column(t("fees.off"), numeric=True),
               Column(t("fees.tax_ours"), numeric=True), Column(t("fees.tax_theirs"), numeric=True),
               Column(t("fees.tax_off"), numeric=True)]  # fmt: skip
    body = [
        [
            one.day.isoformat(),
            account_cell(one.account_id, one.account, one.environment),
            amount(one.fees, one.currency),
            amount(one.told_fees, one.currency),
            _off(one.fee_off, one.currency),
            amount(one.taxes, one.currency),
            amount(one.told_taxes, one.currency),
            _off(one.tax_off, one.currency),
        ]
        for one in off
    ]
    table(columns, body, name="fee_differences", empty=t("empty.fee_differences"))


def _contract(one: ContractLine) -> list[object]:
    until: object = one.until.isoformat() if one.until else UNKNOWN
    if one.days_left is not None and one.days_left <= SOON_DAYS:
        until = join(one.until.isoformat() if one.until else "", " ", mark("watch", t("fees.ends", n=one.days_left)))
    return [
        account_cell(one.account_id, one.account, one.environment),
        one.since.isoformat() if one.since else t("fees.published"),
        until,
        f"{one.buy_pct:f}%",
        f"{one.sell_pct:f}%",
        one.note,
    ]


def _off(value: Decimal | None, currency: str) -> Html | str:
    if value is None:
        return UNKNOWN
    return mark("watch", amount(value, currency)) if value else mark("fine", amount(value, currency))


def _add_contract() -> None:
    known = names(wiring(), me())
    a, b, c, d, e, f = st.columns([3, 2, 2, 1, 1, 1], vertical_alignment="bottom")
    a.selectbox(t("col.account"), list(known), format_func=lambda one: known[one], key="fee_account")
    b.date_input(t("fees.since"), key="fee_since")
    c.date_input(t("fees.until"), value=None, key="fee_until")
    d.text_input(t("fees.buy"), key="fee_buy", placeholder="0.07", max_chars=10)
    e.text_input(t("fees.sell"), key="fee_sell", placeholder="0.07", max_chars=10)
    f.button(t("fees.save"), key="fee_save", on_click=_save_contract, width="stretch")


def _save_contract() -> None:
    actor, desk, given = me(), wiring(), st.session_state
    wrong = Decimal(-1)  # what cannot be read is refused by the service, in words
    confirm.attempt(
        lambda: fees.add(
            desk, actor, int(given["fee_account"]), since=given["fee_since"], until=given["fee_until"],
            buy_pct=_rate(str(given["fee_buy"]), wrong), sell_pct=_rate(str(given["fee_sell"]), wrong),
        ),
        t("fees.saved"),
    )  # fmt: skip


def _rate(text: str, wrong: Decimal) -> Decimal:
    found = typed_price(text)
    return wrong if found is None else found


def _returns(since_days: int) -> None:
    found = returns.statement(wiring(), me(), wiring().clock.wall_now() - timedelta(days=since_days))
    columns = [Column(t("col.account")), Column(t("returns.start"), numeric=True), Column(t("returns.paid"), numeric=True),
               Column(t("returns.end"), numeric=True), Column(t("returns.simple"), numeric=True),
               Column(t("returns.twr"), numeric=True), Column(t("returns.deepest"), numeric=True),
               Column(t("returns.mwr"), numeric=True)]  # fmt: skip
    falls = {one.account_id: one.deepest for one in found.curves if one.account_id is not None}
    body: list[list[object]] = [
        [_of_all(one), "", "", "", "", part_told(one.total), part_told(one.deepest), ""]
        for one in found.curves
        if one.account_id is None
    ]
    body += [
        [
            account_cell(one.account_id, one.account, one.environment),
            amount(one.start, one.currency),
            amount(one.paid_in, one.currency),
            amount(one.end, one.currency),
            part_told(one.simple),
            part_told(one.time_weighted),
            part_told(falls.get(one.account_id)),
            part_told(one.money_weighted),
        ]
        for one in found.lines
    ]
    table(columns, body, name="returns", empty=t("empty.returns"))
    if found.rateless:
        note(t("returns.rateless", env=", ".join(t(f"env.{one}") for one in found.rateless)))
    return_charts(found.curves)
    note(t("returns.help"))
    if allowed(me(), Action.CASH_FLOW):
        with st.expander(t("returns.add")):
            _add_flow()


def _of_all(one: ReturnCurve) -> Html:
    return join(Html("<b>"), t("returns.all"), Html("</b> "), environment_badge(one.environment, lang()))


def _add_flow() -> None:
    known = names(wiring(), me())
    a, b, c, d = st.columns([3, 2, 2, 1], vertical_alignment="bottom")
    a.selectbox(t("col.account"), list(known), format_func=lambda one: known[one], key="flow_account")
    b.date_input(t("returns.day"), key="flow_day")
    c.text_input(t("returns.amount"), key="flow_amount", placeholder="-1000000", max_chars=20)
    d.button(t("fees.save"), key="flow_save", on_click=_save_flow, width="stretch")


def _save_flow() -> None:
    actor, desk, given = me(), wiring(), st.session_state
    typed = str(given["flow_amount"]).strip()
    found = typed_price(typed.lstrip("+-")) or Decimal(0)
    value = -found if typed.startswith("-") else found
    # A day is written as its Korean noon, or as now when that has not come.
    at = min(datetime.combine(given["flow_day"], time(12), KST).astimezone(UTC), desk.clock.wall_now())
    confirm.attempt(lambda: returns.record_flow(desk, actor, int(given["flow_account"]), value, at), t("returns.saved"))


@live(5)
def _buying() -> None:
    columns = [Column(t("col.account")), Column(t("buying.line"), wide=True), Column(t("buying.amount"), numeric=True),
               Column(t("col.age"), numeric=True)]  # fmt: skip
    body: list[list[object]] = []
    now = wiring().clock.wall_now()
    for one in buying.listed(wiring(), me()):
        lines: list[tuple[str, Decimal | None]] = [(f"buying.{name}", value) for name, value in one.stages]
        locked = -one.locked if one.locked is not None else None
        lines += [("buying.traded", one.traded), ("buying.locked", locked), ("buying.reckoned", one.reckoned)]
        lines += [
            ("buying.power", one.buying_power),
            ("buying.off", one.off),
            ("buying.withdrawable", one.withdrawable),
        ]
        for number, (word, value) in enumerate(lines):
            head = account_cell(one.account_id, one.account, one.environment) if number == 0 else ""
            told = (
                span("lt-strong", amount(value, one.currency))
                if word == "buying.power"
                else amount(value, one.currency)
            )
            body.append([head, t(word), told, age(one.as_of, now, lang()) if number == 0 else ""])
    table(columns, body, name="buying", empty=t("empty.buying"))
    note(t("buying.help"))
