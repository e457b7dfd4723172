"""The compiled walk is the one of the source beside it, and its absence changes no trade."""

import shutil
import subprocess

import numpy as np
import pytest

from bots.backtest import Setting, kernel, native, walk
from bots.backtest.costs import CostsName
from bots.backtest.fast import Fill
from bots.rules.plan import plan_of
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule
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
