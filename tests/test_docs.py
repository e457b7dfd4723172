"""What README.md and docs/*.md name exists: files and functions of the walks, and every command a reader may copy."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.references import ROOT, SYMBOL, cli_verbs, exists, make_targets, programs

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "README.ko.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
ROOMS = ("shared/", "brokers/", "bots/", "console/", "tests/", "docs/")
CLI = "console.cli"


def quoted(path: Path) -> list[str]:
    """Everything in backticks outside fenced blocks."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"`([^`\n]+)`", text)


def commands(path: Path) -> list[str]:
    """Lines of fenced blocks, comments cut off."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    lines = [line.split(" #", 1)[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"make |(\.venv/bin/)?python -m ", line)]


def problem(command: str) -> str | None:
    """Why a reader who copies `command` would meet an error; None when it names what exists."""
    words = shlex.split(command)
    if words[0] == "make":
        unknown = [word for word in words[1:] if "=" not in word and word not in make_targets()]
        return f"no make target {unknown}" if unknown else None
    module, rest = (CLI, words[1:]) if words[0] == "letstrade" else (words[2], words[3:])
    if find_spec(module) is None:
        return f"no module {module}"
    if module != CLI:
        return None
    verbs = [word for word in rest[:2] if not word.startswith("-")]
    known = not verbs or " ".join(verbs) in cli_verbs() or (verbs[0] in cli_verbs() and not _is_noun(verbs[0]))
    return None if known else f"no verb {' '.join(verbs)}"


def _is_noun(word: str) -> bool:
    return any(verb.startswith(f"{word} ") for verb in cli_verbs())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_and_functions_exist(path: Path) -> None:
    names = [name for name in quoted(path) if name.startswith(ROOMS) and re.fullmatch(r"[\w./-]+(:[\w.]+)?", name)]
    missing = [name for name in names if not (exists(name) if SYMBOL.fullmatch(name) else (ROOT / name).exists())]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_to_copy_exist(path: Path) -> None:
    wrong = [f"{command}: {why}" for command in commands(path) if (why := problem(command))]
    assert not wrong


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_verbs_named_in_the_text_exist(path: Path) -> None:
    """`letstrade kill raise NO_NEW`: a runbook's advice is typed at night."""
    named = [text for text in quoted(path) if text.startswith("letstrade ") and "…" not in text]
    fenced = [
        line.split(" #")[0].strip()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("letstrade ")
    ]
    wrong = [f"{one}: {why}" for one in [*named, *fenced] if (why := problem(one))]
    assert not wrong


@pytest.mark.parametrize(
    "command",
    [
        "letstrade kill steal",
        "make gold",
        ".venv/bin/python -m console.cli order steal",
        "python -m bots.magic",
        "make run gold",
    ],
)
def test_a_command_that_does_not_exist_is_found_out(command: str) -> None:
    assert problem(command) is not None


def test_the_walks_name_each_step_by_file_and_function() -> None:
    """A walk is worth something when every step can be opened."""
    _, tick, order = re.split(r"^## One (?:tick|order)$", ARCHITECTURE.read_text(encoding="utf-8"), flags=re.M)
    for walk in (tick, order.split("\n## ")[0]):
        steps = re.findall(r"^\d\. .*?(?=^\d\. |^\S|\Z)", walk, re.M | re.S)
        assert len(steps) == 7
        assert all(re.search(SYMBOL.pattern, step) for step in steps)


def test_the_picture_names_every_program() -> None:
    named = set(quoted(ARCHITECTURE))
    assert programs() <= named
