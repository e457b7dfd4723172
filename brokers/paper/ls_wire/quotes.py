"""Quote TRs: t1101 book, t1102 price, t8407 several prices, t1301 trades, t8436 master, t0167 time (ls.md §3.2, §3.4)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import (
    NO_DATA,
    Call,
    Reply,
    clock6,
    clock8,
    isin,
    listed,
    millions,
    percent,
    sign_of,
)
from brokers.paper.ls_wire.refusals import bad_field
from brokers.paper.tape import Trade
from shared.domain.account import Market
from shared.domain.instrument import InstrumentType
from shared.domain.market import BookLevel, Timeframe

TRADES_A_PAGE = 20
TRADES_KEPT = 1000
MOST_CODES = 50
ETF_MARK = {InstrumentType.STOCK: "0", InstrumentType.ETF: "1", InstrumentType.ETN: "2"}
GROUP = {InstrumentType.STOCK: "01", InstrumentType.ETF: "08", InstrumentType.ETN: "08"}


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
        hname=listing.name_ko,
        shcode=listing.symbol,
        jnilclose=trade.prev_close,
        offer=sum(level.quantity for level in book.asks),
        bid=sum(level.quantity for level in book.bids),
        hotime=clock8(book.at),
        yesign="3",
        ho_status="1",
        krx_midprice=(book.asks[0].price + book.bids[0].price) / 2 if book.asks and book.bids else 0,
        **price_fields(call, trade),
        **levels(book.bids, book.asks),
    )
    return Reply({"t1101OutBlock": out})


def t1102(call: Call) -> Reply:
    listing = listed(call, call.asked.text("shcode"))
    trade = call.exchange.quote(listing.symbol)
    days = call.exchange.bars(listing.symbol, Timeframe.D1, 250)
    before = [bar for bar in days if bar.closed]
    yesterday_volume = before[-1].volume if before else 0
    out = block(
        "t1102OutBlock",
        hname=listing.name_ko,
        shcode=listing.symbol,
        ex_shcode=listing.symbol,
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
        janginfo=listing.board,
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


def t1301(call: Call) -> Reply:
    """Newest first; `cts_time` is HHMMSS and the trade's number within that second."""
    listing = listed(call, call.asked.text("shcode"))
    start, end = call.asked.text("starttime") or "0000", call.asked.text("endtime") or "9999"
    at_least, cursor = call.asked.whole("cvolume"), call.cursor("cts_time")
    seen: Counter[str] = Counter()
    rows: list[tuple[str, Trade]] = []
    for trade in call.exchange.trades(listing.symbol, TRADES_KEPT):
        second = clock6(trade.at)
        seen[second] += 1
        if start <= second[:4] <= end and trade.quantity >= at_least:
            rows.append((f"{second}{seen[second]:04d}", trade))
    rows = [row for row in reversed(rows) if not cursor or row[0] <= cursor]
    page, rest = rows[:TRADES_A_PAGE], rows[TRADES_A_PAGE:]
    next_key = rest[0][0] if rest else ""
    out = [_trade_row(call, trade) for _, trade in page]
    return Reply({"t1301OutBlock": block("t1301OutBlock", cts_time=next_key), "t1301OutBlock1": out}, cont_key=next_key)


def _trade_row(call: Call, trade: Trade) -> Block:
    head = price_fields(call, trade)
    kept = {name: head[name] for name in ("price", "sign", "change", "diff", "volume")}
    return block("t1301OutBlock1", chetime=clock6(trade.at), cvolume=trade.quantity, **kept)


def t8436(call: Call) -> Reply:
    wanted = call.asked.text("gubun")
    if wanted not in {"0", "1", "2"}:
        raise NO_DATA
    rows = []
    for listing in call.exchange.listings(Market.KRX):
        board = "2" if listing.board == "KOSDAQ" else "1"
        if wanted not in {"0", board}:
            continue
        lower, upper = call.exchange.price_limits(listing.symbol) or (Decimal(0), Decimal(0))
        prev_close = call.exchange.quote(listing.symbol).prev_close
        rows.append(
            block(
                "t8436OutBlock",
                hname=listing.name_ko,
                shcode=listing.symbol,
                expcode=isin(listing.symbol),
                etfgubun=ETF_MARK[listing.type],
                uplmtprice=upper,
                dnlmtprice=lower,
                jnilclose=prev_close,
                recprice=prev_close,
                memedan="00001",
                gubun=board,
                bu12gubun=GROUP[listing.type],
                spac_gubun="N",
            )
        )
    return Reply({"t8436OutBlock": rows})


def t0167(call: Call) -> Reply:
    now = call.now()
    return Reply({"t0167OutBlock": block("t0167OutBlock", dt=f"{now:%Y%m%d}", time=f"{now:%H%M%S%f}")}, text="조회완료")
