"""Rules as written: what is read, and how each mistake is told."""

import pytest

from shared.domain.market import Timeframe
from shared.domain.order import OrderType
from shared.domain.rule import model as m
from shared.domain.rule.params import bind
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from shared.domain.rule.validate import warnings_of
from tests.domain.rule.rules import SMALL

# The shape of a file that the official builder exports (.kis.yaml v1.0).
EXPORTED = """
version: "1.0"
metadata:
  name: "골든크로스"
  description: ""
  author: user
  tags: []
  created_at: '2026-01-02T03:04:05.678901'
strategy:
  id: custom_1
  category: trend
  indicators:
  - id: macd
    alias: macd_1
    params: {fast: 12, slow: 26, signal: 9}
    output: value
  - id: bollinger
    alias: bollinger_1
    params: {period: 20, std: 2}
    output: lower
  candlesticks:
  - {id: morning_star, alias: morning_star_1}
  entry:
    logic: AND
    conditions:
    - {indicator: macd_1, operator: crosses_above, compare_to: macd_1, output: value, compare_output: signal}
    - {indicator: close, operator: gt, compare_to: bollinger_1, compare_scalar: 0.98, compare_operation: mul}
    - {candlestick: morning_star_1, signal: bullish}
  exit:
    logic: OR
    conditions:
    - {indicator: macd_1, operator: equals, compare_to: 0}
risk:
  stop_loss: {enabled: true, percent: 5.0}
  take_profit: {enabled: false, percent: 10.0}
  trailing_stop: {enabled: false}
"""


def test_a_file_of_the_official_builder_is_a_valid_rule():
    rule = parse_rule(EXPORTED)
    cross, scaled, candle = rule.entry.conditions
    assert cross == m.Comparison(
        m.IndicatorRef("macd_1", "value"), m.Operator.CROSS_ABOVE, m.IndicatorRef("macd_1", "signal")
    )
    assert isinstance(scaled, m.Comparison)
    assert scaled.right == m.Scaled(m.IndicatorRef("bollinger_1"), m.Scaling.MUL, 0.98)
    assert candle == m.Pattern("morning_star_1", m.PatternSignal.BULLISH)
    assert rule.exit.conditions[0] == m.Comparison(m.IndicatorRef("macd_1"), m.Operator.EQUAL, m.Constant(0))
    assert rule.timeframe is Timeframe.D1 and rule.sizing is None
    assert rule.risk.trailing_stop == m.Guard(False) and rule.risk.take_profit == m.Guard(False, 10.0)


def test_what_we_add_to_the_official_format_is_read():
    rule = parse_rule("""
metadata: {name: 넓은 규칙}
strategy:
  id: wide
  timeframe: 5m
  evaluate: tick
  params: {low: {default: 30, min: 10, max: 40}}
  indicators: [{id: rsi}, {id: RSI, params: {timeperiod: 5}}, {id: bollinger, alias: "bb(20,2.0)"}]
  entry:
    logic: and
    conditions:
      - any:
          - {indicator: rsi_1, operator: between, value: [$low, 50]}
          - not: {indicator: RSI_1, operator: ">=", value: 70}
      - all: [{indicator: close, operator: "<", compare_to: "bb(20,2.0).lower"}]
      - {indicator: session.minutes_to_close, operator: greater_than, value: 10}
  exit:
    conditions: [{indicator: position.pnl_pct, operator: greater_than, value: 3},
                 {indicator: bars_since_entry, operator: greater_equal, value: 12}]
risk: {time_stop: {enabled: true, bars: 20}}
sizing: {mode: shares, value: 3}
execution: {order_type: limit, offset_ticks: 2, cooldown_sec: 60, unfilled: {action: reprice, after_sec: 5}}
universe: [000270, "005930", AAPL]
""")
    choice, band, minutes = rule.entry.conditions
    assert isinstance(choice, m.Group) and choice.logic is m.Logic.ANY
    assert choice.conditions[0] == m.Comparison(
        m.IndicatorRef("rsi_1"), m.Operator.BETWEEN, m.ParamRef("low"), m.Constant(50)
    )
    assert isinstance(choice.conditions[1], m.Not)
    assert isinstance(band, m.Group) and isinstance(band.conditions[0], m.Comparison)
    assert band.conditions[0].right == m.IndicatorRef("bb(20,2.0)", "lower")
    assert isinstance(minutes, m.Comparison) and minutes.left == m.FactRef(m.Fact.MINUTES_TO_CLOSE)
    assert rule.universe == ("000270", "005930", "AAPL")
    assert rule.execution.order_type is OrderType.LIMIT
    assert rule.execution.unfilled == m.Unfilled(m.UnfilledAction.REPRICE, 5)


