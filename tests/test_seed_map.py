"""docs/seed-map.md tells the truth: every reference exists, every line of the plan is there, nothing is invented."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.references import ROOT, exists, is_reference

MAP = ROOT / "docs" / "seed-map.md"
SEEDS = ROOT.parent / "shared" / "seeds"
TODAY = ("here", "part", "replaced", "not yet")
ABSENT = "absent:"
DRAWN = (
    "시스템 아키텍처",
    "우선순위 및 의존성",
)  # sections of the seeds that are pictures: their words are mapped, not lines
SEPARATORS = re.compile(r"[-⸻`\s|]*|```.*")
DECORATION = re.compile(r"^[\s│├└─]*(?:#+ )?(?:[-•]\s*(?:\[ \] )?|\d+\.\s+)?")
LINK = re.compile(r"\[([^\]]+)\]\((http[^)]*)\)")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the map."""

    number: int
    seed: str
    today: str
    references: tuple[str, ...]
    note: str


def cells(line: str) -> list[str]:
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def rows() -> list[Row]:
    found = []
    for number, line in enumerate(MAP.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("|") or line.startswith(("|---", "| seed line")):
            continue
        seed, today, where, note = cells(line)
        found.append(Row(number, seed, today, tuple(re.findall(r"`([^`]+)`", where)), note))
    return found


ROWS = rows()


def named(row: Row) -> str:
    return f"seed-map.md:{row.number} {row.seed}"


def plain(text: str) -> str:
    """A line of a seed or of the map without bullets, boxes, emphasis and spacing."""
    text = DECORATION.sub("", LINK.sub(r"\1\2", text)).strip().strip("|")
    return " ".join(re.sub(r"[*`]", "", text).split()).casefold()


def test_every_reference_is_written_in_the_grammar() -> None:
    wrong = [
        f"{named(row)}: {reference}"
        for row in ROWS
        for reference in row.references
        if not is_reference(reference.removeprefix(ABSENT))
    ]
    assert not wrong


def test_every_reference_exists() -> None:
    wrong = [
        f"{named(row)}: {one}"
        for row in ROWS
        for one in row.references
        if not one.startswith(ABSENT) and not exists(one)
    ]
    assert not wrong


def test_what_is_called_absent_is_absent() -> None:
    """When this fails, something was built: say in its row where it is now."""
    built = [
        f"{named(row)}: {one}"
        for row in ROWS
        for one in row.references
        if one.startswith(ABSENT) and exists(one.removeprefix(ABSENT))
    ]
    assert not built


def test_every_row_says_how_it_stands() -> None:
    wrong = [named(row) for row in ROWS if row.today not in TODAY]
    wrong += [named(row) for row in ROWS if row.today in ("here", "part") and not _present(row)]
    wrong += [named(row) for row in ROWS if row.today == "part" and "not yet" not in row.note]
    wrong += [named(row) for row in ROWS if row.today == "not yet" and _present(row)]
    assert not wrong


def _present(row: Row) -> list[str]:
    return [one for one in row.references if not one.startswith(ABSENT)]


@pytest.mark.parametrize(
    "reference", ["bots/desk.py:Desk.sell", "table:orders.odno", "cli:order steal", "file:nowhere"]
)
def test_a_reference_to_nothing_is_found_out(reference: str) -> None:
    assert is_reference(reference)
    assert not exists(reference)


def seed_lines(seed: Path) -> list[str]:
    """What a seed says, line by line, pictures and separators left out."""
    section, said = "", []
    for line in seed.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ").strip()
        comment = line.startswith("# ") and said and not line.startswith("# LS")
        if comment or line.startswith("**Labels**") or SEPARATORS.fullmatch(line):
            continue
        if section not in DRAWN or line.startswith("## "):
            said.append(plain(line))
    return said


def covers(quote: str, line: str) -> bool:
    if quote.endswith("…"):
        return len(quote) > 4 and line.startswith(quote.removesuffix("…").strip())
    return line == quote


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the plan's two documents are not beside this checkout")
def test_every_line_of_the_plan_is_in_the_map_as_often_as_it_was_said() -> None:
    headings = [plain(line) for line in MAP.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    left = [plain(row.seed) for row in ROWS] + headings
    missing = []
    for seed in sorted(SEEDS.glob("*.txt")):
        for line in seed_lines(seed):
            quote = next((quote for quote in left if covers(quote, line)), None)
            if quote is None:
                missing.append(f"{seed.name}: {line}")
            else:
                left.remove(quote)
    assert not missing


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the plan's two documents are not beside this checkout")
def test_the_map_quotes_nothing_the_plan_did_not_say() -> None:
    said = " ".join(
        plain(line) for seed in SEEDS.glob("*.txt") for line in seed.read_text(encoding="utf-8").splitlines()
    )
    invented = [named(row) for row in ROWS if plain(row.seed).removesuffix("…").strip() not in said]
    assert not invented
