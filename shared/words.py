"""What people read, in Korean and English: one look-up over the tables of shared/wording."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.told import told
from shared.wording import (
    alerts,
    cloud,
    deeds,
    denials,
    desk,
    inbox,
    money,
    pages,
    people,
    reasons,
    refusals,
    report,
    research,
    risk,
    rule_form,
    schedule,
    screens,
    trail,
    watching,
)  # fmt: skip

LANGS = ("ko", "en")  # Korean first
_SIGNS = {"KRW": "₩", "USD": "$"}
UNKNOWN = "—"
_NAMES = {"symbol", "name", "nickname", "account", "rule", "by", "host"}  # of alerts: as somebody typed them

WORDS: dict[str, tuple[str, str]] = {
    **cloud.WORDS,
    **deeds.WORDS,
    **denials.WORDS,
    **desk.WORDS,
    **inbox.WORDS,
    **pages.WORDS,
    **screens.WORDS,
    **reasons.WORDS,
    **report.WORDS,
    **research.WORDS,
    **risk.WORDS,
    **rule_form.WORDS,
    **people.WORDS,
    **watching.WORDS,
    **schedule.WORDS,
    **trail.WORDS,
    **money.WORDS,
    **refusals.words(),
}


class _Gaps(dict[str, object]):
    """A value that was not given shows as a dash, never as a crash in front of an operator."""

    def __missing__(self, name: str) -> str:
        return UNKNOWN


def say(key: str, lang: str, **values: object) -> str:
    """The words of `key` in `lang`, values filled in. An unknown key is returned as it is, so that it can be seen."""
    both = WORDS.get(key)
    return key if both is None else both[_index(lang)].format_map(_Gaps(values))


def both(key: str, **values: object) -> str:
    """The words of `key` in both languages, Korean first: for a file that leaves the desk."""
    return " · ".join(dict.fromkeys(say(key, lang, **values) for lang in LANGS))


def reason_text(code: str, lang: str, text: str = "") -> str:
    """A decision's reason: the words of its code, else what its writer said, else the code."""
    both = WORDS.get(f"reason.{code}")
    return told(text or code, lang) if both is None else both[_index(lang)]


def refusal_advice(code: str, lang: str) -> str:
    """What to do about a refused decision, by its code; empty for what is none."""
    both = WORDS.get(f"now.{code}")
    return "" if both is None else both[_index(lang)]


def deed_text(action: str, lang: str) -> str:
    """What somebody did, by the action of the audit trail; one without words shows its name."""
    both = WORDS.get(f"deed.{action}")
    return action if both is None else both[_index(lang)]


def alert_text(kind: str, lang: str, params: Mapping[str, Any]) -> str:
    """One sentence about an alert; a kind without words shows its name and parameters."""
    both = alerts.TEXTS.get(kind)
    if both is None:
        listed = ", ".join(f"{name}={value}" for name, value in params.items())
        return f"{kind} {listed}".strip()
    shown = {name: _word(name, value, lang) for name, value in params.items()}
    sign = _SIGNS.get(str(params.get("currency")))
    if sign and params.get("price") is not None:
        shown["price"] = f"{sign}{Decimal(str(params['price'])):,f}"
    return both[_index(lang)].format_map(_Gaps(shown))


def alert_advice(kind: str, lang: str) -> str:
    """What to do now; empty when there is nothing to do."""
    both = alerts.ADVICE.get(kind)
    return "" if both is None else both[_index(lang)]


def _word(name: str, value: object, lang: str) -> object:
    """Parameters that are words of the desk, or sentences of its programs, are said in its language: BUY is 매수."""
    both = WORDS.get(f"{name}.{value}")
    if both is not None:
        return both[_index(lang)]
    return told(value, lang) if isinstance(value, str) and name not in _NAMES else value


def _index(lang: str) -> int:
    return LANGS.index(lang) if lang in LANGS else 0
