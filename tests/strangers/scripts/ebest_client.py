import asyncio
import datetime
import sys

import ebest
from reporting import GIVEN, say

module = sys.modules["ebest.OpenApi"]  # the package hides it behind the class of its name
HOSTS = GIVEN["hosts"]
module.BASE_URL = HOSTS["openapi.ls-sec.co.kr:8080"]
module.WSS_URL_REAL = HOSTS["openapi.ls-sec.co.kr:9443"] + "/websocket"
module.WSS_URL_SIMULATION = HOSTS["openapi.ls-sec.co.kr:29443"] + "/websocket"
TODAY = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9))).strftime("%Y%m%d")


class Desk:
    def __init__(self, tag):
        self.tag, self.api, self.seen = tag, ebest.OpenApi(), {}
        self.api.on_realtime.connect(self.heard)

    def heard(self, api, tr, key, body):
        self.seen.setdefault(tr, []).append((key, body))

    async def ask(self, tr, block="InBlock", **fields):
        answer = await self.api.request(tr, {tr + block: fields})
        assert answer, self.api.last_message
        return answer

    async def attempt(self, call, work):
        try:
            got = await work()
        except Exception as e:
            print(
                "@@" + module.json.dumps({"call": self.tag + call, "error": f"{type(e).__name__}: {e}"[:300]}),
                flush=True,
            )
            return None
        say(self.tag + call, got)
        return got

    async def out(self, tr, read, block="OutBlock", inblock="InBlock", **fields):
        return read((await self.ask(tr, inblock, **fields)).body[tr + block])


def chart(**more):
    return {"shcode": "000660", "qrycnt": 3, "sdate": "", "edate": "99999999", "cts_date": "", "comp_yn": "N", **more}


def order(side, quantity, price, kind="00", **more):
    return {
        "IsuNo": "A005930",
        "OrdQty": quantity,
        "OrdPrc": price,
        "BnsTpCode": side,
        "OrdprcPtnCode": kind,
        "MgntrnCode": "000",
        "LoanDt": "",
        "OrdCndiTpCode": "0",
        "MbrNo": "KRX",
        **more,
    }


async def two_pages(desk):
    asked = chart(gubun="2", sujung="Y", exchgubun="U")
    first = await desk.ask("t8451", **asked)
    asked["cts_date"] = first.body["t8451OutBlock"]["cts_date"]
    second = await desk.api.request(
        "t8451", {"t8451InBlock": asked}, tr_cont=first.tr_cont, tr_cont_key=first.tr_cont_key
    )
    days = [row["date"] for answer in (second, first) for row in answer.body["t8451OutBlock1"]]
    return [len(days), days == sorted(set(days))]


