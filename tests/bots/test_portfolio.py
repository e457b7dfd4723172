"""Holdings, cash and the day's figures between two looks at the broker: never more than there is, never less risk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from bots.daybook import DayBook
from bots.journal import Changes
from bots.lots import LotBook, shrunk
from bots.orders import RuleLot
from bots.portfolio import Portfolio
from bots.trading_hours import TradingHours
from shared import calendars
from shared.domain.account import Environment
from shared.domain.errors import OutcomeUnknown
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import Cash, OrderType, Position, Side, TimeInForce
from tests.bots.conftest import TODAY, Room
from tests.fakes import KEY, START

PRICES = {"AAPL": Decimal(110)}


def portfolio_of(room: Room, *, quantity: int = 10, sellable: int | None = 10, cash: str = "5000") -> Portfolio:
    portfolio = Portfolio(room.orders, PRICES.get)
    held = Position("AAPL", quantity, sellable, Decimal(100), Currency.USD)
    money = Cash(Currency.USD, Decimal(cash), Decimal(cash), START)
    portfolio.take((held,), money, room.clock.wall_now())
    room.clock.pass_s(1)
    return portfolio


async def test_an_open_buy_counts_against_cash_until_the_broker_has_seen_it(room: Room) -> None:
    portfolio = portfolio_of(room)
    order = await room.desk.place(room.request(quantity=10, price="100.00"), TODAY)
    assert portfolio.buying_power() == 4000
    room.broker.fill(order.broker_order_id or "", 10, "99.00")
    await room.look()
    assert portfolio.buying_power() == 4010
    room.clock.pass_s(5)
    portfolio.take((), Cash(Currency.USD, Decimal(4010), Decimal(4010), START), room.clock.wall_now())
    assert portfolio.buying_power() == 4010


async def test_an_unknown_buy_counts_even_after_a_later_look(room: Room) -> None:
    def lose(row: object) -> None:
        raise OutcomeUnknown("KIS", "-", "no answer")

    room.broker.on_place = lose
    portfolio = portfolio_of(room)
    await room.desk.place(room.request(quantity=10, price="100.00"), TODAY)
    room.clock.pass_s(5)
    portfolio.take((), Cash(Currency.USD, Decimal(5000), Decimal(5000), START), room.clock.wall_now())
    assert portfolio.buying_power() == 4000


async def test_two_sales_never_offer_the_same_share(room: Room) -> None:
    portfolio = portfolio_of(room, quantity=10, sellable=8)
    assert portfolio.free_to_sell("AAPL") == 8
    await room.desk.place(room.request(Side.SELL, 5, reduces=True), TODAY)
    assert portfolio.free_to_sell("AAPL") == 3
    room.clock.pass_s(5)  # the broker has seen the sale and takes it off the sellable quantity itself
    seen = Position("AAPL", 10, 3, Decimal(100), Currency.USD)
    portfolio.take((seen,), Cash(Currency.USD, Decimal(0), Decimal(0), START), room.clock.wall_now())
    assert portfolio.free_to_sell("AAPL") == 3


async def test_a_sale_that_the_broker_took_off_the_sellable_shares_is_not_taken_off_again_when_it_fills(
    room: Room,
) -> None:
    portfolio = portfolio_of(room, quantity=10, sellable=10)
    sale = await room.desk.place(room.request(Side.SELL, 6, reduces=True), TODAY)
    room.clock.pass_s(5)
    seen = Position("AAPL", 10, 4, Decimal(100), Currency.USD)
    portfolio.take((seen,), Cash(Currency.USD, Decimal(5000), Decimal(5000), START), room.clock.wall_now())
    room.broker.fill(sale.broker_order_id or "", 6, "100.00")
    await room.look()
    assert (portfolio.held("AAPL"), portfolio.free_to_sell("AAPL")) == (4, 4)
    again = await room.desk.place(room.request(Side.SELL, 4, reduces=True), TODAY)
    assert portfolio.free_to_sell("AAPL") == 0
    room.broker.fill(again.broker_order_id or "", 4, "100.00")
    await room.look()
    bought = await room.desk.place(room.request(quantity=2, price="100.00"), TODAY)
    room.broker.fill(bought.broker_order_id or "", 2, "100.00")
    await room.look()
    assert (portfolio.held("AAPL"), portfolio.free_to_sell("AAPL")) == (2, 2)


async def test_shares_of_a_canceled_sale_may_be_sold_again_at_once(room: Room) -> None:
    portfolio = portfolio_of(room, quantity=10, sellable=10)
    sale = await room.desk.place(room.request(Side.SELL, 6, reduces=True), TODAY)
    room.clock.pass_s(5)
    seen = Position("AAPL", 10, 4, Decimal(100), Currency.USD)
    portfolio.take((seen,), Cash(Currency.USD, Decimal(5000), Decimal(5000), START), room.clock.wall_now())
    room.broker.fill(sale.broker_order_id or "", 1, "100.00")
    await room.desk.cancel(sale.id, "test")
    await room.look()
    assert (portfolio.held("AAPL"), portfolio.free_to_sell("AAPL")) == (9, 9)


async def test_fills_since_the_look_change_holding_and_average(room: Room) -> None:
    portfolio = portfolio_of(room, quantity=10, sellable=10)
    order = await room.desk.place(room.request(quantity=10, price="110.00"), TODAY)
    room.broker.fill(order.broker_order_id or "", 10, "110.00")
    await room.look()
    position = portfolio.position("AAPL")
    assert position is not None and (position.quantity, position.average_price) == (20, Decimal(105))
    assert position.unrealized_pnl == 100
    assert portfolio.equity() == 5000 - 1100 + 20 * 110


def test_before_the_first_look_nothing_is_known(room: Room) -> None:
    portfolio = Portfolio(room.orders, PRICES.get)
    assert portfolio.free_to_sell("AAPL") is None and portfolio.buying_power() is None and portfolio.equity() is None


async def test_the_day_counts_from_its_mark_and_survives_a_restart(room: Room) -> None:
    book = DayBook(room.orders, ())
    assert book.pnl(TODAY, PRICES.get) is None  # not marked: not known, never zero
    held = Position("AAPL", 10, 10, Decimal(90), Currency.USD, last_price=Decimal(100))
    marks = book.first_marks(TODAY, (held,), PRICES.get)
    book.keep(marks)
    await room.journal.write(Changes(marks=marks))
    order = await room.desk.place(room.request(Side.SELL, 4, "108.00", reduces=True), TODAY)
    room.broker.fill(order.broker_order_id or "", 4, "108.00")
    await room.look()
    expected = 4 * (108 - 100) + 6 * (110 - 100)
    assert book.pnl(TODAY, PRICES.get) == expected
    assert book.expected(TODAY, "AAPL") == 6
    again = await room.restart()
    state = await again.journal.load(TODAY - timedelta(days=7))
    later = DayBook(again.orders, state.marks)
    assert later.pnl(TODAY, PRICES.get) == expected and later.order_count(TODAY) == 1
    assert later.pnl(TODAY, {}.get) is None  # a holding without a price: not known
    await again.journal.close()


async def test_a_day_that_lost_its_limit_stays_lost_until_the_limit_is_raised_or_the_day_ends(room: Room) -> None:
    book, limit = DayBook(room.orders, ()), Decimal(50)
    held = Position("AAPL", 10, 10, Decimal(90), Currency.USD, last_price=Decimal(100))
    book.keep(book.first_marks(TODAY, (held,), PRICES.get))
    assert book.lost(TODAY, limit, {"AAPL": Decimal("95.01")}.get) is None
    assert book.lost(TODAY, limit, {}.get) is None and book.lost(TODAY, Decimal(0), {"AAPL": Decimal(1)}.get) is None
    mark = book.lost(TODAY, limit, {"AAPL": Decimal(95)}.get)
    assert mark is not None and not book.halted(TODAY, limit)
    book.keep((mark,))
    await room.journal.write(Changes(marks=(mark,)))
    assert book.halted(TODAY, limit) and book.pnl(TODAY, {"AAPL": Decimal(120)}.get) == 200  # back, and still halted
    assert book.symbols() == {"AAPL"} and book.lost(TODAY, limit, {"AAPL": Decimal(1)}.get) is None
    again = await room.restart()
    later = DayBook(again.orders, (await again.journal.load(TODAY - timedelta(days=7))).marks)
    assert later.halted(TODAY, limit) and not later.halted(TODAY + timedelta(days=1), limit)
    assert not later.halted(TODAY, Decimal(51)) and later.lost(TODAY, Decimal(51), {"AAPL": Decimal(95)}.get) is None
    await again.journal.close()


async def test_open_and_unknown_buys_count_as_bought(room: Room) -> None:
    book, portfolio = DayBook(room.orders, ()), portfolio_of(room)
    await room.desk.place(room.request(quantity=10, price="100.00"), TODAY)
    filled = await room.desk.place(room.request(quantity=5, price="100.00", symbol="MSFT"), TODAY)
    room.broker.fill(filled.broker_order_id or "", 5, "98.00")
    await room.look()
    assert book.bought(TODAY, portfolio.reserve) == 1000 + 490


async def test_a_difference_to_the_broker_is_seen(room: Room) -> None:
    portfolio = portfolio_of(room, quantity=10)
    assert portfolio.differences(lambda symbol: 10) == {}
    assert portfolio.differences(lambda symbol: 12) == {"AAPL": (12, 10)}
    assert portfolio.differences(lambda symbol: None) == {}


def picture(room: Room, portfolio: Portfolio, quantity: int) -> None:
    """The broker is asked for everything and says `quantity`; our book says 10 and the day's fills."""
    sellable = quantity - sum(one.leaves for one in room.orders.open() if one.side is Side.SELL)
    held = Position("AAPL", quantity, sellable, Decimal(100), Currency.USD)
    portfolio.take((held,), Cash(Currency.USD, Decimal(5000), Decimal(5000), START), room.clock.wall_now())


