"""The honesty checks find what was planted, and find nothing in an honest rule."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bots.backtest import Setting, walk
from bots.backtest.checks import (
    around,
    check_all,
    deflated_sharpe,
    heat_map,
    look_ahead,
    trade_order,
    walk_forward,
    warm_up,
)
from bots.backtest.family import grid
from bots.backtest.sweep import Outcome, Task, sweep
from bots.rules.conditions import columns
from bots.rules.plan import plan_of
from shared.domain.account import Market
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_rule
from tests.bots.backtest.test_gate import minute_bars

RULE = """
metadata: {{name: checked}}
strategy:
  id: checked
  timeframe: 1m
  params:
    period: {{default: 20, min: 2, max: 300, type: int}}
  indicators:
    - {{id: {0}, alias: line, params: {{period: $period}}}}
  entry: {{conditions: [{{indicator: close, operator: cross_above, compare_to: line}}, {{indicator: session.minutes_to_close, operator: greater_than, value: 5}}]}}
  exit: {{conditions: [{{indicator: close, operator: cross_below, compare_to: line}}]}}
"""

_OUTCOME = Outcome({}, 0.0, 0.0, 0.0, None, 0, None, None)


def task(indicator="sma", bars=6_000):
    return Task(parse_rule(RULE.format(indicator)), "S", minute_bars(bars), Setting(Market.KRX, 1e8))


def plan(indicator="sma"):
    return plan_of(bind(task(indicator, 10).rule))


def test_an_honest_rule_uses_no_later_bar():
    found = look_ahead(plan(), minute_bars(3_000))
    assert found.verdict == "ok" and found.figures["decisions"] > 50


def test_a_column_that_peeks_one_bar_ahead_is_found():
    def peeking(one, bars, facts):
        values = columns(one, bars, facts)
        return [value if isinstance(value, float) else np.append(value[1:], value[-1:]) for value in values]

    found = look_ahead(plan(), minute_bars(3_000), peeking)
    assert found.verdict == "fail" and found.figures["different"] > 10 and found.figures["at"]


def test_an_average_without_memory_needs_no_more_than_its_warm_up_and_a_slow_one_does():
    assert warm_up(plan("sma"), minute_bars(6_000)).verdict == "ok"
    shares = warm_up(plan("ema"), minute_bars(6_000)).figures["different_pct"]
    first, *_, live = shares.values()
    assert first > 0 and live == 0


def test_the_heat_map_holds_the_mean_of_each_pair():
    choices = {"a": [1, 2], "b": [10, 20], "c": [5, 6]}
    outcomes = [
        replace(_OUTCOME, params=one, return_pct=float(one["a"] * one["b"] + one["c"])) for one in grid(choices)
    ]
    assert heat_map(outcomes, ["a", "b"], choices) == [[15.5, 25.5], [25.5, 45.5]]


def test_walk_forward_trades_only_after_each_choice():
    one = task()
    found = walk_forward(one, {"period": [10, 20, 40]}, 3)
    assert [row["from"] < row["to"] for row in found.figures["folds"]] == [True] * 3
    assert all(row["params"]["period"] in (10, 20, 40) for row in found.figures["folds"])
    assert walk_forward(one, {}, 3).verdict == "skipped"


def test_shuffled_trades_end_alike_and_the_worst_path_is_deeper():
    one = task()
    found = trade_order(walk(bind(one.rule), plan(), {"S": one.data}, one.setting), 1e8).figures
    assert found["worst_5_pct"] <= found["median_pct"] <= 0


def test_many_tries_deflate_a_sharpe_ratio():
    one = task(bars=20_000)
    walked = walk(bind(one.rule), plan(), {"S": one.data}, one.setting)
    few = deflated_sharpe(walked, sweep(one, grid({"period": [15, 20]})), one.data).figures
    many = deflated_sharpe(walked, sweep(one, grid({"period": list(range(3, 103))})), one.data).figures
    assert many["by_luck"] > few["by_luck"] and 0 <= many["probability"] <= few["probability"] <= 1


def test_all_checks_of_a_rule_without_parameters_say_what_was_skipped():
    one = task()
    fixed = replace(one, rule=replace(bind(one.rule), params=()))
    found = {check.name: check.verdict for check in check_all(fixed, around(fixed.rule))}
    assert found["look_ahead"] == "ok" and found["stability"] == found["walk_forward"] == "skipped"
    assert {check.verdict for check in check_all(one, around(one.rule))} <= {"ok", "warn", "skipped"}


def test_values_around_a_default_stay_inside_its_bounds():
    rule = parse_rule(RULE.format("sma").replace("max: 300", "max: 25"))
    assert around(rule) == {"period": [12, 16, 20, 24]}
    assert not math.isnan(sum(around(rule)["period"]))


@pytest.mark.parametrize("name", ["stability", "walk_forward", "deflated_sharpe"])
def test_each_check_speaks_both_languages(name):
    found = next(one for one in check_all(task(), {"period": [10, 20, 40]}) if one.name == name)
    assert found.ko and found.en
