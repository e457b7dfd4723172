"""The arithmetic of an account as markets.md §9 writes it, reckoned by hand beside what the screens are given."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from brokers.kis.codec_us import UsDialect
from console.services import buying, holdings
from shared.db import writing
from shared.domain.account import AccountNumber, Market
from shared.domain.order import Position
from shared.models import Role
from shared.store import sync
from tests.console.desks import Desk

US, KRX, MOCK = "미국 주식 1호", "국내 단타", "모의 검증"


def told(desk: Desk, account: str, position: Position) -> holdings.PositionLine:
    """What a screen shows of a holding that the broker told."""
    row = {
        "symbol": position.symbol, "name": position.name, "qty": position.quantity, "sellable": position.sellable,
        "avg_price": str(position.average_price), "last_price": str(position.last_price), "currency": position.currency,
        "unrealized_pnl": None if position.unrealized_pnl is None else str(position.unrealized_pnl),
        "updated_at": desk.wiring.clock.wall_now().isoformat(),
    }  # fmt: skip
    with writing(desk.wiring.engine) as session:
        sync.apply(session, desk.accounts[account], "positions", row)
    lines = holdings.positions(desk.wiring, desk.actor(Role.ADMIN), account_id=desk.accounts[account])
    return next(line for line in lines if line.symbol == position.symbol)


def test_the_sample_of_kis_is_told_with_the_rate_kis_prints(desk: Desk) -> None:
    """KIS's own sample: -3,547,254.185 on 4,339,167.785 is -81.75 %."""
    row = {
        "ovrs_pdno": "TSLA", "ovrs_item_name": "테슬라", "ovrs_cblc_qty": "5", "ord_psbl_qty": "5", "tr_crcy_cd": "USD",
        "frcr_pchs_amt1": "4339167.78500", "pchs_avg_pric": "867833.5570", "frcr_evlu_pfls_amt": "-3547254.185000",
        "evlu_pfls_rt": "-81.75", "ovrs_stck_evlu_amt": "791913.60000000", "now_pric2": "158382.720000",
    }  # fmt: skip
    (position,) = UsDialect(AccountNumber.parse("12345678-01"), mock=False).read_settled([{"output1": [row]}])
    line = told(desk, US, position)
    assert line.avg_price * line.qty == D("4339167.785")
    assert line.unrealized_pnl == D("-3547254.185") == line.value - D("4339167.785")  # type: ignore[operator]
    assert line.pnl_pct is not None and round(line.pnl_pct, 2) == D("-81.75") == D(row["evlu_pfls_rt"])


@pytest.mark.parametrize(
    ("average", "last", "quantity", "value", "pnl", "pct"),
    [  # value = qty × last; pnl = value - qty × average; pct = pnl / (qty × average) × 100
        ("71300", "70900", 13, "921700", "-5200", "-0.56"),  # 926,900 paid
        ("100", "150", 10, "1500", "500", "50.00"),
        ("211.50", "211.50", 7, "1480.50", "0", "0.00"),
        ("0.5", "0.0001", 1000, "0.1", "-499.9", "-99.98"),
    ],
)
@pytest.mark.parametrize("says", [True, False], ids=["the broker tells the gain", "it tells prices alone"])
def test_value_gain_and_rate_of_a_holding(
    average: str, last: str, quantity: int, value: str, pnl: str, pct: str, says: bool, desk: Desk
) -> None:
    gain = D(pnl) if says else None
    position = Position("ZZZZ", quantity, quantity, D(average), Market.US.currency, D(last), gain, "")
    line = told(desk, US, position)
    assert (line.value, line.unrealized_pnl) == (D(value), D(pnl))
    assert line.pnl_pct is not None and round(line.pnl_pct, 2) == D(pct)


def test_what_open_buys_hold_back_is_limit_price_times_what_is_left_with_its_fee(desk: Desk) -> None:
    """주문가능금액 = D+2 cash - limit price × left × (1 + fee); the broker's own word stands beside it."""
    lines = {line.account: line for line in buying.listed(desk.wiring, desk.actor(Role.ADMIN))}
    # LS, 0.015 %: 30 of 60 left at 181,200 = 5,436,000; with the fee 5,436,815.4
    krx = lines[KRX]
    assert (krx.traded, krx.locked, krx.reckoned) == (86_062_000, D("5436815.4"), D("80625184.6"))
    assert krx.off == 86_062_000 - D("80625184.6")
    # KIS, 0.25 %: 10 at 208.00 = 2,080.00; with the fee 2,085.20
    us = lines[US]
    assert (us.traded, us.locked, us.reckoned) == (D("94512.37"), D("2085.20"), D("92427.17"))
    assert us.off == D("91010.02") - D("92427.17")
    assert (lines[MOCK].locked, lines[MOCK].reckoned) == (0, 100_000_000)
