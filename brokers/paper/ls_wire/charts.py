"""Chart TRs: t8410 and t8451 days to years, t8412 and t8452 minutes (ls.md §3.3). Rows ascend, next pages are older."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import Call, Reply, listed
from brokers.paper.ls_wire.candles import (
    PERIODS,
    Candle,
    day_candles,
    end_of_day,
    last_days,
    minute_candles,
    page_of,
)
from brokers.paper.ls_wire.formats import KST, sign_of
from brokers.paper.ls_wire.refusals import Refusal, bad_field
from shared.domain.market import Timeframe

MOST_ROWS = 500
NXT_HOURS = {
    "nxt_fm_s_time": "080000",
    "nxt_fm_e_time": "085000",
    "nxt_fm_dshmin": "",
    "nxt_am_s_time": "154000",
    "nxt_am_e_time": "200000",
    "nxt_am_dshmin": "",
}


def t8410(call: Call) -> Reply:
    return _days(call, "t8410", {})


def t8451(call: Call) -> Reply:
    return _days(call, "t8451", NXT_HOURS)


def _days(call: Call, tr: str, more: dict[str, str]) -> Reply:
    listing = listed(call, call.asked.text("shcode"))
    gubun = call.asked.text("gubun")
    if gubun not in PERIODS or call.asked.text("comp_yn") == "Y":
        raise Refusal("IGW40013", "조회구분(gubun) 확인이 필요합니다.", 500)
    newest, count = call.cursor("cts_date") or call.asked.text("edate"), row_count(call)
    candles = day_candles(call.exchange, listing.symbol, gubun, count + 2, newest)
    page, older = page_of(candles, count=count, first=first_label(call), newest=newest, digits=8)
    head = block(f"{tr}OutBlock", cts_date=older, rec_count=len(page), **more, **_day_fields(call, listing.symbol))
    rows = [_row(f"{tr}OutBlock1", one, before, date=one.label) for before, one in page]
    return Reply({f"{tr}OutBlock": head, f"{tr}OutBlock1": rows}, cont_key=older)


def t8412(call: Call) -> Reply:
    """Without header `tr_cont: Y` the newest page is served whatever the body cursor says."""
    return _minutes(call, "t8412", {})


def t8452(call: Call) -> Reply:
    return _minutes(call, "t8452", NXT_HOURS)


def _minutes(call: Call, tr: str, more: dict[str, str]) -> Reply:
    listing = listed(call, call.asked.text("shcode"))
    minutes, count = call.asked.whole("ncnt"), row_count(call)
    if minutes < 1:
        raise bad_field("ncnt")
    if not call.asked.text("edate"):
        raise Refusal("IGW40013", "종료일자(edate) 확인이 필요합니다.", 500)
    newest = minute_cursor(call) or call.asked.text("edate")
    # A cursor of date and time: the newest bar ends by it.
    until = _at(newest) - timedelta(minutes=1) if len(newest) == 14 else end_of_day(newest)
    candles = minute_candles(call.exchange, listing.symbol, minutes, count + 2, until)
    candles = last_days(candles, call.asked.text("nday"))
    page, older = page_of(candles, count=count, first=first_label(call), newest=newest, digits=14)
    fields = _day_fields(call, listing.symbol)
    head = block(f"{tr}OutBlock", cts_date=older[:8], cts_time=older[8:], rec_count=len(page), **more, **fields)
    rows = [_row(f"{tr}OutBlock1", one, before, date=one.label[:8], time=one.label[8:]) for before, one in page]
    return Reply({f"{tr}OutBlock": head, f"{tr}OutBlock1": rows}, cont_key=older)


def row_count(call: Call) -> int:
    return min(max(call.asked.whole("qrycnt"), 1), MOST_ROWS)


def first_label(call: Call) -> str:
    """The oldest label wanted; a start equal to the end is no start (ls.md §3.3)."""
    start = call.asked.text("sdate")
    return "" if start == call.asked.text("edate") else start


def minute_cursor(call: Call) -> str:
    """Date and time where a next page begins; "" on a first call."""
    if not call.cont:
        return ""
    return (call.asked.text("cts_date") + call.asked.text("cts_time")[:6]) or call.cont_key


def _at(label: str) -> datetime:
    try:
        return datetime.strptime(label, "%Y%m%d%H%M%S").replace(tzinfo=KST)
    except ValueError:
        raise bad_field("cts_time") from None


def _row(name: str, candle: Candle, before: Candle, **labels: str) -> Block:
    return block(
        name,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        jdiff_vol=candle.volume,
        value=candle.value,
        sign=sign_of(candle.close, before.close, None),
        **labels,
    )


def _day_fields(call: Call, symbol: str) -> dict[str, Value]:
    """Yesterday (ji…), today (di…), limits and session times: the head of all four."""
    trade = call.exchange.quote(symbol)
    lower, upper = call.exchange.price_limits(symbol) or (Decimal(0), Decimal(0))
    fields: dict[str, Value] = {
        "shcode": symbol,
        "disiga": trade.open,
        "dihigh": trade.high,
        "dilow": trade.low,
        "diclose": trade.price,
        "jiclose": trade.prev_close,
        "highend": upper,
        "lowend": lower,
        "s_time": "090000",
        "e_time": "153000",
        "dshmin": "10",
    }
    before = [bar for bar in call.exchange.bars(symbol, Timeframe.D1, 2) if bar.closed]
    if before:
        day = before[-1]
        fields |= {"jisiga": day.open, "jihigh": day.high, "jilow": day.low, "jivolume": day.volume}
    return fields
