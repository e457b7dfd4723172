"""Blocks of LS messages: every documented key present, every value typed as the document says (ls.md §1.4).

In a response N is a JSON number and D a string with fixed decimals; in a request both are JSON numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from brokers.paper.ls_wire import fields_account, fields_quotes, fields_us
from brokers.paper.ls_wire.refusals import Refusal, bad_field

Value = str | int | Decimal
Block = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str  # S string, N integer, D decimal
    length: int
    decimals: int
    may_lack: bool = False  # a number that a request may leave out: zero


def _read_tables(text: str) -> dict[str, tuple[Field, ...]]:
    tables: dict[str, tuple[Field, ...]] = {}
    for entry in re.split(r"\n(?! )", text.strip()):
        name, _, body = entry.partition(": ")
        tables[name] = tuple(field for item in body.split() for field in _fields(item))
    return tables


def _fields(item: str) -> list[Field]:
    match = re.fullmatch(r"(\w+?)(?:(\d+)\.\.(\d+))?:([SND])(\d+)(?:\.(\d+))?(\??)", item)
    if match is None:
        raise ValueError(f"not a field: {item!r}")
    name, first, last, kind, length, decimals, mark = match.groups()
    names = [f"{name}{i}" for i in range(int(first), int(last) + 1)] if first else [name]
    return [Field(one, kind, int(length), int(decimals or 0), mark == "?") for one in names]


BLOCKS = {
    name: fields
    for module in (fields_quotes, fields_account, fields_us)
    for name, fields in _read_tables(module.TABLES).items()
}


def block(name: str, /, **values: Value) -> Block:
    """Build one response block; keys not given take the document's empty value. An unknown key is a KeyError."""
    fields = BLOCKS[name]
    unknown = values.keys() - {field.name for field in fields}
    if unknown:
        raise KeyError(f"{name} has no {', '.join(sorted(unknown))}")
    return {field.name: _typed(field, values.get(field.name)) for field in fields}


def _typed(field: Field, value: Value | None) -> str | int:
    if field.kind == "S":
        return "" if value is None else str(value)
    if field.kind == "N":
        return 0 if value is None else int(value)
    step = Decimal(1).scaleb(-field.decimals)
    return str(Decimal(value or 0).quantize(step, rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class InBlock:
    """A request block whose JSON types were checked. Absent text reads as blank."""

    values: Mapping[str, Value]

    def text(self, name: str) -> str:
        return str(self.values.get(name, "")).strip()

    def whole(self, name: str) -> int:
        return int(self.values[name])

    def decimal(self, name: str) -> Decimal:
        return Decimal(self.values[name])


def read_in_block(tr: str, raw: bytes, *, may_be_empty: bool = False) -> InBlock:
    """Read `{"<tr>InBlock[1]": {…}}` of a request body; keys that the document does not list are ignored.

    Raises:
        Refusal: IGW40011 where a number is quoted, missing or anything is too long; IGW40013 without the block.
    """
    name = f"{tr}InBlock1" if f"{tr}InBlock1" in BLOCKS else f"{tr}InBlock"
    try:
        body = json.loads(raw or b"{}", parse_float=Decimal)
    except ValueError:
        raise Refusal("IGW40013", "요청 본문을 읽을 수 없습니다.", 500) from None
    given = body.get(name) if isinstance(body, dict) else None
    if not isinstance(given, dict):
        if may_be_empty:
            return InBlock({})
        raise Refusal("IGW40013", f"{name} 확인이 필요합니다.", 500)
    fields = [field for field in BLOCKS[name] if field.name in given or not may_be_empty]
    return InBlock({field.name: _checked(field, given.get(field.name)) for field in fields})


def _checked(field: Field, value: object) -> Value:
    if field.kind == "S":
        text = "" if value is None else value
        if not isinstance(text, str) or len(text) > field.length:
            raise bad_field(field.name)
        return text
    if value is None and field.may_lack:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise bad_field(field.name)
    if field.kind == "N" and (value != int(value) or len(str(abs(int(value)))) > field.length):
        raise bad_field(field.name)
    if field.kind == "D" and abs(Decimal(value)) >= Decimal(10) ** field.length:
        raise bad_field(field.name)
    return value
