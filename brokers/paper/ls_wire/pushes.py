"""Market pushes: S3_/K3_ trades, H1_/HA_ books, JIF market status. Every body value is a string (ls.md §5)."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal

from brokers.paper.hours import market_open
from brokers.paper.ls_wire.formats import KST, clock6, millions, percent, sign_of
from brokers.paper.ls_wire.tally import DayTally
from brokers.paper.tape import Trade
from shared.domain.account import Market
from shared.domain.market import OrderBook
from shared.domain.order import Side

Body = dict[str, str]
TRADE_TRS = {"S3_": "KOSPI", "K3_": "KOSDAQ"}  # a code of the other board is silently without data
BOOK_TRS = {"H1_": "KOSPI", "HA_": "KOSDAQ"}


def trade_body(trade: Trade, day: DayTally, limits: tuple[Decimal, Decimal] | None) -> Body:
    return {
        "chetime": clock6(trade.at),
        "sign": sign_of(trade.price, trade.prev_close, limits),
        "change": str(int(abs(trade.change))),
        "drate": f"{percent(trade.change, trade.prev_close):.2f}",
        "price": str(int(trade.price)),
        "opentime": day.open_time,
        "open": str(int(trade.open)),
        "hightime": day.high_time,
        "high": str(int(trade.high)),
        "lowtime": day.low_time,
        "low": str(int(trade.low)),
        "cgubun": "+" if trade.side_hint is Side.BUY else "-",
        "cvolume": str(trade.quantity),
        "volume": str(trade.cum_volume),
        "value": str(millions(trade.turnover)),
        "mdvolume": str(day.sold),
        "mdchecnt": str(day.sells),
        "msvolume": str(day.bought),
        "mschecnt": str(day.buys),
        "cpower": f"{day.strength_pct:.2f}",
        "w_avrg": str(int(trade.turnover / trade.cum_volume) if trade.cum_volume else 0),
        "offerho": str(int(trade.ask)),
        "bidho": str(int(trade.bid)),
        "status": "00",
        "jnilvolume": "0",
        "shcode": trade.symbol,
        "exchname": "KRX",
    }


def book_body(book: OrderBook, volume: int) -> Body:
    body: Body = {"hotime": clock6(book.at)}
    for i in range(10):
        for name, levels in (("offer", book.asks), ("bid", book.bids)):
            level = levels[i] if i < len(levels) else None
            body[f"{name}ho{i + 1}"] = str(int(level.price)) if level else "0"
            body[f"{name}rem{i + 1}"] = str(level.quantity) if level else "0"
    middle = int((book.asks[0].price + book.bids[0].price) / 2) if book.asks and book.bids else 0
    blank = ("alloc_gubun", "offermidsumrem", "bidmidsumrem", "midsumrem", "midsumremgubun")
    return body | {
        "totofferrem": str(sum(level.quantity for level in book.asks)),
        "totbidrem": str(sum(level.quantity for level in book.bids)),
        "donsigubun": "1",
        "shcode": book.symbol,
        "volume": str(volume),
        "midprice": str(middle),
        **dict.fromkeys(blank, ""),
    }


# KST time of a regular day -> jstatus of boards 1 (KOSPI) and 2 (KOSDAQ), ls.md §5.4.
_STATUS = (
    (time(8, 30), "11"),
    (time(8, 50), "25"),
    (time(8, 55), "24"),
    (time(8, 59), "23"),
    (time(8, 59, 50), "22"),
    (time(9, 0), "21"),
    (time(15, 20), "31"),
    (time(15, 25), "44"),
    (time(15, 29), "43"),
    (time(15, 29, 50), "42"),
    (time(15, 30), "41"),
    (time(15, 40), "51"),
    (time(16, 0), "52"),
    (time(18, 0), "54"),
)


def status_changes(before: datetime, now: datetime) -> list[Body]:
    """Return the JIF bodies of the changes in (before, now]; a jump over midnight tells only the last day's.

    A day on which KRX does not trade has none.
    """
    start, end = before.astimezone(KST), now.astimezone(KST)
    day = end.date()
    if not market_open(Market.KRX, datetime.combine(day, time(11), KST)):
        return []
    bodies: list[Body] = []
    for at, status in _STATUS:
        if start < datetime.combine(day, at, KST) <= end:
            bodies += [{"jangubun": board, "jstatus": status} for board in ("1", "2")]
    return bodies
