"""The Bayesian search: reproducible, resumable, counted honestly, and loaded by nobody else."""

import json
import subprocess
import sys

import pytest

from bots.backtest import Setting
from bots.backtest.bayes import BATCH, search
from bots.backtest.checks import of_best
from bots.backtest.costs import CostsName
from bots.backtest.family import grid
from bots.backtest.fast import Fill
from bots.backtest.jobs import perform
from bots.backtest.sweep import Task, sampled, sweep
from shared.config import ROOT
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from tests.bots.backtest import native_only
from tests.bots.backtest.test_gate import minute_bars
from tests.bots.backtest.test_sweep import RULE

CHOICES = {"fast": list(range(2, 42)), "slow": list(range(42, 102)), "stop": [0.5, 1, 2, 50]}
TRIES = 2 * BATCH + 5


def task(bars=1_500, engine="fast"):
    setting = Setting(Market.KRX, 1e8, Fill.NEXT_OPEN, CostsName.NONE, engine)
    return Task(parse_rule(RULE), "S", minute_bars(bars), setting)


def named(found):
    return [one.params for one in found]


@native_only
def test_the_same_seed_tries_the_same_different_combinations_and_another_seed_others():
    found = search(task(), CHOICES, TRIES)
    assert named(found) == named(search(task(), CHOICES, TRIES, workers=2))
    assert len({tuple(one.items()) for one in named(found)}) == TRIES
    assert all(one.params[name] in CHOICES[name] for one in found for name in CHOICES)
    assert named(found) != named(search(task(), CHOICES, TRIES, seed=8))
    assert found == sweep(task(), named(found))  # each with the figures that a sweep gives it


def done_at(cluster):
    """How many tasks the workers have done."""
    from distributed import Client

    with Client(cluster) as client:
        return sum(client.run(lambda dask_worker: dask_worker.state.executed_count).values())


@native_only
@pytest.mark.parametrize("engine", ["fast", "replay"])
def test_a_dask_cluster_of_two_worker_processes_tries_and_finds_the_same(cluster, engine):
    asked, tries, before = task(300, engine), BATCH + 4, done_at(cluster)
    assert search(asked, CHOICES, tries, scheduler=cluster) == search(asked, CHOICES, tries)
    assert done_at(cluster) > before


@native_only
def test_a_search_begun_here_goes_on_at_a_cluster(cluster, tmp_path):
    out = tmp_path / "search.jsonl"
    search(task(300), CHOICES, BATCH, out=out)
    found = search(task(300), CHOICES, 2 * BATCH, out=out, scheduler=cluster)
    assert found == search(task(300), CHOICES, 2 * BATCH)


@native_only
def test_it_finds_more_than_as_many_at_random():
    asked = task(4_000)
    drawn = max(one.return_pct for one in sweep(asked, sampled(CHOICES, 6 * BATCH)))
    best = max(one.return_pct for one in sweep(asked, grid({**CHOICES, "stop": [0.5]})))
    found = max(one.return_pct for one in search(asked, CHOICES, 6 * BATCH))
    assert found > drawn or found == best


@native_only
@pytest.mark.parametrize("stopped_at", [BATCH, 2 * BATCH])
def test_a_stopped_search_goes_on_where_it_was_and_may_be_asked_for_more(tmp_path, stopped_at):
    out = tmp_path / "out.jsonl"

    def stop(done, total):
        if done == stopped_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(task(), CHOICES, TRIES, out=out, progress=stop)
    assert len(out.read_text().splitlines()) == 1 + stopped_at
    seen = []
    found = search(task(), CHOICES, TRIES, out=out, progress=lambda done, total: seen.append((done, total)))
    assert found == search(task(), CHOICES, TRIES) and seen[-1] == (TRIES, TRIES)
    assert len(out.read_text().splitlines()) == 1 + TRIES
    more = search(task(), CHOICES, TRIES + 3, out=out)
    assert more[:TRIES] == found and len(more) == TRIES + 3
    with pytest.raises(ConfigError, match="another sweep"):
        search(task(), CHOICES, TRIES, seed=9, out=out)


def test_where_all_can_be_tried_all_are():
    few = {"fast": [5, 10], "slow": [30, 60]}
    assert search(task(300), few, 4) == sweep(task(300), grid(few))


@native_only
def test_nearly_all_of_a_small_grid_are_found_without_repeating_one():
    few = {"fast": [5, 10, 15, 20], "slow": [30, 40, 50, 60, 70]}
    found = search(task(300), few, 19)
    assert len({tuple(one.items()) for one in named(found)}) == 19


def test_the_replay_engine_is_searched_too():
    found = search(task(200, "replay"), {"fast": [3, 5, 8], "slow": [20, 30]}, 3, workers=1)
    assert len(found) == 3 and all(not one.error for one in found)


def test_what_cannot_be_searched_is_refused_by_name():
    with pytest.raises(RuleInvalid, match=r"params\.speed"):
        search(task(100), {"speed": [1, 2, 3]}, 2)
    with pytest.raises(ConfigError):
        search(task(100), CHOICES, 0)


@native_only
def test_values_out_of_bounds_are_told_and_never_chosen_as_the_best():
    found = search(task(), {"fast": [10, 1, 20, 500], "slow": [30, 60, 90, 120, 150]}, BATCH + 3)
    assert all(bool(one.error) == (one.params["fast"] in (1, 500)) for one in found)


@native_only
def test_every_try_counts_against_the_best_result():
    asked = task(20_000)
    found = search(asked, CHOICES, TRIES)
    best = max(found, key=lambda one: one.return_pct)
    check = of_best(asked, found, best)
    assert check.figures["tries"] == sum(one.sharpe is not None for one in found) > TRIES / 2
    fewer = of_best(asked, found[:5], best)
    assert fewer.figures["tries"] <= 5


@native_only
def test_the_research_worker_searches_and_says_what_luck_explains(tmp_path):
    from bots.backtest import library

    rows = "\n".join(
        f"2024-03-{4 + i // 300:02d}T{9 + i % 300 // 60:02d}:{i % 60:02d}:00,{100 + (i * 7) % 13},{120},{90},{101 + (i * 5) % 11},1000"
        for i in range(1_500)
    )
    path = tmp_path / "s.csv"
    path.write_text("timestamp,open,high,low,close,volume\n" + rows + "\n")
    library.keep(tmp_path, Market.KRX, "005930", path)
    asked = {
        "kind": "sweep", "market": "KRX", "symbols": ["005930"], "cash": 1e8, "param": {k: CHOICES[k] for k in ("fast", "slow")},
        "bayes": 20, "seed": 3,
    }  # fmt: skip
    done = []
    result = perform(RULE, asked, tmp_path, lambda now, total: done.append((now, total)))
    assert result["combinations"] == 20 and done[-1] == (20, 20)
    assert result["items"][0]["return_pct"] == max(one["return_pct"] for one in result["items"])
    assert result["deflated_sharpe"]["name"] == "deflated_sharpe" and json.dumps(result)
    assert perform(RULE, asked, tmp_path, lambda now, total: None) == result


def test_neither_a_bot_nor_another_backtest_loads_it():
    code = "import sys, bots.bootstrap, bots.backtest, bots.backtest.jobs; print('optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