def expected(room: Room, symbol: str) -> int:
    return 10 + sum(one.quantity if one.side is Side.BUY else -one.quantity for one in room.orders.fills)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("told", [(4,), (1, 3)])
async def test_a_fill_that_the_holdings_show_before_it_is_told_counts_once(
    room: Room, side: Side, told: tuple[int, ...]
) -> None:
    portfolio = portfolio_of(room)
    order = await room.desk.place(room.request(side, 6, reduces=side is Side.SELL), TODAY)
    after = 14 if side is Side.BUY else 6
    picture(room, portfolio, after)  # the broker filled 4 while it was asked; no list and no notice has said so
    assert portfolio.differences(lambda symbol: expected(room, symbol)) == {}
    for quantity in told:
        room.broker.fill(order.broker_order_id or "", quantity, "100.00")
        await room.look()
        position = portfolio.position("AAPL")
        assert position is not None
        assert (portfolio.held("AAPL"), position.quantity) == (after, after)
    free = portfolio.free_to_sell("AAPL")
    assert free is not None and free <= after - sum(one.leaves for one in room.orders.open() if one.side is Side.SELL)
    before = portfolio.before("AAPL")
    assert before is not None and before.held == 10  # the absence proof adds the fills itself
    room.broker.fill(order.broker_order_id or "", 2, "100.00")
    await room.look()
    assert portfolio.held("AAPL") == after + (2 if side is Side.BUY else -2)
    picture(room, portfolio, portfolio.held("AAPL"))
    assert portfolio.differences(lambda symbol: expected(room, symbol)) == {} and portfolio.ahead == {}


