"""What the form shows of a rule and writes back is the same rule; what it has no place for it names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.services import presets
from console.services.rule_sketch import (
    ConditionRow,
    GuardRow,
    IndicatorRow,
    fresh_alias,
    operands,
    sketch_of,
    text_of,
    unsayable,
)
from shared.domain.rule import model as m
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from shared.words import WORDS
from tests.domain.rule.rules import SMALL, rules


def _plain(one: m.Condition) -> bool:
    return isinstance(one, m.Pattern) or (isinstance(one, m.Comparison) and not isinstance(one.left, m.Scaled))


def _flat(group: m.Group) -> m.Group:
    """The conditions that stand by themselves or in one bundle of such, or one that does."""
    kept: list[m.Condition] = []
    for one in group.conditions:
        if isinstance(one, m.Group):
            inner = tuple(each for each in one.conditions if _plain(each))
            kept += [replace(one, conditions=inner)] if inner else []
        elif _plain(one):
            kept.append(one)
    return replace(group, conditions=tuple(kept) or (m.Pattern("doji"),))


@given(rules(with_targets=True), st.booleans())
def test_a_rule_comes_back_as_it_was_or_the_form_says_what_it_cannot(rule: m.Rule, flat: bool) -> None:
    if flat and rule.composite is None and rule.ladder is None and rule.grid is None and rule.rebalance is None:
        rule = replace(rule, entry=_flat(rule.entry), exit=_flat(rule.exit))
        assert not unsayable(rule)
    if reasons := unsayable(rule):
        assert all(f"sketch.no.{one}" in WORDS for one in reasons)
        return
    assert parse_rule(text_of(sketch_of(rule))) == rule


@pytest.mark.parametrize("preset", presets.listed(), ids=lambda one: one.name)
def test_presets_open_in_the_form_but_for_those_with_another_shape(preset: presets.Preset) -> None:
    shaped = {"composite_vote": "composite", "dca_limit": "ladder", "dca_loc": "ladder", "grid": "grid"}
    shaped |= {"rebalance_60_40": "rebalance", "pairs": "rebalance"}
    reasons = unsayable(preset.rule)
    assert reasons == ((shaped[preset.name],) if preset.name in shaped else ())
    if not reasons:
        assert parse_rule(text_of(sketch_of(preset.rule))) == preset.rule


def test_what_stands_two_deep_and_code_are_named() -> None:
    deep = SMALL.replace(
        "[{indicator: fast, operator: cross_above, compare_to: slow}]",
        "[{any: [{all: [{indicator: fast, operator: greater_than, value: 1}]}]}, {not: {candlestick: doji}}]",
    )
    assert unsayable(parse_rule(deep)) == ("nested", "negated")
    code = "# /// rule\n# metadata: {name: x}\n# ///\ndef on_bar(ctx):\n    return None\n"
    assert unsayable(parse_rule(code)) == ("python",)


def test_bundles_keep_their_place_and_their_logic() -> None:
    text = SMALL.replace(
        "[{indicator: fast, operator: cross_above, compare_to: slow}]",
        "[{candlestick: doji}, {any: [{indicator: close, operator: greater_than, value: 1}, {candlestick: hammer}]}, "
        "{all: [{indicator: fast, operator: greater_than, compare_to: slow}]}]",
    )
    rule = parse_rule(text)
    assert unsayable(rule) == ()
    rows = sketch_of(rule).entry
    assert [(row.bundle, row.logic) for row in rows] == [(0, ""), (2, "OR"), (2, "OR"), (3, "AND")]
    assert parse_rule(text_of(sketch_of(rule))) == rule


def test_a_slip_of_the_hand_is_refused_by_the_same_checks_and_words() -> None:
    rule = parse_rule(SMALL)
    sketch = sketch_of(rule)
    wrong = replace(
        sketch,
        stop_loss=GuardRow(True, "두 배"),
        indicators=(*sketch.indicators, IndicatorRow("rsi", "fast", (("period", "0"),))),
        entry=(ConditionRow("rsi", "greater_than", "30"),),
    )
    with pytest.raises(RuleInvalid) as refused:
        parse_rule(text_of(replace(wrong, indicators=sketch.indicators, entry=sketch.entry)))
    assert {one.path for one in refused.value.problems} == {"risk.stop_loss.percent"}
    with pytest.raises(RuleInvalid) as refused:
        parse_rule(text_of(replace(wrong, stop_loss=GuardRow())))
    paths = {one.path for one in refused.value.problems}
    assert {"strategy.indicators[2].alias", "strategy.indicators[2].params.period"} <= paths


def test_korean_codes_stay_text_and_names_are_taken_once() -> None:
    text = text_of(replace(sketch_of(parse_rule(SMALL)), symbols="005930, aapl ,000270"))
    assert parse_rule(text).universe == ("005930", "AAPL", "000270")
    assert fresh_alias("SMA", ["sma", "sma2"]) == "sma3"
    assert fresh_alias("close", []) == "close2"
    rows = (IndicatorRow("bollinger", "band"), IndicatorRow("sma", "slow"))
    offered = operands(rows)
    assert {"close", "band", "band.upper", "band.lower", "slow", "position.pnl_pct"} <= set(offered)
    assert "slow.value" not in offered
