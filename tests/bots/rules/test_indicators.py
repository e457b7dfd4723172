"""Indicators mean what TA-Lib computes: the check vectors of markets.md §10, every function, the import diet."""

import subprocess
import sys

import numpy as np
import pytest
from talib import abstract, get_function_groups

from bots.rules.indicators import output_of, pattern
from shared.domain.errors import ConfigError
from shared.domain.rule.catalogue import BUILDER, PATTERNS, TALIB, find_indicator, find_pattern
from shared.domain.rule.model import Indicator
from tests.bots.rules.markets import check_bars

ROWS = {  # name, parameters, output -> i = 50..59 (markets.md §10)
    (
        "sma",
        (("period", 20),),
        "value",
    ): "11739.0 11774.0 11804.5 11830.5 11878.5 11922.0 11961.0 11995.5 12025.5 12051.0",
    ("ema", (("period", 12),), "value"): (
        "11933.3986 11933.9527 11950.8830 11952.4395 11993.2949 12038.1726 12057.2230 12106.7272 12152.7691 12166.6508"
    ),
    ("rsi", (("period", 14),), "value"): (
        "59.7912 55.2865 56.8927 55.2352 59.1989 60.1887 57.4343 60.8391 61.2544 57.3036"
    ),
    ("bollinger", (("period", 20), ("std", 2)), "upper"): (
        "12366.4918 12362.4607 12382.4490 12387.0905 12393.3369 12419.5641 12402.2324 12453.8372 12508.1935 12522.9555"
    ),
    ("bollinger", (("period", 20), ("std", 2)), "lower"): (
        "11111.5082 11185.5393 11226.5510 11273.9095 11363.6631 11424.4359 11519.7676 11537.1628 11542.8065 11579.0445"
    ),
    ("macd", (("fast", 12), ("slow", 26), ("signal", 9)), "value"): (
        "291.9639 270.6287 259.3647 240.9628 244.3008 249.4767 240.8769 248.7046 254.1571 242.5297"
    ),
    ("macd", (), "signal"): "278.6331 277.0323 273.4987 266.9916 262.4534 259.8581 256.0618 254.5904 254.5037 252.1089",
    ("macd", (), "histogram"): "13.3307 -6.4035 -14.1340 -26.0287 -18.1526 -10.3814 -15.1850 -5.8858 -0.3466 -9.5792",
    ("atr", (("period", 14),), "value"): (
        "258.3929 258.7219 249.3132 241.0051 245.0048 235.8616 231.3715 232.4878 221.5958 220.9818"
    ),
    ("STOCH", (("fastk_period", 14), ("slowk_period", 3)), "slowk"): (
        "82.4862 75.6792 68.1445 59.5649 71.1002 79.6444 85.8535 88.2751 88.8410 87.9432"
    ),
}
FIRST = {  # name, parameters, output -> (first index with a value, that value)
    ("ema", (("period", 12),), "value"): (11, 10403.5),
    ("rsi", (("period", 14),), "value"): (14, 61.555722),
    ("bollinger", (), "value"): (19, None),
    ("bollinger", (), "upper"): (19, 11132.288081),
    ("atr", (("period", 14),), "value"): (14, 229.571429),
    ("macd", (), "value"): (33, 260.509161),
    ("macd", (), "signal"): (33, 265.109502),
}


def values(identity, params=(), output=None):
    found = output_of(Indicator(identity, "x", tuple(params)), output)
    return found.call.compute(check_bars())[found.index], found.call.lookback


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}.{row[2]}")
def test_check_vectors_of_the_market_reference_hold(row):
    got, _ = values(*row)
    assert got[50:] == pytest.approx([float(one) for one in ROWS[row].split()], abs=6e-5)


@pytest.mark.parametrize("row", FIRST, ids=lambda row: f"{row[0]}.{row[2]}")
def test_the_first_value_stands_at_the_lookback_and_nothing_before(row):
    got, lookback = values(*row)
    index, first = FIRST[row]
    assert lookback == index
    assert np.isnan(got[:index]).all() and not np.isnan(got[index:]).any()
    if first is not None:
        assert got[index] == pytest.approx(first, abs=1e-6)


