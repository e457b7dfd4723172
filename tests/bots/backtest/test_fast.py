"""The fast engine does what the live evaluation would say bar by bar; stops, sizing and costs by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from bots.backtest import Setting, run, walk
from bots.backtest.costs import CostsName, costs_for
from bots.backtest.data import PriceData
from bots.backtest.fast import Fill, minutes_to_close
from bots.rules.evaluate import evaluate
from bots.rules.plan import plan_of
from bots.rules.series import Bars, Holding, MarketView
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.rule import model as m
from shared.domain.rule.parse import parse_rule
from shared.domain.signal import Verdict
from shared.domain.trading_days import ZONES
from shared.domain.venue_rules import Rounding
from tests.bots.backtest.prices import flat_bars, price_data
from tests.bots.rules.markets import AT
from tests.domain.rule.rules import rules

BUY_BELOW = """
metadata: {{name: t}}
strategy:
  id: t
  entry: {{conditions: [{{indicator: close, operator: less_than, value: 100}}]}}
  exit: {{conditions: [{{indicator: close, operator: greater_than, value: 110}}]}}
{0}
"""


def trades(data, risk="", *, cash=1_000.0, costs="none", fill="next_open", market=Market.US):
    rule = parse_rule(BUY_BELOW.format(risk))
    report = run(rule, data, symbol="T", market=market, cash=cash, fill=fill, costs=costs)
    return report, [
        (one.entry, one.entry_price, one.exit, one.exit_price, one.quantity, one.reason) for one in report.trades
    ]


def test_a_signal_fills_at_the_next_open_with_whole_shares_for_all_cash():
    data = price_data([100, 98, 105, 112], [101, 99, 112, 113], [99, 97, 104, 111], [99, 99, 111, 112])
    report, found = trades(data)
    assert found == [(1, 98.0, 3, 112.0, 10, "exit")]
    assert report.equity.tolist() == [1000.0, 20 + 990.0, 20 + 1110.0, 20 + 1120.0]
    assert report.trades[0].pnl == 140.0


def test_the_same_signal_fills_at_the_close_when_asked():
    data = price_data([100, 98, 105, 112], [101, 99, 112, 113], [99, 97, 104, 111], [99, 99, 111, 112])
    assert trades(data, fill="close")[1] == [(0, 99.0, 2, 111.0, 10, "exit")]


def test_a_signal_on_the_last_bar_has_no_open_to_fill_at_and_an_open_trade_is_marked():
    assert trades(flat_bars([101, 99]))[1] == []
    report, found = trades(flat_bars([99, 105]))
    assert found == [(1, 99.0, None, None, 10, "open")]
    assert report.trades[0].pnl == 60.0 and report.final_equity == 1060.0


STOP = "risk: {stop_loss: {enabled: true, percent: 5}, take_profit: {enabled: true, percent: 10}}"


@pytest.mark.parametrize(
    ("bar", "price", "reason"),
    [
        ((96, 97, 94, 96), 93.1, None),  # 98 × 0.95 = 93.10: not reached
        ((96, 97, 93, 96), 93.1, "stop_loss"),
        ((92, 97, 91, 96), 92.0, "stop_loss"),  # a gap fills at the open
        ((99, 108, 98, 99), 107.8, "take_profit"),  # 98 × 1.1
        ((109, 111, 98, 99), 109.0, "take_profit"),  # a gap fills at the open
        ((99, 120, 80, 99), 93.1, "stop_loss"),  # both in one bar: the stop counts
        ((109, 120, 80, 99), 109.0, "take_profit"),  # unless the bar opened beyond the target
    ],
)
def test_stops_and_targets_fill_at_their_level_or_the_gap(bar, price, reason):
    data = price_data(*zip((99, 99, 99, 99), (98, 99, 97, 105), bar, (96, 96, 96, 96), strict=True))
    _, found = trades(data, STOP)
    if reason is None:
        assert found[0][2] is None
    else:
        assert found[0] == (1, 98.0, 2, price, 10, reason)


def test_a_stop_counts_on_the_bar_of_its_entry():
    data = price_data([99, 98, 98], [99, 99, 98], [99, 90, 98], [99, 105, 105])
    assert trades(data, STOP)[1] == [(1, 98.0, 1, 93.1, 10, "stop_loss")]


def test_a_trailing_stop_knows_the_highs_of_earlier_bars_only():
    risk = "risk: {trailing_stop: {enabled: true, percent: 10}}"
    data = price_data([99, 98, 105, 104], [99, 105, 120, 106], [99, 98, 104, 100], [99, 105, 104, 105])
    # entry 98, high 105 → 94.5; high 120 → 108: the last bar opens below it
    assert trades(data, risk)[1] == [(1, 98.0, 3, 104.0, 10, "trailing_stop")]


def test_a_time_stop_leaves_after_so_many_bars():
    data = flat_bars([99, 101, 102, 103, 104, 105])
    assert trades(data, "risk: {time_stop: {enabled: true, bars: 2}}")[1] == [(1, 99.0, 4, 103.0, 10, "time_stop")]


def test_levels_we_choose_stand_on_the_tick_grid_of_the_market():
    data = price_data([99, 9_990, 9_990], [99, 9_990, 9_990], [99, 9_000, 9_000], [99, 9_990, 9_990])
    _, found = trades(data, STOP, cash=100_000.0, market=Market.KRX)
    assert found[0][3] == 9_490.0  # 9,490.5 on the 10 won grid, the first price at or below it
    assert costs_for("none", Market.KRX).on_tick(10_989.0, data.trade_date(1), Rounding.UP) == 10_990.0


@pytest.mark.parametrize(
    ("sizing", "quantity"),
    [
        ("{mode: shares, value: 3}", 3),
        ("{mode: shares, value: 11}", None),  # 1,078 is more than the cash: not bought
        ("{mode: amount, value: 500}", 5),
        ("{mode: equity_pct, value: 50}", 5),
        ("{mode: equity_pct, value: 100}", 10),
        ("{mode: risk_pct, value: 2}", 4),  # 20 of equity / 4.90 to the stop
    ],
)
def test_each_sizing_buys_whole_shares_that_cash_pays_for(sizing, quantity):
    data = price_data([99, 98, 105], [99, 99, 105], [99, 97, 105], [99, 99, 105])
    report, found = trades(data, f"{STOP}\nsizing: {sizing}")
    assert [one[4] for one in found] == ([] if quantity is None else [quantity])
    assert ("unaffordable" in [one.code for one in report.warnings]) == (quantity is None)


def test_a_position_is_capped_by_its_share_of_equity():
    data = price_data([99, 98, 105], [99, 99, 105], [99, 97, 105], [99, 99, 105])
    assert trades(data, "risk: {max_position_size: 0.3}")[1][0][4] == 3


def test_a_cool_down_keeps_out_until_it_is_over():
    closes = [99, 120, 99, 99, 99, 99]
    days = 2 * 86_400
    entries = [one[0] for one in trades(flat_bars(closes))[1]]
    assert entries == [1, 3]
    entries = [one[0] for one in trades(flat_bars(closes), f"execution: {{cooldown_sec: {days}}}")[1]]
    assert entries == [1, 4]


def test_default_costs_take_commission_tax_and_a_tick_of_slippage():
    data = price_data([99_000] * 3, [99_000] * 3, [99_000] * 3, [99, 99_000, 99_000], Market.KRX)
    report, found = trades(data, cash=1_000_000.0, costs="default", market=Market.KRX)
    assert found == [(1, 99_100.0, 2, 98_900.0, 10, "exit")]
    # 0.0140527 % of 991,000 and 989,000, won cut; 2023 sale tax 0.05 % and rural tax 0.15 % of 989,000, each cut
    assert report.trades[0].pnl == -2_000 - 139 - 138 - 494 - 1_483
    assert report.final_equity == 1_000_000 - 4_254


def test_all_in_leaves_cash_for_the_commission():
    data = price_data([99, 100, 100], [99, 100, 100], [99, 100, 100], [99, 105, 105], volume=100_000.0)
    report, found = trades(data, cash=100_010.0, costs="default")
    quantity = found[0][4]
    assert report.equity.min() > 0 and quantity < 1_000
    assert quantity * 100.01 * 1.0025 <= 100_010.0 < (quantity + 2) * 100.01 * 1.0025


def test_minutes_to_close_end_with_each_dates_last_bar():
    data = price_data([1] * 4, [1] * 4, [1] * 4, [1] * 4, daily=False)
    assert minutes_to_close(data).tolist() == [3.0, 2.0, 1.0, 0.0]
    assert minutes_to_close(flat_bars([1, 2, 3])).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "wrong",
    [{"engine": "slow"}, {"fill": "high"}, {"costs": "some"}, {"cash": 0.0}, {"cash": math.nan}, {"symbol": ""}],
)
def test_an_unknown_choice_is_refused_with_what_to_do(wrong):
    asked = {"symbol": "T", "market": Market.US, "cash": 1.0} | wrong
    with pytest.raises(ConfigError) as caught:
        run(parse_rule(BUY_BELOW.format("")), flat_bars([1, 2]), **asked)
    assert caught.value.why and caught.value.now


# -- the same meaning as the live evaluation --------------------------------------------------------------------------


@st.composite
def random_prices(draw):
    noise = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = draw(st.integers(2, 120))
    close = 200.0 + np.cumsum(noise.integers(-4, 5, count))
    opened = np.maximum(np.concatenate((close[:1], close[:-1])) + noise.integers(-2, 3, count), 1.0)
    high = np.maximum(opened, close) + noise.integers(0, 4, count)
    low = np.maximum(np.minimum(opened, close) - noise.integers(0, 4, count), 1.0)
    volume = noise.integers(1, 50, count).astype(np.float64)
    starts = 1_700_000_040 + 60 * np.arange(count)
    return PriceData(Bars(starts, opened, high, low, np.maximum(close, 1.0), volume), False, ZONES[Market.US])


def bar_by_bar(rule, data, fill):
    """Trades by asking `evaluate` at every close, as the bot does; prices inside a bar by the stated convention."""
    plan, bars = plan_of(rule), data.bars
    minutes, found = minutes_to_close(data), []
    entry = high = price = None
    pending = None
    for i in range(len(bars)):
        if pending is not None and fill is Fill.NEXT_OPEN:
            if pending == "entry":
                entry, price, high = i, float(bars.open[i]), float(bars.open[i])
            else:
                found.append((entry, price, i, float(bars.open[i]), pending))
                entry = None
        pending = None
        if entry is not None and not (fill is Fill.CLOSE and i == entry):
            lower = [price * (1 - plan.stop_loss_pct / 100)] if plan.stop_loss_pct else []
            lower += [high * (1 - plan.trailing_stop_pct / 100)] if plan.trailing_stop_pct else []
            upper = price * (1 + plan.take_profit_pct / 100) if plan.take_profit_pct else math.inf
            level = max(lower, default=-math.inf)
            opened, top, bottom = float(bars.open[i]), float(bars.high[i]), float(bars.low[i])
            if bottom <= level + 1e-9 and opened < upper - 1e-9:
                got = min(opened, max(math.floor(level * 100 + 1e-9) / 100, bottom))
                loss = price * (1 - (plan.stop_loss_pct or 1e9) / 100)
                stop = min(got, level) <= loss + 1e-9
                found.append((entry, price, i, pytest.approx(got), "stop_loss" if stop else "trailing_stop"))
                entry = None
            elif top >= upper - 1e-9:
                got = max(opened, min(math.ceil(upper * 100 - 1e-9) / 100, top))
                found.append((entry, price, i, pytest.approx(got), "take_profit"))
                entry = None
            else:
                high = max(high, top)
        holding = None
        if entry is not None:
            # The stops were judged within the bar: a high-water mark of the entry price keeps them out of the close.
            holding = Holding(1, price, i - entry, price)
        market = MarketView("T", AT, bars.until(i + 1), True, None, holding, float(minutes[i]))
        decision = evaluate(rule, market)
        if decision.verdict is Verdict.HOLD:
            continue
        if fill is Fill.NEXT_OPEN:
            pending = decision.reason
        elif decision.verdict is Verdict.BUY:
            entry, price, high = i, float(bars.close[i]), float(bars.close[i])
        else:
            found.append((entry, price, i, float(bars.close[i]), decision.reason))
            entry = None
    if entry is not None:
        found.append((entry, price, None, None, "open"))
    return found


tight_guards = st.none() | st.builds(m.Guard, st.just(True), st.sampled_from([0.5, 1, 2, 3.7, 8]))
tight_risks = st.builds(
    m.Risk,
    stop_loss=tight_guards,
    take_profit=tight_guards,
    trailing_stop=tight_guards,
    time_stop=st.none() | st.builds(m.TimeStop, st.just(True), st.integers(1, 20)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(rules(), tight_risks, random_prices(), st.sampled_from(Fill))
def test_the_fast_engine_trades_what_evaluate_says_bar_by_bar(rule, risk, data, fill):
    rule = replace(rule, sizing=m.Sizing(m.SizingMode.SHARES, 1), execution=m.Execution(), risk=risk)
    try:
        plan = plan_of(rule)
    except ConfigError:
        reject()
    expected = bar_by_bar(rule, data, fill)
    for engine in ("fast", "replay"):
        walked = walk(rule, plan, {"T": data}, Setting(Market.US, 1e12, fill, CostsName.NONE, engine))
        got = [(one.entry, one.entry_price, one.exit, one.exit_price, one.reason) for one in walked.trades]
        assert got == expected, engine
