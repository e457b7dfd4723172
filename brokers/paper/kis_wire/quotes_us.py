"""US quotes: price, detail, order book, search, product info (kis.md §3.12)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, informed, not_found, quoted
from brokers.paper.kis_wire.calls import Call, Handler, Tr
from brokers.paper.kis_wire.fields import (
    NEW_YORK,
    USD_KRW,
    fixed,
    hms,
    parse_decimal,
    sign,
    us_rate,
    ymd,
)
from brokers.paper.kis_wire.symbols import BY_PRODUCT, BY_QUOTE, US_EXCHANGES, is_fund, us_listing
from brokers.paper.listings import Listing
from brokers.paper.tape import Trade
from shared.domain.account import Market
from shared.domain.market import Bar, Timeframe

BASE = "/uapi/overseas-price/v1/quotations/"
SEARCH_ROWS, BOOK_LEVELS = 100, 10
DECIMALS = 4
YEAR_DAYS = 252


def asked_listing(call: Call) -> Listing | None:
    return us_listing(call.exchange, call.need("SYMB"), BY_QUOTE.get(call.need("EXCD")))


def realtime_symbol(excd: str, symbol: str) -> str:
    """The symbol as the streams key it: D for the sessions of the home exchange, R for the day market (kis.md §3.1)."""
    return f"{'R' if excd.startswith('B') else 'D'}{excd}{symbol}"


def money(value: Decimal) -> str:
    return fixed(value, DECIMALS)


def previous_volume(call: Call, symbol: str) -> int:
    days = call.exchange.bars(symbol, Timeframe.D1, 2, until=call.exchange.clock.market_now())
    return days[0].volume if len(days) == 2 else 0


def price(call: Call) -> Answer:
    """The last price. An unknown symbol or a wrong exchange is rt_cd 0 with blanks: clients probe so (kis.md §3.12)."""
    listing, rsym = asked_listing(call), realtime_symbol(call.get("EXCD"), call.get("SYMB"))
    if listing is None:
        names = ("zdiv", "base", "pvol", "last", "sign", "diff", "rate", "tvol", "tamt", "ordy")
        return quoted({"output": {"rsym": rsym, **dict.fromkeys(names, "")}})
    trade = call.exchange.quote(listing.symbol)
    output = {
        "rsym": rsym,
        "zdiv": str(DECIMALS),
        "base": money(trade.prev_close),
        "pvol": str(previous_volume(call, listing.symbol)),
        "last": money(trade.price),
        **change(trade.change, trade.prev_close),
        "tvol": str(trade.cum_volume),
        "tamt": fixed(trade.turnover),
        "ordy": "매매불가" if call.exchange.halted(listing.symbol) else "매수가능",
    }
    return quoted({"output": output})


def change(change: Decimal, base: Decimal) -> Json:
    """Overseas `diff` is unsigned: only `sign` tells the direction (kis.md §1.5)."""
    return {"sign": sign(change), "diff": money(abs(change)), "rate": us_rate(change, base)}


DETAIL_FIELDS = [
    "rsym",
    "pvol",
    "open",
    "high",
    "low",
    "last",
    "base",
    "tomv",
    "pamt",
    "uplp",
    "dnlp",
    "h52p",
    "h52d",
    "l52p",
    "l52d",
    "perx",
    "pbrx",
    "epsx",
    "bpsx",
    "shar",
    "mcap",
    "curr",
    "zdiv",
    "vnit",
    "t_xprc",
    "t_xdif",
    "t_xrat",
    "p_xprc",
    "p_xdif",
    "p_xrat",
    "t_rate",
    "p_rate",
    "t_xsgn",
    "p_xsng",
    "e_ordyn",
    "e_hogau",
    "e_icod",
    "e_parp",
    "tvol",
    "tamt",
    "etyp_nm",
]


def year_of(call: Call, trade: Trade) -> list[Bar]:
    """The days of the last year; before the first trade of a tape, the day of now alone."""
    days = call.exchange.bars(trade.symbol, Timeframe.D1, YEAR_DAYS, until=call.exchange.clock.market_now())
    return days or [Bar(trade.symbol, Timeframe.D1, trade.at, trade.open, trade.high, trade.low, trade.price, 0, False)]


def detail(call: Call) -> Answer:
    listing, rsym = asked_listing(call), realtime_symbol(call.get("EXCD"), call.get("SYMB"))
    if listing is None:
        return quoted({"output": {**dict.fromkeys(DETAIL_FIELDS, ""), "rsym": rsym}})
    trade = call.exchange.quote(listing.symbol)
    days = year_of(call, trade)
    top, bottom = max(days, key=lambda bar: bar.high), min(days, key=lambda bar: bar.low)
    before = days[-2] if len(days) > 1 else days[-1]
    output = {
        **dict.fromkeys(DETAIL_FIELDS, "0"),  # figures of the company itself are not known here
        "rsym": rsym,
        "pvol": str(before.volume),
        "pamt": fixed(before.close * before.volume),
        "open": money(trade.open),
        "high": money(trade.high),
        "low": money(trade.low),
        "last": money(trade.price),
        "base": money(trade.prev_close),
        "uplp": money(Decimal(0)),
        "dnlp": money(Decimal(0)),
        "h52p": money(top.high),
        "h52d": ymd(top.start, NEW_YORK),
        "l52p": money(bottom.low),
        "l52d": ymd(bottom.start, NEW_YORK),
        "curr": "USD",
        "zdiv": str(DECIMALS),
        "vnit": "1",
        "t_xprc": fixed(trade.price * USD_KRW),
        "t_xdif": fixed(abs(trade.change) * USD_KRW),
        "t_xrat": us_rate(trade.change, trade.prev_close),
        "t_xsgn": sign(trade.change),
        "p_xprc": fixed(trade.prev_close * USD_KRW),
        "p_xrat": us_rate(Decimal(0), trade.prev_close),
        "p_xsng": sign(Decimal(0)),
        "t_rate": fixed(USD_KRW, 2),
        "p_rate": fixed(USD_KRW, 2),
        "e_ordyn": "매매 불가"
        if call.exchange.halted(listing.symbol)
        else "매매 가능",  # any other text counts as halted with python-kis (kis.md §3.12)
        "e_hogau": money(call.exchange.tick_size(listing.symbol, trade.price)),
        "e_icod": "",
        "e_parp": money(Decimal(0)),
        "tvol": str(trade.cum_volume),
        "tamt": fixed(trade.turnover),
        "etyp_nm": "ETF" if is_fund(listing) else "",
    }
    return quoted({"output": output})


BOOK_HEAD = [
    "rsym",
    "zdiv",
    "curr",
    "base",
    "open",
    "high",
    "low",
    "last",
    "dymd",
    "dhms",
    "bvol",
    "avol",
    "bdvl",
    "advl",
    "code",
    "ropen",
    "rhigh",
    "rlow",
    "rclose",
]


def asking_price(call: Call) -> Answer:
    listing, rsym = asked_listing(call), realtime_symbol(call.get("EXCD"), call.get("SYMB"))
    levels = [
        f"{name}{n}" for n in range(1, BOOK_LEVELS + 1) for name in ("pbid", "pask", "vbid", "vask", "dbid", "dask")
    ]
    empty = dict.fromkeys(("vstm", "vetm", "csbp", "cshi", "cslo", "iep", "iev"), "")
    if listing is None:
        head = {**dict.fromkeys(BOOK_HEAD, ""), "rsym": rsym}
        return quoted({"output1": head, "output2": dict.fromkeys(levels, ""), "output3": empty})
    trade, book = call.exchange.quote(listing.symbol), call.exchange.book(listing.symbol)
    rows = dict.fromkeys(levels, "0")
    for side, mark in ((book.bids, "bid"), (book.asks, "ask")):
        for n, level in enumerate(side[:BOOK_LEVELS], 1):
            rows |= {f"p{mark}{n}": money(level.price), f"v{mark}{n}": str(level.quantity)}
    base = trade.prev_close
    head = {
        "rsym": rsym,
        "zdiv": str(DECIMALS),
        "curr": "USD",
        "base": money(base),
        "open": money(trade.open),
        "high": money(trade.high),
        "low": money(trade.low),
        "last": money(trade.price),
        "dymd": ymd(book.at, NEW_YORK),
        "dhms": hms(book.at, NEW_YORK),
        "bvol": str(sum(level.quantity for level in book.bids)),
        "avol": str(sum(level.quantity for level in book.asks)),
        "bdvl": "0",
        "advl": "0",
        "code": listing.symbol,
        "ropen": us_rate(trade.open - base, base),
        "rhigh": us_rate(trade.high - base, base),
        "rlow": us_rate(trade.low - base, base),
        "rclose": us_rate(trade.change, base),
    }
    return quoted({"output1": head, "output2": rows, "output3": empty})


def search(call: Call) -> Answer:
    """Symbols of one exchange by price, change, volume and turnover; conditions on companies' figures are not known."""
    home = BY_QUOTE.get(call.need("EXCD"))
    rows = []
    for listing in call.exchange.listings(Market.US):
        if home is None or listing.venue is not home.venue:
            continue
        trade = call.exchange.quote(listing.symbol)
        if _searched(call, trade):
            rows.append((listing, trade))
    output = [_search_row(listing, trade, rank) for rank, (listing, trade) in enumerate(rows[:SEARCH_ROWS], 1)]
    count = str(len(output))
    return quoted(
        {"output1": {"zdiv": "4", "stat": "", "crec": count, "trec": count, "nrec": count}, "output2": output}
    )


