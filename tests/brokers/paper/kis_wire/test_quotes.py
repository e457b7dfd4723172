"""Quotes of both markets: values, unknown symbols, and how charts page (kis.md §3.12, §4.7 to §4.10)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.market import Timeframe
from tests.brokers.paper.kis_wire.desk import MOCK, Desk

NEW_YORK = ZoneInfo("America/New_York")


async def ask(desk: Desk, tr_id: str, **fields: Any) -> dict[str, Any]:
    answer = await desk.client().call(tr_id, fields)
    assert (answer.status_code, answer.json()["rt_cd"], answer.json()["msg_cd"]) == (200, "0", "MCA00000"), answer.text
    assert answer.headers["tr_cont"] == ""
    body: dict[str, Any] = answer.json()
    return body


# -- US


async def test_a_us_price_is_the_exchanges_last_trade(desk: Desk) -> None:
    output, trade = (await ask(desk, "HHDFS00000300"))["output"], desk.exchange.quote("AAPL")
    assert (output["rsym"], output["ordy"]) == ("DNASAAPL", "매수가능")
    assert Decimal(output["last"]) == trade.price and len(output["last"].split(".")[1]) == 4
    assert Decimal(output["diff"]) == abs(trade.change)
    assert output["sign"] == ("2" if trade.change > 0 else "5" if trade.change < 0 else "3")


@pytest.mark.parametrize("fields", [{"SYMB": "ZZZZZ"}, {"EXCD": "NYS"}, {"EXCD": "HKS"}])
async def test_an_unknown_us_symbol_or_exchange_is_a_success_of_blanks(desk: Desk, fields: dict[str, str]) -> None:
    for tr_id, part in (("HHDFS00000300", "output"), ("HHDFS76200200", "output"), ("HHDFS76200100", "output1")):
        output = (await ask(desk, tr_id, **fields))[part]
        assert {value for name, value in output.items() if name != "rsym"} == {""}
    for tr_id in ("HHDFS76240000", "HHDFS76950200"):
        assert (await ask(desk, tr_id, **fields))["output2"] == []


async def test_clients_find_a_symbols_exchange_by_trying_each(desk: Desk) -> None:
    found = [
        code
        for code in ("NAS", "NYS", "AMS")
        if (await ask(desk, "HHDFS00000300", EXCD=code, SYMB="SPY"))["output"]["last"]
    ]
    assert found == ["AMS"]


async def test_the_day_market_code_answers_under_its_own_realtime_symbol(desk: Desk) -> None:
    output = (await ask(desk, "HHDFS00000300", EXCD="BAQ"))["output"]
    assert output["rsym"] == "RBAQAAPL" and output["last"]


async def test_a_halted_symbol_is_not_tradable_in_the_words_clients_read(desk: Desk) -> None:
    assert (await ask(desk, "HHDFS76200200"))["output"]["e_ordyn"] == "매매 가능"
    desk.exchange.tape.halt("AAPL", True)
    assert (await ask(desk, "HHDFS76200200"))["output"]["e_ordyn"] != "매매 가능"
    assert (await ask(desk, "HHDFS00000300"))["output"]["ordy"] != "매수가능"


async def test_the_us_book_is_the_exchanges_with_ten_levels(desk: Desk) -> None:
    levels, book = (await ask(desk, "HHDFS76200100"))["output2"], desk.exchange.book("AAPL")
    assert [Decimal(levels[f"pbid{n}"]) for n in range(1, 11)] == [level.price for level in book.bids]
    assert [int(levels[f"vask{n}"]) for n in range(1, 11)] == [level.quantity for level in book.asks]


@pytest.mark.parametrize(("gubn", "rows"), [("0", 100), ("1", 50), ("2", 12)])
async def test_us_days_weeks_and_months_are_newest_first(desk: Desk, gubn: str, rows: int) -> None:
    bars = (await ask(desk, "HHDFS76240000", GUBN=gubn))["output2"]
    dates = [row["xymd"] for row in bars]
    assert dates == sorted(dates, reverse=True) and len(set(dates)) == len(dates)
    assert len(bars) >= rows
    for row in bars:
        prices = [Decimal(row[name]) for name in ("low", "open", "clos", "high")]
        assert prices[0] == min(prices) and prices[-1] == max(prices)


async def test_us_days_page_by_the_day_before_the_oldest_row(desk: Desk) -> None:
    first = (await ask(desk, "HHDFS76240000"))["output2"]
    before = datetime.strptime(first[-1]["xymd"], "%Y%m%d").replace(tzinfo=NEW_YORK) - timedelta(days=1)
    second = (await ask(desk, "HHDFS76240000", BYMD=f"{before:%Y%m%d}"))["output2"]
    assert second[0]["xymd"] < first[-1]["xymd"]
    days = desk.exchange.bars("AAPL", Timeframe.D1, 200)
    joined = [row["xymd"] for row in [*first, *second]]
    assert joined == [f"{bar.start.astimezone(NEW_YORK):%Y%m%d}" for bar in reversed(days)]


async def test_us_minutes_page_by_one_bar_before_the_oldest(desk: Desk) -> None:
    first = await ask(desk, "HHDFS76950200")
    oldest = first["output2"][-1]
    before = datetime.strptime(oldest["xymd"] + oldest["xhms"], "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK) - timedelta(
        minutes=1
    )
    second = (await ask(desk, "HHDFS76950200", NEXT="1", KEYB=f"{before:%Y%m%d%H%M%S}"))["output2"]
    assert (len(first["output2"]), first["output1"]["next"], first["output1"]["nrec"]) == (120, "1", "120")
    times = [row["xymd"] + row["xhms"] for row in [*first["output2"], *second]]
    assert times == sorted(times, reverse=True) and len(set(times)) == 240
    assert times[0] == "20260709101500"


async def test_five_us_minutes_are_the_sum_of_their_minutes(desk: Desk) -> None:
    fives = (await ask(desk, "HHDFS76950200", NMIN="5", NREC="3"))["output2"]
    whole = fives[1]  # the newest is still forming
    ones = (await ask(desk, "HHDFS76950200", NREC="60"))["output2"]
    start = int(whole["xhms"][2:4])
    inside = [
        row for row in ones if row["xhms"][:2] == whole["xhms"][:2] and start <= int(row["xhms"][2:4]) < start + 5
    ]
    assert len(inside) == 5
    assert int(whole["evol"]) == sum(int(row["evol"]) for row in inside)
    assert Decimal(whole["high"]) == max(Decimal(row["high"]) for row in inside)
    assert (whole["open"], whole["last"]) == (inside[-1]["open"], inside[0]["last"])


async def test_without_previous_days_only_todays_minutes_come(desk: Desk) -> None:
    desk.clock.at = datetime(2026, 7, 9, 0, 30, tzinfo=NEW_YORK)
    desk.exchange.advance()
    rows = (await ask(desk, "HHDFS76950200", PINC="0"))["output2"]
    assert {row["xymd"] for row in rows} == {"20260709"} and len(rows) == 30


async def test_a_search_finds_by_price_within_one_exchange(desk: Desk) -> None:
    price = desk.exchange.quote("AAPL").price
    asked = {"CO_ST_PRICECUR": str(price - 5), "CO_EN_PRICECUR": str(price + 5)}
    rows = (await ask(desk, "HHDFS76410000", **asked))["output2"]
    assert [row["symb"] for row in rows] == ["AAPL"]
    assert (await ask(desk, "HHDFS76410000", EXCD="NYS"))["output2"] == []


async def test_a_us_product_is_found_under_its_own_type_only(desk: Desk) -> None:
    found = (await desk.client().call("CTPF1702R")).json()
    assert (found["rt_cd"], found["output"]["ovrs_excg_cd"], found["output"]["tr_mket_cd"]) == ("0", "NASD", "01")
    fund = (await desk.client().call("CTPF1702R", {"PRDT_TYPE_CD": "529", "PDNO": "SPY"})).json()
    assert fund["output"]["ovrs_stck_dvsn_cd"] == "03"
    missing = await desk.client().call("CTPF1702R", {"PRDT_TYPE_CD": "513"})
    assert (missing.status_code, missing.json()["rt_cd"]) == (200, "7")


# -- KRX


async def test_a_krx_price_has_its_limits_and_tick(desk: Desk) -> None:
    output, trade = (await ask(desk, "FHKST01010100"))["output"], desk.exchange.quote("005930")
    limits = desk.exchange.price_limits("005930")
    assert limits is not None
    assert (output["stck_prpr"], output["stck_sdpr"]) == (str(trade.price), str(trade.prev_close))
    assert (output["stck_llam"], output["stck_mxpr"]) == (str(limits[0]), str(limits[1]))
    assert output["aspr_unit"] == str(desk.exchange.tick_size("005930", trade.price))
    assert int(output["prdy_vrss"]) == trade.change
    assert int(output["w52_lwpr"]) <= int(output["stck_lwpr"]) <= int(output["stck_hgpr"]) <= int(output["w52_hgpr"])


@pytest.mark.parametrize("code", ["999999", "AAPL", "00593"])
async def test_an_unknown_krx_code_is_a_success_with_price_zero(desk: Desk, code: str) -> None:
    assert (await ask(desk, "FHKST01010100", FID_INPUT_ISCD=code))["output"]["stck_prpr"] == "0"
    assert (await ask(desk, "FHKST01010200", FID_INPUT_ISCD=code))["output1"]["askp1"] == "0"
    for tr_id, part in (
        ("FHKST01010300", "output"),
        ("FHKST01010400", "output"),
        ("FHKST03010100", "output2"),
        ("FHKST03010200", "output2"),
    ):
        assert (await ask(desk, tr_id, FID_INPUT_ISCD=code))[part] == []


async def test_the_krx_book_is_the_exchanges_with_ten_levels(desk: Desk) -> None:
    levels, book = (await ask(desk, "FHKST01010200"))["output1"], desk.exchange.book("005930")
    assert [Decimal(levels[f"askp{n}"]) for n in range(1, 11)] == [level.price for level in book.asks]
    assert int(levels["total_bidp_rsqn"]) == sum(level.quantity for level in book.bids)


async def test_the_last_krx_trades_are_newest_first(desk: Desk) -> None:
    desk.pass_time(60)
    rows = (await ask(desk, "FHKST01010300"))["output"]
    assert rows[0]["stck_prpr"] == str(desk.exchange.quote("005930").price)
    assert 1 < len(rows) <= 30
    assert [row["stck_cntg_hour"] for row in rows] == sorted((row["stck_cntg_hour"] for row in rows), reverse=True)


async def test_krx_days_page_by_moving_the_second_date(desk: Desk) -> None:
    asked = {"FID_INPUT_DATE_1": "20250101", "FID_INPUT_DATE_2": "20260709"}
    first = (await ask(desk, "FHKST03010100", **asked))["output2"]
    before = datetime.strptime(first[-1]["stck_bsop_date"], "%Y%m%d").replace(tzinfo=NEW_YORK) - timedelta(days=1)
    second = (await ask(desk, "FHKST03010100", **asked | {"FID_INPUT_DATE_2": f"{before:%Y%m%d}"}))["output2"]
    dates = [row["stck_bsop_date"] for row in [*first, *second]]
    assert len(first) == 100 and dates == sorted(dates, reverse=True) and len(set(dates)) == len(dates)
    assert int(first[98]["prdy_vrss"]) == int(first[98]["stck_clpr"]) - int(first[99]["stck_clpr"])
    narrow = await ask(desk, "FHKST03010100", FID_INPUT_DATE_1="20260708", FID_INPUT_DATE_2="20260709")
    assert [row["stck_bsop_date"] for row in narrow["output2"]] == ["20260709", "20260708"]


@pytest.mark.parametrize("period", ["W", "M", "Y"])
async def test_longer_krx_bars_hold_the_days_they_span(desk: Desk, period: str) -> None:
    asked = {"FID_INPUT_DATE_1": "20260101", "FID_INPUT_DATE_2": "20260709"}
    days = (await ask(desk, "FHKST03010100", **asked))["output2"]
    newest = (await ask(desk, "FHKST03010100", **asked, FID_PERIOD_DIV_CODE=period))["output2"][0]
    inside = [row for row in days if row["stck_bsop_date"] >= newest["stck_bsop_date"]]
    assert newest["stck_clpr"] == days[0]["stck_clpr"]
    if period != "Y":  # the year is longer than one page of days
        assert int(newest["acml_vol"]) == sum(int(row["acml_vol"]) for row in inside)


async def test_thirty_recent_krx_days(desk: Desk) -> None:
    rows = (await ask(desk, "FHKST01010400"))["output"]
    assert len(rows) == 30 and rows[0]["stck_bsop_date"] == "20260709"
    assert int(rows[0]["prdy_vrss"]) == int(rows[0]["stck_clpr"]) - int(rows[1]["stck_clpr"])


async def test_todays_krx_minutes_end_at_the_hour_asked(desk: Desk) -> None:
    rows = (await ask(desk, "FHKST03010200", FID_INPUT_HOUR_1="101500"))["output2"]
    assert len(rows) == 30
    assert (rows[0]["stck_cntg_hour"], rows[-1]["stck_cntg_hour"]) == ("101500", "094600")
    assert {row["stck_bsop_date"] for row in rows} == {"20260709"}


async def test_minutes_still_to_come_show_the_current_price(desk: Desk) -> None:
    rows = (await ask(desk, "FHKST03010200", FID_INPUT_HOUR_1="232000"))["output2"]
    now = str(desk.exchange.quote("005930").price)
    assert [row["stck_cntg_hour"] for row in rows[:6]] == ["232000", "231900", "231800", "231700", "231600", "231500"]
    assert {row["stck_prpr"] for row in rows[:6]} == {now} and {row["cntg_vol"] for row in rows[:5]} == {"0"}
    assert len(rows) == 30


async def test_past_krx_minutes_come_from_their_day(desk: Desk) -> None:
    asked = {"FID_INPUT_DATE_1": "20260708", "FID_INPUT_HOUR_1": "150000"}
    rows = (await ask(desk, "FHKST03010230", **asked))["output2"]
    assert len(rows) == 120
    assert (rows[0]["stck_bsop_date"], rows[0]["stck_cntg_hour"]) == ("20260708", "150000")


async def test_a_product_answers_with_its_plain_ticker(desk: Desk) -> None:
    for fields, name in (({}, "005930"), ({"PDNO": "AAPL", "PRDT_TYPE_CD": "512"}, "AAPL")):
        assert (await desk.client().call("CTPF1604R", fields)).json()["output"]["shtn_pdno"] == name
    missing = await desk.client().call("CTPF1604R", {"PDNO": "999999"})
    assert (missing.status_code, missing.json()["rt_cd"]) == (200, "7")


async def test_the_holiday_list_says_when_the_market_opens(desk: Desk) -> None:
    rows = (await desk.client().call("CTCA0903R")).json()["output"]
    assert [(row["bass_dt"], row["wday_dvsn_cd"], row["opnd_yn"]) for row in rows[:4]] == [
        ("20260709", "05", "Y"),
        ("20260710", "06", "Y"),
        ("20260711", "07", "N"),
        ("20260712", "01", "N"),
    ]


async def test_shared_quotes_answer_on_the_mock_host_too(desk: Desk) -> None:
    for tr_id in ("HHDFS00000300", "HHDFS76240000", "HHDFS76410000", "FHKST01010100", "FHKST03010200"):
        assert (await desk.client(MOCK).call(tr_id)).json()["rt_cd"] == "0"


@pytest.mark.parametrize("tr_id", ["HHDFS00000300", "HHDFS76240000", "FHKST01010100", "FHKST03010100", "CTCA0903R"])
async def test_a_missing_input_field_is_named(desk: Desk, tr_id: str) -> None:
    name = {"H": "SYMB", "F": "FID_INPUT_ISCD", "C": "BASS_DT"}[tr_id[0]]
    answer = await desk.client().call(tr_id, {name: None})
    assert (answer.status_code, answer.json()["msg_cd"]) == (500, "OPSQ2001")
    assert name in answer.json()["msg1"]
