"""US shares at LS, the whole contract against the running exchange: exchange codes, class shares, order types."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.contract import Broker
from brokers.ls.codec_us import SESSION
from shared.clock import SystemClock
from shared.domain.account import Market
from shared.domain.errors import NotFound, NotSupported, UnknownSymbol
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.market import Bar, OrderBook, Tick, Timeframe
from shared.domain.order import BrokerOrder, OrderSession, OrderType, Side, TimeInForce
from tests.brokers.exchange import Exchange
from tests.brokers.ls.conftest import Open, notices
from tests.brokers.rig import until

KEY = "PSus000000000000000"


async def listed(broker: Broker, number: str) -> BrokerOrder:
    return next(o for o in await broker.get_open_orders() if o.broker_order_id == number)


async def test_each_exchange_code_leads_to_its_shares(started: Open) -> None:
    broker, _ = await started(KEY, market=Market.US)
    venues = {symbol: (await broker.get_instrument(symbol)).venue for symbol in ("AAPL", "BRK.B", "SPY")}
    assert venues == {"AAPL": Venue.NASDAQ, "BRK.B": Venue.NYSE, "SPY": Venue.AMEX}
    assert (await broker.get_instrument("SPY")).type is InstrumentType.ETF
    assert (await broker.get_instrument("BRK/B")).symbol == "BRK.B"
    with pytest.raises(NotFound):
        await broker.get_instrument("BRK.C")


async def test_the_list_names_every_share_once(started: Open) -> None:
    broker, _ = await started(KEY, market=Market.US)
    symbols = [one.symbol for one in await broker.list_instruments()]
    assert len(symbols) == len(set(symbols))
    assert {"AAPL", "TSLA", "SPY", "BRK.B"} <= set(symbols)


async def test_a_class_share_is_traded_streamed_and_held_under_one_name(started: Open) -> None:
    broker, heard = await started("PSclass000000000000", market=Market.US)
    await broker.subscribe("BRK.B")
    await broker.subscribe("BRK.B", book=True)
    ack = await broker.place_order("BRK/B", Side.BUY, 2, None, order_type=OrderType.MARKET)
    await until(lambda: bool(notices(heard, ack.broker_order_id, "filled")))
    assert notices(heard, ack.broker_order_id, "filled")[0].symbol == "BRK.B"
    assert [(held.symbol, held.quantity) for held in await broker.get_positions()] == [("BRK.B", 2)]
    await until(lambda: any(isinstance(e, Tick) and e.symbol == "BRK.B" for e in heard))
    await until(lambda: any(isinstance(e, OrderBook) and e.symbol == "BRK.B" for e in heard))
    quotes = await broker.get_quotes(["BRK/B", "ZZZZZZ", "AAPL"])
    assert [quote.symbol for quote in quotes] == ["BRK.B", "AAPL"]


async def test_a_market_buy_leaves_as_a_limit_above_the_last_price(started: Open, exchange: Exchange) -> None:
    broker, heard = await started("PSmarket00000000000", market=Market.US)
    last = (await broker.get_quote("TSLA")).last
    mark = exchange.mark()
    ack = await broker.place_order("TSLA", Side.BUY, 1, None, order_type=OrderType.MARKET)
    (sent,) = exchange.events(mark, "ORDER")
    assert Decimal(str(sent["price"])) == pytest.approx(last * Decimal("1.05"), rel=Decimal("0.01"))
    await until(lambda: bool(notices(heard, ack.broker_order_id, "filled")))
    sold = await broker.place_order("TSLA", Side.SELL, 1, None, order_type=OrderType.MARKET)
    await until(lambda: bool(notices(heard, sold.broker_order_id, "filled")))
    assert await broker.get_positions() == []


async def test_an_amend_changes_the_price_and_nothing_else(started: Open) -> None:
    broker, heard = await started("PSamend000000000000", market=Market.US)
    ack = await broker.place_order("AAPL", Side.BUY, 3, Decimal("150.00"))
    order = await listed(broker, ack.broker_order_id)
    with pytest.raises(NotSupported, match="가격만"):
        await broker.amend_order(order, 2, Decimal("151.00"))
    child = await broker.amend_order(order, 3, Decimal("151.00"))
    await until(lambda: bool(notices(heard, child.broker_order_id, "amended")))
    amended = await listed(broker, child.broker_order_id)
    assert (amended.price, amended.orig_order_id, amended.venue) == (Decimal(151), order.broker_order_id, Venue.NASDAQ)
    await broker.cancel_order(amended, 3)
    await until(lambda: any(n for n in heard if getattr(n, "kind", "") == "canceled"))
    assert await broker.get_open_orders() == []


async def test_an_order_type_that_ls_lacks_never_leaves(started: Open, exchange: Exchange) -> None:
    broker, _ = await started(KEY, market=Market.US)
    mark = exchange.mark()
    for kind in (OrderType.MOO, OrderType.MOC):
        with pytest.raises(NotSupported):
            await broker.place_order("AAPL", Side.BUY, 1, None, order_type=kind)
    with pytest.raises(NotSupported):
        await broker.place_order("AAPL", Side.BUY, 1, Decimal(150), time_in_force=TimeInForce.IOC)
    with pytest.raises(NotSupported):
        await broker.place_order("AAPL", Side.BUY, 1, Decimal(150), session=OrderSession.DAY_MARKET)
    for venue in (Venue.NYSE, Venue.KRX):
        with pytest.raises(UnknownSymbol):
            await broker.place_order("AAPL", Side.BUY, 1, Decimal(150), venue=venue)
    assert exchange.events(mark, "ORDER") == []


async def test_an_order_for_the_close_rests_until_then(started: Open) -> None:
    broker, _ = await started("PSloc00000000000000", market=Market.US)
    ack = await broker.place_order("AAPL", Side.BUY, 1, Decimal("150.00"), order_type=OrderType.LOC)
    order = await listed(broker, ack.broker_order_id)
    assert order.order_type is OrderType.LOC
    await broker.cancel_order(order, 1)


async def test_an_order_whose_exchange_is_named_needs_no_question(started: Open, exchange: Exchange) -> None:
    broker, _ = await started("PSaway0000000000000", market=Market.US)
    away = {"rsp_cd": "IGW50008", "rsp_msg": "…"}
    exchange.fault("status", {"broker": "LS", "tr": "g3104"}, {"status": 500, "body": away}, count=50)
    ack = await broker.place_order("AAPL", Side.BUY, 1, Decimal("150.00"), venue=Venue.NASDAQ)
    order = await listed(broker, ack.broker_order_id)
    await broker.cancel_order(order, 1)
    assert await broker.get_open_orders() == []


async def test_a_detail_has_tick_lot_and_tradability(started: Open) -> None:
    broker, _ = await started(KEY, market=Market.US)
    detail = await broker.get_detail("AAPL")
    assert (detail.tick_size, detail.lot, detail.tradable) == (Decimal("0.01"), 1, True)
    assert detail.prev_close is not None and detail.last > 0


@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.D1])
async def test_older_bars_end_where_they_were_asked_to(started: Open, timeframe: Timeframe) -> None:
    broker, _ = await started(KEY, market=Market.US)
    until_then = SystemClock().market_now() - timedelta(seconds=3 * timeframe.seconds)
    bars = await broker.get_bars("AAPL", timeframe, 5, until=until_then)
    assert len(bars) == 5 and bars[-1].start <= until_then
    assert all(bar.closed for bar in bars)


@pytest.mark.parametrize("timeframe", [Timeframe.W1, Timeframe.MN1])
async def test_weeks_and_months_begin_where_they_begin(started: Open, timeframe: Timeframe) -> None:
    broker, _ = await started(KEY, market=Market.US)
    days = [SESSION.day(bar.start) for bar in await broker.get_bars("AAPL", timeframe, 3)]
    assert days and days == sorted(set(days))
    assert all(day.weekday() == 0 if timeframe is Timeframe.W1 else day.day == 1 for day in days)


async def test_profit_by_period_is_not_offered(started: Open) -> None:
    broker, _ = await started(KEY, market=Market.US)
    today = SystemClock().market_now().date()
    with pytest.raises(NotSupported, match="미국주식 기간손익"):
        await broker.get_period_profit(today, today)


async def test_days_and_trades_come_from_the_plain_calls_where_the_chart_does_not_answer(
    started: Open, exchange: Exchange
) -> None:
    broker, _ = await started("PStable000000000000", market=Market.US)
    today = SESSION.day(SystemClock().market_now())  # over or not, this exchange trades on in it

    async def days() -> list[Bar]:
        return [bar for bar in await broker.get_bars("MSFT", Timeframe.D1, 40) if SESSION.day(bar.start) < today]

    chart = await days()
    for tr in ("g3204", "g3102"):
        body = {"rsp_cd": "IGW40013", "rsp_msg": "조회에 실패"}
        exchange.fault("body", {"broker": "LS", "channel": "rest", "tr": tr}, {"body": body, "status": 500}, 0)
    table = await days()
    assert len(chart) >= 39 and table == chart
    assert [bar.start for bar in await broker.get_bars("MSFT", Timeframe.W1, 3, until=chart[-1].start)]
    trades = await broker.get_trades("MSFT", 5)
    assert len(trades) == 5 and all(trade.price > 0 and trade.quantity > 0 for trade in trades)
    assert [trade.at for trade in trades] == sorted((trade.at for trade in trades), reverse=True)
