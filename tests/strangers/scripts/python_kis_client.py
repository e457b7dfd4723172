import threading
import time

from reporting import GIVEN, attempt, say
import pykis.__env__ as env

env.REAL_DOMAIN = GIVEN["hosts"]["openapi.koreainvestment.com:9443"]
env.VIRTUAL_DOMAIN = GIVEN["hosts"]["openapivts.koreainvestment.com:29443"]
env.WEBSOCKET_REAL_DOMAIN = GIVEN["hosts"]["ops.koreainvestment.com:21000"]
env.WEBSOCKET_VIRTUAL_DOMAIN = GIVEN["hosts"]["ops.koreainvestment.com:31000"]

from pykis import KisAuth, PyKis  # noqa: E402

KEYS = {"appkey": "P" * 36, "secretkey": "s" * 180}


def order_of(made):
    return made.number


def rows(orders):
    return [[o.number, o.symbol, o.type, int(o.executed_quantity), int(o.pending_quantity)] for o in orders]


def quotes(kis, tag):
    for symbol in ("000660", "MSFT"):
        stock = kis.stock(symbol)
        attempt(f"{tag}quote {symbol}", lambda: float(stock.quote().price))
        attempt(f"{tag}orderbook {symbol}", lambda: float(stock.orderbook().bid_price.price))
        attempt(f"{tag}daily_chart {symbol}", lambda: float(stock.daily_chart().bars[-1].close))
        attempt(f"{tag}day_chart {symbol}", lambda: float(stock.day_chart().bars[-1].close))


def trading(kis, tag, virtual):
    account = kis.account()
    for symbol, low, high in (("005930", 60000, 75000), ("AAPL", 180, 230)):
        stock = kis.stock(symbol)
        attempt(f"{tag}orderable_amount {symbol}", lambda: int(stock.orderable_amount(price=low).quantity))
        resting = attempt_order(f"{tag}buy resting {symbol}", lambda: stock.buy(price=low, qty=4))
        if resting is not None:
            if not virtual:
                attempt(f"{tag}pending_orders {symbol}",
                        lambda: [[o.number, o.symbol, int(o.pending_quantity)] for o in account.pending_orders()
                                 if o.symbol == symbol])  # fmt: skip
            second = attempt_order(f"{tag}modify {symbol}", lambda: resting.modify(price=low + 1000 if low > 1000 else 181))
            if second is not None:
                attempt_order(f"{tag}cancel {symbol}", lambda: second.cancel())
        attempt_order(f"{tag}buy {symbol}", lambda: stock.buy(price=high, qty=5))
        time.sleep(GIVEN["settle_s"])
        attempt_order(f"{tag}sell at market {symbol}", lambda: stock.sell(qty=2))
        time.sleep(GIVEN["settle_s"])
    attempt(f"{tag}balance", lambda: {s.symbol: int(s.qty) for s in account.balance().stocks if s.qty})
    attempt(f"{tag}balance deposits", lambda: {c: float(d.amount) for c, d in account.balance().deposits.items()})
    attempt(f"{tag}daily_orders", lambda: sorted(
        [o.number, o.symbol, int(o.executed_quantity)] for o in account.daily_orders(GIVEN["since"]) if o.executed_quantity))
    if not virtual:
        attempt(f"{tag}profits", lambda: sorted([p.symbol, int(p.quantity)] for p in account.profits(GIVEN["since"])))


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
    for order, market in zip(made, ("KRX", "US")):
        mine = [f for f in fills if int(f[0]) == int(order.number)]
        if mine:
            say(f"{tag}WS execution {market}", mine[0])
    for ticket in tickets:
        ticket.unsubscribe()


real = KisAuth(id="HTSID01", account=GIVEN["live"], virtual=False, **KEYS)
kis = PyKis(real, keep_token=False)
quotes(kis, "")
trading(kis, "", False)
attempt("websocket", lambda: stream(kis, ""))
paper = KisAuth(id="HTSID01", account=GIVEN["mock"], virtual=True, **KEYS)
virtual = PyKis(real, paper, keep_token=False)
quotes(virtual, "mock ")
trading(virtual, "mock ", True)
import os  # noqa: E402

os._exit(0)  # its socket threads would keep the process
