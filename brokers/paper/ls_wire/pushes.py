"""Market pushes of Korean shares: trades, books, expected prices, VI (ls.md §5). All values are text."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from brokers.paper.ls_wire.formats import clock6, millions, percent, sign_of
from brokers.paper.ls_wire.tally import DayTally
from brokers.paper.tape import Trade
from shared.domain.market import OrderBook
from shared.domain.order import Side

Body = dict[str, str]


def trade_body(trade: Trade, day: DayTally, limits: tuple[Decimal, Decimal] | None) -> Body:
    """S3_ and K3_."""
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


def venue_trade_body(krx: Body, key: str) -> Body:
    """US3 and NS3: the same trade under a unified or NXT key. Only NXT's own stream calls it an NXT trade."""
    return krx | {"exchname": "NXT" if key.startswith("N") else "KRX", "ex_shcode": key.strip()}


def book_body(book: OrderBook, volume: int) -> Body:
    """H1_ and HA_."""
    blank = ("alloc_gubun", "offermidsumrem", "bidmidsumrem", "midsumrem", "midsumremgubun")
    return {
        **_head(book, volume),
        **_sizes(book, ""),
        "donsigubun": "1",
        "midprice": _middle(book),
        **dict.fromkeys(blank, ""),
    }


def nxt_book_body(krx: Body, key: str) -> Body:
    """NH1."""
    return krx | {"ex_shcode": key.strip()}


def unified_book_body(book: OrderBook, volume: int, key: str) -> Body:
    """UH1: one ladder with sizes by venue. The engine's one book stands under KRX."""
    blank = ("alloc_gubun", "krx_midsumremgubun", "nxt_midsumremgubun")
    zeros = ("offermidsumrem", "bidmidsumrem", "midsumrem")
    krx, nothing = _sizes(book, "krx_"), dict.fromkeys(_sizes(book, "nxt_"), "0")
    return {
        **_head(book, volume),
        **krx,
        **nothing,
        **_sizes(book, "unt_"),
        "krx_donsigubun": "1",
        "nxt_donsigubun": "1",
        "krx_midprice": _middle(book),
        "nxt_midprice": "0",
        **{f"{venue}_{name}": "0" for venue in ("krx", "nxt") for name in zeros},
        **dict.fromkeys(blank, ""),
        "ex_shcode": key.strip(),
    }


def _head(book: OrderBook, volume: int) -> Body:
    body: Body = {"hotime": clock6(book.at), "shcode": book.symbol, "volume": str(volume)}
    for name, levels in (("offerho", book.asks), ("bidho", book.bids)):
        for i in range(10):
            body[f"{name}{i + 1}"] = str(int(levels[i].price)) if i < len(levels) else "0"
    return body


def _sizes(book: OrderBook, prefix: str) -> Body:
    body: Body = {}
    for name, levels in (("offerrem", book.asks), ("bidrem", book.bids)):
        for i in range(10):
            body[f"{prefix}{name}{i + 1}"] = str(levels[i].quantity) if i < len(levels) else "0"
        body[f"{prefix}tot{name}"] = str(sum(level.quantity for level in levels))
    return body


def _middle(book: OrderBook) -> str:
    return str(int((book.asks[0].price + book.bids[0].price) / 2)) if book.asks and book.bids else "0"


def expected_body(book: OrderBook, price: Decimal, quantity: int, prev_close: Decimal) -> Body:
    """YS3 and YK3: what a running call auction would trade (UYS and NYS add `ex_shcode`)."""
    ask, bid = (levels[0] if levels else None for levels in (book.asks, book.bids))
    return {
        "hotime": clock6(book.at),
        "yeprice": str(int(price)),
        "yevolume": str(quantity),
        "jnilysign": sign_of(price, prev_close, None),
        "jnilchange": str(int(abs(price - prev_close))),
        "jnilydrate": f"{percent(price - prev_close, prev_close):.2f}",
        "yofferho0": str(int(ask.price)) if ask else "0",
        "ybidho0": str(int(bid.price)) if bid else "0",
        "yofferrem0": str(ask.quantity) if ask else "0",
        "ybidrem0": str(bid.quantity) if bid else "0",
        "shcode": book.symbol,
        "exchname": "KRX",
    }


def vi_body(trade: Trade, kind: str, at: datetime) -> Body:
    """VI_. `kind` 0 released, 1 static, 2 dynamic."""
    return {
        "vi_gubun": kind,
        "svi_recprice": str(int(trade.open)),
        "dvi_recprice": str(int(trade.price)),
        "vi_trgprice": str(int(trade.price)),
        "shcode": trade.symbol,
        "ref_shcode": trade.symbol,
        "time": clock6(at),
        "exchname": "KRX",
    }
