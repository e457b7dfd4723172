"""A stored decision, judged anew from its own steps, comes to the same verdict: ten thousand times."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bots.outgoing import steps
from bots.rules.evaluate import evaluate
from bots.rules.presets import preset_names, preset_text
from bots.rules.recompute import truth_of, verdict_of
from bots.rules.series import Bars, Holding, MarketView
from shared.domain.errors import ConfigError
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Step, Verdict
from tests.bots.rules.markets import AT
from tests.bots.rules.test_own_indicators import random_bars
from tests.domain.rule.rules import rules

RULES = [parse_rule(preset_text(one)) for one in preset_names()]
PER_RULE = 10_000 // len(RULES) + 1


def stored(decision):
    """The steps as they come back from the store: through JSON."""
    return [Step(**one) for one in json.loads(json.dumps(steps(decision)))]


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.id)
def test_ten_thousand_random_evaluations_of_the_presets_come_out_the_same(rule):
    random = np.random.default_rng(sum(map(ord, rule.id)))
    markets = [random_bars(seed, 320, step=900) for seed in range(4)]
    seen = set()
    for _ in range(PER_RULE):
        bars, count = markets[random.integers(4)], int(random.integers(2, 320))
        price = float(bars.close[count - 1] * random.uniform(0.9, 1.1))
        holding = None
        if random.random() < 0.6:
            average = price * random.uniform(0.85, 1.15)
            quantity, age = int(random.integers(1, 200)), int(random.integers(0, 9))
            holding = Holding(quantity, average, age, average * 1.1)
        symbol = rule.universe[0] if rule.rebalance else "005930"
        view = MarketView(symbol, AT, tail(bars, count), bool(random.random() < 0.8), price, holding, 5.0, 1e7)
        decision = evaluate(rule, view)
        seen.add(decision.verdict)
        assert verdict_of(rule, stored(decision)) is decision.verdict, decision
    assert len(seen) >= 2


def tail(bars, count):
    kept = slice(max(count - 280, 0), count)
    return Bars(*(getattr(bars, one)[kept] for one in ("starts", "open", "high", "low", "close", "volume")))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules(with_targets=True), st.integers(0, 9), st.booleans(), st.floats(0.8, 1.2))
def test_any_rule_comes_out_the_same(rule, seed, held, move):
    bars = random_bars(seed, 120)
    price = float(bars.close[-1]) * move
    holding = Holding(7, float(bars.close[-1]), 3, float(bars.close[-1])) if held else None
    try:
        decision = evaluate(rule, MarketView("SPY", AT, bars, True, price, holding, 30.0, 1e6))
    except ConfigError:
        assume(False)
    assert verdict_of(rule, stored(decision)) is decision.verdict


def test_every_step_keeps_what_its_truth_needs():
    decision = evaluate(RULES[0], MarketView("X", AT, random_bars(3, 100), True, None))
    assert decision.steps and all(truth_of(one) == one.truth for one in decision.steps)


def test_a_changed_number_changes_the_answer():
    [rule] = [one for one in RULES if one.id == "strong_close"]
    bars = random_bars(3, 100)
    bars.close[-1] = bars.high[-1]
    decision = evaluate(rule, MarketView("X", AT, bars, True, None))
    assert decision.verdict is Verdict.BUY
    [step] = stored(decision)
    forged = Step(step.path, step.label, "0.1", step.operator, step.right, step.truth)
    assert verdict_of(rule, [forged]) is Verdict.HOLD
