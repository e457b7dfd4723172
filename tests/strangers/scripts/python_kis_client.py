import os
import threading
import time
from datetime import date

import pykis.client.websocket
import pykis.kis
from pykis import KisAuth, PyKis
from reporting import GIVEN, attempt, say

pykis.kis.REAL_DOMAIN = GIVEN["hosts"]["openapi.koreainvestment.com:9443"]
pykis.kis.VIRTUAL_DOMAIN = GIVEN["hosts"]["openapivts.koreainvestment.com:29443"]
pykis.client.websocket.WEBSOCKET_REAL_DOMAIN = GIVEN["hosts"]["ops.koreainvestment.com:21000"]
pykis.client.websocket.WEBSOCKET_VIRTUAL_DOMAIN = GIVEN["hosts"]["ops.koreainvestment.com:31000"]

SINCE = date.fromisoformat(GIVEN["since"])
KEYS = {"appkey": "P" * 36, "secretkey": "s" * 180}


def quotes(kis, tag, symbol):
    stock = kis.stock(symbol)
    attempt(f"{tag}quote {symbol}", lambda: float(stock.quote().price))
    if not (tag and symbol == "MSFT"):  # paper has no US book, and this client asks it there
        attempt(f"{tag}orderbook {symbol}", lambda: float(stock.orderbook().bid_price.price))
    attempt(f"{tag}daily_chart {symbol}", lambda: float(stock.daily_chart().bars[-1].close))
    attempt(f"{tag}day_chart {symbol}", lambda: float(stock.day_chart().bars[-1].close))


def trading(kis, tag, symbol, low, second, high):
    account, stock, virtual = kis.account(), kis.stock(symbol), bool(tag)
    attempt(f"{tag}orderable_amount {symbol}", lambda: int(stock.orderable_amount(price=low).quantity))
    resting = attempt_order(f"{tag}buy resting {symbol}", lambda: stock.buy(price=low, qty=4))
    if not virtual:

        def pending():
            mine = [one for one in account.pending_orders() if one.symbol == symbol]
            return [[one.number, one.symbol, int(one.pending_quantity)] for one in mine]

        attempt(f"pending_orders {symbol}", pending)
    if not virtual or symbol == "AAPL":  # this client amends no KRX order on paper
        resting = attempt_order(f"{tag}modify {symbol}", lambda: resting.modify(price=second))
    attempt_order(f"{tag}cancel {symbol}", lambda: resting.cancel())
    attempt_order(f"{tag}buy {symbol}", lambda: stock.buy(price=high, qty=5))
    time.sleep(GIVEN["settle_s"])
    attempt_order(f"{tag}sell at market {symbol}", lambda: stock.sell(qty=2))
    time.sleep(GIVEN["settle_s"])


def lists(kis, tag):
    account = kis.account()
    attempt(f"{tag}balance", lambda: {s.symbol: int(s.qty) for s in account.balance().stocks if s.qty})
    attempt(f"{tag}balance deposits", lambda: {c: float(d.amount) for c, d in account.balance().deposits.items()})

    def daily():
        orders = [one for one in account.daily_orders(SINCE) if one.executed_quantity]
        return sorted([one.number, one.symbol, int(one.executed_quantity)] for one in orders)

    attempt(f"{tag}daily_orders", daily)
    if not tag:
        attempt("profits", lambda: sorted([p.symbol, int(p.quantity)] for p in account.profits(SINCE)))


def attempt_order(call, work):
    made = []

    def run():
        made.append(work())
        return made[0].number

    attempt(call, run)
    return made[0] if made else None


def stream(kis, tag):
    seen, done = {}, threading.Event()

    def told(name, wanted):
        def on(_sender, e):
            seen.setdefault(name, wanted(e.response))
            if len(seen) == 5:
                done.set()

        return on

    korean, american, account = kis.stock("005930"), kis.stock("AAPL"), kis.account()
    tickets = [
        korean.on("price", told("price 005930", lambda r: [r.symbol, float(r.price) > 0])),
        korean.on("orderbook", told("orderbook 005930", lambda r: [r.symbol, r.ask_price.price > r.bid_price.price])),
        american.on("price", told("price AAPL", lambda r: [r.symbol, float(r.price) > 0])),
        american.on("orderbook", told("orderbook AAPL", lambda r: [r.symbol, r.ask_price.price > r.bid_price.price])),
    ]
    fills = []

    def executed(_sender, e):
        r = e.response
        if r.executed_quantity:
            fills.append([r.order_number.number, r.order_number.number, int(r.executed_quantity), float(r.price)])

    tickets.append(account.on("execution", executed))
    time.sleep(2)
    made = [korean.buy(price=75000, qty=1), american.buy(price=230, qty=1)]
    until = time.monotonic() + 25
    while time.monotonic() < until and (len(seen) < 4 or len(fills) < 2):
        time.sleep(0.2)
    for name, got in seen.items():
        say(f"{tag}WS {name}", got)
    for order, market in zip(made, ("KRX", "US"), strict=True):
        mine = [f for f in fills if int(f[0]) == int(order.number)]
        if mine:
            say(f"{tag}WS execution {market}", mine[0])
    for ticket in tickets:
        ticket.unsubscribe()


def everything(kis, tag):
    for symbol in ("000660", "MSFT"):
        quotes(kis, tag, symbol)
    trading(kis, tag, "005930", 60000, 61000, 75000)
    trading(kis, tag, "AAPL", 180, 181, 230)
    lists(kis, tag)


real = KisAuth(id="HTSID01", account=GIVEN["live"], virtual=False, **KEYS)
live = PyKis(real, keep_token=False)
everything(live, "")
attempt("websocket", lambda: stream(live, ""))
paper = KisAuth(id="HTSID01", account=GIVEN["mock"], virtual=True, **KEYS)
everything(PyKis(real, paper, keep_token=False), "mock ")
os._exit(0)  # its socket threads would keep the process
