"""A thousand wanted quotes beside cancels, exits and a resolver's questions, against the exchange that counts calls as
the brokers do (strict)."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx

from brokers import open_broker
from brokers.contract import Broker, CallRecord, Credentials
from shared.clock import SystemClock
from shared.config import EXCHANGE_PORTS, ROOT
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.errors import BrokerError
from shared.domain.instrument import Venue
from shared.domain.order import BrokerOrder, OrderAck, Side
from tests.brokers.exchange import Exchange, running
from tests.brokers.rig import MemoryTokens

TAPE = f"replay:AAPL={ROOT / 'tests' / 'data' / 'golden_tape.csv'}"
KEY, SECRET, NUMBER = "KEY" + "7" * 33, "s" * 180, "77000001-01"
ORDER_TRS = {"TTTT1002U", "TTTT1006U", "TTTT1004U"}
ACCOUNT_TRS = {"TTTS3018R", "TTTS3035R", "CTRP6504R"}
TOO_MANY = "EGW00201"
PAIRS = 10


def register(exchange: Exchange) -> None:
    account = {
        "broker": "KIS", "env": "live", "app_key": KEY, "secret": SECRET, "account": NUMBER, "hts_id": "HTSID77",
        "cash": {"USD": "100000"}, "holdings": [{"symbol": "AAPL", "quantity": 100, "average_price": "190"}],
    }  # fmt: skip
    url = f"http://127.0.0.1:{EXCHANGE_PORTS['admin'] + exchange.offset}/accounts"
    answer = httpx.post(url, json=account, trust_env=False)
    assert answer.is_success, answer.text


def as_placed(ack: OrderAck) -> BrokerOrder:
    """The order as the bot knows it from its own journal: no read stands before a cancel."""
    return BrokerOrder(
        ack.broker_order_id, "AAPL", Side.BUY, 1, Decimal("150.00"), 0, None, 1, False, False, ack.acknowledged_at,
        venue=Venue.NASDAQ,
    )  # fmt: skip


async def what_a_resolver_asks(broker: Broker) -> None:
    """Orders, fills, holdings and cash, as reconcile asks them."""
    today = SystemClock().market_now().date()
    await broker.get_open_orders()
    await broker.get_executions(today - timedelta(days=1), today + timedelta(days=1))
    await broker.get_positions()
    await broker.get_cash()


async def test_a_burst_of_reads_never_costs_an_order_its_turn(tmp_path: Path) -> None:
    calls: list[CallRecord] = []
    with running(tmp_path, "--profile", "strict", "--tape", TAPE) as exchange:
        register(exchange)
        broker = open_broker(
            AccountKey(1, BrokerName.KIS, Market.US, Environment.SIM, 1),
            Credentials(KEY, SECRET, NUMBER, "HTSID77"),
            clock=SystemClock(),
            token_store=MemoryTokens(),
            call_log=calls.append,
            exchange_port_offset=exchange.offset,
        )
        await broker.start()
        reads = [asyncio.create_task(broker.get_quote("AAPL")) for _ in range(1000)]
        try:
            for _ in range(PAIRS):  # an order and its cancel, then an exit, while the reads queue
                ack = await broker.place_order("AAPL", Side.BUY, 1, Decimal("150.00"))
                await broker.cancel_order(as_placed(ack), 1, org_no=ack.org_no)
                await broker.place_order("AAPL", Side.SELL, 1, Decimal("190.00"))
            await what_a_resolver_asks(broker)
        finally:
            waiting = sum(not one.done() for one in reads)
            for one in reads:
                one.cancel()
                with suppress(asyncio.CancelledError, BrokerError):
                    await one
            await broker.close()
        placed_there = exchange.events(0, "ORDER")
    orders = [call for call in calls if call.tr in ORDER_TRS]
    assert len(orders) == 3 * PAIRS and {call.outcome for call in orders} == {"ok"}
    assert len(placed_there) == 2 * PAIRS
    assert not [call for call in orders if call.code == TOO_MANY]
    assert waiting > 900, "the burst was over before the orders: it proved nothing"
    asked = [call for call in calls if call.tr in ACCOUNT_TRS]
    assert {call.tr for call in asked} == ACCOUNT_TRS and {call.outcome for call in asked} == {"ok"}
