"""What a backtest says: trades, equity, and figures as markets.md §9 defines them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bots.backtest.data import DataWarning, PriceData
from bots.backtest.fast import Trade
from bots.rules.series import FloatArray

SHARPE_FACTOR = 252  # trading days a year, both markets (markets.md §9)


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """`seconds` is arrays in memory → trades and equity; `final_equity` holds open positions at the last close.

    `sharpe` is None where returns do not vary or are fewer than two. Percentages are percent; a drawdown is negative.
    """

    engine: str
    data: PriceData
    seconds: float
    cash: float
    equity: FloatArray
    trades: tuple[Trade, ...]
    warnings: tuple[DataWarning, ...]

    @property
    def final_equity(self) -> float:
        return float(self.equity[-1])

    @property
    def return_pct(self) -> float:
        return (self.final_equity / self.cash - 1.0) * 100.0

    def as_json(self) -> dict[str, Any]:
        """Return the document of `backtest run --json` (design.md §9): numbers, exchange-local ISO dates or times."""
        daily = daily_equity(self.equity, self.data)
        return {
            "engine": self.engine,
            "bars": len(self.data.bars),
            "seconds": self.seconds,
            "final_equity": self.final_equity,
            "return_pct": self.return_pct,
            "max_drawdown_pct": max_drawdown_pct(np.concatenate(([self.cash], daily))),
            "sharpe": sharpe(daily),
            "sharpe_factor": SHARPE_FACTOR,
            "trades": [self._trade(one) for one in self.trades],
            "warnings": [_warning(one) for one in self.warnings],
        }

    def _trade(self, trade: Trade) -> dict[str, Any]:
        return {
            "entry_at": self.data.label(trade.entry),
            "entry_price": trade.entry_price,
            "exit_at": None if trade.exit is None else self.data.label(trade.exit),
            "exit_price": trade.exit_price,
            "quantity": trade.quantity,
            "pnl": trade.pnl,
            "reason": trade.reason,
        }


def _warning(one: DataWarning) -> dict[str, Any]:
    return {"code": one.code, "text": one.text, "count": one.count, "lines": list(one.lines), "at": list(one.at)}


def daily_equity(equity: FloatArray, data: PriceData) -> FloatArray:
    """Return the equity at each trading date's last close."""
    if data.daily:
        return equity
    last = np.append(np.flatnonzero(np.diff(data.local_days())), len(equity) - 1)
    closes: FloatArray = equity[last]
    return closes


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
