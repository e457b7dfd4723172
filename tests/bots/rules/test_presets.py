"""The presets: valid, bilingual, bounded; the demo rules trade soon after they see prices."""

import numpy as np
import pytest

from bots.rules.evaluate import evaluate
from bots.rules.presets import preset_names, preset_text
from shared.domain.errors import NotFound
from shared.domain.rule.model import EvaluateOn
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.validate import warnings_of
from shared.domain.signal import Verdict
from tests.bots.rules.markets import bars_of, view

DEMOS = [one for one in preset_names() if one.startswith("demo_")]


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_a_valid_rule_in_two_languages_with_a_stop(name):
    rule = parse_rule(preset_text(name))
    assert rule.id == name
    told = rule.metadata
    assert told.name and told.name_en and told.description and told.description_en
    told_off = [one for one in warnings_of(rule) if not (rule.ladder and one.path == "risk.stop_loss")]
    assert not told_off  # split buying buys what falls: a stop loss would end it at its purpose
    assert all(one.min is not None and one.max is not None and one.description_en for one in rule.params)


OFFICIAL = [
    "golden_cross",
    "momentum",
    "week52_high",
    "consecutive",
    "disparity",
    "false_breakout",
    "strong_close",
    "squeeze_expansion",
    "short_reversal",
    "trend_filter",
]
OWN = [
    "ma_cross",
    "rsi",
    "bollinger",
    "macd",
    "composite_vote",
    "volatility_breakout",
    "dca_loc",
    "dca_limit",
    "grid",
    "rebalance_60_40",
    "pairs",
]


def test_the_presets_the_officials_ten_and_two_demo_rules_per_market_are_there():
    assert sorted([*OFFICIAL, *OWN, *DEMOS]) == preset_names()
    assert sorted(DEMOS) == ["demo_krx_bollinger", "demo_krx_ma_cross", "demo_us_ma_cross", "demo_us_rsi"]


@pytest.mark.parametrize("market", ["us", "krx"])
def test_an_account_with_both_demo_rules_buys_at_once_on_most_tapes(market):
    rules = [parse_rule(preset_text(one)) for one in DEMOS if one.startswith(f"demo_{market}")]
    assert all(rule.evaluate is EvaluateOn.TICK and rule.sizing and rule.universe for rule in rules)
    bought = 0
    for seed in range(100):
        bars = bars_of(200 + np.cumsum(np.random.default_rng(seed).normal(0, 0.1, 60)), forming=True)
        market_view = view(bars, closed=False, price=float(bars.close[-1]))
        bought += any(evaluate(rule, market_view).verdict is Verdict.BUY for rule in rules)
    assert bought >= 80


def test_an_unknown_preset_is_named():
    with pytest.raises(NotFound, match="nothing_like_it"):
        preset_text("nothing_like_it")
