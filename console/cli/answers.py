"""What every verb answers with --json, as JSON Schema: a program that reads these documents can rely on it.

A shape is `name:kind …`; `name~` may be missing, `kind?` may be null, `[kind]` is a list, `{kind}` a map by name. A kind
is one of KINDS or another shape. Whatever a shape does not name is not answered.
"""

from __future__ import annotations

from typing import Any

from console.cli.answer_shapes import ANSWERS, SHAPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OFFSET = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)$"
KINDS: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "text": {"type": "string"},
    "any": {},
    "money": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "an exact amount or price, as text"},
    "moment": {"type": "string", "format": "date-time", "pattern": _OFFSET, "description": "with its offset"},
    "day": {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"},
    "when": {"anyOf": [{"$ref": "#/$defs/day"}, {"$ref": "#/$defs/moment"}], "description": "of a daily or minute bar"},
}


def schema_of(verb: str) -> dict[str, Any]:
    """The JSON Schema of what `letstrade VERB --json` prints: its answer, or an error with exit 1, 2 or 3."""
    answers = [_document(text) for text in (*ANSWERS[verb], "error:error")]
    used: dict[str, Any] = {}
    _collect(answers, used)
    return {"$schema": DIALECT, "title": f"letstrade {verb} --json", "anyOf": answers, "$defs": used}


def published() -> dict[str, Any]:
    """One schema of an object with a property per verb, and everything they name in `$defs`."""
    verbs = {verb: {"anyOf": [_document(one) for one in (*texts, "error:error")]} for verb, texts in ANSWERS.items()}
    used: dict[str, Any] = {}
    _collect(verbs, used)
    title = "Answers of the command line by verb (letstrade VERB --json)"
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "properties": verbs,
        "$defs": dict(sorted(used.items())),
    }


def _document(text: str) -> dict[str, Any]:
    """A shape by its name alone, or the fields of one."""
    return _kind(text) if ":" not in text else _object(text)


def _object(text: str) -> dict[str, Any]:
    pairs = [field.split(":", 1) for field in text.split()]
    return {
        "type": "object",
        "properties": {name.rstrip("~"): _kind(kind) for name, kind in pairs},
        "required": [name for name, _ in pairs if not name.endswith("~")],
        "additionalProperties": False,
    }


def _kind(text: str) -> dict[str, Any]:
    if text.endswith("?"):
        return {"anyOf": [_kind(text[:-1]), {"type": "null"}]}
    if text.startswith("["):
        return {"type": "array", "items": _kind(text[1:-1])}
    if text.startswith("{"):
        return {"type": "object", "additionalProperties": _kind(text[1:-1])}
    return {"$ref": f"#/$defs/{text}"}


def _collect(part: Any, used: dict[str, Any]) -> None:
    """Put every kind and shape that `part` points at into `used`."""
    if isinstance(part, dict):
        name = str(part.get("$ref", "")).removeprefix("#/$defs/")
        if name and name not in used:
            used[name] = KINDS[name] if name in KINDS else _object(SHAPES[name])
            _collect(used[name], used)
        for value in part.values():
            _collect(value, used)
    elif isinstance(part, list):
        for value in part:
            _collect(value, used)
