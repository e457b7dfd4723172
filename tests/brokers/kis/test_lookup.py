"""What an instrument is, out of KIS's product and price answers; asked once."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import pytest

from brokers.kis.dialect import Ask
from brokers.kis.lookup import Lookup
from brokers.kis.rest import Rest
from brokers.pacing import Priority
from shared.domain.account import Market
from shared.domain.errors import NotFound, Refused
from shared.domain.instrument import InstrumentType, Venue
from tests.brokers.kis.payload import answer, request
from tests.fakes import FakeClock


@dataclass
class Documented:
    """Answers every call with KIS's own example; a product asked under another exchange is not there (rt_cd 7)."""

    asked: list[Ask] = field(default_factory=list)
    share: dict[str, Any] | None = None  # what search-stock-info answers; None: nothing known (rt_cd 7)

    async def get(self, ask: Ask, priority: Priority = Priority.READ) -> dict[str, Any]:
        self.asked.append(ask)
        if ask.tr.live == "CTPF1702R" and ask.fields != request("CTPF1702R"):
            raise Refused("KIS", "X", "조회할 내역이 없습니다")
        if ask.tr.live == "CTPF1002R":
            if self.share is None:
                raise Refused("KIS", "X", "조회할 내역이 없습니다")
            return self.share
        return answer(ask.tr.live)


def lookup(market: Market, mock: bool = False) -> tuple[Lookup, Documented]:
    rest = Documented()
    return Lookup(cast(Rest, rest), market, mock, FakeClock()), rest


async def test_a_us_share_is_found_by_its_product_and_asked_once() -> None:
    found, rest = lookup(Market.US)
    for _ in range(2):
        instrument = await found.instrument("AAPL")
    assert (instrument.venue, instrument.type) == (Venue.NASDAQ, InstrumentType.STOCK)
    assert (instrument.name, instrument.name_en) == ("애플", "APPLE INC")
    assert [ask.fields for ask in rest.asked] == [request("CTPF1702R")]


async def test_a_us_share_that_no_exchange_lists_is_not_found() -> None:
    found, rest = lookup(Market.US)
    with pytest.raises(NotFound, match=r"없습니다 / .* is not known"):
        await found.instrument("BRK.B")
    assert [ask.fields for ask in rest.asked] == [
        {"PRDT_TYPE_CD": code, "PDNO": "BRK/B"} for code in ("512", "513", "529")
    ]


async def test_mock_trading_knows_a_us_share_by_its_price() -> None:
    found, rest = lookup(Market.US, mock=True)
    assert (await found.instrument("AAPL")).venue is Venue.NASDAQ
    assert [ask.fields for ask in rest.asked] == [request("HHDFS00000300")]


@pytest.mark.parametrize(
    ("group", "kind"),
    [("ST", "STOCK"), ("RT", "STOCK"), ("EF", "ETF"), ("FE", "ETF"), ("EN", "ETN"), ("EW", "ELW"), ("", "STOCK")],
)
async def test_a_korean_share_has_its_board_name_and_the_type_of_its_group(group: str, kind: str) -> None:
    found, rest = lookup(Market.KRX)
    rest.share = {
        "rt_cd": "0",
        "output": {"prdt_name": "삼성전자보통주", "prdt_abrv_name": "삼성전자", "scty_grp_id_cd": group},
    }
    instrument = await found.instrument("005930")
    assert (instrument.board, instrument.name, instrument.type) == ("KOSPI", "삼성전자", InstrumentType[kind])
    assert [ask.tr.live for ask in rest.asked] == ["FHKST01010100", "CTPF1002R"]
    assert rest.asked[1].fields == request("CTPF1604R")


@pytest.mark.parametrize("share", [None, {"rt_cd": "0", "output": {}}, {"rt_cd": "0", "output": "?"}])
async def test_a_share_of_which_no_group_is_told_has_its_name_from_the_other_call(share: dict[str, Any] | None) -> None:
    found, rest = lookup(Market.KRX)
    rest.share = share
    instrument = await found.instrument("005930")
    assert (instrument.board, instrument.name, instrument.type) == ("KOSPI", "삼성전자", InstrumentType.STOCK)
    assert [ask.tr.live for ask in rest.asked] == ["FHKST01010100", "CTPF1002R", "CTPF1604R"]
    assert Decimal(answer("FHKST01010100")["output"]["aspr_unit"]) == 100


async def test_mock_trading_knows_a_korean_share_by_its_price() -> None:
    found, rest = lookup(Market.KRX, mock=True)
    assert (await found.instrument("005930")).type is InstrumentType.STOCK
    assert [ask.tr.live for ask in rest.asked] == ["FHKST01010100"]


async def test_what_cannot_be_a_symbol_is_not_asked() -> None:
    found, rest = lookup(Market.KRX)
    with pytest.raises(NotFound):
        await found.instrument("AAPL.X")
    assert rest.asked == []