async def test_what_no_fill_explains_in_time_is_a_difference(room: Room) -> None:
    portfolio = portfolio_of(room)
    await room.desk.place(room.request(Side.SELL, 3, reduces=True), TODAY)
    found = []
    for _ in range(8):
        picture(room, portfolio, 8)
        found.append(portfolio.differences(lambda symbol: expected(room, symbol)))
        room.clock.pass_s(5)
    assert found == [{}] * 6 + [{"AAPL": (10, 8)}] * 2
    picture(room, portfolio, 6)  # more than is left of the sale
    assert portfolio.differences(lambda symbol: expected(room, symbol)) == {"AAPL": (10, 6)}


def lot(rule_id: int, quantity: int) -> RuleLot:
    return RuleLot(rule_id, "AAPL", quantity, Decimal(100) * quantity, START, 1, Decimal(100))


def test_rules_never_claim_more_than_the_broker_holds() -> None:
    book = LotBook((lot(1, 6), lot(2, 6)))
    changed = book.over("AAPL", 8)
    assert [(one.rule_id, one.quantity) for one in changed] == [(2, 2)]
    book.keep(changed)
    assert book.held("AAPL") == 8
    book.keep(book.over("AAPL", 0))
    assert book.all() == ()


def test_a_lot_shrinks_at_its_average() -> None:
    assert shrunk(lot(1, 10), 4).cost == 600


