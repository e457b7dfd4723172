"""The builder's indicators that TA-Lib lacks: each against a plain re-statement, bar by bar, and never before its time."""

import math
import statistics

import numpy as np
import pytest

from bots.rules.indicators import output_of, pattern
from bots.rules.own_indicators import OWN
from bots.rules.series import Bars
from shared.domain.rule.catalogue import BUILDER, TALIB, find_indicator, find_pattern
from shared.domain.rule.model import Indicator, PriceField

COUNT = 400


def random_bars(seed=7, count=COUNT, step=300):
    random = np.random.default_rng(seed)
    close = 50_000 + np.cumsum(random.normal(0, step, count))
    opened = close + random.normal(0, 100, count)
    high = np.maximum(opened, close) + random.random(count) * 200
    low = np.minimum(opened, close) - random.random(count) * 200
    return Bars(np.arange(count) * 86_400, opened, high, low, close, random.integers(1000, 9000, count).astype(float))


BARS = random_bars()
O, H, L, C, V = (one.tolist() for one in (BARS.open, BARS.high, BARS.low, BARS.close, BARS.volume))  # noqa: E741


def values(identity, params=(), output=None, bars=BARS, **more):
    found = output_of(Indicator(identity, "x", tuple(params), **more), output)
    return found.call.compute(bars)[found.index], found.call.lookback


def mid(i, n):
    return (max(H[i - n + 1 : i + 1]) + min(L[i - n + 1 : i + 1])) / 2


def alma(i, n=9, sigma=6.0, offset=0.85):
    weights = [math.exp(-((k - offset * (n - 1)) ** 2) / (2 * (n / sigma) ** 2)) for k in range(n)]
    return sum(w * C[i - n + 1 + k] for k, w in enumerate(weights)) / sum(weights)


def true_range(i):
    return max(H[i] - L[i], abs(H[i] - C[i - 1]), abs(L[i] - C[i - 1]))


def chop(i, n=14):
    span = max(H[i - n + 1 : i + 1]) - min(L[i - n + 1 : i + 1])
    return 100 * math.log10(sum(true_range(k) for k in range(i - n + 1, i + 1)) / span) / math.log10(n)


def spread(i, n=10):
    return statistics.stdev(C[k] / C[k - 1] - 1 for k in range(i - n + 1, i + 1))


def up_days(i):
    return 0 if C[i] <= C[i - 1] else 1 + (up_days(i - 1) if i > 1 else 0)


def down_days(i):
    return 0 if C[i] >= C[i - 1] else 1 + (down_days(i - 1) if i > 1 else 0)


def augen(i, n=3):
    logs = [math.log(C[k] / C[k - 1]) for k in range(i - n, i)]
    return (C[i] - C[i - 1]) / (C[i - 1] * statistics.pstdev(logs))


def ease(i, n=14, scale=10_000):
    def one(k):
        moved = (H[k] + L[k]) / 2 - (H[k - 1] + L[k - 1]) / 2
        return moved / ((V[k] / scale) / (H[k] - L[k]))

    return sum(one(k) for k in range(i - n + 1, i + 1)) / n


def vigor(i, n=10):
    def smooth(x, k):
        return (x[k] + 2 * x[k - 1] + 2 * x[k - 2] + x[k - 3]) / 6

    body, span = [c - o for c, o in zip(C, O, strict=True)], [h - low for h, low in zip(H, L, strict=True)]
    return sum(smooth(body, k) for k in range(i - n + 1, i + 1)) / sum(smooth(span, k) for k in range(i - n + 1, i + 1))


def kst(i):
    def roc(k, n):
        return (C[k] / C[k - n] - 1) * 100

    pairs = ((10, 10), (15, 13), (20, 15), (30, 20))
    return sum(w * sum(roc(k, r) for k in range(i - s + 1, i + 1)) / s for w, (r, s) in enumerate(pairs, 1))


def rolling_vwap(i, n=20):
    span = range(i - n + 1, i + 1)
    return sum((H[k] + L[k] + C[k]) / 3 * V[k] for k in span) / sum(V[k] for k in span)


def pivot_high(i, left=5, right=5):
    for k in range(i - right, left - 1, -1):
        if H[k] == max(H[k - left : k + right + 1]):
            return H[k]
    return math.nan


def band(i, sign, n=20, width=4):
    side = H if sign > 0 else L
    return sum(side[k] * (1 + sign * width * (H[k] - L[k]) / (H[k] + L[k])) for k in range(i - n + 1, i + 1)) / n


RESTATED = {
    ("alma", ""): alma,
    ("chop", ""): chop,
    ("volatility_ind", ""): spread,
    ("consecutive", ""): up_days,
    ("augen", ""): augen,
    ("eom", ""): ease,
    ("rvi", ""): vigor,
    ("kst", "value"): kst,
    ("vwap", ""): rolling_vwap,
    ("pivot", "high"): pivot_high,
    ("accbands", "upper"): lambda i: band(i, 1),
    ("accbands", "lower"): lambda i: band(i, -1),
    ("ichimoku", "tenkan"): lambda i: mid(i, 9),
    ("ichimoku", "kijun"): lambda i: mid(i, 26),
    ("ichimoku", "senkou_a"): lambda i: (mid(i - 26, 9) + mid(i - 26, 26)) / 2,
    ("ichimoku", "senkou_b"): lambda i: mid(i - 26, 52),
    ("ichimoku", "chikou"): lambda i: C[i - 26],
    ("breakout", ""): lambda i: O[i] + 0.5 * (H[i - 1] - L[i - 1]),
    ("prev_max", ""): lambda i: max(C[i - 20 : i]),
    ("prev_min", ""): lambda i: min(C[i - 20 : i]),
    ("price", "high"): lambda i: H[i],
    ("ibs", ""): lambda i: (C[i] - L[i]) / (H[i] - L[i]),
    ("logr", ""): lambda i: math.log(C[i] / C[i - 1]),
}


