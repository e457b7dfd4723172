"""A Python rule in the bot: it proposes, the guards decide; a bad one costs the account nothing but itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from bots.config import RuleConfig
from shared.domain.order import Side
from shared.domain.rule.parse import parse_rule
from tests.bots.conftest import Room  # noqa: F401
from tests.bots.test_trader import Floor, floor, rows  # noqa: F401  (a fixture)

SETTINGS = """# /// rule
# metadata: {name: python}
# strategy: {timeframe: 1m, evaluate: tick}
# risk: {stop_loss: {enabled: true, percent: 5}}
# sizing: {mode: shares, value: 5}
# ///
"""
BUYS = SETTINGS + "def on_tick(ctx):\n    return 'BUY' if ctx.price > 100 else None\n"
SPINS = SETTINGS + "def on_tick(ctx):\n    while True:\n        pass\n"
TELLS = (
    SETTINGS
    + """
class Strategy:
    def __init__(self):
        self.filled = 0

    def on_fill(self, ctx, fill):
        self.filled += fill.quantity

    def on_tick(self, ctx):
        if ctx.position is None:
            return "BUY"
        return "SELL" if self.filled == ctx.position.quantity == 5 else None
"""
)


def python(text: str, rule_id: int = 1, version: int = 1) -> RuleConfig:
    return RuleConfig(replace(parse_rule(text), rule_id=rule_id, version_id=version), ("AAPL",), 100, True)


class Stand:
    """The trading floor with background work that really runs in the background."""

    def __init__(self, on: Floor) -> None:
        self.on, self.running = on, set[asyncio.Task[None]]()
        on.trader.spawn = on.trader.python.spawn = self._spawn

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def until(self, check: Callable[[], bool]) -> None:
        async with asyncio.timeout(120):
            while not check():
                await asyncio.sleep(0.01)

    async def quiet(self) -> None:
        await self.until(lambda: not self.running)

    @property
    def orders(self) -> list[Any]:
        return list(self.on.room.orders.all())


@pytest.fixture
async def stand(floor: Floor) -> AsyncIterator[Stand]:  # noqa: F811
    found = Stand(floor)
    yield found
    floor.trader.python.keep([])
    await found.quiet()


async def test_a_proposal_becomes_an_order_with_the_rules_own_sizing(stand: Stand) -> None:
    stand.on.configure(python(BUYS))
    await stand.quiet()
    await stand.on.tick("101")
    await stand.until(lambda: bool(stand.orders))
    await stand.quiet()
    (order,) = stand.orders
    assert (order.side, order.quantity, order.request.reason, order.version_id) == (Side.BUY, 5, "entry", 1)
    assert (1, 1) not in stand.on.trader.parking.why


async def test_a_proposal_still_passes_every_guard(stand: Stand) -> None:
    stand.on.trader.clearance.limits = replace(stand.on.trader.clearance.limits, max_trades_per_day=0)
    stand.on.configure(python(BUYS))
    await stand.quiet()
    await stand.on.tick("101")
    await stand.quiet()
    assert not stand.orders
    assert (await rows(stand.on.room, "decisions"))[-1]["reason"] == "max_trades_per_day"


async def test_the_code_hears_of_its_fills_and_sells_what_it_holds(stand: Stand) -> None:
    stand.on.room.orders.on_change = stand.on.trader.on_order
    stand.on.configure(python(TELLS))
    await stand.quiet()
    await stand.on.tick("101")
    await stand.quiet()
    await stand.on.fill_all()
    await stand.quiet()
    await stand.on.tick("102")
    await stand.quiet()
    assert [order.side for order in stand.orders] == [Side.BUY, Side.SELL]


async def test_the_loop_trades_on_while_a_strategy_spins(stand: Stand) -> None:
    stand.on.configure(python(SPINS, 1), stand.on.config(2))
    await stand.quiet()
    await stand.on.tick("101")
    spinning = stand.on.trader.python._desks[1, 1]
    await stand.until(lambda: bool(stand.orders))
    assert spinning.working and spinning.strategy.running  # still inside its first question
    assert stand.orders[0].request.rule_id == 2


async def test_three_faults_quarantine_the_code_and_tell_it_while_its_stop_goes_on(stand: Stand) -> None:
    stand.on.configure(python(BUYS))
    await stand.quiet()
    await stand.on.tick("101")
    await stand.quiet()
    await stand.on.fill_all()
    stand.on.configure(python(SPINS, version=2), stand.on.config(2, symbols=("MSFT",)))
    for price in ("101", "102", "103"):
        await stand.quiet()
        await stand.on.tick(price)
    await stand.quiet()
    assert stand.on.trader.python.quarantine_of(python(SPINS, version=2).rule)
    alerts = [alert["kind"] for alert in await rows(stand.on.room, "alerts")]
    assert alerts.count("RULE_PARKED") == 1
    await stand.on.tick("104")
    await stand.quiet()
    assert (await rows(stand.on.room, "decisions"))[-1]["reason"] == "quarantined"
    await stand.on.tick("95")
    await stand.quiet()
    assert (stand.orders[-1].side, stand.orders[-1].request.reason) == (Side.SELL, "stop_loss")
    await stand.on.tick("101", "MSFT")
    await stand.quiet()
    assert stand.orders[-1].request.rule_id == 2


async def test_code_that_cannot_load_is_told_at_once_and_a_new_version_is_asked_again(stand: Stand) -> None:
    stand.on.configure(python(SETTINGS + "import os\ndef on_tick(ctx):\n    pass\n"))
    await stand.quiet()
    assert [alert["kind"] for alert in await rows(stand.on.room, "alerts")] == ["RULE_PARKED"]
    stand.on.configure(python(BUYS, version=2))
    await stand.quiet()
    await stand.on.tick("101")
    await stand.quiet()
    assert len(stand.orders) == 1


async def test_an_answer_counts_for_nothing_once_the_position_is_another(stand: Stand) -> None:
    slow = SETTINGS + "def on_tick(ctx):\n    for n in range(10_000_000):\n        pass\n    return 'BUY'\n"
    stand.on.configure(python(slow))
    await stand.quiet()
    desk = stand.on.trader.python._desks[1, 1]
    desk.strategy.deadline_s = 20.0
    await stand.on.tick("101")
    await stand.until(lambda: desk.working and not desk.wanted)  # it is being asked
    stand.on.configure(python(BUYS, version=2))
    await stand.quiet()
    assert not stand.orders
    assert not desk.strategy.running
