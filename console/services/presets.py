"""The rules that come along, as an editor offers them: their words, their bounded parameters, their picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.config import ROOT
from shared.domain.rule.model import Param, Rule
from shared.domain.rule.parse import parse_rule

# Read as files: the folder belongs to the bots, whose code the console does not import.
_TEXTS, _PICTURES = ROOT / "bots" / "rules" / "presets", ROOT / "docs" / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    text: str
    rule: Rule
    picture: Path | None

    def title(self, lang: str) -> str:
        told = self.rule.metadata
        return told.name if lang == "ko" else told.name_en or told.name

    def description(self, lang: str) -> str:
        told = self.rule.metadata
        return told.description if lang == "ko" else told.description_en or told.description


def label(param: Param, lang: str) -> str:
    """A parameter in words, with its bounds."""
    words = (param.description if lang == "ko" else param.description_en) or param.name
    return f"{words} ({param.min:g} ~ {param.max:g})" if param.min is not None and param.max is not None else words


@cache
def listed() -> tuple[Preset, ...]:
    """Every preset but those of the demo desk, by name."""
    files = sorted(one for one in _TEXTS.glob("*.yaml") if not one.name.startswith("demo_"))
    return tuple(_read(one) for one in files)


def _read(file: Path) -> Preset:
    text, picture = file.read_text(encoding="utf-8"), _PICTURES / f"{file.stem}.svg"
    return Preset(file.stem, text, parse_rule(text), picture if picture.exists() else None)