@pytest.mark.parametrize("name", RESTATED, ids=".".join)
def test_it_equals_its_plain_re_statement(name):
    periods = {"vwap": (("period", 20),)}
    got, lookback = values(name[0], periods.get(name[0], ()), name[1] or None)
    for i in range(max(lookback, 120), COUNT, 7):
        assert got[i] == pytest.approx(RESTATED[name](i), rel=1e-9, abs=1e-9), i


def test_falling_days_are_counted_by_a_word():
    got, _ = values("consecutive", (("direction", "down"),))
    assert [got[i] for i in range(100, 140)] == [down_days(i) for i in range(100, 140)]


def test_the_stochastic_of_rsi_lies_between_0_and_100_and_d_is_the_average_of_k():
    k, d = (values("stochrsi", (), one)[0] for one in ("k", "d"))
    assert np.nanmin(k) >= -1e-9 and np.nanmax(k) <= 100 + 1e-9
    assert d[300] == pytest.approx(k[298:301].mean())


def test_the_parabolic_with_one_start_and_step_is_talibs():
    ours, _ = values("sar")
    theirs, _ = values("SAR")
    assert ours[5:] == pytest.approx(theirs[5:])
    assert values("sar", (("af_start", 0.05),))[0][50:].tolist() != ours[50:].tolist()


@pytest.mark.parametrize("name", [*sorted(BUILDER), *sorted(TALIB)])
def test_the_first_value_stands_exactly_at_the_lookback(name):
    spec = find_indicator(name)
    assert spec is not None
    if spec.function in ("OWN_UNKNOWN", "OWN_PIVOT"):
        return
    for output in spec.outputs:
        got, lookback = values(name, (), output)
        assert np.isnan(got[:lookback]).all()
        if spec.function in ("OWN_TSI", "OWN_KVO", "OWN_PPO", "OWN_KST", "OWN_STOCHRSI", "OWN_ICHIMOKU"):
            assert not np.isnan(got[lookback:]).any()  # outputs of one call wait for its slowest
        elif name not in ("ACOS", "ASIN", "LN", "LOG10"):  # these have no value for a price
            assert not np.isnan(got[lookback]), output


@pytest.mark.parametrize("name", sorted(set(BUILDER)))
def test_a_later_bar_never_changes_an_earlier_value(name):
    for output in BUILDER[name].outputs:
        whole, _ = values(name, (), output)
        part, _ = values(name, (), output, BARS.until(300))
        assert part[-60:] == pytest.approx(whole[240:300], rel=1e-9, nan_ok=True)


def test_shift_and_source_look_at_another_bar_and_price():
    got, lookback = values("max", (("period", 20),), source=PriceField.HIGH, shift=1)
    assert lookback == 20
    assert got[200] == max(H[180:200])
    assert np.isnan(got[:20]).all() and not np.isnan(got[20:]).any()


def test_a_session_vwap_begins_anew_after_a_pause():
    starts = np.array([0, 60, 120, 60_000, 60_060])
    prices = np.array([10.0, 20.0, 30.0, 100.0, 200.0])
    bars = Bars(starts, prices, prices, prices, prices, np.array([1.0, 1.0, 2.0, 1.0, 3.0]))
    got, _ = values("session_vwap", bars=bars)
    assert got.tolist() == [10.0, 15.0, 22.5, 100.0, 175.0]


def test_an_anchored_vwap_begins_at_its_day_and_is_unknown_when_that_day_is_gone():
    bars = Bars(np.arange(5) * 86_400, *(np.array([1.0, 2.0, 3.0, 4.0, 5.0]),) * 4, np.ones(5))
    got, _ = values("anchored_vwap", (("since", 19700103),), bars=bars)
    assert np.isnan(got[:2]).all() and got[2:].tolist() == [3.0, 3.5, 4.0]
    late = Bars(bars.starts + 10 * 86_400, bars.open, bars.high, bars.low, bars.close, bars.volume)
    assert np.isnan(values("anchored_vwap", (("since", 19700103),), bars=late)[0]).all()


@pytest.mark.parametrize(
    "name",
    [
        "opening_marubozu",
        "tweezer_top",
        "tweezer_bottom",
        "matching_high",
        "gap_side_by_side_white",
        "deliberation",
        "upside_tasuki_gap",
        "downside_tasuki_gap",
        "rising_three_methods",
        "falling_three_methods",
    ],
)
def test_every_candle_name_of_the_builder_computes(name):
    function = find_pattern(name)
    assert function is not None
    assert set(np.unique(np.nan_to_num(pattern(function).call.compute(BARS)[0]))) <= {-100.0, 0.0, 100.0}


def test_a_tweezer_is_two_opposite_bars_with_one_extreme():
    opened = np.array([10.0] * 8 + [10.0, 14.0])
    close = np.array([11.0] * 8 + [14.0, 10.0])
    high, low = np.maximum(opened, close) + 1, np.minimum(opened, close) - 1
    bars = Bars(np.arange(10), opened, high, low, close, np.ones(10))
    assert pattern("OWN_TWEEZERTOP").call.compute(bars)[0][-1] == -100.0
    assert pattern("OWN_TWEEZERBOTTOM").call.compute(bars)[0][-1] == 0.0


def test_every_own_function_is_named_by_the_catalogue():
    named = {one.function for spec in BUILDER.values() for one in spec.outputs.values()}
    assert {one for one in OWN if not one.startswith(("OWN_TWEEZER", "OWN_MATCHING"))} <= named