def test_the_high_water_mark_only_rises() -> None:
    book = LotBook((lot(1, 6),))
    for price in (105, 103, 107, 90):
        book.marked("AAPL", Decimal(price))
    assert book.all()[0].highest == 107


@pytest.mark.parametrize(
    ("night", "hour"), [(date(2026, 7, 16), 15), (date(2026, 11, 19), 15)]
)  # summer and winter time
async def test_midnight_in_seoul_inside_a_us_session_resets_no_count_of_the_day(
    room: Room, night: date, hour: int
) -> None:
    """00:00 in Seoul is 15:00 UTC: the US session, its trade date and its limits go on."""
    hours = TradingHours(replace(KEY, environment=Environment.LIVE), calendars.load())
    midnight = datetime.combine(night, time(hour), UTC)
    days = [hours.trade_date(midnight + timedelta(seconds=gap)) for gap in (-1, 0, 1)]
    assert days == [night] * 3
    allowed = [
        hours.refusal(midnight + timedelta(seconds=gap), Venue.NASDAQ, OrderType.LIMIT, TimeInForce.DAY)
        for gap in (-1, 1)
    ]
    assert allowed == [None, None]
    room.clock.now = midnight - timedelta(seconds=30)
    book, portfolio = DayBook(room.orders, ()), portfolio_of(room)
    for day in days[::2]:
        order = await room.desk.place(room.request(quantity=5, price="100.00"), day)
        room.broker.fill(order.broker_order_id or "", 5, "100.00")
        await room.look()
        room.clock.pass_s(60)
    assert (book.order_count(night), book.bought(night, portfolio.reserve)) == (2, 1000)


@pytest.mark.parametrize(
    ("side", "told", "drifted", "lacks"),
    [
        (Side.BUY, 10, False, True),  # the broker has told the fill of five and still shows what was there before
        (Side.BUY, 12, False, True),  # a part of it is booked
        (Side.BUY, 15, False, False),
        (Side.BUY, 9, False, False),  # less than before: somebody sold
        (Side.BUY, 16, False, False),  # more than we bought
        (Side.BUY, 10, True, False),  # a difference that a person knows of stays one
        (Side.SELL, 10, False, True),
        (Side.SELL, 11, False, False),
    ],
)
async def test_holdings_that_lack_only_a_fill_of_just_now_are_not_booked_yet(
    room: Room, side: Side, told: int, drifted: bool, lacks: bool
) -> None:
    portfolio = portfolio_of(room)
    order = await room.desk.place(room.request(side, 5), TODAY)
    room.broker.fill(order.broker_order_id or "", 5, "100.00")
    await room.look()
    if drifted:
        portfolio.drift = {"AAPL": (15, 10)}
    held = (Position("AAPL", told, told, Decimal(100), Currency.USD),)
    ours = 15 if side is Side.BUY else 5

    def short(since: datetime) -> bool:
        return portfolio.lacks(held, lambda symbol: ours, since) == {"AAPL"}

    now = room.clock.market_now()
    assert short(now - timedelta(seconds=5)) is lacks
    assert not short(now + timedelta(seconds=1))  # all fills are older: what is missing is missing
