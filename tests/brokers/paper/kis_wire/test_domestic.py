"""KRX trading: orders, their refusals, amends and cancels, lists and their last pages, balances (kis.md §4)."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.domain.account import Market
from shared.domain.money import Currency
from tests.brokers.paper.kis_wire.desk import LIVE, MOCK, Desk, order_tr

AMEND_CANCEL = {LIVE: "TTTC0013U", MOCK: "VTTC0013U"}
EXECUTIONS = {LIVE: "TTTC0081R", MOCK: "VTTC0081R"}
BALANCE = {LIVE: "TTTC8434R", MOCK: "VTTC8434R"}
POWER = {LIVE: "TTTC8908R", MOCK: "VTTC8908R"}


def code(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["rt_cd"], answer.json()["msg_cd"]


@pytest.mark.parametrize("tr_id", ["TTTC0012U", "TTTC0802U", "VTTC0012U", "VTTC0802U"])
async def test_every_buy_id_buys(desk: Desk, tr_id: str) -> None:
    env = MOCK if tr_id.startswith("V") else LIVE
    old = {"EXCG_ID_DVSN_CD": None, "SLL_TYPE": None, "CNDT_PRIC": None}  # the older ids know no venue
    answer = await desk.client(env).call(tr_id, {"ORD_UNPR": "64000", **old})
    assert code(answer) == (200, "0", "APBK0013" if env is LIVE else "40600000")
    assert [order.symbol for order in desk.exchange.open_orders(desk.account(env), Market.KRX)] == ["005930"]
    if env is LIVE:
        wanted = {"KRX_FWDG_ORD_ORGNO": "91252", "ODNO": "0030001000", "ORD_TMD": "231530"}
        assert answer.json()["output"] == wanted


@pytest.mark.parametrize("tr_id", ["TTTC0011U", "TTTC0801U", "VTTC0011U", "VTTC0801U"])
async def test_every_sell_id_sells_at_market(desk: Desk, tr_id: str) -> None:
    env = MOCK if tr_id.startswith("V") else LIVE
    await desk.client(env).fill("005930", 3)
    answer = await desk.client(env).call(tr_id, {"ORD_DVSN": "01", "ORD_UNPR": "0", "ORD_QTY": "3"})
    assert answer.json()["rt_cd"] == "0"
    desk.pass_time(10)
    assert desk.exchange.holdings(desk.account(env), Market.KRX) == []


async def test_what_an_ioc_order_cannot_fill_at_once_is_gone(desk: Desk) -> None:
    await desk.client().call("TTTC0012U", {"ORD_DVSN": "11", "ORD_UNPR": "64000"})
    desk.pass_time(3)
    body = (await desk.client().call("TTTC0081R", {"EXCG_ID_DVSN_CD": "ALL"})).json()
    assert [(row["ord_dvsn_cd"], row["cnc_cfrm_qty"], row["rmn_qty"]) for row in body["output1"]] == [("11", "10", "0")]


REFUSED: list[tuple[bool, dict[str, Any], str, str]] = [
    (True, {"ORD_QTY": "1000000"}, "APBK0952", "40250000"),
    (False, {"ORD_QTY": "1"}, "APBK0400", "40240000"),
    (True, {"ORD_UNPR": "64050"}, "APBK0506", "40030000"),
    (True, {"ORD_UNPR": "500"}, "APBK0506", "40030000"),
    (True, {"ORD_UNPR": ""}, "APBK0506", "40030000"),
    (True, {"ORD_QTY": "0"}, "APBK0400", "40240000"),
    (True, {"PDNO": "999999"}, "APBK0656", "40070000"),
    (True, {"PDNO": "AAPL"}, "APBK0656", "40070000"),
    (True, {"ORD_DVSN": "22"}, "APBK0963", "40070000"),
    (True, {"EXCG_ID_DVSN_CD": "XXX"}, "APBK0963", "40070000"),
]


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_a_refused_order_is_http_200_without_output_and_written_down(desk: Desk, env: Any) -> None:
    for buys, fields, live, mock in REFUSED:
        told = len(desk.exchange.ledger.events(kind="REJECT"))
        asked = {"ORD_UNPR": "64000", "ORD_QTY": "1", **fields}
        answer = await desk.client(env).call(order_tr(env, True, buys), asked)
        assert code(answer) == (200, "7" if env is LIVE else "1", live if env is LIVE else mock), fields
        assert "output" not in answer.json()
        rows = desk.exchange.ledger.events(kind="REJECT")[told:]
        assert [row.account for row in rows] == [desk.account(env).number], fields
    assert desk.exchange.open_orders(desk.account(env), Market.KRX) == []


async def test_all_cash_at_market_is_refused_because_the_upper_limit_counts(desk: Desk) -> None:
    last = desk.exchange.quote("005930").price
    shares = int(Decimal(100_000_000) // last)
    fields = {"ORD_DVSN": "01", "ORD_UNPR": "0", "ORD_QTY": str(shares)}
    assert (await desk.client().call("TTTC0012U", fields)).json()["msg_cd"] == "APBK0952"


async def test_mock_orders_go_to_krx_only(desk: Desk) -> None:
    fields = {"ORD_UNPR": "64000", "EXCG_ID_DVSN_CD": "NXT"}
    assert (await desk.client(LIVE).call("TTTC0012U", fields)).json()["rt_cd"] == "0"
    assert (await desk.client(MOCK).call("VTTC0012U", fields)).json()["msg_cd"] == "40070000"


async def test_a_halted_symbol_and_a_closed_market_are_refused(desk: Desk, strict_desk: Desk) -> None:
    desk.exchange.tape.halt("005930", True)
    assert (await desk.client().call("TTTC0012U", {"ORD_UNPR": "64000"})).json()["msg_cd"] == "APBK0918"
    for env, key, wanted in ((LIVE, "PSlive", "APBK0918"), (MOCK, "PSmock", "40580000")):  # 23:15 in Seoul
        client = strict_desk.client(env, key=key, secret="right")
        answer = await client.call(order_tr(env, True, True), {"ORD_UNPR": "64000"})
        assert answer.json()["msg_cd"] == wanted


async def test_a_closed_day_has_its_own_code(strict_desk_on_sunday: Desk) -> None:
    client = strict_desk_on_sunday.client(LIVE, key="PSlive", secret="right")
    assert (await client.call("TTTC0012U", {"ORD_UNPR": "64000"})).json()["msg_cd"] == "APBK0919"


# -- amending and cancelling


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_an_amend_gets_a_new_number_that_names_the_old_one(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    number = await client.buy("005930")
    fields = {"ORGN_ODNO": number, "RVSE_CNCL_DVSN_CD": "01", "ORD_UNPR": "63000"}
    new = (await client.call(AMEND_CANCEL[env], fields)).json()["output"]["ODNO"]
    rows = (await client.call(EXECUTIONS[env])).json()["output1"]
    assert [(row["odno"], row["orgn_odno"], row["rmn_qty"]) for row in rows] == [(new, number, "10"), (number, "", "0")]
    assert rows[0]["ord_unpr"] == "63000"


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"QTY_ALL_ORD_YN": "Y", "ORD_QTY": "0"}, []),
        ({"QTY_ALL_ORD_YN": "Y", "ORD_QTY": "4"}, []),
        ({"QTY_ALL_ORD_YN": "N", "ORD_QTY": "4"}, ["6"]),
        ({"QTY_ALL_ORD_YN": None, "ORD_QTY": "0"}, []),
    ],
)
async def test_a_cancel_takes_the_part_it_names(desk: Desk, fields: dict[str, Any], left: list[str]) -> None:
    client = desk.client()
    number = await client.buy("005930")
    answer = await client.call("TTTC0013U", {"ORGN_ODNO": number, **fields})
    assert answer.json()["rt_cd"] == "0"
    rows = (await client.call("TTTC0084R")).json()
    assert [row["psbl_qty"] for row in rows["output"]] == left
    cancel = (await client.call("TTTC0081R")).json()["output1"][0]
    assert (cancel["cncl_yn"], cancel["orgn_odno"], cancel["odno"]) == ("Y", number, answer.json()["output"]["ODNO"])


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_a_change_that_cannot_be_made_is_refused(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    filled, resting = await client.fill("005930", 1), await client.buy("005930")
    amend = {"ORGN_ODNO": resting, "RVSE_CNCL_DVSN_CD": "01", "QTY_ALL_ORD_YN": "Y", "ORD_QTY": "0"}
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"ORGN_ODNO": "999"}, "APBK0344", "40330000"),
        ({"ORGN_ODNO": filled}, "APBK0927", "40330000"),
        ({"ORGN_ODNO": resting, "QTY_ALL_ORD_YN": "N", "ORD_QTY": "11"}, "APBK0927", "40330000"),
        ({**amend, "ORD_UNPR": "63050"}, "APBK0506", "40030000"),
        ({**amend, "ORD_UNPR": "500"}, "APBK0506", "40030000"),
        ({**amend, "ORD_DVSN": "01"}, "APBK0963", "40070000"),
        ({"ORGN_ODNO": resting, "RVSE_CNCL_DVSN_CD": "03"}, "APBK0963", "40070000"),
        ({"ORGN_ODNO": resting, "ORD_QTY": "x"}, "APBK0400", "40240000"),
    ]
    for fields, live, mock in cases:
        answer = await client.call(AMEND_CANCEL[env], fields)
        assert answer.json()["msg_cd"] == (live if env is LIVE else mock), fields
    assert [order.leaves for order in desk.exchange.open_orders(desk.account(env), Market.KRX)] == [10]


# -- lists


@pytest.mark.parametrize(("env", "size"), [(LIVE, 100), (MOCK, 15)])
async def test_executions_page_to_their_end(desk: Desk, env: Any, size: int) -> None:
    client = desk.client(env)
    placed = [await client.buy("005930", 1) for _ in range(size + 2)]
    first = await client.call(EXECUTIONS[env])
    ctx = {name.upper(): first.json()[name] for name in ("ctx_area_fk100", "ctx_area_nk100")}
    last = await client.call(EXECUTIONS[env], ctx, cont="N")
    assert (first.headers["tr_cont"], last.headers["tr_cont"]) == ("M", "D")
    assert len(ctx["CTX_AREA_FK100"]) == len(ctx["CTX_AREA_NK100"]) == 100
    seen = [row["odno"] for row in [*first.json()["output1"], *last.json()["output1"]]]
    assert seen == placed[::-1]
    assert first.json()["output2"] == last.json()["output2"]
    assert last.json()["output2"]["tot_ord_qty"] == str(size + 2)


async def test_the_amendable_list_pages_to_its_end_and_obeys_its_side(desk: Desk) -> None:
    client = desk.client()
    for _ in range(51):
        await client.buy("005930", 1)
    first = await client.call("TTTC0084R")
    nk = first.json()["ctx_area_nk100"]
    last = await client.call("TTTC0084R", {"CTX_AREA_NK100": nk}, cont="N")
    assert (first.headers["tr_cont"], len(first.json()["output"])) == ("M", 50)
    assert (last.headers["tr_cont"], len(last.json()["output"])) == ("D", 1)
    assert (await client.call("TTTC0084R", {"INQR_DVSN_2": "1"})).json()["output"] == []


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        ({}, 3),
        ({"PDNO": "000660"}, 1),
        ({"SLL_BUY_DVSN_CD": "01"}, 1),
        ({"CCLD_DVSN": "01"}, 1),
        ({"CCLD_DVSN": "02"}, 2),
        ({"EXCG_ID_DVSN_CD": "NXT"}, 0),
        ({"ODNO": "30001001"}, 1),
        ({"INQR_STRT_DT": "20260701", "INQR_END_DT": "20260708"}, 0),
    ],
)
async def test_executions_obey_their_filters(desk: Desk, fields: dict[str, str], rows: int) -> None:
    client = desk.client()
    await client.fill("005930", 2)
    await client.buy("000660", 1)
    await client.sell("005930", 1)
    assert len((await client.call("TTTC0081R", fields)).json()["output1"]) == rows


async def test_executions_come_oldest_first_when_asked(desk: Desk) -> None:
    client = desk.client()
    placed = [await client.buy("005930", 1) for _ in range(3)]
    body = (await client.call("TTTC0081R", {"INQR_DVSN": "01"})).json()
    assert [row["odno"] for row in body["output1"]] == placed


async def test_the_older_ids_of_the_list_answer_alike(desk: Desk) -> None:
    client = desk.client()
    await client.buy("005930", 1)
    new = (await client.call("TTTC0081R")).json()
    for tr_id in ("TTTC8001R", "CTSC9215R", "CTSC9115R"):
        assert (await client.call(tr_id)).json() == new
    assert (await client.call("TTTC8036R")).json() == (await client.call("TTTC0084R")).json()


async def test_an_execution_row_adds_up(desk: Desk) -> None:
    client = desk.client()
    await client.fill("005930", 5)
    body = (await client.call("TTTC0081R")).json()
    row = body["output1"][0]
    assert (row["tot_ccld_qty"], row["rmn_qty"], row["cncl_yn"]) == ("5", "0", "N")
    bought = desk.exchange.cash(desk.account(), Currency.KRW).bought_today
    assert Decimal(row["tot_ccld_amt"]) == bought == Decimal(body["output2"]["tot_ccld_amt"])


# -- balances


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_the_balance_adds_up_with_its_cash(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    await client.fill("005930", 5)
    await client.fill("000660", 1)
    await client.sell("005930", 2)
    answer = await client.call(BALANCE[env])
    body = answer.json()
    rows, summary = body["output1"], body["output2"][0]
    assert answer.headers["tr_cont"] == "D"
    assert [(row["pdno"], row["hldg_qty"], row["ord_psbl_qty"]) for row in rows] == [
        ("000660", "1", "1"),
        ("005930", "5", "3"),
    ]
    for row in rows:
        assert int(row["evlu_amt"]) == int(row["prpr"]) * int(row["hldg_qty"])
    cash = desk.exchange.cash(desk.account(env), Currency.KRW)
    assert Decimal(summary["prvs_rcdl_excc_amt"]) == cash.total  # D+2: everything settled
    assert Decimal(summary["dnca_tot_amt"]) == Decimal(summary["nxdy_excc_amt"]) == cash.settled == 100_000_000
    assert int(summary["scts_evlu_amt"]) == sum(int(row["evlu_amt"]) for row in rows)
    assert int(summary["tot_evlu_amt"]) == int(summary["prvs_rcdl_excc_amt"]) + int(summary["scts_evlu_amt"])


@pytest.mark.parametrize(("env", "answered"), [(LIVE, "KIOK0560"), (MOCK, "70070000")])
async def test_an_empty_balance_is_a_success_with_cash(desk: Desk, env: Any, answered: str) -> None:
    answer = await desk.client(env).call(BALANCE[env])
    assert code(answer) == (200, "0", answered)
    assert answer.json()["output1"] == []
    assert answer.json()["output2"][0]["dnca_tot_amt"] == "100000000"


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_buying_power_at_market_counts_the_upper_limit(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    limit = (await client.call(POWER[env], {"ORD_DVSN": "00", "ORD_UNPR": "64000"})).json()["output"]
    market = (await client.call(POWER[env], {"ORD_DVSN": "01"})).json()["output"]
    limits = desk.exchange.price_limits("005930")
    assert limits is not None
    assert (limit["psbl_qty_calc_unpr"], limit["nrcvb_buy_qty"]) == ("64000", str(100_000_000 // 64000))
    assert (market["psbl_qty_calc_unpr"], market["nrcvb_buy_qty"]) == (
        str(limits[1]),
        str(100_000_000 // int(limits[1])),
    )
    assert (await client.call(POWER[env], {"PDNO": ""})).json()["output"]["ord_psbl_cash"] == "100000000"
    assert code(await client.call(POWER[env], {"PDNO": "999999"})) == (200, "7", "APBK0656")
