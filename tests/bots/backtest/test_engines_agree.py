"""Fast and replay are two programs with one meaning: the same trades and the same equity, whatever the rule and the bars."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from bots.backtest import Setting, walk
from bots.backtest.costs import CHEAP, CostsName, as_decimal, costs_for
from bots.backtest.data import PriceData, read_bars
from bots.backtest.fast import Fill
from bots.rules.plan import plan_of
from bots.rules.series import Bars
from shared.config import ROOT
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.order import Side
from shared.domain.rule import model as m
from shared.domain.rule.parse import parse_rule
from shared.domain.trading_days import ZONES
from shared.domain.venue_rules import order_unit, tick_table
from tests.bots.backtest import native_only
from tests.domain.rule.rules import rules

SHELF = ROOT.parent / "shared" / "data"
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)

guards = st.none() | st.builds(m.Guard, st.just(True), st.sampled_from([0.5, 1, 2, 3.7, 8]))
risks = st.builds(
    m.Risk,
    stop_loss=guards,
    take_profit=guards,
    trailing_stop=guards,
    time_stop=st.none() | st.builds(m.TimeStop, st.just(True), st.integers(1, 20)),
    max_position_size=st.none() | st.sampled_from([0.1, 0.5, 1]),
)
sizings = st.one_of(
    st.none(),
    st.builds(m.Sizing, st.just(m.SizingMode.SHARES), st.integers(1, 200)),
    st.builds(m.Sizing, st.just(m.SizingMode.AMOUNT), st.sampled_from([500, 12_345.67, 3e6])),
    st.builds(m.Sizing, st.just(m.SizingMode.EQUITY_PCT), st.sampled_from([10, 33.3, 50, 100])),
    st.builds(m.Sizing, st.just(m.SizingMode.RISK_PCT), st.sampled_from([0.5, 1, 2])),
)
executions = st.builds(m.Execution, cooldown_sec=st.sampled_from([0, 0, 90, 86_400, 300_000]))


@st.composite
def busy_rules(draw):
    """Rules that trade often: random ones seldom fire."""
    column = st.sampled_from(
        [m.IndicatorRef("fast"), m.IndicatorRef("slow"), m.Price(m.PriceField.CLOSE), m.Price(m.PriceField.OPEN)]
    )
    position = st.sampled_from([m.FactRef(m.Fact.PNL_PCT), m.FactRef(m.Fact.BARS_SINCE_ENTRY)])
    operator = st.sampled_from([one for one in m.Operator if one is not m.Operator.BETWEEN])
    entry = st.builds(m.Comparison, column, operator, column)
    held = st.builds(m.Comparison, position, operator, st.builds(m.Constant, st.integers(-2, 9)))
    groups = st.tuples(st.lists(entry, min_size=1, max_size=2), st.lists(entry | held, min_size=1, max_size=3))
    entries, exits = draw(groups)
    periods = [draw(st.integers(1, 9)) for _ in range(2)]
    return m.Rule(
        metadata=m.Metadata("busy"), id="busy", entry=m.Group(draw(st.sampled_from(m.Logic)), tuple(entries)),
        exit=m.Group(draw(st.sampled_from(m.Logic)), tuple(exits)),
        indicators=tuple(
            m.Indicator("sma", alias, (("period", period + 1),)) for alias, period in zip(("fast", "slow"), periods, strict=True)
        ),
    )  # fmt: skip


any_rules = st.one_of(busy_rules(), busy_rules(), rules())


@st.composite
def bars(draw, market):
    """Random walks in whole ticks, daily or by the minute, across the dates on which rules change; some without volume."""
    noise = np.random.default_rng(draw(st.integers(0, 10_000)))
    count, daily = draw(st.integers(2, 150)), draw(st.booleans())
    step = {
        Market.KRX: draw(st.sampled_from([1.0, 50.0, 500.0])),
        Market.US: draw(st.sampled_from([0.01, 0.0001, 1.0])),
    }
    close = np.maximum(200.0 + np.cumsum(noise.integers(-4, 5, count)), 5.0)
    opened = np.maximum(np.concatenate((close[:1], close[:-1])) + noise.integers(-2, 3, count), 1.0)
    high = np.maximum(opened, close) + noise.integers(0, 4, count)
    low = np.maximum(np.minimum(opened, close) - noise.integers(0, 4, count), 1.0)
    prices = [np.round(one * step[market], 6) for one in (opened, high, low, close)]
    volume = noise.integers(0, draw(st.sampled_from([60, 3_000, 10_000_000])), count).astype(np.float64)
    first = draw(
        st.sampled_from([date(2014, 5, 20), date(2015, 6, 1), date(2019, 5, 20), date(2022, 12, 20), date(2025, 5, 1)])
    )
    zone = ZONES[market]
    if daily:
        days = [first + timedelta(days=one) for one in range(count)]
        starts = np.array([int(datetime(one.year, one.month, one.day, tzinfo=zone).timestamp()) for one in days])
    else:
        begin = int(datetime(first.year, first.month, first.day, 9, 30, tzinfo=zone).timestamp())
        starts = begin + 60 * np.cumsum(noise.choice([1, 1, 1, 1, 2, 700], count))
    paid = draw(st.lists(st.tuples(st.integers(0, count - 1), st.sampled_from([0.25, 1.5, 361.0])), max_size=3))
    dividends = tuple(sorted(dict(paid).items()))
    return PriceData(Bars(starts.astype(np.int64), *prices, volume), daily, zone, (), dividends)


def assert_equal(rule, data, setting):
    plan = plan_of(rule)
    fast = walk(rule, plan, data, setting)
    slow = walk(rule, plan, data, replace(setting, engine="replay"))
    order = ["entry", "exit", "symbol", "quantity"]
    one, other = (np.sort(found.trades.log, order=order) for found in (fast, slow))
    assert len(one) == len(other)
    for name in ("entry", "exit", "symbol", "quantity", "reason", "entry_price", "exit_price"):
        np.testing.assert_array_equal(one[name], other[name], name)
    np.testing.assert_allclose(one["pnl"], other["pnl"], atol=1e-6, rtol=1e-12)
    np.testing.assert_allclose(fast.equity, slow.equity, atol=1e-6, rtol=1e-12)
    assert (fast.unaffordable, fast.thin) == (slow.unaffordable, slow.thin)


@native_only
@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(
    st.sampled_from(Market), st.data(), any_rules, risks, sizings, executions, st.sampled_from(Fill),
    st.sampled_from(CostsName), st.sampled_from([3_000.0, 1_234_567.89, 1e9]),
)  # fmt: skip
def test_one_symbol_trades_alike_in_both_engines(market, draw, rule, risk, sizing, execution, fill, costs, cash):
    data = {"T": draw.draw(bars(market))}
    rule = replace(rule, risk=risk, sizing=sizing, execution=execution)
    try:
        plan_of(rule)
    except ConfigError:
        reject()
    assert_equal(rule, data, Setting(market, cash, fill, costs))


@native_only
@settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(Market), st.data(), any_rules, risks, sizings, st.sampled_from(Fill), st.sampled_from(CostsName))
def test_several_symbols_share_the_cash_alike_in_both_engines(market, draw, rule, risk, sizing, fill, costs):
    names = draw.draw(st.integers(2, 4))
    data = {f"T{place}": draw.draw(bars(market)) for place in range(names)}
    rule = replace(rule, risk=risk, sizing=sizing, execution=m.Execution())
    try:
        plan_of(rule)
    except ConfigError:
        reject()
    assert_equal(rule, data, Setting(market, 1_234_567.89, fill, costs))


@native_only
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(
    st.data(), busy_rules(), risks, sizings, st.sampled_from(Fill), st.sampled_from(CostsName),
    st.sampled_from([1e9, 9_876_543_210.12, 1e12]), st.sampled_from([1e-3, 0.013, 0.1]),
)  # fmt: skip
def test_billions_of_penny_shares_trade_alike_to_the_share(draw, rule, risk, sizing, fill, costs, cash, cheaper):
    one = draw.draw(bars(Market.US))
    prices = (
        np.maximum(np.round(price * cheaper, 4), 1e-4)
        for price in (one.bars.open, one.bars.high, one.bars.low, one.bars.close)
    )
    data = {"T": replace(one, bars=Bars(one.bars.starts, *prices, one.bars.volume * 1e6))}
    assert_equal(replace(rule, risk=risk, sizing=sizing), data, Setting(Market.US, cash, fill, costs))


REAL_RULE = """
metadata: {name: real}
strategy:
  id: real
  indicators:
    - {id: sma, alias: fast, params: {period: 5}}
    - {id: sma, alias: slow, params: {period: 20}}
    - {id: rsi, alias: rsi, params: {period: 14}}
  entry: {conditions: [{indicator: fast, operator: cross_above, compare_to: slow}, {indicator: rsi, operator: less_than, value: 70}]}
  exit: {conditions: [{indicator: fast, operator: cross_below, compare_to: slow}]}
