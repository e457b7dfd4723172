"""Rules in steps and orders that wait: what docs/rules.md says, on bars small enough to follow by hand."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from bots.backtest import Setting, run, walk
from bots.backtest.data import PriceData
from bots.backtest.fast import Fill
from bots.rules.plan import plan_of
from bots.rules.presets import preset_names, preset_text
from bots.rules.series import Bars
from shared.domain.account import Market
from shared.domain.rule.parse import parse_rule
from shared.domain.trading_days import ZONES
from tests.bots.backtest.prices import flat_bars, price_data

HEAD = "metadata: {name: t}\nstrategy:\n  id: t\n"
ALWAYS = "  entry: {conditions: [{indicator: close, operator: greater_than, value: 0}]}\n"


def fills(text, data, fill="next_open", costs="none", market=Market.US, cash=1e6, symbol="T"):
    report = run(parse_rule(text), data, symbol=symbol, market=market, cash=cash, fill=fill, costs=costs)
    assert report.engine == "replay"  # said, not hidden: no fast engine for rules in steps
    return [(one.bar, one.side.value, one.quantity, one.price, one.reason) for one in report.walked.fills]


LADDER = (
    HEAD + "sizing: {mode: amount, value: 4000}\nladder: {splits: 4, order_type: %s, first_pct: 10, limit_pct: 0}\n"
)


def test_a_loc_is_bought_at_the_next_close_only_where_that_is_at_most_the_limit():
    data = flat_bars([100, 120, 110, 110, 99])
    # 100 -> limit 110: the close 120 is above. 120 -> limit 132: 110 fills. Then the limit is the average, 110.
    assert fills(LADDER % "LOC", data) == [
        (2, "BUY", 7, 110, "ladder_buy"),
        (3, "BUY", 9, 110, "ladder_buy"),
        (4, "BUY", 9, 99, "ladder_buy"),
    ]


def test_a_ladders_limit_rests_one_bar_and_fills_at_the_open_or_when_touched():
    opens, highs = [100, 115, 112, 111], [100, 116, 118, 112]
    lows, closes = [100, 111, 109.5, 100], [100, 112, 117, 105]
    data = price_data(opens, highs, lows, closes)
    text = (
        HEAD
        + "sizing: {mode: amount, value: 4000}\nladder: {splits: 4, order_type: LIMIT, first_pct: 0, limit_pct: -1}\n"
    )
    # 100: low 111 is above. 112 -> touched at the open. Average 112 -> 110.88: touched within the bar.
    assert fills(text, data) == [(2, "BUY", 8, 112, "ladder_buy"), (3, "BUY", 9, 110.88, "ladder_buy")]


def test_a_ladder_by_market_is_bought_at_the_next_open_and_sold_whole_at_its_target():
    data = price_data([100, 101, 102, 103], [100, 101, 102, 200], [100, 101, 102, 103], [100, 101, 102, 150])
    text = LADDER % "MARKET" + "risk: {take_profit: {enabled: true, percent: 20}}\n"
    found = fills(text, data)
    assert [one[:4] for one in found[:2]] == [(1, "BUY", 10, 101), (2, "BUY", 9, 102)]
    assert (
        found[-1][1] == "SELL" and found[-1][4] == "take_profit" and found[-1][2] == sum(one[2] for one in found[:-1])
    )


def test_an_exit_withdraws_the_waiting_purchase():
    data = price_data([100, 100, 130], [100, 100, 130], [100, 100, 130], [100, 100, 130])
    text = LADDER % "LOC" + "risk: {take_profit: {enabled: true, percent: 20}}\n"
    assert fills(text, data) == [(1, "BUY", 9, 100, "ladder_buy"), (2, "SELL", 9, 130, "take_profit")]


GRID = HEAD + "sizing: {mode: shares, value: 5}\ngrid: {upper: 110, lower: 90, levels: 4}\n"


def test_a_grid_buys_each_step_down_and_sells_one_gap_above():
    data = flat_bars([107, 104, 99, 106, 111, 111])
    assert fills(GRID, data) == [
        (2, "BUY", 5, 104, "grid_buy"),
        (3, "BUY", 5, 99, "grid_buy"),
        (4, "SELL", 5, 106, "grid_sell"),
        (5, "SELL", 5, 111, "grid_sell"),
    ]
    assert fills(GRID, data, fill="close")[0] == (1, "BUY", 5, 104, "grid_buy")


def test_a_grids_trades_are_at_average_cost_and_their_sum_is_the_change_of_equity():
    report = run(
        parse_rule(GRID), flat_bars([107, 104, 99, 106, 111, 111]), symbol="T", market=Market.US, cash=1e4, costs="none"
    )
    assert [(one.quantity, one.entry_price, one.exit_price, one.reason) for one in report.trades] == [
        (5, 101.5, 106, "grid_sell"),
        (5, 101.5, 111, "grid_sell"),
    ]
    assert sum(one.pnl for one in report.trades) == pytest.approx(report.final_equity - 1e4)


def test_target_weights_are_bought_and_kept_within_their_band():
    text = HEAD + 'rebalance: {weights: {A: 60, B: 30}, band_pct: 5}\nuniverse: ["A", "B"]\n'
    data = {"A": flat_bars([100, 100, 200, 200]), "B": flat_bars([50, 50, 50, 50])}
    report = run(parse_rule(text), data, market=Market.US, cash=10_000, costs="none")
    found = [(one.symbol, one.bar, one.side.value, one.quantity, one.price) for one in report.walked.fills]
    # equity 16,000 at the third close: A weighs 75, B 18.75; sales go first
    assert found == [(0, 1, "BUY", 60, 100), (1, 1, "BUY", 60, 50), (0, 3, "SELL", 12, 200), (1, 3, "BUY", 36, 50)]


def test_weights_that_sum_to_all_leave_room_for_costs():
    text = HEAD + 'rebalance: {weights: {A: 60, B: 40}, band_pct: 5}\nuniverse: ["A", "B"]\n'
    data = {"A": flat_bars([100] * 4), "B": flat_bars([50] * 4)}
    report = run(parse_rule(text), data, market=Market.US, cash=10_000, costs="default")
    assert {(one.symbol, one.quantity) for one in report.walked.fills} == {(0, 60), (1, 79)}
    assert not report.walked.unaffordable


@pytest.mark.parametrize(("kind", "when", "price"), [("LOC", 1, 102), ("MOC", 1, 102), ("LOO", 1, None)])
def test_the_rules_own_order_type_waits_for_its_hour(kind, when, price):
    data = price_data([100, 103, 105], [100, 103, 105], [100, 101, 104], [102, 102, 104])
    text = HEAD + ALWAYS + f"execution: {{order_type: {kind}}}\nsizing: {{mode: shares, value: 1}}\n"
    found = fills(text, data)
    assert found[:1] == (
        [(when, "BUY", 1, price, "entry")] if price else []
    )  # the open is above the close: LOO is gone


def test_a_loc_of_a_minute_rule_is_filled_at_the_close_of_the_session_not_of_the_minute():
    begin = int(datetime(2026, 3, 10, 15, 56, tzinfo=ZONES[Market.US]).timestamp())
    starts = np.array([begin + 60 * one for one in range(4)] + [begin + 86_400 + 60 * one for one in range(3)])
    close = np.array([100.0, 99, 98, 97, 96, 95, 94])
    bars = Bars(starts, close, close, close, close, np.full(7, 1e6))
    data = PriceData(bars, False, ZONES[Market.US])
    text = HEAD + "  timeframe: 1m\n" + ALWAYS + "execution: {order_type: LOC}\nsizing: {mode: shares, value: 1}\n"
    assert fills(text, data)[0][:4] == (3, "BUY", 1, 97)


def test_a_passive_limit_fills_only_when_touched_and_ends_with_its_session():
    text = HEAD + ALWAYS + "execution: {order_type: LIMIT, offset_ticks: -100}\nsizing: {mode: shares, value: 1}\n"
    up = price_data([100, 101, 102], [100, 102, 103], [100, 100.5, 101.5], [100, 102, 103])
    assert fills(text, up) == []
    dip = price_data([100, 101, 102], [100, 102, 103], [100, 100.5, 100.9], [100, 102, 103])
    assert fills(text, dip) == [(2, "BUY", 1, 101, "entry")]


def locked(count=6, at=3):
    """Korean days at 10,000 won, one of them locked at its upper limit, 13,000, and the next ones there."""
    price = np.full(count, 10_000.0)
    price[at:] = 13_000.0
    days = [date(2025, 3, 3) + timedelta(days=one) for one in range(count)]
    starts = np.array(
        [int(datetime(one.year, one.month, one.day, tzinfo=ZONES[Market.KRX]).timestamp()) for one in days]
    )
    return PriceData(Bars(starts, price, price, price, price, np.full(count, 1e9)), True, ZONES[Market.KRX])


@pytest.mark.parametrize("engine", ["fast", "replay"])
def test_a_bar_locked_at_its_upper_limit_sells_nothing_to_us(engine):
    text = HEAD + "  entry: {conditions: [{indicator: bars_seen, operator: greater_equal, value: 3}]}\n"
    text = text.replace(
        "  entry", "  indicators: [{id: max, alias: bars_seen, source: close, params: {period: 2}}]\n  entry"
    )
    text = text.replace("value: 3", "value: 9000") + "sizing: {mode: shares, value: 1}\n"
    data = locked(at=2)
    report = run(parse_rule(text), data, symbol="T", market=Market.KRX, cash=1e6, engine=engine)
    assert [one.entry for one in report.trades] == [3]  # decided at 1, not bought on the locked bar 2, decided anew
    free = run(parse_rule(text), data, symbol="T", market=Market.KRX, cash=1e6, costs="none", engine=engine)
    assert [one.entry for one in free.trades] == [2]  # without costs any quantity trades (design.md §8)


def bars_for(name, market, seed=5, count=700):
    noise = np.random.default_rng(seed)
    base = 70_000 if market is Market.KRX else 40.0  # a part of split buying pays for a share
    moves = noise.normal(0, 0.006, count) * np.where(np.arange(count) // 60 % 2, 0.05, 1.5)  # calm and lively by turns
    wave = 0.12 * np.sin(np.arange(count) / 17) * (np.arange(count) < count / 2)
    close = base * (1 + wave) * np.exp(np.cumsum(moves))
    step = 100.0 if market is Market.KRX else 0.01
    close = np.round(close / step) * step
    opened = np.round(np.concatenate((close[:1], close[:-1])) * (1 + noise.normal(0, 0.004, count)) / step) * step
    high = np.maximum(opened, close) + step * noise.integers(0, 9, count)
    low = np.minimum(opened, close) - step * noise.integers(0, 9, count)
    rule = parse_rule(preset_text(name))
    return price_data(opened, high, low, close, market, daily=rule.timeframe.seconds == 86_400, volume=1e7)


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("fill", Fill)
def test_every_preset_trades_alike_in_both_engines(name, fill):
    rule = parse_rule(preset_text(name))
    market = Market.KRX if name in ("grid", "dca_limit") or "krx" in name else Market.US
    symbols = rule.universe if rule.rebalance else ("T",)
    data = {
        one: bars_for(name, market, seed) for seed, one in enumerate(symbols, 6 if name == "squeeze_expansion" else 5)
    }
    setting = Setting(market, 1e8 if market is Market.KRX else 1e5, fill)
    fast = walk(rule, plan_of(rule), data, setting)
    slow = walk(rule, plan_of(rule), data, Setting(market, setting.cash, fill, engine="replay"))
    assert len(fast.trades) > 0
    assert list(fast.trades) == list(slow.trades) or fast.trades.log.tolist() == slow.trades.log.tolist()
    np.testing.assert_allclose(fast.equity, slow.equity, atol=1e-6)