async def korea(desk):
    a, o = desk.attempt, desk.out
    await a("price (t1102)", lambda: o("t1102", lambda b: b["price"], shcode="000660"))
    await a("book (t1101)", lambda: o("t1101", lambda b: b["price"], shcode="000660"))
    await a("unified book (t8450)", lambda: o("t8450", lambda b: b["price"], shcode="000660", exchgubun="U"))
    await a(
        "several prices (t8407)",
        lambda: o("t8407", lambda b: b[1]["price"], "OutBlock1", nrec=2, shcode="005930000660"),
    )
    await a("days (t8410)", lambda: o("t8410", lambda b: b[-1]["close"], "OutBlock1", **chart(gubun="2", sujung="Y")))
    await a("unified days, two pages (t8451)", lambda: two_pages(desk))
    minutes = chart(ncnt=1, nday="0", stime="", etime="", cts_time="")
    await a("minutes (t8412)", lambda: o("t8412", lambda b: b["diclose"], **minutes))
    await a("unified minutes (t8452)", lambda: o("t8452", lambda b: b["diclose"], **minutes, exchgubun="U"))
    await a("master (t8436)", lambda: o("t8436", lambda b: [r["shcode"] for r in b], gubun="0"))
    await a("master with NXT (t9945)", lambda: o("t9945", lambda b: [r["shcode"] for r in b], gubun="2"))
    for tr, key in (
        ("SC0", ""),
        ("S3_", "005930000660"),
        ("H1_", "005930"),
        ("US3", "U005930   "),
        ("NH1", "N005930   "),
    ):
        await desk.api.add_realtime(tr, key)

    def send(tr, number="OrdNo", **fields):
        return o(tr, lambda b: b[number], "OutBlock2", "InBlock1", **fields)

    resting = await a("limit buy (CSPAT00601)", lambda: send("CSPAT00601", **order("2", 4, 60000)))
    listing = {"expcode": "", "chegb": "2", "medosu": "0", "sortgb": "1", "cts_ordno": ""}
    await a(
        "open orders (t0425)",
        lambda: o(
            "t0425",
            lambda b: [[r["expcode"], r["medosu"], r["ordrem"], r["price"], r["status"]] for r in b],
            "OutBlock1",
            **listing,
        ),
    )
    child = await a(
        "amend (CSPAT00701)",
        lambda: send(
            "CSPAT00701",
            OrgOrdNo=resting,
            IsuNo="A005930",
            OrdQty=4,
            OrdprcPtnCode="00",
            OrdCndiTpCode="0",
            OrdPrc=61000,
        ),
    )
    await a("cancel (CSPAT00801)", lambda: send("CSPAT00801", OrgOrdNo=child, IsuNo="A005930", OrdQty=4))
    bought = await a("market buy (CSPAT00601)", lambda: send("CSPAT00601", **order("2", 5, 0, "03")))
    await asyncio.sleep(GIVEN["settle_s"])
    await a("market sell (CSPAT00601)", lambda: send("CSPAT00601", **order("1", 2, 0, "03")))
    await asyncio.sleep(GIVEN["settle_s"])
    await a("NXT limit buy (CSPAT00601)", lambda: send("CSPAT00601", **order("2", 1, 60000, MbrNo="NXT")))
    listing["chegb"] = "1"
    await a("fills (t0425)", lambda: o("t0425", lambda b: {r["ordno"]: r["cheqty"] for r in b}, "OutBlock1", **listing))
    await a(
        "holdings (t0424)",
        lambda: o(
            "t0424",
            lambda b: {r["expcode"]: r["janqty"] for r in b},
            "OutBlock1",
            prcgb="1",
            chegb="2",
            dangb="0",
            charge="1",
            cts_expcode="",
        ),
    )
    await a(
        "holdings (CSPAQ12300)",
        lambda: o(
            "CSPAQ12300",
            lambda b: {r["IsuNo"][1:]: r["BnsBaseBalQty"] for r in b},
            "OutBlock3",
            "InBlock1",
            BalCreTp="0",
            CmsnAppTpCode="1",
            D2balBaseQryTp="0",
            UprcTpCode="0",
        ),
    )
    for tr in ("CSPAQ12200", "CSPAQ22200"):
        await a(
            f"cash ({tr})", lambda tr=tr: o(tr, lambda b: b["MnyOrdAbleAmt"], "OutBlock2", "InBlock1", BalCreTp="0")
        )
    await a(
        "orderable (CSPBQ00200)",
        lambda: o(
            "CSPBQ00200",
            lambda b: b["MnyOrdAbleAmt"],
            "OutBlock2",
            "InBlock1",
            BnsTpCode="2",
            IsuNo="KR7005930003",
            OrdPrc=71300.0,
        ),
    )
    if not desk.tag:
        await a(
            "orders of the day (CSPAQ13700)",
            lambda: o(
                "CSPAQ13700",
                lambda b: {r["OrdNo"]: r["ExecQty"] for r in b},
                "OutBlock3",
                "InBlock1",
                OrdMktCode="00",
                BnsTpCode="0",
                IsuNo="",
                ExecYn="1",
                OrdDt=TODAY,
                SrtOrdNo2=999999999,
                BkseqTpCode="0",
                OrdPtnCode="00",
            ),
        )
        await a(
            "journal (t0150)",
            lambda: o(
                "t0150", lambda b: [b["msqty"], b["mdqty"]], cts_medosu="", cts_expcode="", cts_price="", cts_middiv=""
            ),
        )
    heard = desk.seen

    async def push(tr, fields):
        key, body = heard[tr][-1]
        return [key, all(int(body[name]) > 0 for name in fields)]

    await a("trades (S3_)", lambda: only(heard, "S3_", "005930", ("price", "cvolume", "offerho")))
    await a("books (H1_)", lambda: push("H1_", ("offerho1", "bidho10", "totbidrem")))
    await a("unified trades (US3)", lambda: push("US3", ("price", "volume")))
    await a("NXT books (NH1)", lambda: push("NH1", ("offerho1", "bidrem1")))

    async def told(tr, **wanted):
        return next(body for _, body in heard[tr] if all(body[k] == v for k, v in wanted.items()))

    async def number(tr, **wanted):
        return (await told(tr, **wanted))["ordno"]

    async def fill():
        body = await told("SC1", ordno=str(bought))
        return [body["ordno"], body["execqty"], body["execprc"]]

    await a("received notice (SC0)", lambda: number("SC0", ordno=str(bought), shtcode="A005930"))
    await a("fill notice (SC1)", fill)
    await a("amend notice (SC2)", lambda: number("SC2", orgordno=str(resting), mdfycnfprc="61000"))
    await a("cancel notice (SC3)", lambda: number("SC3", orgordno=str(child), canccnfqty="4"))


