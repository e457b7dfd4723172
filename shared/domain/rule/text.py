"""Text → nodes: YAML or JSON under our own policy (reliability.md "Rules text").

A byte cap, no aliases or tags, no duplicate keys, caps on depth and nodes; scalars stay text until the schema types them,
so the Korean code 000270 never becomes the number 184 and `no` never becomes false.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from shared.domain.rule.problem import RuleInvalid, one_problem

MAX_BYTES = 64 * 1024
MAX_DEPTH = 24
MAX_NODES = 5_000


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf as written. `plain` is false when the author quoted it; the empty plain scalar and `null` are nothing."""

    text: str
    plain: bool
    line: int | None

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Items:
    values: tuple[Node, ...]
    line: int | None


@dataclass(frozen=True, slots=True)
class Table:
    values: dict[str, Node]
    line: int | None


Node = Scalar | Items | Table


def read_text(source: str | bytes) -> Table:
    """Return the document's top table; text that begins with `{` is JSON, anything else YAML.

    Raises:
        RuleInvalid: too large, not UTF-8, not YAML/JSON, or against the policy above.
    """
    text = decoded(source)
    node = _read_json(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else _read_yaml(text)
    if not isinstance(node, Table):
        raise RuleInvalid(
            (
                one_problem(
                    "",
                    node.line,
                    "맨 위는 키와 값이어야 합니다",
                    "the top must be keys and values",
                    "metadata: 와 strategy: 로 시작하세요",
                    "begin with metadata: and strategy:",
                ),
            )
        )
    return node


def decoded(source: str | bytes) -> str:
    """Return a rule's text. Raises RuleInvalid: too large or not UTF-8."""
    try:
        data = source.encode("utf-8") if isinstance(source, str) else source
        text = data.decode("utf-8")
    except UnicodeError as e:
        raise _refusal("UTF-8 글자가 아닙니다", "not UTF-8 text", "UTF-8로 저장하세요", "save as UTF-8") from e
    if len(data) > MAX_BYTES:
        raise _refusal(
            f"{len(data)}바이트로 너무 큽니다",
            f"{len(data)} bytes are too many",
            f"{MAX_BYTES}바이트 아래로 줄이세요",
            f"keep it under {MAX_BYTES} bytes",
        )
    return text


def _refusal(ko: str, en: str, mend_ko: str, mend_en: str, line: int | None = None) -> RuleInvalid:
    return RuleInvalid((one_problem("", line, ko, en, mend_ko, mend_en),))


def _duplicate(key: str, line: int | None) -> RuleInvalid:
    return _refusal(
        f"키 {key!r}가 두 번 나옵니다",
        f"the key {key!r} stands twice",
        "하나만 남기세요",
        "keep one of them",
        line,
    )


def _scalar(text: str, plain: bool, line: int | None) -> Scalar:
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _refusal("글자가 아닌 코드가 있습니다", "half of a character", "그 글자를 지우세요", "remove it", line)
    return Scalar(text, plain, line)


class _Budget:
    """Counts nodes and depth while a document is read, so that a small file cannot grow into a large value."""

    def __init__(self) -> None:
        self._nodes = 0

    def spend(self, depth: int, line: int | None) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise _refusal(
                "너무 깊거나 항목이 너무 많습니다",
                "too deep or too many items",
                f"깊이 {MAX_DEPTH}, 항목 {MAX_NODES}개 안으로 줄이세요",
                f"stay within depth {MAX_DEPTH} and {MAX_NODES} items",
                line,
            )


# -- YAML -------------------------------------------------------------------------------------------------------------

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read_yaml(text: str) -> Node:
    try:
        events = yaml.parse(text, Loader=_LOADER)
        next(events)  # stream start
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            raise _refusal("빈 파일입니다", "the file is empty", "규칙을 쓰세요", "write a rule")
        node = _yaml_node(events, next(events), _Budget(), 1)
        next(events)  # document end
        if not isinstance(next(events), yaml.StreamEndEvent):
            raise _refusal(
                "문서가 둘 이상입니다", "more than one document", "--- 아래를 지우세요", "remove what follows ---"
            )
    except yaml.YAMLError as e:
        raise _syntax(e, text) from e
    return node


def _syntax(error: yaml.YAMLError, text: str) -> RuleInvalid:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines) and "\t" in lines[mark.line]:
        return _refusal(
            "탭(Tab) 문자가 있습니다",
            "there is a tab character",
            "빈칸으로 들여 쓰세요",
            "indent by spaces",
            mark.line + 1,
        )
    if what.startswith("mapping values"):
        return _refusal(
            "한 줄에 콜론(:)이 또 있거나 들여쓰기가 어긋납니다", "a second colon in the line, or wrong indentation",
            '글이면 따옴표로 묶으세요: name: "A: B"', 'quote it when it is text: name: "A: B"', mark.line + 1 if mark else None,
        )  # fmt: skip
    return _refusal(
        f"YAML 문법 오류: {what}",
        f"YAML syntax: {what}",
        "들여쓰기와 따옴표를 확인하세요",
        "check indentation and quotes",
        None if mark is None else mark.line + 1,
    )


