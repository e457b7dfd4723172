"""`market check`: needs no desk; the answer is one document; a bad file is named."""

from pathlib import Path

from shared.calendars import OVERRIDES_NAME
from shared.config import ROOT
from tests.console.cli.terminal import Terminal

CASES = ROOT / "tests" / "domain" / "market_cases.csv"
HEADER = "market,instant_utc,query,expected\n"


def test_every_case_passes_on_a_machine_where_nothing_was_set_up(nowhere: Terminal) -> None:
    assert nowhere.json("market", "check", str(CASES)) == {"cases": 78, "wrong": []}
    assert not nowhere.home.exists()


def test_a_relative_path_starts_at_the_repo_root(nowhere: Terminal) -> None:
    assert nowhere.json("market", "check", "tests/domain/market_cases.csv")["cases"] == 78


def test_a_wrong_expectation_is_shown_and_fails(nowhere: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(HEADER + "KRX,2026-09-15T02:00:00Z,session,BREAK\n", encoding="utf-8")
    said = nowhere.run("market", "check", str(file), "--json")
    assert said.code == 1
    assert said.json == {"cases": 1, "wrong": [{"row": 2, "expected": "BREAK", "got": "CONTINUOUS"}]}
    told = nowhere.run("market", "check", str(file))
    assert told.code == 1
    assert "CONTINUOUS" in told.out


def test_a_malformed_row_is_an_error_that_names_its_line(nowhere: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text(HEADER + "KRX,soon,session,BREAK\n", encoding="utf-8")
    said = nowhere.run("market", "check", str(file), "--json")
    assert said.code == 1
    assert "line 2" in said.json["error"]["what"]
    assert said.json["error"].keys() == {"code", "what", "why", "now"}


def test_the_users_calendar_rows_count(nowhere: Terminal, tmp_path: Path) -> None:
    nowhere.home.mkdir()
    rows = "name,date,kind,value\nKRX,2026-09-15,closed,\n"
    (nowhere.home / OVERRIDES_NAME).write_text(rows, encoding="utf-8")
    file = tmp_path / "cases.csv"
    file.write_text(HEADER + "KRX,2026-09-15T02:00:00Z,trading_day,false\n", encoding="utf-8")
    assert nowhere.json("market", "check", str(file))["wrong"] == []
