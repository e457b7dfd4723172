"""Holdings, cash and order lists: the official sample's arithmetic, prefixes, and what an order's life looks like."""

from decimal import Decimal
from typing import Any

import pytest

from brokers.paper.accounts import Holding
from brokers.paper.ls_wire.account import Valued
from brokers.paper.ls_wire.formats import isin, prefixed, short_code
from shared.domain.account import Market
from tests.brokers.ls.documented import REQUESTS, RESPONSES
from tests.brokers.paper.ls_wire.bench import Bench


def test_valuation_reproduces_the_official_sample() -> None:
    documented = RESPONSES["t0424"]["t0424OutBlock1"][0]
    held = Holding("005930", 25, 25, Decimal(69_800), Decimal(1_745_000))
    ours = Valued(held, Decimal(71_300), charge=True)
    assert (ours.buy_fee + ours.sell_fee, ours.tax) == (documented["fee"], documented["tax"])
    assert (ours.value, ours.gain) == (documented["appamt"], documented["dtsunik"])
    assert ours.cost + ours.buy_fee == RESPONSES["t0424"]["t0424OutBlock"]["mamt"]


def test_codes_are_written_as_each_tr_wants_them() -> None:
    assert isin("005930") == "KR7005930003"
    for written in ("005930", "A005930", "KR7005930003"):
        assert short_code(written) == "005930"
    assert prefixed("005930", None) == "A005930"


async def rows(bench: Bench, tr: str, block: str, **changed: Any) -> list[dict[str, Any]]:
    ((name, fields),) = REQUESTS[tr].items()
    found: list[dict[str, Any]] = (await bench.call(tr, {name: {**fields, **changed}})).body[block]
    return found


async def test_holdings_and_cash_follow_a_fill(bench: Bench) -> None:
    number = await bench.fill()
    order = bench.exchange.order(bench.account(), number)
    assert order is not None
    (held,) = await rows(bench, "t0424", "t0424OutBlock1", charge="0")
    assert (held["expcode"], held["janqty"], held["mdposqt"]) == ("005930", 10, 10)
    assert held["pamt"] == int(order.filled_amount / 10)
    (bep,) = await rows(bench, "CSPAQ12300", "CSPAQ12300OutBlock3")
    assert (bep["IsuNo"], bep["BnsBaseBalQty"], bep["BalQty"]) == ("A005930", 10, 0)
    cash = (await bench.call("CSPAQ12200", REQUESTS["CSPAQ12200"])).body["CSPAQ12200OutBlock2"]
    assert cash["D2Dps"] == 100_000_000 - int(order.filled_amount)
    assert cash["Dps"] == 100_000_000
    assert cash["CrdayBuyAdjstAmt"] == int(order.filled_amount)


async def test_an_open_buy_locks_cash_and_an_open_sale_locks_shares(bench: Bench) -> None:
    number = await bench.rest_order(quantity=100)
    order = bench.exchange.order(bench.account(), number)
    assert order is not None
    assert order.price is not None
    cash = (await bench.call("CSPAQ12200", REQUESTS["CSPAQ12200"])).body["CSPAQ12200OutBlock2"]
    assert cash["MnyOrdAbleAmt"] == 100_000_000 - int(order.price * 100)
    await bench.fill()
    _, upper = bench.exchange.price_limits("005930") or (Decimal(0), Decimal(0))
    assert (await bench.order(BnsTpCode="1", OrdPrc=int(upper), OrdQty=4)).code == "00039"
    (held,) = await rows(bench, "t0424", "t0424OutBlock1")
    assert (held["janqty"], held["mdposqt"]) == (10, 6)


@pytest.mark.parametrize("isu_no", ["KR7005930003", "A005930", "005930"])
async def test_orderable_shares_are_what_an_order_may_ask_for(bench: Bench, isu_no: str) -> None:
    price = int(bench.last())
    block = {"BnsTpCode": "2", "IsuNo": isu_no, "OrdPrc": price}
    said = await bench.call("CSPBQ00200", {"CSPBQ00200InBlock1": block})
    shares = said.body["CSPBQ00200OutBlock2"]["OrdAbleQty"]
    assert (await bench.order(OrdQty=shares + 1, OrdPrc=price)).code == "02752"
    assert (await bench.order(OrdQty=shares, OrdPrc=price)).code == "00040"


async def test_the_days_list_shows_the_life_of_an_order(bench: Bench) -> None:
    lower = int(bench.exchange.price_limits("005930")[0])  # type: ignore[index]
    parent = await bench.rest_order()
    (row,) = await rows(bench, "t0425", "t0425OutBlock1")
    assert (row["status"], row["ordrem"], row["expcode"], row["medosu"]) == ("접수", 10, "005930", "매수")
    child = (await bench.amend(parent, lower + 100)).body["CSPAT00701OutBlock2"]["OrdNo"]
    newest, oldest = await rows(bench, "t0425", "t0425OutBlock1")
    assert (newest["ordno"], newest["orgordno"], newest["status"], newest["ordrem"]) == (child, parent, "정정확인", 10)
    assert (oldest["ordno"], oldest["ordrem"]) == (parent, 0)
    await bench.cancel(child, 4)
    canceled, living, _ = await rows(bench, "t0425", "t0425OutBlock1")
    assert (canceled["status"], canceled["cfmqty"], canceled["ordrem"]) == ("취소확인", 4, 0)
    assert living["ordrem"] == 6
    assert [row["ordno"] for row in await rows(bench, "t0425", "t0425OutBlock1", chegb="2")] == [child]
    assert await rows(bench, "t0425", "t0425OutBlock1", chegb="1") == []
    assert await rows(bench, "t0425", "t0425OutBlock1", medosu="1") == []
    ascending = await rows(bench, "t0425", "t0425OutBlock1", sortgb="2")
    assert [row["ordno"] for row in ascending] == sorted(row["ordno"] for row in ascending)


async def test_a_filled_order_is_complete_in_both_lists(bench: Bench) -> None:
    number = await bench.fill()
    order = bench.exchange.order(bench.account(), number)
    assert order is not None
    (row,) = await rows(bench, "t0425", "t0425OutBlock1")
    assert (row["status"], row["cheqty"], row["cheprice"]) == ("완료", 10, int(order.filled_amount / 10))
    on = f"{bench.exchange.trade_date(Market.KRX):%Y%m%d}"
    (dated,) = await rows(bench, "CSPAQ13700", "CSPAQ13700OutBlock3", OrdDt=on)
    assert (dated["OrdNo"], dated["ExecQty"], dated["IsuNo"]) == (number, 10, "A005930")
    assert dated["ExecPrc"] == f"{order.filled_amount / 10:.2f}"
    assert await rows(bench, "CSPAQ13700", "CSPAQ13700OutBlock3", OrdDt=on, ExecYn="3") == []
    assert len(await rows(bench, "CSPAQ13700", "CSPAQ13700OutBlock3", OrdDt=on, OrdPtnCode="99")) == 1
    assert await rows(bench, "CSPAQ13700", "CSPAQ13700OutBlock3", OrdDt=on, OrdPtnCode="98") == []


async def test_a_date_that_is_none_is_refused(bench: Bench) -> None:
    fields = {**REQUESTS["CSPAQ13700"]["CSPAQ13700InBlock1"], "OrdDt": "20261399"}
    assert (await bench.call("CSPAQ13700", {"CSPAQ13700InBlock1": fields})).code == "01715"
