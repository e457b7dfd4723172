"""`python -m bench.probe ACCOUNT FILE SECONDS`: the very bot, with a stopwatch between a tick and its order.

Started by bench/first_light.py. Writes JSON: milliseconds from a tick's `received_at` to the broker adapter's
`place_order` (after the guards, INTENT and SENDING on disk), and the floor: one journal write of a small row each.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bots.bootstrap import Foundation, build
from bots.journal import Changes
from shared.config import load_settings
from shared.domain.market import Tick


async def measure(account_id: int, seconds: float) -> dict[str, list[float]]:
    base = Foundation(load_settings(), account_id)
    bot = await build(base)
    feed, broker = bot.p.feed, bot.p.broker
    received: dict[str, datetime] = {}
    waits: list[float] = []
    count, place = feed.on_tick, broker.place_order

    def on_tick(tick: Tick) -> None:
        received[tick.symbol] = tick.received_at
        count(tick)

    async def place_order(symbol: str, *args: Any, **kwargs: Any) -> Any:
        order = next(one for one in bot.p.orders.all() if one.id == kwargs["correlation_id"])
        tick_at = at_decision[order.id]
        waits.append((datetime.now(UTC) - tick_at).total_seconds() * 1000)
        return await place(symbol, *args, **kwargs)

    at_decision: dict[str, datetime] = {}
    open_intent = bot.p.orders.open_intent

    async def intent(request: Any, *args: Any) -> Any:
        at_decision[request.client_order_id] = received.get(request.symbol, datetime.now(UTC))
        return await open_intent(request, *args)

    feed.on_tick, broker.place_order, bot.p.orders.open_intent = on_tick, place_order, intent  # type: ignore[method-assign]
    asyncio.get_running_loop().call_later(seconds, os.kill, os.getpid(), signal.SIGTERM)
    floor = [await _write_ms(bot.p.journal) for _ in range(40)]
    await bot.run()
    return {"tick_to_order_ms": waits, "journal_write_ms": floor}


async def _write_ms(journal: Any) -> float:
    started = time.perf_counter()
    await journal.write(Changes(facts=(("bench", str(started)),)))
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    told = asyncio.run(measure(int(sys.argv[1]), float(sys.argv[3])))
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")
