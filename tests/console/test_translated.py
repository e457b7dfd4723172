"""Every sentence an operator reads stands in the word tables, in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from shared.wording.alerts import ADVICE, TEXTS
from shared.words import WORDS

CONSOLE = Path(__file__).resolve().parents[2] / "console"
HANGUL = re.compile("[가-힣]")
DRAWN = [path for folder in ("views", "components") for path in sorted((CONSOLE / folder).glob("[!_]*.py"))]
DRAWN.append(CONSOLE / "app.py")
LANGUAGE_NAMES = {"한국어"}


def _docstrings(tree: ast.AST) -> set[int]:
    """The ids of docstring nodes: comments for us, not words for operators."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_no_korean_is_written_into_a_page(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = _docstrings(tree)
    loose = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped
        if HANGUL.search(node.value) and node.value not in LANGUAGE_NAMES
    ]
    assert not loose


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_every_word_a_page_asks_for_exists(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asked = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t" and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    assert not sorted(asked - WORDS.keys())


def test_no_english_word_holds_korean_and_no_gap_differs_between_languages() -> None:
    gap = re.compile(r"(?<!{){(\w+)[^{}]*}")
    for key, (korean, english) in WORDS.items():
        if key != "signin.other_language":
            assert not HANGUL.search(english), key
        assert set(gap.findall(korean)) == set(gap.findall(english)), key


WIDGETS = {
    "button", "selectbox", "multiselect", "text_input", "text_area", "number_input", "checkbox", "toggle", "radio",
    "segmented_control", "pills", "slider", "download_button", "link_button", "popover", "expander", "title",
    "subheader", "header", "caption", "info", "warning", "error", "success", "toast", "tabs", "metric", "dialog",
}  # fmt: skip
LETTERS = re.compile("[A-Za-z]{2}")
NAMES = {"CSV", "Excel"}  # the same in every language


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.stem)
def test_no_widget_speaks_one_language_only(path: Path) -> None:
    """Neither a sentence of ours in English, nor Streamlit's own where it would put one: an empty choice."""
    loose = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WIDGETS):
            continue
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and LETTERS.search(first.value):
            if first.value in NAMES:
                continue
            loose.append(f"{node.lineno}: {first.value!r}")
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        index = named.get("index")
        empty = isinstance(index, ast.Constant) and index.value is None
        if (empty or node.func.attr == "multiselect") and "placeholder" not in named:
            loose.append(f"{node.lineno}: an empty {node.func.attr} without a placeholder")
    assert not loose


def test_every_alert_says_what_to_do_now() -> None:
    assert TEXTS.keys() - ADVICE.keys() == {"FILL", "READY", "SIGNAL"}  # good news, and what a rule wanted
