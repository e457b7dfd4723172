"""Real-time frames: `0|TR|001|a^b^c` (kis.md §5.2, §5.4 to §5.8). Pure; positions are the broker's field order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from brokers.paper.kis_wire.fields import KST, NEW_YORK, fixed, hms, percent, sign, us_rate, ymd
from brokers.paper.tape import Trade
from shared.domain.market import OrderBook
from shared.domain.order import Side

LEVELS = 10
AFTER_HOURS_FIELDS = 43  # H0STOUP0: the first of H0STCNT0's


def frame(tr_id: str, values: list[str]) -> str:
    return f"0|{tr_id}|001|{'^'.join(values)}"


def _level(book: OrderBook, side: Side, n: int) -> tuple[Decimal, int]:
    levels = book.bids if side is Side.BUY else book.asks
    return (levels[n].price, levels[n].quantity) if n < len(levels) else (Decimal(0), 0)


def us_trade(rsym: str, trade: Trade, mtyp: str = "1") -> list[str]:
    """HDFSCNT0: 26 fields. Who took how much of the day is not kept, so the halves of the volume stand for it.

    `mtyp`: 1 regular, 2 pre-market, 3 after-market.
    """
    half = trade.cum_volume // 2
    return [
        rsym,
        trade.symbol,
        "4",  # ZDIV: decimals
        ymd(trade.at, NEW_YORK),  # TYMD
        ymd(trade.at, NEW_YORK),  # XYMD
        hms(trade.at, NEW_YORK),  # XHMS
        ymd(trade.at, KST),  # KYMD
        hms(trade.at, KST),  # KHMS
        fixed(trade.open, 4),
        fixed(trade.high, 4),
        fixed(trade.low, 4),
        fixed(trade.price, 4),  # LAST
        sign(trade.change),
        fixed(abs(trade.change), 4),  # DIFF is unsigned
        us_rate(trade.change, trade.prev_close).replace("+", "").strip(),  # RATE
        fixed(trade.bid, 4),
        fixed(trade.ask, 4),
        str(trade.bid_quantity),
        str(trade.ask_quantity),
        str(trade.quantity),  # EVOL
        str(trade.cum_volume),  # TVOL
        fixed(trade.turnover),  # TAMT
        str(half),  # BIVL: seller-initiated
        str(trade.cum_volume - half),  # ASVL: buyer-initiated
        "100.00",  # STRN
        mtyp,
    ]


def us_book(rsym: str, book: OrderBook, levels: int = LEVELS) -> list[str]:
    """HDFSASP0: 71 fields, eleven head fields and ten levels of six. With one level it is HDFSASP1's 17 (kis.md §5.5)."""
    values = [
        rsym,
        book.symbol,
        "4",
        ymd(book.at, NEW_YORK),
        hms(book.at, NEW_YORK),
        ymd(book.at, KST),
        hms(book.at, KST),
        str(sum(level.quantity for level in book.bids)),  # BVOL
        str(sum(level.quantity for level in book.asks)),  # AVOL
        "0",  # BDVL
        "0",  # ADVL
    ]
    for n in range(levels):
        (bid, bids), (ask, asks) = _level(book, Side.BUY, n), _level(book, Side.SELL, n)
        values += [fixed(bid, 4), fixed(ask, 4), str(bids), str(asks), "0", "0"]
    return values


def krx_trade(trade: Trade) -> list[str]:
    """H0STCNT0: 46 fields. `PRDY_VRSS` is signed here, unlike DIFF of the US frame."""
    change, half = trade.change, trade.cum_volume // 2
    average = trade.turnover / trade.cum_volume if trade.cum_volume else trade.price
    at = hms(trade.at, KST)

    def against(level: Decimal) -> list[str]:
        """When the day's open, high or low was, and how far the price stands from it."""
        return [at, sign(trade.price - level), fixed(trade.price - level)]

    return [
        trade.symbol,
        at,
        fixed(trade.price),
        sign(change),
        fixed(change),
        fixed(percent(change, trade.prev_close), 2),
        fixed(average, 2),  # WGHN_AVRG_STCK_PRC
        fixed(trade.open),
        fixed(trade.high),
        fixed(trade.low),
        fixed(trade.ask),
        fixed(trade.bid),
        str(trade.quantity),  # CNTG_VOL
        str(trade.cum_volume),
        fixed(trade.turnover),
        "0",  # SELN_CNTG_CSNU
        "0",  # SHNU_CNTG_CSNU
        "0",  # NTBY_CNTG_CSNU
        "100.00",  # CTTR
        str(half),  # SELN_CNTG_SMTN
        str(trade.cum_volume - half),  # SHNU_CNTG_SMTN
        "1" if trade.side_hint is Side.BUY else "5",  # CCLD_DVSN
        "0.50",  # SHNU_RATE
        "0.00",  # PRDY_VOL_VRSS_ACML_VOL_RATE
        *against(trade.open),
        *against(trade.high),
        *against(trade.low),
        ymd(trade.at, KST),  # BSOP_DATE
        "20",  # NEW_MKOP_CLS_CODE: in session
        "N",  # TRHT_YN
        str(trade.ask_quantity),
        str(trade.bid_quantity),
        str(trade.ask_quantity),  # TOTAL_ASKP_RSQN
        str(trade.bid_quantity),  # TOTAL_BIDP_RSQN
        "0.00",  # VOL_TNRT
        "0",  # PRDY_SMNS_HOUR_ACML_VOL
        "0.00",  # PRDY_SMNS_HOUR_ACML_VOL_RATE
        "0",  # HOUR_CLS_CODE
        "",  # MRKT_TRTM_CLS_CODE
        fixed(trade.open),  # VI_STND_PRC
    ]


