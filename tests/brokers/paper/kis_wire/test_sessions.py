"""Day-market and reserved orders, KRX order kinds and venues, boards of quotes, class shares (kis.md §3.4, §3.5, §4.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from brokers.paper.accounts import Profile
from brokers.paper.kis_wire.kinds_krx import KINDS
from brokers.paper.kis_wire.overseas_reserved import accepted_at
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession
from tests.brokers.paper.kis_wire.desk import LIVE, MOCK, Desk, open_desk, register

DAY = {"OVRS_ORD_UNPR": "190.00", "ORD_QTY": "2"}


@pytest.fixture
async def strict_day(tmp_path: Path) -> AsyncIterator[Desk]:
    """Strict, on a Thursday at 11:00 in Seoul: KRX and the US day market are open, New York is not."""
    async with open_desk(tmp_path, profile=Profile.STRICT, at=datetime(2026, 7, 9, 2, 0, tzinfo=UTC)) as opened:
        register(opened)
        yield opened


async def test_a_day_market_order_is_changed_by_its_own_tr_only(desk: Desk) -> None:
    client = desk.client()
    number = (await client.call("TTTS6036U", DAY)).json()["output"]["ODNO"]
    order = desk.exchange.order(desk.account(), int(number))
    assert order is not None and order.session is OrderSession.DAY_MARKET
    refused = await client.call("TTTT1004U", {"ORGN_ODNO": number, "ORD_QTY": "0"})
    assert refused.json()["msg_cd"] == "APBK0918"  # a published client then tries the day market's TR
    done = await client.call("TTTS6038U", {"ORGN_ODNO": number, "ORD_QTY": "0"})
    assert done.json()["rt_cd"] == "0"
    regular = await client.buy()
    other = await client.call("TTTS6038U", {"ORGN_ODNO": regular, "ORD_QTY": "0"})
    assert other.json()["msg_cd"] == "APBK0918"


async def test_the_day_market_takes_limits_only_and_none_at_night(desk: Desk, strict_desk: Desk) -> None:
    assert (await desk.client().call("TTTS6036U", {**DAY, "ORD_DVSN": "32"})).json()["msg_cd"] == "APBK0963"
    night = strict_desk.client(LIVE, key="PSlive", secret="right")
    assert (await night.call("TTTS6036U", DAY)).json()["rt_cd"] != "0"


async def test_by_day_the_day_market_is_open_and_new_york_is_not(strict_day: Desk) -> None:
    client = strict_day.client(LIVE, key="PSlive", secret="right")
    assert (await client.call("TTTS6036U", DAY)).json()["rt_cd"] == "0"
    regular = (await client.call("TTTT1002U", DAY)).json()
    assert regular["msg_cd"] == "APBK1664", regular


@pytest.mark.parametrize(
    ("hour", "minute", "taken"), [(9, 59, False), (10, 0, True), (16, 35, False), (22, 19, True), (22, 20, False)]
)
def test_reservations_have_their_hours(hour: int, minute: int, taken: bool) -> None:
    assert accepted_at(datetime(2026, 7, 9, hour - 9, minute, tzinfo=UTC)) is taken


async def test_a_reservation_is_listed_sent_and_not_cancelled_twice(desk: Desk) -> None:
    client = desk.client()
    made = [(await client.call("TTTT3014U", {"FT_ORD_UNPR3": "190.00"})).json()["output"]["ODNO"] for _ in range(22)]
    assert desk.exchange.open_orders(desk.account(), Market.US) == []
    first = await client.call("TTTT3017U", {"OVRS_RSVN_ODNO": made[0]})
    assert first.json()["msg_cd"] == "APBK1711"
    again = await client.call("TTTT3017U", {"OVRS_RSVN_ODNO": made[0]})
    assert (again.status_code, again.json()["msg_cd"]) == (200, "APBK0927")
    elsewhere = await client.call("TTTT3017U", {"OVRS_RSVN_ODNO": made[1], "RSVN_ORD_RCIT_DT": "20260708"})
    assert elsewhere.json()["msg_cd"] == "APBK0344"
    page = await client.call("TTTT3039R")
    assert (page.headers["tr_cont"], len(page.json()["output"])) == ("M", 20)
    keys = {"CTX_AREA_NK200": page.json()["ctx_area_nk200"], "CTX_AREA_FK200": page.json()["ctx_area_fk200"]}
    rest = await client.call("TTTT3039R", keys, cont="N")
    assert [row["cncl_yn"] for row in rest.json()["output"]] == ["N", "Y"]
    assert rest.headers["tr_cont"] == "D"
    desk.pass_time(301)  # always open: sent at the next five minutes
    rows = (await client.call("TTTT3039R")).json()["output"]
    assert {row["ovrs_rsvn_ord_stat_cd_name"] for row in rows} == {"전송"} and all(row["odno"] for row in rows)
    assert len(desk.exchange.open_orders(desk.account(), Market.US)) == 21


async def test_a_reservation_looks_neither_at_cash_nor_at_holdings(desk: Desk) -> None:
    fields: dict[str, Any] = {"FT_ORD_UNPR3": "190.00", "FT_ORD_QTY": "1000000"}
    for tr_id in ("TTTT3014U", "TTTT3016U"):
        assert (await desk.client().call(tr_id, fields)).json()["rt_cd"] == "0"
    assert (await desk.client(MOCK).call("VTTT3014U", fields)).json()["rt_cd"] == "0"


# -- KRX


@pytest.mark.parametrize("code", sorted(KINDS))
async def test_every_kind_of_order_enters_at_the_price_it_means(desk: Desk, code: str) -> None:
    client, kind = desk.client(), KINDS[code]
    book = desk.exchange.book("005930")
    fields = {"ORD_DVSN": code, "ORD_UNPR": "64000" if kind.priced is None else "0", "ORD_QTY": "1"}
    answer = (await client.call("TTTC0012U", fields)).json()
    assert answer["rt_cd"] == "0", answer
    order = desk.exchange.order(desk.account(), int(answer["output"]["ODNO"]))
    assert order is not None and order.time_in_force is kind.time_in_force
    middle = (book.asks[0].price + book.bids[0].price) / 2
    wanted = {
        **dict.fromkeys(("03", "15", "16"), book.asks[0].price),
        "04": book.bids[0].price,
        **dict.fromkeys(("21", "23", "24"), middle - middle % 100),
        **dict.fromkeys(("01", "13", "14"), None),
        **dict.fromkeys(("05", "06"), desk.exchange.quote("005930").price),
    }
    if code != "05":
        assert order.price == wanted.get(code, Decimal(64000))


@pytest.mark.parametrize(
    ("venue", "code", "taken"),
    [("NXT", "00", True), ("NXT", "01", False), ("SOR", "01", True), ("SOR", "21", False), ("NXT", "02", False)],
)
async def test_a_venue_takes_its_own_kinds(desk: Desk, venue: str, code: str, taken: bool) -> None:
    fields = {"EXCG_ID_DVSN_CD": venue, "ORD_DVSN": code, "ORD_UNPR": "64000", "ORD_QTY": "1"}
    answer = (await desk.client().call("TTTC0012U", fields)).json()
    assert answer["msg_cd"] == ("APBK0013" if taken else "APBK0963")
    if taken:
        order = desk.exchange.order(desk.account(), int(answer["output"]["ODNO"]))
        assert order is not None and order.venue is Venue(venue)


async def test_after_hours_kinds_have_their_hours(strict_day: Desk) -> None:
    client = strict_day.client(LIVE, key="PSlive", secret="right")
    for code in ("05", "06", "07"):
        answer = await client.call("TTTC0012U", {"ORD_DVSN": code, "ORD_UNPR": "0", "ORD_QTY": "1"})
        assert answer.json()["msg_cd"] == "APBK0918"


async def test_nxt_quotes_shares_and_no_funds(desk: Desk) -> None:
    client = desk.client()

    async def price(division: str, code: str) -> str:
        asked = {"FID_COND_MRKT_DIV_CODE": division, "FID_INPUT_ISCD": code}
        return str((await client.call("FHKST01010100", asked)).json()["output"]["stck_prpr"])

    assert await price("J", "005930") == await price("NX", "005930") == await price("UN", "005930") != "0"
    assert (await price("J", "069500") != "0", await price("NX", "069500")) == (True, "0")


# -- class shares


async def test_a_class_share_has_a_slash_and_compat_takes_a_dot(desk: Desk, strict_desk: Desk) -> None:
    asked = {"EXCD": "NYS", "SYMB": "BRK/B"}
    strict = strict_desk.client(LIVE, key="PSlive", secret="right")
    for client, symbol, known in ((desk.client(), "BRK/B", 1), (desk.client(), "BRK.B", 1), (strict, "BRK.B", 0)):
        last = (await client.call("HHDFS00000300", {**asked, "SYMB": symbol})).json()["output"]["last"]
        assert bool(last) is bool(known), symbol
    order = {"OVRS_EXCG_CD": "NYSE", "PDNO": "BRK/B", "OVRS_ORD_UNPR": "500.00", "ORD_QTY": "1"}
    assert (await desk.client().call("TTTT1002U", order)).json()["rt_cd"] == "0"
    desk.pass_time(20)
    rows = (await desk.client().call("TTTS3012R", {"OVRS_EXCG_CD": "NYSE"})).json()["output1"]
    assert [(row["ovrs_pdno"], row["ovrs_excg_cd"]) for row in rows] == [("BRK/B", "NYSE")]
