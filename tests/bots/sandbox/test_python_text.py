"""A rule's text that is Python: its settings are a rule's, its code is never looked at by us."""

from __future__ import annotations

import pytest

from shared.domain.market import Timeframe
from shared.domain.rule.parse import parse_python, parse_rule
from shared.domain.rule.problem import RuleInvalid
from shared.domain.rule.python_text import is_python, with_universe

CODE = "def on_bar(ctx):\n    return None\n"
SETTINGS = """# /// rule
# metadata: {name: 이름}
# strategy: {timeframe: 5m, params: {n: {default: 3}}}
# risk: {stop_loss: {enabled: true, percent: 4}}
# sizing: {mode: shares, value: 2}
# ///
"""


def test_settings_are_read_and_the_text_is_kept() -> None:
    rule = parse_rule(SETTINGS + CODE)
    assert rule.python == SETTINGS + CODE
    assert (rule.metadata.name, rule.timeframe, rule.params[0].default) == ("이름", Timeframe.M5, 3)
    assert rule.risk.stop_loss is not None and rule.risk.stop_loss.percent == 4
    assert rule.sizing is not None and rule.sizing.value == 2


def test_without_settings_a_strategy_has_defaults() -> None:
    rule = parse_rule(CODE)
    assert (rule.timeframe, rule.sizing, rule.universe) == (Timeframe.D1, None, ())


@pytest.mark.parametrize(
    "text", [CODE, "class Strategy:\n    pass\n", "import math\n", "x = 1\nasync def on_bar(ctx): pass"]
)
def test_python_is_known_by_its_lines(text: str) -> None:
    assert is_python(text)


@pytest.mark.parametrize(
    "text", ["metadata: {name: def}\n", '{"metadata": {"name": "class X"}}', "# def\nversion: '1'\n", ""]
)
def test_yaml_and_json_are_not_python(text: str) -> None:
    assert not is_python(text)


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ("# strategy: {timeframe: 17m}", "strategy.timeframe"),
        ("# strategy: {entry: {conditions: []}}", "strategy.entry"),
        ("# grid: {upper: 3, lower: 1, levels: 2}", "grid"),
        ("# risk: {stop_loss: {enabled: true, percent: -1}}", "risk.stop_loss.percent"),
        ("# unknown: 1", "unknown"),
        ("# : [", ""),
    ],
)
def test_wrong_settings_name_their_line_in_the_file(block: str, path: str) -> None:
    with pytest.raises(RuleInvalid) as refused:
        parse_python(f"x = 1\n# /// rule\n{block}\n# ///\n{CODE}")
    problem = refused.value.problems[0]
    assert problem.path.startswith(path)
    assert problem.line == 3


def test_symbols_are_added_without_touching_the_code() -> None:
    for text in (SETTINGS + CODE, CODE):
        added = with_universe(text, ("005930", "AAPL"))
        assert parse_rule(added).universe == ("005930", "AAPL")
        assert CODE in added


def test_hostile_text_is_never_compiled_here() -> None:
    deep = "x = " + "(" * 20_000 + ")" * 20_000 + "\n" + CODE  # crashes or exhausts a parser that reads it
    assert parse_rule(deep).python == deep