WRONG = [
    (
        "indicator: fast, operator: cross_b",
        "indicator: bars_since_entry, operator: cross_b",
        "strategy.exit.conditions[0].operator",
        9,
    ),
    (
        "compare_to: slow}]}\n  exit",
        "compare_to: slow, compare_scalar: 0, compare_operation: div}]}\n  exit",
        "strategy.entry.conditions[0].compare_scalar",
        8,
    ),
    ("period: 2}", "perid: 2}", "strategy.indicators[0].params.perid", 6),
    ("period: 2}", "period: 0}", "strategy.indicators[0].params.period", 6),
    ("period: 2}", "period: 2.5}", "strategy.indicators[0].params.period", 6),
    ("period: 2}", "period: $nowhere}", "strategy.indicators[0].params.period", 6),
    ("id: sma, alias: fast", "id: smaa, alias: fast", "strategy.indicators[0].id", 6),
    ("alias: fast, params", "alias: fast, output: upper, params", "strategy.indicators[0].output", 6),
    ("alias: slow", "alias: fast", "strategy.indicators[1].alias", None),
    ("alias: slow", "alias: close", "strategy.indicators[1].alias", 7),
    ("cross_above", "cros_above", "strategy.entry.conditions[0].operator", 8),
    ("operator: cross_above, ", "", "strategy.entry.conditions[0].operator", 8),
    ("compare_to: slow}]}\n  exit", "compare_to: slo}]}\n  exit", "strategy.entry.conditions[0].compare_to", 8),
    (", compare_to: slow}]}\n  exit", "}]}\n  exit", "strategy.entry.conditions[0].value", 8),
    ("operator: cross_above", "operator: between", "strategy.entry.conditions[0].value", 8),
    ("conditions: [{indicator: fast, operator: cross_above, compare_to: slow}]", "conditions: []", "strategy.entry", 8),
    ("metadata: {name: 작은 규칙}", "metadata: {}", "metadata.name", 2),
    ("  id: small\n", "", "strategy.id", None),
    ("  id: small\n", "  id: small\n  timeframe: 2m\n", "strategy.timeframe", 5),
    ("  id: small\n", "  id: small\n  indicatorz: []\n", "strategy.indicatorz", 5),
    ("  id: small\n", "  id: small\n  params: {p: {default: 9, max: 5}}\n", "strategy.params.p.default", 5),
    ("strategy:", "risk: {stop_loss: {percent: 5}}\nstrategy:", "risk.stop_loss.enabled", 3),
    ("strategy:", "risk: {stop_loss: {enabled: true}}\nstrategy:", "risk.stop_loss.percent", 3),
    ("strategy:", "risk: {stop_loss: {enabled: true, percent: -5}}\nstrategy:", "risk.stop_loss.percent", 3),
    ("strategy:", "risk: {stop_loss: {enabled: true, percent: nan}}\nstrategy:", "risk.stop_loss.percent", 3),
    ("strategy:", "risk: {stop_loss: {enabled: yes, percent: 5}}\nstrategy:", "risk.stop_loss.enabled", 3),
    ("strategy:", "sizing: {mode: all, value: 5}\nstrategy:", "sizing.mode", 3),
    ("strategy:", "sizing: {mode: shares, value: 1.5}\nstrategy:", "sizing.value", 3),
    ("strategy:", "sizing: {mode: risk_pct, value: 1}\nstrategy:", "sizing.mode", 3),
    ("strategy:", "universe: [5930]\nstrategy:", "universe[0]", 3),
    ("strategy:", "universe: 005930\nstrategy:", "universe", 3),
    ("strategy:", "execution: {offset_ticks: 1.5}\nstrategy:", "execution.offset_ticks", 3),
    ("strategy:", "version: one\nstrategy:", "version", 3),
]


@pytest.mark.parametrize(("old", "new", "path", "line"), WRONG, ids=[case[2] + "=" + case[1][:24] for case in WRONG])
def test_each_mistake_names_its_path_and_line_and_how_to_mend_it(old, new, path, line):
    assert old in SMALL
    with pytest.raises(RuleInvalid) as caught:
        parse_rule(SMALL.replace(old, new, 1))
    problems = caught.value.problems
    assert path in [one.path for one in problems], problems
    found = next(one for one in problems if one.path == path)
    if line is not None:
        assert found.line == line
    assert found.reason.ko and found.reason.en and found.mend.ko and found.mend.en
    assert path in found.text("ko") and path in found.text("en")


def test_all_mistakes_of_a_pass_are_told_at_once():
    with pytest.raises(RuleInvalid) as caught:
        parse_rule(SMALL.replace("id: small", "id: small\n  timeframe: 2m\n  evaluate: never"))
    assert [one.path for one in caught.value.problems] == ["strategy.timeframe", "strategy.evaluate"]


def test_a_near_miss_is_answered_with_the_right_word():
    with pytest.raises(RuleInvalid) as caught:
        parse_rule(SMALL.replace("strategy:", "risk: {stop_los: {enabled: true, percent: 5}}\nstrategy:", 1))
    assert "stop_loss" in caught.value.problems[0].mend.en


def test_a_rule_that_never_sells_is_warned_about():
    rule = parse_rule(
        SMALL.replace("exit: {conditions: [{indicator: fast, operator: cross_below, compare_to: slow}]}", "")
    )
    assert [one.path for one in warnings_of(rule)] == ["strategy.exit", "risk.stop_loss"]


KNOBS = SMALL.replace("period: 2}", "period: $fast}").replace(
    "  id: small\n", "  id: small\n  params: {fast: {default: 2, min: 2, max: 9, type: int}}\n"
)


def test_parameters_are_bound_within_their_bounds():
    rule = parse_rule(KNOBS)
    assert bind(rule).indicators[0].params == (("period", 2),)
    assert bind(rule, {"fast": 5}).indicators[0].params == (("period", 5),)


@pytest.mark.parametrize("overrides", [{"fast": 1}, {"fast": 10}, {"fast": 2.5}, {"slow": 3}])
def test_overrides_out_of_bounds_or_unknown_are_refused(overrides):
    with pytest.raises(RuleInvalid):
        bind(parse_rule(KNOBS), overrides)
