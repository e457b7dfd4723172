"""Each TR answers the documented request with the documented code, blocks, keys and JSON kinds."""

from typing import Any

import pytest

from shared.domain.account import Market
from tests.brokers.ls.documented import REQUESTS, RESPONSES, kinds
from tests.brokers.paper.ls_wire.bench import MOCK_KEY, Bench

ORDERS = {"CSPAT00601", "CSPAT00701", "CSPAT00801"}
READS = sorted(set(REQUESTS) - ORDERS)


def contains(ours: Any, documented: Any, where: str) -> None:
    """`ours` has every key of `documented`, of the same kind; abridged examples leave keys out, never add."""
    if isinstance(documented, dict):
        assert isinstance(ours, dict), where
        for name, inner in documented.items():
            assert name in ours, f"{where}.{name}"
            contains(ours[name], inner, f"{where}.{name}")
    elif isinstance(documented, list):
        assert isinstance(ours, list), where
        if documented and ours:
            contains(ours[0], documented[0], where)
    else:
        assert ours == documented, where


@pytest.mark.parametrize("tr", READS)
async def test_a_read_answers_the_documented_request_in_the_documented_form(bench: Bench, tr: str) -> None:
    await bench.fill()
    await bench.rest_order()
    request = REQUESTS[tr]
    if tr == "CSPAQ13700":
        on = bench.exchange.trade_date(Market.KRX)
        request = {"CSPAQ13700InBlock1": {**request["CSPAQ13700InBlock1"], "OrdDt": f"{on:%Y%m%d}"}}
    said = await bench.call(tr, request)
    assert (said.status, said.code) == (200, RESPONSES[tr]["rsp_cd"]), said.body
    documented = {name: kinds(value) for name, value in RESPONSES[tr].items()}
    contains({name: kinds(value) for name, value in said.body.items()}, documented, tr)


@pytest.mark.parametrize("tr", READS)
async def test_all_four_headers_come_in_their_own_capitalisation(bench: Bench, tr: str) -> None:
    said = await bench.call(tr, REQUESTS[tr])
    assert {"Content-Type", "tr_cd", "tr_cont", "tr_cont_key"} <= set(said.raw_names)
    assert said.headers["Content-Type"].startswith("application/json")
    assert said.headers["tr_cd"] == tr
    refused = await bench.call(tr, REQUESTS[tr], headers={"tr_cont": None})
    assert {"Content-Type", "tr_cd", "tr_cont", "tr_cont_key"} <= set(refused.raw_names)


async def test_orders_answer_in_the_documented_form(bench: Bench) -> None:
    placed = await bench.order(OrdPrc=int(bench.exchange.price_limits("005930")[0]))  # type: ignore[index]
    number = placed.body["CSPAT00601OutBlock2"]["OrdNo"]
    price = int(float(placed.body["CSPAT00601OutBlock1"]["OrdPrc"]))
    amended = await bench.amend(number, price + 100)
    child = amended.body["CSPAT00701OutBlock2"]["OrdNo"]
    canceled = await bench.cancel(child)
    for tr, said in (("CSPAT00601", placed), ("CSPAT00701", amended), ("CSPAT00801", canceled)):
        assert said.status == 200
        assert kinds(said.body) == kinds(RESPONSES[tr]), tr
    assert [said.code for said in (placed, amended, canceled)] == ["00040", "00132", "00156"]
    assert amended.body["CSPAT00701OutBlock2"]["PrntOrdNo"] == number
    assert canceled.body["CSPAT00801OutBlock2"]["PrntOrdNo"] == child
    echo = placed.body["CSPAT00601OutBlock1"]
    assert (echo["IsuNo"], echo["OrdPrc"], echo["MbrNo"]) == ("A005930", f"{price}.00", "KRX")
    assert placed.body["CSPAT00601OutBlock2"]["SpareOrdNo"] == number


async def test_a_sale_has_its_own_code(bench: Bench) -> None:
    await bench.fill()
    assert (await bench.order(BnsTpCode="1")).code == "00039"


async def test_mock_trading_says_so_in_every_message_and_has_its_own_codes(bench: Bench) -> None:
    number = await bench.rest_order(MOCK_KEY)
    lower = int(bench.exchange.price_limits("005930")[0])  # type: ignore[index]
    amended = await bench.amend(number, lower + 100, key=MOCK_KEY)
    canceled = await bench.cancel(amended.body["CSPAT00701OutBlock2"]["OrdNo"], key=MOCK_KEY)
    cash = await bench.call("CSPAQ12200", REQUESTS["CSPAQ12200"], key=MOCK_KEY)
    assert [amended.code, canceled.code, cash.code] == ["00462", "00463", "00136"]
    for said in (amended, canceled, cash):
        assert said.body["rsp_msg"].startswith("모의투자 ")
    live = await bench.call("CSPAQ12200", REQUESTS["CSPAQ12200"])
    assert "모의투자" not in live.body["rsp_msg"]


@pytest.mark.parametrize("body", [{}, {"FOCCQ33600InBlock1": {}}, {"FOCCQ33600InBlock1": None}])
async def test_the_probe_tells_the_sides_apart_whatever_it_sends(bench: Bench, body: Any) -> None:
    live = await bench.call("FOCCQ33600", body)
    mock = await bench.call("FOCCQ33600", body, key=MOCK_KEY)
    assert (live.status, live.code) == (200, "00136")
    assert (mock.status, mock.code, mock.body["rsp_msg"]) == (
        200,
        "01900",
        "모의투자에서는 해당업무가 제공되지 않습니다.",
    )


async def test_mock_trading_keeps_no_order_history(bench: Bench) -> None:
    said = await bench.call("CSPAQ13700", REQUESTS["CSPAQ13700"], key=MOCK_KEY)
    assert said.code == "00707"


async def test_an_empty_history_is_a_success_without_rows(bench: Bench) -> None:
    said = await bench.call("CSPAQ13700", REQUESTS["CSPAQ13700"])
    assert (said.code, said.body["CSPAQ13700OutBlock3"]) == ("00200", [])
