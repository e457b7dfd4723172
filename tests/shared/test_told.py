"""What programs write in Korean has English words, with its values, and nothing that somebody typed is changed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.money import Currency
from shared.told import ENGLISH, HANGUL, HOLE, TEMPLATES, told

ROOT = Path(__file__).resolve().parents[2]
LATIN = re.compile("[A-Za-z]{2}")
WRITERS = [
    path
    for folder in ("bots", "brokers", "shared")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "wording" not in path.parts and "paper" not in path.parts and path.name != "told.py"
]
PRINTF = re.compile(r"%(?:\.\d+)?[sdf]")
SKELETONS = {HOLE.sub("{}", korean) for korean in TEMPLATES}
# Fields of the wire that are compared or sent, never shown: the rest of a broker's room is translated.
WIRE = {
    ("brokers/kis/lookup.py", "상장지수증권"), ("brokers/kis/lookup.py", "상장지수"),
    ("brokers/ls/auth.py", "모의투자"), ("brokers/ls/auth.py", "실투자"), ("brokers/ls/tr.py", "모의투자"),
    ("brokers/ls/tr.py", "매도"), ("brokers/ls/tr.py", "매수"), ("brokers/ls/codec_us.py", "아멕스"),
}  # fmt: skip


def template(node: ast.JoinedStr) -> str:
    """The sentence with its holes: f"{symbol} 없음" is "{} 없음"."""
    return "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)


def written(node: ast.AST) -> str | None:
    """The words of a literal; None for anything else."""
    if isinstance(node, ast.JoinedStr):
        return template(node)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def literals(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every Korean literal of a program that is neither a docstring nor a part of another literal."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            inside |= {id(one) for one in node.values if isinstance(one, ast.Constant)}
    for node in ast.walk(tree):
        words = written(node)
        if words is not None and id(node) not in inside and HANGUL.search(words):
            yield node, words


def paired(tree: ast.AST) -> set[int]:
    """Korean literals beside their English: what follows in a call or tuple, or the other branch by language."""
    found = set()
    for node in ast.walk(tree):
        row: list[ast.expr] = []
        if isinstance(node, ast.Call):
            row = node.args
        elif isinstance(node, ast.Tuple):
            row = node.elts
        elif isinstance(node, ast.IfExp) and "lang" in ast.unparse(node.test):
            row = [node.body, node.orelse]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ko":
            found |= {id(one) for one in ast.walk(node.value)}  # the next line is en = …
        for one, following in pairwise(row):
            if english(following) or (isinstance(node, ast.Call) and ast.unparse(node.func) == "Words"):
                found |= {id(part) for part in ast.walk(one)}
    return found


def english(node: ast.expr) -> bool:
    """A literal in Latin letters, or a tuple of nothing else."""
    if isinstance(node, ast.Tuple):
        return bool(node.elts) and all(english(one) for one in node.elts)
    words = written(node)
    return words is not None and not HANGUL.search(words) and bool(LATIN.search(words))


def without_english(path: Path) -> list[str]:
    """Korean sentences of a file that an English reader would get in Korean."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    beside, where = paired(tree), str(path.relative_to(ROOT))
    loose = []
    for node, words in literals(tree):
        skeleton = PRINTF.sub("{}", words).strip(" ;")
        if id(node) in beside or (where, words) in WIRE or skeleton in SKELETONS:
            continue
        if HANGUL.search(told(words.replace("{}", "0"), "en")) and not both_by_line(words):
            loose.append(f"{where}:{node.lineno}: {words!r}")  # type: ignore[attr-defined]
    return loose


def both_by_line(words: str) -> bool:
    """A table of codes: a line in Korean, then one in English."""
    lines = [line for line in words.strip().splitlines() if line.startswith("  ")]
    return len(lines) > 1 and all(
        bool(HANGUL.search(korean)) and not HANGUL.search(english)
        for korean, english in zip(lines[::2], lines[1::2], strict=True)
    )


@pytest.mark.parametrize("folder", ["bots", "brokers", "shared"])
def test_every_korean_sentence_a_program_writes_has_english_words(folder: str) -> None:
    mine = [path for path in WRITERS if path.is_relative_to(ROOT / folder)]
    assert mine
    assert not [found for path in mine for found in without_english(path)]


def test_a_new_korean_sentence_without_english_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "writer.py"
    file.write_text('def said(symbol):\n    return f"{symbol}: 아무도 옮기지 않은 말"\n', encoding="utf-8")
    monkeypatch.setattr("tests.shared.test_told.ROOT", tmp_path)
    assert without_english(file) == ["writer.py:2: '{}: 아무도 옮기지 않은 말'"]


def test_both_sides_of_a_template_have_the_same_holes() -> None:
    for korean, english in TEMPLATES.items():
        assert {hole[0] for hole in HOLE.findall(korean)} == {hole[0] for hole in HOLE.findall(english)}, korean
        assert not HANGUL.search(english), korean


def test_both_sides_of_an_english_template_have_the_same_holes() -> None:
    for english, korean in ENGLISH.items():
        assert {hole[0] for hole in HOLE.findall(english)} == {hole[0] for hole in HOLE.findall(korean)}, english
        assert HANGUL.search(korean) and not HANGUL.search(english), english


WORD = st.text("ABCDXYZ", min_size=2, max_size=6)
NUMBER = (
    st.integers(0, 9_999_999).map(lambda number: f"{number:,}")
    | st.decimals(0, 99_999, places=2).map(str)  # amounts as they were written before they had a currency
    | st.builds(Currency.said, st.sampled_from(Currency), st.decimals(-99_999, 9_999_999, places=4))
)


