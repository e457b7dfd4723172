"""Commissions and taxes by date."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendars import load
from shared.domain.account import BrokerName, Market
from shared.domain.fees import (
    Costs,
    FeeContract,
    default_contract,
    finra_taf,
    overseas_gains_tax,
    sec_fee_per_million,
    sell_tax_split,
    trade_costs,
)
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side

D = Decimal
CALENDARS = load()
RATES = CALENDARS.rates
KIS_KRX = default_contract(BrokerName.KIS, Market.KRX)
KIS_US = default_contract(BrokerName.KIS, Market.US)


def costs(
    market: Market,
    side: Side,
    quantity: int,
    price: Decimal,
    on: date,
    contract: FeeContract,
    kind: InstrumentType = InstrumentType.STOCK,
) -> Costs:
    return trade_costs(
        market,
        side,
        quantity,
        price,
        on,
        contract=contract,
        days=CALENDARS.days(market),
        rates=RATES,
        instrument_type=kind,
    )


@pytest.mark.parametrize(
    ("last_day", "before", "first_day", "after"),
    [
        (date(2019, 5, 29), "0.30", date(2019, 5, 30), "0.25"),
        (date(2020, 12, 28), "0.25", date(2020, 12, 29), "0.23"),
        (date(2022, 12, 27), "0.23", date(2022, 12, 28), "0.20"),
        (date(2023, 12, 26), "0.20", date(2023, 12, 27), "0.18"),
        (date(2024, 12, 26), "0.18", date(2024, 12, 27), "0.15"),
        (date(2025, 12, 26), "0.15", date(2025, 12, 29), "0.20"),
    ],
)
@pytest.mark.parametrize("board", ["KOSPI", "KOSDAQ"])
def test_the_sell_tax_changes_with_the_settlement_date(
    last_day: date, before: str, first_day: date, after: str, board: str
) -> None:
    assert sum(sell_tax_split(last_day, CALENDARS.krx, RATES, board=board)) == D(before)
    assert sum(sell_tax_split(first_day, CALENDARS.krx, RATES, board=board)) == D(after)


def test_only_kospi_pays_the_rural_tax_and_konex_pays_a_tenth() -> None:
    def split(board: str) -> tuple[Decimal, Decimal]:
        return sell_tax_split(date(2026, 3, 10), CALENDARS.krx, RATES, board=board)

    assert split("KOSPI") == (D("0.05"), D("0.15"))
    assert split("KOSDAQ") == (D("0.20"), 0)
    assert split("KONEX") == (D("0.10"), 0)


def test_a_sale_before_the_calendar_begins_pays_the_earliest_known_rate() -> None:
    assert sum(sell_tax_split(date(1995, 6, 1), CALENDARS.krx, RATES)) == D("0.30")


def test_a_korean_sale_pays_commission_and_two_tax_lines_each_cut_to_the_won() -> None:
    # 71,300 × 13 = 926,900: 0.0140527 % = 130.25, 0.05 % = 463.45, 0.15 % = 1,390.35
    sold = costs(Market.KRX, Side.SELL, 13, D(71300), date(2026, 3, 10), KIS_KRX)
    assert (sold.commission, sold.tax, sold.total) == (130, 463 + 1390, 1983)
    assert costs(Market.KRX, Side.BUY, 13, D(71300), date(2026, 3, 10), KIS_KRX) == Costs(D(130), D(0))


@pytest.mark.parametrize("kind", [InstrumentType.ETF, InstrumentType.ETN, InstrumentType.ELW])
def test_funds_and_notes_are_not_taxed(kind: InstrumentType) -> None:
    assert costs(Market.KRX, Side.SELL, 10, D(30000), date(2026, 3, 10), KIS_KRX, kind).tax == 0


def test_a_us_sale_pays_the_sec_fee_and_taf_each_rounded_up_to_a_cent() -> None:
    # 100 × 211.50 = 21,150: commission 52.875, SEC 0.43569, TAF 0.0195
    sold = costs(Market.US, Side.SELL, 100, D("211.50"), date(2026, 5, 6), KIS_US)
    assert (sold.commission, sold.tax) == (D("52.88"), D("0.44") + D("0.02"))
    without = FeeContract(D("0.25"), D("0.25"), passes_taf=False)
    assert costs(Market.US, Side.SELL, 100, D("211.50"), date(2026, 5, 6), without).tax == D("0.44")
    assert costs(Market.US, Side.BUY, 100, D("211.50"), date(2026, 5, 6), KIS_US).tax == 0


def test_us_fees_change_on_their_dates() -> None:
    assert [sec_fee_per_million(day, RATES) for day in (date(2025, 5, 13), date(2025, 5, 14), date(2026, 4, 4))] == [
        D("27.80"),
        0,
        D("20.60"),
    ]
    assert sec_fee_per_million(date(2005, 1, 3), RATES) == D("22.40")  # before the first row: the earliest
    assert finra_taf(1000, date(2026, 10, 1), RATES) == 0
    assert finra_taf(1000, date(2027, 1, 4), RATES) == D("0.232")
    assert finra_taf(1_000_000, date(2026, 3, 2), RATES) == D("9.79")


def test_overseas_gains_are_taxed_above_the_allowance_only() -> None:
    assert overseas_gains_tax(D(10_000_000)) == 1_650_000
    assert overseas_gains_tax(D(2_500_000)) == overseas_gains_tax(D(-1)) == 0


@given(
    st.sampled_from(Market),
    st.sampled_from(Side),
    st.integers(1, 100_000),
    st.decimals("0.01", "2000000", places=2),
    st.dates(date(2000, 1, 3), date(2030, 12, 20)),
    st.sampled_from(BrokerName),
)
def test_costs_are_never_negative_nor_larger_than_the_rates_say(
    market: Market, side: Side, quantity: int, price: Decimal, on: date, broker: BrokerName
) -> None:
    contract = default_contract(broker, market)
    got = costs(market, side, quantity, price, on, contract)
    amount = quantity * price
    unit = D(1) if market is Market.KRX else D("0.01")
    assert 0 <= got.commission <= amount * contract.buy_pct / 100 + unit
    assert got.commission % unit == got.tax % unit == 0
    assert 0 <= got.tax <= (amount * D("0.003") + 15 if side is Side.SELL else 0)