risk: {stop_loss: {enabled: true, percent: 5}, trailing_stop: {enabled: true, percent: 8}}
"""


@native_only
@pytest.mark.realdata
@pytest.mark.skipif(not SHELF.exists(), reason="the recorded prices are not on this machine")
@pytest.mark.parametrize("fill", Fill)
@pytest.mark.parametrize("costs", CostsName)
def test_real_korean_bars_trade_alike_across_eighteen_years_of_rules(fill, costs):
    folder = SHELF / "krx_daily_2000_2018"
    data = {path.stem: read_bars(path, Market.KRX) for path in sorted(folder.glob("*.csv"))[:5]}
    rule = parse_rule(REAL_RULE)
    assert_equal(rule, data, Setting(Market.KRX, 1e8, fill, costs))
    for name, one in data.items():
        assert_equal(rule, {name: one}, Setting(Market.KRX, 1e8, fill, costs))


@native_only
@pytest.mark.realdata
@pytest.mark.skipif(not SHELF.exists(), reason="the recorded prices are not on this machine")
def test_real_american_bars_with_splits_and_dividends_trade_alike():
    folder = SHELF / "us_daily_wiki_2015_2017"
    for path in sorted(folder.glob("*.csv")):
        data = read_bars(path, Market.US, actions=True)
        assert_equal(parse_rule(REAL_RULE), {path.stem: data}, Setting(Market.US, 1e5))


@pytest.mark.parametrize("market", Market)
def test_the_table_of_dated_rules_says_what_the_rules_say_on_every_day(market):
    costs = costs_for("default", market)
    found, day = costs.regimes(), date(2010, 1, 4)
    place = 0
    while day < date(2027, 1, 1):
        while place + 1 < len(found) and found[place + 1].start <= day:
            place += 1
        now = found[place]
        assert now.ticks == tick_table(market, day)
        assert now.cheap_unit == order_unit(market, CHEAP - 1, day) and order_unit(market, CHEAP, day) == 1
        amount = Decimal(10**8)
        plain = int(amount * (now.sell + now.tax + now.rural + now.sec))
        assert abs(costs.fee(Side.SELL, 1_000, amount / 1_000, day) - plain) <= 12  # TAF and roundings
        day += timedelta(days=1)


def test_prices_are_exact_to_eight_decimals():
    assert as_decimal(0.1 + 0.2) == Decimal("0.3")
