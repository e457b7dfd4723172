"""Every TR of the wire's table: what it says when all is well, on both sides, and how its pages come to their end."""

from datetime import timedelta
from typing import Any

import pytest

from brokers.paper.ls_wire import account, history, journal
from brokers.paper.ls_wire.blocks import BLOCKS
from brokers.paper.ls_wire.trs import TRS
from shared.domain.account import Market
from tests.brokers.paper.ls_wire.bench import LIVE_KEY, MOCK_KEY, Bench, Said
from tests.brokers.paper.ls_wire.cases import CASES, Json, body

PAGED = sorted(tr for tr, case in CASES.items() if case.paging)
HAVE_MOCK = sorted(tr for tr, case in CASES.items() if case.mock)
CHILDREN = {"CSPAT00701", "CSPAT00801", "COSAT00311"}


def test_no_tr_of_the_table_lacks_a_row() -> None:
    assert set(CASES) == set(TRS)


def test_every_tr_has_its_request_described() -> None:
    for tr, case in CASES.items():
        assert f"{tr}{case.block}" in BLOCKS
        named = {one.name for one in BLOCKS[f"{tr}{case.block}"]}
        assert set(case.asked) == named, tr


async def settle(bench: Bench) -> None:
    """Let what crosses the market fill."""
    for _ in range(400):
        bench.exchange.advance()
        account_ = bench.account()
        if not [one for market in Market for one in bench.exchange.open_orders(account_, market) if one.price is None]:
            return


async def prepared(bench: Bench, tr: str, key: str = LIVE_KEY) -> Json:
    """A request that can succeed: with something bought, and an order to amend or cancel where the TR needs one."""
    if tr in {"t0150", "t0151", "CSPAQ13700", "t0424", "CSPAQ12300"}:
        await bench.fill(key, quantity=1)
        await settle(bench)
    if tr in CHILDREN:
        first = "COSAT00301" if tr == "COSAT00311" else "CSPAT00601"
        more = {} if tr == "COSAT00311" else {"OrdQty": 10}
        said = await bench.call(first, body(bench, first, **more), key=key)
        return body(bench, tr, OrgOrdNo=said.body.get(f"{first}OutBlock2", {"OrdNo": 1})["OrdNo"])
    if tr == "COSAQ00102":
        await bench.call("COSAT00301", body(bench, "COSAT00301"), key=key)
    return body(bench, tr)


@pytest.mark.parametrize("tr", sorted(CASES))
async def test_it_succeeds_with_its_own_code_and_all_its_keys(bench: Bench, tr: str) -> None:
    said = await bench.call(tr, await prepared(bench, tr))
    assert (said.status, said.code) == (200, CASES[tr].success), said.body
    blocks = {name: value for name, value in said.body.items() if "Block" in name}
    assert blocks
    for name, value in blocks.items():
        for row in value if isinstance(value, list) else [value]:
            assert list(row) == [one.name for one in BLOCKS[name]]
            for one in BLOCKS[name]:
                assert isinstance(row[one.name], int if one.kind == "N" else str), (name, one.name)


@pytest.mark.parametrize("tr", HAVE_MOCK)
async def test_mock_trading_answers_in_its_own_way(bench: Bench, tr: str) -> None:
    said = await bench.call(tr, await prepared(bench, tr, MOCK_KEY), key=MOCK_KEY)
    wanted = CASES[tr].mock or ""
    assert (said.status, said.code) == (500 if wanted.startswith("IGW") else 200, wanted)
    assert said.body["rsp_msg"].startswith("모의투자") is not wanted.startswith("IGW")


@pytest.mark.parametrize("tr", sorted(set(CASES) - set(HAVE_MOCK)))
async def test_the_rest_is_the_same_in_mock_trading(bench: Bench, tr: str) -> None:
    said = await bench.call(tr, await prepared(bench, tr, MOCK_KEY), key=MOCK_KEY)
    assert (said.status, said.code) == (200, CASES[tr].success), said.body
    assert said.body["rsp_msg"].startswith("모의투자 ")


@pytest.mark.parametrize("tr", ["t0150", "t0151"])
async def test_mock_trading_keeps_no_journal(bench: Bench, tr: str) -> None:
    said = await bench.call(tr, await prepared(bench, tr, MOCK_KEY), key=MOCK_KEY)
    assert set(said.body) == {"rsp_cd", "rsp_msg"}


@pytest.mark.parametrize("tr", sorted(set(CASES) - set(PAGED)))
async def test_what_has_one_page_says_so(bench: Bench, tr: str) -> None:
    said = await bench.call(tr, await prepared(bench, tr))
    assert (said.headers["tr_cont"], said.headers["tr_cont_key"]) == ("N", "")


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "ORDERS_A_PAGE", 2)
    monkeypatch.setattr(account, "HOLDINGS_A_PAGE", 2)
    monkeypatch.setattr(journal, "ROWS_A_PAGE", 2)


