"""관제: is anything on fire, who is live, is every position protected, why did nothing trade."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from console.components.account_deeds import approval
from console.components.bar import bar
from console.components.charts import equity_chart
from console.components.drawn import once
from console.components.events import event_table
from console.components.figures import (
    UNKNOWN,
    Html,
    age,
    ago,
    amount,
    environment_badge,
    join,
    mark,
    money,
    moved,
    moved_money,
    span,
    token_left,
)
from console.components.first_steps import first_steps
from console.components.frame import lang, me, t, wiring
from console.components.help import help_of
from console.components.live import live
from console.components.reasons import decided
from console.components.rows import account_cell, unknown_pnl
from console.components.table import Column, facts_markup, note, table_markup
from console.components.waiting import waiting
from console.services import events, holdings, overview, rules
from console.services.overview import AccountLine, Overview, Sums, Trouble
from shared.domain.account import Environment
from shared.domain.money import Currency
from shared.words import reason_text

_TONES = {Trouble.ACT: "act", Trouble.WATCH: "watch", Trouble.FINE: "fine", Trouble.OFF: "off"}
_SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}


@live(3)
def _desk() -> None:
    view = overview.overview(wiring(), me())
    waiting(limit=8)
    if not any(line.heartbeat_age_s is not None for line in view.lines):
        known = rules.shown(wiring(), me())
        first_steps(view, len(known), sum(one.enabled for one in known))
    if not view.lines:
        st.html(join(Html('<div class="lt-empty" data-table="accounts">'), t("empty.desk"), Html("</div>")))
        return
    st.html(once(view, "sums", lambda: facts_markup(_sums(view), name="sums")))
    st.html(once(view, "accounts", lambda: _accounts(view)))


def _sums(view: Overview) -> list[tuple[object, object]]:
    shown: list[tuple[object, object]] = []
    for one in view.sums:
        badge = environment_badge(one.environment, lang())
        shown.append((_label("sum.equity", badge, one.equity_unknown), _equity_told(one, view)))
        gap = one.pnl_unknown if one.pnl_today else 0  # where none is known the dash says so
        shown.append((_label("sum.pnl_today", badge, gap), _pnl_told(one)))
    unguarded = sum(line.unguarded + line.stale_stops for line in view.lines)
    held = sum(line.positions for line in view.lines)
    open_orders = sum(line.open_orders for line in view.lines)
    blocked = sum(times for _, times in view.blocked)
    most = [t("sum.blocked_most", reason=reason_text(code, lang()), n=f"{n:,}") for code, n in view.blocked[:1]]
    return [
        *shown,
        (f"{t('sum.positions')} / {t('sum.open_orders')}", f"{held:,} / {open_orders:,}"),
        (t("sum.unguarded"), mark("act", f"{unguarded:,}") if unguarded else "0"),
        (t("sum.blocked"), join(f"{blocked:,}", *(span("lt-sub", reason) for reason in most))),
    ]


def _equity_told(one: Sums, view: Overview) -> Html:
    """Won over all currencies with the rate's age; without a rate each currency by itself."""
    by_currency = " · ".join(map(money, one.equity))
    if one.equity_won is None or not one.equity:
        below = t("sum.no_rate") if len(one.equity) > 1 else ""
        return join(by_currency or UNKNOWN, span("lt-sub", below) if below else "")
    if all(part.currency is Currency.KRW for part in one.equity) or view.rate is None:
        return join(amount(one.equity_won, "KRW"))
    rate = t("sum.at_rate", rate=f"{view.rate.won:,.2f}", age=age(view.rate.at, view.as_of, lang()))
    return join(amount(one.equity_won, "KRW"), span("lt-sub", rate, by_currency))


def _pnl_told(one: Sums) -> Html:
    if not one.pnl_today:
        return join(UNKNOWN, span("lt-sub", t("pnl.first") if one.pnl_first else t("pnl.none_today")))
    if one.price_won is None:
        return join(*[part for total in one.pnl_today for part in (moved_money(total), " ")])
    if one.fx_won == 0:
        return moved(one.price_won, amount(one.price_won, "KRW"))
    if one.fx_won is None:
        return join(
            moved(one.price_won, amount(one.price_won, "KRW")),
            span("lt-sub", t("sum.split", price=amount(one.price_won, "KRW"), fx=UNKNOWN)),
        )
    whole = one.price_won + one.fx_won
    parts = t("sum.split", price=amount(one.price_won, "KRW"), fx=amount(one.fx_won, "KRW"))
    return join(moved(whole, amount(whole, "KRW")), span("lt-sub", parts))


