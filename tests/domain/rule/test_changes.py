"""Two texts are compared by what they mean, and an edit is called safe only when it surely is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.rule.changes import Effect, changes, only_lowers_risk
from shared.domain.rule.parse import parse_rule

TEXT = """version: "1.0"
metadata: {name: a}
strategy:
  id: x
  indicators: [{id: sma, alias: fast, params: {period: 5}}]
  entry: {logic: AND, conditions: [{indicator: close, operator: greater_than, compare_to: fast}]}
  exit: {logic: AND, conditions: [{indicator: close, operator: less_than, compare_to: fast}]}
risk:
  stop_loss: {enabled: true, percent: 5.0}
  trailing_stop: {enabled: false, percent: 3.0}
sizing: {mode: shares, value: 10}
execution: {cooldown_sec: 60}
"""


def edited(*pairs: tuple[str, str]) -> str:
    text = TEXT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("old", "new", "path", "effect"),
    [
        ("percent: 5.0", "percent: 4.0", "risk.stop_loss.percent", Effect.LESS),
        ("percent: 5.0", "percent: 6.0", "risk.stop_loss.percent", Effect.MORE),
        ("stop_loss: {enabled: true", "stop_loss: {enabled: false", "risk.stop_loss.enabled", Effect.MORE),
        ("trailing_stop: {enabled: false", "trailing_stop: {enabled: true", "risk.trailing_stop.enabled", Effect.LESS),
        ("value: 10", "value: 9", "sizing.value", Effect.LESS),
        ("value: 10", "value: 11", "sizing.value", Effect.MORE),
        ("mode: shares", "mode: amount", "sizing.mode", Effect.OPEN),
        ("cooldown_sec: 60", "cooldown_sec: 90", "execution.cooldown_sec", Effect.LESS),
        ("cooldown_sec: 60", "cooldown_sec: 30", "execution.cooldown_sec", Effect.MORE),
        ("name: a", "name: b", "metadata.name", Effect.NONE),
        ("period: 5", "period: 6", "strategy.indicators[fast].params.period", Effect.OPEN),
        ("operator: greater_than", "operator: greater_equal", "strategy.entry.conditions[0]", Effect.OPEN),
    ],
)
def test_a_change_is_named_by_its_place_and_its_effect_on_risk(old: str, new: str, path: str, effect: Effect) -> None:
    found = changes(parse_rule(TEXT), parse_rule(edited((old, new))))
    assert [(one.path, one.effect) for one in found] == [(path, effect)]
    assert only_lowers_risk(parse_rule(TEXT), parse_rule(edited((old, new)))) is (effect is Effect.LESS)


def test_a_stop_that_is_switched_off_anyway_changes_nothing() -> None:
    found = changes(parse_rule(TEXT), parse_rule(edited(("percent: 3.0", "percent: 9.0"))))
    assert [one.effect for one in found] == [Effect.NONE]


def test_comments_order_and_spelling_are_no_change_of_meaning() -> None:
    other = edited(("operator: greater_than", 'operator: ">"'), ("metadata: {name: a}", "# mine\nmetadata: {name: a}"))
    assert changes(parse_rule(TEXT), parse_rule(other)) == ()
    assert not only_lowers_risk(parse_rule(TEXT), parse_rule(other))


def test_one_change_that_could_matter_makes_the_whole_edit_unsafe() -> None:
    older = parse_rule(TEXT)
    safe = (("percent: 5.0", "percent: 4.0"), ("value: 10", "value: 5"), ("name: a", "name: b"))
    assert only_lowers_risk(older, parse_rule(edited(*safe)))
    for unsafe in (("cooldown_sec: 60", "cooldown_sec: 1"), ("period: 5", "period: 50")):
        assert not only_lowers_risk(older, parse_rule(edited(*safe, unsafe)))


def test_what_was_added_and_what_was_taken_away_are_told_apart() -> None:
    without = edited(("execution: {cooldown_sec: 60}\n", ""))
    (gone,) = changes(parse_rule(TEXT), parse_rule(without))
    (new,) = changes(parse_rule(without), parse_rule(TEXT))
    assert (gone.before, gone.after) == ("60", None) and (new.before, new.after) == (None, "60")


def test_another_python_code_is_never_called_safe() -> None:
    older = replace(parse_rule(TEXT), python="def on_bar(ctx): return None")
    newer = replace(parse_rule(edited(("percent: 5.0", "percent: 4.0"))), python="def on_bar(ctx): return 'BUY'")
    assert not only_lowers_risk(older, newer)
    assert changes(older, replace(older, python="x"))[0].path == "python"
