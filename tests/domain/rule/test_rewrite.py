"""One place of a rule's text changes, the rest stays as a person wrote it."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.rules.presets import preset_names, preset_text
from shared.domain.rule.model import Sizing, SizingMode
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from shared.domain.rule.rewrite import with_defaults, with_sizing
from shared.domain.rule.write import to_json, to_yaml
from tests.domain.rule.rules import SMALL, rules

BY_ATR = Sizing(SizingMode.RISK_PCT, 1.5, atr_period=14, atr_multiple=2.5)


def test_a_sizing_is_added_and_replaced_and_comments_stay():
    text = f"# mine\n{SMALL.strip()}\n# the end\n"
    added = with_sizing(text, BY_ATR)
    assert added.startswith("# mine\n") and "# the end\n" in added
    assert parse_rule(added) == replace(parse_rule(text), sizing=BY_ATR)
    block = added.replace(
        "sizing: {mode: risk_pct, value: 1.5, atr_period: 14, atr_multiple: 2.5}",
        "sizing:\n  mode: shares  # few\n  value: 3",
    )
    assert parse_rule(block).sizing == Sizing(SizingMode.SHARES, 3)
    assert with_sizing(block, BY_ATR) == added


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_takes_other_defaults_within_its_bounds_and_keeps_its_words(name):
    text = preset_text(name)
    rule = parse_rule(text)
    wanted = {one.name: one.min if one.name == "lower" else one.max for one in rule.params}
    changed = with_defaults(text, wanted)
    assert {one.name: one.default for one in parse_rule(changed).params} == wanted
    assert len(changed.splitlines()) == len(text.splitlines())  # changed where it stands, not written anew


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules(with_targets=True), st.sampled_from([to_yaml, to_json]), st.integers(1, 500))
def test_any_rule_in_either_format_gets_the_sizing_and_loses_nothing(rule, write, shares):
    sizing = Sizing(SizingMode.SHARES, shares)
    assert parse_rule(with_sizing(write(rule), sizing)) == replace(rule, sizing=sizing)


def test_what_the_rules_checks_refuse_is_written_all_the_same():
    changed = with_sizing(SMALL, Sizing(SizingMode.RISK_PCT, 1))  # no stop loss to risk against
    assert "sizing:" in changed
    with pytest.raises(RuleInvalid) as told:
        parse_rule(changed)
    assert [one.path for one in told.value.problems] == ["sizing.mode"]
