"""Manual orders are commands to the bot: once each, answered, and silence is never taken for a no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from shared.db import reading, writing
from shared.domain.account import Environment
from shared.models import BrokerageAccount, Command, OrderRow
from shared.store import commands
from shared.store.commands import CommandStatus
from tests.console.cli.terminal import Said, Terminal


def answered(
    terminal: Terminal,
    account_id: int,
    words: list[str],
    bot: Callable[[Command], tuple[CommandStatus, Mapping[str, Any]]],
) -> Said:
    """Run a command while something takes it from the queue as the account's bot would."""
    clock = terminal.wiring().clock
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(terminal.run, *words, "--json")
        while not running.done():
            with writing(terminal.engine) as session:
                command = commands.claim_next(session, clock.wall_now(), account_id)
                if command is not None and command.id is not None:
                    status, result = bot(command)
                    commands.finish(session, clock.wall_now(), command.id, status, result)
        return running.result()


def test_a_buy_reaches_the_bot_as_one_exact_command(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    seen: list[dict[str, Any]] = []

    def bot(command: Command) -> tuple[CommandStatus, Mapping[str, Any]]:
        seen.append(command.payload)
        return CommandStatus.DONE, {"broker_order_id": "0000000042"}

    words = ["order", "buy", "A1", "aapl", "3", "--price", "211.50", "--key", "k1", "--reason", "test"]
    said = answered(terminal, account_id, words, bot)
    assert said.code == 0
    assert said.json["broker_order_id"] == "0000000042"
    assert seen == [
        {
            "client_order_id": "op-k1",
            "symbol": "AAPL",
            "side": "BUY",
            "quantity": 3,
            "price": "211.50",
            "order_type": "LIMIT",
            "time_in_force": "DAY",
            "venue": None,
            "reduces": False,
            "reason": "test",
            "session": "REGULAR",
        }
    ]
    again = terminal.run(*words, "--json")  # the same key asks for nothing new
    assert again.json["command"] == said.json["command"]
    with reading(terminal.engine) as session:
        assert len(session.exec(select(Command)).all()) == 1


@pytest.mark.parametrize(("word", "session"), [("day", "DAY_MARKET"), ("reserved", "RESERVED")])
def test_an_order_names_its_session(terminal: Terminal, word: str, session: str) -> None:
    account_id = terminal.add("A1")
    seen: list[Any] = []

    def bot(command: Command) -> tuple[CommandStatus, Mapping[str, Any]]:
        seen.append(command.payload["session"])
        return CommandStatus.DONE, {}

    said = answered(terminal, account_id, ["order", "buy", "A1", "AAPL", "1", "--price", "9", "--session", word], bot)
    assert said.code == 0 and seen == [session]


def test_what_the_bot_refused_is_exit_1_and_what_it_does_not_know_is_exit_3(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    sell = ["order", "sell", "A1", "AAPL", "3", "--type", "MARKET"]
    error = {"code": "order_amount", "what": "주문을 내지 않았습니다", "why": "한도 초과", "now": "한도를 확인하십시오"}
    no = answered(terminal, account_id, sell, lambda _: (CommandStatus.FAILED, {"error": error}))
    assert (no.code, no.json) == (1, {"error": error})
    lost = answered(
        terminal, account_id, sell, lambda _: (CommandStatus.UNKNOWN, {"status": "UNKNOWN", "note": "ReadTimeout"})
    )
    assert (lost.code, lost.json["error"]["code"]) == (3, "outcome_unknown")
    assert "ReadTimeout" in lost.json["error"]["why"]


def test_an_order_that_no_bot_takes_is_taken_back_so_that_it_can_never_go_out_later(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    said = terminal.run("order", "buy", "A1", "AAPL", "3", "--price", "211.50", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "expired")
    with writing(terminal.engine) as session:
        assert commands.claim_next(session, terminal.wiring().clock.wall_now(), account_id) is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["AAPL", "3", "--price", "0"], "bad_order"),
        (["005930!", "3", "--price", "1"], "bad_order"),
        (["AAPL", "3", "--price", "1", "--venue", "NXT"], "bad_order"),
        (["AAPL", "3", "--price", "1", "--type", "MARKET"], "bad_order"),
    ],
)
def test_what_cannot_be_an_order_is_refused_before_anything_is_asked(
    terminal: Terminal, words: list[str], code: str
) -> None:
    terminal.add("A1")
    said = terminal.run("order", "buy", "A1", *words, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, code)
    with reading(terminal.engine) as session:
        assert session.exec(select(Command)).all() == []


def test_a_live_order_asks_for_the_accounts_name(terminal: Terminal) -> None:
    terminal.add("본계좌", Environment.LIVE)
    said = terminal.run("order", "buy", "본계좌", "AAPL", "1", "--price", "1", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "confirm_live")


def test_orders_are_listed_amended_and_cancelled_by_their_id(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    order_id = _resting(terminal, account_id)
    listed = terminal.json("order", "list", "--account", "A1", "--open")["items"]
    assert [(one["id"], one["status"], one["price"]) for one in listed] == [(order_id, "PARTIAL", "208.1")]
    seen: list[tuple[str, dict[str, Any]]] = []

    def bot(command: Command) -> tuple[CommandStatus, Mapping[str, Any]]:
        seen.append((command.kind, command.payload))
        return CommandStatus.DONE, {}

    amend = ["order", "amend", str(order_id), "--price", "209", "--quantity", "6"]
    assert answered(terminal, account_id, amend, bot).code == 0
    assert answered(terminal, account_id, ["order", "cancel", str(order_id)], bot).code == 0
    assert [kind for kind, _ in seen] == ["AMEND_ORDER", "CANCEL_ORDER"]
    assert (seen[0][1]["price"], seen[0][1]["quantity"], seen[0][1]["client_order_id"]) == ("209", 6, "c1")
    too_many = terminal.run("order", "amend", str(order_id), "--price", "209", "--quantity", "7", "--json")
    assert (too_many.code, too_many.json["error"]["code"]) == (1, "bad_order")
    assert "1주에서 6주까지" in str(too_many.json["error"])
    for_nothing = terminal.run("order", "amend", str(order_id), "--price", "0", "--json")
    assert "$0.00" in str(for_nothing.json["error"])
    unknown = terminal.run("order", "cancel", "99", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (1, "no_order")


def _resting(terminal: Terminal, account_id: int) -> int:
    """An order of 10 with 4 filled, as the bot's outbox writes it."""
    wiring = terminal.wiring()
    now = wiring.clock.wall_now() - timedelta(minutes=1)
    with writing(terminal.engine) as session:
        assert session.get(BrokerageAccount, account_id) is not None
        row = OrderRow(
            account_id=account_id,
            client_order_id="c1",
            broker_order_id="0000000007",
            symbol="AAPL",
            side="BUY",
            qty=10,
            filled_qty=4,
            price=Decimal("208.10"),
            currency="USD",
            status="PARTIAL",
            placed_at=now,
            updated_at=now,
        )
        session.add(row)
        session.flush()
        return row.id or 0
