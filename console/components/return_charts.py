"""Returns as pictures: how each account grew and fell from its highest, and what each day or month earned."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from console.components.charts import INKS
from console.components.choices import up_is_red
from console.components.frame import t
from console.services.returns import ReturnCurve

MOST_BARS = 62
DAYS_SHOWN = "%Y-%m-%d"


def return_charts(curves: Sequence[ReturnCurve]) -> None:
    """Growth and fall of all that were given; below them the days or months of the one that is chosen."""
    told = {_name(one): one for one in curves if len(one.days) > 1}
    if not told:
        return
    growth_chart(list(told.values()), key="growth_chart")
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    chosen = left.selectbox(t("returns.of"), list(told), key="return_of")
    step = right.segmented_control(
        t("returns.by"), ["day", "month"], default="day", required=True, key="return_by",
        format_func=lambda one: t(f"profit.by.{one}"), label_visibility="collapsed",
    )  # fmt: skip
    if chosen in told:
        _bars(told[chosen], step or "day")


def growth_chart(curves: Sequence[ReturnCurve], *, key: str) -> None:
    """Time-weighted, in per cent: a line per account above, its fall from the highest below."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.66, 0.34], vertical_spacing=0.05)
    for number, one in enumerate(curves):
        grown = one.grown()
        line = {"color": INKS[number % len(INKS)], "width": 2.6 if one.account_id is None else 1.6}
        lines = {"x": [day for day, *_ in grown], "name": _name(one), "mode": "lines", "line": line}
        tip = "%{y:+.2f}%<extra>%{fullData.name}</extra>"
        figure.add_scatter(y=[float(part * 100) for _, part, _ in grown], hovertemplate=tip, row=1, col=1, **lines)
        figure.add_scatter(
            y=[float(fall * 100) for *_, fall in grown], hovertemplate=tip, row=2, col=1, showlegend=False,
            fill="tozeroy" if len(curves) == 1 else None, **lines,
        )  # fmt: skip
    figure.update_layout(
        height=330,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.14},
    )
    figure.update_yaxes(ticksuffix="%", nticks=5, title_font_size=11)
    figure.update_yaxes(title_text=t("returns.axis"), row=1, col=1)
    figure.update_yaxes(title_text=t("returns.fall"), row=2, col=1)
    figure.update_xaxes(tickformat="%m-%d", nticks=8, hoverformat=DAYS_SHOWN)
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=t("returns.alt"))


def _bars(curve: ReturnCurve, step: str) -> None:
    up, down = ("#c0292e", "#1f5fbf") if up_is_red() else ("#2f7d4f", "#c0292e")
    shown = (
        curve.by_month()
        if step == "month"
        else {one.day.strftime(DAYS_SHOWN): one.part for one in curve.days[-MOST_BARS:]}
    )
    figure = go.Figure(
        go.Bar(
            x=list(shown),
            y=[float(part * 100) for part in shown.values()],
            marker_color=[up if part >= 0 else down for part in shown.values()],
            hovertemplate="%{x}<br>%{y:+.2f}%<extra></extra>",
        )
    )
    figure.update_layout(
        height=210,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        yaxis={"ticksuffix": "%", "title": None, "nticks": 5},
        xaxis={"type": "category", "title": None, "nticks": 12},
        bargap=0.35,
    )
    st.plotly_chart(figure, key="return_bars", config={"displayModeBar": False}, alt=t("returns.alt"))


def _name(one: ReturnCurve) -> str:
    environment = t(f"env.{one.environment}")
    return f"{t('returns.all')} · {environment}" if one.account_id is None else f"{one.account} · {environment}"
