"""Candles with our executions and stops: Streamlit's built-in ECharts, no JavaScript of ours."""

from __future__ import annotations

from typing import Any

import streamlit as st

from console.components.frame import t
from console.services.market import Chart, Mark
from shared.domain.market import Timeframe
from shared.domain.order import Side

RED, BLUE, GREEN, GREY = "#c0292e", "#1f5fbf", "#2f7d4f", "#8a93a5"


def candle_chart(chart: Chart, timeframe: Timeframe, *, up_is_red: bool = True, key: str = "candles") -> None:
    st.echarts_chart(candle_spec(chart, timeframe, up_is_red=up_is_red), height=430, key=key, alt=t("market.chart_alt"))


def candle_spec(chart: Chart, timeframe: Timeframe, *, up_is_red: bool = True) -> dict[str, Any]:
    """The ECharts option: candles, volume below, a triangle per execution, a dashed line per stop."""
    up, down = (RED, BLUE) if up_is_red else (GREEN, RED)
    form = "%y-%m-%d" if timeframe is Timeframe.D1 else "%m-%d %H:%M"
    labels = [candle.start.strftime(form) for candle in chart.candles]
    places = 0 if chart.currency == "KRW" else 2
    return {
        "animation": False,
        "grid": [
            {"left": 70, "right": 24, "top": 16, "height": 270},
            {"left": 70, "right": 24, "top": 310, "height": 50},
        ],
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "cross"}, "valueFormatter": f"%,.{places}f"},
        "xAxis": [
            {"type": "category", "data": labels, "axisLabel": {"show": False}},
            {"type": "category", "data": labels, "gridIndex": 1},
        ],
        "yAxis": [
            {"scale": True, "splitLine": {"lineStyle": {"opacity": 0.4}}},
            {"gridIndex": 1, "splitNumber": 2, "axisLabel": {"show": False}, "splitLine": {"show": False}},
        ],
        "dataZoom": [
            {"type": "inside", "xAxisIndex": [0, 1], "start": max(0, 100 - 12000 / max(len(labels), 1))},
            {"type": "slider", "xAxisIndex": [0, 1], "height": 18, "bottom": 6},
        ],
        "series": [
            {
                "type": "candlestick",
                "name": t("col.price"),
                "data": [[float(c.open), float(c.close), float(c.low), float(c.high)] for c in chart.candles],
                "itemStyle": {"color": up, "color0": down, "borderColor": up, "borderColor0": down},
                "markPoint": {"data": _points(chart, labels, up, down), "label": {"show": False}},
                "markLine": {"symbol": "none", "silent": True, "data": [_stop(one) for one in chart.stops]},
            },
            {
                "type": "bar",
                "name": t("market.volume"),
                "xAxisIndex": 1,
                "yAxisIndex": 1,
                "data": [candle.volume for candle in chart.candles],
                "itemStyle": {"color": GREY, "opacity": 0.5},
            },
        ],
    }


def _points(chart: Chart, labels: list[str], up: str, down: str) -> list[dict[str, Any]]:
    """Buys point up from below their price, sales down from above."""
    points = []
    for trade in chart.trades:
        index = _bar_of(chart, trade)
        if index is None:
            continue
        buy = trade.side == Side.BUY
        word = t(f"side.{trade.side}")
        points.append(
            {
                "name": f"{word} {trade.qty:,} @ {trade.price:,} ({trade.account})",
                "coord": [labels[index], float(trade.price)],
                "symbol": "triangle",
                "symbolRotate": 0 if buy else 180,
                "symbolSize": 11,
                "symbolOffset": [0, 9 if buy else -9],
                "itemStyle": {"color": up if buy else down, "borderColor": "#ffffff", "borderWidth": 1},
            }
        )
    return points


def _bar_of(chart: Chart, trade: Mark) -> int | None:
    """The last candle that began before the execution."""
    found = None
    for index, candle in enumerate(chart.candles):
        if trade.at is None or candle.start > trade.at:
            break
        found = index
    return found


def _stop(one: Mark) -> dict[str, Any]:
    return {
        "yAxis": float(one.price),
        "lineStyle": {"type": "dashed", "color": GREY},
        "label": {"formatter": t("market.stop_of", account=one.account), "position": "insideEndTop"},
    }