async def only(heard, tr, key, fields):
    body = next(body for k, body in heard[tr] if k == key)
    return [key, all(int(body[name]) > 0 for name in fields)]


async def america(desk):
    a, o = desk.attempt, desk.out
    head = {"delaygb": "R", "keysymbol": "82MSFT", "exchcd": "82", "symbol": "MSFT"}
    bars = {**head, "qrycnt": 3, "comp_yn": "N", "sdate": "", "edate": "99999999", "cts_date": ""}
    await a("US price (g3101)", lambda: o("g3101", lambda b: b["price"], **head))
    await a("US info (g3104)", lambda: o("g3104", lambda b: b["symbol"], **head))
    await a("US book (g3106)", lambda: o("g3106", lambda b: b["price"], **head))
    await a(
        "US days (g3204)",
        lambda: o("g3204", lambda b: b[-1]["close"], "OutBlock1", **bars, gubun="2", sujung="Y", cts_info=""),
    )
    await a("US minutes (g3203)", lambda: o("g3203", lambda b: b["close"], **bars, ncnt=1, cts_time=""))
    await a(
        "US table (g3103)", lambda: o("g3103", lambda b: b[0]["price"], "OutBlock1", **head, gubun="2", date="99999999")
    )
    for tr, key in (("AS0", ""), ("GSC", "82AAPL            "), ("GSH", "82AAPL            ")):
        await desk.api.add_realtime(tr, key)

    def send(tr="COSAT00301", **fields):
        asked = {
            "RecCnt": 1,
            "OrdPtnCode": "02",
            "OrgOrdNo": 0,
            "OrdMktCode": "82",
            "IsuNo": "AAPL",
            "OrdQty": 3,
            "OvrsOrdPrc": 150.0,
            "OrdprcPtnCode": "00",
            "BrkTpCode": "",
            **fields,
        }
        return o(tr, lambda b: b["OrdNo"], "OutBlock2", "InBlock1", **asked)

    blank = {"OrdMktCode": "", "IsuNo": "", "OrdQty": 0}
    resting = await a("US limit buy (COSAT00301)", lambda: send())
    child = await a(
        "US amend (COSAT00311)", lambda: send("COSAT00311", OrdPtnCode="07", OrgOrdNo=resting, OvrsOrdPrc=151, **blank)
    )
    await a("US cancel (COSAT00301)", lambda: send(OrdPtnCode="08", OrgOrdNo=child, OvrsOrdPrc=0, **blank))
    bought = await a("US crossing buy (COSAT00301)", lambda: send(OrdQty=2, OvrsOrdPrc=230.0))
    await asyncio.sleep(GIVEN["settle_s"])
    await a("US market sell (COSAT00301)", lambda: send(OrdPtnCode="01", OrdQty=1, OvrsOrdPrc=0, OrdprcPtnCode="03"))
    await asyncio.sleep(GIVEN["settle_s"])
    await a(
        "US balance (COSOQ00201)",
        lambda: o(
            "COSOQ00201",
            lambda b: {r["ShtnIsuNo"]: int(float(r["AstkBalQty"])) for r in b},
            "OutBlock4",
            "InBlock1",
            RecCnt=1,
            BaseDt="",
            CrcyCode="USD",
            AstkBalTpCode="00",
        ),
    )
    await a(
        "US cash (COSOQ02701)",
        lambda: o("COSOQ02701", lambda b: b[0]["FcurrOrdAbleAmt"], "OutBlock3", "InBlock1", RecCnt=1, CrcyCode="ALL"),
    )
    await a(
        "US fills (COSAQ00102)",
        lambda: o(
            "COSAQ00102",
            lambda b: {r["OrdNo"]: r["ExecQty"] for r in b},
            "OutBlock3",
            "InBlock1",
            RecCnt=1,
            QryTpCode="1",
            BkseqTpCode="2",
            OrdMktCode="82",
            BnsTpCode="0",
            IsuNo="",
            SrtOrdNo=0,
            OrdDt="",
            ExecYn="1",
            CrcyCode="USD",
            ThdayBnsAppYn="0",
            LoanBalHldYn="0",
        ),
    )
    for tr, call, fields in (
        ("GSC", "US trades (GSC)", ("price", "totq")),
        ("GSH", "US books (GSH)", ("offerho1", "bidrem1")),
    ):

        async def push(tr=tr, fields=fields):
            key, body = desk.seen[tr][-1]
            return [key, all(float(body[name]) > 0 for name in fields)]

        await a(call, push)

    async def fill():
        body = next(body for _, body in desk.seen["AS1"] if body["sOrdNo"] == str(bought))
        return [body["sOrdNo"], body["sExecQty"], body["sExecPrc"]]

    await a("US fill notice (AS1)", fill)


