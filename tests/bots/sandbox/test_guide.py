"""What docs/strategy-guide.md shows runs; what it promises of indicators is TA-Lib's."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bots.rules.sandbox import indicators
from bots.rules.sandbox.check import BARS, sample_bars, try_out
from bots.rules.sandbox.indicators import Bar, Steps
from bots.rules.sandbox.offered import MODULES, Context
from bots.rules.talib_door import talib
from console.cli.__main__ import main
from shared.config import ROOT
from shared.domain.rule.parse import parse_rule

GUIDE = (ROOT / "docs" / "strategy-guide.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
START = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_guide_runs_and_trades(number: int) -> None:
    rule = parse_rule(EXAMPLES[number])
    tried = try_out(rule)
    assert tried.error is None
    assert tried.bars == BARS
    assert tried.signals >= 2
    assert rule.sizing is not None and rule.universe


def test_strategy_check_says_how_an_honest_strategy_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "honest.py"
    file.write_text(EXAMPLES[0], encoding="utf-8")
    assert main(["strategy", "check", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] and told["error"] is None and told["bars"] == BARS
    assert told["fence"].startswith("landlock-")


def test_the_guide_names_every_module_and_indicator() -> None:
    offered = {name for name in vars(Context) if not name.startswith("_")}
    assert {name for name in offered if f"{name} " in GUIDE or f"{name}`" in GUIDE} == offered
    assert all(name in GUIDE for name in MODULES - {"__future__"})


def rough(seed: int, count: int = 400) -> list[Bar]:
    found, close = [], 100.0
    drawn = np.random.default_rng(seed)
    for place in range(count):
        opened, close = close, max(1.0, close + float(drawn.normal(0, 1.5)))
        if drawn.random() < 0.05:
            close = opened  # bars without a change
        high, low = max(opened, close) + float(drawn.random()), min(opened, close) - float(drawn.random()) * 0.5
        found.append(Bar(START + 60 * place, opened, high, low, close, float(drawn.integers(0, 10_000))))
    return found


def ours(steps: Steps, bars: list[Bar]) -> np.ndarray:
    next(steps)
    found = [steps.send(bar) for bar in bars]
    return np.array(found, dtype=np.float64).T


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("steps", "theirs"),
    [
        (lambda: indicators.sma(10, "close"), lambda o, h, lo, c, v: talib.SMA(c, 10)),
        (lambda: indicators.ema(10, "close"), lambda o, h, lo, c, v: talib.EMA(c, 10)),
        (lambda: indicators.wma(10, "high"), lambda o, h, lo, c, v: talib.WMA(h, 10)),
        (lambda: indicators.rsi(14, "close"), lambda o, h, lo, c, v: talib.RSI(c, 14)),
        (lambda: indicators.macd(12, 26, 9, "close"), lambda o, h, lo, c, v: talib.MACD(c, 12, 26, 9)),
        (lambda: indicators.macd(26, 12, 9, "close"), lambda o, h, lo, c, v: talib.MACD(c, 26, 12, 9)),
        (lambda: indicators.bbands(20, 2.0, 1.5, "close"), lambda o, h, lo, c, v: talib.BBANDS(c, 20, 2.0, 1.5)),
        (lambda: indicators.stddev(20, 1.5, "close"), lambda o, h, lo, c, v: talib.STDDEV(c, 20, 1.5)),
        (lambda: indicators.atr(14), lambda o, h, lo, c, v: talib.ATR(h, lo, c, 14)),
        (lambda: indicators.highest(20, "high"), lambda o, h, lo, c, v: talib.MAX(h, 20)),
        (lambda: indicators.lowest(20, "low"), lambda o, h, lo, c, v: talib.MIN(lo, 20)),
        (lambda: indicators.mom(10, "close"), lambda o, h, lo, c, v: talib.MOM(c, 10)),
        (lambda: indicators.roc(10, "close"), lambda o, h, lo, c, v: talib.ROC(c, 10)),
        (lambda: indicators.cci(14), lambda o, h, lo, c, v: talib.CCI(h, lo, c, 14)),
        (lambda: indicators.willr(14), lambda o, h, lo, c, v: talib.WILLR(h, lo, c, 14)),
        (lambda: indicators.stoch(5, 3, 3), lambda o, h, lo, c, v: talib.STOCH(h, lo, c, 5, 3, 0, 3, 0)),
        (lambda: indicators.obv(), lambda o, h, lo, c, v: talib.OBV(c, v)),
    ],
)
def test_an_indicator_gives_what_talib_gives(steps: object, theirs: object, seed: int) -> None:
    bars = rough(seed)
    columns = [np.array([bar[field] for bar in bars]) for field in range(1, 6)]
    expected = np.array(theirs(*columns))  # type: ignore[operator]
    found = ours(steps(), bars)  # type: ignore[operator]
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-9, equal_nan=True)


def test_sample_bars_are_the_same_every_time() -> None:
    assert np.array_equal(sample_bars(60).close, sample_bars(60).close)
