"""What the edge of the program promises: exit codes, one document, no traceback."""

import pytest

from tests.console.cli.terminal import Terminal


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["market", "check"],
        ["market", "check", "x.csv", "--nope"],
        ["account", "add", "A", "--broker", "KIWOOM", "--market", "US", "--env", "SIM"],
        ["account", "add", "A"],
        ["order", "buy", "A", "AAPL", "0", "--price", "1"],
        ["order", "buy", "A", "AAPL", "1", "--price", "NaN"],
        ["order", "buy", "A", "AAPL", "1"],
        ["kill", "raise", "PANIC"],
    ],
)
def test_a_command_that_cannot_be_read_is_usage_and_says_why(terminal: Terminal, words: list[str]) -> None:
    said = terminal.run(*words, "--json")
    assert said.code == 2
    assert said.json["error"]["code"] == "usage"
    assert said.json["error"]["what"]
    assert "Traceback" not in said.err


def test_help_lists_every_noun_and_a_bare_call_is_usage(nowhere: Terminal) -> None:
    said = nowhere.run("--help")
    assert said.code == 0
    for noun in ("account", "rule", "bot", "order", "kill", "market", "exchange", "doctor", "quote"):
        assert noun in said.out
    assert nowhere.run().code == 2


@pytest.mark.parametrize(
    "noun", ["account", "credential", "rule", "bot", "order", "fills", "kill", "alerts", "market", "exchange"]
)
def test_every_noun_loads_and_offers_its_verbs(nowhere: Terminal, noun: str) -> None:
    said = nowhere.run(noun, "--help")
    assert said.code == 0
    assert "Commands" in said.out


@pytest.mark.parametrize("words", [["account", "list"], ["bot", "status"], ["kill", "status"], ["alerts", "list"]])
def test_without_setup_the_person_is_told_to_run_it(nowhere: Terminal, words: list[str]) -> None:
    said = nowhere.run(*words, "--json")
    assert said.code == 1
    assert "setup" in said.json["error"]["now"]


def test_without_the_key_file_a_token_is_asked_for(terminal: Terminal) -> None:
    (terminal.home / "secrets" / "master.key").unlink()
    said = terminal.run("account", "list", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "forbidden"
    refused = terminal.run("account", "list", "--json", LETSTRADE_TOKEN="wrong")
    assert (refused.code, refused.json["error"]["code"]) == (1, "forbidden")


def test_an_exchange_that_is_away_is_named_with_its_port(nowhere: Terminal) -> None:
    said = nowhere.run("exchange", "ledger", "--port-offset", "5000", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "exchange_away"
    assert "23900" in said.json["error"]["why"]
