"""`inbox`: a person's answers reach the bot as one exact command."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.db import writing
from shared.models import Command, OrderRow, Proposal
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


@pytest.mark.parametrize(
    ("verb", "status", "code"),
    [("approve", CommandStatus.DONE, 0), ("decline", CommandStatus.DONE, 0), ("approve", CommandStatus.FAILED, 1)],
)
def test_an_entry_is_answered_and_the_bots_word_is_the_exit_code(
    terminal: Terminal, verb: str, status: CommandStatus, code: int
) -> None:
    account_id, kinds = terminal.add("A1"), list[str]()
    with writing(terminal.engine) as session:
        now = terminal.wiring().clock.wall_now()
        row = Proposal(
            account_id=account_id, proposal_key="s1", rule_id=1, version_id=1, symbol="AAPL", side="BUY", qty=3,
            price=Decimal("211.50"), currency="USD", status="WAITING", asked_at=now,
            expires_at=now + timedelta(seconds=120), updated_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        number = row.id

    def bot(command: Command) -> tuple[CommandStatus, Mapping[str, Any]]:
        kinds.append(command.kind)
        refused = {"error": {"code": "cash", "what": "예수금 부족", "why": "", "now": ""}}
        return status, refused if status is CommandStatus.FAILED else {"sent": True}

    listed = terminal.json("inbox", "list")["items"]
    assert [(one["kind"], one["id"], one["price"]) for one in listed] == [("entry", number, "211.5")]
    assert answered(terminal, account_id, ["inbox", verb, str(number)], bot).code == code
    assert kinds == [verb.upper()]
    assert terminal.run("inbox", "approve", "999").code == 1
    assert terminal.run("inbox", "list").code == 0


def test_an_unproven_order_is_resolved_by_the_brokers_number(terminal: Terminal) -> None:
    account_id, seen = terminal.add("A1"), list[dict[str, Any]]()
    with writing(terminal.engine) as session:
        now = terminal.wiring().clock.wall_now()
        row = OrderRow(
            account_id=account_id, client_order_id="c1", symbol="AAPL", side="BUY", qty=1, status="UNKNOWN", currency="USD",
            placed_at=now, updated_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        number = row.id

    def bot(command: Command) -> tuple[CommandStatus, Mapping[str, Any]]:
        seen.append(command.payload)
        order = {"client_order_id": "c1", "broker_order_id": "0030000045", "status": "FILLED", "symbol": "AAPL",
                 "side": "BUY", "quantity": 1, "price": "211.5", "filled_quantity": 1, "note": "사람이 판단"}  # fmt: skip
        return CommandStatus.DONE, order

    assert terminal.run("inbox", "resolve", str(number)).code == 2  # neither a number nor --absent
    said = answered(terminal, account_id, ["inbox", "resolve", str(number), "--number", "0030000045"], bot)
    assert (said.code, said.json["status"]) == (0, "FILLED"), said
    assert seen[0]["client_order_id"] == "c1"