async def refusals(desk):
    async def code(tr, block="InBlock", **fields):
        return (await desk.ask(tr, block, **fields)).body["rsp_cd"]

    await desk.attempt(
        "US price (g3101)", lambda: code("g3101", delaygb="R", keysymbol="82MSFT", exchcd="82", symbol="MSFT")
    )
    await desk.attempt(
        "US order (COSAT00301)",
        lambda: code(
            "COSAT00301",
            "InBlock1",
            RecCnt=1,
            OrdPtnCode="02",
            OrgOrdNo=0,
            OrdMktCode="82",
            IsuNo="AAPL",
            OrdQty=1,
            OvrsOrdPrc=150.0,
            OrdprcPtnCode="00",
            BrkTpCode="",
        ),
    )
    await desk.attempt(
        "plain code (CSPAT00601)", lambda: code("CSPAT00601", "InBlock1", **order("2", 1, 60000, IsuNo="005930"))
    )


async def one_side(tag, key, *works):
    desk = Desk(tag)

    async def login():
        assert await desk.api.login(key, GIVEN["secret"]), desk.api.last_message
        return desk.api.is_simulation

    await desk.attempt("login, probe (FOCCQ33600)", login)
    for work in works:
        await work(desk)
    await desk.api.close()


async def main():
    await one_side("", GIVEN["live"], korea, america)
    await one_side("mock ", GIVEN["mock"], korea, refusals)


asyncio.run(main())
