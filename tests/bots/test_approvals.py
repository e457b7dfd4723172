"""A semi-automatic rule asks first: what a yes, a no, silence and a kill -9 make of its entry."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bots.config import RuleConfig
from shared.domain.errors import NotFound
from shared.domain.order import Side
from shared.domain.rule.model import Approval, Execution
from tests.bots.test_trader import LIMITS, TODAY, Floor, floor, rows

__all__ = ["floor"]


def asking(floor: Floor, **changes: Any) -> RuleConfig:
    config = floor.config(**changes)
    return replace(config, rule=replace(config.rule, execution=Execution(approval=Approval.REQUIRED, approval_sec=60)))


async def proposals(floor: Floor) -> list[dict[str, Any]]:
    return await rows(floor.room, "proposals")


async def test_nothing_is_sent_before_a_yes_and_one_question_is_asked_however_many_prices_follow(floor: Floor) -> None:
    floor.configure(asking(floor))
    for price in ("101", "102", "103"):
        await floor.tick(price)
    asked = await proposals(floor)
    assert floor.room.broker.sent == [] and not floor.room.orders.all()
    assert [(row["status"], row["qty"], row["price"]) for row in asked] == [("WAITING", 5, "101")]
    told = [row["reason"] for row in await rows(floor.room, "decisions")]
    assert told[0] == "waits_for_approval"
    assert [row["kind"] for row in await rows(floor.room, "alerts")] == ["APPROVAL_WAITING"]


async def test_a_yes_sends_what_was_shown_once(floor: Floor) -> None:
    floor.configure(asking(floor))
    await floor.tick("101")
    key = (await proposals(floor))[0]["proposal_key"]
    await floor.tick("101.5")
    assert await floor.trader.approvals.approve(key, "user:2") is None
    order = floor.room.orders.all()[0]
    assert (order.quantity, order.price, order.request.signal_key) == (5, Decimal("101"), key)
    with pytest.raises(NotFound):
        await floor.trader.approvals.approve(key, "user:3")
    assert floor.room.broker.sent == ["place"]
    last = (await proposals(floor))[-1]
    assert (last["status"], last["decided_by"]) == ("SENT", "user:2")
    assert (await rows(floor.room, "alerts"))[-1]["over"] is True


async def test_every_guard_is_asked_again_at_the_yes(floor: Floor) -> None:
    floor.configure(asking(floor))
    await floor.tick("101")
    key = (await proposals(floor))[0]["proposal_key"]
    floor.trader.clearance.limits = replace(LIMITS, max_order_amount=Decimal(100))
    denied = await floor.trader.approvals.approve(key, "user:2")
    assert denied is not None and denied.code == "max_order_amount" and floor.room.broker.sent == []
    last = (await proposals(floor))[-1]
    assert last["status"] == "DENIED" and last["outcome"]


async def test_a_no_sends_nothing_and_silence_neither(floor: Floor) -> None:
    floor.configure(asking(floor))
    await floor.tick("101")
    floor.room.clock.pass_s(2)
    await floor.trader.approvals.decline((await proposals(floor))[0]["proposal_key"], "user:2")
    await floor.settle()
    await floor.tick("102")  # the same bar: it was answered
    assert (await proposals(floor))[-1]["status"] == "DECLINED"
    floor.room.clock.pass_s(60)
    for price in ("103", "104"):
        await floor.tick(price)
    second = (await proposals(floor))[-1]
    assert second["status"] == "WAITING"
    floor.room.clock.pass_s(58)
    await floor.trader.approvals.drop_late()
    assert (await proposals(floor))[-1]["status"] == "WAITING"
    floor.room.clock.pass_s(2)
    with pytest.raises(NotFound):
        await floor.trader.approvals.approve(second["proposal_key"], "user:2")
    await floor.trader.approvals.drop_late()
    await floor.settle()
    assert [row["status"] for row in await proposals(floor)] == ["WAITING", "DECLINED", "WAITING", "EXPIRED"]
    told = [row["reason"] for row in await rows(floor.room, "decisions")]
    assert "approval_declined" in told and told[-1] == "approval_expired"
    assert floor.room.broker.sent == []


async def test_exits_never_wait_for_a_person(floor: Floor) -> None:
    floor.configure(asking(floor))
    await floor.tick("101")
    await floor.trader.approvals.approve((await proposals(floor))[0]["proposal_key"], "user:2")
    await floor.fill_all()
    await floor.tick("95.9")
    assert floor.room.orders.all()[-1].side is Side.SELL
    assert len([row for row in await proposals(floor) if row["status"] == "WAITING"]) == 1


async def test_what_waits_survives_the_process_and_what_was_sent_meanwhile_is_not_asked_again(floor: Floor) -> None:
    floor.configure(asking(floor))
    await floor.tick("101")
    key = (await proposals(floor))[0]["proposal_key"]
    facts = (await floor.room.journal.load(TODAY)).facts
    floor.trader.approvals._waiting.clear()  # the process ends here
    await floor.trader.approvals.recall(facts, set())
    assert await floor.trader.approvals.approve(key, "user:2") is None
    floor.trader.approvals._waiting.clear()  # killed between the order and its note
    await floor.trader.approvals.recall(facts, {one.request.signal_key for one in floor.room.orders.all()})
    with pytest.raises(NotFound):
        await floor.trader.approvals.approve(key, "user:2")
    assert floor.room.broker.sent == ["place"] and (await proposals(floor))[-1]["status"] == "SENT"


async def test_a_version_that_changed_meanwhile_is_not_sent(floor: Floor) -> None:
    floor.configure(asking(floor))
    await floor.tick("101")
    key = (await proposals(floor))[0]["proposal_key"]
    floor.configure(asking(floor, version=2))
    denied = await floor.trader.approvals.approve(key, "user:2")
    assert denied is not None and denied.code == "version" and floor.room.broker.sent == []
