"""US quotes of several symbols, the trend of trades and the members' chart (kis.md §3.12).

kis.md names the requests of these; the answers' fields are those that the official samples list, and for the quote of
several symbols those of the single quote with the year's range, which a published client needs.
"""

from __future__ import annotations

from datetime import datetime, time

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, invalid_division, quoted
from brokers.paper.kis_wire.calls import Call
from brokers.paper.kis_wire.fields import NEW_YORK, fixed, hms, percent, sign, ymd
from brokers.paper.kis_wire.periods import DAYS_IN, period_bars
from brokers.paper.kis_wire.quotes_us import (
    asked_listing,
    change,
    money,
    previous_volume,
    quote_tr,
    realtime_symbol,
    year_of,
)
from brokers.paper.kis_wire.symbols import BY_QUOTE, named, us_listing
from brokers.paper.tape import Trade
from shared.domain.account import Market

MANY, TREND_ROWS, CHART_ROWS = 10, 20, 100
CHART_KINDS = frozenset({"N", "X", "I", "S"})  # index, exchange rate, interest, gold; shares are asked as N


def many(call: Call) -> Answer:
    """Up to ten symbols at once; what is unknown has blanks, as in the single quote."""
    rows = []
    for n in range(1, MANY + 1):
        excd, symbol = call.get(f"EXCD_{n:02d}"), call.get(f"SYMB_{n:02d}")
        if symbol:
            rows.append(_many_row(call, excd, symbol))
    return quoted({"output1": {"nrec": str(len(rows))}, "output2": rows})


def _many_row(call: Call, excd: str, symbol: str) -> Json:
    listing = us_listing(call.exchange, symbol, BY_QUOTE.get(excd))
    head = {"rsym": realtime_symbol(excd, symbol), "excd": excd, "symb": symbol}
    if listing is None:
        names = ["zdiv", "curr", "base", "open", "high", "low", "last", "sign", "diff", "rate", "pvol", "tvol", "tamt"]
        names += ["ordy", "h52p", "l52p"]
        return {**head, **dict.fromkeys(names, "")}
    trade = call.exchange.quote(listing.symbol)
    year = year_of(call, trade)
    return {
        **head,
        "zdiv": "4",
        "curr": "USD",
        "h52p": money(max(bar.high for bar in year)),
        "l52p": money(min(bar.low for bar in year)),
        "base": money(trade.prev_close),
        "open": money(trade.open),
        "high": money(trade.high),
        "low": money(trade.low),
        "last": money(trade.price),
        **change(trade.change, trade.prev_close),
        "pvol": str(previous_volume(call, listing.symbol)),
        "tvol": str(trade.cum_volume),
        "tamt": fixed(trade.turnover),
        "ordy": "매매불가" if call.exchange.halted(listing.symbol) else "매수가능",
    }


def trend(call: Call) -> Answer:
    """The newest trades of today (TDAY 1), newest first; KEYB is the cursor. Of the day before none are kept.

    The official sample reads the rows of output1, other clients those of output2: both have them.
    """
    listing, rsym = asked_listing(call), realtime_symbol(call.get("EXCD"), call.get("SYMB"))
    trades: list[Trade] = []
    if listing is not None and call.get("TDAY") != "0":
        trades = call.exchange.trades(listing.symbol, 10 * TREND_ROWS)[::-1]
    left = [one for one in trades if not call.get("KEYB") or _key(one) < call.get("KEYB")]
    shown = left[:TREND_ROWS]
    more = len(left) > TREND_ROWS
    rows = [_trend_row(one) for one in shown]
    body = {
        "output1": rows,
        "output2": rows,
        "rsym": rsym,
        "keyb": _key(shown[-1]) if more else "",
    }
    answer = quoted(body)
    return Answer(answer.body, tr_cont="M" if more else "D")


def _key(trade: Trade) -> str:
    return f"{trade.at:%Y%m%d%H%M%S%f}"


def _trend_row(trade: Trade) -> Json:
    return {
        "khms": hms(trade.at),
        "last": money(trade.price),
        **change(trade.change, trade.prev_close),
        "evol": str(trade.quantity),
        "tvol": str(trade.cum_volume),
        "mtyp": "0",
        "pbid": money(trade.bid),
        "pask": money(trade.ask),
        "vpow": "100.00",
    }


def members_chart(call: Call) -> Answer:
    """Days, weeks, months or years of one US share between two dates, newest first (FHKST03030100)."""
    if call.need("FID_COND_MRKT_DIV_CODE") not in CHART_KINDS:
        raise invalid_division()
    listing, period = named(call.exchange, call.need("FID_INPUT_ISCD")), call.need("FID_PERIOD_DIV_CODE")
    if listing is None or period not in DAYS_IN:
        return quoted({"output1": {}, "output2": []})
    since, now = call.day("FID_INPUT_DATE_1"), call.exchange.clock.market_now()
    until = min(now, datetime.combine(call.day("FID_INPUT_DATE_2"), time(23, 59, 59), NEW_YORK))
    bars = period_bars(call.exchange, listing.symbol, Market.US, period, CHART_ROWS, until)
    trade = call.exchange.quote(listing.symbol)
    rows = [
        {
            "stck_bsop_date": ymd(bar.start, NEW_YORK),
            "ovrs_nmix_prpr": fixed(bar.close, 2),
            "ovrs_nmix_oprc": fixed(bar.open, 2),
            "ovrs_nmix_hgpr": fixed(bar.high, 2),
            "ovrs_nmix_lwpr": fixed(bar.low, 2),
            "acml_vol": str(bar.volume),
            "mod_yn": "N",
        }
        for bar in reversed(bars)
        if bar.start.astimezone(NEW_YORK).date() >= since
    ]
    head = {
        "ovrs_nmix_prdy_vrss": fixed(trade.change, 2),
        "prdy_vrss_sign": sign(trade.change),
        "prdy_ctrt": fixed(percent(trade.change, trade.prev_close), 2),
        "ovrs_nmix_prdy_clpr": fixed(trade.prev_close, 2),
        "acml_vol": str(trade.cum_volume),
        "hts_kor_isnm": listing.name_ko,
        "ovrs_nmix_prpr": fixed(trade.price, 2),
        "stck_shrn_iscd": listing.symbol,
        "prdy_vol": str(previous_volume(call, listing.symbol)),
        "ovrs_prod_oprc": fixed(trade.open, 2),
        "ovrs_prod_hgpr": fixed(trade.high, 2),
        "ovrs_prod_lwpr": fixed(trade.low, 2),
    }
    return quoted({"output1": head, "output2": rows})


TRS = [
    quote_tr("HHDFS76220000", "multprice", many, ExEnv.LIVE, "SYMB_01"),
    quote_tr("HHDFS76200300", "inquire-ccnl", trend, ExEnv.LIVE),
    quote_tr("FHKST03030100", "inquire-daily-chartprice", members_chart, None, "FID_INPUT_ISCD"),
]
