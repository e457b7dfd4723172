"""What KIS offers beyond one order and one price, through the whole adapter against a running exchange."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from brokers.contract import StreamUp
from brokers.kis.codec import KST
from brokers.kis.quotes_us import NEW_YORK
from shared.clock import SystemClock
from shared.domain.account import Market, Wire
from shared.domain.errors import AuthExpired, NotSupported
from shared.domain.instrument import Venue
from shared.domain.market import OrderBook, Tick, Timeframe
from shared.domain.order import BrokerOrder, OrderSession, OrderType, Side
from tests.brokers.exchange import Exchange, running
from tests.brokers.kis.test_adapter import PRICE, Desk, opened, refuse
from tests.brokers.rig import listening, until

DAY, RESERVED = OrderSession.DAY_MARKET, OrderSession.RESERVED


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with running(tmp_path_factory.mktemp("exchange")) as started:
        yield started


@pytest.fixture
async def us(exchange: Exchange) -> AsyncIterator[Desk]:
    desk = await opened(exchange)
    yield desk
    await desk.broker.close()


@pytest.fixture
async def krx(exchange: Exchange) -> AsyncIterator[Desk]:
    desk = await opened(exchange, Market.KRX)
    yield desk
    await desk.broker.close()


@pytest.fixture
async def mock(exchange: Exchange) -> AsyncIterator[Desk]:
    desk = await opened(exchange, wire=Wire.MOCK, key="M" * 36)
    yield desk
    await desk.broker.close()


def called(desk: Desk) -> list[str]:
    return [call.tr for call in desk.calls]


async def listed(desk: Desk, number: str) -> BrokerOrder:
    return next(order for order in await desk.broker.get_open_orders() if order.broker_order_id == number)


async def test_a_market_order_says_that_it_is_a_collared_limit(us: Desk) -> None:
    ack = await us.broker.place_order("AAPL", Side.BUY, 1, None, order_type=OrderType.MARKET)
    assert "시장가를 지정가" in ack.raw and "sent as a limit" in ack.raw


@pytest.mark.parametrize(("symbol", "venue"), [("AAPL", Venue.NASDAQ), ("BRK.B", Venue.NYSE), ("SPY", Venue.AMEX)])
async def test_a_day_market_order_is_placed_amended_and_cancelled_in_its_own_book(
    us: Desk, symbol: str, venue: Venue
) -> None:
    price = (await us.broker.get_quote(symbol, session=DAY)).last * Decimal("0.8") // 1
    ack = await us.broker.place_order(symbol, Side.BUY, 2, price, session=DAY)
    order = await listed(us, ack.broker_order_id)
    assert (order.symbol, order.venue, order.session) == (symbol, venue, DAY)
    amended = await us.broker.amend_order(order, 2, price - 1)
    order = await listed(us, amended.broker_order_id)
    await us.broker.cancel_order(order, 2)
    assert amended.broker_order_id not in [o.broker_order_id for o in await us.broker.get_open_orders()]
    assert called(us).count("TTTS6036U") == 1 and called(us).count("TTTS6038U") == 2
    assert "TTTT1004U" not in called(us)


async def test_a_reserved_order_is_listed_and_cancelled(us: Desk) -> None:
    ack = await us.broker.place_order("AAPL", Side.BUY, 3, PRICE, session=RESERVED)
    today = SystemClock().market_now().astimezone(KST).date()

    async def reservation() -> BrokerOrder:
        orders = await us.broker.get_reserved_orders(today - timedelta(days=1), today)
        return next(order for order in orders if order.broker_order_id == ack.broker_order_id)

    order = await reservation()
    assert (order.symbol, order.quantity, order.leaves_quantity, order.price) == ("AAPL", 3, 3, PRICE)
    await us.broker.cancel_order(order, 3)
    done = await reservation()
    assert done.canceled and done.leaves_quantity == 0


async def test_a_round_trip_is_in_the_period_profit(us: Desk) -> None:
    for side in (Side.BUY, Side.SELL):
        await us.broker.place_order("MSFT", side, 2, None, order_type=OrderType.MARKET)
        await done(us, "MSFT")
    today = SystemClock().market_now().date()
    profit = await us.broker.get_period_profit(today - timedelta(days=2), today + timedelta(days=1))
    row = next(row for row in profit.rows if row.symbol == "MSFT")
    assert row.quantity == 2 and row.sold > 0 and row.bought > 0
    assert abs(row.realized - (row.sold - row.bought)) < Decimal("0.05") * row.sold
    assert profit.currency == "USD" and profit.realized == sum(one.realized for one in profit.rows)


async def done(desk: Desk, symbol: str) -> None:
    """Poll until nothing of the symbol is open."""
    for _ in range(200):
        if not [order for order in await desk.broker.get_open_orders() if order.symbol == symbol]:
            return
    raise AssertionError(f"an order of {symbol} stayed open")


async def test_settled_and_executed_holdings_are_two_lists(us: Desk) -> None:
    await us.broker.place_order("NVDA", Side.BUY, 2, None, order_type=OrderType.MARKET)
    await done(us, "NVDA")
    executed = {position.symbol: position.quantity for position in await us.broker.get_positions()}
    assert executed["NVDA"] == 2
    assert all(position.quantity > 0 for position in await us.broker.get_positions(settled=True))
    assert {"TTTS3012R", "CTRP6504R"} <= set(called(us))


async def test_us_shares_are_listed_whole_and_detailed(us: Desk) -> None:
    instruments = await us.broker.list_instruments()
    symbols = [instrument.symbol for instrument in instruments]
    assert {"AAPL", "BRK.B", "SPY"} <= set(symbols) and len(symbols) == len(set(symbols))
    detail = await us.broker.get_detail("AAPL")
    assert detail.tradable and detail.tick_size == Decimal("0.01") and detail.last > 0


async def test_a_class_share_has_one_spelling_here(us: Desk) -> None:
    assert (
        (await us.broker.get_instrument("BRK/B")).symbol == (await us.broker.get_instrument("BRK.B")).symbol == "BRK.B"
    )
    ack = await us.broker.place_order("BRK/B", Side.BUY, 1, Decimal("300.00"))
    order = await listed(us, ack.broker_order_id)
    assert order.symbol == "BRK.B"
    await us.broker.cancel_order(order, 1)


async def test_the_brokers_calendar_is_asked_once(us: Desk, krx: Desk) -> None:
    friday, saturday = date(2026, 11, 20), date(2026, 11, 21)
    for desk, code in ((us, "CTOS5011R"), (krx, "CTCA0903R")):
        for _ in range(2):
            assert await desk.broker.is_open_day(friday) is True
            assert await desk.broker.is_open_day(saturday) is False
        assert called(desk).count(code) == (1 if desk is krx else 2)


@pytest.mark.parametrize("market", [Market.US, Market.KRX])
async def test_weeks_months_and_bars_until_a_past_time(exchange: Exchange, market: Market) -> None:
    desk = await opened(exchange, market)
    symbol, zone = ("AAPL", NEW_YORK) if market is Market.US else ("005930", KST)
    weeks = await desk.broker.get_bars(symbol, Timeframe.W1, 130)
    assert len(weeks) == 130 and {bar.start.astimezone(zone).weekday() for bar in weeks} == {0}
    months = await desk.broker.get_bars(symbol, Timeframe.MN1, 12)
    assert len(months) == 12 and {bar.start.astimezone(zone).day for bar in months} == {1}
    days = await desk.broker.get_bars(symbol, Timeframe.D1, 30)
    earlier = await desk.broker.get_bars(symbol, Timeframe.D1, 30, until=days[10].start)
    assert [bar.start for bar in earlier[-11:]] == [bar.start for bar in days[:11]] and earlier[-1].close == days[
        10
    ].close
    fives = await desk.broker.get_bars(symbol, Timeframe.M5, 6)
    past = await desk.broker.get_bars(symbol, Timeframe.M5, 1, until=fives[2].start + timedelta(minutes=1))
    assert past == [fives[2]]  # the whole bar, not as it stood a minute into it
    assert (await desk.broker.get_bars(symbol, Timeframe.W1, 1, until=weeks[5].start + timedelta(hours=1))) == [
        weeks[5]
    ]
    await desk.broker.close()


async def test_books_and_day_market_ticks_are_streamed(us: Desk) -> None:
    async with listening(us.broker) as events:
        await until(lambda: any(isinstance(event, StreamUp) for event in events))
        await us.broker.subscribe("AAPL", book=True)
        await us.broker.subscribe("MSFT", session=DAY)
        await us.broker.subscribe("BRK.B")
        await until(lambda: any(isinstance(event, OrderBook) for event in events))
        book = next(event for event in events if isinstance(event, OrderBook))
        assert book.symbol == "AAPL" and book.bids[0].price < book.asks[0].price
        wanted = {"MSFT", "BRK.B"}
        await until(lambda: {event.symbol for event in events if isinstance(event, Tick)} >= wanted)
        await us.broker.unsubscribe("AAPL", book=True)


@pytest.mark.parametrize("venue", [Venue.NXT, Venue.SOR])
async def test_a_korean_order_goes_to_the_venue_named(krx: Desk, venue: Venue) -> None:
    price = Decimal(60000)
    ack = await krx.broker.place_order("005930", Side.BUY, 1, price, venue=venue)
    order = await listed(krx, ack.broker_order_id)
    assert order.venue in {venue, Venue.NXT, Venue.KRX}  # a routed order may name where it went
    await krx.broker.cancel_order(order, 1)
    assert (await krx.broker.get_quote("005930", venue=venue)).last > 0


@pytest.mark.parametrize(
    ("venue", "book"), [(Venue.NXT, False), (Venue.SOR, True), (Venue.SOR, False), (Venue.KRX, True)]
)
async def test_korean_feeds_of_every_venue_arrive(krx: Desk, venue: Venue, book: bool) -> None:
    async with listening(krx.broker) as events:
        await until(lambda: any(isinstance(event, StreamUp) for event in events))
        await krx.broker.subscribe("005930", book=book, venue=venue)
        kind = OrderBook if book else Tick
        await until(lambda: any(isinstance(event, kind) for event in events))


async def test_old_and_recent_korean_orders_are_one_answer(krx: Desk) -> None:
    ack = await krx.broker.place_order("000660", Side.BUY, 1, Decimal(150000))
    today = SystemClock().market_now().astimezone(KST).date()
    orders = await krx.broker.get_executions(today - timedelta(days=200), today)
    assert ack.broker_order_id in [order.broker_order_id for order in orders]
    assert {"CTSC9215R", "TTTC0081R"} <= set(called(krx))


async def test_korean_detail_profit_and_what_is_not_offered(krx: Desk) -> None:
    assert (await krx.broker.get_detail("005930")).tick_size == Decimal(100)
    today = SystemClock().market_now().astimezone(KST).date()
    assert (await krx.broker.get_period_profit(today, today)).currency == "KRW"
    for refused in (krx.broker.list_instruments(), krx.broker.get_reserved_orders(today, today)):
        with pytest.raises(NotSupported, match=r"[가-힣].* / [A-Za-z]"):
            await refused


async def test_mock_trading_says_what_it_has_not(mock: Desk) -> None:
    today = SystemClock().market_now().astimezone(KST).date()
    broker = mock.broker
    for refused in (
        broker.get_detail("AAPL"),
        broker.get_order_book("AAPL"),
        broker.get_bars("AAPL", Timeframe.M1, 1),
        broker.get_period_profit(today, today),
        broker.get_reserved_orders(today, today),
        broker.subscribe("AAPL"),
        broker.place_order("AAPL", Side.BUY, 1, PRICE, session=DAY),
        broker.place_order("AAPL", Side.SELL, 1, None, order_type=OrderType.MOC),
    ):
        with pytest.raises(NotSupported, match=r"모의투자.* / .*mock trading"):
            await refused
    assert await broker.is_open_day(today) is None
    assert len(await broker.get_bars("AAPL", Timeframe.W1, 5)) == 5
    ack = await broker.place_order("AAPL", Side.BUY, 1, PRICE, session=RESERVED)
    assert "VTTT3014U" in called(mock) and ack.broker_order_id


async def test_a_token_is_given_back(exchange: Exchange) -> None:
    desk = await opened(exchange, key="R" * 36)
    await desk.broker.revoke_token()
    await desk.broker.revoke_token()
    assert [(call.tr, call.outcome) for call in desk.calls if call.tr == "revokeP"] == [("revokeP", "ok")]
    await desk.broker.close()


@pytest.mark.parametrize("code", ["EGW00121", "EGW00123"])
async def test_a_token_that_maintenance_ended_is_renewed_and_its_order_is_proven_not_placed(
    exchange: Exchange, code: str
) -> None:
    desk = await opened(exchange, key="T" * 36)
    refuse(exchange, "TTTT1002U", code)
    mark = exchange.mark()
    with pytest.raises(AuthExpired, match=r"토큰|인증"):
        await desk.broker.place_order("AAPL", Side.BUY, 1, PRICE)
    assert exchange.events(mark, "ORDER") == []
    await desk.broker.close()
