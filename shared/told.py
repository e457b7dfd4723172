"""What programs wrote, said in the reader's language when it is shown; what is kept stays as it was written.

A sentence is found by its template (shared/wording/told_*), or stands in both languages already ("없음 / none").
What is neither — a name that somebody typed, a broker's own words — is shown as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from shared.wording import told_bots, told_brokers, told_english, told_jobs, told_setup

TEMPLATES: dict[str, str] = {**told_jobs.SENTENCES, **told_brokers.SENTENCES, **told_bots.SENTENCES}
# the other way: what a wire, a file or a setting says in English
ENGLISH: dict[str, str] = {**told_setup.SENTENCES, **told_english.SENTENCES}
HANGUL = re.compile("[가-힣]")
HOLE = re.compile(r"{(\w+)(:n)?}")
_NUMBER = r"[-+]?[₩$]?[\d,]*\.?\d+"  # amounts written before they had a currency are read too
_DEEPEST = 6  # a sentence in a sentence; what others typed may be anything
_LONGEST = 1_000  # a longer one is a trace or a list; what others typed may be made to try every hole everywhere

_LOG = re.compile(r"(\d{4}-\d\d-\d\d [\d:,.]+ [A-Z]+ [\w.]+ )(.+)", re.S)  # the head of a line of a program's log
_WORDS = re.compile("[a-z]+,? [a-z]")
_BREAKS = ("\n", " — ", "; ", ": ", " · ", ", ", " / ", " [")


@dataclass(frozen=True, slots=True)
class _Template:
    anchor: str  # its longest fixed part: what does not hold it cannot be this sentence
    shape: re.Pattern[str]
    words: str


def told(text: str, lang: str) -> str:
    """Return `text` in the language of the reader; names and what has no words stay as they are."""
    if len(text) > _LONGEST or (lang != "ko" and not HANGUL.search(text)):
        return text
    return _said(text, lang, 0)


@lru_cache(maxsize=8_192)
def _said(text: str, lang: str, depth: int) -> str:
    korean = HANGUL.search(text) is not None
    if depth > _DEEPEST or (lang != "ko" and not korean):
        return text
    if korean != (lang == "ko") and (found := _by_template(text, lang, depth)) is not None:
        return found
    line = _LOG.fullmatch(text)
    if line is not None:
        return line[1] + _said(line[2], lang, depth + 1)
    halves = _halves(text) if korean else None
    if halves is not None:
        head, in_korean, in_english, added = halves
        return f"{head}{in_korean if lang == 'ko' else in_english}{_said(added, lang, depth + 1)}"
    for mark in _BREAKS:
        if mark in text:
            parts = text.split(mark)
            said = [_said(part.strip("]"), lang, depth + 1) + "]" * part.endswith("]") for part in parts]
            if said != parts:
                return mark.join(said)
    return text


def _halves(text: str) -> tuple[str, str, str, str] | None:
    """ "AAPL: 없음 / none [the broker's words]": what is named first, both halves, what the broker said.

    By hand, not by one pattern: what others typed may hold a thousand marks, and a pattern would try them all.
    """
    if text.count(" / ") == 1:
        korean, _, rest = text.partition(" / ")
        english, bracket, words = rest.partition(" [") if rest.endswith("]") else (rest, "", "")
        found = (korean, english, bracket + words)
        is_english = bool(re.search("[a-z]", english))
    elif text.count(" · ") == 1:
        korean, _, english = text.partition(" · ")
        found = (korean, english, "")
        is_english = bool(re.match("[a-z]", english) or re.search("[a-z] [a-z]", english))
    elif text.endswith(")") and text.count("(") == text.count(")") == 1:
        korean, _, english = text[:-1].partition(" (")
        return ("", korean, english, "") if _both(korean, english) and _WORDS.search(english) else None
    else:
        return None
    korean, english, added = found
    if not (is_english and _both(korean, english)):
        return None
    named, colon, rest = korean.partition(": ")
    if colon and not HANGUL.search(named):
        return named + colon, rest, english, added
    return "", korean, english, added


def _both(korean: str, english: str) -> bool:
    return HANGUL.search(korean) is not None and HANGUL.search(english) is None


def _by_template(text: str, lang: str, depth: int) -> str | None:
    plain = (ENGLISH if lang == "ko" else TEMPLATES).get(text)
    if plain is not None:
        return plain
    for one in _templates(lang):
        if one.anchor in text and (found := one.shape.fullmatch(text)) is not None:
            holes = {name: _said(value, lang, depth + 1) for name, value in found.groupdict().items()}
            return one.words.format_map(holes)
    return None


@lru_cache(maxsize=2)
def _templates(lang: str) -> tuple[_Template, ...]:
    """Those with holes, the most fixed letters first: the one that says most is the one that was meant."""
    made = []
    for written, words in (ENGLISH if lang == "ko" else TEMPLATES).items():
        fixed = HOLE.split(written)[::3]
        if len(fixed) > 1:
            anchor = max(fixed, key=len)
            made.append((len("".join(fixed)), _Template(anchor, _shape(written), HOLE.sub(r"{\1}", words))))
    return tuple(one for _, one in sorted(made, key=lambda pair: -pair[0]))


def _shape(written: str) -> re.Pattern[str]:
    parts, at = [], 0
    for hole in HOLE.finditer(written):
        parts += [re.escape(written[at : hole.start()]), f"(?P<{hole[1]}>{_NUMBER if hole[2] else '.+?'})"]
        at = hole.end()
    return re.compile("".join([*parts, re.escape(written[at:])]), re.S)
