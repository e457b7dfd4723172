"""Costs: commissions and taxes of each execution, what settles when, and what sales brought."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.paper.costs import CostMode, settles_on
from brokers.paper.orders import Reject, RejectReason
from shared.domain.account import Market
from shared.domain.money import Currency
from shared.domain.order import OrderType, Side
from shared.domain.sessions import KST
from tests.brokers.paper.floor_rig import Rig

TUESDAY = datetime(2026, 11, 24, 23, 40, tzinfo=KST)  # New York trades


@pytest.fixture
def paid(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "paid", costs=CostMode.DEFAULT, at=TUESDAY)


def test_without_costs_nothing_is_charged(rig: Rig) -> None:
    rig.buy("005930", 10, 75_000)
    rig.run(2)
    assert [event.code for event in rig.exchange.ledger.events(kind="CASH")] == ["OPENING"] * 4


def test_a_korean_round_trip_pays_commission_twice_and_the_sell_tax_once(paid: Rig) -> None:
    bought = paid.buy("005930", 100, 75_000)
    paid.run(2)
    sold = paid.sell("005930", 100, 60_000)
    paid.run(2)
    buy_fee = int(bought.filled_amount * Decimal("0.00014052700"))
    sell_fee = int(sold.filled_amount * Decimal("0.00014052700"))
    taxes = sum(
        int(e.price * e.quantity * Decimal("0.0005")) + int(e.price * e.quantity * Decimal("0.0015"))
        for e in paid.exchange.executions(paid.kis, sold.order_no)
    )
    cash = paid.exchange.cash(paid.kis, Currency.KRW)
    assert cash.total == 100_000_000 - bought.filled_amount + sold.filled_amount - buy_fee - sell_fee - taxes
    charged = [(e.code, Decimal(e.price or 0)) for e in paid.exchange.ledger.events(kind="CASH") if e.code != "OPENING"]
    assert -sum(price for code, price in charged if code == "TAX") == taxes
    assert -sum(price for code, price in charged if code == "FEE") == buy_fee + sell_fee
    assert paid.exchange.ledger.check() == []


def test_what_sales_brought_stands_by_day_and_symbol_also_after_a_restart(paid: Rig) -> None:
    bought = paid.buy("AAPL", 10, 230)
    paid.run(2)
    paid.sell("AAPL", 4, 180)
    paid.run(2)
    on = paid.exchange.trade_date(Market.US)
    (row,) = paid.exchange.realized(paid.kis, Market.US, on, on)
    assert (row.trade_date, row.symbol, row.quantity) == (on, "AAPL", 4)
    average = bought.filled_amount / 10
    assert row.bought == average * 4
    assert row.realized == row.sold - row.bought - row.fee - row.tax
    assert row.fee > 0 and row.tax > 0  # 0.25 %, and the SEC fee of the day
    assert paid.exchange.realized(paid.kis, Market.KRX, on, on) == []
    paid.again()
    assert paid.exchange.realized(paid.kis, Market.US, on, on) == [row]


def test_an_order_that_only_lacks_its_commission_is_refused(paid: Rig) -> None:
    orderable, shares = paid.exchange.buying_power(paid.kis, Market.US, "AAPL", Decimal(100))
    assert (orderable, shares) == (100_000, 997)
    with pytest.raises(Reject) as refused:
        paid.buy("AAPL", 998, 100)
    assert refused.value.reason is RejectReason.INSUFFICIENT_CASH
    paid.buy("AAPL", 997, 100)
    assert paid.exchange.cash(paid.kis, Currency.USD).reserved == Decimal("99700") + Decimal("249.25")


def test_many_small_fills_never_cost_more_commission_than_one(paid: Rig) -> None:
    order = paid.buy("035420", 450, paid.exchange.quote("035420").ask)
    paid.run(120)
    assert order.filled > 100
    executions = paid.exchange.executions(paid.kis, order.order_no)
    assert len(executions) > 1
    assert sum(e.fee for e in executions) == int(order.filled_amount * Decimal("0.00014052700"))


def test_cash_settles_two_days_later_in_korea_and_one_in_new_york(paid: Rig) -> None:
    korean, american = paid.buy("005930", 10, 75_000), paid.buy("AAPL", 2, 230)
    paid.run(2)
    krw, usd = (paid.exchange.cash(paid.kis, currency) for currency in (Currency.KRW, Currency.USD))
    fee = paid.exchange.executions(paid.kis, korean.order_no)[0].fee
    assert krw.due == ((date(2026, 11, 26), -korean.filled_amount - fee),)
    assert (krw.settled, krw.unsettled) == (100_000_000, -korean.filled_amount - fee)
    assert [on for on, _ in usd.due] == [date(2026, 11, 25)]
    paid.until(datetime(2026, 11, 26, 12, tzinfo=KST))
    assert paid.exchange.cash(paid.kis, Currency.KRW).due == ()
    assert paid.exchange.cash(paid.kis, Currency.USD).unsettled == 0
    assert american.filled == 2


@pytest.mark.parametrize(
    ("market", "traded", "settles"),
    [
        (Market.KRX, date(2026, 9, 23), date(2026, 9, 29)),  # Chuseok lies between
        (Market.US, date(2024, 5, 24), date(2024, 5, 29)),  # the last T+2
        (Market.US, date(2026, 11, 25), date(2026, 11, 27)),  # Thanksgiving
        (Market.US, date(2031, 6, 6), date(2031, 6, 9)),  # beyond the calendar: weekdays
    ],
)
def test_settlement_skips_days_without_trading(market: Market, traded: date, settles: date) -> None:
    assert settles_on(market, traded) == settles


def test_an_auction_order_pays_like_any_other(paid: Rig) -> None:
    order = paid.order(Side.BUY, "AAPL", 5, 230, order_type=OrderType.LOC)
    paid.run(301)
    (execution,) = paid.exchange.executions(paid.kis, order.order_no)
    assert execution.fee == (execution.price * 5 * Decimal("0.0025")).quantize(Decimal("0.01"))
