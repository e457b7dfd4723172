"""Figures as markets.md §9 defines them."""

from dataclasses import replace

import numpy as np
import pytest

from bots.backtest.fast import Trades, Walked
from bots.backtest.metrics import benchmark, max_drawdown_pct, metrics_of, sharpe, sortino
from bots.backtest.report import Report
from bots.rules.series import Bars
from shared.domain.errors import ConfigError
from tests.bots.backtest.prices import price_data

# markets.md §9: the check series
EQUITY = np.array([1000000, 1012000, 1005000, 1030000, 1018000, 987000, 995000, 1040000, 1033000, 1061000], dtype=float)


def test_the_check_series_gives_the_stated_drawdown_and_sharpe():
    assert max_drawdown_pct(EQUITY) == pytest.approx(-4.174757, abs=1e-6)
    assert sharpe(EQUITY) == pytest.approx(4.660036, abs=1e-6)
    assert sortino(EQUITY) == pytest.approx(9.580304, abs=1e-6)
    assert sharpe(EQUITY, 245) == pytest.approx(4.594858, abs=1e-6)
    assert sharpe(EQUITY) * (9 / 8) ** 0.5 == pytest.approx(
        4.942715, abs=1e-6
    )  # by n instead of n - 1, of nine returns
    assert (EQUITY[-1] / EQUITY[0] - 1) * 100 == pytest.approx(6.1)
    report = report_of(EQUITY.tolist(), price_data(*[[1] * 10] * 4))
    assert report.return_pct == pytest.approx(6.1)


def test_what_cannot_be_known_is_none():
    assert sharpe(np.array([1.0, 1.0])) is None
    assert sharpe(np.array([1.0, 1.0, 1.0, 1.0])) is None


def report_of(equity, data):
    return Report("fast", {"T": data}, 0.0, equity[0], Walked(Trades.of([]), np.array(equity), 0), ())


def test_minute_bars_count_by_the_last_close_of_each_day():
    data = price_data([1] * 3, [1] * 3, [1] * 3, [1] * 3, daily=False)
    assert report_of([1.0, 2.0, 3.0], data).daily()[1].tolist() == [3.0]
    assert report_of([1.0, 2.0], price_data([1] * 2, [1] * 2, [1] * 2, [1] * 2)).daily()[1].tolist() == [1.0, 2.0]


def test_an_index_stands_in_for_holding_from_its_first_open_in_the_reports_time():
    data = price_data([10] * 4, [10] * 4, [10] * 4, [10] * 4)
    index = price_data([50, 200, 220, 180], [50, 220, 220, 300], [50, 200, 180, 180], [50, 210, 190, 300])
    report = replace(report_of([1_000.0, 1_000.0, 1_000.0], cut(data, 1)), index=index)
    assert benchmark(report).tolist() == [1_050.0, 950.0, 1_500.0]
    figures = {one.name: one for one in metrics_of(report)}
    assert (figures["benchmark_pct"].value, figures["benchmark_pct"].en) == (pytest.approx(50.0), "index")
    assert figures["excess_pct"].value == pytest.approx(-50.0)
    with pytest.raises(ConfigError, match="benchmark"):
        benchmark(replace(report_of([1_000.0], cut(data, 3)), index=cut(index, 0, 2)))


def cut(data, begin, end=None):
    one = data.bars
    columns = (one.starts, one.open, one.high, one.low, one.close, one.volume)
    return replace(data, bars=Bars(*(column[begin:end] for column in columns)))
