"""Pages: by header, by body cursor, and to the end without a row lost or doubled."""

from typing import Any

import pytest

from brokers.paper.ls_wire.formats import KST
from brokers.paper.ls_wire.history import ORDERS_A_PAGE
from shared.domain.account import Market
from tests.brokers.ls.documented import REQUESTS
from tests.brokers.paper.ls_wire.bench import Bench, Said


def changed(tr: str, **fields: Any) -> dict[str, Any]:
    ((name, block),) = REQUESTS[tr].items()
    return {name: {**block, **fields}}


@pytest.fixture
async def many(bench: Bench) -> Bench:
    for _ in range(ORDERS_A_PAGE + 5):
        await bench.rest_order(quantity=1)
    return bench


@pytest.mark.parametrize("sortgb", ["1", "2"])
@pytest.mark.parametrize("by", ["header", "body", "both"])
async def test_the_days_list_continues_by_header_or_body(many: Bench, by: str, sortgb: str) -> None:
    first = await many.call("t0425", changed("t0425", sortgb=sortgb))
    assert first.headers["tr_cont"] == "Y"
    cursor = first.body["t0425OutBlock"]["cts_ordno"]
    body = changed("t0425", sortgb=sortgb, cts_ordno=cursor if by != "header" else "")
    second = await many.call("t0425", body, cont_key=first.headers["tr_cont_key"] if by != "body" else None)
    numbers = [row["ordno"] for said in (first, second) for row in said.body["t0425OutBlock1"]]
    assert len(numbers) == ORDERS_A_PAGE + 5
    assert numbers == sorted(set(numbers), reverse=sortgb == "1")
    assert (second.headers["tr_cont"], second.body["t0425OutBlock"]["cts_ordno"]) == ("N", "")


async def test_the_dated_list_continues_by_header_only_and_says_so_by_its_code(many: Bench) -> None:
    body = changed("CSPAQ13700", OrdDt=f"{many.exchange.trade_date(Market.KRX):%Y%m%d}")
    first = await many.call("CSPAQ13700", body)
    assert (first.code, first.headers["tr_cont"]) == ("00133", "Y")
    second = await many.call("CSPAQ13700", body, cont_key=first.headers["tr_cont_key"])
    assert (second.code, second.headers["tr_cont"]) == ("00136", "N")
    numbers = [row["OrdNo"] for said in (first, second) for row in said.body["CSPAQ13700OutBlock3"]]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) == ORDERS_A_PAGE + 5


def labels(said: Said, tr: str) -> list[str]:
    return [row["date"] + row.get("time", "") for row in said.body[f"{tr}OutBlock1"]]


@pytest.mark.parametrize("gubun", ["2", "3", "4", "5"])
async def test_each_page_of_days_is_older_and_ascends(bench: Bench, gubun: str) -> None:
    first = await bench.call("t8410", changed("t8410", gubun=gubun, qrycnt=5))
    cursor = first.body["t8410OutBlock"]["cts_date"]
    second = await bench.call("t8410", changed("t8410", gubun=gubun, qrycnt=5, cts_date=cursor))
    together = labels(second, "t8410") + labels(first, "t8410")
    assert together == sorted(set(together))
    assert len(together) == 10
    assert labels(second, "t8410")[-1] == cursor


@pytest.mark.parametrize("minutes", [1, 3, 5, 60])
async def test_minutes_continue_only_with_header_and_body(bench: Bench, minutes: int) -> None:
    first = await bench.call("t8412", changed("t8412", ncnt=minutes, qrycnt=7))
    head = first.body["t8412OutBlock"]
    body = changed("t8412", ncnt=minutes, qrycnt=7, cts_date=head["cts_date"], cts_time=head["cts_time"])
    again = await bench.call("t8412", body)
    assert labels(again, "t8412") == labels(first, "t8412")
    second = await bench.call("t8412", body, cont_key=first.headers["tr_cont_key"])
    together = labels(second, "t8412") + labels(first, "t8412")
    assert together == sorted(set(together))
    assert len(together) == 14
    assert all((int(label[8:10]) * 60 + int(label[10:12])) % minutes == 0 for label in together)


async def test_minute_bars_are_labelled_with_their_end(bench: Bench) -> None:
    now = bench.exchange.clock.market_now()  # asked before the call: a minute may end during it
    said = await bench.call("t8412", changed("t8412", ncnt=1, qrycnt=2))
    newest = labels(said, "t8412")[-1]
    assert newest > f"{now.astimezone(KST):%Y%m%d%H%M}00"


async def test_bars_between_two_dates(bench: Bench) -> None:
    whole = labels(await bench.call("t8410", changed("t8410", qrycnt=10)), "t8410")
    part = labels(await bench.call("t8410", changed("t8410", qrycnt=10, sdate=whole[2], edate=whole[5])), "t8410")
    assert part == whole[2:6]
    alone = labels(await bench.call("t8410", changed("t8410", qrycnt=3, sdate=whole[5], edate=whole[5])), "t8410")
    assert alone == whole[3:6]


async def test_unknown_chart_kinds_are_refused(bench: Bench) -> None:
    assert (await bench.call("t8410", changed("t8410", gubun="9"))).code == "IGW40013"
    assert (await bench.call("t8410", changed("t8410", comp_yn="Y"))).code == "IGW40013"
    assert (await bench.call("t8412", changed("t8412", edate=""))).code == "IGW40013"
    assert (await bench.call("t8412", changed("t8412", ncnt=0))).code == "IGW40011"


async def test_time_and_sales_go_back_page_by_page(bench: Bench) -> None:
    first = await bench.call("t1301", REQUESTS["t1301"])
    seen: list[int] = [row["volume"] for row in first.body["t1301OutBlock1"]]
    cursor = first.body["t1301OutBlock"]["cts_time"]
    pages = 1
    while cursor:
        said = await bench.call("t1301", changed("t1301", cts_time=cursor))
        seen += [row["volume"] for row in said.body["t1301OutBlock1"]]
        cursor = said.body["t1301OutBlock"]["cts_time"]
        pages += 1
    assert pages > 1
    assert seen == sorted(set(seen), reverse=True)
