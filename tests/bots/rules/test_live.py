"""The fast way says what the slow way says: a window's stepped values are TA-Lib's over the same bars."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bots.rules import live
from bots.rules.conditions import columns, rows
from bots.rules.evaluate import evaluate
from bots.rules.indicators import Output, output_count, output_of, pattern
from bots.rules.peeks import formula_of, peek_of
from bots.rules.plan import plan_of
from bots.rules.series import Bars, BarWindow, Holding, MarketView
from bots.rules.stepping import stepped_of
from shared.domain.errors import ConfigError
from shared.domain.market import Bar, Timeframe
from shared.domain.rule.catalogue import BUILDER, PATTERNS, TALIB
from shared.domain.rule.model import Indicator, PriceField
from shared.domain.rule.parse import parse_rule
from tests.bots.rules.test_own_indicators import random_bars
from tests.domain.rule.rules import rules

START = datetime(2024, 5, 2, 13, 30, tzinfo=UTC)


def window_of(bars: Bars, capacity: int, forming: bool) -> BarWindow:
    window = BarWindow(capacity)
    for i in range(len(bars)):
        window.put(bar_at(bars, i, closed=not (forming and i == len(bars) - 1)))
    return window


def bar_at(bars: Bars, i: int, closed: bool) -> Bar:
    prices = (Decimal(repr(float(one[i]))) for one in (bars.open, bars.high, bars.low, bars.close))
    return Bar("AAPL", Timeframe.M1, START + timedelta(minutes=i), *prices, int(bars.volume[i]), closed)


def stepped(call, closed, start):
    """Every output of one indicator on a forming bar, as a function of that bar."""
    how = formula_of(call, closed, call.compute(closed)) or (
        lambda row, puts, peek=peek_of(call, closed, start): peek(row)
    )
    outputs = tuple(Output(call, place) for place in range(output_count(call.function)))
    plan = SimpleNamespace(calls=(call,), sources=outputs, has_facts=True)
    step = stepped_of(plan, [how], [])
    return lambda row: step.columns(row, 0, {})


def same(got, wanted):
    assert got == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", [*sorted(BUILDER), *sorted(TALIB)])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_step_on_the_forming_bar_is_talibs_value_over_all_bars(name, seed):
    bars = random_bars(seed, 160)
    call = output_of(Indicator(name, "x"), None).call
    closed = bars.until(159)
    step = stepped(call, closed, int(bars.starts[-1]))
    row = tuple(float(one[-1]) for one in (bars.open, bars.high, bars.low, bars.close, bars.volume))
    same(step(row), [float(one[-1]) for one in call.compute(bars)])
    assert step(row) == pytest.approx(step(row), nan_ok=True)  # a step changes nothing


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_candle_pattern_on_the_forming_bar_is_talibs(name):
    call = pattern(f"CDL{name}").call
    for seed in range(6):
        bars = random_bars(seed, 80)
        closed = bars.until(79)
        row = tuple(float(one[-1]) for one in (bars.open, bars.high, bars.low, bars.close, bars.volume))
        same(
            stepped(call, closed, int(bars.starts[-1]))(row),
            [float(one[-1]) for one in call.compute(bars)],
        )


@pytest.mark.parametrize("name", ["sma", "ema", "rsi", "bollinger", "macd", "atr", "max", "min", "roc", "stochastic"])
@given(
    steps=st.lists(st.integers(-300, 300), min_size=60, max_size=90),
    period=st.integers(2, 25),
    source=st.sampled_from(PriceField),
    shift=st.integers(0, 3),
)
@settings(max_examples=15, deadline=None)
def test_steps_hold_for_any_prices_periods_sources_and_shifts(name, steps, period, source, shift):
    close = 70_000.0 + np.cumsum(np.array(steps, dtype=float))
    bars = Bars(np.arange(len(close)) * 60, close - 10, close + 20, close - 30, close, np.full(len(close), 10.0))
    known = {one.name for one in (BUILDER.get(name) or TALIB[name.upper()]).knobs}
    params = (("period", period),) if known & {"period", "timeperiod"} else ()
    call = output_of(Indicator(name, "x", params, source=source, shift=shift), None).call
    closed = bars.until(len(bars) - 1)
    row = tuple(float(one[-1]) for one in (bars.open, bars.high, bars.low, bars.close, bars.volume))
    same(
        stepped(call, closed, int(bars.starts[-1]))(row),
        [float(one[-1]) for one in call.compute(bars)],
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules(with_targets=True), st.integers(0, 5), st.booleans(), st.booleans(), st.booleans(), st.integers(3, 90))
def test_a_window_and_arrays_give_one_decision(rule, seed, forming, closed, held, count):
    bars = random_bars(seed, count)
    bars = Bars(bars.starts, bars.open, bars.high, bars.low, bars.close, bars.volume, forming)
    window = window_of(bars, 64, forming)
    view = window.view()
    plain = Bars(view.starts, *(one.copy() for one in columns_of(view)), forming)
    holding = Holding(3, 50_000.0, 2, 51_000.0) if held else None
    price = float(bars.close[-1])
    try:
        slow = evaluate(rule, MarketView("SPY", START, plain, closed, price, holding, 30.0, 1e6))
    except ConfigError:
        assume(False)
    fast = evaluate(rule, MarketView("SPY", START, window, closed, price, holding, 30.0, 1e6))
    values = rows(columns(plan_of(rule), plain.closed() if closed else plain, {}))
    stepped = live.rows(plan_of(rule), window, closed, {})
    same(stepped[0], values[0])
    if plan_of(rule).crosses:
        same(stepped[1], values[1])
    close_call = [a for a, b in zip(stepped[0], values[0], strict=True) if a != b and a == a]
    if not close_call:  # a value off by its last digit may turn a comparison of equals
        assert (fast.verdict, fast.reason, fast.signal_key) == (slow.verdict, slow.reason, slow.signal_key)
        assert [one.truth for one in fast.steps] == [one.truth for one in slow.steps]


def columns_of(bars):
    return bars.open, bars.high, bars.low, bars.close, bars.volume


def test_a_tick_changes_the_answer_and_a_close_starts_the_next_bar():
    bars = random_bars(3, 120)
    window = window_of(bars, 100, forming=True)
    call = output_of(Indicator("ema", "x", (("period", 9),)), None).call
    for i, close in enumerate([49_000.0, 52_000.0, 50_500.0]):
        bar = bar_at(bars, 119, closed=i == 2)
        price = Decimal(repr(close))
        window.put(Bar(bar.symbol, bar.timeframe, bar.start, price, price, price, price, 5, bar.closed))
        rule_rows = live.rows(plan_of(EMA), window, i == 2, {})
        same([one[0] for one in rule_rows], [float(call.compute(window.view())[0][-back]) for back in (1, 2)])


EMA = parse_rule("""
metadata: {name: e}
strategy:
  id: e
  indicators: [{id: ema, alias: e, params: {period: 9}}]
  entry: {conditions: [{indicator: e, operator: cross_above, value: 1}]}
