"""Price series for rule tests: the check input of markets.md §10, and bars from a few closes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from bots.rules.series import Bars, Holding, MarketView

AT = datetime(2024, 5, 2, 15, 30, tzinfo=UTC)


def check_bars() -> Bars:
    """markets.md §10: C = 10000 + 37i + 10·((17i² + 5i) mod 53), H and L around it."""
    i = np.arange(60)
    close = (10000 + 37 * i + 10 * ((17 * i * i + 5 * i) % 53)).astype(np.float64)
    high, low = close + 20 + 10 * (i % 4), close - 30 - 10 * (i % 3)
    return Bars(i * 60, close.copy(), high, low, close, np.full(60, 100.0))


def bars_of(closes, forming: bool = False, step: int = 60) -> Bars:
    """Bars that open where the last one closed."""
    close = np.asarray(closes, dtype=np.float64)
    opened = np.concatenate((close[:1], close[:-1]))
    starts = np.arange(len(close)) * step
    return Bars(
        starts, opened, np.maximum(opened, close), np.minimum(opened, close), close, np.full(len(close), 100.0), forming
    )


def view(bars: Bars, *, closed: bool = True, price: float | None = None, holding: Holding | None = None) -> MarketView:
    return MarketView("AAPL", AT, bars, closed, price, holding)
