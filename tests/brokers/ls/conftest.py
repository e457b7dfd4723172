"""What tests of the LS adapter share: accounts that are started against the real local exchange."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from brokers import open_broker
from brokers.contract import Broker, BrokerEvent, Credentials, StreamUp
from shared.clock import SystemClock
from shared.domain.account import AccountKey, BrokerName, Environment, Market, Wire
from shared.domain.order import OrderNotice
from tests.brokers.exchange import Exchange, running
from tests.brokers.rig import MemoryTokens, until

LIVE_LIKE, MOCK_LIKE = "PSadapter0000000000", "Vadapter00000000000"
Open = Callable[..., Awaitable[tuple[Broker, list[BrokerEvent]]]]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with running(tmp_path_factory.mktemp("exchange")) as started:
        yield started


def broker_of(app_key: str, wire: Wire = Wire.LIVE, offset: int = 0, market: Market = Market.KRX) -> Broker:
    return open_broker(
        AccountKey(1, BrokerName.LS, market, Environment.SIM, 1),
        Credentials(app_key, "secret", "20000000001"),
        clock=SystemClock(),
        token_store=MemoryTokens(),
        call_log=None,
        exchange_port_offset=offset,
        wire=wire,
    )


@pytest.fixture
async def started(exchange: Exchange) -> AsyncIterator[Open]:
    opened: list[tuple[Broker, asyncio.Task[None]]] = []

    async def start(
        app_key: str, wire: Wire = Wire.LIVE, market: Market = Market.KRX
    ) -> tuple[Broker, list[BrokerEvent]]:
        broker = broker_of(app_key, wire, exchange.offset, market)
        heard: list[BrokerEvent] = []

        async def listen() -> None:
            async for event in broker.events():
                heard.append(event)

        opened.append((broker, asyncio.create_task(listen())))
        await broker.start()
        await until(lambda: any(isinstance(event, StreamUp) for event in heard))
        return broker, heard

    yield start
    exchange.mend()
    for broker, task in opened:
        await broker.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def notices(heard: list[BrokerEvent], number: str, kind: str) -> list[OrderNotice]:
    return [
        event
        for event in heard
        if isinstance(event, OrderNotice) and event.broker_order_id == number and event.kind == kind
    ]