""")


def test_rules_on_one_series_share_what_they_computed():
    window = window_of(random_bars(1, 80), 100, forming=True)
    live.rows(plan_of(EMA), window, False, {})
    first = {key: value for key, value in window.slots.items() if key != "closed"}
    assert len(first) == 1
    live.rows(plan_of(replace(EMA, id="other")), window, False, {})
    assert {key: value for key, value in window.slots.items() if key != "closed"} == first


def has_formula(name):
    call, bars = output_of(Indicator(name, "x", ()), None).call, random_bars(0, 90)
    return formula_of(call, bars, call.compute(bars)) is not None


STEPPED = [one for one in sorted([*BUILDER, *TALIB]) if has_formula(one)]  # only a plan of these alone has a quick no


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules(with_targets=True, lines_of=STEPPED), st.integers(0, 5), st.integers(60, 90), st.floats(0.97, 1.03))
def test_the_quick_no_is_the_conditions_own_answer(rule, seed, count, move):
    window = window_of(random_bars(seed, count), 64, forming=True)
    window.grow(float(window.now[3]) * move, 3)
    try:
        _, plan, seen = live.on_forming(rule, window)
    except ConfigError:
        assume(False)
    assume(seen.enters is not None)
    now = seen.columns(window.now, window.puts, {})
    assert seen.enters(window.now) is plan.entry_test(now, seen.before)
    assert seen.leaves(window.now) is plan.exit_test(now, seen.before)


VOTES = parse_rule("""
metadata: {name: v}
strategy:
  id: v
  indicators: [{id: sma, alias: a, params: {period: 3}}, {id: rsi, alias: r, params: {period: 5}}]
  entry: {conditions: [{vote: {of: [
    {indicator: close, operator: cross_above, compare_to: a},
    {not: {indicator: r, operator: greater_than, value: 50}},
    {indicator: close, operator: between, value: [40000, 60000]}], weights: [1, 2, 1.5], at_least: 2.5}}]}
  exit: {logic: OR, conditions: [{indicator: close, operator: cross_below, compare_to: a, compare_scalar: 1.001, compare_operation: mul}]}
""")


def test_votes_crosses_and_scaled_lines_are_judged_alike_on_every_tick():
    bars, answers = random_bars(4, 200), set()
    for count in range(20, 200):
        window = window_of(bars.until(count), 64, forming=True)
        _, plan, seen = live.on_forming(VOTES, window)
        now = seen.columns(window.now, window.puts, {})
        told = (seen.enters(window.now), seen.leaves(window.now))
        assert told == (plan.entry_test(now, seen.before), plan.exit_test(now, seen.before))
        answers.add(told)
    assert len(answers) >= 3
