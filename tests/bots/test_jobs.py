"""The account's jobs: calendars that disagree stop entries until they agree; profit rows add up by day and symbol."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from bots.clearance import Clearance
from bots.jobs import Jobs, adjusted_by, by_symbol
from bots.journal import Outgoing
from brokers.contract import PeriodProfit, ProfitRow
from shared.domain.account import Market
from shared.domain.errors import NotSupported
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import OrderRequest, Side
from tests.fakes import FakeClock

FRIDAY = date(2026, 11, 20)


class Office:
    """Jobs over what the test says of calendars and profit."""

    def __init__(self, *, ours: bool | None = True, theirs: bool | None = True) -> None:
        self.ours, self.theirs, self.told = ours, theirs, list[Outgoing]()
        self.profits: dict[date, PeriodProfit] = {}
        self.clearance = SimpleNamespace(no_entries=None)
        clock = FakeClock()
        hours = SimpleNamespace(
            zone=ZoneInfo("America/New_York"), trades_on=lambda day: self.ours, trade_date=lambda now: FRIDAY
        )
        nothing = cast(Any, None)
        self.jobs = Jobs(
            Market.US, cast(Any, self), nothing, nothing, cast(Any, self.clearance), nothing, cast(Any, hours),
            cast(Any, self), clock, nothing, self.told.extend, nothing,
        )  # fmt: skip

    async def is_open_day(self, day: date) -> bool | None:
        return self.theirs

    async def get_period_profit(self, since: date, until: date) -> PeriodProfit:
        if since not in self.profits:
            raise NotSupported("T", "-", "not that day")
        return self.profits[since]


@pytest.mark.parametrize(("ours", "theirs"), [(True, False), (False, True)])
async def test_calendars_that_disagree_stop_entries_until_they_agree(ours: bool, theirs: bool) -> None:
    office = Office(ours=ours, theirs=theirs)
    await office.jobs.compare_calendars()
    why = office.clearance.no_entries
    assert why is not None and "개장일" in why and "휴장일" in why
    params = json.loads(office.told[0].body)["params"]
    assert {params["ours"], params["theirs"]} == {"개장일", "휴장일"}
    office.ours = theirs
    await office.jobs.compare_calendars()
    assert office.clearance.no_entries is None


@pytest.mark.parametrize(("ours", "theirs"), [(True, True), (True, None), (None, False)])
async def test_agreement_silence_and_endless_sessions_are_no_disagreement(
    ours: bool | None, theirs: bool | None
) -> None:
    office = Office(ours=ours, theirs=theirs)
    await office.jobs.compare_calendars()
    assert office.clearance.no_entries is None and office.told == []


def test_a_disagreement_denies_entries_and_lets_exits_go() -> None:
    clearance = Clearance.__new__(Clearance)
    clearance.no_entries = "달력이 어긋남"
    clearance._portfolio = cast(Any, SimpleNamespace(drift={}))
    clearance._orders = cast(Any, SimpleNamespace(frozen=lambda symbol, side: None))

    def request(side: Side, *, reduces: bool) -> OrderRequest:
        return OrderRequest("AAPL", side, 1, Decimal(1), Venue.NASDAQ, Currency.USD, "1", reduces=reduces)

    assert clearance._frozen(request(Side.BUY, reduces=False)) == "달력이 어긋남"
    assert clearance._frozen(request(Side.SELL, reduces=True)) is None


def sale(symbol: str, quantity: int, sold: str, realized: str | None) -> ProfitRow:
    return ProfitRow(
        FRIDAY, symbol, quantity, Decimal(5), Decimal(sold), None if realized is None else Decimal(realized)
    )


def test_profit_rows_of_one_symbol_are_one_row_and_what_is_not_told_stays_untold() -> None:
    found = by_symbol([sale("AAPL", 2, "20", "1"), sale("MSFT", 1, "9", "2"), sale("AAPL", 3, "30", None)])
    assert [(row.symbol, row.quantity, row.sold, row.realized) for row in found] == [
        ("AAPL", 5, Decimal(50), None),
        ("MSFT", 1, Decimal(9), Decimal(2)),
    ]


async def test_profit_of_today_is_kept_where_past_days_are_not_told() -> None:
    office = Office()
    office.profits[FRIDAY] = PeriodProfit(Currency.USD, Decimal(3), Decimal("0.5"), None, (sale("AAPL", 2, "20", "3"),))
    await office.jobs.take_profits()
    rows = {values["symbol"]: values for values in (json.loads(row.body) for row in office.told)}
    assert rows[""]["realized_pnl"] == "3" and rows[""]["fees"] == "0.5" and rows[""]["taxes"] is None
    assert rows["AAPL"]["qty"] == 2
    office.profits.clear()
    with pytest.raises(NotSupported):
        await office.jobs.take_profits()


def test_past_closes_that_moved_alike_are_a_corporate_action() -> None:
    days = [datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=n) for n in range(10)]
    before = {day: Decimal(2_500_000 + 1000 * n) for n, day in enumerate(days)}
    split = {day: close / 50 for day, close in before.items()}
    assert adjusted_by(split, before) == Decimal("0.02")
    assert adjusted_by(before, before) is None
    assert adjusted_by({**before, days[3]: Decimal(1)}, before) is None, "one close that was mended is none"
    assert adjusted_by({day: close * (n + 1) for n, (day, close) in enumerate(before.items())}, before) is None
    assert adjusted_by(before, {}) is None
