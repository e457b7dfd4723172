"""Figures of an equity curve and its trades, each with its definition (markets.md §9). Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from bots.rules.series import FloatArray, IntArray
from shared.domain.errors import ConfigError

if TYPE_CHECKING:
    from bots.backtest.report import Report

SHARPE_FACTOR = 252  # trading days a year, both markets (markets.md §9)
_YEAR_S = 365.25 * 86_400


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. `value` None: it cannot be computed from so little."""

    name: str
    ko: str
    en: str
    unit: str  # "%" | "" | "n" for a count | currency
    value: float | None
    definition: str


def metrics_of(report: Report) -> list[Metric]:
    """Return every figure of a finished backtest, in the order a reader wants them."""
    starts, daily = report.daily()
    curve = np.concatenate(([report.cash], daily))
    years = (int(starts[-1]) - int(starts[0])) / _YEAR_S
    growth = report.final_equity / report.cash
    deepest = max_drawdown_pct(curve)
    yearly = (growth ** (1 / years) - 1) * 100 if years > 0 and growth > 0 else None
    calmar = None if yearly is None or deepest == 0 else yearly / -deepest
    returns = curve[1:] / curve[:-1] - 1.0
    spread = float(returns.std(ddof=1)) * math.sqrt(SHARPE_FACTOR) * 100 if len(returns) > 1 else None
    return [
        Metric("return_pct", "총수익률", "total return", "%", report.return_pct, "(V_end / V_start − 1) × 100"),
        Metric("cagr_pct", "연복리 수익률", "yearly return", "%", yearly, "(V_end / V_start)^(1 / years) − 1"),
        Metric(
            "max_drawdown_pct", "최대 낙폭", "max drawdown", "%", deepest, "min(V_t / running max − 1), daily closes"
        ),
        Metric("volatility_pct", "연 변동성", "volatility", "%", spread, "std(r, ddof 1) × √252, daily returns"),
        Metric("sharpe", "샤프", "Sharpe", "", sharpe(daily), "mean(r) / std(r, ddof 1) × √252, risk-free 0"),
        Metric("sortino", "소르티노", "Sortino", "", sortino(daily), "mean(r) / √(Σ min(r, 0)² / n) × √252"),
        Metric("calmar", "칼마", "Calmar", "", calmar, "yearly return / −max drawdown"),
        *_of_trades(report),
        *_of_benchmark(report),
    ]


def _of_trades(report: Report) -> list[Metric]:
    closed = report.trades.closed
    pnl: FloatArray = closed["pnl"]
    count, won = len(pnl), pnl[pnl > 0]
    lost = pnl[pnl <= 0]
    bars = sum(len(one.bars) for one in report.symbols.values())
    log = report.trades.log
    # A bar counts as held from the fill to the last close before the exit; pieces of one position count once.
    _, first = np.unique(np.stack((log["symbol"].astype(np.int64), log["entry"])), axis=1, return_index=True)
    held = 0
    for one in first:
        row = log[one]
        same = log[(log["symbol"] == row["symbol"]) & (log["entry"] == row["entry"])]
        last = len(list(report.symbols.values())[int(row["symbol"])].bars)
        held += max(int(end) if end >= 0 else last for end in same["exit"]) - int(row["entry"])
    losses = float(-lost.sum())
    return [
        Metric("trades", "거래 수", "closed trades", "n", float(count), "round trips; a position sold in pieces is several"),
        Metric("win_rate_pct", "승률", "win rate", "%", len(won) / count * 100 if count else None, "pnl > 0, after costs"),
        Metric(
            "profit_factor", "손익비", "profit factor", "", float(won.sum()) / losses if losses else None, "Σ won / Σ lost"
        ),
        Metric("average_win", "평균 이익", "average win", "$", _mean(won), "after costs"),
        Metric("average_loss", "평균 손실", "average loss", "$", _mean(lost), "after costs"),
        Metric("expectancy", "거래당 기대값", "expectancy", "$", _mean(pnl), "mean pnl of closed trades"),
        Metric(
            "longest_losing", "최다 연속 손실", "longest losing run", "n", float(_longest(pnl <= 0)), "closed trades in a row"
        ),
        Metric("exposure_pct", "보유 비율", "time in market", "%", held / bars * 100, "bars held / bars"),
    ]  # fmt: skip


