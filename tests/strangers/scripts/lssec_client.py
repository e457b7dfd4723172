import asyncio
import json
import time

from reporting import GIVEN, attempt, redirect, say

redirect()
from ls_sec import LSAPI, LSWebsocketClient  # noqa: E402
from ls_sec.websocket import TRAccountCode, TRCode  # noqa: E402

DATA, ACCOUNT = "/stock/market-data", "/stock/accno"
api = LSAPI(GIVEN["live"], GIVEN["secret"])
attempt("issue_token", lambda: bool(api.token))
attempt("get_time (t0167)", lambda: len(api.get_time()["dt"]) == 8)
attempt("fetch_pandas (t1102)", lambda: int(api.fetch_pandas(DATA, "t1102", block={"shcode": "000660"})["price"]))
attempt("fetch_pandas (t1101)", lambda: int(api.fetch_pandas(DATA, "t1101", block={"shcode": "000660"})["price"]))
attempt("fetch_pandas (t8436)", lambda: list(api.fetch_pandas("/stock/etc", "t8436", block={"gubun": "0"})["shcode"]))


ticks = {"shcode": "005930", "cvolume": 0, "starttime": "", "endtime": "", "cts_time": ""}
days = {"shcode": "000660", "gubun": "2", "qrycnt": 20, "sdate": "", "edate": "99999999", "cts_date": "",
        "comp_yn": "N", "sujung": "Y"}  # fmt: skip


def two_pages(tr, path, block, cursor, name, ascending):
    """Its own _iter asks the second page for ever: page by page by its fetch_pandas instead."""
    head, first = api.fetch_pandas(path, tr, block=block)
    _, second = api.fetch_pandas(path, tr, block={**block, cursor: head[cursor]}, tr_cont="Y")
    pages = [second, first] if ascending else [first, second]
    rows = [int(value) for page in pages for value in page[name]]
    return [len(rows) == len(set(rows)) > 20, rows == sorted(rows, reverse=not ascending)]


attempt("fetch_pandas, two pages (t1301)",
        lambda: two_pages("t1301", DATA, ticks, "cts_time", "volume", False))  # fmt: skip
attempt("fetch_pandas, two pages (t8410)",
        lambda: two_pages("t8410", "/stock/chart", days, "cts_date", "date", True))  # fmt: skip


def order(quantity):
    block = {"IsuNo": "A005930", "OrdQty": quantity, "OrdPrc": 0, "BnsTpCode": "2", "OrdprcPtnCode": "03",
             "MgntrnCode": "000", "LoanDt": "", "OrdCndiTpCode": "0", "MbrNo": "KRX"}  # fmt: skip
    answer = api.post("/stock/order", "CSPAT00601", json={"CSPAT00601InBlock1": block}).json()
    return answer["CSPAT00601OutBlock2"]["OrdNo"]


attempt("post an order (CSPAT00601)", lambda: order(5))
time.sleep(GIVEN["settle_s"])


async def stream():
    async with LSWebsocketClient(GIVEN["live"], GIVEN["secret"]) as feed:
        await feed.subscribe_account(TRAccountCode.주식주문체결)
        await feed.subscribe(TRCode.KOSPI체결, "005930")
        await feed.subscribe(TRCode.KOSDAQ호가잔량, "247540")
        number, seen = await asyncio.to_thread(order, 1), {}
        until = time.monotonic() + 30
        while time.monotonic() < until and not {"S3_", "HA_", "SC1"} <= set(seen):
            frame = json.loads(await asyncio.wait_for(feed.recv(), 30))
            if frame["body"]:
                seen[frame["header"]["tr_cd"]] = frame
        for tr, call in (("S3_", "subscribe (S3_)"), ("HA_", "subscribe (HA_)")):
            say(call, seen[tr]["header"]["tr_key"])
        body = seen["SC1"]["body"]
        assert int(body["ordno"]) == number
        say("subscribe_account (SC1)", [body["ordno"], body["execqty"], body["execprc"]])


asyncio.run(stream())
time.sleep(GIVEN["settle_s"])
held = {"prcgb": "1", "chegb": "2", "dangb": "0", "charge": "1", "cts_expcode": ""}
today = {"expcode": "", "chegb": "1", "medosu": "0", "sortgb": "1", "cts_ordno": " "}


def holdings():
    _, rows = api.fetch_pandas(ACCOUNT, "t0424", block=held)
    return {row.expcode: int(row.janqty) for row in rows.itertuples()}


def fills():
    _, rows = api.fetch_pandas(ACCOUNT, "t0425", block=today)
    return {int(row.ordno): int(row.cheqty) for row in rows.itertuples()}


attempt("fetch_pandas (t0424)", holdings)
attempt("fetch_pandas (t0425)", fills)