def _searched(call: Call, trade: Trade) -> bool:
    rate = trade.change / trade.prev_close * 100 if trade.prev_close else Decimal(0)
    values = {"PRICECUR": trade.price, "RATE": rate, "VOLUME": Decimal(trade.cum_volume), "AMT": trade.turnover / 1000}
    for name, value in values.items():
        if call.get(f"CO_YN_{name}") == "1":
            low, high = parse_decimal(call.get(f"CO_ST_{name}")), parse_decimal(call.get(f"CO_EN_{name}"))
            if (low is not None and value < low) or (high is not None and value > high):
                return False
    return True


def _search_row(listing: Listing, trade: Trade, rank: int) -> Json:
    home = US_EXCHANGES[listing.venue]
    return {
        "rsym": realtime_symbol(home.quote, listing.symbol),
        "excd": home.quote,
        "symb": listing.symbol,
        "name": listing.name_ko,
        "last": money(trade.price),
        **change(trade.change, trade.prev_close),
        "tvol": str(trade.cum_volume),
        "popen": money(trade.open),
        "phigh": money(trade.high),
        "plow": money(trade.low),
        "valx": "0",
        "shar": "0",
        "avol": fixed(trade.turnover / 1000),
        "eps": "0.00",
        "per": "0.00",
        "rank": str(rank),
        "ename": listing.name_en,
        "e_ordyn": "○",
    }


