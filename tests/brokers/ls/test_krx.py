"""Korean shares at LS, the whole contract against the running exchange: venues, boards, batches, details, profit."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from brokers.ls.codec_krx import SESSION
from shared.clock import SystemClock
from shared.domain.account import Wire
from shared.domain.errors import NotFound, NotSupported
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.market import OrderBook, Tick, Timeframe
from shared.domain.order import OrderSession, OrderType, Side
from tests.brokers.exchange import Exchange
from tests.brokers.ls.conftest import LIVE_LIKE, MOCK_LIKE, Open, notices
from tests.brokers.rig import until

SAMSUNG, KOSDAQ_SHARE, FUND = "005930", "247540", "069500"


async def test_both_boards_and_funds_are_listed(started: Open) -> None:
    broker, _ = await started(LIVE_LIKE)
    listed = {one.symbol: one for one in await broker.list_instruments()}
    assert (listed[SAMSUNG].board, listed[KOSDAQ_SHARE].board) == ("KOSPI", "KOSDAQ")
    assert listed[FUND].type is InstrumentType.ETF
    assert listed[SAMSUNG] == await broker.get_instrument(SAMSUNG)


@pytest.mark.parametrize("symbol", [SAMSUNG, KOSDAQ_SHARE])
async def test_each_boards_trades_and_books_come_on_its_own_channel(started: Open, symbol: str) -> None:
    broker, heard = await started(LIVE_LIKE)
    await broker.subscribe(symbol)
    await broker.subscribe(symbol, book=True)
    await until(lambda: any(isinstance(e, Tick) and e.symbol == symbol for e in heard))
    await until(lambda: any(isinstance(e, OrderBook) and e.symbol == symbol for e in heard))
    (book,) = [e for e in heard if isinstance(e, OrderBook)][-1:]
    assert book.bids[0].price < book.asks[0].price
    await broker.unsubscribe(symbol, book=True)


async def test_the_unified_feed_has_trades_and_books(started: Open) -> None:
    broker, heard = await started(LIVE_LIKE)
    await broker.subscribe(SAMSUNG, venue=Venue.SOR)
    await broker.subscribe(SAMSUNG, venue=Venue.SOR, book=True)
    await until(lambda: any(isinstance(e, Tick) for e in heard))
    await until(lambda: any(isinstance(e, OrderBook) and bool(e.bids) for e in heard))
    with pytest.raises(NotSupported):
        await broker.subscribe(SAMSUNG, venue=Venue.NASDAQ)


async def test_quotes_of_a_venue_agree_with_its_book(started: Open) -> None:
    broker, _ = await started(LIVE_LIKE)
    for venue in (None, Venue.KRX, Venue.NXT, Venue.SOR):
        quote = await broker.get_quote(SAMSUNG, venue=venue)
        book = await broker.get_order_book(SAMSUNG, venue=venue)
        assert quote.last > 0 and all(bid.price < ask.price for bid in book.bids for ask in book.asks)
    with pytest.raises(NotSupported):
        await broker.get_quote(SAMSUNG, venue=Venue.NYSE)


async def test_many_quotes_are_one_call(started: Open) -> None:
    broker, _ = await started(LIVE_LIKE)
    before = broker.rate_budget()
    quotes = await broker.get_quotes([SAMSUNG, KOSDAQ_SHARE])
    assert [quote.symbol for quote in quotes] == [SAMSUNG, KOSDAQ_SHARE]
    assert before.quotes_a_call == 50
    assert broker.rate_budget().used_last_s <= before.used_last_s + 1
    assert await broker.get_quotes([]) == []


async def test_an_unknown_symbol_is_left_out_of_many_quotes(started: Open) -> None:
    broker, _ = await started(LIVE_LIKE)
    assert [quote.symbol for quote in await broker.get_quotes([SAMSUNG, "999999"])] == [SAMSUNG]


async def test_a_detail_surrounds_the_price(started: Open) -> None:
    broker, _ = await started(LIVE_LIKE)
    detail = await broker.get_detail(SAMSUNG)
    assert detail.last > 0 and detail.lot == 1
    assert detail.low is not None and detail.high is not None and detail.low <= detail.last <= detail.high
    with pytest.raises(NotFound):
        await broker.get_detail("999999")


@pytest.mark.parametrize("timeframe", [Timeframe.W1, Timeframe.MN1])
async def test_weeks_and_months_begin_where_they_begin(started: Open, timeframe: Timeframe) -> None:
    broker, _ = await started(LIVE_LIKE)
    bars = await broker.get_bars(SAMSUNG, timeframe, 3)
    days = [SESSION.day(bar.start) for bar in bars]
    assert bars and days == sorted(set(days))
    assert all(day.weekday() == 0 if timeframe is Timeframe.W1 else day.day == 1 for day in days)


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M15, Timeframe.D1])
async def test_older_bars_end_where_they_were_asked_to(started: Open, timeframe: Timeframe) -> None:
    broker, _ = await started(LIVE_LIKE)
    until_then = SystemClock().market_now() - timedelta(seconds=3 * timeframe.seconds)
    bars = await broker.get_bars(SAMSUNG, timeframe, 5, until=until_then)
    newest = await broker.get_bars(SAMSUNG, timeframe, 12)
    assert len(bars) == 5
    assert bars[-1].start <= until_then
    closed = {bar.start: bar for bar in newest if bar.closed}
    assert all(closed[bar.start].close == bar.close for bar in bars if bar.start in closed)
    assert not any(bars[-1].start < bar.start <= until_then for bar in newest)


async def test_an_order_at_nxt_is_listed_there(started: Open) -> None:
    broker, _ = await started(LIVE_LIKE)
    ack = await broker.place_order(SAMSUNG, Side.BUY, 1, Decimal(60000), venue=Venue.NXT)
    order = next(o for o in await broker.get_open_orders() if o.broker_order_id == ack.broker_order_id)
    assert order.venue is Venue.NXT
    await broker.cancel_order(order, 1)


async def test_todays_sales_are_told_with_what_was_realised(started: Open) -> None:
    broker, heard = await started("PSprofit00000000000")
    today = SESSION.day(SystemClock().market_now())
    for side in (Side.BUY, Side.SELL):
        ack = await broker.place_order(SAMSUNG, side, 2, None, order_type=OrderType.MARKET)
        await until(lambda number=ack.broker_order_id: bool(notices(heard, number, "filled")))  # type: ignore[misc]
    profit = await broker.get_period_profit(today, today)
    assert profit.realized is not None and profit.fees is not None and profit.taxes is not None
    (row,) = profit.rows
    assert (row.symbol, row.quantity, row.trade_date) == (SAMSUNG, 2, today)
    assert row.sold > 0 and row.bought is None
    longer = await broker.get_period_profit(today - timedelta(days=1), today)
    assert longer.realized is None and longer.rows[-1] == row


async def test_mock_trading_tells_what_was_realised_today_alone(started: Open) -> None:
    broker, _ = await started(MOCK_LIKE, Wire.MOCK)
    today = SESSION.day(SystemClock().market_now())
    profit = await broker.get_period_profit(today, today)
    assert (profit.fees, profit.taxes, profit.rows) == (None, None, ())
    with pytest.raises(NotSupported):
        await broker.get_period_profit(today - timedelta(days=1), today)


async def test_settled_holdings_leave_out_what_was_bought_today(started: Open) -> None:
    broker, heard = await started("PSsettled0000000000")
    ack = await broker.place_order(SAMSUNG, Side.BUY, 2, None, order_type=OrderType.MARKET)
    await until(lambda: bool(notices(heard, ack.broker_order_id, "filled")))
    assert [held.quantity for held in await broker.get_positions()] == [2]
    assert sum(held.quantity for held in await broker.get_positions(settled=True)) in {0, 2}


async def test_what_ls_does_not_offer_is_said_in_both_languages(started: Open) -> None:
    broker, _ = await started(LIVE_LIKE)
    now: datetime = SystemClock().market_now()
    for session in (OrderSession.DAY_MARKET, OrderSession.RESERVED):
        with pytest.raises(NotSupported, match="지원하지 않습니다 / LS does not offer"):
            await broker.place_order(SAMSUNG, Side.BUY, 1, Decimal(60000), session=session)
    with pytest.raises(NotSupported, match="예약주문"):
        await broker.get_reserved_orders(now.date(), now.date())
    assert await broker.is_open_day(now.date()) is None


async def test_a_token_given_back_is_asked_for_again_at_the_next_start(
    started: Open, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brokers.ls.auth.PAUSE", timedelta(0))
    broker, _ = await started("PSrevoke00000000000")
    await broker.revoke_token()
    mark = exchange.mark()
    await broker.start()
    assert (await broker.get_cash()).total > 0
    assert len(exchange.events(mark, "TOKEN")) == 1
