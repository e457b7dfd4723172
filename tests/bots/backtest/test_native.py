"""The compiled walk is the one of the source beside it, and its absence changes no trade."""

import shutil
import subprocess

import numpy as np
import pytest

from bots.backtest import Setting, kernel, native, resting, walk
from bots.backtest.costs import CostsName
from bots.backtest.data import PriceData
from bots.backtest.fast import Fill
from bots.rules.conditions import columns
from bots.rules.plan import plan_of
from bots.rules.series import Bars
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule
from shared.domain.trading_days import ZONES
from tests.bots.backtest import native_only
from tests.bots.backtest.test_gate import RULE, STATE, minute_bars


@native_only
def test_the_library_in_use_was_built_from_the_source_beside_it():
    assert native.library().backtest_source().decode() == native.source_hash()


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_source_compiles_without_a_warning(tmp_path):
    command = [
        "cc",
        *native.FLAGS,
        "-Wall",
        "-Wextra",
        "-Werror",
        "-o",
        str(tmp_path / "k.so"),
        str(native.SOURCE),
        "-lm",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@native_only
def test_a_machine_without_the_library_gets_the_same_trades(monkeypatch):
    rule, data = parse_rule(RULE.format(*STATE, "")), minute_bars(2_000)
    setting = Setting(Market.KRX, 1e8, Fill.NEXT_OPEN)
    with_it = walk(rule, plan_of(rule), {"S": data}, setting)
    monkeypatch.setattr(kernel.native, "library", lambda: None)
    without = walk(rule, plan_of(rule), {"S": data}, setting)
    assert list(with_it.trades) == list(without.trades) and len(without.trades) > 20
    np.testing.assert_allclose(with_it.equity, without.equity, atol=1e-6)


@native_only
def test_more_trades_than_the_log_expects_are_all_kept():
    rule = parse_rule(
        """
        metadata: {name: busy}
        strategy:
          id: busy
          timeframe: 1m
          entry: {conditions: [{indicator: close, operator: greater_than, value: 0}]}
          exit: {conditions: [{indicator: close, operator: greater_than, value: 0}]}
        sizing: {mode: shares, value: 1}
        """
    )
    data = minute_bars(4_000)
    assert len(walk(rule, plan_of(rule), {"S": data}, Setting(Market.KRX, 1e9, costs=CostsName.NONE)).trades) > 1_900


@native_only
def test_memory_grows_by_the_curve_and_the_log_alone():
    """Equity is eight bytes a bar, the log a sixteenth of a row a bar; columns are TA-Lib's own."""
    data = minute_bars(50_000)
    rule = parse_rule(RULE.format(*STATE, ""))
    walked = walk(rule, plan_of(rule), {"S": data}, Setting(Market.KRX, 1e9))
    assert walked.equity.nbytes == 8 * 50_000 and walked.trades.log.base.nbytes < 4 * 50_000


AVERAGED = """
metadata: {{name: averages}}
strategy:
  id: averages
  timeframe: 1m
  indicators:
    - {{id: {0}, alias: fast, params: {{period: {1}}}}}
    - {{id: {2}, alias: slow, params: {{period: {3}}}}}
    - {{id: sma, alias: trend, source: high, params: {{period: 3}}}}
  entry: {{conditions: [{{indicator: fast, operator: cross_above, compare_to: slow}}]}}
  exit:
    logic: OR
    conditions:
      - {{indicator: fast, operator: cross_below, compare_to: slow}}
      - {{all: [{{indicator: position.pnl_pct, operator: greater_than, value: 0.4}}, {{indicator: close, operator: less_than, compare_to: trend}}]}}
risk: {{stop_loss: {{enabled: true, percent: 1}}}}
execution: {{cooldown_sec: {4}}}
"""


def uneven_bars(count, seed):
    """Minutes with holes of hours and days, at prices whose sums are not exact."""
    noise = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(noise.standard_normal(count) * 0.004))
    opened = close * (1 + noise.standard_normal(count) * 0.001)
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    steps = np.where(noise.random(count) < 0.004, 60 * noise.integers(2, 4_000, count), 60)
    bars = Bars(1_700_000_000 + np.cumsum(steps), opened, high, low, close, np.full(count, 900.0))
    return PriceData(bars, False, ZONES[Market.KRX])


@native_only
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "kinds", [("sma", 4, "sma", 21), ("ema", 5, "ema", 40), ("sma", 2, "ema", 600), ("ema", 30, "sma", 513)]
)
def test_averages_made_within_the_walk_are_those_of_talib(kinds, seed):
    data = uneven_bars(3_300, seed)
    rule = parse_rule(AVERAGED.format(*kinds, (0, 7_200)[seed % 2]))
    plan, setting = plan_of(rule), Setting(Market.KRX, 1e9, Fill.NEXT_OPEN, CostsName.DEFAULT)
    assert len(kernel.averaged(plan)) == 3
    walker = kernel.Walker((data,), setting.terms)
    made, given = walker.walk(plan), walker.walk(plan, [columns(plan, data.bars, {})])
    np.testing.assert_array_equal(made.trades.log, given.trades.log)
    np.testing.assert_array_equal(made.equity, given.equity)
    slow = resting.walk(rule, {"S": data}, setting.terms)
    assert [(one.entry, one.exit, one.quantity, one.reason) for one in made.trades] == [
        (one.entry, one.exit, one.quantity, one.reason) for one in slow.trades
    ]
    np.testing.assert_allclose(made.equity, slow.equity, atol=1e-6)
    assert len(made.trades) > 0


@native_only
def test_an_average_that_is_scaled_is_talibs_own():
    text = AVERAGED.format("sma", 4, "sma", 21, 0).replace(
        "operator: cross_above, compare_to: slow",
        "operator: cross_above, compare_to: slow, compare_scalar: 1.001, compare_operation: mul",
    )
    plan = plan_of(parse_rule(text))
    assert {dict(one.params)["timeperiod"] for one in kernel.averaged(plan)} == {4, 3}
