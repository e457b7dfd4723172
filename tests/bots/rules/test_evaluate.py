"""evaluate: entries, stops and exits, warm-up, keys, and its agreement with the vectorised masks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from msgspec import structs

from bots.rules import judging
from bots.rules.conditions import columns, mask, truth
from bots.rules.evaluate import evaluate
from bots.rules.plan import plan_of
from bots.rules.series import Bars, Holding
from bots.rules.tree import Leaf, Poll, without_polls
from shared.domain.errors import ConfigError
from shared.domain.rule import model as m
from shared.domain.rule.model import Fact
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Verdict
from tests.bots.rules.markets import AT, bars_of, view
from tests.domain.rule.rules import SMALL, rules

RULE = parse_rule(SMALL)
TICK = parse_rule(SMALL.replace("  id: small\n", "  id: small\n  timeframe: 1m\n  evaluate: tick\n"))
UP = [10, 9, 8, 7, 9]  # sma2: 7.5 → 8, sma3: 8 → 8; not yet above
CROSS = [10, 9, 8, 7, 10]  # sma2: 7.5 → 8.5, sma3: 8 → 8.33


def guarded(text: str):
    return parse_rule(f"{SMALL}risk: {{{text}}}\n")


HOLDING = Holding(quantity=5, average_price=100.0, bars_since_entry=3, high_water=110.0)
STOPS = "stop_loss: {enabled: true, percent: 5}, take_profit: {enabled: true, percent: 20}"


def test_a_cross_needs_now_above_and_before_not_above():
    assert evaluate(RULE, view(bars_of(UP))).reason == "no_entry"
    bought = evaluate(RULE, view(bars_of(CROSS)))
    assert (bought.verdict, bought.reason) == (Verdict.BUY, "entry")
    assert evaluate(RULE, view(bars_of([*CROSS, 11]))).verdict is Verdict.HOLD


def test_touching_before_counts_as_not_above():
    flat = bars_of([8, 8, 8, 8, 9])  # both averages equal, then sma2 8.5 > sma3 8.33
    assert evaluate(RULE, view(flat)).verdict is Verdict.BUY


def test_without_enough_bars_nothing_is_said_and_the_step_is_unknown():
    decision = evaluate(RULE, view(bars_of(CROSS[-3:])))
    assert (decision.verdict, decision.reason) == (Verdict.HOLD, "warming_up")
    assert decision.steps[0].truth is None and decision.signal_key is None
    assert evaluate(RULE, view(bars_of([]))).reason == "warming_up"
    assert evaluate(RULE, view(bars_of([1]))).reason == "warming_up"


def test_not_of_the_unknown_is_not_true():
    text = SMALL.replace(
        "conditions: [{indicator: fast, operator: cross_above, compare_to: slow}]",
        "conditions: [{not: {indicator: fast, operator: less_than, compare_to: slow}}]",
    )
    assert evaluate(parse_rule(text), view(bars_of([3, 2]))).reason == "warming_up"
    assert evaluate(parse_rule(text), view(bars_of([1, 2, 3]))).verdict is Verdict.BUY


def test_bar_close_rules_wait_for_the_close_and_tick_rules_use_the_forming_bar():
    forming = bars_of(CROSS, forming=True)
    assert evaluate(RULE, view(forming, closed=False, price=10)).reason == "waiting_for_bar_close"
    assert evaluate(RULE, view(forming, closed=True, price=10)).reason == "no_entry"  # the forming bar does not count
    assert evaluate(TICK, view(forming, closed=False, price=10)).verdict is Verdict.BUY


@pytest.mark.parametrize(
    ("price", "reason"),
    [(95.01, None), (95.0, "stop_loss"), (50.0, "stop_loss"), (119.99, None), (120.0, "take_profit"), (None, None)],
)
def test_stops_are_judged_on_every_price_even_between_bar_closes(price, reason):
    decision = evaluate(guarded(STOPS), view(bars_of([100] * 5), closed=False, price=price, holding=HOLDING))
    assert (decision.verdict is Verdict.SELL) == (reason is not None)
    assert decision.reason == (reason or "waiting_for_bar_close")
    if price is None:
        assert [one.truth for one in decision.steps] == [None, None]


def test_a_trailing_stop_follows_the_highest_price_since_entry():
    rule = guarded("trailing_stop: {enabled: true, percent: 10}")
    bars = bars_of([100] * 5)
    assert evaluate(rule, view(bars, closed=False, price=99.1, holding=HOLDING)).verdict is Verdict.HOLD
    assert evaluate(rule, view(bars, closed=False, price=98.9, holding=HOLDING)).reason == "trailing_stop"


def test_a_switched_off_stop_does_nothing():
    rule = guarded("stop_loss: {enabled: false, percent: 5}")
    assert evaluate(rule, view(bars_of([100] * 5), price=1.0, holding=HOLDING)).reason == "no_exit"


def test_a_time_stop_ends_an_old_position_at_the_close():
    rule = guarded("time_stop: {enabled: true, bars: 3}")
    assert evaluate(rule, view(bars_of([100] * 5), holding=HOLDING)).reason == "time_stop"
    young = replace(HOLDING, bars_since_entry=2)
    assert evaluate(rule, view(bars_of([100] * 5), holding=young)).reason == "no_exit"


def test_with_a_position_the_exit_conditions_speak_and_the_entry_is_silent():
    down = bars_of([7, 8, 9, 10, 7])
    assert evaluate(RULE, view(down, holding=HOLDING)).reason == "exit"
    assert evaluate(RULE, view(bars_of(CROSS), holding=HOLDING)).reason == "no_exit"
    assert evaluate(RULE, view(down, holding=replace(HOLDING, quantity=0))).reason == "no_entry"


def test_position_facts_are_known_only_with_a_position():
    text = SMALL.replace("indicator: fast, operator: cross_below, compare_to: slow", "{left}")
    pnl = parse_rule(text.replace("{left}", "indicator: position.pnl_pct, operator: greater_equal, value: 7"))
    bars = bars_of([100, 100, 107])
    assert evaluate(pnl, view(bars, price=107.0, holding=HOLDING)).reason == "exit"
    below = bars_of([100, 100, 106.9])
    assert evaluate(pnl, view(below, price=106.9, holding=HOLDING)).reason == "no_exit"
    # The tick that closes a bar is one of the next, which a backtest does not know at that close.
    assert evaluate(pnl, view(below, price=108.0, holding=HOLDING)).reason == "no_exit"
    assert evaluate(pnl, view(bars, price=106.0, holding=HOLDING)).reason == "exit"
    entry = parse_rule(
        SMALL.replace("indicator: fast, operator: cross_above", "indicator: bars_since_entry, operator: '>='")
    )
    assert evaluate(entry, view(bars)).reason == "warming_up"


def test_minutes_to_close_come_from_the_session():
    text = SMALL.replace(
        "{indicator: fast, operator: cross_below, compare_to: slow}",
        "{indicator: session.minutes_to_close, operator: less_equal, value: 5}",
    )
    rule, market = parse_rule(text), view(bars_of([1, 2, 3]), holding=HOLDING)
    assert evaluate(rule, structs.replace(market, minutes_to_close=5.0)).reason == "exit"
    assert evaluate(rule, structs.replace(market, minutes_to_close=5.1)).reason == "no_exit"
    assert evaluate(rule, market).reason == "warming_up"


def test_entry_keys_are_one_per_bar_and_tick_exits_one_per_instant():
    first = evaluate(replace(TICK, rule_id=7, version_id=2), view(bars_of(CROSS, forming=True), closed=False, price=10))
    later = evaluate(
        TICK, structs.replace(view(bars_of(CROSS, forming=True), closed=False, price=10.5), at=AT.replace(minute=59))
    )
    assert first.signal_key == "7:2:AAPL:300:entry"
    assert later.signal_key == "0:0:AAPL:300:entry"
    stop = guarded(STOPS)
    one, two = (
        evaluate(stop, structs.replace(view(bars_of([100] * 5), closed=False, price=1.0, holding=HOLDING), at=at))
        for at in (AT, AT.replace(second=1))
    )
    assert one.signal_key != two.signal_key


def test_steps_hold_exact_values_for_recomputing():
    [step] = evaluate(RULE, view(bars_of(CROSS))).steps
    assert (step.path, step.label) == ("entry.conditions[0]", "fast cross_above slow")
    assert (step.left, step.operator, step.right) == ("7.5 → 8.5", "cross_above", "8.0 → 8.333333333333334")
    assert step.truth is True


@st.composite
def price_bars(draw):
    seed, count = draw(st.integers(0, 10_000)), draw(st.integers(1, 90))
    noise = np.random.default_rng(seed)
    close = 100.0 + np.cumsum(noise.integers(-3, 4, count))
    opened = np.concatenate((close[:1], close[:-1])) + noise.integers(-1, 2, count)
    high = np.maximum(opened, close) + noise.integers(0, 3, count)
    low = np.minimum(opened, close) - noise.integers(0, 3, count)
    volume = noise.integers(1, 50, count).astype(np.float64)
    return Bars(np.arange(count) * 60, opened, high, low, close, volume)


def computable_plan(rule):
    """The rule's plan; rules whose random parameters TA-Lib refuses say nothing and are left out."""
    try:
        return plan_of(rule)
    except ConfigError:
        reject()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules(), price_bars())
