"""US trading: orders, their refusals, amends and cancels, lists and their last pages, balances (kis.md §3)."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.domain.account import Market
from shared.domain.money import Currency
from tests.brokers.paper.kis_wire.desk import LIVE, MOCK, Desk, order_tr

AMEND_CANCEL = {LIVE: "TTTT1004U", MOCK: "VTTT1004U"}
OPEN_ORDERS = {LIVE: "TTTS3018R", MOCK: "VTTS3018R"}
EXECUTIONS = {LIVE: "TTTS3035R", MOCK: "VTTS3035R"}
BALANCE = {LIVE: "TTTS3012R", MOCK: "VTTS3012R"}
PRESENT = {LIVE: "CTRP6504R", MOCK: "VTRP6504R"}
POWER = {LIVE: "TTTS3007R", MOCK: "VTTS3007R"}
TODAY = {"ORD_STRT_DT": "20260709", "ORD_END_DT": "20260709"}


def code(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["rt_cd"], answer.json()["msg_cd"]


# -- placing


@pytest.mark.parametrize("tr_id", ["TTTT1002U", "JTTT1002U"])
async def test_a_live_buy_is_transmitted_with_a_padded_number_and_korean_time(desk: Desk, tr_id: str) -> None:
    answer = await desk.client().call(tr_id, {"OVRS_ORD_UNPR": "190.0000", "ORD_QTY": "10"})
    assert code(answer) == (200, "0", "APBK0013")
    assert answer.json()["output"] == {"KRX_FWDG_ORD_ORGNO": "01790", "ODNO": "0030001000", "ORD_TMD": "231530"}
    assert answer.json()["msg1"].strip() == "주문 전송 완료 되었습니다."


@pytest.mark.parametrize(("tr_id", "answered"), [("VTTT1002U", "40600000"), ("VTTT1001U", "40590000")])
async def test_a_mock_order_is_answered_in_mock_words_with_a_plain_number(
    desk: Desk, tr_id: str, answered: str
) -> None:
    client = desk.client(MOCK)
    await client.fill("AAPL", 3)
    answer = await client.call(tr_id, {"ORD_QTY": "3", "OVRS_ORD_UNPR": "210.00"})
    assert code(answer) == (200, "0", answered)
    assert answer.json()["output"]["KRX_FWDG_ORD_ORGNO"] == "00950"
    assert answer.json()["output"]["ODNO"] == "37501"


@pytest.mark.parametrize("tr_id", ["TTTT1006U", "JTTT1006U", "VTTT1001U", "VTTT1006U"])
async def test_every_sell_id_sells(desk: Desk, tr_id: str) -> None:
    env = MOCK if tr_id.startswith("V") else LIVE
    client = desk.client(env)
    await client.fill("AAPL", 5)
    assert (await client.call(tr_id, {"ORD_QTY": "5", "OVRS_ORD_UNPR": "100.00"})).json()["rt_cd"] == "0"
    desk.pass_time(10)
    assert desk.exchange.holdings(desk.account(env), Market.US) == []


REFUSED: list[tuple[bool, dict[str, Any], str, str]] = [
    (True, {"ORD_QTY": "1000000"}, "APBK0952", "40250000"),
    (False, {"ORD_QTY": "1"}, "APBK0400", "40240000"),
    (True, {"OVRS_ORD_UNPR": "190.005"}, "APBK0506", "40030000"),
    (True, {"OVRS_ORD_UNPR": "0"}, "APBK0506", "40030000"),
    (True, {"OVRS_ORD_UNPR": "many"}, "APBK0506", "40030000"),
    (True, {"ORD_QTY": "0"}, "APBK0400", "40240000"),
    (True, {"ORD_QTY": "1.5"}, "APBK0400", "40240000"),
    (True, {"PDNO": "ZZZZZ"}, "APBK0656", "40070000"),
    (True, {"OVRS_EXCG_CD": "NYSE"}, "APBK0656", "40070000"),
    (True, {"ORD_DVSN": "35"}, "APBK0963", "40070000"),
    (True, {"ORD_DVSN": "33"}, "APBK0963", "40070000"),
]


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_a_refused_order_is_http_200_without_output_and_written_down(desk: Desk, env: Any) -> None:
    for buys, fields, live, mock in REFUSED:
        told = len(desk.exchange.ledger.events(kind="REJECT"))
        asked = {"OVRS_ORD_UNPR": "190.00", "ORD_QTY": "1", **fields}
        answer = await desk.client(env).call(order_tr(env, False, buys), asked)
        assert code(answer) == (200, "7" if env is LIVE else "1", live if env is LIVE else mock), fields
        assert "output" not in answer.json()
        rows = desk.exchange.ledger.events(kind="REJECT")[told:]
        assert [row.account for row in rows] == [desk.account(env).number], fields
    assert desk.exchange.open_orders(desk.account(env), Market.US) == []


async def test_a_halted_symbol_and_a_closed_market_are_refused(desk: Desk, strict_desk_on_sunday: Desk) -> None:
    desk.exchange.tape.halt("AAPL", True)
    halted = await desk.client().call("TTTT1002U", {"OVRS_ORD_UNPR": "190.00"})
    assert code(halted) == (200, "7", "APBK0918")
    for env, key, wanted in ((LIVE, "PSlive", "APBK1664"), (MOCK, "PSmock", "40100000")):
        client = strict_desk_on_sunday.client(env, key=key, secret="right")
        answer = await client.call(order_tr(env, False, True), {"OVRS_ORD_UNPR": "190.00"})
        assert answer.json()["msg_cd"] == wanted


async def test_mock_takes_limit_orders_only_while_live_sells_at_the_close(desk: Desk) -> None:
    for env in (LIVE, MOCK):
        await desk.client(env).fill("AAPL", 2)
    close = {"ORD_DVSN": "33", "OVRS_ORD_UNPR": "0", "ORD_QTY": "1"}
    assert (await desk.client(LIVE).call("TTTT1006U", close)).json()["rt_cd"] == "0"
    assert (await desk.client(MOCK).call("VTTT1001U", close)).json()["rt_cd"] == "1"


# -- amending and cancelling


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_an_amend_gets_a_new_number_and_the_old_order_leaves_the_open_list(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    number = await client.buy()
    fields = {"ORGN_ODNO": number, "RVSE_CNCL_DVSN_CD": "01", "ORD_QTY": "10", "OVRS_ORD_UNPR": "180.00"}
    new = (await client.call(AMEND_CANCEL[env], fields)).json()["output"]["ODNO"]
    rows = (await client.call(OPEN_ORDERS[env])).json()["output"]
    assert [(row["odno"], row["orgn_odno"], row["rvse_cncl_dvsn_cd"]) for row in rows] == [(new, number, "01")]
    assert rows[0]["ft_ord_unpr3"] == "180.00000000"


@pytest.mark.parametrize("quantity", ["0", "10"])
async def test_a_cancel_takes_the_whole_remainder_and_is_a_row_of_its_own(desk: Desk, quantity: str) -> None:
    client = desk.client()
    number = await client.buy()
    answer = await client.call("TTTT1004U", {"ORGN_ODNO": str(int(number)), "ORD_QTY": quantity})
    assert code(answer) == (200, "0", "APBK0013")
    assert (await client.call("TTTS3018R")).json()["output"] == []
    rows = (await client.call("TTTS3035R", TODAY)).json()["output"]
    assert [(row["odno"], row["orgn_odno"], row["rvse_cncl_dvsn"], row["nccs_qty"]) for row in rows] == [
        (number, "", "00", "0"),
        (answer.json()["output"]["ODNO"], number, "02", "0"),
    ]


async def test_a_part_can_be_cancelled(desk: Desk) -> None:
    client = desk.client()
    number = await client.buy()
    await client.call("TTTT1004U", {"ORGN_ODNO": number, "ORD_QTY": "4"})
    assert [row["nccs_qty"] for row in (await client.call("TTTS3018R")).json()["output"]] == ["6"]


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_a_change_that_cannot_be_made_is_refused(desk: Desk, env: Any) -> None:
    client, tr_id = desk.client(env), AMEND_CANCEL[env]
    filled, resting = await client.fill("AAPL", 1), await client.buy()
    live = {
        "unknown": ({"ORGN_ODNO": "999"}, "APBK0344"),
        "no number": ({"ORGN_ODNO": "x"}, "APBK0344"),
        "filled": ({"ORGN_ODNO": filled}, "APBK0927"),
        "too many": ({"ORGN_ODNO": resting, "ORD_QTY": "11"}, "APBK0927"),
        "tick": ({"ORGN_ODNO": resting, "RVSE_CNCL_DVSN_CD": "01", "OVRS_ORD_UNPR": "1.005"}, "APBK0506"),
        "no price": ({"ORGN_ODNO": resting, "RVSE_CNCL_DVSN_CD": "01", "OVRS_ORD_UNPR": ""}, "APBK0506"),
        "cash": ({"ORGN_ODNO": resting, "RVSE_CNCL_DVSN_CD": "01", "OVRS_ORD_UNPR": "99999.00"}, "APBK0952"),
        "neither": ({"ORGN_ODNO": resting, "RVSE_CNCL_DVSN_CD": "03"}, "APBK0963"),
        "no quantity": ({"ORGN_ODNO": resting, "ORD_QTY": "some"}, "APBK0400"),
    }
    mock = {
        "APBK0344": "40330000",
        "APBK0927": "40330000",
        "APBK0506": "40030000",
        "APBK0952": "40250000",
        "APBK0963": "40070000",
        "APBK0400": "40240000",
    }
    for name, (fields, wanted) in live.items():
        answer = await client.call(tr_id, {"ORD_QTY": "10", **fields})
        assert answer.json()["msg_cd"] == (wanted if env is LIVE else mock[wanted]), name
    assert len(desk.exchange.open_orders(desk.account(env), Market.US)) == 1


async def test_an_order_of_another_account_or_market_is_unknown(desk: Desk) -> None:
    theirs = await desk.client(account="11112222-01").buy()
    korean = await desk.client().buy("005930")
    for number in (theirs, korean):
        assert (await desk.client().call("TTTT1004U", {"ORGN_ODNO": number})).json()["msg_cd"] == "APBK0344"


# -- lists


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_the_open_list_pages_to_its_end_without_a_repeat_or_a_gap(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    placed = [await client.buy(quantity=1) for _ in range(23)]
    seen: list[str] = []
    ctx, cont = {"CTX_AREA_FK200": "", "CTX_AREA_NK200": ""}, ""
    pages = []
    while True:
        answer = await client.call(OPEN_ORDERS[env], {"SORT_SQN": "DS", **ctx}, cont=cont)
        body = answer.json()
        seen += [row["odno"] for row in body["output"]]
        pages.append((answer.headers["tr_cont"], body["msg_cd"], len(body["output"])))
        assert len(body["ctx_area_fk200"]) == len(body["ctx_area_nk200"]) == 200
        if answer.headers["tr_cont"] == "D":
            break
        ctx = {"CTX_AREA_FK200": body["ctx_area_fk200"], "CTX_AREA_NK200": body["ctx_area_nk200"]}
        cont = "N"
        if len(pages) == 1:  # what changes between the pages neither repeats nor hides a row
            await client.call(AMEND_CANCEL[env], {"ORGN_ODNO": seen[0], "ORD_QTY": "1"})
    assert pages == [("M", "KIOK0490", 20), ("D", "KIOK0510", 3)]
    assert sorted(seen) == sorted(placed)
    assert body["ctx_area_nk200"].strip() == ""


async def test_without_the_header_the_first_page_comes_again(desk: Desk) -> None:
    client = desk.client()
    for _ in range(21):
        await client.buy(quantity=1)
    first = (await client.call("TTTS3035R", TODAY)).json()
    again = (await client.call("TTTS3035R", {**TODAY, "CTX_AREA_NK200": first["ctx_area_nk200"]})).json()
    rest = (await client.call("TTTS3035R", {**TODAY, "CTX_AREA_NK200": first["ctx_area_nk200"]}, cont="N")).json()
    assert again["output"] == first["output"]
    assert len(rest["output"]) == 1


async def test_executions_are_one_row_per_order_with_cumulative_fills(desk: Desk) -> None:
    client = desk.client()
    number = await client.fill("AAPL", 10)
    row = (await client.call("TTTS3035R", TODAY)).json()["output"][0]
    order = desk.exchange.order(desk.account(), int(number))
    assert order is not None and order.average_price is not None
    assert (row["ft_ccld_qty"], row["nccs_qty"], row["prcs_stat_name"]) == ("10", "0", "완료")
    assert Decimal(row["ft_ccld_unpr3"]) == order.average_price.quantize(Decimal("1e-8"))
    assert Decimal(row["ft_ccld_amt3"]) == order.filled_amount
    assert (row["ord_dt"], row["dmst_ord_dt"], row["ord_tmd"]) == ("20260709", "20260709", "231530")


async def test_the_us_date_is_a_day_behind_the_korean_one_after_midnight_in_seoul(desk: Desk) -> None:
    desk.pass_time(1)
    desk.clock.tick(3600)  # 11:15 in New York, 00:15 of the next day in Seoul
    client = desk.client()
    await client.buy()
    row = (await client.call("TTTS3035R", TODAY)).json()["output"][0]
    assert (row["ord_dt"], row["dmst_ord_dt"], row["ord_tmd"][:4]) == ("20260709", "20260710", "0015")


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        ({}, 3),
        ({"PDNO": "MSFT"}, 1),
        ({"SLL_BUY_DVSN": "01"}, 1),
        ({"CCLD_NCCS_DVSN": "01"}, 1),
        ({"CCLD_NCCS_DVSN": "02"}, 2),
        ({"OVRS_EXCG_CD": "AMEX"}, 0),
        ({"OVRS_EXCG_CD": "%"}, 3),
        ({"ORD_STRT_DT": "20260701", "ORD_END_DT": "20260708"}, 0),
    ],
)
async def test_live_executions_obey_their_filters(desk: Desk, fields: dict[str, str], rows: int) -> None:
    client = desk.client()
    await client.fill("AAPL", 2)
    await client.buy("MSFT", 1)
    await client.sell("AAPL", 1)
    answer = await client.call("TTTS3035R", {**TODAY, **fields})
    assert len(answer.json()["output"]) == rows
    assert answer.json()["msg_cd"] == ("KIOK0510" if rows else "KIOK0560")


async def test_mock_executions_take_no_filter_and_have_their_own_word_for_nothing(desk: Desk) -> None:
    client = desk.client(MOCK)
    empty = await client.call("VTTS3035R", TODAY)
    assert (code(empty), empty.headers["tr_cont"]) == ((200, "0", "70070000"), "D")
    await client.buy("MSFT", 1)
    rows = (await client.call("VTTS3035R", {**TODAY, "PDNO": "AAPL"})).json()["output"]
    assert [row["odno"] for row in rows] == ["37500"]


async def test_a_date_that_is_none_is_refused_by_its_field(desk: Desk) -> None:
    answer = await desk.client().call("TTTS3035R", {"ORD_STRT_DT": "today"})
    assert code(answer) == (500, "2", "OPSQ2002")


async def test_a_day_order_that_outlived_its_session_is_shown_as_refused(desk: Desk) -> None:
    client = desk.client()
    await client.buy()
    desk.clock.tick(24 * 3600)
    desk.exchange.advance()
    desk.tokens.clear()  # the old token went with the day
    row = (await client.call("TTTS3035R", TODAY)).json()["output"][0]
    assert (row["prcs_stat_name"], row["nccs_qty"]) == ("거부", "0")
    assert "취소" in row["rjct_rson_name"] and row["rjct_rson"]


# -- balances


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_the_balance_shows_holdings_by_the_exchange_asked_for(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    await client.fill("AAPL", 2)
    await client.fill("SPY", 1)

    async def symbols(asked: str, currency: str = "USD") -> list[str]:
        answer = await client.call(BALANCE[env], {"OVRS_EXCG_CD": asked, "TR_CRCY_CD": currency})
        assert answer.headers["tr_cont"] == "D"
        return [row["ovrs_pdno"] for row in answer.json()["output1"]]

    assert await symbols("NASD") == (["AAPL", "SPY"] if env is LIVE else ["AAPL"])
    assert await symbols("NAS") == ["AAPL"]
    assert await symbols("AMEX") == ["SPY"]
    assert await symbols("NYSE") == []
    assert await symbols("SEHK") == []
    assert await symbols("", "") == ["AAPL", "SPY"]
    assert await symbols("NASD", "HKD") == []


async def test_a_balance_row_adds_up(desk: Desk) -> None:
    client = desk.client()
    await client.fill("AAPL", 4)
    await client.sell("AAPL", 1)
    body = (await client.call("TTTS3012R")).json()
    row, holding = body["output1"][0], desk.exchange.holdings(desk.account(), Market.US)[0]
    assert (row["ovrs_cblc_qty"], row["ord_psbl_qty"], row["ovrs_excg_cd"]) == ("4", "3", "NASD")
    assert Decimal(row["frcr_pchs_amt1"]) == holding.cost.quantize(Decimal("1e-5"))
    assert Decimal(row["ovrs_stck_evlu_amt"]) == Decimal(row["now_pric2"]) * 4
    gain = Decimal(row["ovrs_stck_evlu_amt"]) - Decimal(row["frcr_pchs_amt1"])
    assert abs(Decimal(row["frcr_evlu_pfls_amt"]) - gain) < Decimal("1e-4")
    assert body["output2"]["frcr_pchs_amt1"] == row["frcr_pchs_amt1"]


async def test_an_account_without_holdings_has_no_blank_row(desk: Desk) -> None:
    body = (await desk.client().call("TTTS3012R")).json()
    assert (body["output1"], body["msg_cd"]) == ([], "KIOK0560")
    client = desk.client()
    await client.fill("AAPL", 1)
    await client.sell("AAPL", 1, Decimal(100))
    desk.pass_time(10)
    assert (await client.call("TTTS3012R")).json()["output1"] == []


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_the_present_balance_shows_cash_and_todays_trades(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    await client.fill("AAPL", 4)
    await client.sell("AAPL", 1, Decimal(100))
    desk.pass_time(10)
    await client.buy("MSFT", 2, Decimal(300))
    answer = await client.call(PRESENT[env])
    body = answer.json()
    row, dollars = body["output1"][0], body["output2"][0]
    assert answer.headers["tr_cont"] == "D"
    assert [Decimal(row[name]) for name in ("cblc_qty13", "thdt_buy_ccld_qty1", "thdt_sll_ccld_qty1")] == [0, 4, 1]
    assert Decimal(row["ccld_qty_smtl1"]) == 3
    cash = desk.exchange.cash(desk.account(env), Currency.USD)
    assert Decimal(dollars["frcr_dncl_amt_2"]) == cash.total
    assert Decimal(dollars["frcr_buy_mgn_amt"]) == 600
    assert Decimal(dollars["frcr_drwg_psbl_amt_1"]) == cash.total - 600
    assert body["output3"]["dncl_amt"] == "100000000"


async def test_the_present_balance_is_asked_by_market_and_in_won(desk: Desk) -> None:
    client = desk.client()
    await client.fill("AAPL", 1)

    async def rows(**fields: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = (await client.call("CTRP6504R", fields)).json()["output1"]
        return found

    assert len(await rows(TR_MKET_CD="01")) == 1
    assert await rows(TR_MKET_CD="05") == []
    assert await rows(NATN_CD="344") == []
    dollars, won = (await rows())[0], (await rows(WCRC_FRCR_DVSN_CD="01"))[0]
    assert Decimal(won["frcr_pchs_amt"]) == Decimal(dollars["frcr_pchs_amt"]) * Decimal("1382.70")


@pytest.mark.parametrize("env", [LIVE, MOCK])
async def test_buying_power_shrinks_by_what_open_orders_lock(desk: Desk, env: Any) -> None:
    client = desk.client(env)
    fields = {"OVRS_ORD_UNPR": "100.00", "ITEM_CD": "AAPL"}
    before = await client.call(POWER[env], fields)
    await client.buy("AAPL", 10, Decimal("190.00"))
    after = await client.call(POWER[env], fields)
    assert (before.json()["output"]["max_ord_psbl_qty"], before.headers["tr_cont"]) == ("1000", "")
    assert after.json()["output"]["max_ord_psbl_qty"] == "981"
    assert after.json()["output"]["ord_psbl_frcr_amt"] == "98100.00"


@pytest.mark.parametrize("fields", [{"ITEM_CD": "ZZZZ"}, {"OVRS_EXCG_CD": "NYSE"}])
async def test_buying_power_for_an_unknown_symbol_is_rt_cd_7(desk: Desk, fields: dict[str, str]) -> None:
    assert code(await desk.client().call("TTTS3007R", fields)) == (200, "7", "APBK0656")


async def test_the_retired_call_sends_old_clients_to_the_present_balance(desk: Desk) -> None:
    for env in (LIVE, MOCK):
        assert (await desk.client(env).call("JTTT3010R")).json()["output"] == {"PSBL_YN": "N"}
    for env, tr_id in ((LIVE, "JTTT3012R"), (MOCK, "VTTT3012R")):
        assert (await desk.client(env).call(tr_id)).json()["rt_cd"] == "0"
