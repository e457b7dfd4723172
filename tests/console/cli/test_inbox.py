"""`inbox`: a person's answers reach the bot as one exact command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.models import Command
from shared.store.commands import CommandKind, CommandStatus
from tests.console.cli.terminal import Terminal
from tests.console.cli.test_orders import answered

HOLDING = {"symbol": "AAPL", "rule_id": None}


@pytest.mark.parametrize(
    ("words", "payload"),
    [
        ([], HOLDING),
        (["--rule", "3"], HOLDING | {"rule_id": 3}),
        (["--share", "3=5", "--share", "4=2"], HOLDING | {"shares": {"3": 5, "4": 2}}),
        (["--rescale"], HOLDING | {"rescale": True}),
    ],
)
def test_a_difference_is_settled_in_one_of_four_ways(
    terminal: Terminal, words: list[str], payload: dict[str, Any]
) -> None:
    account_id, seen = terminal.add("A1"), list[Command]()

    def bot(command: Command) -> tuple[CommandStatus, Mapping[str, Any]]:
        seen.append(command)
        return CommandStatus.DONE, {"ours": 0, "theirs": 7}

    said = answered(terminal, account_id, ["inbox", "settle", "A1", "aapl", *words], bot)
    assert (said.code, said.json.get("theirs")) == (0, 7), said
    assert [(one.kind, one.payload) for one in seen] == [(CommandKind.ACCEPT_HOLDING, payload)]


@pytest.mark.parametrize("words", [["--rule", "3", "--rescale"], ["--share", "three=5"], ["--share", "3"]])
def test_an_answer_that_is_not_one_is_a_usage_error(terminal: Terminal, words: list[str]) -> None:
    terminal.add("A1")
    assert terminal.run("inbox", "settle", "A1", "AAPL", *words).code == 2


def test_a_stopped_symbol_is_lifted_and_the_list_is_read(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    kinds = list[str]()

    def bot(command: Command) -> tuple[CommandStatus, Mapping[str, Any]]:
        kinds.append(command.kind)
        return CommandStatus.DONE, {}

    assert answered(terminal, account_id, ["inbox", "lift", "A1", "aapl"], bot).code == 0
    assert kinds == [CommandKind.LIFT_SYMBOL]
    assert terminal.run("inbox", "list", "--json").code == 0
