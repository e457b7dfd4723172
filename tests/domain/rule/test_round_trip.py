"""YAML and JSON of a rule mean the same rule, and nothing is lost on the way."""

from hypothesis import HealthCheck, given, settings

from shared.domain.rule.parse import parse_rule
from shared.domain.rule.write import to_json, to_yaml
from tests.domain.rule.rules import rules


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules(with_targets=True))
def test_a_rule_survives_yaml_and_json_in_any_order(rule):
    by_yaml = parse_rule(to_yaml(rule))
    by_json = parse_rule(to_json(rule))
    assert by_yaml == rule == by_json
    assert parse_rule(to_json(by_yaml)) == parse_rule(to_yaml(by_json)) == rule
