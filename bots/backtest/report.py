"""What a backtest says: trades, equity, and the document of `backtest run --json` (design.md §9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bots.backtest.data import DataWarning, PriceData
from bots.backtest.fast import Trade, Trades, Walked
from bots.backtest.metrics import SHARPE_FACTOR, max_drawdown_pct, sharpe
from bots.rules.series import Bars, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """`seconds` is arrays in memory → trades and equity; `final_equity` holds open positions at the last close.

    `sharpe` is None where returns do not vary or are fewer than two. Percentages are percent; a drawdown is negative.
    `index` is what the result is held against; without one it is buying and holding the symbols themselves.
    """

    engine: str
    symbols: dict[str, PriceData]
    seconds: float
    cash: float
    walked: Walked
    warnings: tuple[DataWarning, ...]
    index: PriceData | None = None

    @property
    def data(self) -> PriceData:
        """The bars of the one symbol, the first of several."""
        return next(iter(self.symbols.values()))

    @property
    def trades(self) -> Trades:
        return self.walked.trades

    @property
    def equity(self) -> FloatArray:
        return self.walked.equity

    @property
    def final_equity(self) -> float:
        return float(self.equity[-1])

    @property
    def return_pct(self) -> float:
        return (self.final_equity / self.cash - 1.0) * 100.0

    def starts(self) -> IntArray:
        """Return the opening instant of each point of the equity curve."""
        if len(self.symbols) == 1:
            return self.data.bars.starts
        return np.unique(np.concatenate([one.bars.starts for one in self.symbols.values()]))

    def daily(self) -> tuple[IntArray, FloatArray]:
        """Return (opening instant, equity) at each trading date's last close."""
        starts, equity = self.starts(), self.equity
        if self.data.daily:
            return starts, equity
        none = np.zeros(0)
        days = PriceData(Bars(starts, none, none, none, none, none), False, self.data.zone).local_days()
        last = np.append(np.flatnonzero(np.diff(days)), len(equity) - 1)
        return starts[last], equity[last]

    def as_json(self) -> dict[str, Any]:
        """Return the document of `backtest run --json` (design.md §9): numbers, exchange-local ISO dates or times."""
        daily = self.daily()[1]
        return {
            "engine": self.engine,
            "bars": sum(len(one.bars) for one in self.symbols.values()),
            "seconds": self.seconds,
            "final_equity": self.final_equity,
            "return_pct": self.return_pct,
            "max_drawdown_pct": max_drawdown_pct(np.concatenate(([self.cash], daily))),
            "sharpe": sharpe(daily),
            "sharpe_factor": SHARPE_FACTOR,
            "trades": [self.trade_row(one) for one in self.trades],
            "warnings": [_warning(one) for one in self.warnings],
        }

    def trade_row(self, trade: Trade) -> dict[str, Any]:
        """Return one trade as the document writes it; `symbol` only where there are several."""
        symbol, data = list(self.symbols.items())[trade.symbol]
        row = {
            "entry_at": data.label(trade.entry),
            "entry_price": trade.entry_price,
            "exit_at": None if trade.exit is None else data.label(trade.exit),
            "exit_price": trade.exit_price,
            "quantity": trade.quantity,
            "pnl": trade.pnl,
            "reason": trade.reason,
        }
        return row if len(self.symbols) == 1 else {"symbol": symbol, **row}


def _warning(one: DataWarning) -> dict[str, Any]:
    return {"code": one.code, "text": one.text, "count": one.count, "lines": list(one.lines), "at": list(one.at)}
