"""Every word an operator may read exists in Korean and English, and no page keeps words of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.risk.guards import GUARDS
from shared.domain.account import BrokerName, Environment, Market
from shared.domain.bot_state import BotState, KillLevel
from shared.domain.denials import DENIALS
from shared.domain.order import OrderType, Side
from shared.domain.order_state import OrderStatus
from shared.domain.signal import Verdict
from shared.models import Role
from shared.store.commands import CommandKind, CommandStatus
from shared.wording import alerts
from shared.wording.denials import GATES, NOW
from shared.wording.refusals import REFUSALS
from shared.words import LANGS, WORDS, alert_text, reason_text, say

ROOT = Path(__file__).resolve().parents[2]
HANGUL = re.compile("[가-힣]")
SAYERS = {"t", "say", "attempt", "in_dialog"}
ENUMS = {
    "env.": Environment,
    "env_long.": Environment,
    "broker.": BrokerName,
    "market.": Market,
    "role.": Role,
    "status.": BotState,
    "side.": Side,
    "type.": OrderType,
    "order.": OrderStatus,
    "decision.": Verdict,
    "command.": [*CommandKind, *CommandStatus],
    "kill.": [level.name for level in KillLevel],
}


def console_files() -> list[Path]:
    skipped = (ROOT / "console" / "cli", ROOT / "console" / "telegram")
    return [
        path
        for path in sorted((ROOT / "console").rglob("*.py"))
        if not path.is_relative_to(skipped[0]) and not path.is_relative_to(skipped[1])
    ]


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """String literals that are not docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def keys_said(path: Path) -> set[str]:
    """First arguments of t("…") and say("…")."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"t", "say"} and node.args
        for _ in (0,)
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


@pytest.mark.parametrize("path", console_files(), ids=lambda path: path.name)
def test_pages_keep_no_korean_of_their_own(path: Path) -> None:
    own_name = {"한국어"}  # a language is named in itself
    assert not [(line, text) for line, text in literals(path) if HANGUL.search(text) and text not in own_name]


@pytest.mark.parametrize("path", console_files(), ids=lambda path: path.name)
def test_every_key_said_has_words(path: Path) -> None:
    assert not {key for key in keys_said(path) if key not in WORDS}


def test_every_refusal_raised_has_words() -> None:
    raised = set()
    for path in console_files():
        raised |= set(re.findall(r'refuse\(\s*\w+,\s*"(\w+)"', path.read_text(encoding="utf-8")))
    assert raised and raised <= set(REFUSALS)


@pytest.mark.parametrize("prefix", ENUMS)
def test_every_state_of_the_desk_has_words(prefix: str) -> None:
    assert not [f"{prefix}{one}" for one in ENUMS[prefix] if f"{prefix}{one}" not in WORDS]


def test_both_languages_are_there_and_english_holds_no_korean() -> None:
    everything = {**WORDS, **alerts.TEXTS, **alerts.ADVICE}
    assert all(korean and english for korean, english in everything.values())
    mixed = [
        key for key, (_, english) in everything.items() if HANGUL.search(english) and key != "signin.other_language"
    ]
    assert not mixed


def test_both_languages_take_the_same_values() -> None:
    field = re.compile(r"{(\w+)}")
    for key, (korean, english) in {**WORDS, **alerts.TEXTS}.items():
        assert set(field.findall(korean)) == set(field.findall(english)), key


def test_every_alert_a_program_raises_has_words() -> None:
    raised = set()
    for path in [*(ROOT / "bots").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        raised |= set(re.findall(r'(?:alert|_alert|_tell)\(\s*(?:account_id,\s*)?"([A-Z_]+)"', text))
        raised |= set(re.findall(r'kind="([A-Z_]+)"', text))
    assert raised and raised <= set(alerts.TEXTS), raised - set(alerts.TEXTS)


def test_a_missing_value_is_a_dash_and_an_unknown_kind_is_shown() -> None:
    assert "—" in alert_text("FILL", "ko", {"symbol": "AAPL"})
    assert alert_text("NEW_KIND", "ko", {"a": 1}) == "NEW_KIND a=1"
    assert "매수" in alert_text("FILL", "ko", {"side": "BUY"})
    assert say("no.such.key", "en") == "no.such.key"
    assert reason_text("made_up", "ko", "그냥") == "그냥" and reason_text("cash", "en") == "not enough cash"
    assert LANGS[0] == "ko"


def test_every_refusal_says_what_to_do_about_it_and_every_guard_has_a_name() -> None:
    assert NOW.keys() == DENIALS
    assert [guard.__name__ for guard in GUARDS] == list(GATES)
