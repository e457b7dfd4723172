"""One section of a rule file, typed key by key by the tables of schema.py; what does not fit becomes a Problem."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.domain.rule import model as m
from shared.domain.rule.problem import Problem, one_problem
from shared.domain.rule.schema import SECTIONS, Field, Kind
from shared.domain.rule.text import Items, Node, Scalar, Table

_LONGEST_NUMBER = 32
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_PARAM = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_EMPTY = Table({}, None)
PRICE_WORDS = {one.value: m.Price(one) for one in m.PriceField} | {"price": m.Price(m.PriceField.CLOSE)}
FACT_WORDS = {one.value: m.FactRef(one) for one in m.Fact}


@dataclass(slots=True)
class Findings:
    """Problems so far, the line of every path read (later passes name lines too) and the aliases known so far."""

    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int | None] = field(default_factory=dict)  # path -> line
    aliases: set[str] = field(default_factory=set)  # of indicators; an alias may hold a dot: bb(20,2.0)

    def add(self, path: str, line: int | None, ko: str, en: str, mend_ko: str, mend_en: str) -> None:
        self.problems.append(one_problem(path, line, ko, en, mend_ko, mend_en))


@dataclass(frozen=True, slots=True)
class Fields:
    """The keys of one section. Readers return a default for an absent key and complain about an ill-typed one."""

    table: Table
    kinds: dict[str, Field]
    path: str
    findings: Findings

    @classmethod
    def of(cls, node: Node, section: str, path: str, findings: Findings) -> Fields:
        """Open `node` as a section; unknown and missing keys are complained about here, once."""
        kinds = SECTIONS[section]
        findings.lines[path] = node.line
        if not isinstance(node, Table):
            findings.add(
                path,
                node.line,
                "키와 값이어야 합니다",
                "must be keys and values",
                f"{_some(kinds)}: …",
                f"{_some(kinds)}: …",
            )
            return cls(_EMPTY, kinds, path, findings)
        fields = cls(node, kinds, path, findings)
        fields._check_keys()
        return fields

    def complain(self, key: str, ko: str, en: str, mend_ko: str, mend_en: str) -> None:
        """Record a problem at `key`, with its line (or the section's)."""
        node = self.table.values.get(key, self.table)
        self.findings.add(self._at(key), node.line, ko, en, mend_ko, mend_en)

    def has(self, key: str) -> bool:
        return self._node(key) is not None

    def text(self, key: str, default: str) -> str:
        found = self.text_or_none(key)
        return default if found is None else found

    def text_or_none(self, key: str) -> str | None:
        node = self._node(key)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.complain(key, "글자여야 합니다", "must be text", f"{key}: …", f"{key}: …")
            return None
        if self.kinds[key].kind is Kind.CHOICE and node.text not in self.kinds[key].choices:
            small = node.text.strip().lower()  # the official reader takes operators in any case
            if small in self.kinds[key].choices:
                return small
            self._complain_choice(key, node.text)
            return None
        return node.text

    def choice(self, key: str, default: str) -> str:
        """Return one of the field's choices; anything else is complained about and read as the default."""
        return self.text(key, default)

    def flag(self, key: str) -> bool:
        node = self._node(key)
        if isinstance(node, Scalar) and node.text in _FLAGS:
            return _FLAGS[node.text]
        if node is not None:
            self.complain(key, "true 또는 false여야 합니다", "must be true or false", f"{key}: true", f"{key}: true")
        return False

    def number(self, key: str) -> m.Number | None:
        node = self._node(key)
        return None if node is None else self._number(key, node)

    def integer(self, key: str, default: int) -> int:
        number = self.number(key)
        if number is None:
            return default
        if number != int(number):
            self.complain(
                key, "정수여야 합니다", "must be a whole number", f"{key}: {int(number)}", f"{key}: {int(number)}"
            )
        return int(number)

    def number_or_param(self, key: str) -> m.NumberOrParam | None:
        node = self._node(key)
        if node is None:
            return None
        if isinstance(node, Scalar) and (found := _PARAM.fullmatch(node.text)):
            return m.ParamRef(found[1])
        return self._number(key, node)

    def texts(self, key: str) -> list[str]:
        return [one.text for path, node in self.nodes(key) if (one := self._scalar(path, node)) is not None]

    def numbers(self, key: str) -> list[m.Number]:
        found = [self._number(key, node) for _, node in self.nodes(key)]
        return [one for one in found if one is not None]

    def nodes(self, key: str) -> list[tuple[str, Node]]:
        """Return (path, node) of each item of a list; an absent key is an empty list."""
        node = self._node(key)
        if node is None:
            return []
        if not isinstance(node, Items):
            self.complain(key, "목록이어야 합니다", "must be a list", f"{key}: [ … ]", f"{key}: [ … ]")
            return []
        found = [(f"{self._at(key)}[{index}]", one) for index, one in enumerate(node.values)]
        self.findings.lines.update({path: one.line for path, one in found})
        return found

    def section(self, key: str) -> Fields:
        """Open the section at `key`; absent reads as one with nothing in it."""
        node = self._node(key)
        name = self.kinds[key].section
        if node is None:
            return Fields(_EMPTY, SECTIONS[name], self._at(key), self.findings)
        return Fields.of(node, name, self._at(key), self.findings)

    def sections(self, key: str) -> list[Fields]:
        name = self.kinds[key].section
        return [Fields.of(node, name, path, self.findings) for path, node in self.nodes(key)]

    def named(self, key: str) -> list[tuple[str, Fields]]:
        """Return (name, section) of a table with free keys."""
        node, name = self._node(key), self.kinds[key].section
        found = self._free_keys(key, node)
        return [(word, Fields.of(one, name, f"{self._at(key)}.{word}", self.findings)) for word, one in found]

    def values(self, key: str) -> list[tuple[str, m.ParamValue]]:
        """Return (name, number | $name | text) of a table with free keys."""
        found: list[tuple[str, m.ParamValue]] = []
        for word, node in self._free_keys(key, self._node(key)):
            path = f"{self._at(key)}.{word}"
            self.findings.lines[path] = node.line
            if (scalar := self._scalar(path, node)) is not None:
                found.append((word, _value(scalar)))
        return found

    def operand(self, key: str, output_key: str | None) -> m.Operand | None:
        found = self.operands(key, output_key)
        return found[0] if found else None

    def operands(self, key: str, output_key: str | None) -> list[m.Operand]:
        """Return the one operand at `key`, or each of a list's; absent is an empty list."""
        node = self._node(key)
        nodes = node.values if isinstance(node, Items) else () if node is None else (node,)
        output = self.text_or_none(output_key) if output_key else None
        found = []
        for one in nodes:
            if not isinstance(one, Scalar) or one.is_null:
                self.complain(key, "값이어야 합니다", "must be a value", f"{key}: close", f"{key}: close")
            elif (operand := self._operand(key, one, output)) is not None:
                found.append(operand)
        return found

    # -- within ------------------------------------------------------------------------------------------------------

    def _operand(self, key: str, node: Scalar, output: str | None) -> m.Operand | None:
        text = node.text.strip()
        known = PRICE_WORDS.get(text) or FACT_WORDS.get(text)
        if known is not None:
            return known
        if found := _PARAM.fullmatch(text):
            return m.ParamRef(found[1])
        if _NUMBER.fullmatch(text):
            number = self._number(key, node)
            return None if number is None else m.Constant(number)
        alias, _, inline = text.rpartition(".")
        if text in self.findings.aliases or not alias:
            return m.IndicatorRef(text, output)
        return m.IndicatorRef(alias, inline)

    def _number(self, key: str, node: Node) -> m.Number | None:
        number = as_number(node.text) if isinstance(node, Scalar) else None
        if number is None:
            written = node.text if isinstance(node, Scalar) else "…"
            self.complain(
                key, f"수가 아닙니다: {written}", f"not a finite number: {written}", f"{key}: 10", f"{key}: 10"
            )
            return None
        kind = self.kinds[key]
        ends = (kind.above, kind.least, kind.most)
        if (
            (ends[0] is not None and number <= ends[0])
            or (ends[1] is not None and number < ends[1])
            or (ends[2] is not None and number > ends[2])
        ):
            low = f"> {ends[0]:g}" if ends[0] is not None else f"≥ {ends[1]:g}" if ends[1] is not None else ""
            bounds = " , ".join(part for part in (low, f"≤ {ends[2]:g}" if ends[2] is not None else "") if part)
            self.complain(key, f"{number}은 범위 밖입니다", f"{number} is out of range", bounds, bounds)
        return number

    def _check_keys(self) -> None:
        for key, node in self.table.values.items():
            self.findings.lines[self._at(key)] = node.line
            if key not in self.kinds:
                near = _nearest(key, self.kinds)
                mend = near[0] if near else ", ".join(self.kinds)
                self.complain(
                    key,
                    f"모르는 키 {key!r}",
                    f"unknown key {key!r}",
                    f"쓸 수 있는 키: {mend}",
                    f"possible keys: {mend}",
                )
        for key, kind in self.kinds.items():
            if kind.required and self._node(key) is None:
                self.complain(key, "없습니다", "is missing", f"{key}: … ({kind.doc})", f"{key}: … ({kind.doc})")

    def _complain_choice(self, key: str, written: str) -> None:
        choices = self.kinds[key].choices
        mend = ", ".join(_nearest(written, choices) or choices)
        self.complain(
            key,
            f"{written!r}은 쓸 수 없습니다",
            f"{written!r} is not known",
            f"쓸 수 있는 값: {mend}",
            f"one of: {mend}",
        )

    def _free_keys(self, key: str, node: Node | None) -> list[tuple[str, Node]]:
        if node is None:
            return []
        if not isinstance(node, Table):
            self.complain(key, "키와 값이어야 합니다", "must be keys and values", f"{key}: {{ … }}", f"{key}: {{ … }}")
            return []
        return list(node.values.items())

    def _scalar(self, path: str, node: Node) -> Scalar | None:
        if isinstance(node, Scalar):
            return node
        self.findings.add(
            path, node.line, "한 값이어야 합니다", "must be one value", "값 하나를 쓰세요", "write one value"
        )
        return None

    def _node(self, key: str) -> Node | None:
        node = self.table.values.get(key)
        return None if isinstance(node, Scalar) and node.is_null else node

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def as_number(text: str) -> m.Number | None:
    """Return a finite number written in decimal, or None."""
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    number = float(text) if any(mark in text for mark in ".eE") else int(text)
    return number if math.isfinite(number) else None


def _value(node: Scalar) -> m.ParamValue:
    if found := _PARAM.fullmatch(node.text):
        return m.ParamRef(found[1])
    number = as_number(node.text)
    return node.text if number is None else number


def _some(kinds: dict[str, Field]) -> str:
    return next(iter(kinds))


def _nearest(written: str, known: Iterable[str]) -> list[str]:
    """The known word that `written` was meant to be, if there is one."""
    import difflib  # for people's slips only: a bot that reads good rules does not carry it

    return difflib.get_close_matches(written, known, 1)
