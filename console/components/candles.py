"""Candles with our executions and stops: Streamlit's built-in ECharts, no JavaScript of ours."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import streamlit as st

from console.components.drawn import once
from console.components.frame import t
from console.services.market import Chart, Mark
from shared.domain.market import Timeframe
from shared.domain.order import Side

RED, BLUE, GREEN, GREY = "#c0292e", "#1f5fbf", "#2f7d4f", "#8a93a5"
MOST_AS_TEXT = 2_000
EXACT_BELOW = 100_000  # dollars and cents in a float of four bytes


def candle_chart(chart: Chart, timeframe: Timeframe, *, up_is_red: bool = True, key: str = "candles") -> None:
    """Draw it; a long chart is made at each look, for holding it and its candles would cost megabytes."""

    def made() -> dict[str, Any]:
        return candle_spec(chart, timeframe, up_is_red=up_is_red)

    short = len(chart.candles) <= MOST_AS_TEXT
    spec = once(chart, "candles", made, timeframe, up_is_red) if short else made()  # Streamlit copies what it changes
    st.echarts_chart(spec, height=430, key=key, alt=t("market.chart_alt"))


def candle_spec(chart: Chart, timeframe: Timeframe, *, up_is_red: bool = True) -> dict[str, Any]:
    """The ECharts option: candles, volume below, a triangle per execution, lines for stops and resting orders."""
    up, down = (RED, BLUE) if up_is_red else (GREEN, RED)
    form = "%y-%m-%d" if timeframe is Timeframe.D1 else "%m-%d %H:%M"
    labels = [candle.start.strftime(form) for candle in chart.candles]
    names = [t(f"candle.{name}") for name in ("at", "open", "close", "low", "high")] + [t("market.volume")]
    places = 0 if chart.currency == "KRW" else 2
    return {
        "animation": False,
        "grid": [
            {"left": 70, "right": 24, "top": 30, "height": 256},
            {"left": 70, "right": 24, "top": 310, "height": 50},
        ],
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "cross"}, "valueFormatter": f"%,.{places}f"},
        "dataset": {"dimensions": names, "source": _rows(chart, labels, names)},
        "xAxis": [
            {"type": "category", "axisLabel": {"show": False}},
            {"type": "category", "gridIndex": 1},
        ],
        "yAxis": [
            {"scale": True, "name": chart.currency, "splitLine": {"lineStyle": {"opacity": 0.4}}},
            {
                "gridIndex": 1,
                "splitNumber": 2,
                "axisLabel": {"show": False},
                "splitLine": {"show": False},
                "name": t("market.volume"),
                "nameLocation": "middle",
                "nameGap": 12,
            },
        ],
        "dataZoom": [
            {"type": "inside", "xAxisIndex": [0, 1], "start": max(0, 100 - 12000 / max(len(labels), 1))},
            {"type": "slider", "xAxisIndex": [0, 1], "height": 18, "bottom": 6},
        ],
        "series": [
            {
                "type": "candlestick",
                "name": t("col.price"),
                "encode": {"x": names[0], "y": names[1:5], "tooltip": names[1:5]},
                "itemStyle": {"color": up, "color0": down, "borderColor": up, "borderColor0": down},
                "markPoint": {"data": _points(chart, labels, up, down), "label": {"show": False}},
                "markLine": {"symbol": "none", "silent": True, "data": _levels(chart)},
            },
            {
                "type": "bar",
                "name": t("market.volume"),
                "xAxisIndex": 1,
                "yAxisIndex": 1,
                "encode": {"x": names[0], "y": names[5]},
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
    if trade.at is None:
        return None
    index = bisect_right(chart.candles, trade.at, key=lambda candle: candle.start) - 1
    return index if index >= 0 else None


def _rows(chart: Chart, labels: list[str], names: list[str]) -> Any:
    """The candles once for both panes. Many go as columns of numbers: in text they would weigh a third more.

    Four bytes carry seven digits: every price below 100,000 to the cent; dearer ones get eight.
    """
    if len(labels) <= MOST_AS_TEXT:
        return tuple(  # no list: to tell one from a data frame Streamlit brings pandas in, for 0.7 s and 60 MB
            [label, float(c.open), float(c.close), float(c.low), float(c.high), c.volume]
            for label, c in zip(labels, chart.candles, strict=True)
        )
    import pyarrow  # 40 MB that only a long chart needs

    dearest = max(c.high for c in chart.candles)
    kind = pyarrow.float32() if chart.currency == "KRW" or dearest < EXACT_BELOW else pyarrow.float64()
    prices = zip(*((c.open, c.close, c.low, c.high) for c in chart.candles), strict=True)
    columns = [
        pyarrow.array(labels),
        *(pyarrow.array([float(one) for one in row], kind) for row in prices),
        pyarrow.array([c.volume for c in chart.candles], pyarrow.int64()),
    ]
    return pyarrow.table(columns, names=names)


def _levels(chart: Chart) -> list[dict[str, Any]]:
    """A dashed line per stop, a dotted one per order that rests in the market."""
    stops = [_level(one, t("market.stop_of", account=one.account), "dashed") for one in chart.stops]
    resting = [
        _level(one, t("market.resting", side=t(f"side.{one.side}"), n=f"{one.qty:,}", account=one.account), "dotted")
        for one in chart.resting
    ]
    return stops + resting


def _level(one: Mark, words: str, kind: str) -> dict[str, Any]:
    return {
        "yAxis": float(one.price),
        "lineStyle": {"type": kind, "color": GREY},
        "label": {"formatter": words, "position": "insideEndTop"},
    }
