import time

import pykis
from reporting import GIVEN, attempt

cano, product = GIVEN["live"].split("-")
api = pykis.Api(
    key_info={"appkey": "PSpjueon", "appsecret": "secret"},
    domain_info=pykis.DomainInfo(kind=None, url=GIVEN["hosts"]["openapi.koreainvestment.com:9443"]),
    account_info={"account_code": cano, "product_code": product},
)
attempt("get_kr_current_price (FHKST01010100)", lambda: api.get_kr_current_price("000660"))
attempt("get_kr_max_price (FHKST01010100)", lambda: api.get_kr_max_price("000660"))
attempt("get_kr_min_price (FHKST01010100)", lambda: api.get_kr_min_price("000660"))
attempt("get_kr_ohlcv (FHKST01010400)", lambda: int(api.get_kr_ohlcv("000660")["Close"].iloc[0]))
attempt("get_kr_buyable_cash (TTTC8908R)", api.get_kr_buyable_cash)
number = attempt("buy_kr_stock (TTTC0802U)", lambda: api.buy_kr_stock("005930", 4, 60000)["ODNO"])
attempt("buy_kr_stock at market (TTTC0802U)", lambda: api.buy_kr_stock("005930", 6, 0)["ODNO"])
time.sleep(GIVEN["settle_s"])
attempt("sell_kr_stock (TTTC0801U)", lambda: api.sell_kr_stock("005930", 1, 0)["ODNO"])
time.sleep(GIVEN["settle_s"])
attempt(
    "get_kr_orders (TTTC8036R)",
    lambda: [
        [i, r["종목코드"], int(r["정정취소가능수량"]), r["매수매도구분"]] for i, r in api.get_kr_orders().iterrows()
    ],
)
attempt("revise_kr_order (TTTC0803U)", lambda: api.revise_kr_order(number, 61000))
left = attempt("get_kr_orders after the amend (TTTC8036R)", lambda: list(api.get_kr_orders().index))
attempt("cancel_kr_order (TTTC0803U)", lambda: api.cancel_kr_order(left[0], 1))
attempt("cancel_all_kr_orders (TTTC0803U)", api.cancel_all_kr_orders)
attempt("get_kr_orders after all (TTTC8036R)", lambda: len(api.get_kr_orders()))
attempt(
    "get_kr_stock_balance (TTTC8434R)",
    lambda: {i: int(r["보유수량"]) for i, r in api.get_kr_stock_balance().iterrows()},
)
attempt("get_kr_deposit (TTTC8434R)", api.get_kr_deposit)
