"""US chart TRs: g3204 days to years, g3203 minutes, g3202 ticks, g3103 a short table (ls.md §4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import Call, Reply
from brokers.paper.ls_wire.candles import PERIODS, Candle, day_candles, end_of_day, minute_candles, page_of
from brokers.paper.ls_wire.charts import first_label, minute_cursor, row_count
from brokers.paper.ls_wire.formats import KST, percent, sign_of
from brokers.paper.ls_wire.quotes import TRADES_KEPT
from brokers.paper.ls_wire.refusals import Refusal, bad_field
from brokers.paper.ls_wire.us import ASKED, NEW_YORK, asked_listing, echoed
from brokers.paper.tape import Trade
from shared.domain.market import Timeframe

TABLE_ROWS = 30  # of g3103, which has no cursor
LAST_OF_DAY = "999999"  # cts_info of a page of days
HEAD = ("delaygb", "keysymbol", "exchcd", "symbol")


def g3204(call: Call) -> Reply:
    listing = asked_listing(call)
    gubun, count = call.asked.text("gubun"), row_count(call)
    if gubun not in PERIODS:
        raise _bad_period()
    newest = call.cursor("cts_date") or call.asked.text("edate") or "99999999"
    candles = day_candles(call.exchange, listing.symbol, gubun, count + 2, newest, NEW_YORK)
    page, older = page_of(candles, count=count, first=first_label(call), newest=newest, digits=8)
    head = block(
        "g3204OutBlock",
        cts_date=older,
        cts_info=LAST_OF_DAY if older else "",
        rec_count=len(page),
        **echoed(call, *HEAD),
        **_day_fields(call, listing.symbol),
    )
    rows = [
        block(
            "g3204OutBlock1",
            date=one.label,
            volume=one.volume,
            amount=one.turnover,
            sign=sign_of(one.close, before.close, None),
            **_prices(one),
        )
        for before, one in page
    ]
    return Reply({"g3204OutBlock": head, "g3204OutBlock1": rows}, text=ASKED, cont_key=older)


def g3203(call: Call) -> Reply:
    """Dates and times of the rows and of the cursor are New York's. A first call may leave the cursor out."""
    listing = asked_listing(call)
    minutes, count = call.asked.whole("ncnt"), row_count(call)
    if minutes < 1:
        raise bad_field("ncnt")
    newest = minute_cursor(call) or call.asked.text("edate") or "99999999"
    until = _at(newest) - timedelta(minutes=1) if len(newest) == 14 else end_of_day(newest, NEW_YORK)
    candles = minute_candles(call.exchange, listing.symbol, minutes, count + 2, until, NEW_YORK)
    page, older = page_of(candles, count=count, first=first_label(call), newest=newest, digits=14)
    head = block(
        "g3203OutBlock",
        cts_date=older[:8],
        cts_time=older[8:],
        rec_count=len(page),
        timediff=_hours_apart(call),
        **echoed(call, *HEAD),
        **_day_fields(call, listing.symbol),
    )
    rows = [
        block(
            "g3203OutBlock1",
            date=one.label[:8],
            loctime=one.label[8:],
            exevol=one.volume,
            amount=one.turnover,
            **_prices(one),
        )
        for _, one in page
    ]
    return Reply({"g3203OutBlock": head, "g3203OutBlock1": rows}, text=ASKED, cont_key=older)


def g3202(call: Call) -> Reply:
    """Every `ncnt` trades make a row, as far as trades are kept; `cts_seq` counts rows from the newest."""
    listing = asked_listing(call)
    size, count = call.asked.whole("ncnt"), row_count(call)
    if size < 1:
        raise bad_field("ncnt")
    trades = call.exchange.trades(listing.symbol, TRADES_KEPT)
    rows = [_tick_row(trades[i : i + size]) for i in range(0, len(trades), size)]
    skipped = call.asked.whole("cts_seq") or (int(call.cont_key) if call.cont and call.cont_key.isdigit() else 0)
    rest = rows[: len(rows) - skipped]
    older = skipped + count if len(rest) > count else 0
    page = rest[-count:]
    head = block(
        "g3202OutBlock",
        cts_seq=older,
        rec_count=len(page),
        last_count=str(len(trades) % size or size),
        timediff=_hours_apart(call),
        **echoed(call, *HEAD),
        **_day_fields(call, listing.symbol),
    )
    return Reply({"g3202OutBlock": head, "g3202OutBlock1": page}, text=ASKED, cont_key=str(older or ""))


