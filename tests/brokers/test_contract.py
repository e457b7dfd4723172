"""What any Broker must do, asked of every adapter against the real local exchange. No test names a broker."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pytest

from brokers import open_broker
from brokers.contract import Broker, BrokerEvent, CallRecord, Credentials, NoticeUnreadable, StreamDown, StreamUp
from brokers.paper.accounts import fingerprint, ls_number
from shared.clock import SystemClock
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.errors import (
    BadPrice,
    InsufficientFunds,
    NotFound,
    NotSupported,
    OrderRejected,
    OutcomeUnknown,
    UnknownSymbol,
)
from shared.domain.instrument import Venue
from shared.domain.market import Tick, Timeframe
from shared.domain.order import BrokerOrder, OrderNotice, OrderSession, OrderType, Side
from tests.brokers.exchange import Exchange, running
from tests.brokers.rig import MemoryTokens, until

SERIAL = itertools.count(1)


def app_key(serial: int) -> str:
    return f"KEY{serial:033d}"


@dataclass(frozen=True)
class Case:
    """One adapter in one market. `resting` is a price that never fills, `off_tick` one that cannot stand."""

    broker: BrokerName
    market: Market
    symbol: str
    unknown_symbol: str
    resting: Decimal
    off_tick: Decimal
    more_than_a_page: int  # orders that need a second page
    account_no: Callable[[int], str]

    @property
    def orders_of(self) -> dict[str, str]:
        """Matches this case's orders in a fault."""
        return {"broker": self.broker, "channel": "rest", "symbol": self.symbol, "side": "BUY"}


CASES = [
    Case(
        BrokerName.KIS, Market.US, "AAPL", "ZZZZZZ", Decimal("150.00"), Decimal("150.005"), 21, lambda n: f"{n:08d}-01"
    ),
    Case(BrokerName.KIS, Market.KRX, "005930", "999999", Decimal(60000), Decimal(60050), 51, lambda n: f"{n:08d}-01"),
    # At LS the key selects the account; the local exchange derives its number from the key.
    Case(
        BrokerName.LS,
        Market.KRX,
        "005930",
        "999999",
        Decimal(60000),
        Decimal(60050),
        101,
        lambda n: ls_number(fingerprint(app_key(n))),
    ),
    Case(
        BrokerName.LS,
        Market.US,
        "AAPL",
        "ZZZZZZ",
        Decimal("150.00"),
        Decimal("150.005"),
        101,
        lambda n: ls_number(fingerprint(app_key(n))),
    ),
]


