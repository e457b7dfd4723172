"""Reads of many calls: a market's list by price ranges, charts by pages, the calendar once a day."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.kis import history
from brokers.kis.dialect import Ask, Quotes
from brokers.kis.history import History
from brokers.kis.quotes_krx import KrxQuotes
from brokers.kis.quotes_us import NEW_YORK, UsQuotes
from brokers.kis.rest import Rest
from brokers.pacing import Priority
from shared.domain.errors import BrokerUnavailable, WireError
from shared.domain.instrument import Venue
from shared.domain.market import Timeframe
from tests.brokers.kis.payload import answer
from tests.fakes import FakeClock


@dataclass
class Searched:
    """A search over shares of NASDAQ by price; `counts_all`: trec tells all that match, else only what is shown."""

    prices: list[Decimal]
    counts_all: bool = True
    asked: list[Ask] = field(default_factory=list)
    moved: int = 0  # shares that appear in the first answer's count only

    async def get(self, ask: Ask, priority: Priority = Priority.READ) -> dict[str, Any]:
        first, low, high = not self.asked, Decimal(ask.fields["CO_ST_PRICECUR"]), Decimal(ask.fields["CO_EN_PRICECUR"])
        self.asked.append(ask)
        named = enumerate(self.prices if ask.fields["EXCD"] == "NAS" else [])
        found = [f"S{n}" for n, price in named if low <= price <= high]
        shown = found[:100]
        total = (len(found) if self.counts_all else len(shown)) + (self.moved if first else 0)
        return {"output1": {"trec": str(total)}, "output2": [{"symb": symbol, "name": symbol} for symbol in shown]}


def reader(rest: object, quotes: Quotes, mock: bool = False) -> History:
    return History(cast(Rest, rest), quotes, mock, FakeClock())


@settings(max_examples=25)
@given(st.data(), st.booleans(), st.integers(0, 700))
async def test_a_list_longer_than_a_page_is_whole_whatever_the_count_means(
    data: st.DataObject, counts_all: bool, size: int
) -> None:
    seed = data.draw(st.integers(1, 10**6))
    prices = [Decimal((n * 7919 * seed) % 9_999_999 + 1).scaleb(-4) for n in range(size)]
    rest = Searched(prices, counts_all)
    found = await reader(rest, UsQuotes(False)).instruments()
    assert {one.symbol for one in found} == {f"S{n}" for n in range(size)} and len(found) == size
    assert all(one.venue is Venue.NASDAQ for one in found)


async def test_too_many_shares_at_one_price_are_an_error_and_not_a_part() -> None:
    with pytest.raises(WireError):
        await reader(Searched([Decimal("10.00")] * 150), UsQuotes(False)).instruments()


async def test_a_list_that_lost_shares_between_two_pages_is_not_given() -> None:
    with pytest.raises(BrokerUnavailable, match=r"만 나왔습니다 / "):
        await reader(Searched([Decimal(n + 1) for n in range(150)], moved=3), UsQuotes(False)).instruments()


@dataclass
class Endless:
    """A chart whose pages go back for ever, one bar each."""

    asked: int = 0

    async def get(self, ask: Ask, priority: Priority = Priority.READ) -> dict[str, Any]:
        self.asked += 1
        day = (FakeClock().market_now().astimezone(NEW_YORK) - timedelta(days=self.asked)).date()
        row = {**answer("HHDFS76240000")["output2"][0], "xymd": f"{day:%Y%m%d}"}
        return {"output1": {}, "output2": [row]}


async def test_a_chart_is_whole_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_BAR_PAGES", 5)
    bars = await reader(Endless(), UsQuotes(False)).bars("AAPL", Venue.NASDAQ, Timeframe.D1, 5, None)
    assert len(bars) == 5
    with pytest.raises(WireError, match="쪽을 넘습니다"):
        await reader(Endless(), UsQuotes(False)).bars("AAPL", Venue.NASDAQ, Timeframe.D1, 6, None)


@dataclass
class Calendar:
    asked: list[str] = field(default_factory=list)

    async def get(self, ask: Ask, priority: Priority = Priority.READ) -> dict[str, Any]:
        self.asked.append(ask.fields["BASS_DT"])
        if len(self.asked) == 1:
            raise BrokerUnavailable("KIS", "-", "away")
        return answer("CTCA0903R")


async def test_the_korean_calendar_is_asked_once_a_day_and_says_what_it_does_not_know() -> None:
    clock, rest = FakeClock(), Calendar()
    asked = History(cast(Rest, rest), KrxQuotes(False), False, clock)
    with pytest.raises(BrokerUnavailable):
        await asked.is_open_day(date(2026, 7, 9))
    assert await asked.is_open_day(date(2026, 7, 9)) is True
    assert await asked.is_open_day(date(2026, 7, 11)) is False
    assert await asked.is_open_day(date(2026, 9, 1)) is None  # not in the answer, and not asked again today
    assert len(rest.asked) == 2
    clock.pass_s(86400)
    assert await asked.is_open_day(date(2026, 9, 1)) is None
    assert len(rest.asked) == 3
    assert await reader(rest, KrxQuotes(True), mock=True).is_open_day(date(2026, 7, 9)) is None
