import asyncio
import time

from reporting import GIVEN, attempt, redirect, say

redirect()
import importlib  # noqa: E402

from programgarden_finance import LS  # noqa: E402
from programgarden_finance.ls.overseas_stock.real import Real  # noqa: E402

PARTS = {"g31": "market", "g32": "chart", "COSAT": "order"}
HEAD = {"delaygb": "R", "keysymbol": "82MSFT", "exchcd": "82", "symbol": "MSFT"}
BARS = {**HEAD, "qrycnt": 3, "comp_yn": "N", "sdate": "", "edate": "99999999"}
ls = LS.get_instance() if hasattr(LS, "get_instance") else LS()


def part_of(tr):
    if tr == "g3103":
        return "chart"
    return next((part for start, part in PARTS.items() if tr.startswith(start)), "accno")


def ask(tr, **fields):
    """One call as its own guide writes it: ls.overseas_stock().market().g3101(G3101InBlock(…)).req()."""
    blocks = importlib.import_module(f"programgarden_finance.ls.overseas_stock.{part_of(tr)}.{tr}.blocks")
    kind = tr[0].upper() + tr[1:] + "InBlock" + ("1" if tr.startswith("COS") else "")
    group = getattr(ls.overseas_stock(), part_of(tr))()
    answer = getattr(group, tr.lower())(getattr(blocks, kind)(**fields)).req()
    assert not answer.error_msg, answer.error_msg
    return answer


def send(tr="COSAT00301", **fields):
    asked = {"OrdPtnCode": "02", "OrdMktCode": "82", "IsuNo": "AAPL", "OrdQty": 3, "OvrsOrdPrc": 150.0,
             "OrdprcPtnCode": "00", "BrkTpCode": "", **fields}  # fmt: skip
    answer = ask(tr, **asked)
    assert answer.rsp_cd.startswith("00"), answer.rsp_msg
    return answer.block2.OrdNo


attempt("login", lambda: ls.login(GIVEN["live"], GIVEN["secret"]))
attempt("g3101", lambda: ask("g3101", **HEAD).block.price)
attempt(
    "g3102",
    lambda: (
        len(ask("g3102", delaygb="R", keysymbol="82AAPL", exchcd="82", symbol="AAPL", readcnt=20, cts_seq=0).block1)
        == 20
    ),
)
attempt("g3104", lambda: ask("g3104", **HEAD).block.symbol)
attempt("g3106", lambda: ask("g3106", **HEAD).block.price)
attempt("g3190", lambda: {"AAPL", "MSFT", "NVDA", "TSLA"} <= {
    row.symbol for row in ask("g3190", delaygb="R", natcode="US", exgubun="2", readcnt=100, cts_value="").block1})  # fmt: skip
attempt("g3103", lambda: ask("g3103", **HEAD, gubun="2", date="99999999").block1[0].price)


def ticks():
    rows = ask("g3202", **{**BARS, "keysymbol": "82AAPL", "symbol": "AAPL"}, ncnt=2, cts_seq=0).block1
    return len(rows) == 3 and all(row.low <= float(row.close) <= row.high for row in rows)


attempt("g3202", ticks)
attempt("g3203", lambda: ask("g3203", **BARS, ncnt=1, cts_date="", cts_time="").block.close)
attempt("g3204", lambda: ask("g3204", **BARS, sujung="Y", gubun="2", cts_date="", cts_info="").block1[-1].close)


async def stream():
    heard = {}
    real = Real(token_manager=ls.token_manager)
    await real.connect()
    for name in ("AS0", "AS1", "AS2", "AS3"):
        on = getattr(getattr(real, name)(), f"on_{name.lower()}_message")
        on(lambda message, name=name: heard.setdefault(name, []).append(message))
    real.GSC().on_gsc_message(lambda message: heard.setdefault("GSC", []).append(message))
    real.GSH().on_gsh_message(lambda message: heard.setdefault("GSH", []).append(message))
    real.GSC().add_gsc_symbols(["82AAPL"])
    real.GSH().add_gsh_symbols(["82AAPL"])
    await asyncio.sleep(1)

    def trade():
        resting = attempt("COSAT00301 buy", send)
        child = attempt(
            "COSAT00311", lambda: send("COSAT00311", OrdPtnCode="07", OrgOrdNo=resting, OrdQty=0, OvrsOrdPrc=151.0)
        )
        attempt("COSAT00301 cancel", lambda: send(OrdPtnCode="08", OrgOrdNo=child, OrdQty=3, OvrsOrdPrc=0.0))
        bought = attempt("COSAT00301 crossing buy", lambda: send(OrdQty=2, OvrsOrdPrc=230.0))
        time.sleep(GIVEN["settle_s"])
        attempt("COSAT00301 sell at market",
                lambda: send(OrdPtnCode="01", OrdQty=1, OvrsOrdPrc=0.0, OrdprcPtnCode="03"))  # fmt: skip
        time.sleep(GIVEN["settle_s"])
        return resting, child, bought

    resting, child, bought = await asyncio.to_thread(trade)

    def told(name, **wanted):
        for message in heard.get(name, []):
            assert not message.error_msg, message.error_msg
            if message.body and all(getattr(message.body, k) == v for k, v in wanted.items()):
                return message.body
        raise AssertionError(f"nothing of {wanted} in {len(heard.get(name, []))} messages")

    attempt("real GSC", lambda: [(b := told("GSC")).symbol, b.price > 0 and b.totq > 0])
    attempt("real GSH", lambda: [(b := told("GSH")).symbol, b.offerho1 > b.bidho1 > 0])
    attempt("real AS0", lambda: told("AS0", sOrdNo=int(bought)).sOrdNo)
    attempt("real AS1", lambda: [(b := told("AS1", sOrdNo=int(bought))).sOrdNo, b.sExecQty, b.sExecPrc])
    attempt("real AS2", lambda: told("AS2", sOrgOrdNo=int(resting), sMdfyCnfPrc=151.0).sOrdNo)
    attempt("real AS3", lambda: told("AS3", sOrgOrdNo=int(child), sCancCnfQty=3).sOrdNo)
    await real.close()


asyncio.run(stream())
attempt("COSAQ00102", lambda: {row.OrdNo: row.ExecQty for row in ask(
    "COSAQ00102", QryTpCode="1", BkseqTpCode="1", OrdMktCode="82", BnsTpCode="0", IsuNo="", SrtOrdNo=999999999,
    OrdDt="", ExecYn="1", CrcyCode="000", ThdayBnsAppYn="0", LoanBalHldYn="0").block3})  # fmt: skip
attempt("COSOQ00201", lambda: {row.ShtnIsuNo: int(float(row.AstkBalQty)) for row in ask(
    "COSOQ00201", BaseDt="", CrcyCode="ALL", AstkBalTpCode="00").block4})  # fmt: skip
attempt("COSOQ02701", lambda: ask("COSOQ02701", RecCnt=1, CrcyCode="USD").block3[0].FcurrOrdAbleAmt)
say("done", None)
