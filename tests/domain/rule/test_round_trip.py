"""YAML and JSON of a rule mean the same rule, and nothing is lost on the way."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from shared.domain.rule.parse import parse_rule
from shared.domain.rule.versions import fingerprint
from shared.domain.rule.write import to_json, to_yaml
from tests.domain.rule.rules import SMALL, rules


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules())
def test_a_rule_survives_yaml_and_json_in_any_order(rule):
    by_yaml = parse_rule(to_yaml(rule))
    by_json = parse_rule(to_json(rule))
    assert by_yaml == rule == by_json
    assert parse_rule(to_json(by_yaml)) == parse_rule(to_yaml(by_json)) == rule
    assert fingerprint(by_yaml) == fingerprint(by_json) == fingerprint(rule)


def test_a_fingerprint_changes_with_meaning_and_not_with_form():
    rule = parse_rule(SMALL)
    assert fingerprint(parse_rule(f"# a comment\n{SMALL}")) == fingerprint(rule)
    assert fingerprint(replace(rule, rule_id=7, version_id=3)) == fingerprint(rule)
    assert fingerprint(parse_rule(SMALL.replace("period: 3", "period: 4"))) != fingerprint(rule)
