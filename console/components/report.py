"""A finished backtest as one HTML page that opens without a network: Plotly is inside, which makes it 5 MB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from shared.words import both

_UP, _DOWN, _INK, _GREY = "#c0392b", "#2f6db5", "#2b3440", "#8a939c"  # Korean screens: red rises, blue falls


@dataclass(frozen=True, slots=True)
class Candles:
    """Bars of one symbol, and what was traded on them: (time, price, text)."""

    symbol: str
    times: Sequence[str]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    bought: Sequence[tuple[str, float, str]] = ()
    sold: Sequence[tuple[str, float, str]] = ()
    cut: int = 0  # earlier bars that the picture leaves out


@dataclass(frozen=True, slots=True)
class ReportPage:
    """What the page shows. Rows are texts, ready to read."""

    title: str
    subtitle: str
    figures: Sequence[tuple[str, str, str]]  # name, value, definition
    times: Sequence[str]
    equity: Sequence[float]
    drawdown_pct: Sequence[float]
    benchmark: Sequence[float]
    months: Mapping[str, float]  # "2024-01" → percent
    candles: Sequence[Candles] = ()
    trades: Sequence[Mapping[str, object]] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = field(default=())


def report_html(page: ReportPage) -> str:
    """Return the whole page."""
    parts = [_equity(page), *(_candles(one) for one in page.candles)]
    charts = [one.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False}) for one in parts]
    return _frame(
        page.title,
        [
            f"<h1>{escape(page.title)}</h1><p class=sub>{escape(page.subtitle)}</p>",
            *(f"<p class=warn>! {escape(one)}</p>" for one in page.warnings),
            _table([both(f"report.{name}") for name in ("figure", "value", "definition")], page.figures),
            charts[0],
            f"<h2>{both('report.monthly')}</h2>{_months(page.months)}",
            *charts[1:],
            f"<h2>{both('report.trades')} ({len(page.trades)})</h2>{_trades(page.trades)}",
            *(f"<p class=sub>{escape(one)}</p>" for one in page.notes),
        ],
    )


def heat_map_html(
    title: str,
    names: Sequence[str],
    rows: Sequence[float],
    columns: Sequence[float],
    cells: Sequence[Sequence[float | None]],
) -> str:
    """Return a page with the mean return of each pair of parameter values."""
    figure = go.Figure(
        go.Heatmap(z=cells, x=[str(one) for one in columns], y=[str(one) for one in rows], colorscale="RdBu_r", zmid=0)
    )
    figure.update_layout(
        height=620, xaxis_title=names[1] if len(names) > 1 else "", yaxis_title=names[0], xaxis_type="category",
        yaxis_type="category",
    )  # fmt: skip
    chart = figure.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False})
    return _frame(title, [f"<h1>{escape(title)}</h1>", chart])


def _frame(title: str, body: Sequence[str]) -> str:
    style = (
        "body{font:14px/1.5 system-ui,'Malgun Gothic','Apple SD Gothic Neo',sans-serif;margin:24px auto;max-width:1180px;"
        f"color:{_INK};padding:0 16px}}h1{{font-size:22px;margin:0}}h2{{font-size:16px;margin:24px 0 8px}}"
        f".sub{{color:{_GREY};margin:2px 0 14px}}.warn{{background:#fff6dd;padding:6px 10px;margin:4px 0}}"
        "table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:3px 10px;text-align:right;"
        "border-bottom:1px solid #e6e9ec}td:first-child,th:first-child{text-align:left}td:last-child,th:last-child{text-align:left}"
        f".scroll{{max-height:420px;overflow:auto}}.up{{color:{_UP}}}.down{{color:{_DOWN}}}th{{position:sticky;top:0;background:#fff}}"
    )
    return (
        f"<!doctype html><html lang=ko><head><meta charset=utf-8><title>{escape(title)}</title><style>{style}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>{''.join(body)}</body></html>"
    )


def _equity(page: ReportPage) -> go.Figure:
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.04)
    figure.add_scatter(
        x=page.times, y=page.equity, name=both("report.equity"), line={"color": _UP, "width": 1.6}, row=1, col=1
    )
    figure.add_scatter(
        x=page.times,
        y=page.benchmark,
        name=both("report.hold"),
        line={"color": _GREY, "width": 1.2},
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=page.times, y=page.drawdown_pct, name=both("report.drawdown"), fill="tozeroy", line={"color": _DOWN, "width": 1}, row=2,
        col=1,
    )  # fmt: skip
    figure.update_layout(
        height=480, margin={"l": 8, "r": 8, "t": 24, "b": 8}, hovermode="x unified", legend_orientation="h"
    )
    return figure


def _candles(one: Candles) -> go.Figure:
    figure = go.Figure(
        go.Candlestick(
            x=one.times, open=one.open, high=one.high, low=one.low, close=one.close, name=one.symbol,
            increasing_line_color=_UP, decreasing_line_color=_DOWN,
        )
    )  # fmt: skip
    for name, points, mark, ink in (
        (both("side.BUY"), one.bought, "triangle-up", "#1b7f4b"),
        (both("side.SELL"), one.sold, "triangle-down", "#111"),
    ):
        figure.add_scatter(
            x=[point[0] for point in points], y=[point[1] for point in points], text=[point[2] for point in points],
            mode="markers", name=name, marker={"symbol": mark, "size": 9, "color": ink},
        )  # fmt: skip
    cut = f" ({both('report.cut', count=f'{one.cut:,}')})" if one.cut else ""
    figure.update_layout(
        height=460, title=f"{one.symbol}{cut}", margin={"l": 8, "r": 8, "t": 40, "b": 8}, xaxis_type="category",
        xaxis_rangeslider_visible=False, xaxis_nticks=8,
    )  # fmt: skip
    return figure


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(one)}</th>' for one in head)}</tr>{lines}</table>"


def _months(months: Mapping[str, float]) -> str:
    years = sorted({one[:4] for one in months})
    head = "".join(f"<th>{one}</th>" for one in ("", *(f"{month}" for month in range(1, 13)), both("report.year")))
    lines = []
    for year in years:
        values = [months.get(f"{year}-{month:02d}") for month in range(1, 13)]
        whole = 1.0
        for value in values:
            whole *= 1.0 if value is None else 1.0 + value / 100.0
        cells = "".join(_month(one) for one in (*values, (whole - 1.0) * 100.0))
        lines.append(f"<tr><td>{year}</td>{cells}</tr>")
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _month(value: float | None) -> str:
    if value is None:
        return "<td></td>"
    return f"<td class={'up' if value > 0 else 'down' if value < 0 else 'flat'}>{value:+.1f}</td>"


def _trades(rows: Sequence[Mapping[str, object]]) -> str:
    if not rows:
        return f"<p class=sub>{both('report.no_trades')}</p>"
    return f"<div class=scroll>{_table(list(rows[0]), [list(row.values()) for row in rows])}</div>"