def product(call: Call) -> Answer:
    """Master data of one US symbol; unknown, or asked under another exchange's type, is rt_cd 7 (kis.md §3.12)."""
    home, symbol = BY_PRODUCT.get(call.need("PRDT_TYPE_CD")), call.need("PDNO")
    listing = us_listing(call.exchange, symbol, home)
    if listing is None or home is None:
        raise not_found()
    trade = call.exchange.quote(listing.symbol)
    blank = [
        "lstg_dt",
        "ovrs_stck_prdt_grp_no",
        "tax_levy_yn",
        "ovrs_stck_erlm_rosn_cd",
        "ovrs_stck_hist_rght_dvsn_cd",
        "chng_bf_pdno",
        "prdt_type_cd_2",
        "ovrs_item_name",
        "sedol_no",
        "ovrs_stck_etf_risk_drtp_cd",
        "istt_usge_isin_cd",
        "lei_cd",
        "ovrs_stck_stop_rson_cd",
        "lstg_abol_dt",
    ]
    output = {
        **dict.fromkeys(blank, ""),
        "std_pdno": listing.symbol,
        "prdt_eng_name": listing.name_en,
        "natn_cd": "840",
        "natn_name": "미국",
        "tr_mket_cd": home.market_code,
        "tr_mket_name": home.name,
        "ovrs_excg_cd": home.trading,
        "ovrs_excg_name": home.name,
        "tr_crcy_cd": "USD",
        "ovrs_papr": "0.00000",
        "crcy_name": "미국 달러",
        "ovrs_stck_dvsn_cd": "03" if is_fund(listing) else "01",
        "prdt_clsf_cd": "101210",
        "prdt_clsf_name": "해외주식",
        "sll_unit_qty": "1",
        "buy_unit_qty": "1",
        "tr_unit_amt": "0",
        "lstg_stck_num": "0",
        "ovrs_stck_tr_stop_dvsn_cd": "02" if call.exchange.halted(listing.symbol) else "01",
        "lstg_abol_item_yn": "N",
        "lstg_yn": "Y",
        "blbg_tckr_text": f"{listing.symbol} US Equity",
        "etp_chas_erng_rt_dbnb": "0.000000",
        "mint_svc_yn": "N",
        "prdt_name": listing.name_ko,
        "ptp_item_yn": "N",
        "dtm_tr_psbl_yn": "Y",
        "ovrs_now_pric1": fixed(trade.price, 5),
        "last_rcvg_dtime": ymd(trade.at) + hms(trade.at),
    }
    return informed({"output": output})


def quote_tr(tr_id: str, path: str, handler: Handler, env: ExEnv | None = None, field: str = "SYMB") -> Tr:
    return Tr(tr_id, "GET", BASE + path, handler, Market.US, env=env, symbol_field=field)


LIVE = ExEnv.LIVE  # on the 모의 host these answer EGW02006
TRS = [
    quote_tr("HHDFS00000300", "price", price),
    quote_tr("HHDFS76200200", "price-detail", detail, LIVE),
    quote_tr("HHDFS76200100", "inquire-asking-price", asking_price, LIVE),
    quote_tr("HHDFS76410000", "inquire-search", search),
    quote_tr("CTPF1702R", "search-info", product, LIVE, "PDNO"),
]
