"""Market pushes of US shares: GSC trades, GSH books (ls.md §5.6). All values are text."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from brokers.paper.ls_wire.formats import KST, percent, sign_of
from brokers.paper.ls_wire.us import NEW_YORK
from brokers.paper.tape import Trade
from shared.domain.market import BookLevel, OrderBook
from shared.domain.order import Side

Body = dict[str, str]


def us_trade_body(trade: Trade, year: tuple[Decimal, Decimal]) -> Body:
    """GSC. `year` is (low, high) of 52 weeks."""
    here, there = trade.at.astimezone(KST), trade.at.astimezone(NEW_YORK)
    return {
        "symbol": trade.symbol,
        "ovsdate": f"{there:%Y%m%d}",
        "kordate": f"{here:%Y%m%d}",
        "trdtm": f"{there:%H%M%S}",
        "kortm": f"{here:%H%M%S}",
        "sign": sign_of(trade.price, trade.prev_close, None),
        "price": _money(trade.price),
        "diff": _money(abs(trade.change)),
        "rate": f"{percent(trade.change, trade.prev_close):.2f}",
        "open": _money(trade.open),
        "high": _money(trade.high),
        "low": _money(trade.low),
        "trdq": str(trade.quantity),
        "totq": str(trade.cum_volume),
        "cgubun": "+" if trade.side_hint is Side.BUY else "-",
        "lSeq": "0",
        "amount": str(int(trade.turnover)),
        "high52p": _money(max(year[1], trade.high)),
        "low52p": _money(min(year[0], trade.low)),
    }


def us_book_body(book: OrderBook) -> Body:
    """GSH. How many orders stand behind a level is not known: one each."""
    body: Body = {
        "symbol": book.symbol,
        "loctime": f"{book.at.astimezone(NEW_YORK):%H%M%S}",
        "kortime": f"{book.at.astimezone(KST):%H%M%S}",
    }
    for name, levels in (("offer", book.asks), ("bid", book.bids)):
        for i in range(10):
            level = levels[i] if i < len(levels) else None
            body[f"{name}ho{i + 1}"] = _money(level.price if level else Decimal(0))
            body[f"{name}rem{i + 1}"] = str(level.quantity if level else 0)
            body[f"{name}no{i + 1}"] = "1" if level else "0"
        body[f"tot{name}cnt"] = str(len(levels))
        body[f"tot{name}rem"] = str(_total(levels))
    return body


def _total(levels: Iterable[BookLevel]) -> int:
    return sum(level.quantity for level in levels)


def _money(amount: Decimal) -> str:
    return f"{amount:.4f}"
