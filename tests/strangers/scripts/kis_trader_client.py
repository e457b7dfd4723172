import dataclasses
import time
from decimal import Decimal

from kis_trader import KISClient
from kis_trader._internal import _endpoints
from kis_trader.instrument import InstrumentRecord, MasterIndex
from reporting import GIVEN, attempt, say

HOSTS = GIVEN["hosts"]
_endpoints._BASE_URL_BY_ENVIRONMENT.update(
    real=HOSTS["openapi.koreainvestment.com:9443"], paper=HOSTS["openapivts.koreainvestment.com:29443"]
)
_endpoints._WEBSOCKET_URL_BY_ENVIRONMENT.update(
    real=HOSTS["ops.koreainvestment.com:21000"], paper=HOSTS["ops.koreainvestment.com:31000"]
)
# What it would fetch as a file of masters: its own argument takes an index instead.
LISTED = MasterIndex(
    [
        InstrumentRecord(symbol, "NAS", "USD", "stock", symbol, symbol, "NAS" + symbol)
        for symbol in ("AAPL", "MSFT", "TSLA")
    ]
)
SINCE, TODAY = GIVEN["since"].replace("-", ""), GIVEN["today"].replace("-", "")
HTS_ID = "HTSID01"


def plain(value):
    """What its dataclasses hold, as JSON can say it."""
    if dataclasses.is_dataclass(value) and hasattr(value, "amount"):
        return plain(value.amount)
    return float(value) if isinstance(value, Decimal) else value


def opened(environment, number):
    return KISClient(
        app_key="P" * 36,
        app_secret="s" * 180,
        account=number,
        environment=environment,
        hts_id=HTS_ID,
        token_cache_dir="tokens-" + environment,
        throttle=False,
        master_index=LISTED,
    )


def quotes(kis, tag):
    korean, us = kis.domestic.stock("000660"), kis.overseas.stock("MSFT")
    for name, stock in (("000660", korean), ("MSFT", us)):
        if not (tag and name == "MSFT"):  # its quote is the detail, which paper does not have
            attempt(f"{tag}quote {name}", lambda stock=stock: plain(stock.quote().current_price))
        attempt(f"{tag}bars {name}", lambda stock=stock: plain(stock.bars(interval="1d", start=SINCE)[-1].close))
    attempt(f"{tag}recent_prices", lambda: plain(max(korean.recent_prices(), key=lambda day: day.trading_date).close))
    attempt(f"{tag}order_book 000660", lambda: plain(korean.order_book().bids[0].price))
    attempt(
        f"{tag}screen_stocks",
        lambda: sorted(one.symbol for one in kis.overseas.screen_stocks(exchange="NAS", price=(429, 431)).matches),
    )
    if tag:
        return
    attempt("order_book MSFT", lambda: plain(us.order_book().bids[0].price))
    attempt("bars 1m 000660", lambda: plain(korean.bars(interval="1m", max_bars=5)[-1].close))
    attempt("bars 1m MSFT", lambda: plain(us.bars(interval="1m", max_bars=5)[-1].close))
    attempt("current_price MSFT", lambda: plain(us.current_price().current_price))
    attempt("trades 000660", lambda: plain(korean.trades()[0].price))
    attempt("trades MSFT", lambda: plain(us.trades()[0].price))
    attempt(
        "quotes", lambda: [[one.symbol, plain(one.current_price)] for one in kis.overseas.quotes([("NAS", "MSFT")])]
    )
    attempt("profile", lambda: korean.profile().symbol)
    attempt("product_info 000660", lambda: kis.domestic.product_info("000660").symbol)
    attempt("product_info MSFT", lambda: kis.overseas.product_info("MSFT", exchange="NAS").symbol)
    attempt("settlement_dates", lambda: isinstance(kis.overseas.settlement_dates(), list))


def trading(kis, tag, stock, symbol, low, second, high):
    def ordered(call, work):
        report = attempt(call, lambda: _keep(work()))
        return KEPT.get(report)

    resting = ordered(f"{tag}buy resting {symbol}", lambda: stock.buy(quantity=4, limit_price=low))
    if resting:
        ordered(f"{tag}modify {symbol}", lambda: kis.orders.modify(resting.client_order_id, limit_price=second))
        ordered(f"{tag}cancel {symbol}", lambda: kis.orders.cancel(resting.client_order_id))
    bought = ordered(f"{tag}buy {symbol}", lambda: stock.buy(quantity=5, limit_price=high))
    time.sleep(GIVEN["settle_s"])
    if bought and not tag:
        attempt(
            f"reconcile {symbol}",
            lambda: plain(kis.orders.reconcile(bought.client_order_id, refresh=True).filled_quantity),
        )
    ordered(f"{tag}sell {symbol}", lambda: stock.sell(quantity=2, limit_price=low))
    time.sleep(GIVEN["settle_s"])


KEPT = {}


def _keep(report):
    KEPT[report.order_id] = report
    return report.order_id


