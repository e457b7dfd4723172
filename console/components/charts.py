"""Curves and bars, with Plotly."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.basedatatypes import BaseFigure

from console.components.choices import up_is_red
from console.components.drawn import once
from console.components.figures import KST
from console.components.frame import t
from console.services.holdings import EquityCurve

TIME_TICKS = [  # by how far apart the marks are, in milliseconds: no mark says twice the same
    {"dtickrange": [None, 59_999], "value": "%H:%M:%S"},
    {"dtickrange": [60_000, 43_200_000], "value": "%m-%d %H:%M"},
    {"dtickrange": [43_200_001, None], "value": "%m-%d"},
]
INKS = ("#2f6db5", "#c07a2c", "#3a8f6a", "#8a5fb0", "#b0525f", "#5b7f95", "#9a8a3c", "#6a6f7a")


class Made(BaseFigure):  # type: ignore[misc]
    """A figure that is done: text, numbers, lists. Streamlit asks a figure for that, and Plotly copies it each time."""

    def __init__(self, figure: go.Figure) -> None:
        self._done: dict[str, Any] = json.loads(figure.to_json())  # without the figure's own start: no traces to check

    def to_dict(self) -> dict[str, Any]:
        """The same for everyone; who takes it only writes it out."""
        return self._done


def chart(view: object, key: str, make: Callable[[], go.Figure], *also: Hashable, alt: str) -> None:
    """Draw the figure of a reading; it is made once for all who look (see `drawn.once`)."""
    figure = once(view, key, lambda: Made(make()), *also)
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def equity_chart(curves: Sequence[EquityCurve]) -> None:
    """One line per account as change from its first point in per cent: the only unit unlike currencies share."""
    chart(curves, "equity_chart", lambda: equity_figure(curves), alt=t("control.equity"))


def equity_figure(curves: Sequence[EquityCurve]) -> go.Figure:
    figure = go.Figure()
    for ink, curve in zip(INKS, curves, strict=False):
        if len(curve.points) < 2 or curve.points[0][1] == 0:
            continue
        first = curve.points[0][1]
        figure.add_scatter(
            x=[at.astimezone(KST) for at, _ in curve.points],
            y=[float((equity / first - 1) * 100) for _, equity in curve.points],
            name=f"{curve.account} ({curve.currency})",
            mode="lines",
            line={"width": 1.8, "color": ink},
            customdata=[f"{equity:,.2f} {curve.currency}" for _, equity in curve.points],
            hovertemplate="%{customdata} (%{y:+.2f}%)<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        height=290,
        margin={"l": 8, "r": 8, "t": 8, "b": 36},
        legend={"orientation": "h", "y": -0.2},
        yaxis={"ticksuffix": "%", "zeroline": True, "title": None},
        xaxis={"title": None, "tickformatstops": TIME_TICKS, "nticks": 5},
        hovermode="x unified",
    )
    return figure


def bars_chart(view: object, *also: Hashable, values: Callable[[], Mapping[str, Decimal]], name: str, key: str) -> None:
    """One bar per label in won: gains and losses in the person's colours. `values` follow from `view` and `also`."""
    red = up_is_red()
    chart(view, key, lambda: bars_figure(values(), name=name, up_red=red), red, *also, alt=name)


def bars_figure(values: Mapping[str, Decimal], *, name: str, up_red: bool) -> go.Figure:
    up, down = ("#c0292e", "#1f5fbf") if up_red else ("#2f7d4f", "#c0292e")
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=[float(value) for value in values.values()],
            marker_color=[up if value >= 0 else down for value in values.values()],
            hovertemplate="%{x}<br>₩%{y:,.0f}<extra></extra>",
            name=name,
        )
    )
    figure.update_layout(
        height=230,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        yaxis={"tickprefix": "₩", "tickformat": ",.0f", "title": None},
        xaxis={"type": "category", "title": None, "nticks": 16},
        bargap=0.35,
    )
    return figure
