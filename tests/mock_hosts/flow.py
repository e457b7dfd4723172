"""One order's whole life at a broker, the same at the local exchange and at the real 모의투자 hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from brokers.contract import Broker
from shared.domain.errors import MarketClosed
from shared.domain.market import Timeframe
from shared.domain.order import BrokerOrder, OrderAck, Side
from shared.domain.venue_rules import step_price

BELOW = Decimal("0.85")  # far enough not to fill, inside KRX's ±30 %
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Flow:
    """How far it went. `closed`: the broker's own words when the market was shut, else ""."""

    price: Decimal
    placed: OrderAck | None = None
    amended: OrderAck | None = None
    last: BrokerOrder | None = None
    closed: str = ""


async def order_flow(broker: Broker, symbol: str) -> Flow:
    """Look, buy one share far below the price, amend it, cancel it, and see it cancelled without a fill."""
    quote = await broker.get_quote(symbol)
    assert quote.last is not None and quote.last > 0
    bars = await broker.get_bars(symbol, Timeframe.D1, 20)
    assert bars and all(bar.low <= bar.close <= bar.high for bar in bars)
    cash = await broker.get_cash()
    assert cash.currency is broker.key.market.currency
    await broker.get_positions()
    price, second = (_on_tick(broker, quote.last * BELOW * step) for step in (Decimal(1), Decimal("0.98")))
    amount, shares = await broker.get_buying_power(symbol, price)
    assert amount >= 0 and shares >= 0
    try:
        placed = await broker.place_order(symbol, Side.BUY, 1, price)
    except MarketClosed as e:
        return Flow(price, closed=str(e))
    first = await _listed(broker, lambda one: one.broker_order_id == placed.broker_order_id)
    assert (first.symbol, first.side, first.quantity, first.price) == (symbol, Side.BUY, 1, price)
    amended = await broker.amend_order(first, 1, second)
    order = await _listed(broker, lambda one: one.broker_order_id == amended.broker_order_id)
    await broker.cancel_order(order, 1, org_no=amended.org_no)
    last = await _listed(
        broker, lambda one: one.broker_order_id == amended.broker_order_id and one.leaves_quantity == 0
    )
    assert last.filled_quantity == 0 and last.canceled
    ours = {placed.broker_order_id, amended.broker_order_id}
    assert not [one for one in await broker.get_open_orders() if one.broker_order_id in ours]
    return Flow(price, placed, amended, last)


async def _listed(broker: Broker, wanted: Callable[[BrokerOrder], bool]) -> BrokerOrder:
    """Ask the day's orders until one is what is wanted: lists lag behind acknowledgements."""
    today = datetime.now(UTC).date()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            orders = await broker.get_executions(today - timedelta(days=1), today + timedelta(days=1))
            orders += await broker.get_open_orders()
            for order in orders:
                if wanted(order):
                    return order
            await asyncio.sleep(1.0)


def _on_tick(broker: Broker, price: Decimal) -> Decimal:
    return step_price(broker.key.market, price, 0, datetime.now(UTC).date())
