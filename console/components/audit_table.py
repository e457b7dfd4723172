"""The audit trail in words: who did what to which account, rule or person, and each field before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from console.components.figures import UNKNOWN, Html, join, moment, span
from console.components.frame import in_words, lang, t
from console.components.table import Column, table
from console.services.trail_names import TrailLine, reference
from shared.words import WORDS, deed_text

_MOST = 8  # fields of a row; the rest is counted
# Where a field's value is a word of the desk: role "Admin" is 관리자.
_VALUES = {
    "role": ("role",), "level": ("kill",), "side": ("side",), "status": ("approval", "command", "order", "run"),
    "kind": ("command",), "action": ("command",), "asked": ("deed",), "deed": ("deed",), "job": ("job",),
    "unfilled_at_close": ("at_close",), "environment": ("env",), "order_type": ("type",), "verdict": ("decision",),
    "factor_of": ("role",), "source": ("via",), "method": ("people.method",), "type": ("type",),
}  # fmt: skip


def audit_table(rows: Sequence[TrailLine]) -> None:
    columns = [
        Column(t("col.at")), Column(t("people.who")), Column(t("people.what")), Column(t("people.target"), wide=True),
        Column(t("people.change"), wide=True), Column(t("col.reason"), wide=True), Column(t("people.door")),
    ]  # fmt: skip
    body = [
        [
            moment(row.at),
            who(row.actor, row.names),
            span("", deed_text(row.action, lang()), row.action),
            what(row.target, row.names) or UNKNOWN,
            changes(row),
            in_words(row.reason),
            _word("via", row.source) or row.source,
        ]
        for row in rows
    ]
    table(columns, body, name="audit", empty=t("empty.audit"))


def who(actor: str, names: Mapping[str, str]) -> str:
    """A person by the address he signs in with, a program by what it is."""
    if actor in names:
        return names[actor]
    kind, _, name = actor.partition(":")
    if kind == "bot":
        name = names.get(f"account:{name}", f"#{name}")
    return t(f"trail.by.{kind}", name=name) if f"trail.by.{kind}" in WORDS else actor


def what(target: str, names: Mapping[str, str]) -> str:
    """What the row is about, by its kind and name; what a person typed (a sign-in's name) as he typed it."""
    kind, colon, name = target.partition(":")
    if target in {"desk", "all"}:
        return t("trail.desk") if target == "desk" else t("kill.scope.all")
    if not colon or f"trail.of.{kind}" not in WORDS:
        return target
    known = {"env": "env", "job": "job"}.get(kind)
    named = (_word(known, name) if known else names.get(target)) or (f"#{name}" if name.isdecimal() else name)
    if kind in {"order", "proposal"} and target in names:
        named = f"{named} #{name}"
    return t(f"trail.of.{kind}", name=named)


def changes(row: TrailLine) -> Html | str:
    """A line a field: what it was → what it is; what stayed is left out."""
    before, after = row.before or {}, row.after or {}
    lines = []
    for key in dict.fromkeys([*before, *after]):
        old, new = (_value(key, one[key], row.names) if key in one else None for one in (before, after))
        if old is not None and old == new:
            continue
        shown = " → ".join(one for one in (old, new) if one is not None)
        lines.append(join(Html("<div>"), span("lt-soft", field(key)), " ", shown, Html("</div>")))
    if not lines:
        return UNKNOWN
    more = [span("lt-sub", t("trail.more", n=len(lines) - _MOST))] if len(lines) > _MOST else []
    return join(*lines[:_MOST], *more)


def field(key: str) -> str:
    """The name of a field in words."""
    found = next((name for name in (f"trail.{key}", f"limit.{key}", f"field.{key}") if name in WORDS), None)
    return t(found) if found else key


def _value(key: str, value: object, names: Mapping[str, str]) -> str:
    if value is None or value == [] or value == "":
        return t("trail.none")
    if isinstance(value, bool):
        return t("trail.yes") if value else t("trail.no")
    if isinstance(value, list):
        return ", ".join(_value(key, one, names) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{field(str(name))} {_value(str(name), one, names)}" for name, one in value.items())
    if found := reference(key, value):
        return names.get(found, f"#{value}")
    if isinstance(value, int):
        return f"#{value}" if key in {"command", "look", "session", "version_id"} else f"{value:,}"
    return _text(key, str(value), names)


def _text(key: str, value: str, names: Mapping[str, str]) -> str:
    if key in {"asked_by", "by"}:
        return who(value, names)
    for prefix in _VALUES.get(key, ()):
        if word := _word(prefix, value):
            return word
    if key in {"armed_until", "at", "until", "since"} and "T" in value:
        try:
            return moment(datetime.fromisoformat(value))
        except ValueError:
            return value
    return in_words(value)


def _word(prefix: str, value: str) -> str:
    return t(f"{prefix}.{value}") if f"{prefix}.{value}" in WORDS else ""
