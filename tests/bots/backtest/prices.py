"""Price data for backtest tests."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from bots.backtest.data import PriceData
from bots.rules.series import Bars
from shared.domain.account import Market
from shared.domain.trading_days import ZONES


def csv_text(rows, header="date,open,high,low,close,volume"):
    return "\n".join([header, *(",".join(str(cell) for cell in row) for row in rows)]) + "\n"


def days_from(start: date, count: int) -> list[date]:
    return [start + timedelta(days=index) for index in range(count)]


def price_data(
    opens, highs, lows, closes, market=Market.US, daily=True, first=1_700_000_000 // 86_400 * 86_400, volume=1000.0
):
    """Daily (or one-minute) bars from four columns; the calendar is not asked."""
    columns = [np.asarray(one, dtype=np.float64) for one in (opens, highs, lows, closes)]
    step = 86_400 if daily else 60
    starts = first + 18_000 + step * np.arange(len(columns[0]))  # past midnight in New York, whatever the season
    return PriceData(Bars(starts, *columns, np.full(len(columns[0]), volume)), daily, ZONES[market])


def flat_bars(closes, market=Market.US):
    """Bars that open at the last close and go nowhere else."""
    close = np.asarray(closes, dtype=np.float64)
    opened = np.concatenate((close[:1], close[:-1]))
    return price_data(opened, np.maximum(opened, close), np.minimum(opened, close), close, market)
