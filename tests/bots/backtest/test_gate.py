"""The correctness gate: six public engines agree on these trades and equities, and so must we.

The arrays are made again here by the documented generator: whole-won prices of a mean-reverting walk, so that rolling sums
are exact everywhere. Without gaps both fill conventions give the same result; with gaps they differ, as stated.
"""

import numpy as np
import pytest

from bots.backtest import run
from bots.backtest.data import PriceData
from bots.rules.series import Bars
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule
from shared.domain.trading_days import ZONES

CASH = 1_000_000_000.0
RULE = """
metadata: {{name: SMA 10/30}}
strategy:
  id: gate
  timeframe: 1m
  indicators:
    - {{id: sma, alias: fast, params: {{period: 10}}}}
    - {{id: sma, alias: slow, params: {{period: 30}}}}
  entry: {{conditions: [{{indicator: fast, operator: {0}, compare_to: slow}}]}}
  exit: {{conditions: [{{indicator: fast, operator: {1}, compare_to: slow}}]}}
sizing: {{mode: shares, value: 10}}
{2}
"""
STATE, CROSS = ("greater_than", "less_than"), ("cross_above", "cross_below")


def minute_bars(count: int, gap: bool = False) -> PriceData:
    noise = np.random.default_rng(7)
    shocks = noise.standard_normal(count) * 0.002
    level, path = 0.0, np.empty(count)
    for index in range(count):
        level += shocks[index] - 0.0005 * level
        path[index] = level
    close = np.rint(50_000.0 * np.exp(path))
    opened = np.concatenate((close[:1], close[:-1]))
    if gap:
        opened[1:] = np.rint(opened[1:] * (1 + noise.standard_normal(count - 1) * 0.001))
    high = np.maximum(opened, close) + np.rint(np.abs(noise.standard_normal(count)) * 40)
    low = np.minimum(opened, close) - np.rint(np.abs(noise.standard_normal(count)) * 40)
    volume = noise.integers(100, 10_000, count).astype(np.float64)
    return PriceData(
        Bars(946_857_600 + 60 * np.arange(count), opened, high, low, close, volume), False, ZONES[Market.KRX]
    )


def outcome(data, operators, fill, extra=""):
    rule = parse_rule(RULE.format(*operators, extra))
    report = run(rule, data, symbol="SEC", market=Market.KRX, cash=CASH, fill=fill, costs="none")
    return sum(one.exit is not None for one in report.trades), report.final_equity - CASH


@pytest.mark.parametrize("operators", [STATE, CROSS])
@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize(("count", "expected"), [(10_000, (188, -9_470)), (100_000, (1_908, 268_760))])
def test_without_gaps_both_fills_give_the_known_trades_and_equity(count, expected, fill, operators):
    assert outcome(minute_bars(count), operators, fill) == expected


@pytest.mark.parametrize(("fill", "expected"), [("next_open", (1_908, 305_940)), ("close", (1_908, 268_760))])
def test_with_gaps_the_fill_convention_decides(fill, expected):
    assert outcome(minute_bars(100_000, gap=True), STATE, fill) == expected


def test_stops_agree_with_a_plain_loop_over_every_bar():
    """The loop restates the convention bar by bar: fill at the open, then stop before target, then the close decides."""
    data = minute_bars(20_000)
    bars = data.bars
    fast, slow = (np.convolve(bars.close, np.ones(n), "full")[: len(bars)] / n for n in (10, 30))
    cash, held, pending, entry, closed = CASH, 0, None, 0.0, 0
    for i in range(len(bars)):
        if pending == "buy":
            entry, held, cash = bars.open[i], 10, cash - 10 * bars.open[i]
        elif pending == "sell":
            cash, held, closed = cash + 10 * bars.open[i], 0, closed + 1
        pending = None
        if held:
            stop, target = (
                np.floor(entry * 0.98 / 50) * 50,
                np.ceil(entry * 1.04 / 50) * 50,
            )  # 50 won ticks below 50,000
            stop = stop if stop < 50_000 else np.floor(entry * 0.98 / 100) * 100
            target = target if target <= 50_000 else np.ceil(entry * 1.04 / 100) * 100
            if bars.low[i] <= entry * 0.98:
                cash, held, closed = cash + 10 * min(bars.open[i], max(stop, bars.low[i])), 0, closed + 1
            elif bars.high[i] >= entry * 1.04:
                cash, held, closed = cash + 10 * max(bars.open[i], min(target, bars.high[i])), 0, closed + 1
        if i >= 29:
            if not held and fast[i] > slow[i]:
                pending = "buy"
            elif held and fast[i] < slow[i]:
                pending = "sell"
    expected = (closed, cash + held * bars.close[-1] - CASH)
    risk = "risk: {stop_loss: {enabled: true, percent: 2}, take_profit: {enabled: true, percent: 4}}"
    assert outcome(data, STATE, "next_open", risk) == pytest.approx(expected)
