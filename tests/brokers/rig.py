"""What broker tests share: a clock that is moved by hand, a token store in memory, free exchange ports."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from brokers.contract import Broker, BrokerEvent, Token

# Every port of the local exchange (design.md §9).


class FakeClock:
    def __init__(self, at: datetime = datetime(2026, 7, 9, 14, 0, tzinfo=UTC)) -> None:
        self.at = at

    def wall_now(self) -> datetime:
        return self.at

    def market_now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


class MemoryTokens:
    """A TokenStore that outlives the adapters of one test."""

    def __init__(self) -> None:
        self.token: Token | None = None

    async def load(self) -> Token | None:
        return self.token

    async def save(self, token: Token) -> None:
        self.token = token


async def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    """Poll a condition; TimeoutError when it does not come true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(broker: Broker) -> AsyncIterator[list[BrokerEvent]]:
    """Collect what a broker says while the block runs."""
    events: list[BrokerEvent] = []

    async def listen() -> None:
        async for event in broker.events():
            events.append(event)

    task = asyncio.create_task(listen())
    try:
        yield events
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