Expected = tuple[Decimal, int]  # price and quantity of the running auction


def krx_expected(trade: Trade, price: Decimal, quantity: int) -> list[str]:
    """H0STANC0, H0UNANC0, H0NXANC0: the first 45 fields of a trade, with the expected price and quantity as its own."""
    values = krx_trade(trade)[:45]
    change = price - trade.prev_close
    values[2:6] = [fixed(price), sign(change), fixed(change), fixed(percent(change, trade.prev_close), 2)]
    values[12] = str(quantity)
    return values


def middle_price(book: OrderBook) -> list[str]:
    """Middle price, its quantity and class."""
    (bid, _), (ask, _) = _level(book, Side.BUY, 0), _level(book, Side.SELL, 0)
    return [fixed((bid + ask) / 2), "0", "0"]


# What each board's book has after the fields that all share: H0NXASP0 and H0UNASP0 the middle prices of KRX and of NXT.
DOCUMENTED: dict[str, Callable[[OrderBook], list[str]]] = {
    "ST": lambda book: [],
    "NX": lambda book: middle_price(book) * 2,
    "UN": lambda book: middle_price(book) * 2,
}
MARKET = ["2"]  # MARKET_CLS_CODE: the regular session (1 before, 3 after, 5 at the close)
EXTENSIONS: dict[str, Callable[[OrderBook], list[str]]] = {
    "ST": lambda book: middle_price(book) + MARKET,
    "NX": middle_price,
    "UN": lambda book: [*middle_price(book) * 2, "1"],  # ANTC_EXCH_CLS_CODE: whose auction, 1 KRX
}


def krx_book(book: OrderBook, trade: Trade, expected: Expected | None = None) -> list[str]:
    """H0STASP0: 59 fields. `trade` is the last one; `expected` is there only while an auction runs."""
    price, quantity = expected or (Decimal(0), 0)
    change = price - trade.prev_close if expected else Decimal(0)
    asks = [_level(book, Side.SELL, n) for n in range(LEVELS)]
    bids = [_level(book, Side.BUY, n) for n in range(LEVELS)]
    return [
        book.symbol,
        hms(book.at, KST),
        "0",  # HOUR_CLS_CODE
        *(fixed(price) for price, _ in asks),
        *(fixed(price) for price, _ in bids),
        *(str(quantity) for _, quantity in asks),
        *(str(quantity) for _, quantity in bids),
        str(sum(quantity for _, quantity in asks)),
        str(sum(quantity for _, quantity in bids)),
        "0",  # OVTM_TOTAL_ASKP_RSQN
        "0",  # OVTM_TOTAL_BIDP_RSQN
        fixed(price),  # ANTC_CNPR
        str(quantity),  # ANTC_CNQN
        str(quantity),  # ANTC_VOL
        fixed(change),  # ANTC_CNTG_VRSS
        sign(change),  # ANTC_CNTG_VRSS_SIGN
        fixed(percent(change, trade.prev_close), 2),  # ANTC_CNTG_PRDY_CTRT
        str(trade.cum_volume),
        "0",  # TOTAL_ASKP_RSQN_ICDC
        "0",  # TOTAL_BIDP_RSQN_ICDC
        "0",  # OVTM_TOTAL_ASKP_ICDC
        "0",  # OVTM_TOTAL_BIDP_ICDC
        "0",  # STCK_DEAL_CLS_CODE
    ]
