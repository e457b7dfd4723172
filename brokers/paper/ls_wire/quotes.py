"""Quote TRs: t1101 and t8450 book, t1102 price, t8407 several prices (ls.md §3.2).

The engine has one book per share, which is shown under each venue that a client names.
"""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.listings import Listing
from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import Call, Reply, listed
from brokers.paper.ls_wire.formats import clock8, exchange_code, millions, percent, sign_of
from brokers.paper.ls_wire.refusals import bad_field
from brokers.paper.tape import Trade
from shared.domain.market import BookLevel, OrderBook, Timeframe

MOST_CODES = 50
TRADES_KEPT = 1000


def price_fields(call: Call, trade: Trade) -> dict[str, Value]:
    """price, sign, change, diff, volume, open, high, low and the day's limits: the head of every quote."""
    limits = call.exchange.price_limits(trade.symbol)
    lower, upper = limits or (Decimal(0), Decimal(0))
    return {
        "price": trade.price,
        "sign": sign_of(trade.price, trade.prev_close, limits),
        "change": abs(trade.change),
        "diff": percent(trade.change, trade.prev_close),
        "volume": trade.cum_volume,
        "open": trade.open,
        "high": trade.high,
        "low": trade.low,
        "uplmtprice": upper,
        "dnlmtprice": lower,
    }


def levels(bids: tuple[BookLevel, ...], asks: tuple[BookLevel, ...]) -> dict[str, Value]:
    """offerho1..10, offerrem1..10, bidho1..10, bidrem1..10."""
    fields: dict[str, Value] = {}
    for price, size, side in (("offerho", "offerrem", asks), ("bidho", "bidrem", bids)):
        for i, level in enumerate(side[:10], 1):
            fields[f"{price}{i}"], fields[f"{size}{i}"] = level.price, level.quantity
    return fields


def t1101(call: Call) -> Reply:
    listing = listed(call, call.asked.text("shcode"))
    trade, book = call.exchange.quote(listing.symbol), call.exchange.book(listing.symbol)
    out = block(
        "t1101OutBlock",
        krx_midprice=middle(book),
        **_book_head(listing, trade, book),
        **_expected(call, trade),
        **price_fields(call, trade),
        **levels(book.bids, book.asks),
    )
    return Reply({"t1101OutBlock": out})


def _expected(call: Call, trade: Trade) -> dict[str, Value]:
    """예상체결: what a running call auction would trade; flat zeros outside of one."""
    expected = call.exchange.expected(trade.symbol)
    if expected is None:
        return {"yesign": "3", "ho_status": "1"}
    price, quantity = expected
    change = price - trade.prev_close
    return {
        "yeprice": price,
        "yevolume": quantity,
        "yesign": sign_of(price, trade.prev_close, None),
        "yechange": abs(change),
        "yediff": percent(change, trade.prev_close),
        "ho_status": "2",
    }


def _book_head(listing: Listing, trade: Trade, book: OrderBook) -> dict[str, Value]:
    return {
        "hname": listing.name_ko,
        "shcode": listing.symbol,
        "jnilclose": trade.prev_close,
        "offer": sum(level.quantity for level in book.asks),
        "bid": sum(level.quantity for level in book.bids),
        "hotime": clock8(book.at),
    }


def middle(book: OrderBook) -> Decimal:
    """중간가: between the best prices; zero when a side is empty."""
    return (book.asks[0].price + book.bids[0].price) / 2 if book.asks and book.bids else Decimal(0)


def t8450(call: Call) -> Reply:
    """Under N the plain and KRX quantities are zero (ls.md §3.2); under K the NXT ones; U adds both up."""
    listing, venue = listed(call, call.asked.text("shcode")), call.asked.text("exchgubun")
    trade, book = call.exchange.quote(listing.symbol), call.exchange.book(listing.symbol)
    fields = (
        _book_head(listing, trade, book)
        | _expected(call, trade)
        | price_fields(call, trade)
        | levels(book.bids, book.asks)
    )
    sizes = {name: value for name, value in fields.items() if name.startswith(("offerrem", "bidrem")) or name in _SUMS}
    if venue == "N":
        fields |= dict.fromkeys(sizes, 0) | {f"nxt_{name}": value for name, value in sizes.items()}
        fields |= {"nxt_midprice": middle(book), "nxt_ho_status": "1", "nxt_yesign": "3"}
    else:
        fields |= {"krx_midprice": middle(book)}
    if venue == "U":
        fields |= {f"unx_{name}": value for name, value in sizes.items()}
    ex_shcode = exchange_code(listing.symbol, venue)
    return Reply({"t8450OutBlock": block("t8450OutBlock", ex_shcode=ex_shcode, **fields)})


_SUMS = {"offer", "bid"}


def t1102(call: Call) -> Reply:
    listing = listed(call, call.asked.text("shcode"))
    trade = call.exchange.quote(listing.symbol)
    tally = call.memory.tallies.of(listing.symbol)
    days = call.exchange.bars(listing.symbol, Timeframe.D1, 250)
    before = [bar for bar in days if bar.closed]
    yesterday_volume = before[-1].volume if before else 0
    out = block(
        "t1102OutBlock",
        hname=listing.name_ko,
        shcode=listing.symbol,
        ex_shcode=exchange_code(listing.symbol, call.asked.text("exchgubun")),
        recprice=trade.prev_close,
        avg=int(trade.turnover / trade.cum_volume) if trade.cum_volume else 0,
        jnilvolume=yesterday_volume,
        volumediff=trade.cum_volume - yesterday_volume,
        value=millions(trade.turnover),
        high52w=max([bar.high for bar in days] + [trade.high]),
        low52w=min([bar.low for bar in days] + [trade.low]),
        memedan="00001",
        jkrate=100,
        tonghwa="KRW",
        spac_gubun="N",
        abnormal_rise_gu="0",
        low_lqdt_gu="0",
        opentime=tally.open_time if tally else "",
        hightime=tally.high_time if tally else "",
        lowtime=tally.low_time if tally else "",
        janginfo=listing.board,
        # The close of the regular session: none while it lasts.
        krx_mcls_price=0 if call.exchange.session_open(listing.symbol) else trade.price,
        **price_fields(call, trade),
    )
    return Reply({"t1102OutBlock": out})


def t8407(call: Call) -> Reply:
    text, count = call.asked.text("shcode"), call.asked.whole("nrec")
    codes = [text[i : i + 6] for i in range(0, len(text), 6)]
    if not codes or count != len(codes) or count > MOST_CODES or len(text) % 6:
        raise bad_field("nrec")
    return Reply({"t8407OutBlock1": [_quote_row(call, code) for code in codes]})


def _quote_row(call: Call, code: str) -> Block:
    listing = listed(call, code)
    trade, book = call.exchange.quote(code), call.exchange.book(code)
    return block(
        "t8407OutBlock1",
        shcode=code,
        hname=listing.name_ko,
        offerho=trade.ask,
        bidho=trade.bid,
        offerrem=trade.ask_quantity,
        bidrem=trade.bid_quantity,
        cvolume=trade.quantity,
        value=millions(trade.turnover),
        totofferrem=sum(level.quantity for level in book.asks),
        totbidrem=sum(level.quantity for level in book.bids),
        jnilclose=trade.prev_close,
        **price_fields(call, trade),
    )
