"""Invariants: whatever clients and operators do, the books balance, nothing is oversold and auctions keep their hours."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper.costs import CostMode
from brokers.paper.orders import ExKind, ExOrder, Reject
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderType, Side, TimeInForce
from tests.brokers.paper.floor_rig import Rig

KRX, US = "005930", "AAPL"
START = {Currency.USD: Decimal(100_000), Currency.KRW: Decimal(100_000_000)}
AUCTION_TYPES = (OrderType.LOO, OrderType.LOC, OrderType.MOO, OrderType.MOC)

sides, amounts, ticks = st.sampled_from(Side), st.integers(1, 400), st.integers(-8, 8)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("limit"), sides, st.sampled_from([KRX, US]), amounts, ticks, st.sampled_from(TimeInForce)),
        st.tuples(st.just("venue"), sides, st.sampled_from([Venue.KRX, Venue.NXT, Venue.SOR]), amounts, ticks),
        st.tuples(st.just("market"), sides, amounts),
        st.tuples(st.just("auction"), sides, st.sampled_from(AUCTION_TYPES), amounts, ticks),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("amend"), st.integers(0, 9), ticks),
        st.tuples(st.just("run"), st.sampled_from([0.25, 1.5, 40.0, 290.0])),
        st.tuples(st.just("jump"), st.sampled_from([KRX, US]), st.sampled_from([97, 99, 101, 103])),
        st.tuples(st.just("vi"), st.sampled_from([KRX, US])),
        st.tuples(st.just("split"), st.sampled_from([(2, 1), (1, 2), (3, 2)])),
        st.tuples(st.just("dividend"), st.sampled_from([KRX, US]), st.sampled_from(["0.24", "361"])),
        st.tuples(st.just("restart")),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None)
@given(moves, st.sampled_from(CostMode))
def test_the_books_balance_and_nothing_is_oversold(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]], costs: CostMode
) -> None:
    rig = Rig(tmp_path_factory.mktemp("exchange"), costs=costs)
    placed: list[int] = []
    for step in steps:
        try:
            act(rig, placed, step)
        except Reject:
            continue
        assert_sound(rig)
    rig.again()
    assert_sound(rig)
    assert_auctions_keep_their_hours(rig)
    rig.close()


def act(rig: Rig, placed: list[int], step: tuple[object, ...]) -> None:
    exchange = rig.exchange

    def near(symbol: str, ticks: int) -> Decimal:
        price = exchange.quote(symbol).price
        return price + ticks * exchange.tick_size(symbol, price)

    match step:
        case ("limit", Side() as side, str(symbol), int(quantity), int(off), TimeInForce() as force):
            placed.append(rig.order(side, symbol, quantity, near(symbol, off), time_in_force=force).order_no)
        case ("venue", Side() as side, Venue() as venue, int(quantity), int(off)):
            placed.append(rig.order(side, KRX, quantity, near(KRX, off), venue=venue).order_no)
        case ("market", Side() as side, int(quantity)):
            placed.append(rig.order(side, KRX, quantity).order_no)
        case ("auction", Side() as side, OrderType() as kind, int(quantity), int(off)):
            price = near(US, off) if kind in (OrderType.LOO, OrderType.LOC) else None
            placed.append(rig.order(side, US, quantity, price, order_type=kind).order_no)
        case ("cancel", int(which)) if which < len(placed):
            exchange.cancel(rig.kis, placed[which], quantity=None)
        case ("amend", int(which), int(off)) if which < len(placed):
            order = exchange.order(rig.kis, placed[which])
            assert order is not None
            new = exchange.amend(rig.kis, order.order_no, quantity=None, price=near(order.symbol, off))
            placed.append(new.order_no)
        case ("run", float(seconds)):
            rig.run(seconds, step_s=0.5)
        case ("jump", str(symbol), int(pct)):
            exchange.move(symbol, price=exchange.quote(symbol).price * pct / 100)
        case ("vi", str(symbol)):
            exchange.interrupt(symbol)
        case ("split", (int(new_shares), int(old_shares))):
            exchange.split(US, new_shares, old_shares)
        case ("dividend", str(symbol), str(per_share)):
            exchange.pay_dividend(symbol, Decimal(per_share))
        case ("restart",):
            rig.again()


def rows(rig: Rig) -> list[ExOrder]:
    found = []
    for market in Market:
        day = rig.exchange.trade_date(market)
        found += rig.exchange.orders(rig.kis, market, day.replace(day=day.day - 2), day)
    return [one for one in found if one.kind is not ExKind.CANCEL]


def assert_sound(rig: Rig) -> None:
    exchange = rig.exchange
    assert exchange.ledger.check() == []
    cash: dict[Currency, Decimal] = dict(START)
    for order in rows(rig):
        executions = exchange.executions(rig.kis, order.order_no)
        assert order.filled == sum(one.quantity for one in executions)
        assert 0 <= order.filled + order.canceled + order.moved <= order.quantity
        sign = -1 if order.side is Side.BUY else 1
        cash[order.market.currency] += sum(sign * e.price * e.quantity - e.fee - e.tax for e in executions)
        if order.price is not None:
            assert all(sign * (one.price - order.price) >= 0 for one in executions)
    for event in exchange.ledger.events(kind="CASH"):
        if event.code in ("DIVIDEND", "SPLIT", "TAX") and event.quantity is None and event.order_id is None:
            cash[Currency(event.symbol or "")] += Decimal(event.price or 0)
    for currency, amount in cash.items():
        view = exchange.cash(rig.kis, currency)
        assert view.total == amount
        assert view.orderable >= 0
        assert view.settled + view.unsettled == view.total
    for market in Market:
        for holding in exchange.holdings(rig.kis, market):
            assert 0 <= holding.sellable <= holding.quantity
    grown: defaultdict[str, int] = defaultdict(int)
    for event in exchange.ledger.events(kind="FILL"):
        assert event.order_id and event.quantity and event.cum_quantity
        assert event.cum_quantity == grown[event.order_id] + event.quantity
        grown[event.order_id] = event.cum_quantity


def assert_auctions_keep_their_hours(rig: Rig) -> None:
    for order in rows(rig):
        if order.order_type in AUCTION_TYPES:
            for one in rig.exchange.executions(rig.kis, order.order_no):
                assert one.at.timestamp() % 300 == 0


def day_at(step_s: float, folder: Path) -> list[tuple[object, ...]]:
    """The same orders at the same market times, the exchange looked at every `step_s`."""
    rig = Rig(folder, costs=CostMode.DEFAULT)
    begin = rig.hand.at
    plan: list[tuple[float, Side, str, int, object, OrderType | None]] = [
        (1, Side.BUY, US, 10, 230, None),
        (1, Side.BUY, KRX, 900, 72_000, None),
        (7, Side.SELL, US, 10, 212, None),
        (30, Side.BUY, US, 400, 230, OrderType.LOC),
        (31, Side.BUY, "035420", 150, 187_400, None),
        (200, Side.SELL, KRX, 100, None, None),
    ]
    for second, side, symbol, quantity, price, kind in plan:
        rig.run((begin - rig.hand.at).total_seconds() + second, step_s)
        rig.order(side, symbol, quantity, price, order_type=kind)
    rig.run((begin - rig.hand.at).total_seconds() + 330, step_s)
    told = [
        (e.market_at, e.type, e.order_id, e.side, e.quantity, e.price, e.cum_quantity, e.code)
        for e in rig.exchange.ledger.events()
    ]
    rig.close()
    return told


def test_the_same_orders_at_the_same_market_times_give_the_same_ledger_however_often_it_looks(tmp_path: Path) -> None:
    often, seldom = day_at(0.05, tmp_path / "often"), day_at(1.0, tmp_path / "seldom")
    assert often == seldom
    assert {row[1] for row in often} >= {"ORDER", "FILL", "CASH"}
    assert datetime.fromisoformat(str(often[-1][0])).tzinfo is not None
