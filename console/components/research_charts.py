"""Pictures of backtests: equity and drawdown of several, candles with what was traded, a heat map of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from console.components.frame import t

_INKS = ("#2f6db5", "#c07a2c", "#3a8f6a", "#8a5fb0", "#b0525f", "#5b7f95")
_UP, _DOWN = "#c0392b", "#2f6db5"  # Korean screens: red rises, blue falls
_MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}
_BAR = {"displayModeBar": False}


def equity_and_drawdown(runs: Mapping[str, Sequence[Sequence[float]]], *, key: str) -> None:
    """One line per run, as change since its first point and as fall from its highest, in per cent."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.04)
    for ink, (name, points) in zip(_INKS, runs.items(), strict=False):
        if len(points) < 2 or not points[0][1]:
            continue
        times = [datetime.fromtimestamp(int(at), UTC) for at, _ in points]
        values = [one for _, one in points]
        change = [(one / values[0] - 1) * 100 for one in values]
        line = {"width": 1.7, "color": ink}
        figure.add_scatter(x=times, y=change, name=name, mode="lines", line=line, row=1, col=1)
        fall = {
            "x": times,
            "y": _falls(values),
            "name": name,
            "mode": "lines",
            "line": line,
            "showlegend": False,
            "fill": "tozeroy",
        }
        figure.add_scatter(**fall, row=2, col=1)
    figure.update_layout(height=360, margin=_MARGIN, hovermode="x unified", legend={"orientation": "h", "y": 1.12})
    figure.update_yaxes(ticksuffix="%")
    st.plotly_chart(figure, key=key, config=_BAR, alt=t("research.equity"))


def _falls(values: Sequence[float]) -> list[float]:
    top, found = values[0], []
    for one in values:
        top = max(top, one)
        found.append((one / top - 1) * 100)
    return found


def candles(symbol: str, bars: Mapping[str, Sequence[Any]], trades: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """The last bars of a symbol with its trades as marks: a triangle up where bought, down where sold."""
    times = [str(one) for one in bars["at"]]
    rows = [list(one) for one in zip(bars["open"], bars["close"], bars["low"], bars["high"], strict=True)]
    known = set(times)
    bought = [
        _mark(one["entry_at"], one["entry_price"], _UP, 0) for one in trades if str(one["entry_at"])[:16] in known
    ]
    sold = [
        _mark(one["exit_at"], one["exit_price"], _DOWN, 180)
        for one in trades
        if one["exit_at"] is not None and str(one["exit_at"])[:16] in known
    ]
    option = {
        "animation": False,
        "grid": {"left": 56, "right": 12, "top": 16, "bottom": 56},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": times},
        "yAxis": {"scale": True},
        "dataZoom": [
            {"type": "inside", "start": 60, "end": 100},
            {"type": "slider", "start": 60, "end": 100, "height": 16},
        ],
        "series": [
            {
                "type": "candlestick",
                "name": symbol,
                "data": rows,
                "itemStyle": {"color": _UP, "color0": _DOWN, "borderColor": _UP, "borderColor0": _DOWN},
                "markPoint": {"data": bought + sold, "symbol": "triangle", "symbolSize": 11, "label": {"show": False}},
            }
        ],
    }
    st.echarts_chart(option, height=360, key=key, alt=t("research.candles", symbol=symbol))


def _mark(at: object, price: object, ink: str, turn: int) -> dict[str, Any]:
    return {"coord": [str(at)[:16], price], "itemStyle": {"color": ink}, "symbolRotate": turn}


def heat_map(items: Sequence[Mapping[str, Any]], figure: str, *, key: str) -> None:
    """Mean of `figure` over each pair of the first two parameters; one parameter makes a row."""
    names = list(items[0]["params"])[:2] if items else []
    if not names:
        return
    sums: dict[tuple[float, float], list[float]] = {}
    for one in items:
        value = one.get(figure)
        if value is not None:
            place = (one["params"][names[0]], one["params"][names[1]] if len(names) > 1 else 0)
            sums.setdefault(place, []).append(value)
    rows, columns = sorted({one[0] for one in sums}), sorted({one[1] for one in sums})
    cells = [[_mean(sums.get((row, column))) for column in columns] for row in rows]
    chart = go.Figure(
        go.Heatmap(z=cells, x=[str(one) for one in columns], y=[str(one) for one in rows], colorscale="RdBu_r", zmid=0)
    )
    chart.update_layout(
        height=380, margin=_MARGIN, xaxis={"type": "category", "title": names[1] if len(names) > 1 else None},
        yaxis={"type": "category", "title": names[0]},
    )  # fmt: skip
    st.plotly_chart(chart, key=key, config=_BAR, alt=t("research.heat_map"))


def _mean(values: Sequence[float] | None) -> float | None:
    return None if not values else sum(values) / len(values)
