"""What programs wrote, said in the reader's language when it is shown; what is kept stays as it was written.

A sentence is found by its template (shared/wording/told_*), or stands in both languages already ("없음 / none").
What is neither — a name that somebody typed, a broker's own words — is shown as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from shared.wording import told_bots, told_brokers, told_english, told_jobs

TEMPLATES: dict[str, str] = {**told_jobs.SENTENCES, **told_brokers.SENTENCES, **told_bots.SENTENCES}
ENGLISH: dict[str, str] = told_english.SENTENCES  # the other way: what a wire or a file says in English
HANGUL = re.compile("[가-힣]")
HOLE = re.compile(r"{(\w+)(:n)?}")
_NUMBER = r"[-+]?[\d,]*\.?\d+"
_DEEPEST = 6  # a sentence in a sentence; what others typed may be anything
_LONGEST = 4_000

_LOG = re.compile(r"(\d{4}-\d\d-\d\d [\d:,.]+ [A-Z]+ [\w.]+ )(.+)", re.S)  # the head of a line of a program's log
_KOREAN = r"[^가-힣]*[가-힣].*?"
_ENGLISH = r"[^가-힣]*[a-z][^가-힣]*?"
# "AAPL: 없음 / none [the broker's words]": what is named first, both halves, what the broker said.
_BOTH = (
    re.compile(rf"(?P<head>[^가-힣]*?: )?(?P<ko>{_KOREAN}) / (?P<en>{_ENGLISH})(?P<said> \[.*\])?", re.S),
    re.compile(
        rf"(?P<head>[^가-힣]*?: )?(?P<ko>{_KOREAN}) · (?P<en>[a-z][^가-힣]*|[^가-힣]*[a-z]+ [a-z][^가-힣]*)(?P<said>)",
        re.S,
    ),
    re.compile(rf"(?P<head>)(?P<ko>{_KOREAN}) \((?P<en>[^가-힣()]*[a-z]+,? [a-z][^가-힣()]*)\)(?P<said>)", re.S),
)
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
    for shape in _BOTH if korean else ():
        halves = shape.fullmatch(text)
        if halves is not None and " / " not in halves["ko"]:
            half = halves["ko"] if lang == "ko" else halves["en"]
            return f"{halves['head'] or ''}{half}{_said(halves['said'] or '', lang, depth + 1)}"
    for mark in _BREAKS:
        if mark in text:
            parts = text.split(mark)
            said = [_said(part.strip("]"), lang, depth + 1) + "]" * part.endswith("]") for part in parts]
            if said != parts:
                return mark.join(said)
    return text


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
