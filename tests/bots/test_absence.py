"""When money and shares allow to call a lost order absent: to the last digit, and never by a figure it may have caused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from bots.absence import Before, unexplained
from bots.orders import DeskOrder, RecordedFill
from bots.own_orders import OwnOrders
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, Cash, OrderRequest, OrderType, Position, Side
from shared.domain.order_state import OrderStatus
from tests.bots.conftest import TODAY
from tests.fakes import START

AT = START  # of the picture before the send
AFTER, EARLIER = AT + timedelta(seconds=5), AT - timedelta(seconds=5)


@dataclass
class Books:
    """Our orders and fills as the judge reads them."""

    orders: list[DeskOrder] = field(default_factory=list)
    fills: list[RecordedFill] = field(default_factory=list)

    def all(self) -> list[DeskOrder]:
        return self.orders


def order(
    name: str, side: Side = Side.BUY, quantity: int = 2, price: str | None = "100", *, symbol: str = "AAPL", **more: Any
) -> DeskOrder:
    amount = None if price is None else Decimal(price)
    request = OrderRequest(
        symbol=symbol, side=side, quantity=quantity, price=amount, venue=Venue.NASDAQ, currency=Currency.USD,
        client_order_id=name, order_type=OrderType.LIMIT if price else OrderType.MARKET,
    )  # fmt: skip
    kept = {"status": OrderStatus.UNKNOWN, "trade_date": TODAY, "created_at": AFTER, "market_at": AFTER}
    return DeskOrder(request=request, quantity=quantity, price=amount, **(kept | {"sent_at": AFTER} | more))


def fill(of: DeskOrder, quantity: int, price: str, seq: int) -> RecordedFill:
    return RecordedFill(
        f"x{seq}", of.id, "1", None, of.symbol, of.side, quantity, Decimal(price), AFTER, TODAY, seq
    )  # fmt: skip


def why(
    lost: DeskOrder, books: Books, cash: str = "1000", *, held: int = 10, sellable: int | None = 10,
    before: Before | None = None, foreign: tuple[BrokerOrder, ...] = (),
) -> str | None:  # fmt: skip
    """The judgement about `lost`; before it was sent 10 shares and 1,000 dollars were there."""
    before = before or Before(AT.isoformat(), 7, 10, 10, "1000", "100")
    shares = [Position("MSFT", 3, 3, Decimal(1), Currency.USD)]
    if held:
        shares.append(Position("AAPL", held, sellable, Decimal(1), Currency.USD))
    money = Cash(Currency.USD, Decimal(5), Decimal(cash), AFTER)
    books.orders.append(lost)
    return unexplained(lost, before, shares, money, cast(OwnOrders, books), foreign)


@pytest.mark.parametrize(("cash", "held", "absent"), [
    ("1000", 10, True), ("999.99", 10, False), ("1000.01", 10, False), ("800", 10, False), ("1000", 12, False),
    ("1000", 9, False), ("1000", 0, False),
])  # fmt: skip
def test_where_nothing_else_moved_it_must_be_the_same_to_the_last_digit(cash: str, held: int, absent: bool) -> None:
    assert (why(order("lost"), Books(), cash, held=held) is None) is absent


def test_a_total_stands_in_where_buying_power_is_not_told() -> None:
    lost, before = order("lost"), Before(AT.isoformat(), 7, 0, None, "5")
    money = Cash(Currency.USD, Decimal(5), None, AFTER)
    assert unexplained(lost, before, (), money, cast(OwnOrders, Books([lost]))) is None


@pytest.mark.parametrize(("bought", "sellable", "absent"), [
    (5, 9, False), (5, 10, False), (5, 12, False), (5, 13, True), (5, 15, True), (5, 16, False),
    (-4, 11, False), (-4, 10, True), (-4, 6, True), (-4, 5, False),
])  # fmt: skip
def test_a_lost_sale_of_three_would_hold_its_shares_back(bought: int, sellable: int, absent: bool) -> None:
    """Shares that moved meanwhile may already be sellable or not yet; what could hide three of them proves nothing."""
    other = order("other", Side.BUY if bought > 0 else Side.SELL, abs(bought), status=OrderStatus.FILLED)
    books = Books(fills=[fill(other, abs(bought), "100", 8)])
    told = why(order("lost", Side.SELL, 3), books, "77", held=10 + bought, sellable=sellable)
    assert (told is None) is absent


def test_a_lost_sale_where_nothing_moved_is_judged_by_money_too() -> None:
    assert why(order("lost", Side.SELL, 3), Books(), "1000", sellable=10) is None
    assert why(order("lost", Side.SELL, 3), Books(), "1000", sellable=7) is not None
    assert why(order("lost", Side.SELL, 3), Books(), "1000", sellable=None) is None


@pytest.mark.parametrize(("side", "symbol", "absent"), [
    (Side.SELL, "AAPL", False), (Side.SELL, "MSFT", True), (Side.BUY, "AAPL", True),
])  # fmt: skip
def test_another_sale_of_the_symbol_holds_shares_back_too(side: Side, symbol: str, absent: bool) -> None:
    other = order("other", side, 1, symbol=symbol, status=OrderStatus.ACCEPTED)
    assert (why(order("lost", Side.SELL, 3), Books([other]), "1") is None) is absent


@pytest.mark.parametrize(("cash", "absent"), [
    ("850", True), ("848.5", True), ("851.5", True), ("848.4", False), ("851.6", False), ("650", False),
    ("651.6", False), ("1000", False),
])  # fmt: skip
def test_what_another_buy_cost_is_counted_with_a_hundredth_for_fees(cash: str, absent: bool) -> None:
    other = order("other", quantity=3, price="50", symbol="MSFT", status=OrderStatus.FILLED, filled_quantity=3)
    other = replace(other, closed_at=AFTER)
    assert (why(order("lost"), Books([other], [fill(other, 3, "50", 8)]), cash) is None) is absent


def test_a_fill_that_was_inside_the_picture_is_not_counted_again() -> None:
    other = order("other", quantity=3, price="50", symbol="MSFT", status=OrderStatus.FILLED, filled_quantity=3)
    books = Books([replace(other, closed_at=EARLIER)], [fill(other, 3, "50", 7)])
    assert why(order("lost"), books, "1000") is None


def test_what_another_sale_brought_is_counted() -> None:
    other = order("other", Side.SELL, 3, "50", symbol="MSFT", status=OrderStatus.FILLED, filled_quantity=3)
    books = Books([replace(other, closed_at=AFTER)], [fill(other, 3, "50", 8)])
    assert why(order("lost"), replace(books, orders=list(books.orders)), "1150") is None
    assert why(order("lost"), replace(books, orders=list(books.orders)), "1000") is not None


@pytest.mark.parametrize(("sent_at", "status", "filled", "since", "cash", "absent"), [
    (EARLIER, OrderStatus.ACCEPTED, 0, 0, "1000", True),  # it held its 200 back then as now
    (EARLIER, OrderStatus.ACCEPTED, 0, 0, "1009", False),
    (EARLIER, OrderStatus.CANCELED, 0, 0, "1200", True),  # and gave them back
    (EARLIER, OrderStatus.CANCELED, 0, 0, "1000", False),
    (AFTER, OrderStatus.ACCEPTED, 0, 0, "800", True),  # it holds them back since
    (AFTER, OrderStatus.ACCEPTED, 0, 0, "600", False),  # ... and so may the lost one
    (EARLIER, OrderStatus.PARTIAL, 3, 1, "1000", True),  # two of four were filled inside, a third since
    (EARLIER, OrderStatus.PARTIAL, 3, 1, "1050", False),
])  # fmt: skip
def test_what_another_order_holds_back_is_counted(
    sent_at: Any, status: OrderStatus, filled: int, since: int, cash: str, absent: bool
) -> None:
    other = order(
        "other", quantity=4, price="50", symbol="MSFT", status=status, sent_at=sent_at, filled_quantity=filled
    )
    other = replace(other, closed_at=AFTER if status is OrderStatus.CANCELED else None)
    books = Books([other], [fill(other, since, "50", 8)] if since else [])
    assert (why(order("lost", price="100", quantity=2), books, cash) is None) is absent


@pytest.mark.parametrize(("cash", "absent"), [
    ("1000", True), ("940", True), ("970", False), ("800", False), ("740", False), ("1060", False),
])  # fmt: skip
def test_another_unproven_buy_may_have_arrived_or_not(cash: str, absent: bool) -> None:
    other = order("other", price="30", symbol="MSFT")
    assert (why(order("lost"), Books([other]), cash) is None) is absent


@pytest.mark.parametrize("change", [{"price": None}, {"amend_pending": True}])
def test_an_unproven_buy_whose_cost_is_not_known_lets_money_prove_nothing(change: dict[str, Any]) -> None:
    other = replace(order("other", price="30", symbol="MSFT"), **change)
    assert why(order("lost"), Books([other]), "1000") is not None


@pytest.mark.parametrize(("count", "absent"), [(5, True), (6, False)])
def test_too_many_unproven_buys_are_more_ways_than_money_can_tell_apart(count: int, absent: bool) -> None:
    others = [order(f"other {n}", quantity=1, price="1", symbol="MSFT") for n in range(count)]
    assert (why(order("lost"), Books(others), "1000") is None) is absent


def test_an_open_buy_without_a_price_holds_back_nobody_knows_what() -> None:
    other = order("other", price=None, symbol="MSFT", status=OrderStatus.ACCEPTED)
    assert why(order("lost"), Books([other]), "1000") is not None
    gone = replace(other, status=OrderStatus.CANCELED, closed_at=AFTER)
    assert why(order("lost"), Books([gone]), "1000") is None


@pytest.mark.parametrize(("cash", "absent"), [
    ("1000", True), ("820", False), ("730", False), ("775", False), ("826", False), ("724", False),
])  # fmt: skip
def test_a_lost_order_without_a_price_may_cost_a_third_more_than_the_last(cash: str, absent: bool) -> None:
    other = order("other", Side.SELL, 1, symbol="MSFT", status=OrderStatus.ACCEPTED)
    assert (why(order("lost", price=None), Books([other]), cash) is None) is absent


@pytest.mark.parametrize(("state", "now", "absent"), [
    (None, (0, 0), True), (None, (0, 1), False), ([0, 5], (0, 5), True), ([0, 5], (1, 4), False), ([0, 5], (0, 4), False),
])  # fmt: skip
def test_a_persons_order_that_moved_meanwhile_lets_money_prove_nothing(
    state: list[int] | None, now: tuple[int, int], absent: bool
) -> None:
    row = BrokerOrder(
        broker_order_id="55", symbol="TSLA", side=Side.BUY, quantity=5, price=Decimal(1), filled_quantity=now[0],
        average_fill_price=None, leaves_quantity=now[1], canceled=False, rejected=False, ordered_at=AT,
    )  # fmt: skip
    known = {} if state is None else {f"{AT.date()}:55": state}
    before = Before(AT.isoformat(), 7, 10, 10, "1000", "100", known)
    assert (why(order("lost"), Books(), before=before, foreign=(row,)) is None) is absent


def test_an_order_that_closed_in_the_moment_of_the_picture_may_have_moved_money() -> None:
    other = order("other", price="30", symbol="MSFT", status=OrderStatus.CANCELED, sent_at=EARLIER)
    assert why(order("lost"), Books([replace(other, closed_at=AT)]), "1060") is None
    assert why(order("lost"), Books([replace(other, closed_at=EARLIER)]), "1060") is not None


def test_without_a_picture_from_before_nothing_is_proven() -> None:
    lost = order("lost")
    assert (
        unexplained(lost, None, (), Cash(Currency.USD, Decimal(1), Decimal(1), AFTER), cast(OwnOrders, Books()))
        is not None
    )