def _of_benchmark(report: Report) -> list[Metric]:
    held = benchmark(report)
    gain = (float(held[-1]) / report.cash - 1.0) * 100.0
    return [
        Metric(
            "benchmark_pct",
            "매수 후 보유" if report.index is None else "지수",
            "buy and hold" if report.index is None else "index",
            "%",
            gain,
            "first open → last close, equal shares, no costs",
        ),
        Metric("excess_pct", "초과 수익", "excess return", "%", report.return_pct - gain, "total return − benchmark"),
    ]


def benchmark(report: Report) -> FloatArray:
    """Return the equity of buying every symbol at its first open, in equal parts, and holding it; fractions allowed.

    Where the report has an index, that is bought instead, at its first open inside the report's time.
    """
    starts = report.starts()
    if report.index is not None:
        bars = report.index.bars
        first = int(np.searchsorted(bars.starts, starts[0]))
        at = np.searchsorted(bars.starts, starts, side="right") - 1
        if first >= len(bars) or at[-1] < first:
            raise ConfigError(
                "--benchmark", "지수의 봉이 백테스트 기간에 없습니다 · the index has no bars in the backtest's time",
                f"{report.index.label(0)} … {report.index.label(len(bars) - 1)}",
            )  # fmt: skip
        return np.where(at < first, report.cash, report.cash * bars.close[np.maximum(at, 0)] / bars.open[first])
    share = report.cash / len(report.symbols)
    total = np.zeros(len(starts))
    for data in report.symbols.values():
        bars = data.bars
        at = np.searchsorted(bars.starts, starts, side="right") - 1
        total += np.where(at < 0, share, share * bars.close[np.maximum(at, 0)] / bars.open[0])
    return total


def max_drawdown_pct(equity: FloatArray) -> float:
    """Return the deepest fall below an earlier high in percent, 0 or negative: min(V / running max - 1) × 100."""
    return float((equity / np.maximum.accumulate(equity) - 1.0).min() * 100.0)


def sharpe(equity: FloatArray, factor: int = SHARPE_FACTOR) -> float | None:
    """Return mean(r) / std(r, ddof=1) × sqrt(factor) of the returns between daily closes, risk-free rate 0."""
    if len(equity) < 3:
        return None
    returns = equity[1:] / equity[:-1] - 1.0
    spread = float(returns.std(ddof=1))
    return None if spread == 0.0 or not math.isfinite(spread) else float(returns.mean()) / spread * math.sqrt(factor)


def sortino(equity: FloatArray, factor: int = SHARPE_FACTOR) -> float | None:
    """Return mean(r) / downside × sqrt(factor), where downside is the root mean square of negative returns over all n."""
    if len(equity) < 3:
        return None
    returns = equity[1:] / equity[:-1] - 1.0
    downside = math.sqrt(float((np.minimum(returns, 0.0) ** 2).mean()))
    return (
        None if downside == 0.0 or not math.isfinite(downside) else float(returns.mean()) / downside * math.sqrt(factor)
    )


def monthly(report: Report) -> dict[str, float]:
    """Return each month's return in percent, "2024-01" → percent, the first against the starting cash."""
    starts, equity = report.daily()
    labels = _months(starts, report)
    found: dict[str, float] = {}
    before = report.cash
    for place, label in enumerate(labels):
        if place + 1 == len(labels) or labels[place + 1] != label:
            found[label] = (float(equity[place]) / before - 1.0) * 100.0
            before = float(equity[place])
    return found


def _months(starts: IntArray, report: Report) -> list[str]:
    zone = report.data.zone
    return [datetime.fromtimestamp(int(one), zone).strftime("%Y-%m") for one in starts]


def as_rows(found: list[Metric]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "value": one.value,
            "unit": one.unit,
            "ko": one.ko,
            "en": one.en,
            "definition": one.definition,
        }
        for one in found
    ]


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None


def _longest(flags: Any) -> int:
    longest = run = 0
    for one in flags.tolist():
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest
