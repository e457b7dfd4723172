"""US quote TRs: g3101 price, g3104 instrument, g3106 price and book, g3102 trades, g3190 master (ls.md §4)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.listings import Listing
from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import Call, Reply, no_data
from brokers.paper.ls_wire.formats import KST, percent, sign_of
from brokers.paper.ls_wire.quotes import TRADES_KEPT, levels
from brokers.paper.ls_wire.us import ASKED, ISINS, NEW_YORK, asked_listing, echoed, exchange_of
from brokers.paper.tape import Trade
from shared.domain.account import Market
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.market import Timeframe
from shared.domain.order import Side

MOST_ROWS = 500
NASDAQ_ID = "0537"  # the only one that a public sample shows
NO_FIGURES = {"perv": Decimal(0), "epsv": Decimal(0)}  # 펀더멘털: the exchange has none
HEAD = ("delaygb", "keysymbol", "exchcd", "symbol")
VENUE_NAMES = {Venue.NYSE: "뉴욕", Venue.NASDAQ: "나스닥", Venue.AMEX: "아멕스"}
VENUES = {"1": {Venue.NYSE}, "2": {Venue.NASDAQ}, "3": {Venue.AMEX}}


def price_fields(trade: Trade) -> dict[str, Value]:
    """price, sign, diff, rate, volume, amount, open, high, low."""
    return {
        "price": trade.price,
        "sign": sign_of(trade.price, trade.prev_close, None),
        "diff": abs(trade.change),
        "rate": percent(trade.change, trade.prev_close),
        "volume": trade.cum_volume,
        "amount": trade.turnover,
        "open": trade.open,
        "high": trade.high,
        "low": trade.low,
        "floatpoint": "4",
    }


def year_range(call: Call, symbol: str, trade: Trade) -> dict[str, Value]:
    days = call.exchange.bars(symbol, Timeframe.D1, 250)
    return {
        "high52p": max([bar.high for bar in days] + [trade.high]),
        "low52p": min([bar.low for bar in days] + [trade.low]),
    }


def g3101(call: Call) -> Reply:
    listing = asked_listing(call)
    trade = call.exchange.quote(listing.symbol)
    out = block(
        "g3101OutBlock",
        exchange=NASDAQ_ID if listing.venue is Venue.NASDAQ else "",
        suspend="Y" if call.exchange.halted(listing.symbol) else "N",
        sellonly=2 if call.exchange.halted(listing.symbol) else 0,
        korname=listing.name_ko,
        currency="USD",
        **echoed(call, *HEAD),
        **NO_FIGURES,
        **price_fields(trade),
        **year_range(call, listing.symbol, trade),
    )
    return Reply({"g3101OutBlock": out}, text=ASKED)


def g3104(call: Call) -> Reply:
    listing = asked_listing(call)
    trade = call.exchange.quote(listing.symbol)
    kept = ("volume", "amount", "open", "high", "low", "floatpoint")
    out = block(
        "g3104OutBlock",
        exchange=NASDAQ_ID if listing.venue is Venue.NASDAQ else "",
        korname=listing.name_ko,
        engname=listing.name_en,
        exchange_name=VENUE_NAMES.get(listing.venue, ""),
        nation_name="미국",
        instname="ETF" if listing.type is InstrumentType.ETF else "보통주",
        currency="USD",
        suspend="Y" if call.exchange.halted(listing.symbol) else "N",
        sellonly="0",
        untprc=call.exchange.tick_size(listing.symbol, trade.price),
        bidlotsize="1",
        asklotsize="1",
        bidlotsize2="1",
        asklotsize2="1",
        pcls=trade.prev_close,
        clos=trade.prev_close,
        **echoed(call, *HEAD),
        **NO_FIGURES,
        **{name: value for name, value in price_fields(trade).items() if name in kept},
        **year_range(call, listing.symbol, trade),
    )
    return Reply({"g3104OutBlock": out}, text=ASKED)


def g3106(call: Call) -> Reply:
    listing = asked_listing(call)
    trade, book = call.exchange.quote(listing.symbol), call.exchange.book(listing.symbol)
    out = block(
        "g3106OutBlock",
        korname=listing.name_ko,
        jnilclose=trade.prev_close,
        hotime=f"{book.at.astimezone(KST):%H%M%S}",
        offer=sum(level.quantity for level in book.asks),
        bid=sum(level.quantity for level in book.bids),
        # How many orders stand behind a level is not known: one each.
        offercnt=str(len(book.asks)),
        bidcnt=str(len(book.bids)),
        **{f"offercnt{i}": "1" for i in range(1, len(book.asks) + 1)},
        **{f"bidcnt{i}": "1" for i in range(1, len(book.bids) + 1)},
        **echoed(call, *HEAD),
        **price_fields(trade),
        **levels(book.bids, book.asks),
    )
    return Reply({"g3106OutBlock": out}, text=ASKED)


def g3102(call: Call) -> Reply:
    """Newest first; `cts_seq` is the trade's moment in microseconds."""
    listing = asked_listing(call)
    wanted = min(max(call.asked.whole("readcnt"), 1), MOST_ROWS)
    cursor = call.asked.whole("cts_seq") or (int(call.cont_key) if call.cont and call.cont_key.isdigit() else 0)
    trades = list(reversed(call.exchange.trades(listing.symbol, TRADES_KEPT)))
    rows = [one for one in trades if not cursor or _sequence(one) <= cursor]
    older = _sequence(rows[wanted]) if len(rows) > wanted else 0
    page = [_trade_row(one) for one in rows[:wanted]]
    head = block(
        "g3102OutBlock",
        symbol=call.asked.text("keysymbol")[2:],
        cts_seq=older,
        rec_count=len(page),
        **echoed(call, "delaygb", "keysymbol", "exchcd"),
    )
    return Reply({"g3102OutBlock": head, "g3102OutBlock1": page}, text=ASKED, cont_key=str(older or ""))


def _sequence(trade: Trade) -> int:
    return int(trade.at.timestamp() * 1_000_000)


def _trade_row(trade: Trade) -> Block:
    here, there = trade.at.astimezone(KST), trade.at.astimezone(NEW_YORK)
    head = price_fields(trade)
    kept = ("price", "sign", "diff", "rate", "open", "high", "low", "floatpoint")
    return block(
        "g3102OutBlock1",
        locdate=f"{there:%Y%m%d}",
        loctime=f"{there:%H%M%S}",
        kordate=f"{here:%Y%m%d}",
        kortime=f"{here:%H%M%S}",
        exevol=trade.quantity,
        cgubun="+" if trade.side_hint is Side.BUY else "-",
        **{name: head[name] for name in kept},
    )


def g3190(call: Call) -> Reply:
    """`exgubun` 1 NYSE, 2 NASDAQ, 3 AMEX, anything else all; `cts_value` is the symbol where the next page begins.

    `readcnt` 0 asks for the whole list at once.
    """
    if call.asked.text("natcode") not in {"", "US"}:
        raise no_data()
    venues = VENUES.get(call.asked.text("exgubun"))
    found = [one for one in call.exchange.listings(Market.US) if venues is None or one.venue in venues]
    found.sort(key=lambda one: one.symbol)
    cursor = call.cursor("cts_value")
    rows = [one for one in found if cursor in {"", "0"} or one.symbol >= cursor]
    wanted = call.asked.whole("readcnt") or len(rows)
    older = rows[wanted].symbol if len(rows) > wanted else ""
    page = [_master_row(call, one) for one in rows[:wanted]]
    head = block("g3190OutBlock", cts_value=older, rec_count=len(page), **echoed(call, "delaygb", "natcode", "exgubun"))
    return Reply({"g3190OutBlock": head, "g3190OutBlock1": page}, text=ASKED, cont_key=older)


def _master_row(call: Call, listing: Listing) -> Block:
    exchcd, before = exchange_of(listing), call.exchange.quote(listing.symbol).prev_close
    return block(
        "g3190OutBlock1",
        keysymbol=exchcd + listing.symbol,
        natcode="US",
        exchcd=exchcd,
        symbol=listing.symbol,
        seccode=listing.symbol,
        korname=listing.name_ko,
        engname=listing.name_en,
        currency="USD",
        isin=ISINS.get(listing.symbol, ""),
        floatpoint="4",
        bidlotsize2="1",
        asklotsize2="1",
        clos=before,
        pcls=before,
        suspend="Y" if call.exchange.halted(listing.symbol) else "N",
        bymd=f"{call.exchange.trade_date(Market.US):%Y%m%d}",
        sellonly="0",
    )
