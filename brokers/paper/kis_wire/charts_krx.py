"""KRX charts: days, weeks, months, years and minutes, newest first; pages are asked by date, not tr_cont (§4.9)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, quoted
from brokers.paper.kis_wire.calls import Call
from brokers.paper.kis_wire.fields import KST, fixed, hms, percent, sign, ymd
from brokers.paper.kis_wire.periods import minute_bars, period_bars
from brokers.paper.kis_wire.quotes_krx import asked_listing, change, day_prices, limits, quote_tr
from brokers.paper.listings import Listing
from brokers.paper.tape import Trade
from shared.domain.account import Market
from shared.domain.market import Bar, Timeframe

DAY_ROWS, PERIOD_ROWS, MINUTE_ROWS, PAST_MINUTE_ROWS = 30, 100, 30, 120
_MINUTE = timedelta(minutes=1)


def _pairs(bars: list[Bar], rows: int) -> list[tuple[Bar, Decimal]]:
    """The newest bars with the close before each, newest first; the very first bar compares with its own open."""
    closes = [bars[0].open, *(bar.close for bar in bars)] if bars else []
    return list(zip(bars, closes, strict=False))[-rows:][::-1]


def recent_days(call: Call) -> Answer:
    """The last 30 days, weeks or months, newest first (kis.md §4.9)."""
    listing, period = asked_listing(call), call.get("FID_PERIOD_DIV_CODE") or "D"
    if listing is None or period not in ("D", "W", "M"):
        return quoted({"output": []})
    now = call.exchange.clock.market_now()
    bars = period_bars(call.exchange, listing.symbol, Market.KRX, period, DAY_ROWS + 1, now)
    rows = [
        {
            **_bar_prices(bar),
            "stck_clpr": fixed(bar.close),
            "acml_vol": str(bar.volume),
            "prdy_vrss_vol_rate": "0.00",
            **_barchange(bar, before),
            "prdy_ctrt": fixed(percent(bar.close - before, before), 2),
            "hts_frgn_ehrt": "0.00",
            "frgn_ntby_qty": "0",
            "flng_cls_code": "00",
            "acml_prtt_rate": "0.00",
        }
        for bar, before in _pairs(bars, DAY_ROWS)
    ]
    return quoted({"output": rows})


def _bar_prices(bar: Bar) -> Json:
    return {
        "stck_bsop_date": ymd(bar.start),
        "stck_oprc": fixed(bar.open),
        "stck_hgpr": fixed(bar.high),
        "stck_lwpr": fixed(bar.low),
    }


def _barchange(bar: Bar, before: Decimal) -> Json:
    return {"prdy_vrss": fixed(bar.close - before), "prdy_vrss_sign": sign(bar.close - before)}


PERIOD_UNKNOWN = dict.fromkeys(
    ["vol_tnrt", "stck_fcam", "lstn_stcn", "cpfn", "hts_avls", "per", "eps", "pbr", "itewhol_loan_rmnd_ratem"], "0"
)


def period_chart(call: Call) -> Answer:
    """Up to 100 bars between two dates, newest first; the next page is asked by moving FID_INPUT_DATE_2."""
    listing, period = asked_listing(call), call.need("FID_PERIOD_DIV_CODE")
    if listing is None or period not in ("D", "W", "M", "Y"):
        return quoted({"output1": {}, "output2": []})
    since, now = call.day("FID_INPUT_DATE_1"), call.exchange.clock.market_now()
    until = min(now, datetime.combine(call.day("FID_INPUT_DATE_2"), time(23, 59, 59), KST))
    bars = period_bars(call.exchange, listing.symbol, Market.KRX, period, PERIOD_ROWS + 1, until)
    rows = [
        {
            **_bar_prices(bar),
            "stck_clpr": fixed(bar.close),
            "acml_vol": str(bar.volume),
            "acml_tr_pbmn": fixed(bar.close * bar.volume),
            "flng_cls_code": "00",
            "prtt_rate": "0.00",
            "mod_yn": "N",
            **_barchange(bar, before),
            "revl_issu_reas": "",
        }
        for bar, before in _pairs(bars, PERIOD_ROWS)
        if bar.start.astimezone(KST).date() >= since
    ]
    return quoted({"output1": _period_head(call, listing), "output2": rows})


def _period_head(call: Call, listing: Listing) -> Json:
    trade = call.exchange.quote(listing.symbol)
    days = call.exchange.bars(listing.symbol, Timeframe.D1, 2, until=call.exchange.clock.market_now())
    before = days[0]
    return {
        **PERIOD_UNKNOWN,
        **_minute_head(listing, trade),
        "stck_shrn_iscd": listing.symbol,
        "prdy_vol": str(before.volume),
        **limits(call, listing.symbol),
        **day_prices(trade),
        "stck_prdy_oprc": fixed(before.open),
        "stck_prdy_hgpr": fixed(before.high),
        "stck_prdy_lwpr": fixed(before.low),
        "askp": fixed(trade.ask),
        "bidp": fixed(trade.bid),
        "prdy_vrss_vol": str(trade.cum_volume - before.volume),
    }


def _minute_head(listing: Listing, trade: Trade) -> Json:
    return {
        **change(trade),
        "stck_prdy_clpr": fixed(trade.prev_close),
        "acml_vol": str(trade.cum_volume),
        "acml_tr_pbmn": fixed(trade.turnover),
        "hts_kor_isnm": listing.name_ko,
        "stck_prpr": fixed(trade.price),
    }


def minutes(call: Call) -> Answer:
    """Up to 30 minutes of today, newest first, ending at FID_INPUT_HOUR_1. Minutes still to come show the current
    price, as the broker does (kis.md §4.9). 000000 asks for the newest, so the minute of midnight is never shown."""
    listing = asked_listing(call)
    if listing is None:
        return quoted({"output1": {}, "output2": []})
    now, trade = call.exchange.clock.market_now().astimezone(KST), call.exchange.quote(listing.symbol)
    this_minute = now.replace(second=0, microsecond=0)
    asked = _moment(now.date(), call.get("FID_INPUT_HOUR_1"))
    midnight = datetime.combine(now.date(), time(0), KST)
    end = (now if asked in (None, midnight) else asked).replace(second=0, microsecond=0)
    ahead = max(0, min(MINUTE_ROWS, (end - this_minute) // _MINUTE))
    to_come = [
        Bar(listing.symbol, Timeframe.M1, end - n * _MINUTE, *(trade.price,) * 4, volume=0, closed=False)
        for n in range(ahead)
    ]
    past = minute_bars(call.exchange, listing.symbol, 1, MINUTE_ROWS, min(end, now))
    today = [bar for bar in reversed(past) if bar.start > midnight]
    rows = [_minute_row(bar) for bar in [*to_come, *today][:MINUTE_ROWS]]
    return quoted({"output1": _minute_head(listing, trade), "output2": rows})


def past_minutes(call: Call) -> Answer:
    """Up to 120 minutes, newest first, ending at a past date and time (kis.md §4.9)."""
    listing = asked_listing(call)
    if listing is None:
        return quoted({"output1": {}, "output2": []})
    now = call.exchange.clock.market_now()
    end = _moment(call.day("FID_INPUT_DATE_1"), call.get("FID_INPUT_HOUR_1")) or now
    bars = minute_bars(call.exchange, listing.symbol, 1, PAST_MINUTE_ROWS, min(end, now))
    trade = call.exchange.quote(listing.symbol)
    return quoted({"output1": _minute_head(listing, trade), "output2": [_minute_row(bar) for bar in reversed(bars)]})


def _moment(on: date, text: str) -> datetime | None:
    try:
        return datetime.combine(on, time(int(text[:2]), int(text[2:4]), int(text[4:6])), KST)
    except ValueError:
        return None


def _minute_row(bar: Bar) -> Json:
    return {
        "stck_bsop_date": ymd(bar.start),
        "stck_cntg_hour": hms(bar.start),
        "stck_prpr": fixed(bar.close),
        "stck_oprc": fixed(bar.open),
        "stck_hgpr": fixed(bar.high),
        "stck_lwpr": fixed(bar.low),
        "cntg_vol": str(bar.volume),
        "acml_tr_pbmn": fixed(bar.close * bar.volume),
    }


TRS = [
    quote_tr("FHKST01010400", "inquire-daily-price", recent_days),
    quote_tr("FHKST03010100", "inquire-daily-itemchartprice", period_chart),
    quote_tr("FHKST03010200", "inquire-time-itemchartprice", minutes),
    quote_tr("FHKST03010230", "inquire-time-dailychartprice", past_minutes, ExEnv.LIVE),
]
