"""Figures as markets.md §9 defines them."""

import numpy as np
import pytest

from bots.backtest.fast import Trades, Walked
from bots.backtest.metrics import max_drawdown_pct, sharpe, sortino
from bots.backtest.report import Report
from tests.bots.backtest.prices import price_data

# markets.md §9: the check series
EQUITY = np.array([1000000, 1012000, 1005000, 1030000, 1018000, 987000, 995000, 1040000, 1033000, 1061000], dtype=float)


def test_the_check_series_gives_the_stated_drawdown_and_sharpe():
    assert max_drawdown_pct(EQUITY) == pytest.approx(-4.174757, abs=1e-6)
    assert sharpe(EQUITY) == pytest.approx(4.660036, abs=1e-6)
    assert sortino(EQUITY) == pytest.approx(9.580304, abs=1e-6)
    assert sharpe(EQUITY, 245) == pytest.approx(4.594858, abs=1e-6)


def test_what_cannot_be_known_is_none():
    assert sharpe(np.array([1.0, 1.0])) is None
    assert sharpe(np.array([1.0, 1.0, 1.0, 1.0])) is None


def report_of(equity, data):
    return Report("fast", {"T": data}, 0.0, equity[0], Walked(Trades.of([]), np.array(equity), 0), ())


def test_minute_bars_count_by_the_last_close_of_each_day():
    data = price_data([1] * 3, [1] * 3, [1] * 3, [1] * 3, daily=False)
    assert report_of([1.0, 2.0, 3.0], data).daily()[1].tolist() == [3.0]
    assert report_of([1.0, 2.0], price_data([1] * 2, [1] * 2, [1] * 2, [1] * 2)).daily()[1].tolist() == [1.0, 2.0]
