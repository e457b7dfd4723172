"""Sweeps say what single runs say, wherever they run, and lose nothing when they are stopped."""

import json
import os

import numpy as np
import pytest

from bots.backtest import Setting, run
from bots.backtest.costs import CostsName
from bots.backtest.family import Family, grid
from bots.backtest.fast import Fill
from bots.backtest.sweep import Task, sampled, sweep
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from tests.bots.backtest import native_only
from tests.bots.backtest.test_gate import minute_bars

RULE = """
metadata: {name: swept}
strategy:
  id: swept
  timeframe: 1m
  params:
    fast: {default: 10, min: 2, max: 100, type: int}
    slow: {default: 30, min: 2, max: 200, type: int}
    share: {default: 0.99, min: 0.5, max: 1.5, type: float}
    stop: {default: 2, min: 0.1, max: 50, type: float}
    size: {default: 10, min: 1, max: 1000, type: int}
  indicators:
    - {id: sma, alias: fast, params: {period: $fast}}
    - {id: macd, alias: macd, params: {fast: $fast, slow: $slow}}
    - {id: sma, alias: slow, params: {period: $slow}}
  entry: {conditions: [{indicator: fast, operator: greater_than, compare_to: slow}]}
  exit: {conditions: [{indicator: fast, operator: less_than, compare_to: slow}]}
risk: {stop_loss: {enabled: true, percent: $stop}}
sizing: {mode: shares, value: $size}
"""
ENTANGLED = RULE.replace(
    "compare_to: slow}]}\n  exit", "compare_to: slow}, {indicator: macd, operator: greater_than, value: 0}]}\n  exit"
)


def task(text=RULE, bars=3_000, costs=CostsName.DEFAULT, engine="fast"):
    return Task(parse_rule(text), "S", minute_bars(bars), Setting(Market.KRX, 1e8, Fill.NEXT_OPEN, costs, engine))


def alone(one, params):
    rule = bind(one.rule, params)
    setting = one.setting
    return run(rule, one.data, symbol="S", market=setting.market, cash=setting.cash, costs=setting.costs)


@pytest.mark.parametrize("text", [RULE, ENTANGLED])
def test_every_combination_has_the_figures_of_a_run_of_its_own(text):
    asked = task(text)
    choices = {"fast": [5, 10, 30], "slow": [30, 60], "stop": [0.5, 2, 50], "size": [1, 10]}
    found = sweep(asked, grid(choices))
    assert [one.params for one in found] == grid(choices)
    for one in found:
        report = alone(asked, one.params)
        document = report.as_json()
        assert one.final_equity == pytest.approx(report.final_equity)
        assert one.max_drawdown_pct == pytest.approx(document["max_drawdown_pct"], abs=1e-9)
        assert one.trades == len(report.trades.closed)
        assert one.sharpe == (document["sharpe"] if one.sharpe is None else pytest.approx(document["sharpe"], abs=1e-6))


def test_a_family_puts_plans_together_where_parameters_stand_alone():
    family = Family(parse_rule(RULE), minute_bars(500))
    plan, values = family.member({"fast": 7, "slow": 40, "stop": 3})
    own = Family(bind(parse_rule(RULE), {"fast": 7, "slow": 40, "stop": 3}), minute_bars(500))
    assert plan.stop_loss_pct == own.plan.stop_loss_pct == 3
    for one, other in zip(values, own.values, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_replay_engine_sweeps_to_the_same_figures():
    choices = {"fast": [5, 10], "slow": [30, 60]}
    fast, slow = sweep(task(bars=800), grid(choices)), sweep(task(bars=800, engine="replay"), grid(choices), workers=1)
    for one, other in zip(fast, slow, strict=True):
        assert one.final_equity == pytest.approx(other.final_equity) and one.trades == other.trades
        assert one.profit_factor == (other.profit_factor and pytest.approx(other.profit_factor))


def test_random_combinations_are_different_and_the_same_each_time():
    choices = {"fast": range(2, 50), "slow": range(30, 90)}
    found = sampled(choices, 40)
    assert found == sampled(choices, 40) and len({tuple(one.items()) for one in found}) == 40
    assert all(2 <= one["fast"] < 50 and 30 <= one["slow"] < 90 for one in found)
    assert sampled({"fast": [1, 2]}, 40) == [{"fast": 1}, {"fast": 2}]


def test_a_stopped_sweep_goes_on_where_it_was(tmp_path):
    asked, combinations, out = (
        task(bars=300),
        grid({"fast": range(2, 32), "slow": range(40, 70)}),
        tmp_path / "out.jsonl",
    )

    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(asked, combinations, out=out, progress=stop)
    kept = len(out.read_text().splitlines()) - 1
    assert 0 < kept < len(combinations)
    with out.open("a") as file:
        file.write('{"params": {"fast": 2, "sl')  # a crash in the middle of a line
    seen = []
    found = sweep(asked, combinations, out=out, progress=lambda done, total: seen.append(done))
    assert seen[0] == kept and seen[-1] == len(combinations)
    whole = sweep(asked, combinations)
    assert [one.final_equity for one in found] == [one.final_equity for one in whole]
    assert len({json.dumps(json.loads(line).get("params")) for line in out.read_text().splitlines()[1:]}) == len(
        combinations
    )
    with pytest.raises(ConfigError, match="another sweep"):
        sweep(asked, combinations[:-1], out=out)


def test_what_cannot_be_swept_is_refused_by_name():
    with pytest.raises(RuleInvalid, match=r"params\.speed"):
        sweep(task(bars=100), [{"speed": 1}])
    with pytest.raises(ConfigError):
        sweep(task(bars=100), [])
    with pytest.raises(ConfigError) as caught:
        sweep(task(bars=100), [{"fast": 5}], scheduler="tcp://127.0.0.1:9")
    assert caught.value.why and caught.value.now


@native_only
def test_the_same_call_runs_on_a_dask_cluster_of_two_worker_processes(cluster):
    from distributed import Client

    combinations = grid({"fast": range(2, 32), "slow": range(40, 70)})
    found = sweep(task(bars=300), combinations, scheduler=cluster)
    with Client(cluster) as client:
        assert len(set(client.run(os.getpid).values())) == 2
    assert [one.final_equity for one in found] == [one.final_equity for one in sweep(task(bars=300), combinations)]