@dataclass
class Account:
    """A started account of one case, with everything it heard."""

    case: Case
    broker: Broker
    tokens: MemoryTokens
    events: list[BrokerEvent] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)

    @property
    def own_calls(self) -> dict[str, str]:
        """Matches the calls that name this account, in a fault."""
        return {
            "broker": self.case.broker,
            "channel": "rest",
            "account": self.case.account_no(self.broker.key.account_id),
        }

    def heard(self, kind: type) -> list[BrokerEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def notices(self, broker_order_id: str) -> list[str]:
        return [n.kind for n in self.events if isinstance(n, OrderNotice) and n.broker_order_id == broker_order_id]

    async def listen(self) -> None:
        async for event in self.broker.events():
            self.events.append(event)

    async def executed(self, broker_order_id: str) -> BrokerOrder | None:
        today = SystemClock().market_now().date()
        orders = await self.broker.get_executions(today - timedelta(days=1), today + timedelta(days=1))
        return next((order for order in orders if order.broker_order_id == broker_order_id), None)

    async def open_ids(self) -> list[str]:
        return [order.broker_order_id for order in await self.broker.get_open_orders()]

    async def rest_an_order(self, quantity: int = 2) -> BrokerOrder:
        """Place a buy that will not fill and return it as the broker lists it."""
        ack = await self.broker.place_order(self.case.symbol, Side.BUY, quantity, self.case.resting)
        return next(o for o in await self.broker.get_open_orders() if o.broker_order_id == ack.broker_order_id)


Opener = Callable[..., Awaitable[Account]]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    with running(tmp_path_factory.mktemp("exchange")) as started:
        yield started


@pytest.fixture(params=CASES, ids=lambda case: f"{case.broker}-{case.market}")
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture
async def opened(case: Case, exchange: Exchange) -> AsyncIterator[Opener]:
    """Open accounts of the case; each has its own number and key unless told otherwise."""
    listening: list[tuple[Account, asyncio.Task[None]]] = []

    async def open_one(serial: int | None = None, tokens: MemoryTokens | None = None) -> Account:
        n = next(SERIAL) if serial is None else serial
        tokens = tokens or MemoryTokens()
        calls: list[CallRecord] = []
        broker = open_broker(
            AccountKey(n, case.broker, case.market, Environment.SIM, 1),
            Credentials(app_key(n), f"SECRET{n:0174d}", case.account_no(n), f"HTS{n:05d}"),
            clock=SystemClock(),
            token_store=tokens,
            call_log=calls.append,
            exchange_port_offset=exchange.offset,
        )
        account = Account(case, broker, tokens, calls=calls)
        listening.append((account, asyncio.create_task(account.listen())))
        await broker.start()
        return account

    yield open_one
    exchange.mend()
    for account, task in listening:
        await account.broker.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def account(opened: Opener) -> Account:
    made = await opened()
    await until(lambda: bool(made.heard(StreamUp)))
    return made


async def test_a_market_buy_is_noticed_listed_held_and_paid(account: Account) -> None:
    before = await account.broker.get_cash()
    ack = await account.broker.place_order(account.case.symbol, Side.BUY, 3, None, order_type=OrderType.MARKET)
    await until(lambda: "filled" in account.notices(ack.broker_order_id))
    order = await account.executed(ack.broker_order_id)
    assert order is not None
    assert (order.filled_quantity, order.leaves_quantity, order.side) == (3, 0, Side.BUY)
    assert order.average_fill_price is not None
    (position,) = await account.broker.get_positions()
    assert (position.symbol, position.quantity, position.sellable) == (account.case.symbol, 3, 3)
    assert position.average_price == pytest.approx(order.average_fill_price, rel=Decimal("0.01"))
    after = await account.broker.get_cash()
    assert after.currency is account.case.market.currency
    assert before.total - after.total == pytest.approx(3 * order.average_fill_price, rel=Decimal("0.01"))
    assert abs((ack.acknowledged_at - SystemClock().wall_now()).total_seconds()) < 30


async def test_a_sale_of_everything_leaves_no_position(account: Account) -> None:
    symbol = account.case.symbol
    bought = await account.broker.place_order(symbol, Side.BUY, 2, None, order_type=OrderType.MARKET)
    await until(lambda: "filled" in account.notices(bought.broker_order_id))
    sold = await account.broker.place_order(symbol, Side.SELL, 2, None, order_type=OrderType.MARKET)
    await until(lambda: "filled" in account.notices(sold.broker_order_id))
    assert await account.broker.get_positions() == []


async def test_todays_orders_are_told_after_the_close_when_the_next_trade_date_counts(account: Account) -> None:
    order = await account.rest_an_order()
    for days in (1, 3):
        later = SystemClock().market_now().date() + timedelta(days=days)
        rows = await account.broker.get_executions(later, later)
        assert order.broker_order_id in [row.broker_order_id for row in rows]


async def test_a_resting_order_is_open_until_it_is_cancelled(account: Account) -> None:
    order = await account.rest_an_order()
    assert (order.symbol, order.quantity, order.leaves_quantity) == (account.case.symbol, 2, 2)
    assert (order.price, order.filled_quantity, order.average_fill_price) == (account.case.resting, 0, None)
    assert abs(order.ordered_at - SystemClock().market_now()) < timedelta(minutes=10)  # at whatever hour this runs
    if account.broker.executions_show_open:
        assert await account.executed(order.broker_order_id) == order
    await account.broker.cancel_order(order, 2)
    assert await account.open_ids() == []
    done = await account.executed(order.broker_order_id)
    assert done is not None and done.canceled and not done.rejected and done.leaves_quantity == 0


async def test_an_order_can_be_cancelled_after_a_restart(account: Account, opened: Opener) -> None:
    order = await account.rest_an_order()
    again = await opened(account.broker.key.account_id, account.tokens)
    await again.broker.cancel_order(order, order.leaves_quantity)
    assert await again.open_ids() == []


async def test_an_amended_order_has_a_new_number_and_names_its_original(account: Account) -> None:
    order = await account.rest_an_order()
    price = account.case.resting + 100 if account.case.market is Market.KRX else account.case.resting + 1
    ack = await account.broker.amend_order(order, 2, price)
    assert ack.broker_order_id != order.broker_order_id
    (amended,) = await account.broker.get_open_orders()
    assert (amended.broker_order_id, amended.price) == (ack.broker_order_id, price)
    assert amended.orig_order_id == order.broker_order_id


@pytest.mark.parametrize(("fault", "args", "placed"), [
    ("drop_after_accept", {}, 1),
    ("drop_before_accept", {}, 0),
    ("reset", {"accept": True}, 1),
    ("garbage", {"accept": True}, 1),
    ("cut_after_bytes", {"bytes": 20}, 1),
    ("status", {"status": 502, "body": "<html>", "accept": True}, 1),
    ("body", {"body": {"rt_cd": "1", "rsp_cd": "99999", "msg_cd": "XXXX0001"}, "accept": True}, 1),
])  # fmt: skip
async def test_a_lost_answer_is_unknown_and_the_order_went_once(
    account: Account, exchange: Exchange, fault: str, args: dict[str, object], placed: int
) -> None:
    exchange.fault(fault, account.case.orders_of, args)
    mark = exchange.mark()
    with pytest.raises(OutcomeUnknown):
        await account.broker.place_order(account.case.symbol, Side.BUY, 1, account.case.resting)
    assert len(exchange.events(mark, "ORDER")) == placed
    assert len(await account.open_ids()) == placed


async def test_a_cancel_without_an_answer_is_unknown(account: Account, exchange: Exchange) -> None:
    order = await account.rest_an_order()
    exchange.fault("drop_after_accept", account.own_calls)
    with pytest.raises(OutcomeUnknown):
        await account.broker.cancel_order(order, 2)
    assert await account.open_ids() == []


async def test_too_large_an_order_is_insufficient_funds(account: Account, exchange: Exchange) -> None:
    amount, shares = await account.broker.get_buying_power(account.case.symbol, account.case.resting)
    assert 0 < shares * account.case.resting <= amount
    mark = exchange.mark()
    with pytest.raises(InsufficientFunds):
        await account.broker.place_order(account.case.symbol, Side.BUY, shares * 2, account.case.resting)
    assert exchange.events(mark, "ORDER") == []


async def test_a_price_off_the_tick_is_a_bad_price(account: Account, exchange: Exchange) -> None:
    mark = exchange.mark()
    with pytest.raises(BadPrice):
        await account.broker.place_order(account.case.symbol, Side.BUY, 1, account.case.off_tick)
    assert exchange.events(mark, "ORDER") == []


@pytest.mark.parametrize(
    ("kind", "priced", "quantity", "error"),
    [
        (OrderType.LIMIT, False, 1, BadPrice),
        (OrderType.MARKET, True, 1, BadPrice),
        (OrderType.LIMIT, True, 0, OrderRejected),
        (OrderType.LIMIT, True, -1, OrderRejected),
    ],
)
async def test_what_cannot_be_an_order_never_leaves(
    account: Account, exchange: Exchange, kind: OrderType, priced: bool, quantity: int, error: type[Exception]
) -> None:
    mark = exchange.mark()
    price = account.case.resting if priced else None
    with pytest.raises(error):
        await account.broker.place_order(account.case.symbol, Side.BUY, quantity, price, order_type=kind)
    assert exchange.events(mark, "ORDER") == []


async def test_an_unknown_symbol_is_named(account: Account, exchange: Exchange) -> None:
    mark = exchange.mark()
    with pytest.raises(NotFound):
        await account.broker.get_instrument(account.case.unknown_symbol)
    with pytest.raises(UnknownSymbol):
        await account.broker.place_order(account.case.unknown_symbol, Side.BUY, 1, account.case.resting)
    assert exchange.events(mark, "ORDER") == []


async def test_ticks_of_wanted_symbols_arrive(account: Account) -> None:
    await account.broker.subscribe(account.case.symbol)
    await until(lambda: len(account.heard(Tick)) >= 2)
    tick = account.heard(Tick)[-1]
    assert isinstance(tick, Tick)
    assert tick.symbol == account.case.symbol and tick.price > 0 and tick.quantity > 0
    assert abs((tick.received_at - tick.at).total_seconds()) < 10
    await account.broker.unsubscribe(account.case.symbol)


async def test_a_kicked_stream_says_so_and_comes_back_with_its_symbols(account: Account, exchange: Exchange) -> None:
    await account.broker.subscribe(account.case.symbol)
    await until(lambda: bool(account.heard(Tick)))
    account.events.clear()
    exchange.fault("kick", {"broker": account.case.broker, "channel": "ws"}, {"abrupt": True})
    await until(lambda: bool(account.heard(StreamDown)))
    await until(lambda: bool(account.heard(StreamUp)))
    back = account.events.index(account.heard(StreamUp)[0])
    await until(lambda: any(isinstance(event, Tick) for event in account.events[back:]))


async def test_an_order_notice_that_cannot_be_read_asks_for_a_reconcile(account: Account, exchange: Exchange) -> None:
    match = {"broker": account.case.broker, "channel": "ws", "side": "BUY"}
    exchange.fault("garbage", match)
    await account.broker.place_order(account.case.symbol, Side.BUY, 1, account.case.resting)
    await until(lambda: bool(account.heard(NoticeUnreadable)))


async def test_a_token_survives_a_restart(account: Account, opened: Opener, exchange: Exchange) -> None:
    mark = exchange.mark()
    again = await opened(account.broker.key.account_id, account.tokens)
    assert (await again.broker.get_cash()).total > 0
    assert exchange.events(mark, "TOKEN") == []


async def test_lists_longer_than_a_page_are_complete(account: Account, opened: Opener) -> None:
    serial, wanted = account.broker.key.account_id, account.case.more_than_a_page
    desks = [account, await opened(serial, account.tokens), await opened(serial, account.tokens)]
    acks = await asyncio.gather(
        *(
            desks[n % 3].broker.place_order(account.case.symbol, Side.BUY, 1, account.case.resting)
            for n in range(wanted)
        )
    )
    placed = {ack.broker_order_id for ack in acks}
    assert len(placed) == wanted
    assert set(await account.open_ids()) == placed


async def test_an_unreadable_answer_is_asked_again_and_never_taken_for_an_empty_list(
    account: Account, exchange: Exchange
) -> None:
    exchange.fault("garbage", {"broker": account.case.broker, "channel": "rest"}, count=1)
    assert await account.broker.get_positions() == []  # asked again
    assert [call.outcome for call in account.calls if call.outcome != "ok"] == ["BrokerUnavailable"]


@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M5, Timeframe.D1])
async def test_bars_come_oldest_first_and_only_the_last_may_be_open(account: Account, timeframe: Timeframe) -> None:
    bars = await account.broker.get_bars(account.case.symbol, timeframe, 130)
    assert len(bars) == 130
    starts = [bar.start for bar in bars]
    assert starts == sorted(set(starts))
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    assert all(bar.closed for bar in bars[:-1])


