"""Trades of today: t1301 and t8454 one by one, t1302 by minutes, t1305 by days (ls.md §3.2). Newest first."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import Call, Reply, listed
from brokers.paper.ls_wire.candles import Candle, day_candles, minute_candles
from brokers.paper.ls_wire.formats import clock6, exchange_code, percent, sign_of
from brokers.paper.ls_wire.quotes import TRADES_KEPT, price_fields
from brokers.paper.ls_wire.refusals import Refusal, bad_field
from brokers.paper.tape import Trade
from shared.domain.order import Side

TRADES_A_PAGE = 20
MOST_ROWS = 900
MINUTES = {"0": 1, "1": 1, "2": 3, "3": 5, "4": 10, "5": 30, "6": 60}  # 0 asks for half minutes: bars have none


def t1301(call: Call) -> Reply:
    rows, older = _trades(call)
    return Reply(
        {
            "t1301OutBlock": block("t1301OutBlock", cts_time=older),
            "t1301OutBlock1": [block("t1301OutBlock1", **row) for row in rows],
        },
        cont_key=older,
    )


def t8454(call: Call) -> Reply:
    rows, older = _trades(call)
    asked = call.asked
    head = block(
        "t8454OutBlock", cts_time=older, ex_shcode=exchange_code(asked.text("shcode"), asked.text("exchgubun"))
    )
    venue = "NXT" if asked.text("exchgubun") == "N" else "KRX"
    return Reply(
        {"t8454OutBlock": head, "t8454OutBlock1": [block("t8454OutBlock1", exchname=venue, **row) for row in rows]},
        cont_key=older,
    )


def _trades(call: Call) -> tuple[list[dict[str, Value]], str]:
    """One page and where the next begins: `cts_time` is HHMMSS and the trade's number within that second."""
    listing = listed(call, call.asked.text("shcode"))
    start, end = call.asked.text("starttime") or "0000", call.asked.text("endtime") or "9999"
    at_least, cursor = call.asked.whole("cvolume"), call.cursor("cts_time")
    seen: Counter[str] = Counter()
    flow = _Flow()
    rows: list[tuple[str, dict[str, Value]]] = []
    for trade in call.exchange.trades(listing.symbol, TRADES_KEPT):
        flow.add(trade)
        second = clock6(trade.at)
        seen[second] += 1
        if start <= second[:4] <= end and trade.quantity >= at_least:
            head = price_fields(call, trade)
            kept = {name: head[name] for name in ("price", "sign", "change", "diff", "volume")}
            row = {"chetime": second, "cvolume": trade.quantity, **kept, **flow.fields()}
            rows.append((f"{second}{seen[second]:04d}", row))
    rows = [row for row in reversed(rows) if not cursor or row[0] <= cursor]
    older = rows[TRADES_A_PAGE][0] if len(rows) > TRADES_A_PAGE else ""
    return [row for _, row in rows[:TRADES_A_PAGE]], older


class _Flow:
    """Shares and numbers of trades at the ask (bought) and at the bid (sold), as far as trades are kept."""

    def __init__(self) -> None:
        self.shares: Counter[Side] = Counter()
        self.trades: Counter[Side] = Counter()

    def add(self, trade: Trade) -> None:
        self.shares[trade.side_hint] += trade.quantity
        self.trades[trade.side_hint] += 1

    def fields(self) -> dict[str, Value]:
        sold, bought = self.shares[Side.SELL], self.shares[Side.BUY]
        sells, buys = self.trades[Side.SELL], self.trades[Side.BUY]
        return {
            "chdegree": Decimal(bought) / sold * 100 if sold else 0,
            "mdvolume": sold,
            "mdchecnt": sells,
            "msvolume": bought,
            "mschecnt": buys,
            "revolume": bought - sold,
            "rechecnt": buys - sells,
        }


def t1302(call: Call) -> Reply:
    """Each row is a span of minutes, named by its end. The next page is asked with `time` = OutBlock `cts_time`."""
    listing = listed(call, call.asked.text("shcode"))
    minutes = MINUTES.get(call.asked.text("gubun"))
    if minutes is None:
        raise Refusal("IGW40013", "작업구분(gubun) 확인이 필요합니다.", 500)
    count = min(max(call.asked.whole("cnt"), 1), MOST_ROWS)
    today = f"{call.exchange.trade_date(listing.market):%Y%m%d}"
    newest = call.asked.text("time") or (call.cont_key if call.cont else "")
    candles = [
        one
        for one in minute_candles(call.exchange, listing.symbol, minutes, 24 * 60 // minutes)
        if one.label[:8] == today and (not newest or one.label[8:] <= newest)
    ]
    volume, rows = 0, []
    for candle in candles:
        volume += candle.volume
        rows.append(_minute_row(call, candle, volume))
    rows.reverse()
    older = str(rows[count]["chetime"]) if len(rows) > count else ""
    head = block("t1302OutBlock", cts_time=older)
    return Reply({"t1302OutBlock": head, "t1302OutBlock1": rows[:count]}, cont_key=older)


def _minute_row(call: Call, candle: Candle, volume: int) -> Block:
    before = call.exchange.quote(call.asked.text("shcode")).prev_close
    change = candle.close - before
    return block(
        "t1302OutBlock1",
        chetime=candle.label[8:],
        close=candle.close,
        sign=sign_of(candle.close, before, None),
        change=abs(change),
        diff=percent(change, before),
        volume=volume,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        cvolume=candle.volume,
    )


def t1305(call: Call) -> Reply:
    """Days, weeks or months, newest first; the next page is asked with `date` = OutBlock `date`."""
    listing = listed(call, call.asked.text("shcode"))
    gubun = {1: "2", 2: "3", 3: "4"}.get(call.asked.whole("dwmcode"))
    if gubun is None:
        raise bad_field("dwmcode")
    count = min(max(call.asked.whole("cnt"), 1), MOST_ROWS)
    newest = call.asked.text("date") or (call.cont_key if call.cont else "") or "99999999"
    candles = day_candles(call.exchange, listing.symbol, gubun, count + 2, newest)
    pairs = [(b, c) for b, c in zip([*candles[:1], *candles], candles, strict=False) if c.label <= newest]
    pairs.reverse()
    older = pairs[count][1].label if len(pairs) > count else ""
    rows = [_day_row(listing.symbol, before, one) for before, one in pairs[:count]]
    asked = call.asked
    head = block(
        "t1305OutBlock",
        cnt=len(rows),
        date=older,
        idx=asked.whole("idx"),
        ex_shcode=exchange_code(asked.text("shcode"), asked.text("exchgubun")),
    )
    return Reply({"t1305OutBlock": head, "t1305OutBlock1": rows}, cont_key=older)


def _day_row(symbol: str, before: Candle, one: Candle) -> Block:
    change = one.close - before.close
    fields: dict[str, Value] = {}
    for prefix, price, base in (
        ("o_", one.open, before.close),
        ("h_", one.high, before.close),
        ("l_", one.low, before.close),
    ):
        fields |= {
            f"{prefix}sign": sign_of(price, base, None),
            f"{prefix}change": price - base,
            f"{prefix}diff": percent(price - base, base),
        }
    return block(
        "t1305OutBlock1",
        date=one.label,
        open=one.open,
        high=one.high,
        low=one.low,
        close=one.close,
        sign=sign_of(one.close, before.close, None),
        change=abs(change),
        diff=percent(change, before.close),
        volume=one.volume,
        diff_vol=percent(Decimal(one.volume - before.volume), Decimal(before.volume)),
        shcode=symbol,
        value=one.value,
        **fields,
    )
