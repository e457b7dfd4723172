"""US charts: days, weeks, months and minutes, newest first; pages are asked by date, not tr_cont (kis.md §3.12)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, quoted
from brokers.paper.kis_wire.calls import Call
from brokers.paper.kis_wire.fields import KST, NEW_YORK, fixed, hms, parse_quantity, ymd
from brokers.paper.kis_wire.periods import minute_bars, period_bars
from brokers.paper.kis_wire.quotes_us import DECIMALS, asked_listing, change, money, quote_tr, realtime_symbol
from shared.domain.account import Market
from shared.domain.market import Bar

ROWS, MINUTE_ROWS, LONGEST_MINUTES = 100, 120, 120
PERIODS = {"": "D", "0": "D", "1": "W", "2": "M"}  # GUBN


def daily(call: Call) -> Answer:
    """Up to 100 days, weeks or months, newest first, ending at BYMD; the next page is asked by date, not tr_cont."""
    listing, rsym = asked_listing(call), realtime_symbol(call.get("EXCD"), call.get("SYMB"))
    period = PERIODS.get(call.get("GUBN"))
    if listing is None or period is None:
        return quoted({"output1": {"rsym": rsym, "zdiv": "", "nrec": ""}, "output2": []})
    now = call.exchange.clock.market_now()
    until = now
    if call.get("BYMD"):
        until = min(now, datetime.combine(call.day("BYMD"), time(23, 59, 59), NEW_YORK))
    bars = period_bars(call.exchange, listing.symbol, Market.US, period, ROWS + 1, until)
    rows = [_daily_row(bar, before) for before, bar in zip([None, *bars], bars, strict=False)][-ROWS:]
    head = {"rsym": rsym, "zdiv": str(DECIMALS), "nrec": str(len(rows))}
    return quoted({"output1": head, "output2": rows[::-1]})


def _daily_row(bar: Bar, before: Bar | None) -> Json:
    base = before.close if before else bar.open
    tick = Decimal("0.01")
    return {
        "xymd": ymd(bar.start, NEW_YORK),
        "clos": money(bar.close),
        **change(bar.close - base, base),
        "open": money(bar.open),
        "high": money(bar.high),
        "low": money(bar.low),
        "tvol": str(bar.volume),
        "tamt": fixed(bar.close * bar.volume),
        "pbid": money(bar.close - tick),
        "vbid": "100",
        "pask": money(bar.close + tick),
        "vask": "100",
    }


def minutes(call: Call) -> Answer:
    """Up to 120 minute bars, newest first, ending at KEYB (New York time) or now (kis.md §3.12)."""
    listing, rsym = asked_listing(call), realtime_symbol(call.get("EXCD"), call.get("SYMB"))
    step = min(parse_quantity(call.need("NMIN")) or 1, LONGEST_MINUTES)
    count = min(parse_quantity(call.get("NREC")) or MINUTE_ROWS, MINUTE_ROWS)
    head = {"rsym": rsym, "zdiv": str(DECIMALS), "stim": "093000", "etim": "160000", "sktm": "", "ektm": ""}
    if listing is None:
        return quoted({"output1": {**head, "next": "", "more": "", "nrec": "0"}, "output2": []})
    now = call.exchange.clock.market_now()
    until = _local_moment(call.get("KEYB")) or now
    bars = minute_bars(call.exchange, listing.symbol, step, count + 1, min(now, until))
    if call.get("PINC") != "1":
        bars = [bar for bar in bars if ymd(bar.start, NEW_YORK) == ymd(now, NEW_YORK)]
    rows = [_minute_row(bar) for bar in bars[-count:]]
    opened = now.astimezone(NEW_YORK).replace(hour=9, minute=30, second=0)
    head |= {
        "sktm": hms(opened),
        "ektm": hms(opened + timedelta(hours=6, minutes=30)),
        "next": "1" if len(bars) > count else "0",
        "more": "1" if len(bars) > count else "0",
        "nrec": str(len(rows)),
    }
    return quoted({"output1": head, "output2": rows[::-1]})


def _local_moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
    except ValueError:
        return None


def _minute_row(bar: Bar) -> Json:
    return {
        "tymd": ymd(bar.start, NEW_YORK),
        "xymd": ymd(bar.start, NEW_YORK),
        "xhms": hms(bar.start, NEW_YORK),
        "kymd": ymd(bar.start, KST),
        "khms": hms(bar.start, KST),
        "open": money(bar.open),
        "high": money(bar.high),
        "low": money(bar.low),
        "last": money(bar.close),
        "evol": str(bar.volume),
        "eamt": fixed(bar.close * bar.volume),
    }


TRS = [
    quote_tr("HHDFS76240000", "dailyprice", daily),
    quote_tr("HHDFS76950200", "inquire-time-itemchartprice", minutes, ExEnv.LIVE),
]