async def test_the_last_trades_come_newest_first_and_like_the_streams(account: Account) -> None:
    try:
        found = await account.broker.get_trades(account.case.symbol, 5)
    except NotSupported:  # 모의투자 of US shares
        assert account.case.market is Market.US
        return
    assert 0 < len(found) <= 5
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert all(one.symbol == account.case.symbol and one.price > 0 and one.quantity > 0 for one in found)
    (bar,) = await account.broker.get_bars(account.case.symbol, Timeframe.M1, 1)
    assert abs(found[0].at - bar.start) < timedelta(
        minutes=30
    )  # of today, whatever part of the date the wire leaves out


async def test_korean_bars_and_trades_are_told_by_venue(account: Account) -> None:
    if account.case.market is not Market.KRX:
        return
    for timeframe in (Timeframe.M1, Timeframe.D1):
        bars = await account.broker.get_bars(account.case.symbol, timeframe, 30, venue=Venue.SOR)
        assert len(bars) == 30 and all(bar.low <= bar.close <= bar.high for bar in bars)
    assert await account.broker.get_trades(account.case.symbol, 3, venue=Venue.NXT)


async def test_bars_until_a_past_time_are_the_same_bars(account: Account) -> None:
    bars = await account.broker.get_bars(account.case.symbol, Timeframe.D1, 20)
    earlier = await account.broker.get_bars(account.case.symbol, Timeframe.D1, 5, until=bars[9].start)
    assert [(bar.start, bar.close) for bar in earlier] == [(bar.start, bar.close) for bar in bars[5:10]]


