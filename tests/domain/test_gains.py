"""Lots, taxes and returns against figures reckoned by hand, and against a plain second reckoning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.gains import Leg, LotMethod, realise, year_tax
from shared.domain.order import Side
from shared.domain.returns import Flow, by_day, money_weighted, simple_return, time_weighted
from shared.domain.sessions import KST

FIFO, AVERAGE = LotMethod.FIFO, LotMethod.MOVING_AVERAGE


def leg(side: Side, quantity: int, price: str, fees: str, on: str, rate: str | None, symbol: str = "AAPL") -> Leg:
    return Leg(
        1, symbol, "USD", side, quantity, D(price), D(fees), date.fromisoformat(on), None if rate is None else D(rate)
    )


LEGS = [
    leg(Side.BUY, 10, "100", "2.50", "2026-01-05", "1300"),
    leg(Side.BUY, 10, "120", "3.00", "2026-02-03", "1400"),
    leg(Side.SELL, 15, "150", "5.63", "2026-03-04", "1450"),
]


def test_first_in_first_out_by_hand() -> None:
    first, second = realise(LEGS, FIFO).sales
    # 10 of the first lot: 10×150×1450 - 10×100×1300 - (2.50×1300 + 5.63×10/15×1450)
    assert (first.quantity, first.bought_on, first.cost, first.proceeds) == (10, date(2026, 1, 5), 1000, 1500)
    assert first.cost_won == 1_300_000 and first.proceeds_won == 2_175_000
    # 5 of the second: 5×150×1450 - 5×120×1400 - (1.50×1400 + the rest of the sale's fee)
    assert (second.quantity, second.cost_won, second.proceeds_won) == (5, 840_000, 1_087_500)
    assert first.gain_won is not None and second.gain_won is not None
    both = first.gain_won + second.gain_won
    assert both == D(875_000) + D(247_500) - D("2.50") * 1300 - D("1.50") * 1400 - D("5.63") * 1450
    assert first.fees + second.fees == D("2.50") + D("1.50") + D("5.63")


def test_moving_average_by_hand() -> None:
    (sale,) = realise(LEGS, AVERAGE).sales
    # 20 shares cost 1000×1300 + 1200×1400 = 2,980,000 won; 15 of them 2,235,000
    assert (sale.quantity, sale.bought_on, sale.cost, sale.cost_won) == (15, None, 1650, 2_235_000)
    fees = (D("2.50") * 1300 + D("3.00") * 1400) * 15 / 20 + D("5.63") * 1450
    assert sale.gain_won == D(150 * 15 * 1450) - 2_235_000 - fees


def test_shares_nobody_saw_bought_and_rates_nobody_recorded_leave_no_sum() -> None:
    orphan = realise([leg(Side.SELL, 3, "10", "0", "2026-03-04", "1400")], FIFO)
    assert orphan.sales == [] and orphan.without_cost == [(1, "AAPL", 3, date(2026, 3, 4))]
    assert year_tax([], 3).tax is None
    rateless = realise([LEGS[0], leg(Side.SELL, 10, "150", "0", "2026-03-04", None)], FIFO).sales
    told = year_tax(rateless, 0)
    assert rateless[0].gain == D("497.50") and told.tax is None and told.without_rate == 1


@pytest.mark.parametrize(
    ("gain", "used", "left", "tax"),
    [
        (5_000_000, 2_500_000, 0, 550_000),  # (5,000,000 - 2,500,000) × 22 %
        (2_500_000, 2_500_000, 0, 0),
        (1_000_000, 1_000_000, 1_500_000, 0),
        (-700_000, 0, 2_500_000, 0),
    ],
)
def test_the_allowance_used_and_left(gain: int, used: int, left: int, tax: int) -> None:
    price = D(100_000 + gain) / 1000
    sold = realise(
        [leg(Side.BUY, 1, "100", "0", "2026-01-05", "1000"), leg(Side.SELL, 1, str(price), "0", "2026-02-05", "1000")],
        FIFO,
    ).sales
    told = year_tax(sold, 0)
    assert (told.gain_won, told.allowance_used, told.allowance_left, told.tax) == (gain, used, left, tax)


def test_gains_and_losses_of_the_year_meet_before_the_allowance() -> None:
    legs = [
        leg(Side.BUY, 10, "100", "0", "2026-01-05", "1000", "A"), leg(Side.BUY, 10, "500", "0", "2026-01-05", "1000", "B"),
        leg(Side.SELL, 10, "600", "0", "2026-05-05", "1000", "A"), leg(Side.SELL, 10, "400", "0", "2026-05-05", "1000", "B"),
    ]  # fmt: skip
    told = year_tax(realise(legs, FIFO).sales, 0)
    assert told.gain_won == 4_000_000 and told.tax == 330_000


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Side)), st.integers(1, 9), st.integers(1, 500), st.integers(900, 1600)),
        max_size=25,
    )
)
def test_both_methods_agree_once_everything_is_sold(moves: list[tuple[Side, int, int, int]]) -> None:
    """When nothing is left over, what was paid and what was got are the same, however the lots are matched."""
    legs, held, day = [], 0, date(2026, 1, 1)
    for side, quantity, price, rate in [*moves, (Side.SELL, 10**6, 100, 1200)]:
        day += timedelta(days=1)
        if side is Side.SELL:
            quantity = min(quantity, held)
            if not quantity:
                continue
        held += quantity if side is Side.BUY else -quantity
        legs.append(Leg(1, "X", "USD", side, quantity, D(price), D("0.01"), day, D(rate)))
    bought = sum((one.price * one.quantity * (one.rate or 0) for one in legs if one.side is Side.BUY), D(0))
    sold = sum((one.price * one.quantity * (one.rate or 0) for one in legs if one.side is Side.SELL), D(0))
    fees = sum((one.fees * (one.rate or 0) for one in legs), D(0))
    for method in LotMethod:
        found = realise(legs, method)
        assert found.without_cost == []
        total = sum((one.gain_won or D(0) for one in found.sales), D(0))
        assert abs(total - (sold - bought - fees)) < D("0.000001")


DAY = datetime(2026, 1, 1, tzinfo=UTC)


def days(n: float) -> datetime:
    return DAY + timedelta(days=n)


def test_time_weighted_and_simple_returns_of_the_worked_example() -> None:
    """1,000,000 → 1,100,000, deposit 900,000, end 1,900,000: TWR +4.5 %, simple 0.0 % (markets.md §9)."""
    points = [(days(0), D(1_000_000)), (days(10), D(1_100_000)), (days(10.001), D(2_000_000)), (days(20), D(1_900_000))]
    flows = [Flow(days(10.0005), D(900_000))]
    assert time_weighted(points, flows) == D("0.045")
    assert simple_return(points, flows) == 0


def test_without_flows_all_agree() -> None:
    points = [(days(0), D(1_000_000)), (days(200), D(1_200_000)), (days(365), D(1_100_000))]
    assert time_weighted(points, []) == simple_return(points, []) == D("0.1")
    yearly = money_weighted(points, [])
    assert yearly is not None and abs(yearly - D("0.1")) < D("1e-12")


def test_money_that_comes_late_counts_for_less_in_the_money_weighted_return() -> None:
    """1000 at the start, 1000 after half a year, 2310 at the end: 1000·g + 1000·√g = 2310 for g = 1 + rate."""
    points = [(days(0), D(1000)), (days(182.5), D(2100)), (days(365), D(2310))]
    yearly = money_weighted(points, [Flow(days(182.5), D(1000))])
    assert yearly is not None
    growth = yearly + 1
    assert abs(1000 * growth + 1000 * growth.sqrt() - 2310) < D("1e-9")
    assert time_weighted(points, [Flow(days(182.5), D(1000))]) == D("1.1") * D("1.1") - 1


def test_an_account_that_begins_empty_counts_from_its_first_money() -> None:
    points = [(days(0), D(0)), (days(1), D(1000)), (days(2), D(1100))]
    assert time_weighted(points, [Flow(days(0.5), D(1000))]) == D("0.1")
    assert time_weighted([(days(0), D(0)), (days(1), D(0))], []) is None


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(100, 10_000)), min_size=2, max_size=40),
    st.lists(st.tuples(st.integers(0, 700), st.integers(-50, 5_000)), max_size=4),
)
def test_the_days_make_up_the_whole(steps: list[tuple[int, int]], paid: list[tuple[int, int]]) -> None:
    """Cut at midnight in Seoul or not cut at all: the same time-weighted return, with money paid in between."""
    at, points = datetime(2026, 1, 1, tzinfo=UTC), []
    for hours, worth in steps:
        at += timedelta(hours=hours)
        points.append((at, D(worth)))
    flows = [Flow(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour), D(amount)) for hour, amount in paid]
    whole = D(1)
    for one in by_day(points, flows, KST):
        whole *= 1 + one.part
    told = time_weighted(points, flows)
    assert told is not None and abs(whole - 1 - told) < D("1e-15") * (1 + abs(told))
