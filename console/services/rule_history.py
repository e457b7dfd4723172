"""Two versions of a rule side by side: what changed in the text, and what that means."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from shared.domain.rule.changes import Change, Effect, changes, only_lowers_risk
from shared.domain.rule.parse import parse_rule
from shared.domain.rule.problem import RuleInvalid
from shared.words import WORDS, say

CONTEXT = 1  # unchanged lines around a change


@dataclass(frozen=True, slots=True)
class Compared:
    """`meaning` is None when one of the texts cannot be read any more; `lowers_risk`: meant for open positions too."""

    text: str  # a unified diff; "" when the texts are the same
    meaning: tuple[Change, ...] | None
    lowers_risk: bool


def compare(older: str, newer: str) -> Compared:
    """Compare two rule texts."""
    lines = difflib.unified_diff(older.splitlines(), newer.splitlines(), lineterm="", n=CONTEXT)
    text = "\n".join(line for line in lines if not line.startswith(("---", "+++")))
    try:
        was, now = parse_rule(older), parse_rule(newer)
    except RuleInvalid:
        return Compared(text, None, False)
    return Compared(text, changes(was, now), only_lowers_risk(was, now))


def place_words(path: str, lang: str) -> str:
    """The place of a change in the operator's words, where it has some; else the path as the rule writes it."""
    known = f"place.{path}"
    return say(known, lang) if known in WORDS else path


def effect_tone(effect: Effect) -> str:
    """How loudly the screen says it."""
    return {Effect.LESS: "fine", Effect.MORE: "watch", Effect.OPEN: "watch", Effect.NONE: "off"}[effect]