async def test_what_is_not_offered_says_so_in_both_languages_and_the_rest_answers(account: Account) -> None:
    broker, symbol = account.broker, account.case.symbol
    today = SystemClock().market_now().date()
    asked: list[Awaitable[object]] = [
        broker.get_period_profit(today - timedelta(days=1), today),
        broker.get_reserved_orders(today - timedelta(days=1), today),
        broker.get_positions(settled=True),
        broker.get_detail(symbol),
        broker.list_instruments(),
        broker.get_bars(symbol, Timeframe.W1, 5),
        broker.get_bars(symbol, Timeframe.MN1, 5),
        broker.get_quote(symbol, session=OrderSession.DAY_MARKET),
        broker.subscribe(symbol, book=True),
    ]
    for one in asked:
        try:
            assert await one is not False
        except NotSupported as e:
            assert re.search(r"[가-힣].* / .*[a-z]", e.message), e.message


@pytest.mark.parametrize("session", [OrderSession.DAY_MARKET, OrderSession.RESERVED])
async def test_an_order_of_another_session_is_taken_or_named_as_not_offered(
    account: Account, exchange: Exchange, session: OrderSession
) -> None:
    mark = exchange.mark()
    try:
        ack = await account.broker.place_order(account.case.symbol, Side.BUY, 1, account.case.resting, session=session)
    except NotSupported as e:
        assert re.search(r"[가-힣].* / .*[a-z]", e.message), e.message
        assert exchange.events(mark, "ORDER") == []
    else:
        assert ack.broker_order_id


async def test_the_brokers_calendar_is_a_yes_a_no_or_nothing(account: Account) -> None:
    assert await account.broker.is_open_day(date(2026, 11, 21)) in {False, None}  # a Saturday
    assert await account.broker.is_open_day(date(2026, 11, 21)) in {False, None}


async def test_a_quote_and_a_book_agree(account: Account) -> None:
    quote = await account.broker.get_quote(account.case.symbol)
    book = await account.broker.get_order_book(account.case.symbol)
    assert book.bids[0].price < book.asks[0].price
    assert abs(book.bids[0].price / quote.last - 1) < Decimal("0.02")


async def test_every_call_is_logged_without_a_secret(account: Account) -> None:
    await account.rest_an_order()
    n = account.broker.key.account_id
    assert len(account.calls) > 4 and account.broker.rate_budget().used_last_s > 0
    shown = "".join(call.request + call.response for call in account.calls)
    assert account.tokens.token is not None
    for secret in (app_key(n), f"SECRET{n:0174d}", account.tokens.token.value, account.case.account_no(n)[:8]):
        assert secret not in shown
