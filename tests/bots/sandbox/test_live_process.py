"""A real bot on the real local exchange trades by Python code, and takes its child with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.order_state import OrderStatus
from tests.bots.stage import Stage, open_stage, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("bot-stage")]

BUYS_ONCE = """
# /// rule
# metadata: {name: buys once}
# strategy: {timeframe: 1m, evaluate: tick}
# risk: {stop_loss: {enabled: true, percent: 50}}
# sizing: {mode: shares, value: 1}
# execution: {order_type: limit, offset_ticks: 5}
# universe: ["AAPL"]
# ///
def on_tick(ctx):
    if ctx.position is None and ctx.sma(3) > 0:
        return Signal("BUY", quantity=2)
"""
SPINS = BUYS_ONCE.replace("if ctx.position", "while True: pass\n    if ctx.position").replace("buys once", "spins")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    found = open_stage(tmp_path)
    yield found
    found.close()


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def test_code_buys_on_the_exchange_beside_one_that_spins_and_dies_with_its_bot(stage: Stage) -> None:
    account = stage.add_account(1)
    stage.add_rule(account, SPINS)
    rule_id = stage.add_rule(account, BUYS_ONCE)
    bot = stage.start_bot(account)
    stage.wait_ready(bot)
    filled = wait_until(
        "the code's order is filled",
        lambda: [one for one in stage.orders(account) if one.status == OrderStatus.FILLED],
    )
    assert {(one.rule_id, one.side, one.qty) for one in filled} == {(rule_id, "BUY", 2)}
    assert stage.ledger(1, "FILL")
    wait_until("the one that spins is quarantined", lambda: "RULE_PARKED" in stage.alerts(account))
    children = children_of(bot.process.pid)
    assert len(children) == 1
    bot.kill()
    wait_until("the child went with its bot", lambda: not Path(f"/proc/{children[0]}").exists())
    assert len(stage.orders(account)) == 1
