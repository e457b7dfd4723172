import asyncio
import datetime
import queue
import time

from reporting import GIVEN, attempt, redirect, say

redirect()
import finestock  # noqa: E402
from finestock import APIProvider  # noqa: E402

api = finestock.create_api(APIProvider.LS)
BUY, SELL = finestock.ORDER_FLAG.BUY, finestock.ORDER_FLAG.SELL
api.set_oauth_info(GIVEN["live"], GIVEN["secret"])
attempt("oauth", lambda: bool(api.oauth()))
now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9)))
today, before = now.strftime("%Y%m%d"), (now - datetime.timedelta(days=30)).strftime("%Y%m%d")

attempt("get_price (t1102)", lambda: int(api.get_price("000660").price))
attempt("get_price KRX (t1102)", lambda: int(api.get_price("000660", exchange=finestock.QuoteExchange.KRX).price))
attempt("get_ohlcv (t8451)", lambda: int(api.get_ohlcv("000660", today, today)[-1].close))


def in_order(bars, more=2):
    labels = [(bar.workday, bar.time) for bar in bars]
    return [len(labels) >= more, labels == sorted(set(labels))]


attempt(
    "get_ohlcv from a date, its pages in order (t8451)",
    lambda: all(in_order(api.get_ohlcv("000660", before, today), 15)),
)
attempt("get_ohlcv_min, pages in order (t8452)", lambda: in_order(api.get_ohlcv_min("005930", today)))
attempt("get_multiple_ohlcv (t8407)", lambda: int(api.get_multiple_ohlcv(["005930", "000660"])[1].price))
attempt("get_stock_list (t8436)", lambda: [row["shcode"] for row in api.get_stock_list()])
attempt("get_stock_list KOSDAQ (t8436)", lambda: [row["shcode"] for row in api.get_stock_list("2")])


def book():
    got = api.get_orderbook("005930")
    return [len(got.sell), len(got.buy), got.sell[0].price > got.buy[0].price]


attempt("get_orderbook (t1101)", book)
resting = attempt("do_order limit (CSPAT00601)", lambda: api.do_order("005930", BUY, 60000, 4).order.order_num)
child = attempt("do_order_modify (CSPAT00701)", lambda: api.do_order_modify(resting, "005930", 61000, 4).order_num)


def cancel():
    done = api.do_order_cancel(child, "005930", 4)
    assert int(done.order_num) == int(child)
    return "cancelled"


attempt("do_order_cancel (CSPAT00801)", cancel)
attempt("do_order market buy (CSPAT00601)", lambda: api.do_order("005930", BUY, 0, 5).order.order_num)
time.sleep(GIVEN["settle_s"])
attempt("do_order market sell (CSPAT00601)", lambda: api.do_order("005930", SELL, 0, 2).order.order_num)
time.sleep(GIVEN["settle_s"])


async def stream():
    told = queue.Queue()
    api.set_data_queue(told)
    await api.connect()
    await api.recv_price("005930")
    await api.recv_orderbook("005930")
    await api.recv_price("247540")
    await api.recv_order_status()
    running = asyncio.create_task(api.run())
    number = (await asyncio.to_thread(api.do_order, "005930", BUY, 0, 1)).order.order_num
    await asyncio.sleep(8)
    api.stop()
    await running
    told = list(told.queue)
    prices = [one for one in told if isinstance(one, finestock.Price)]
    for code, call in (("005930", "recv_price (S3_)"), ("247540", "recv_price KOSDAQ (K3_)")):
        say(call, next([one.code, one.price > 0 and one.volume > 0] for one in prices if one.code == code))
    say("recv_orderbook (H1_)", next([one.code, one.sell[0].price > one.buy[0].price]
                                     for one in told if isinstance(one, finestock.OrderBook)))  # fmt: skip
    fill = next(one for one in told if isinstance(one, finestock.Trade) and one.order_num == str(number))
    say("recv_order_status (SC1)", [fill.order_num, fill.trade_qty, fill.trade_price])


asyncio.run(stream())
time.sleep(GIVEN["settle_s"])
attempt("get_order_status (t0425)", lambda: {
    one.order_num: int(one.trade_qty) for one in api.get_order_status("005930")
    if one.trade_flag == finestock.TRADE_FLAG.COMPLETE})  # fmt: skip
attempt("get_holds (t0424)", lambda: {one.code: int(one.qty) for one in api.get_holds()})
attempt("get_balance (CSPAQ12200)", lambda: int(api.get_balance().pay_deposit))