def test_the_catalogue_says_what_talib_says():
    groups = get_function_groups()
    expected = {one for group, names in groups.items() if group != "Pattern Recognition" for one in names} - {"MAVP"}
    assert set(TALIB) == expected
    assert {one.removeprefix("CDL") for one in groups["Pattern Recognition"]} == PATTERNS
    for name, spec in TALIB.items():
        info = abstract.Function(name).info
        assert {one.name: one.default for one in spec.knobs} == dict(info["parameters"]), name
        assert [one for one in spec.outputs if one != "value"] == info["output_names"], name


@pytest.mark.parametrize("name", [*sorted(TALIB), *sorted(BUILDER)])
def test_every_name_of_the_catalogue_computes_every_output(name):
    spec = find_indicator(name)
    assert spec is not None
    for output in spec.outputs:
        got, lookback = values(name, (), output)
        assert got.dtype == np.float64 and len(got) == 60
        assert np.isnan(got[: min(lookback, 60)]).all()


def test_the_least_whole_number_of_every_parameter_is_accepted_by_talib():
    for name, spec in TALIB.items():
        for knob in spec.knobs:
            if knob.least is not None:
                values(name, ((knob.name, knob.least),))


@pytest.mark.parametrize(
    ("name", "params", "last"),
    [
        ("ibs", (), (12243 - (12243 - 30 - 10 * 2)) / (20 + 10 * 3 + 30 + 10 * 2)),
        ("disparity", (("period", 20),), 12243 / 12051.0 * 100),
        ("wma", (("period", 14),), None),
        ("change", (), (12243 / 12350 - 1) * 100),
    ],
)
def test_the_builders_own_names_mean_what_they_say(name, params, last):
    got, _ = values(name, params)
    if name == "change":
        closes = check_bars().close
        last = (closes[-1] / closes[-2] - 1) * 100
    if name == "wma":  # the builder's wma is Wilder's average, TA-Lib's WMA the weighted one
        assert got[-1] == pytest.approx(values("RMA", (("timeperiod", 14),))[0][-1])
        assert got[-1] != pytest.approx(values("WMA", (("timeperiod", 14),))[0][-1])
        return
    assert got[-1] == pytest.approx(last)


def test_rolling_vwap_weighs_typical_prices_by_volume():
    bars = check_bars()
    typical = (bars.high + bars.low + bars.close) / 3
    assert values("vwap", (("period", 20),))[0][-1] == pytest.approx(typical[-20:].mean())  # equal volumes


def test_candle_patterns_are_found_by_the_builders_and_talibs_names():
    for written, function in [
        ("doji", "CDLDOJI"),
        ("morning_star", "CDLMORNINGSTAR"),
        ("gravestone_doji_1", "CDLGRAVESTONEDOJI"),
        ("three_white_soldiers", "CDL3WHITESOLDIERS"),
        ("CDLHAMMER", "CDLHAMMER"),
    ]:
        assert find_pattern(written) == function
        assert len(pattern(function).call.compute(check_bars())[0]) == 60
    assert find_pattern("no_such_thing") is None


def test_a_parameter_that_talib_refuses_is_a_named_error():
    with pytest.raises(ConfigError, match="SMA"):
        output_of(Indicator("sma", "x", (("period", 200_000),)), None)


def test_importing_the_indicators_brings_in_neither_pandas_nor_polars():
    code = (
        "import sys, bots.rules.evaluate, bots.backtest\n"
        "heavy = {'pandas', 'polars', 'plotly', 'streamlit', 'exchange_calendars'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import importlib.util as u\n"
        "assert u.find_spec('pandas') is None or __import__('pandas')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pandas_already_in_use_stays_in_use():
    pandas = pytest.importorskip("pandas")
    code = "import pandas, sys, bots.rules.indicators\nassert sys.modules['pandas'] is pandas\npandas.DataFrame()"
    assert pandas
    subprocess.run([sys.executable, "-c", code], check=True)
