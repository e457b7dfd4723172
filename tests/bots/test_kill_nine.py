"""kill -9 at every named step of the order path, with a real bot against the real exchange: by the exchange's own
ledger no order is doubled and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from bots.failpoints import FAILPOINTS
from shared.domain.order_state import OrderStatus
from shared.store.commands import CommandKind
from tests.bots.stage import BUY_TR, CANCEL_TR, BotProcess, Stage, open_stage, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bot-stage")]

AMEND_TR = CANCEL_TR  # one TR for both
CANCELS = ("before_cancel_write", "during_cancel", "after_cancel_reply", "during_cancel_all")
AMENDS = ("before_amend_write", "during_amend", "after_amend_reply")
# How many orders the exchange must have in the end: what died before the wire never left.
SENT = dict.fromkeys(FAILPOINTS, 1) | {"before_intent": 0, "after_intent": 0, "after_sending": 0}

ARRIVES_AS = {"during_cancel": "CANCEL", "during_amend": "AMEND"}  # in the exchange's ledger


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = open_stage(tmp_path_factory.mktemp("kill"))
    yield opened
    opened.close()


def provoke(stage: Stage, name: str, number: int, account_id: int) -> None:
    """Make the armed bot come by its failpoint."""
    if name in CANCELS:
        resting = stage.buy(account_id, "rest", price="200.00")
        done = stage.outcome(resting)
        assert done.result is not None and done.result["status"] == OrderStatus.ACCEPTED, done.result
        stage.fault(number, CANCEL_TR, "hang", seconds=3, accept=True)
        if name == "during_cancel_all":
            stage.command(account_id, CommandKind.CANCEL_ALL, "all")
        else:
            stage.command(account_id, CommandKind.CANCEL_ORDER, "c", client_order_id=done.result["client_order_id"])
        return
    if name in AMENDS:
        resting = stage.buy(account_id, "rest", price="200.00")
        done = stage.outcome(resting)
        assert done.result is not None and done.result["status"] == OrderStatus.ACCEPTED, done.result
        if name == "during_amend":
            stage.fault(number, AMEND_TR, "hang", seconds=3, accept=True)
        order = done.result["client_order_id"]
        stage.command(account_id, CommandKind.AMEND_ORDER, "a", client_order_id=order, quantity=2, price="201.00")
        return
    if name in ("after_socket_write", "after_resolver_query"):
        stage.fault(number, BUY_TR, "hang", seconds=3, accept=True)
    if name == "after_resolver_query":
        stage.admin("DELETE", "/faults")
        stage.fault(number, BUY_TR, "drop_after_accept")
    stage.buy(account_id, "first")


@pytest.mark.parametrize("name", FAILPOINTS)
def test_a_kill_loses_and_doubles_nothing(stage: Stage, name: str) -> None:
    number = 100 + FAILPOINTS.index(name)
    account_id = stage.add_account(number, price_collar_pct=Decimal(20))
    armed = stage.start_bot(account_id, name)
    stage.wait_ready(armed)
    provoke(stage, name, number, account_id)
    armed.die(name, lambda: stage.ledger(number, ARRIVES_AS.get(name, "ORDER")))
    stage.admin("DELETE", "/faults")

    again = stage.start_bot(account_id)
    stage.wait_ready(again)
    sent = SENT[name]
    if name == "after_sending":  # nothing left, but only a minute of looking may say so: it is flagged meanwhile
        wait_until("the order is flagged", lambda: [o.status for o in stage.orders(account_id)] == ["UNKNOWN"])
        assert "ORDER_UNKNOWN" in stage.alerts(account_id)
    else:
        wait_until("every order is settled", lambda: stage.settled(account_id))
    expected_fills = 0 if name in (*CANCELS, *AMENDS) else sent
    wait_until("the fills have arrived", lambda: len(stage.fills(account_id)) >= expected_fills)

    placed = stage.ledger(number, "ORDER")
    assert len(placed) == sent
    if name in AMENDS:
        check_amended(stage, number, account_id, left=name != "before_amend_write")
        again = restarted(stage, again)
        check_ended(stage, number, account_id)
        assert again.terminate() == 0
        return
    assert_books_agree(stage, number, account_id, placed)
    if name in CANCELS:
        wait_until("the cancel is confirmed", lambda: stage.orders(account_id)[0].status == "CANCELED")
        assert len(stage.ledger(number, "CANCEL")) >= 1
    assert again.terminate() == 0


def check_amended(stage: Stage, number: int, account_id: int, *, left: bool) -> None:
    """What left is the order's new number, once; what did not leave changed nothing."""
    amended = stage.ledger(number, "AMEND")
    assert len(amended) == (1 if left else 0)
    newest = int((amended or stage.ledger(number, "ORDER"))[-1]["order_id"])
    price = Decimal("201.00") if left else Decimal("200.00")

    def known() -> bool:
        rows = [(int(one.broker_order_id or 0), one.price, one.status) for one in stage.orders(account_id)]
        return rows == [(newest, price, "ACCEPTED")]

    wait_until("the order goes by its newest number", known)


def restarted(stage: Stage, bot: BotProcess) -> BotProcess:
    """A clean end and another start: the chain of numbers is read from the journal."""
    assert bot.terminate() == 0
    again = stage.start_bot(bot.account_id)
    stage.wait_ready(again)
    return again


def check_ended(stage: Stage, number: int, account_id: int) -> None:
    """The chain still is the order: it fills by its newest number, every share once."""
    stage.admin("POST", "/tape", json={"symbol": "AAPL", "price": 190})
    wait_until("it filled", lambda: [one.status for one in stage.orders(account_id)] == ["FILLED"])
    stage.admin("POST", "/tape", json={"symbol": "AAPL", "price": 212})
    assert sum(int(event["quantity"]) for event in stage.ledger(number, "FILL")) == 2
    assert sum(fill.qty for fill in stage.fills(account_id)) == 2


def assert_books_agree(stage: Stage, number: int, account_id: int, placed: list[dict[str, Any]]) -> None:
    """Every broker order is ours once, with the shares that the exchange filled."""
    ours = [order.broker_order_id for order in stage.orders(account_id) if order.broker_order_id]
    assert sorted(int(one) for one in ours) == sorted(int(event["order_id"]) for event in placed)
    theirs = sum(int(event["quantity"]) for event in stage.ledger(number, "FILL"))
    assert sum(fill.qty for fill in stage.fills(account_id)) == theirs
