import time
from pathlib import Path

from reporting import GIVEN, attempt, redirect, say

redirect()
import mojito  # noqa: E402
from mojito.koreainvestment import KoreaInvestmentWS  # noqa: E402

KEY, SECRET = "PSmojito", "secret"


def need(answer):
    assert answer["rt_cd"] == "0", answer["msg1"]
    return answer


def korean(account, mock):
    tag = "mock " if mock else ""
    k = mojito.KoreaInvestment(KEY, SECRET, account, "서울", mock=mock)
    attempt(tag + "fetch_price (FHKST01010100)", lambda: int(need(k.fetch_price("000660"))["output"]["stck_prpr"]))
    attempt(tag + "fetch_ohlcv (FHKST03010100)",
            lambda: int(need(k.fetch_ohlcv("000660", "D"))["output2"][0]["stck_clpr"]))  # fmt: skip
    attempt(tag + "fetch_ohlcv_recent30 (FHKST01010400)",
            lambda: int(need(k.fetch_ohlcv_recent30("000660"))["output"][0]["stck_clpr"]))  # fmt: skip
    attempt(tag + "fetch_today_1m_ohlcv (FHKST03010200)",
            lambda: int(need(k._fetch_today_1m_ohlcv("000660", ""))["output1"]["stck_prpr"]))  # fmt: skip
    attempt(tag + "check_buy_order (TTTC8908R)",
            lambda: int(need(k.check_buy_order("005930", 60000, "00"))["output"]["nrcvb_buy_qty"]))  # fmt: skip
    resting = attempt(tag + "create_limit_buy_order (TTTC0802U)",
                      lambda: need(k.create_limit_buy_order("005930", 60000, 4))["output"]["ODNO"])  # fmt: skip
    org = "91252" if not mock else "00950"
    if not mock:
        param = {"CTX_AREA_FK100": "", "CTX_AREA_NK100": "", "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
        attempt("fetch_open_order (TTTC8036R)",
                lambda: [[r["odno"], int(r["psbl_qty"])] for r in need(k.fetch_open_order(param))["output"]])  # fmt: skip
    second = attempt(tag + "modify_order (TTTC0803U)",
                     lambda: need(k.modify_order(org, resting, "00", 61000, 4, True))["output"]["ODNO"])  # fmt: skip
    attempt(tag + "cancel_order (TTTC0803U)",
            lambda: need(k.cancel_order(org, second, 0, True))["output"]["ODNO"])  # fmt: skip
    attempt(tag + "create_market_buy_order (TTTC0802U)",
            lambda: need(k.create_market_buy_order("005930", 5))["output"]["ODNO"])  # fmt: skip
    time.sleep(GIVEN["settle_s"])
    attempt(tag + "create_market_sell_order (TTTC0801U)",
            lambda: need(k.create_market_sell_order("005930", 2))["output"]["ODNO"])  # fmt: skip
    time.sleep(GIVEN["settle_s"])
    attempt(tag + "fetch_balance (TTTC8434R)",
            lambda: {r["pdno"]: int(r["hldg_qty"]) for r in k.fetch_balance()["output1"]})  # fmt: skip


def american(account, mock):
    tag = "mock " if mock else ""
    k = mojito.KoreaInvestment(KEY, SECRET, account, "나스닥", mock=mock)
    attempt(tag + "fetch_price (HHDFS00000300)", lambda: float(need(k.fetch_price("MSFT"))["output"]["last"]))
    attempt(tag + "fetch_ohlcv (HHDFS76240000)",
            lambda: float(need(k.fetch_ohlcv("MSFT", "D"))["output2"][0]["clos"]))  # fmt: skip
    attempt(tag + "create_limit_buy_order (JTTT1002U)",
            lambda: need(k.create_limit_buy_order("AAPL", 230, 3))["output"]["ODNO"])  # fmt: skip
    time.sleep(GIVEN["settle_s"])
    if not mock:  # on paper this client sends its sells as buys
        attempt("create_limit_sell_order (JTTT1006U)",
                lambda: need(k.create_limit_sell_order("AAPL", 190, 1))["output"]["ODNO"])  # fmt: skip
        time.sleep(GIVEN["settle_s"])
    attempt(tag + "fetch_balance (TTTS3012R)",
            lambda: {r["ovrs_pdno"]: int(r["ovrs_cblc_qty"]) for r in k.fetch_balance()["output1"]})  # fmt: skip
    attempt(tag + "fetch_present_balance (CTRP6504R)", lambda: {
        r["pdno"]: int(float(r["ccld_qty_smtl1"])) for r in need(k.fetch_present_balance())["output1"]})  # fmt: skip


def stream(account):
    feed = KoreaInvestmentWS(KEY, SECRET, ["H0STCNT0", "H0STASP0"], ["005930"], user_id="HTSID01")
    feed.start()
    time.sleep(2)
    k = mojito.KoreaInvestment(KEY, SECRET, account, "서울")
    number = need(k.create_market_buy_order("005930", 1))["output"]["ODNO"]
    seen, until = {}, time.monotonic() + 30
    while time.monotonic() < until and set(seen) != {"체결", "호가", "체잔"}:
        kind, data = feed.get()
        if kind != "체잔" or data["체결여부"] == "2":
            seen[kind] = data
    feed.terminate()
    if "체결" in seen:
        say("WS 체결 (H0STCNT0)", [seen["체결"]["유가증권단축종목코드"], int(seen["체결"]["주식현재가"]) > 0])
    if "호가" in seen:
        best = seen["호가"]
        say("WS 호가 (H0STASP0)", [best["유가증권 단축 종목코드"], int(best["매도호가01"]) > int(best["매수호가01"])])
    if "체잔" in seen:
        told = seen["체잔"]
        say("WS 체결통보 (H0STCNI0)", [number, told["주문번호"], int(told["체결수량"]), int(told["체결단가"])])


korean(GIVEN["live"], False)
american(GIVEN["live"], False)
attempt("KoreaInvestmentWS", lambda: stream(GIVEN["live"]))
Path("token.dat").unlink()  # it keeps one token for both hosts
korean(GIVEN["mock"], True)
american(GIVEN["mock"], True)