def _tick_row(trades: list[Trade]) -> Block:
    last, there = trades[-1], trades[-1].at.astimezone(NEW_YORK)
    return block(
        "g3202OutBlock1",
        date=f"{there:%Y%m%d}",
        loctime=f"{there:%H%M%S}",
        open=trades[0].price,
        high=max(one.price for one in trades),
        low=min(one.price for one in trades),
        close=last.price,
        exevol=sum(one.quantity for one in trades),
        sign=sign_of(last.price, last.prev_close, None),
    )


def g3103(call: Call) -> Reply:
    """Days, weeks or months up to `date`, newest first."""
    listing = asked_listing(call)
    gubun = call.asked.text("gubun")
    if gubun not in {"2", "3", "4"}:
        raise _bad_period()
    newest = call.asked.text("date") or "99999999"
    candles = day_candles(call.exchange, listing.symbol, gubun, TABLE_ROWS + 2, newest, NEW_YORK)
    page, _ = page_of(candles, count=TABLE_ROWS, first="", newest=newest, digits=8)
    rows = [
        block(
            "g3103OutBlock1",
            chedate=one.label,
            price=one.close,
            sign=sign_of(one.close, before.close, None),
            diff=abs(one.close - before.close),
            rate=percent(one.close - before.close, before.close),
            volume=one.volume,
            floatpoint="4",
            open=one.open,
            high=one.high,
            low=one.low,
        )
        for before, one in reversed(page)
    ]
    head = block("g3103OutBlock", **echoed(call, *HEAD, "gubun", "date"))
    return Reply({"g3103OutBlock": head, "g3103OutBlock1": rows}, text=ASKED)


def _prices(one: Candle) -> dict[str, Value]:
    return {"open": one.open, "high": one.high, "low": one.low, "close": one.close}


def _day_fields(call: Call, symbol: str) -> dict[str, Value]:
    """Yesterday (pre…), today and the hours: the head of the charts. Hours are KST, pre-market to after-market."""
    trade = call.exchange.quote(symbol)
    fields: dict[str, Value] = {
        "preclose": trade.prev_close,
        "open": trade.open,
        "high": trade.high,
        "low": trade.low,
        "close": trade.price,
        "s_time": "200000",
        "e_time": "180000",
    }
    before = [bar for bar in call.exchange.bars(symbol, Timeframe.D1, 2) if bar.closed]
    if before:
        day = before[-1]
        fields |= {"preopen": day.open, "prehigh": day.high, "prelow": day.low, "prevolume": day.volume}
    return fields


def _hours_apart(call: Call) -> str:
    """시차: New York's hours against Seoul's."""
    now = call.exchange.clock.market_now()
    apart = (now.astimezone(NEW_YORK).utcoffset() or timedelta(0)) - (now.astimezone(KST).utcoffset() or timedelta(0))
    return str(int(apart / timedelta(hours=1)))


def _at(label: str) -> datetime:
    """A cursor's moment in New York; 24:00:00 is the midnight after."""
    try:
        if label[8:] == "240000":
            return datetime.strptime(label[:8], "%Y%m%d").replace(tzinfo=NEW_YORK) + timedelta(days=1)
        return datetime.strptime(label, "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
    except ValueError:
        raise bad_field("cts_time") from None


def _bad_period() -> Refusal:
    return Refusal("IGW40013", "주기구분(gubun) 확인이 필요합니다.", 500)