def _label(key: str, badge: Html, unknown: int) -> Html:
    gap = f" ({t('sum.unknown', n=unknown)})" if unknown else ""
    return join(t(key), " ", badge, gap)


def _accounts(view: Overview) -> str:
    columns = [
        Column(t("col.account")),
        Column(t("col.state")),
        Column(t("col.heartbeat"), numeric=True),
        Column(t("col.pnl_today"), numeric=True),
        Column(t("col.equity"), numeric=True),
        Column(t("col.exposure"), numeric=True),
        Column(t("col.held_open"), numeric=True),
        Column(t("col.guard")),
        Column(t("col.last_decision"), wide=True),
        Column(t("col.token"), numeric=True),
    ]
    rows = [_row(line, view) for line in view.lines]
    return table_markup(columns, rows, name="accounts", empty=t("empty.accounts"))


def _row(line: AccountLine, view: Overview) -> list[object]:
    return [
        join(
            account_cell(line.id, line.nickname, line.environment),
            span("lt-sub", f"{line.broker} {line.market} ··{line.last4}"),
        ),
        _state(line, view.as_of),
        _heartbeat(line),
        _pnl(line, view),
        join(
            span("", money(line.equity), age(line.equity_at, view.as_of, lang())),
            span("lt-sub", t("account.cash", cash=money(line.cash))),
        ),
        UNKNOWN if line.exposure_pct is None else f"{line.exposure_pct:.0f}%",
        f"{line.positions:,} / {line.open_orders:,}",
        _guard(line),
        decided(line.decision, view.as_of) if line.decision else span("lt-soft", t("decision.none")),
        token_left(line.token_expires_at, view.as_of, lang()),
    ]


def _pnl(line: AccountLine, view: Overview) -> Html:
    """In the account's currency; below it the same in won where a rate is known."""
    told = moved_money(line.pnl_today)
    if line.pnl_today is None:
        return unknown_pnl(line)
    if line.pnl_today.currency is Currency.KRW or view.rate is None:
        return told
    return join(told, span("lt-sub", amount(line.pnl_today.amount * view.rate.won, "KRW")))


def _state(line: AccountLine, now: datetime) -> Html:
    wanted = t("desired.on") if line.enabled else t("desired.off")
    word = f"{wanted} → {t(f'status.{line.status}')}"
    why = reason_text(line.why, lang()) if line.why else ""
    below = why or (t("kill.on_account", level=t(f"kill.{line.kill.name}")) if line.kill else "")
    if not line.has_keys:
        below = t("account.no_keys")
    live = line.environment == Environment.LIVE and line.enabled  # an account that is off is calm
    armed = span("lt-sub", approval(line.armed_until, now)) if live else ""
    return join(mark(_TONES[line.trouble], word, why), span("lt-sub lt-wrap", below) if below else "", armed)


def _heartbeat(line: AccountLine) -> Html:
    feed = t("feed.rest") if line.feed_source == "rest" else t("feed.stream")
    below = f"{feed} {ago(line.feed_age_s, lang())}" if line.feed_age_s is not None else t("feed.none")
    return join(ago(line.heartbeat_age_s, lang()), span("lt-sub", below))


def _guard(line: AccountLine) -> Html:
    if not line.positions:
        return span("lt-soft", t("guard.nothing_held"))
    if line.unguarded:
        return mark("act", t("guard.unguarded", n=line.unguarded))
    if line.stale_stops:
        return mark("act", t("guard.stale", n=line.stale_stops), t("guard.stale_help"))
    return mark("fine", t("guard.all"))


@live(4)
def _recent() -> None:
    st.subheader(t("control.events"))
    rows = events.recent(wiring(), me())
    st.html(once(rows, "events", lambda: event_table(rows)))


@live(20)
def _equity(chosen: str) -> None:
    curves = holdings.equity_curves(wiring(), me(), _SPANS[chosen])
    if not any(len(curve.points) > 1 for curve in curves):
        note(t("empty.equity"))
        return
    equity_chart(curves)


bar()
_desk()
left, right = st.columns([5, 3], gap="medium")
with left:
    _recent()
with right:
    st.subheader(t("control.equity"))
    span_name = st.segmented_control(
        t("control.span"),
        list(_SPANS),
        default="day",
        required=True,
        format_func=lambda name: t(f"span.{name}"),
        key="span",
        label_visibility="collapsed",
    )
    _equity(span_name or "day")
    help_of("control", "content")  # below: the first screen belongs to what is on fire