async def busy(bench: Bench, tr: str) -> None:
    """Enough of what the TR lists for three pages or more."""
    if tr in {"t0425", "CSPAQ13700"}:
        for _ in range(5):
            await bench.rest_order(quantity=1)
    elif tr == "COSAQ00102":
        for _ in range(5):
            await bench.call("COSAT00301", body(bench, "COSAT00301"))
    elif tr in {"t0424", "t0150", "t0151"}:
        for symbol in ("A005930", "A000660", "A035420", "A035720", "A069500"):
            await bench.order(IsuNo=symbol, OrdPrc=0, OrdprcPtnCode="03", OrdQty=1)
        await settle(bench)


def bounded(bench: Bench, tr: str) -> Json:
    """Charts begin somewhere: some weeks of days, two days of hours."""
    asked = CASES[tr].asked
    if "sdate" not in asked or "cts_seq" in asked:
        return {}
    hours = "ncnt" in asked
    start = bench.exchange.trade_date(Market.US) - timedelta(days=1 if hours else 30)
    return {"sdate": f"{start:%Y%m%d}"} | ({"ncnt": 60} if hours else {})


def cursor_of(tr: str, said: Said) -> Json:
    paging = CASES[tr].paging
    assert paging is not None
    head = said.body.get(f"{tr}OutBlock", {})
    return {into: head[name] for name, into in paging.cursors.items()}


@pytest.mark.parametrize("tr", PAGED)
async def test_pages_follow_to_the_end_without_a_row_lost_or_doubled(bench: Bench, tr: str, small_pages: None) -> None:
    paging = CASES[tr].paging
    assert paging is not None
    await busy(bench, tr)
    changed, key, seen, pages = {**paging.small, **bounded(bench, tr)}, None, [], 0
    while True:
        said = await bench.call(tr, body(bench, tr, **changed), cont_key=key)
        assert said.status == 200
        rows = [paging.identity(row) for row in said.body[paging.rows]]
        assert rows
        assert not set(rows) & set(seen)
        seen += rows
        pages += 1
        if said.headers["tr_cont"] == "N":
            break
        assert said.code == (paging.more_code or CASES[tr].success)
        key = said.headers["tr_cont_key"]
        assert key
        changed |= cursor_of(tr, said)
        assert pages < paging.most or tr == "t1305", "no end"
        if pages >= paging.most:
            return  # the daily table has no first date: the tape's history has no end
    assert pages > 1
    assert (said.code, said.headers["tr_cont_key"]) == (CASES[tr].success, "")
    assert not any(value for value in cursor_of(tr, said).values())


@pytest.mark.parametrize("tr", [tr for tr in PAGED if CASES[tr].paging and not CASES[tr].paging.cursors])  # type: ignore[union-attr]
async def test_what_pages_by_header_only_starts_anew_without_it(bench: Bench, tr: str, small_pages: None) -> None:
    await busy(bench, tr)
    first, again = [await bench.call(tr, body(bench, tr)) for _ in range(2)]
    assert first.headers["tr_cont"] == "Y"
    assert first.body == again.body


async def test_an_unknown_key_in_a_request_is_ignored(bench: Bench) -> None:
    asked: dict[str, Any] = body(bench, "CSPAQ12200", RecCnt=1, MgmtBrnNo="")
    assert (await bench.call("CSPAQ12200", asked)).code == "00136"


@pytest.mark.parametrize("tr", ["t1102", "t8450", "t8451", "t8452", "t8454"])
@pytest.mark.parametrize(("exchgubun", "prefix"), [("K", ""), ("N", "N"), ("U", "U"), ("", ""), ("Z", "")])
async def test_a_venue_is_named_by_its_letter_and_anything_else_is_krx(
    bench: Bench, tr: str, exchgubun: str, prefix: str
) -> None:
    said = await bench.call(tr, body(bench, tr, exchgubun=exchgubun))
    assert said.code == "00000"
    head = said.body[f"{tr}OutBlock"]
    if "ex_shcode" in head:
        assert head["ex_shcode"] == f"{prefix}005930"


async def test_nxt_has_its_own_sizes_in_the_unified_quote(bench: Bench) -> None:
    quotes = {}
    for venue in "KNU":
        quotes[venue] = (await bench.call("t8450", body(bench, "t8450", exchgubun=venue))).body["t8450OutBlock"]
    assert (quotes["N"]["offerrem1"], quotes["N"]["offer"], quotes["K"]["nxt_offerrem1"]) == (0, 0, 0)
    assert quotes["N"]["nxt_offerrem1"] > 0
    assert quotes["U"]["unx_offer"] == quotes["U"]["offer"] + quotes["U"]["nxt_offer"] > 0
