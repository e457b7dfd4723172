"""시장: where each market stands, what our symbols cost now, candles with our own trades."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from console.components.bar import bar
from console.components.candles import candle_chart
from console.components.choices import up_is_red
from console.components.figures import (
    KST,
    UNKNOWN,
    Html,
    age,
    environment_badge,
    join,
    mark,
    moved,
    percent,
    price,
    span,
)
from console.components.frame import lang, me, t, wiring
from console.components.help import titled
from console.components.live import live
from console.components.rows import below, called
from console.components.table import Column, link, note, table
from console.services import market
from shared.domain.account import Market
from shared.domain.market import Timeframe
from shared.domain.sessions import Phase
from shared.domain.trading_days import ZONES

_FRAMES = (Timeframe.M1, Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.D1)
_MOST = (400, 2_000, 10_000)


@live(20)
def _clocks() -> None:
    now = wiring().clock.wall_now()
    columns = [Column(t("market.timetable")), Column(t("market.now")), Column(t("market.phases"), wide=True)]
    rows = []
    for timetable, phases in market.day_phases(now).items():
        here = next((one for one in phases if one.start <= now < one.end), None)
        zone = ZONES[timetable.market]
        local = span(
            "lt-sub", f"{now.astimezone(zone):%m-%d %H:%M} {'KST' if timetable.market is Market.KRX else 'ET'}"
        )
        state = mark("fine" if here else "off", t(f"phase.{here.state}") if here else t("phase.CLOSED"))
        rows.append([join(t(f"timetable.{timetable}"), local), state, _line(phases, now)])
    table(columns, rows, name="clocks", empty="")
    note(t("market.clock_note"))


def _line(phases: tuple[Phase, ...], now: datetime) -> Html:
    """Today's stretches in Korean time; the present one stands out."""
    if not phases:
        return span("lt-soft", t("market.closed_today"))
    parts: list[object] = []
    for one in phases:
        start, end = one.start.astimezone(KST), one.end.astimezone(KST)
        told = f"{t(f'phase.{one.state}')} {start:%H:%M}–{end:%H:%M}"
        parts += [span("lt-now" if one.start <= now < one.end else "lt-soft", told), "  "]
    return join(*parts)


def _full_name(row: market.QuoteLine) -> str:
    return f"{row.symbol} {called(row.symbol, row.currency)}".rstrip()


@live(2)
def _quotes() -> None:
    now = wiring().clock.wall_now()
    columns = [
        Column(t("col.symbol")),
        Column(t("col.last"), numeric=True),
        Column(t("market.change"), numeric=True),
        Column(f"{t('ticket.bid')} / {t('ticket.asked')}", numeric=True),
        Column(t("market.source"), numeric=True),
    ]
    rows = [
        [
            join(
                link(f"/market?symbol={row.symbol}&env={row.environment}&market={row.market}", row.symbol),
                " ",
                environment_badge(row.environment, lang()),
                below(called(row.symbol, row.currency)),
            ),
            price(row.last, row.currency),
            UNKNOWN if row.change_pct is None else moved(row.change_pct, percent(row.change_pct).lstrip("+")),
            join(price(row.bid, row.currency), Html("<br>"), price(row.ask, row.currency)),
            join(
                t("feed.rest") if row.source == "rest" else t("feed.stream"),
                span("lt-sub", age(row.received_at, now, lang())),
            ),
        ]
        for row in market.quotes(wiring(), me())
    ]
    table(columns, rows, name="quotes", empty=t("empty.quotes"))


@live(15)
def _candles(environment: str, venue: str, symbol: str, frame: str, most: int) -> None:
    chosen = Timeframe(frame)
    drawn = market.chart(wiring(), me(), environment, venue, symbol, chosen, limit=most)
    if not drawn.candles:
        note(t("empty.candles"))
        return
    candle_chart(drawn, chosen, up_is_red=up_is_red())
    last = drawn.candles[-1]
    told = t("market.chart_note", n=f"{len(drawn.candles):,}", trades=len(drawn.trades), at=f"{last.start:%m-%d %H:%M}")
    stops = ", ".join(f"{price(one.price, drawn.currency)} ({one.account})" for one in drawn.stops)
    note(f"{told} · {t('market.stops', stops=stops)}" if stops else told)


bar()
titled("market")
known = {f"{row.environment} {row.market} {row.symbol}": row for row in market.quotes(wiring(), me())}
asked = f"{st.query_params.get('env', '')} {st.query_params.get('market', '')} {st.query_params.get('symbol', '')}"
left, right = st.columns([3, 2], gap="medium")
with left:
    st.subheader(t("market.chart"))
    one, two = st.columns([2, 3], vertical_alignment="bottom")
    names = list(known)
    chosen = one.selectbox(
        t("col.symbol"),
        names,
        index=names.index(asked) if asked in known else (0 if names else None),
        format_func=lambda name: (
            f"{_full_name(known[name])} ({t(f'env.{known[name].environment}')})" if name in known else name
        ),
        key="market_symbol",
        label_visibility="collapsed",
        placeholder=t("empty.quotes"),
    )
    frame = two.segmented_control(
        t("market.frame"), [one.value for one in _FRAMES], default="1m", required=True, key="market_frame",
        format_func=lambda one: t(f"frame.{one}"), label_visibility="collapsed",
    )  # fmt: skip
    most = st.segmented_control(
        t("market.most"), _MOST, default=_MOST[0], required=True, key="market_most", format_func=lambda one: f"{one:,}",
        label_visibility="collapsed",
    )  # fmt: skip
    if chosen in known:
        row = known[chosen]
        st.query_params.update({"symbol": row.symbol, "env": row.environment, "market": row.market})
        _candles(row.environment, row.market, row.symbol, frame or "1m", most or _MOST[0])
    else:
        note(t("empty.candles"))
with right:
    st.subheader(t("market.quotes"))
    _quotes()
st.subheader(t("market.sessions"))
_clocks()