def test_the_mask_of_the_backtest_is_the_truth_of_the_bot_on_every_bar(rule, bars):
    plan, count = computable_plan(rule), len(bars)
    facts = {Fact.PNL_PCT: 1.5, Fact.MINUTES_TO_CLOSE: 30.0}
    values = columns(plan, bars, facts)
    for node in (plan.entry, plan.exit):
        surely, surely_not = mask(node, values, count), mask(node, values, count, wanted=False)
        for end in {count, max(1, count // 2), max(1, count - 1)}:
            held = truth(node, columns(plan, bars.until(end), facts), [])
            expected = {True: (True, False), False: (False, True), None: (False, False)}[held]
            assert (bool(surely[end - 1]), bool(surely_not[end - 1])) == expected


VALUES = st.sampled_from([0.0, 1.0, float("nan")])


@given(st.lists(st.tuples(VALUES, st.integers(1, 4)), min_size=1, max_size=5), st.integers(1, 12))
def test_a_vote_is_the_sets_of_votes_that_reach_it(votes, at_least):
    """Summed weights say the same as and/or over the least winning sets, the unknown included."""
    leaves = tuple(Leaf(f"v[{i}]", "", m.Operator.EQUAL, i, len(votes), None) for i in range(len(votes)))
    poll = Poll(leaves, tuple(float(weight) for _, weight in votes), float(at_least))
    row = [value for value, _ in votes] + [1.0]
    said = judging.test_of(poll)(row, row)
    assert judging.test_of(without_polls(poll))(row, row) is said
    values = [np.array([one]) for one in row]
    assert (mask(poll, values, 1)[0], mask(poll, values, 1, False)[0]) == (said is True, said is False)
