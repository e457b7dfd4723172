"""A thousand wanted calls, quotes and entries, beside cancels, exits and a resolver's questions, against the exchange that
counts calls as the brokers do (strict): no cancel and no exit ever hears of a limit."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from brokers import open_broker
from brokers.contract import Broker, CallRecord, Credentials
from shared.clock import SystemClock
from shared.config import EXCHANGE_PORTS
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.errors import BrokerError, Refused
from shared.domain.instrument import Venue
from shared.domain.order import BrokerOrder, OrderAck, Side
from tests.brokers.exchange import Exchange, running
from tests.brokers.rig import MemoryTokens

QUOTES, ENTRIES, PAIRS = 900, 100, 8
PAIR = "pair"


@dataclass(frozen=True)
class Case:
    broker: BrokerName
    market: Market
    symbol: str
    venue: Venue
    opens: datetime
    resting: Decimal  # a price that no buy fills at
    low: Decimal  # a price that every sale fills at
    currency: str
    number: str
    too_many: str
    order_trs: frozenset[str]
    account_trs: frozenset[str]


STOOD_STILL_MS = 250  # a call here takes 5

CASES = [
    Case(
        BrokerName.KIS, Market.US, "AAPL", Venue.NASDAQ, datetime(2026, 3, 10, 14, 0, tzinfo=UTC), Decimal("150.00"),
        Decimal("190.00"), "USD", "77000001-01", "EGW00201", frozenset({"TTTT1002U", "TTTT1006U", "TTTT1004U"}),
        frozenset({"TTTS3018R", "TTTS3035R", "CTRP6504R"}),
    ),
    Case(
        BrokerName.LS, Market.KRX, "005930", Venue.KRX, datetime(2026, 3, 10, 1, 0, tzinfo=UTC), Decimal("150"),
        Decimal("190"), "KRW", "77000001012", "IGW00201", frozenset({"CSPAT00601", "CSPAT00801"}),
        frozenset({"t0425", "CSPAQ13700", "t0424", "CSPAQ12200"}),
    ),
]  # fmt: skip


def tape(case: Case, folder: Path) -> str:
    """Three hours around 200, with limits far enough below."""
    rows = ["ts_utc,open,high,low,close,volume"]
    rows += [f"{case.opens + timedelta(minutes=n):%Y-%m-%dT%H:%M:%SZ},200,201,199,200,5000" for n in range(180)]
    file = folder / "tape.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return f"replay:{case.symbol}={file}"


def register(case: Case, exchange: Exchange) -> None:
    account = {
        "broker": case.broker, "env": "live", "app_key": "KEY" + "7" * 33, "secret": "s" * 180, "account": case.number,
        "hts_id": "HTSID77", "cash": {case.currency: "100000"},
        "holdings": [{"symbol": case.symbol, "quantity": 100, "average_price": "190"}],
    }  # fmt: skip
    url = f"http://127.0.0.1:{EXCHANGE_PORTS['admin'] + exchange.offset}/accounts"
    answer = httpx.post(url, json=account, trust_env=False)
    assert answer.is_success, answer.text


def as_placed(case: Case, ack: OrderAck) -> BrokerOrder:
    """The order as the bot knows it from its own journal: no read stands before a cancel."""
    return BrokerOrder(
        ack.broker_order_id, case.symbol, Side.BUY, 1, case.resting, 0, None, 1, False, False, ack.acknowledged_at,
        venue=case.venue,
    )  # fmt: skip


async def what_a_resolver_asks(broker: Broker) -> None:
    """Orders, fills, holdings and cash, as reconcile asks them."""
    today = SystemClock().market_now().date()
    await broker.get_open_orders()
    await broker.get_executions(today - timedelta(days=1), today + timedelta(days=1))
    await broker.get_positions()
    await broker.get_cash()


async def burst(broker: Broker, case: Case) -> int:
    """Want everything at once; how many of it still wait when cancels, exits and questions are answered."""
    resting = [await broker.place_order(case.symbol, Side.BUY, 1, case.resting) for _ in range(PAIRS)]
    wanted = [asyncio.create_task(broker.get_quote(case.symbol)) for _ in range(QUOTES)]
    wanted += [
        asyncio.create_task(broker.place_order(case.symbol, Side.BUY, 1, case.resting))  # type: ignore[arg-type]
        for _ in range(ENTRIES)
    ]
    try:
        for ack in resting:
            await broker.cancel_order(as_placed(case, ack), 1, org_no=ack.org_no, correlation_id=PAIR)
            await broker.place_order(case.symbol, Side.SELL, 1, case.low, correlation_id=PAIR)
        await what_a_resolver_asks(broker)
    finally:
        waiting = sum(not one.done() for one in wanted)
        refused = [one.exception() for one in wanted if one.done() and not one.cancelled()]
        for one in wanted:
            one.cancel()
            with suppress(asyncio.CancelledError, BrokerError):
                await one
    assert all(error is None or isinstance(error, Refused) for error in refused), (
        refused
    )  # by our own budget, nothing sent
    return waiting


# LS counts cancels three to the second: on a busy machine the exchange may read late what was sent in time, so that half
# runs by name (-m soak).
@pytest.mark.parametrize(
    "case", [pytest.param(CASES[0], id="KIS-US"), pytest.param(CASES[1], id="LS-KRX", marks=pytest.mark.soak)]
)
async def test_a_burst_never_costs_a_cancel_or_an_exit_its_turn(case: Case, tmp_path: Path) -> None:
    calls: list[CallRecord] = []
    with running(tmp_path, "--profile", "strict", "--tape", tape(case, tmp_path)) as exchange:
        register(case, exchange)
        broker = open_broker(
            AccountKey(1, case.broker, case.market, Environment.SIM, 1),
            Credentials("KEY" + "7" * 33, "s" * 180, case.number, "HTSID77"),
            clock=SystemClock(),
            token_store=MemoryTokens(),
            call_log=calls.append,
            exchange_port_offset=exchange.offset,
        )
        await broker.start()
        try:
            waiting = await burst(broker, case)
        finally:
            await broker.close()
        sold = [one for one in exchange.events(0, "ORDER") if one["side"] == "SELL"]
    pairs = [call for call in calls if call.correlation_id == PAIR]
    assert len(pairs) == 2 * PAIRS and {call.outcome for call in pairs} == {"ok"}
    assert len(sold) == PAIRS
    # The exchange counts what it has read within a second: where it stood still for a while it reads in heaps what was
    # sent in time, and may refuse an entry. Cancels and exits are above: not one, however busy the machine.
    slowest_ms = max(call.latency_ms for call in calls)
    refused = [call for call in calls if call.tr in case.order_trs and call.code == case.too_many]
    assert not refused or slowest_ms > STOOD_STILL_MS, (
        f"{len(refused)} orders refused, slowest call {slowest_ms:.0f} ms"
    )
    assert waiting > QUOTES / 2, "the burst was over before the orders: it proved nothing"
    asked = [call for call in calls if call.tr in case.account_trs]
    assert {call.tr for call in asked} == case.account_trs and {call.outcome for call in asked} == {"ok"}
