"""Steps towards a target: a function of price, shares and average alone; what is not known holds still."""

from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from bots.rules.evaluate import evaluate
from bots.rules.presets import preset_text
from bots.rules.series import Holding
from shared.domain.order import OrderType
from shared.domain.rule.model import EvaluateOn
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Verdict
from tests.bots.rules.markets import bars_of, view

GRID = parse_rule(
    "metadata: {name: g}\nstrategy: {id: g}\ngrid: {upper: 100, lower: 80, levels: 4}\nsizing: {mode: shares, value: 2}\n"
)
LADDER = parse_rule(
    "metadata: {name: l}\nstrategy: {id: l}\nsizing: {mode: amount, value: 1000}\n"
    "ladder: {splits: 4, first_pct: 10, limit_pct: -1, early_splits: 2, early_pct: 5}\n"
    "risk: {take_profit: {enabled: true, percent: 10}}\n"
)
WEIGHTS = parse_rule(preset_text("rebalance_60_40"))


def asked(rule, price, holding=None, **more):
    return evaluate(rule, structs.replace(view(bars_of([price, price]), price=float(price), holding=holding), **more))


def held(quantity, average=100.0):
    return Holding(quantity, average, 1, average)


def test_at_a_close_a_step_looks_at_that_close_not_at_the_tick_that_ended_the_bar():
    assert asked(GRID, 95, bars=bars_of([96, 96])).verdict is Verdict.HOLD
    assert asked(GRID, 96, bars=bars_of([95, 95])).quantity == 2
    assert asked(replace(GRID, evaluate=EvaluateOn.TICK), 95, bars=bars_of([96, 96]), bar_closed=False).quantity == 2


@pytest.mark.parametrize(
    ("price", "shares", "said"),
    [
        (101, 0, None), (95, 0, ("BUY", 2)), (94, 2, None), (90, 2, ("BUY", 2)), (79, 0, ("BUY", 8)), (79, 8, None),
        (96, 4, ("SELL", 2)), (99.9, 2, None), (100, 2, ("SELL", 2)), (120, 8, ("SELL", 8)), (90, 3, ("BUY", 1)),
    ],
)  # fmt: skip
def test_a_grid_holds_the_levels_above_the_price(price, shares, said):
    decision = asked(GRID, price, held(shares) if shares else None)
    got = None if decision.verdict is Verdict.HOLD else (decision.verdict.value, decision.quantity)
    assert got == said
    assert decision.reason == ("no_step" if said is None else f"grid_{said[0].lower()}")


@pytest.mark.parametrize(
    ("price", "holding", "quantity", "limit"),
    [
        (50, None, 4, "55"),
        (50, held(4, 50.0), 4, "52.5"),  # one part used: early
        (50, held(9, 50.0), 5, "49.5"),  # 450 of 250 each: two parts used
        (50, held(15, 50.0), 5, "49.5"),
        (50, held(19, 50.0), None, None),  # a part begun is a part used
    ],
)
def test_a_ladder_buys_one_part_at_a_limit_over_the_average(price, holding, quantity, limit):
    decision = asked(LADDER, price, holding)
    assert decision.quantity == quantity
    if quantity is None:
        assert decision.reason == "no_step"
    else:
        assert decision.limit_price == Decimal(limit) and decision.order_type is OrderType.LOC


def test_a_ladders_target_price_sells_all_before_more_is_bought():
    decision = asked(LADDER, 55, held(4, 50.0))
    assert (decision.verdict, decision.reason, decision.quantity) == (Verdict.SELL, "take_profit", None)


def test_one_part_a_bar_and_each_grid_step_is_a_signal_of_its_own():
    assert asked(LADDER, 50, held(4, 50.0)).signal_key == asked(LADDER, 50, held(8, 50.0)).signal_key
    assert asked(GRID, 95).signal_key != asked(GRID, 90).signal_key


def test_weights_are_traded_outside_the_band_only_and_never_without_a_worth():
    def ask(shares, equity):
        return asked(WEIGHTS, 100, held(shares) if shares else None, symbol="SPY", equity=equity)

    assert (ask(0, 10_000).verdict, ask(0, 10_000).quantity) == (Verdict.BUY, 60)
    assert ask(56, 10_000).reason == "no_step"
    assert (ask(80, 10_000).verdict, ask(80, 10_000).quantity) == (Verdict.SELL, 20)
    assert ask(0, None).reason == "equity_unknown"
    assert asked(WEIGHTS, 100, symbol="QQQ", equity=1.0).reason == "no_step"


def test_a_price_that_is_not_known_asks_for_nothing():
    nan = float("nan")
    assert evaluate(GRID, view(bars_of([nan, nan]), price=nan)).verdict is Verdict.HOLD
