"""A day of the bots as heat maps, and how long brokers took to answer."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from console.components.charts import INKS, TIME_TICKS, chart
from console.components.drawn import once
from console.components.figures import KST, UNKNOWN, environment_badge, join, length, mark
from console.components.frame import lang, t
from console.components.table import Column, table_markup
from console.services.holdings import Exposure
from console.services.vitals import QUIET_S, BotDay, Latency

CHOICES = ("gaps", "lag", "errors")
_SCALES = {
    "gaps": [[0, "#dfeee5"], [0.25, "#e5b567"], [1, "#c0292e"]],
    "lag": [[0, "#dfeee5"], [0.25, "#e5b567"], [1, "#c0292e"]],
    "errors": [[0, "#eef1f5"], [0.2, "#e5b567"], [1, "#c0292e"]],
}
_TOPS = {"gaps": 60.0, "lag": 1000.0, "errors": 10.0}  # from here on everything is as red
_UNITS = {"gaps": "s", "lag": "ms", "errors": ""}
LAG_WATCH_MS = 250.0


def day_chart(days: Sequence[BotDay], chosen: str) -> None:
    """One row per account, one cell per five minutes."""
    chart(days, "vitals_chart", lambda: day_figure(days, chosen), chosen, alt=t(f"vitals.{chosen}"))


def day_figure(days: Sequence[BotDay], chosen: str) -> go.Figure:
    values = {
        "gaps": lambda one: one.gap_s,
        "lag": lambda one: one.lag_ms,
        "errors": lambda one: one.errors,
    }[chosen]
    shown = [one.at.astimezone(KST) for one in days[0].slices]
    figure = go.Figure(
        go.Heatmap(
            x=shown,
            y=[f"{day.account} ({t(f'env.{day.environment}')})" for day in days],
            z=[[values(one) for one in day.slices] for day in days],
            zmin=0,
            zmax=_TOPS[chosen],
            colorscale=_SCALES[chosen],
            showscale=False,
            ygap=3,
            hoverongaps=False,
            hovertemplate=f"%{{y}}<br>%{{x|%m-%d %H:%M}}<br>%{{z:.0f}} {_UNITS[chosen]}<extra></extra>",
        )
    )
    figure.update_layout(
        height=60 + 26 * len(days),
        margin={"l": 8, "r": 8, "t": 4, "b": 28},
        xaxis={"title": None, "tickformat": "%H:%M", "nticks": 9, "showgrid": False, "range": [shown[0], shown[-1]]},
        yaxis={"title": None, "autorange": "reversed", "showgrid": False, "ticks": ""},
    )
    return figure


def day_table(days: Sequence[BotDay]) -> None:
    """The same in words, worst first."""
    st.html(once(days, "vitals", lambda: _day_markup(days)))


def _day_markup(days: Sequence[BotDay]) -> str:
    columns = [
        Column(t("col.account")),
        Column(t("vitals.silent"), numeric=True),
        Column(t("vitals.worst_gap"), numeric=True),
        Column(t("vitals.worst_lag"), numeric=True),
        Column(t("vitals.errors"), numeric=True),
    ]
    ordered = sorted(days, key=lambda one: (-(one.silent_min or 0), -one.errors, -(one.worst_gap_s or 0)))
    body = [
        [
            join(one.account, " ", environment_badge(one.environment, lang())),
            _silent(one),
            _over(one.worst_gap_s, QUIET_S, "s"),
            _over(one.worst_lag_ms, LAG_WATCH_MS, "ms"),
            mark("watch", f"{one.errors:,}") if one.errors else "0",
        ]
        for one in ordered
    ]
    return table_markup(columns, body, name="vitals", empty=t("empty.vitals"))


def _silent(one: BotDay) -> object:
    """Unknown until five minutes of the bot are over."""
    if not one.silent_min:
        return UNKNOWN if one.silent_min is None else "0"
    return mark("act", length(one.silent_min * 60, lang()))


def _over(value: float | None, limit: float, unit: str) -> object:
    if value is None:
        return UNKNOWN
    return mark("watch", f"{value:,.0f} {unit}") if value > limit else f"{value:,.0f} {unit}"


def latency_chart(found: Sequence[Latency]) -> None:
    """One dot per order, by the time it was sent."""
    chart(found, "latency_chart", lambda: latency_figure(found), alt=t("latency.title"))


def latency_figure(found: Sequence[Latency]) -> go.Figure:
    figure = go.Figure()
    for ink, one in zip(INKS * (1 + len(found) // len(INKS)), found, strict=False):
        figure.add_scatter(
            x=[at.astimezone(KST) for at, _ in one.points],
            y=[ms for _, ms in one.points],
            name=one.account,
            mode="markers",
            marker={"size": 6, "color": ink, "opacity": 0.75},
            hovertemplate="%{x|%m-%d %H:%M:%S}<br>%{y:,.0f} ms<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        height=240,
        margin={"l": 8, "r": 8, "t": 8, "b": 36},
        legend={"orientation": "h", "y": -0.22},
        yaxis={"ticksuffix": " ms", "rangemode": "tozero", "title": None},
        xaxis={"title": None, "tickformatstops": TIME_TICKS, "nticks": 5},
    )
    return figure


def latency_table(found: Sequence[Latency]) -> None:
    st.html(once(found, "latency", lambda: _latency_markup(found)))


def _latency_markup(found: Sequence[Latency]) -> str:
    columns = [
        Column(t("col.account")),
        Column(t("latency.orders"), numeric=True),
        Column(t("latency.p50"), numeric=True),
        Column(t("latency.p95"), numeric=True),
        Column(t("latency.worst"), numeric=True),
    ]
    body = [
        [
            join(one.account, " ", environment_badge(one.environment, lang())),
            f"{len(one.points):,}",
            *(f"{one.at_most(share):,.0f} ms" for share in (0.5, 0.95, 1.0)),
        ]
        for one in found
    ]
    return table_markup(columns, body, name="latency", empty=t("empty.latency"))


def exposure_chart(found: Exposure) -> None:
    """One bar per symbol, stacked by account; play money keeps its own colours and names."""
    chart(found, "exposure_chart", lambda: exposure_figure(found), alt=t("exposure.title"))


def exposure_figure(found: Exposure) -> go.Figure:
    symbols = sorted({one.symbol for one in found.parts}, key=lambda name: -_total(found, name))[:20]
    owners = list(dict.fromkeys((one.environment, one.account) for one in found.parts))
    figure = go.Figure()
    for ink, (environment, account) in zip(INKS * (1 + len(owners) // len(INKS)), owners, strict=False):
        worth = {
            one.symbol: float(one.won)
            for one in found.parts
            if (one.environment, one.account) == (environment, account)
        }
        figure.add_bar(
            y=symbols,
            x=[worth.get(symbol, 0.0) for symbol in symbols],
            orientation="h",
            name=t("exposure.of", env=t(f"env.{environment}"), account=account),
            marker_color=ink,
            hovertemplate="%{y}<br>₩%{x:,.0f}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        barmode="stack",
        height=90 + 26 * len(symbols),
        margin={"l": 8, "r": 8, "t": 4, "b": 28},
        legend={"orientation": "h", "y": -0.25},
        xaxis={"tickprefix": "₩", "tickformat": ",.0f", "nticks": 4, "tickangle": 0, "title": None},
        yaxis={"autorange": "reversed", "title": None},
    )
    return figure


def _total(found: Exposure, symbol: str) -> float:
    return float(sum(one.won for one in found.parts if one.symbol == symbol))
