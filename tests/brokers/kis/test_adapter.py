"""What is KIS's own: its codes from a running exchange, 모의투자, the hash of an order, the registrations of a session."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from brokers import open_broker
from brokers.contract import Broker, CallRecord, Credentials
from brokers.http import HostList
from brokers.kis.stream import KisStream
from brokers.kis.tr import MAX_REGISTRATIONS, site
from shared.clock import SystemClock
from shared.domain.account import AccountKey, BrokerName, Environment, Market, Wire
from shared.domain.errors import AuthRefused, BadPrice, NotSent, NotSupported, OutcomeUnknown, RateLimited
from shared.domain.order import OrderType, Side
from tests.brokers.exchange import Exchange, running
from tests.brokers.rig import MemoryTokens

PRICE = Decimal("150.00")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with running(tmp_path_factory.mktemp("exchange")) as started:
        yield started


@dataclass
class Desk:
    broker: Broker
    calls: list[CallRecord] = field(default_factory=list)


async def opened(exchange: Exchange, market: Market = Market.US, wire: Wire = Wire.LIVE, **secrets: str) -> Desk:
    calls: list[CallRecord] = []
    account = "12345678-01" if wire is Wire.LIVE else "50001234-01"
    broker = open_broker(
        AccountKey(1, BrokerName.KIS, market, Environment.SIM, 1),
        Credentials(secrets.get("key", "K" * 36), "S" * 180, account, "HTSID01"),
        clock=SystemClock(),
        token_store=MemoryTokens(),
        call_log=calls.append,
        exchange_port_offset=exchange.offset,
        wire=wire,
    )
    await broker.start()
    return Desk(broker, calls)


@pytest.fixture
async def desk(exchange: Exchange) -> AsyncIterator[Desk]:
    made = await opened(exchange)
    yield made
    exchange.mend()
    await made.broker.close()


def refuse(exchange: Exchange, tr: str, code: str, status: int = 500, count: int = 1) -> None:
    body: dict[str, Any] = {"rt_cd": "1", "msg_cd": code, "msg1": "x"}
    match = {"broker": "KIS", "channel": "rest", "tr": tr}
    exchange.fault("body", match, {"body": body, "status": status}, count)


async def buy(desk: Desk) -> None:
    await desk.broker.place_order("AAPL", Side.BUY, 1, PRICE)


async def test_too_many_calls_is_a_proven_refusal_of_an_order_and_slows_the_key_down(
    desk: Desk, exchange: Exchange
) -> None:
    refuse(exchange, "TTTT1002U", "EGW00201")
    mark = exchange.mark()
    with pytest.raises(RateLimited):
        await buy(desk)
    assert exchange.events(mark, "ORDER") == []
    assert desk.broker.rate_budget().limited_total == 1
    await buy(desk)
    assert len(exchange.events(mark, "ORDER")) == 1


async def test_a_read_waits_out_too_many_calls(desk: Desk, exchange: Exchange) -> None:
    refuse(exchange, "CTRP6504R", "EGW00215")
    assert (await desk.broker.get_cash()).total > 0
    assert [call.code for call in desk.calls if call.outcome == "RateLimited"] == ["EGW00215"]


@pytest.mark.parametrize("code", ["EGW00301", "EGW00001", "APBK7777", ""])
async def test_a_code_that_proves_nothing_leaves_an_order_unknown(desk: Desk, exchange: Exchange, code: str) -> None:
    refuse(exchange, "TTTT1002U", code)
    with pytest.raises(OutcomeUnknown):
        await buy(desk)


def asked(desk: Desk, *trs: str) -> list[str]:
    return [call.tr for call in desk.calls if call.tr in trs]


async def test_ten_prices_take_one_call_and_each_is_the_one_asked_alone(desk: Desk) -> None:
    symbols = ["AAPL", "MSFT", "ZZZZZ", "BRK/B", "SPY"]
    assert desk.broker.rate_budget().quotes_a_call == 10
    quotes = {one.symbol: one for one in await desk.broker.get_quotes(symbols)}
    assert asked(desk, "HHDFS76220000", "HHDFS00000300") == ["HHDFS76220000"]
    assert set(quotes) == {"AAPL", "MSFT", "BRK.B", "SPY"}
    for symbol, quote in quotes.items():
        alone = await desk.broker.get_quote(symbol)
        assert alone.prev_close == quote.prev_close and abs(alone.last / quote.last - 1) < Decimal("0.01")
    assert await desk.broker.get_quotes([]) == []


@pytest.mark.parametrize("body", [{"rt_cd": "1", "msg_cd": "EGW02006", "msg1": "x"}, {"rt_cd": "0", "output2": "x"}])
async def test_prices_are_asked_one_by_one_where_the_call_for_several_fails(
    desk: Desk, exchange: Exchange, body: dict[str, Any]
) -> None:
    match = {"broker": "KIS", "channel": "rest", "tr": "HHDFS76220000"}
    exchange.fault("body", match, {"body": body, "status": 200}, 1)
    for _ in range(2):
        assert [one.symbol for one in await desk.broker.get_quotes(["AAPL", "SPY"])] == ["AAPL", "SPY"]
    assert asked(desk, "HHDFS76220000", "HHDFS00000300") == ["HHDFS76220000", *["HHDFS00000300"] * 4]
    assert desk.broker.rate_budget().quotes_a_call == 1


async def test_an_order_that_cannot_be_signed_is_not_sent(desk: Desk, exchange: Exchange) -> None:
    refuse(exchange, "hashkey", "EGW00131")
    mark = exchange.mark()
    with pytest.raises(NotSent):
        await buy(desk)
    assert exchange.events(mark, "ORDER") == []
    assert "TTTT1002U" not in [call.tr for call in desk.calls]


async def test_an_account_that_the_key_does_not_own_stops_the_start(exchange: Exchange) -> None:
    refuse(exchange, "CTRP6504R", "OPSQ2000", status=200)
    with pytest.raises(AuthRefused):
        await opened(exchange)
    exchange.mend()


async def test_a_fund_has_its_own_tick(exchange: Exchange) -> None:
    desk = await opened(exchange, Market.KRX)
    last = (await desk.broker.get_quote("069500")).last
    low = last * Decimal("0.8") // 10 * 10
    await desk.broker.place_order("069500", Side.BUY, 1, low + 5)
    with pytest.raises(BadPrice):
        await desk.broker.place_order("069500", Side.BUY, 1, low + 6)
    await desk.broker.close()


async def test_mock_trading_of_us_shares_has_orders_but_no_stream_book_or_close_orders(exchange: Exchange) -> None:
    desk = await opened(exchange, wire=Wire.MOCK)
    with pytest.raises(NotSupported):
        await desk.broker.subscribe("AAPL")
    with pytest.raises(NotSupported):
        await desk.broker.place_order("AAPL", Side.BUY, 1, PRICE, order_type=OrderType.LOC)
    await buy(desk)
    (order,) = await desk.broker.get_open_orders()
    await desk.broker.cancel_order(order, 1)
    assert {"VTTT1002U", "VTTT1004U", "VTTS3035R"} <= {call.tr for call in desk.calls}
    assert all(call.tr[0] != "T" for call in desk.calls)
    await desk.broker.close()


async def test_a_session_takes_41_registrations_notices_included() -> None:
    where = site(Environment.SIM, Wire.LIVE)
    assert isinstance(where.hosts, HostList)
    stream = KisStream(where, SystemClock(), None, ("H0GSCNI0", "HTSID01"), "1234567801", print)  # type: ignore[arg-type]
    for number in range(MAX_REGISTRATIONS - 1):
        await stream.subscribe(("HDFSCNT0", f"DNAS{number}"))
    await stream.subscribe(("HDFSCNT0", "DNAS0"))  # already there
    with pytest.raises(NotSupported):
        await stream.subscribe(("HDFSASP0", "DNAS0"))  # a book is a registration of its own
    await stream.unsubscribe(("HDFSCNT0", "DNAS0"))
    await stream.subscribe(("HDFSASP0", "DNAS0"))
