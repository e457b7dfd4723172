"""`backtest run`: a rule and a file of bars, without a desk."""

import math
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.console.cli.terminal import Terminal

RULE = """
metadata: {name: cross}
strategy:
  id: cross
  timeframe: 1d
  indicators:
    - {id: sma, alias: fast, params: {period: 3}}
    - {id: sma, alias: slow, params: {period: 8}}
  entry: {logic: AND, conditions: [{indicator: fast, operator: cross_above, compare_to: slow}]}
  exit: {logic: AND, conditions: [{indicator: fast, operator: cross_below, compare_to: slow}]}
universe: [AAPL]
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rule, bars = tmp_path / "rule.yaml", tmp_path / "bars.csv"
    rule.write_text(RULE, encoding="utf-8")
    lines = ["date,open,high,low,close,volume"]
    day, count = date(2024, 1, 2), 0
    while count < 60:
        if day.weekday() < 5:
            price = 100 + 10 * math.sin(count / 5)
            lines.append(f"{day},{price:.2f},{price + 1:.2f},{price - 1:.2f},{price + 0.5:.2f},10000")
            count += 1
        day += timedelta(days=1)
    bars.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rule, bars


def words(rule: Path, bars: Path, *more: str) -> list[str]:
    fixed = ["--symbol", "AAPL", "--market", "US", "--cash", "10000"]
    return ["backtest", "run", "--rule", str(rule), "--data", str(bars), *fixed, *more]


def test_trades_and_figures_are_numbers_in_one_document(nowhere: Terminal, files: tuple[Path, Path]) -> None:
    report = nowhere.json(*words(*files, "--costs", "none"))
    assert (report["engine"], report["bars"]) == ("fast", 60)
    assert report["trades"]
    assert {"final_equity", "return_pct", "max_drawdown_pct", "sharpe", "seconds", "warnings"} <= report.keys()
    earned = sum(trade["pnl"] for trade in report["trades"])
    assert report["final_equity"] == pytest.approx(10_000 + earned)
    assert isinstance(report["trades"][0]["entry_price"], float)
    dearer = nowhere.json(*words(*files))
    assert dearer["final_equity"] < report["final_equity"]
    assert not nowhere.home.exists()


def test_bad_input_is_named(nowhere: Terminal, files: tuple[Path, Path], tmp_path: Path) -> None:
    rule, bars = files
    broken = tmp_path / "broken.csv"
    broken.write_text(bars.read_text(encoding="utf-8").replace("10000\n", "many\n", 1), encoding="utf-8")
    for arguments, said in (
        (words(rule, broken), "broken.csv"),
        (words(rule, tmp_path / "none.csv"), "none.csv"),
        (words(tmp_path / "none.yaml", bars), "none.yaml"),
        (words(tmp_path / "strategy.py", bars), "strategy.py"),
    ):
        refused = nowhere.run(*arguments, "--json")
        assert refused.code == 1
        error = refused.json["error"]
        assert said in error["what"] + error["why"]
    assert nowhere.run(*words(rule, bars, "--fill", "yesterday"), "--json").code == 2
