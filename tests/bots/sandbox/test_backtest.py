"""The same child decides in backtests: a Python rule trades as the YAML rule that says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bots import backtest
from bots.backtest.data import read_bars
from bots.rules.sandbox.faults import StrategyFault
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule

YAML = """
metadata: {name: cross}
strategy:
  id: cross
  indicators:
    - {id: sma, alias: fast, params: {period: 5}}
    - {id: sma, alias: slow, params: {period: 15}}
  entry: {logic: AND, conditions: [{indicator: fast, operator: cross_above, compare_to: slow}]}
  exit: {logic: AND, conditions: [{indicator: fast, operator: cross_below, compare_to: slow}]}
risk: {stop_loss: {enabled: true, percent: 3}, trailing_stop: {enabled: true, percent: 6}}
sizing: {mode: shares, value: 7}
"""
PYTHON = """
# /// rule
# metadata: {name: cross}
# risk: {stop_loss: {enabled: true, percent: 3}, trailing_stop: {enabled: true, percent: 6}}
# sizing: {mode: shares, value: 7}
# ///
def on_bar(ctx):
    before = ctx.sma(5, ago=1) - ctx.sma(15, ago=1)
    now = ctx.sma(5) - ctx.sma(15)
    if before <= 0 and now > 0:
        return "BUY"
    if before >= 0 and now < 0:
        return "SELL"
"""


@pytest.fixture(scope="module")
def bars_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drawn = np.random.default_rng(3)
    lines, close = ["date,open,high,low,close,volume"], 100.0
    for day in np.arange("2020-01-01", "2020-12-31", dtype="datetime64[D]"):
        opened, close = close, max(5.0, close * (1 + float(drawn.normal(0, 0.02))))
        high, low = max(opened, close) * 1.005, min(opened, close) * 0.995
        lines.append(f"{day},{opened:.2f},{high:.2f},{low:.2f},{close:.2f},100000")
    file = tmp_path_factory.mktemp("bars") / "bars.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_python_and_yaml_that_say_the_same_trade_the_same(bars_file: Path, fill: str) -> None:
    bars = read_bars(bars_file, Market.US)
    reports = [
        backtest.run(
            parse_rule(text), bars, symbol="X", market=Market.US, cash=100_000, fill=fill, engine="replay"
        ).as_json()
        for text in (YAML, PYTHON)
    ]
    assert len(reports[0]["trades"]) > 5
    assert reports[0]["trades"] == reports[1]["trades"]
    assert reports[0]["final_equity"] == reports[1]["final_equity"]


def test_python_always_replays_and_a_proposed_quantity_is_bought(bars_file: Path) -> None:
    text = PYTHON.replace('return "BUY"', 'return Signal("BUY", quantity=3)')
    report = backtest.run(
        parse_rule(text), read_bars(bars_file, Market.US), symbol="X", market=Market.US, cash=100_000, engine="fast"
    ).as_json()
    assert report["engine"] == "replay"
    assert {trade["quantity"] for trade in report["trades"]} == {3}


def test_code_that_fails_ends_the_backtest_with_its_line(bars_file: Path) -> None:
    text = "def on_bar(ctx):\n    if len(ctx.close) == 20:\n        return 1 / 0\n"
    with pytest.raises(StrategyFault) as fault:
        backtest.run(parse_rule(text), read_bars(bars_file, Market.US), symbol="X", market=Market.US, cash=1000)
    assert (fault.value.code, fault.value.line) == ("raised", 3)
