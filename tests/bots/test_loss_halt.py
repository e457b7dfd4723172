"""A day that reached its loss limit is told once, loudly, by every process of that day together; the alert ends with the halt."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bots.daybook import DayBook
from bots.loss_halt import LossHalt
from bots.trading_hours import TradingHours
from shared import calendars
from shared.domain.money import Currency
from shared.domain.order import Position
from tests.bots.conftest import TODAY, Room
from tests.fakes import KEY

LIMIT = Decimal(50)


def halt_of(room: Room, book: DayBook, prices: dict[str, Decimal]) -> LossHalt:
    return LossHalt(book, TradingHours(KEY, calendars.load()), room.journal, room.clock, prices.get, Currency.USD)


async def told(room: Room) -> list[dict[str, Any]]:
    found = [json.loads(row.body) for row in await room.journal.queued(1000) if row.stream == "alerts"]
    return [one for one in found if one.get("kind") == "LOSS_HALT" or one["dedup_key"].startswith("loss")]


async def test_the_first_touch_of_the_day_is_told_once_across_restarts_and_ends_with_the_halt(room: Room) -> None:
    prices = {"AAPL": Decimal(100)}
    book = DayBook(room.orders, ())
    marks = book.first_marks(TODAY, (Position("AAPL", 10, 10, Decimal(100), Currency.USD, Decimal(100)),), prices.get)
    book.keep(marks)
    halt = halt_of(room, book, prices)
    await halt.watch(LIMIT)
    assert [one.get("over") for one in await told(room)] == [True], "what an earlier day left open is closed"
    for price in ("95.01", "94", "90", "120"):
        prices["AAPL"] = Decimal(price)
        await halt.watch(LIMIT)
    [_, alert] = await told(room)
    assert (alert["severity"], alert["params"]["limit"], alert["params"]["pnl"]) == ("critical", "$50.00", "-$60.00")
    state = await room.journal.load(TODAY - timedelta(days=7))
    later = DayBook(room.orders, (*marks, *state.marks))  # another process of the same day
    again = halt_of(room, later, prices)
    await again.watch(LIMIT)
    assert later.halted(TODAY, LIMIT) and len(await told(room)) == 2
    await again.watch(LIMIT * 3)  # an Admin raised it
    await again.watch(LIMIT * 3)
    assert [one.get("over") for one in await told(room)] == [True, None, True]
    prices["AAPL"] = Decimal(80)
    await again.watch(LIMIT * 3)
    assert len({one["dedup_key"] for one in await told(room)} - {"loss:*"}) == 2, "the new limit, touched, is told anew"