def lists(kis, tag):
    korean, us = kis.account.domestic, kis.account.overseas
    attempt(f"{tag}positions KRX", lambda: {p.symbol: int(p.quantity) for p in korean.positions() if p.quantity})
    attempt(f"{tag}positions US", lambda: {p.symbol: int(p.quantity) for p in us.positions(market="US") if p.quantity})
    attempt(
        f"{tag}buyable 005930",
        lambda: int(kis.domestic.stock("005930").buyable(limit_price=60000).max_buyable_quantity),
    )
    attempt(
        f"{tag}buyable AAPL", lambda: int(us.buyable("AAPL", exchange="NAS", limit_price=180).max_orderable_quantity)
    )
    attempt(
        f"{tag}order_history",
        lambda: sorted(
            [int(o.order_id), o.symbol, int(o.filled_quantity)]
            for o in korean.order_history(start=SINCE, end=TODAY).orders
            if o.filled_quantity
        ),
    )
    attempt(f"{tag}present_balance", lambda: us.present_balance(won_basis=False) is not None)
    if tag:
        return
    attempt("sellable", lambda: int(kis.domestic.stock("005930").sellable().quantity))
    attempt(
        "trade_profits KRX",
        lambda: sorted(
            [r.symbol, int(r.sell_quantity)]
            for r in korean.trade_profits(start=SINCE, end=TODAY).trades
            if r.sell_quantity
        ),
    )
    attempt(
        "trade_profits US",
        lambda: sorted([r.symbol, int(r.sold_quantity)] for r in us.trade_profits(start=SINCE, end=TODAY).trades),
    )
    attempt(
        "transactions",
        lambda: sorted([t.symbol, t.side, int(t.filled_quantity)] for t in us.transactions(start=SINCE, end=TODAY)),
    )
    attempt("settlement_balance", lambda: us.settlement_balance(basis_date=TODAY, won_basis=False) is not None)
    attempt("foreign_margin", lambda: [m.currency for m in us.foreign_margin() if m.currency == "USD"])
    attempt("algo_orders", lambda: us.algo_orders())


def reserved(kis):
    made = attempt("reserve_buy", lambda: _keep(kis.overseas.stock("AAPL").reserve_buy(quantity=1, limit_price=150)))
    if made:
        attempt(
            "cancel_reserved_order",
            lambda: (
                kis.account.overseas.cancel_reserved_order(made, receipt_date=KEPT[made].receipt_date or TODAY)
                or "done"
            ),
        )
    overnight = attempt(
        "overnight_buy", lambda: _keep(kis.overseas.stock("AAPL").overnight_buy(quantity=1, limit_price=150))
    )
    if overnight:
        attempt("overnight cancel", lambda: _keep(kis.orders.cancel(KEPT[overnight].client_order_id)))


def streams(kis):
    heard = {}
    line = kis.realtime()
    domestic, overseas = line.domestic, line.overseas
    subscriptions = {
        "WS trades 005930": domestic.stock("005930").trades,
        "WS order_book 005930": domestic.stock("005930").order_book,
        "WS trades NXT": lambda on: domestic.stock("005930").trades("NXT", on=on),
        "WS order_book UN": lambda on: domestic.stock("005930").order_book("UN", on=on),
        "WS trades AAPL": overseas.stock("AAPL").trades,
        "WS order_book AAPL": overseas.stock("AAPL").order_book,
        "WS execution KRX": lambda on: domestic.execution_notices.stock(HTS_ID, on=on),
        "WS execution US": lambda on: overseas.execution_notices.stock(HTS_ID, on=on),
    }

    def hear(call):
        def on(message):
            if "execution" not in call or message.fill_status == "2":
                heard.setdefault(call, message)

        return on

    for call, subscribe in subscriptions.items():
        subscribe(on=hear(call))
    line.start()
    asked = {}
    for call, stock, price in (
        ("WS execution KRX", kis.domestic.stock("005930"), 75000),
        ("WS execution US", kis.overseas.stock("AAPL"), 230),
    ):
        asked[call] = stock.buy(quantity=1, limit_price=price).order_id
    ends = time.monotonic() + 20
    while len(heard) < len(subscriptions) and time.monotonic() < ends:
        time.sleep(0.1)
    line.stop()
    for call in subscriptions:
        found = heard.get(call)
        if found is None:
            say(call, "silence")
        elif call in asked:
            say(call, [asked[call], found.order_id, int(found.filled_quantity), plain(found.filled_price)])
        else:
            say(call, found.symbol)


for environment, number, tag in (("real", GIVEN["live"], ""), ("paper", GIVEN["mock"], "mock ")):
    kis = opened(environment, number)
    quotes(kis, tag)
    trading(kis, tag, kis.domestic.stock("005930"), "005930", 60000, 61000, 75000)
    trading(kis, tag, kis.overseas.stock("AAPL"), "AAPL", 180, 181, 230)
    lists(kis, tag)
    if not tag:
        reserved(kis)
        attempt("streams", lambda kis=kis: streams(kis))
