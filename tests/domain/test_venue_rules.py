"""Ticks, limits and units by trade date."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.account import Market
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side
from shared.domain.venue_rules import (
    Rounding,
    limit_pct,
    on_tick,
    order_unit,
    price_limits,
    round_lot,
    round_to_tick,
    step_price,
    tick_size,
    tick_table,
)

D = Decimal
OLD, NEW = date(2023, 1, 20), date(2023, 1, 25)
dates = st.dates(date(2010, 1, 1), date(2030, 12, 31))
markets = st.sampled_from(Market)
types = st.sampled_from(InstrumentType)
boards = st.sampled_from(["KOSPI", "KOSDAQ", "KONEX"])
prices = st.decimals("0.0001", "3000000", places=4)
won = st.integers(1, 3_000_000).map(D)


@pytest.mark.parametrize(
    ("board", "on", "price", "tick"),
    [
        ("KOSPI", OLD, "999", "1"),
        ("KOSPI", OLD, "1000", "5"),
        ("KOSPI", OLD, "150000", "500"),
        ("KOSDAQ", OLD, "150000", "100"),
        ("KOSDAQ", OLD, "600000", "100"),
        ("KOSPI", NEW, "1995", "1"),
        ("KOSPI", NEW, "19990", "10"),
        ("KOSDAQ", NEW, "600000", "1000"),
        ("KOSPI", NEW, "199900", "100"),
    ],
)
def test_the_tick_table_changed_on_2023_01_25(board: str, on: date, price: str, tick: str) -> None:
    assert tick_size(Market.KRX, D(price), on, board=board) == D(tick)


def test_an_etf_below_2000_won_got_a_one_won_tick_in_december_2023_and_an_elw_did_not() -> None:
    def tick(kind: InstrumentType, on: date) -> Decimal:
        return tick_size(Market.KRX, D(1500), on, instrument_type=kind)

    assert [tick(InstrumentType.ETF, date(2023, 12, d)) for d in (15, 18)] == [5, 1]
    assert tick(InstrumentType.ELW, date(2024, 2, 1)) == 5


def test_a_us_price_below_one_dollar_has_a_finer_step() -> None:
    assert tick_size(Market.US, D("0.9999"), NEW) == D("0.0001")
    assert tick_size(Market.US, D("1"), NEW) == D("0.01")


def test_a_price_that_is_not_positive_and_an_unknown_board_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        tick_size(Market.KRX, D(0), NEW)
    with pytest.raises(ValueError, match="KOSPY"):
        tick_size(Market.KRX, D(1), NEW, board="KOSPY")


@given(markets, dates, types, boards)
def test_every_bucket_boundary_lies_on_both_grids(market: Market, on: date, kind: InstrumentType, board: str) -> None:
    table = tick_table(market, on, instrument_type=kind, board=board)
    assert all(floor % tick == 0 and floor % below == 0 for (floor, tick), (_, below) in pairwise(table))


@given(markets, prices, dates, types, boards)
def test_a_rounded_price_is_on_its_own_grid_and_less_than_a_tick_away(
    market: Market, price: Decimal, on: date, kind: InstrumentType, board: str
) -> None:
    tick = tick_size(market, price, on, instrument_type=kind, board=board)
    buy, sell = round_to_tick(price, tick, Side.BUY), round_to_tick(price, tick, Side.SELL)
    assert price - tick < buy <= price <= sell < price + tick
    for rounded in (buy, sell):
        assert rounded == 0 or on_tick(market, rounded, on, instrument_type=kind, board=board)
    assert round_to_tick(price, tick, Rounding.NEAREST) in {buy, sell}


@given(markets, prices, st.integers(-40, 40), dates, types, boards)
def test_stepping_up_and_down_again_returns_to_the_same_price(
    market: Market, price: Decimal, ticks: int, on: date, kind: InstrumentType, board: str
) -> None:
    def step(start: Decimal, count: int) -> Decimal:
        return step_price(market, start, count, on, instrument_type=kind, board=board)

    start = step(price + 5, 0)
    moved = step(start, abs(ticks))
    assert step(moved, -abs(ticks)) == start
    assert on_tick(market, moved, on, instrument_type=kind, board=board)
    assert (moved > start) == (ticks != 0)


def test_the_step_below_a_boundary_is_the_lower_buckets() -> None:
    assert step_price(Market.KRX, D(2000), -1, NEW) == 1999
    assert step_price(Market.KRX, D(2000), 1, NEW) == 2005
    assert step_price(Market.KRX, D(1), -3, NEW) == 1
    assert step_price(Market.US, D("1.00"), -1, NEW) == D("0.9999")


@pytest.mark.parametrize(
    ("base", "kind", "on", "expected"),
    [
        ("128500", "stock", date(2025, 8, 1), ("90000", "167000")),
        ("70900", "stock", date(2025, 8, 1), ("49700", "92100")),
        ("6170", "stock", date(2024, 8, 1), ("4320", "8020")),
        ("35980", "etf", date(2024, 8, 1), ("25190", "46770")),
        ("10000", "stock", date(2015, 6, 12), ("8500", "11500")),
        ("10000", "stock", date(2015, 6, 15), ("7000", "13000")),
        ("1995", "stock", date(2026, 5, 6), ("1397", "2590")),
    ],
)
def test_price_limits_are_those_the_exchange_publishes(
    base: str, kind: str, on: date, expected: tuple[str, str]
) -> None:
    lower, upper = price_limits(D(base), on, instrument_type=InstrumentType(kind))
    assert (lower, upper) == (D(expected[0]), D(expected[1]))


@given(won, dates, st.sampled_from([InstrumentType.STOCK, InstrumentType.ETF]), boards, st.sampled_from([1, 2]))
def test_both_limits_are_orderable_prices_inside_the_band(
    base: Decimal, on: date, kind: InstrumentType, board: str, leverage: int
) -> None:
    base = step_price(Market.KRX, base + 5, 0, on, instrument_type=kind, board=board)
    lower, upper = price_limits(base, on, instrument_type=kind, board=board, leverage=leverage)
    pct = limit_pct(on, instrument_type=kind, board=board)
    assert pct is not None
    width = base * pct * leverage / 100
    assert 0 < lower <= base <= upper <= base + width
    assert lower >= base - width
    assert all(on_tick(Market.KRX, price, on, instrument_type=kind, board=board) for price in (lower, upper))


def test_a_leveraged_etf_has_a_wider_band_and_an_elw_has_none() -> None:
    assert price_limits(D(10000), NEW, instrument_type=InstrumentType.ETF, leverage=-2) == (4000, 16000)
    with pytest.raises(ValueError, match="no daily price limit"):
        price_limits(D(100), NEW, instrument_type=InstrumentType.ELW)


def test_konex_kept_the_narrow_band() -> None:
    assert price_limits(D(10000), NEW, board="KONEX") == (8500, 11500)


def test_a_cheap_kospi_share_traded_in_tens_until_june_2014() -> None:
    last, first = date(2014, 5, 30), date(2014, 6, 2)
    assert order_unit(Market.KRX, D(30000), last) == 10
    assert order_unit(Market.KRX, D(50000), last) == 1
    assert order_unit(Market.KRX, D(30000), first) == 1
    assert order_unit(Market.KRX, D(30000), last, board="KOSDAQ") == 1
    assert order_unit(Market.KRX, D(100), NEW, instrument_type=InstrumentType.ELW) == 10
    assert order_unit(Market.US, D(100), last) == 1


def test_us_round_lots_depend_on_the_price_since_november_2025() -> None:
    before, since = date(2025, 10, 31), date(2025, 11, 3)
    assert round_lot(D(5000), before) == 100
    assert [round_lot(D(p), since) for p in ("250", "250.01", "1000", "1000.01", "10000", "10000.01")] == [
        100,
        40,
        40,
        10,
        10,
        1,
    ]
