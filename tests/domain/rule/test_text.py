"""Rule text: the policy of reliability.md holds for YAML and JSON alike."""

import json

import pytest

from shared.domain.rule.problem import RuleInvalid
from shared.domain.rule.text import MAX_BYTES, MAX_DEPTH, MAX_NODES, Items, Scalar, Table, read_text


def test_korean_codes_and_yaml_words_stay_text():
    table = read_text("a: 000270\nb: no\nc: 1_000\nd: 0x10\ne: 12:30:45\nf: 2024-01-01")
    assert [one.text for one in table.values.values()] == ["000270", "no", "1_000", "0x10", "12:30:45", "2024-01-01"]


def test_yaml_nodes_know_their_line():
    table = read_text("a: 1\n\nb:\n  - x\n  - y: 2\n")
    items = table.values["b"]
    assert isinstance(items, Items)
    inner = items.values[1]
    assert isinstance(inner, Table)
    assert (table.values["a"].line, inner.values["y"].line) == (1, 5)


def test_json_and_yaml_of_the_same_document_differ_in_lines_only():
    as_json = read_text('{"a": [1, 2.5, "x", true, null], "b": {"c": "005930"}}')
    values = as_json.values["a"]
    assert isinstance(values, Items)
    assert [one.text for one in values.values if isinstance(one, Scalar)] == ["1", "2.5", "x", "true", "null"]
    assert [one.is_null for one in values.values if isinstance(one, Scalar)] == [False, False, False, False, True]


def test_a_quoted_null_is_text():
    table = read_text("a: 'null'\nb: null\nc:\nd: ''")
    assert [one.is_null for one in table.values.values() if isinstance(one, Scalar)] == [False, True, True, False]


DEEP = "a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)
WIDE = "a: [" + "1," * MAX_NODES + "]"


@pytest.mark.parametrize(
    ("text", "word", "line"),
    [
        ("a: &x 1\nb: *x", "anchors", 1),
        ("b: *x", "anchors", 1),
        ("a: !!python/object:os.system {}", "tags", 1),
        ("a: !custom 1", "tags", 1),
        ("x: 1\na: 1\na: 2", "twice", 3),
        ("? [1, 2]\n: 3", "key", 1),
        ("a: 1\n---\nb: 2", "more than one", None),
        ("a: b: c", "second colon", 1),
        ("a: 1\n b: 2", "second colon", 2),
        ("a:\n\tb: 2", "tab", 2),
        ("a: {b: 1\nc: 2", "YAML syntax", 2),
        ("", "empty", None),
        ("# only a comment", "empty", None),
        ("- 1\n- 2", "keys and values", 1),
        ("just text", "keys and values", 1),
        (DEEP, "deep", 1),
        (WIDE, "deep", 1),
        ("a: " + "x" * MAX_BYTES, "bytes", None),
        ('a: "\\ud800"', "", 1),
        ('{"a": 1, "a": 2}', "twice", None),
        ('{"a": NaN}', "not a number", None),
        ('{"a": Infinity}', "not a number", None),
        ('{"a": 1,}', "JSON syntax", 1),
        ('{"a":\n\n oops}', "JSON syntax", 3),
        ('{"a": ' + "[" * 20_000, "deep", None),
        (json.dumps({"a": [[[1]]]}).replace("[[[", "[" * 30).replace("]]]", "]" * 30), "deep", None),
        ('{"a": "\\ud800"}', "half", None),
        (b"a: \xff", "UTF-8", None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_text_against_the_policy_is_refused_with_its_line(text, word, line):
    with pytest.raises(RuleInvalid) as caught:
        read_text(text)
    [problem] = caught.value.problems
    assert word in problem.reason.en
    assert problem.line == line
    assert problem.reason.ko and problem.mend.ko and problem.mend.en


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    bomb = "a: &a [x]\n" + "\n".join(f"{c}: &{c} [*{p},*{p},*{p}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(RuleInvalid):
        read_text(bomb)