@given(st.data(), st.sampled_from(sorted(TEMPLATES)))
def test_a_filled_sentence_is_said_in_english_with_its_values(data: st.DataObject, korean: str) -> None:
    values = {name: data.draw(NUMBER if shape else WORD) for name, shape in HOLE.findall(korean)}
    filled = HOLE.sub(lambda hole: values[hole[1]], korean)
    assert told(filled, "en") == HOLE.sub(lambda hole: values[hole[1]], TEMPLATES[korean])
    assert told(filled, "ko") == filled or " (" in korean


@given(st.data(), st.sampled_from(sorted(ENGLISH)))
def test_what_a_wire_says_in_english_is_said_in_korean_with_its_values(data: st.DataObject, english: str) -> None:
    values = {name: data.draw(NUMBER if shape else WORD) for name, shape in HOLE.findall(english)}
    filled = HOLE.sub(lambda hole: values[hole[1]], english)
    assert told(filled, "ko") == HOLE.sub(lambda hole: values[hole[1]], ENGLISH[english])
    assert told(filled, "en") == filled


def test_an_english_sentence_that_no_program_writes_any_more_is_found() -> None:
    skeletons = {
        PRINTF.sub("{}", words)
        for path in [*WRITERS, *sorted((ROOT / "console").rglob("*.py"))]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (words := written(node)) is not None
    }
    from_sqlite = {"database or disk is full", "disk I/O error"}
    assert not {HOLE.sub("{}", english) for english in ENGLISH} - skeletons - from_sqlite


@given(st.text(max_size=200))
def test_any_text_can_be_shown(text: str) -> None:
    for lang in ("ko", "en"):
        assert isinstance(told(text, lang), str)


@pytest.mark.parametrize("name", ["삼성전자", "국내 단타", "미국 이동평균", "SK하이닉스 우", "<b>가</b>", "첫 실전"])
def test_names_and_what_people_typed_stay_as_they_are(name: str) -> None:
    assert told(name, "en") == told(name, "ko") == name


SAID = {
    "시세 12초 전 (한도 10초)": "market data 12 s ago (limit 10 s)",
    "증권사 조회 실패: LS 01407: 종목번호 오류: 모르는 종목 / Bad symbol: not known [종목번호를 확인하세요.]": (
        "the broker could not be asked: LS 01407: Bad symbol: not known [Check the symbol.]"
    ),
    "execution_logs 1,204행, alerts 3행; 남은 것은 다음 차례에": (
        "execution_logs 1,204 rows, alerts 3 rows; the rest the next time"
    ),
    "장 시작: 보유 3종목, 미체결 2건": "the session begins: 3 symbols held, 2 open orders",
    "2026-11-20 23:31:04,881 ERROR bots 봇이 끝났습니다 / the bot ended": (
        "2026-11-20 23:31:04,881 ERROR bots the bot ended"
    ),
    "LS [모르는 말]": "LS [모르는 말]",
}


@pytest.mark.parametrize("korean", SAID)
def test_sentences_in_sentences_are_said_too(korean: str) -> None:
    assert told(korean, "en") == SAID[korean]


def test_a_sentence_in_both_languages_shows_the_readers_half() -> None:
    both = "봉이 없습니다 · there are no bars"
    assert told(both, "ko") == "봉이 없습니다" and told(both, "en") == "there are no bars"
    refused = "LS 01407: 종목번호 오류 / Bad symbol [종목번호를 확인하세요.]"
    assert told(refused, "ko") == "LS 01407: 종목번호 오류 [종목번호를 확인하세요.]"


@pytest.mark.parametrize("mark", [" / ", " · ", " (", ": ", " [", "; "])
def test_a_text_full_of_marks_is_no_sentence_in_both_languages(mark: str) -> None:
    """A name may hold a thousand marks: it stays as it is, and no pattern tries them all."""
    text = f"가{mark}a" * 150
    assert told(text, "en") == text


# Every error of ours that a person meets: files whose English stands in told_english and told_setup.
REFUSING = [
    *WRITERS, *sorted((ROOT / "console" / "cloud").rglob("*.py")),
    ROOT / "console/asgi.py", ROOT / "console/wiring.py", ROOT / "console/telegram/__main__.py",
]  # fmt: skip
OF_PYTHON = {
    "ValueError",
    "TypeError",
    "KeyError",
    "AttributeError",
    "AssertionError",
    "RuntimeError",
    "ConnectionError",
}
COMMANDS = ("letstrade ", "pip install ", "schedule list")  # typed as they stand, in any language


def refusals() -> Iterator[tuple[str, str]]:
    """What an error says in English: file and line, the sentence with its holes filled."""
    for path in REFUSING:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            name = node.func.id
            if name in OF_PYTHON or not (
                name.endswith("Error") or name in {"Conflict", "NotFound", "Forbidden", "AwsAway"}
            ):
                continue
            for argument in node.args[:3]:
                words = written(argument)
                if words and re.search("[a-z]{2,} [a-z]", words) and not HANGUL.search(words):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", words.replace("{}", "12")


@pytest.mark.parametrize(("where", "words"), sorted(set(refusals())))
def test_what_an_error_says_in_english_has_korean_words(where: str, words: str) -> None:
    assert words.startswith(COMMANDS) or HANGUL.search(told(words, "ko")), f"{where}: {words!r}"