def _yaml_node(events: Iterator[Any], event: Any, budget: _Budget, depth: int) -> Node:
    line: int = event.start_mark.line + 1
    budget.spend(depth, line)
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise _refusal(
            "앵커(&)와 별칭(*)은 쓸 수 없습니다",
            "anchors and aliases are refused",
            "값을 그대로 쓰세요",
            "repeat the value",
            line,
        )
    if getattr(event, "tag", None) not in (None, "!"):
        raise _refusal("태그(!)는 쓸 수 없습니다", "tags are refused", "태그를 지우세요", "remove the tag", line)
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event.value, not event.style, line)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            items.append(_yaml_node(events, inner, budget, depth + 1))
        return Items(tuple(items), line)
    return _yaml_table(events, line, budget, depth)


def _yaml_table(events: Iterator[Any], line: int, budget: _Budget, depth: int) -> Table:
    values: dict[str, Node] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _yaml_node(events, event, budget, depth + 1)
        if not isinstance(key, Scalar):
            raise _refusal(
                "키는 글자여야 합니다", "a key must be text", "키를 한 단어로 쓰세요", "use one word", key.line
            )
        if key.text in values:
            raise _duplicate(key.text, key.line)
        values[key.text] = _yaml_node(events, next(events), budget, depth + 1)
    return Table(values, line)


# -- JSON -------------------------------------------------------------------------------------------------------------


class _Raw(str):
    """A JSON number, true, false or null as written."""

    __slots__ = ()


def _read_json(text: str) -> Node:
    try:
        value = json.loads(
            text.lstrip("\ufeff"),
            object_pairs_hook=_pairs,
            parse_int=_Raw,
            parse_float=_Raw,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as e:
        raise _refusal(
            f"JSON 문법 오류: {e.msg}",
            f"JSON syntax: {e.msg}",
            "쉼표와 따옴표를 확인하세요",
            "check commas and quotes",
            e.lineno,
        ) from e
    except RecursionError as e:
        raise _refusal("너무 깊습니다", "too deep", f"깊이 {MAX_DEPTH} 안으로", f"stay within depth {MAX_DEPTH}") from e
    return _json_node(value, _Budget(), 1)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _duplicate(key, None)
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise _refusal(f"{name}은 수가 아닙니다", f"{name} is not a number", "유한한 수를 쓰세요", "use a finite number")


def _json_node(value: Any, budget: _Budget, depth: int) -> Node:
    budget.spend(depth, None)
    if isinstance(value, dict):
        return Table({key: _json_node(inner, budget, depth + 1) for key, inner in value.items()}, None)
    if isinstance(value, list):
        return Items(tuple(_json_node(inner, budget, depth + 1) for inner in value), None)
    if isinstance(value, bool):
        return _scalar("true" if value else "false", True, None)
    if value is None:
        return _scalar("null", True, None)
    return _scalar(str(value), isinstance(value, _Raw), None)
