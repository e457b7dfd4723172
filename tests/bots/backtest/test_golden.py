"""The three presets on a few bars whose trades are computed by hand, down to the JSON document."""

import json
import math
import statistics
from datetime import date
from itertools import pairwise

import pytest

from bots.backtest import run
from bots.backtest.data import parse_bars
from bots.rules.presets import preset_text
from shared.domain.account import Market
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_rule
from tests.bots.backtest.prices import csv_text

# The first eleven NYSE days of 2024 (the 15th is a holiday); each bar opens at the last close.
DAYS = [date(2024, 1, day) for day in (2, 3, 4, 5, 8, 9, 10, 11, 12, 16, 17)]


def document(preset, overrides, closes, cash=1_000.0):
    opens = [closes[0], *closes[:-1]]
    rows = [
        (day, o, max(o, c), min(o, c), c, 100) for day, o, c in zip(DAYS[: len(closes)], opens, closes, strict=True)
    ]
    rule = bind(parse_rule(preset_text(preset)), overrides)
    data = parse_bars(csv_text(rows), Market.US)
    found = run(rule, data, symbol="T", market=Market.US, cash=cash, costs="none").as_json()
    return json.loads(json.dumps(found))


def trade(entry_at, entry_price, exit_at, exit_price, quantity, pnl, reason):
    return {
        "entry_at": entry_at,
        "entry_price": entry_price,
        "exit_at": exit_at,
        "exit_price": exit_price,
        "quantity": quantity,
        "pnl": pytest.approx(pnl),
        "reason": reason,
    }


def test_ma_cross_by_hand():
    # SMA2 and SMA5: equal at 10 on the 8th, 11 > 10.4 on the 9th (buy the next open, 12), 11.5 < 11.8 on the 12th (sell).
    closes = [10, 10, 10, 10, 10, 12, 14, 13, 10, 8, 8]
    found = document("ma_cross", {"fast_period": 2, "slow_period": 5, "stop_loss_pct": 30}, closes)
    seconds, sharpe = found.pop("seconds"), found.pop("sharpe")
    assert found == {
        "engine": "fast",
        "bars": 11,
        "final_equity": 834.0,  # 83 shares: 1,000 - 996 + 830
        "return_pct": pytest.approx(-16.6),
        "max_drawdown_pct": pytest.approx((834 / 1166 - 1) * 100),  # from 4 + 83 × 14
        "sharpe_factor": 252,
        "trades": [trade("2024-01-10", 12.0, "2024-01-16", 10.0, 83, -166.0, "exit")],
        "warnings": [],
    }
    equity = [1000, 1000, 1000, 1000, 1000, 1000, 1166, 1083, 834, 834, 834]
    returns = [now / before - 1 for before, now in pairwise(equity)]
    assert seconds > 0
    assert sharpe == pytest.approx(statistics.mean(returns) / statistics.stdev(returns) * math.sqrt(252))


ATR_RULE = """
metadata: {name: atr}
strategy:
  id: atr
  entry: {conditions: [{indicator: close, operator: greater_than, value: 100.5}]}
  exit: {conditions: [{indicator: close, operator: less_than, value: 1}]}
sizing: {mode: risk_pct, value: 1, atr_period: 3, atr_multiple: 2}
"""


@pytest.mark.parametrize(
    ("closes", "shares"), [([100] * 6 + [101, 101], [11]), ([101] * 8, [12]), ([101, 101, 101], [])]
)
@pytest.mark.parametrize("engine", ["fast", "replay"])
def test_a_risk_by_atr_is_wilders_range_of_the_deciding_bar(closes, shares, engine):
    # True ranges 4; the jump's is 5, Wilder (4 + 4 + 5) / 3: 1 % of 10,000 / (2 x 13/3) = 11.5. Until it is known nothing.
    opens = [closes[0], *closes[:-1]]
    rows = [(day, o, max(o, c) + 2, min(o, c) - 2, c, 100) for day, o, c in zip(DAYS, opens, closes, strict=False)]
    rule, data = parse_rule(ATR_RULE), parse_bars(csv_text(rows), Market.US)
    found = run(rule, data, symbol="T", market=Market.US, cash=10_000.0, costs="none", engine=engine)
    assert [one.quantity for one in found.trades] == shares


def test_ma_cross_leaves_earlier_at_its_five_percent_stop():
    found = document("ma_cross", {"fast_period": 2, "slow_period": 5}, [10, 10, 10, 10, 10, 12, 14, 13, 10, 8, 8])
    assert found["trades"] == [trade("2024-01-10", 12.0, "2024-01-12", 11.4, 83, -49.8, "stop_loss")]


def test_rsi_by_hand():
    # Wilder's RSI(2): 0 on the 4th, 50 on the 5th (crosses 30, buy the next open, 9), 75, 87.5, 43.75 on the 10th (sell).
    closes = [10, 9, 8, 9, 10, 11, 10, 9]
    found = document("rsi", {"period": 2, "take_profit_pct": 50}, closes)
    assert found["trades"] == [trade("2024-01-08", 9.0, "2024-01-11", 10.0, 111, 111.0, "exit")]
    assert found["final_equity"] == 1111.0 and found["return_pct"] == pytest.approx(11.1)
    found = document("rsi", {"period": 2}, closes)  # its ten percent target, 9.90, is met on the entry day
    assert found["trades"] == [trade("2024-01-08", 9.0, "2024-01-08", 9.9, 111, 99.9, "take_profit")]


def test_bollinger_by_hand():
    # Five bars, one deviation: the lower band is 8.8 on the 8th (close 8) and the 9th (close 10: crosses, buy the next
    # open, 10); on the 10th the upper band is 9.8 + √0.96 = 10.78 and the close 11 (sell the next open, 11).
    closes = [10, 10, 10, 10, 8, 10, 11, 11]
    found = document("bollinger", {"period": 5, "width": 1.0}, closes)
    assert found["trades"] == [trade("2024-01-10", 10.0, "2024-01-11", 11.0, 100, 100.0, "exit")]
    assert found["final_equity"] == 1100.0 and found["max_drawdown_pct"] == 0.0
