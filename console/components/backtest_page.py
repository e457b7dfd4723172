"""A finished backtest's document as the page that opens offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from console.components.figures import UNKNOWN
from console.components.report import Candles, ReportPage

_MOST_TRADES = 2_000


def figure(row: Mapping[str, Any]) -> str:
    """One figure of a backtest as people read it."""
    return in_unit(row.get("value"), str(row.get("unit")))


def in_unit(value: float | None, unit: str) -> str:
    """A figure in its unit: counts are whole."""
    return UNKNOWN if value is None else f"{value:,.0f}" if unit == "n" else f"{value:,.2f}{'%' if unit == '%' else ''}"


def page_of_run(run_id: int, rule: str, result: Mapping[str, Any]) -> ReportPage:
    """What report.py draws, from the document that the research worker left."""
    points: Sequence[Sequence[float]] = result["equity"]
    values = [one for _, one in points]
    return ReportPage(
        title=rule,
        subtitle=f"#{run_id} · {result['engine']}",
        figures=[(f"{one['ko']} · {one['en']}", figure(one), str(one["definition"])) for one in result["metrics"]],
        times=[datetime.fromtimestamp(int(at), UTC).isoformat(timespec="minutes")[:16] for at, _ in points],
        equity=values,
        drawdown_pct=[(one / top - 1) * 100 for one, top in zip(values, accumulate(values, max), strict=True)],
        benchmark=(),
        months=result["monthly"],
        trades=result["trades"][-_MOST_TRADES:],
        candles=[_candles(symbol, bars, result["trades"]) for symbol, bars in result.get("candles", {}).items()],
        warnings=[f"{one['text']} ({one['count']})" for one in result["warnings"]],
    )


def _candles(symbol: str, bars: Mapping[str, Sequence[Any]], trades: Sequence[Mapping[str, Any]]) -> Candles:
    mine, known = [one for one in trades if one.get("symbol", symbol) == symbol], set(bars["at"])
    bought = [(str(one["entry_at"])[:16], one["entry_price"], f"{one['quantity']:,}") for one in mine]
    sold = [
        (str(one["exit_at"])[:16], one["exit_price"], str(one["reason"])) for one in mine if one["exit_at"] is not None
    ]
    return Candles(
        symbol, bars["at"], bars["open"], bars["high"], bars["low"], bars["close"],
        [one for one in bought if one[0] in known], [one for one in sold if one[0] in known],
    )  # fmt: skip
