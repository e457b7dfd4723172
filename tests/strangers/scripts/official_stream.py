"""The official samples' sockets: kis_auth.KISWebSocket with the functions of examples_user."""

import sys
import threading
import time

from official_orders import kr_order, us_order
from official_setup import ENV, REPO, SERVER, ka, tag
from reporting import say


def stream(market):
    """The sample keeps its subscriptions by function name, and both notices are called ccnl_notice: one market a time."""
    sys.path.insert(0, str(REPO / "examples_user" / "overseas_stock"))
    sys.path.insert(0, str(REPO / "examples_user" / "domestic_stock"))
    import domestic_stock_functions_ws as kws_kr
    import overseas_stock_functions_ws as kws_us

    ka.auth_ws(svr=SERVER)
    ka.open_map.clear()
    feed = ka.KISWebSocket(api_url="/tryitout")
    own = {"env_dv": ENV}
    if market == "KRX":
        wanted = {
            "H0STCNT0": (kws_kr.ccnl_krx, "005930", own),
            "H0STASP0": (kws_kr.asking_price_krx, "005930", own),
            ("H0STCNI9" if tag else "H0STCNI0"): (kws_kr.ccnl_notice, "HTSID01", own),
        }
    else:
        wanted = {("H0GSCNI9" if tag else "H0GSCNI0"): (kws_us.ccnl_notice, "HTSID01", own)}
    if market == "KRX" and not tag:
        wanted |= {
            "H0UNCNT0": (kws_kr.ccnl_total, "005930", None),
            "H0NXCNT0": (kws_kr.ccnl_nxt, "005930", None),
            "H0UNASP0": (kws_kr.asking_price_total, "005930", None),
            "H0NXASP0": (kws_kr.asking_price_nxt, "005930", None),
        }
    elif not tag:
        wanted |= {
            "HDFSCNT0": (kws_us.delayed_ccnl, "DNASAAPL", None),
            "HDFSASP1": (kws_us.delayed_asking_price_asia, "DNASAAPL", None),
        }
    for request, key, kwargs in wanted.values():
        feed.subscribe(request=request, data=[key], kwargs=kwargs)
    seen, orders, began = {}, {}, time.monotonic()

    def place():
        time.sleep(3)
        buys = {"ord_dv": "buy", "env_dv": ENV}
        orders[market] = kr_order("buy", 1, "0", "01") if market == "KRX" else us_order(buys, 1, "230.00")

    def on_result(ws, tr_id, frame, info):
        row = frame.iloc[0].to_dict()
        if tr_id.endswith(("CNI0", "CNI9")) and row["CNTG_YN"] != "2":
            return
        seen.setdefault(tr_id, row)
        if set(seen) == set(wanted) or time.monotonic() - began > 40:
            raise KeyboardInterrupt

    threading.Thread(target=place, daemon=True).start()
    feed.start(on_result=on_result)
    for tr_id, row in seen.items():
        if tr_id.endswith(("CNI0", "CNI9")):
            price = int(row["CNTG_UNPR"]) / (10_000 if market == "US" else 1)
            say(f"{tag}WS {tr_id}", [orders[market], row["ODER_NO"], int(row["CNTG_QTY"]), price])
        else:
            upper = {name.upper(): value for name, value in row.items()}
            symbol = upper.get("SYMB") or upper["MKSC_SHRN_ISCD"]
            price = next(float(upper[n]) for n in ("LAST", "STCK_PRPR", "PBID1", "BIDP1") if n in upper)
            say(f"{tag}WS {tr_id}", [symbol, price > 0])
