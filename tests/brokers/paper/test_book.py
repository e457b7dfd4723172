"""The book: never over-fills, never crosses a limit, never takes more than is shown or printed, first come first served."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper.book import Book, Match, OrderKey, WorkingOrder
from shared.domain.account import BrokerName
from shared.domain.market import BookLevel
from shared.domain.order import Side


def key(number: int) -> OrderKey:
    return (BrokerName.KIS, "live", number)


def working(number: int, side: Side, limit: object, leaves: int, *, fok: bool = False) -> WorkingOrder:
    return WorkingOrder(key(number), side, None if limit is None else Decimal(str(limit)), leaves, all_or_none=fok)


def levels(*pairs: tuple[int, int]) -> list[BookLevel]:
    return [BookLevel(Decimal(price), quantity) for price, quantity in pairs]


def got(matches: list[Match]) -> list[tuple[int, int, int]]:
    return [(match.key[2], match.quantity, int(match.price)) for match in matches]


BIDS, ASKS = levels((99, 50), (98, 70)), levels((100, 30), (101, 40))


def test_a_marketable_order_walks_the_displayed_levels_and_the_rest_waits() -> None:
    book = Book()
    book.show(BIDS, ASKS)
    book.add(working(1, Side.BUY, 101, 100))
    assert got(book.sweep()) == [(1, 30, 100), (1, 40, 101)]
    assert got(book.sweep()) == []  # the sizes are taken until the next snapshot
    book.show(BIDS, ASKS)
    assert got(book.sweep()) == [(1, 30, 101)]  # resting now: its own price
    assert len(book) == 0


def test_two_orders_share_one_snapshot_first_come_first_served() -> None:
    book = Book()
    book.show(BIDS, ASKS)
    book.add(working(1, Side.BUY, 100, 20))
    book.add(working(2, Side.BUY, 100, 20))
    assert got(book.sweep()) == [(1, 20, 100), (2, 10, 100)]


def test_a_better_price_goes_before_an_earlier_order() -> None:
    book = Book()
    book.show(BIDS, ASKS)
    book.add(working(1, Side.SELL, 99, 40))
    book.add(working(2, Side.SELL, 98, 40))
    assert got(book.sweep()) == [(2, 40, 99), (1, 10, 99)]


def test_an_order_at_market_takes_whatever_is_shown() -> None:
    book = Book()
    book.show(BIDS, ASKS)
    book.add(working(1, Side.SELL, None, 100))
    assert got(book.sweep()) == [(1, 50, 99), (1, 50, 98)]


def test_a_resting_order_fills_up_to_the_print_at_its_price_and_whole_through_it() -> None:
    book = Book()
    book.show(BIDS, ASKS)
    book.add(working(1, Side.BUY, 97, 100))
    book.add(working(2, Side.BUY, 96, 100))
    assert got(book.sweep()) == []
    assert got(book.trade(Decimal(97), 30)) == [(1, 30, 97)]
    assert got(book.trade(Decimal(96), 40)) == [(1, 70, 97), (2, 40, 96)]


def test_a_new_order_does_not_meet_a_print_of_before_its_time() -> None:
    book = Book()
    book.add(working(1, Side.BUY, 97, 100))
    assert book.trade(Decimal(90), 500) == []


def test_fill_or_kill_takes_all_or_nothing_on_arrival() -> None:
    book = Book()
    book.show(BIDS, ASKS)
    book.add(working(1, Side.BUY, 101, 71, fok=True))
    assert got(book.sweep()) == []
    book.add(working(2, Side.BUY, 101, 70, fok=True))
    assert sum(quantity for _, quantity, _ in got(book.sweep())) == 70


def test_what_is_cancelled_cannot_fill() -> None:
    book = Book()
    book.add(working(1, Side.BUY, 101, 100))
    book.reduce(key(1), 60)
    book.show(BIDS, ASKS)
    assert sum(quantity for _, quantity, _ in got(book.sweep())) == 40
    book.add(working(2, Side.BUY, 101, 100))
    book.reduce(key(2), 100)
    assert len(book) == 0


@dataclass(frozen=True)
class Add:
    side: Side
    limit: int | None
    leaves: int


@dataclass(frozen=True)
class Print:
    price: int
    quantity: int


@dataclass(frozen=True)
class Show:
    bid: int
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Reduce:
    which: int
    quantity: int


sizes = st.integers(1, 60)
happenings = st.lists(
    st.one_of(
        st.builds(Add, st.sampled_from(Side), st.none() | st.integers(94, 106), sizes),
        st.builds(Print, st.integers(94, 106), sizes),
        st.builds(Show, st.integers(95, 104), st.tuples(*[sizes] * 6)),
        st.builds(Reduce, st.integers(0, 20), sizes),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(happenings)
def test_no_sequence_of_events_over_fills_crosses_a_limit_or_takes_more_than_there_was(events: list[object]) -> None:
    book, orders = Book(), dict[OrderKey, WorkingOrder]()
    left: dict[OrderKey, int] = {}
    for number, event in enumerate(events):
        at_limit: defaultdict[Side, int] = defaultdict(int)
        matches: list[Match] = []
        match event:
            case Add(side, limit, leaves):
                order = working(number, side, limit, leaves)
                orders[order.key], left[order.key] = order, leaves
                book.add(order)
                continue
            case Reduce(which, quantity):
                if key(which) in left:
                    book.reduce(key(which), quantity)
                    left[key(which)] = max(0, left[key(which)] - quantity)
                continue
            case Print(price, quantity):
                matches = book.trade(Decimal(price), quantity)
                for one in matches:
                    if one.price == price:
                        at_limit[orders[one.key].side] += one.quantity
                assert all(total <= quantity for total in at_limit.values())
            case Show(bid, shown):
                book.show(
                    levels(*((bid - i, shown[i]) for i in range(3))),
                    levels(*((bid + 1 + i, shown[3 + i]) for i in range(3))),
                )
                matches = book.sweep()
                taken: defaultdict[Side, int] = defaultdict(int)
                for one in matches:
                    taken[orders[one.key].side] += one.quantity
                assert taken[Side.SELL] <= sum(shown[:3])
                assert taken[Side.BUY] <= sum(shown[3:])
        for one in matches:
            order = orders[one.key]
            left[one.key] -= one.quantity
            assert one.quantity > 0
            if order.limit is not None:
                assert one.price <= order.limit if order.side is Side.BUY else one.price >= order.limit
    assert all(quantity >= 0 for quantity in left.values())
    assert len(book) == sum(1 for quantity in left.values() if quantity)
