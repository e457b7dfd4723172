"""Trade journal TRs: t0150 today, t0151 a given date (ls.md §3.6): fills by side, symbol and price, with subtotals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from brokers.paper.ls_wire.account import DONE
from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import Call, Reply
from brokers.paper.ls_wire.refusals import business
from shared.domain.account import Market
from shared.domain.order import Side

ROWS_A_PAGE = 100
WORD = {Side.SELL: "매도", Side.BUY: "매수"}
CHANNEL = "OPEN API"
CURSORS = ("cts_medosu", "cts_expcode", "cts_price", "cts_middiv")


@dataclass(slots=True)
class Traded:
    """What was traded of one symbol at one price on one side."""

    side: Side
    symbol: str
    price: Decimal
    quantity: int = 0
    fee: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)

    @property
    def amount(self) -> Decimal:
        return self.price * self.quantity

    @property
    def settled(self) -> Decimal:
        """정산금액: what a buy costs, what a sale brings."""
        costs = self.fee + self.tax
        return self.amount + costs if self.side is Side.BUY else self.amount - costs


def t0150(call: Call) -> Reply:
    return _journal(call, "t0150", call.exchange.trade_date(Market.KRX))


def t0151(call: Call) -> Reply:
    try:
        on = datetime.strptime(call.asked.text("date"), "%Y%m%d").date()  # noqa: DTZ007 - a bare date
    except ValueError:
        raise business("01715") from None
    return _journal(call, "t0151", on)


def _journal(call: Call, tr: str, on: date) -> Reply:
    traded = _traded(call, on)
    if not traded:
        return Reply({}, text=DONE)
    rows = [row for group in _by_symbol(traded) for row in _group_rows(tr, group)]
    cursor = call.asked.text("cts_price") or (call.cont_key if call.cont else "")
    start = int(cursor) if cursor.isdigit() else 0
    more = len(rows) > start + ROWS_A_PAGE
    older = str(start + ROWS_A_PAGE) if more else ""
    # The four cursors go together: the page is counted in cts_price, the others repeat the last row.
    last = rows[min(start + ROWS_A_PAGE, len(rows)) - 1]
    marks = (str(last["medosu"])[:1], str(last["expcode"]), older, "40") if more else ("", "", "", "")
    head = block(f"{tr}OutBlock", **_totals(traded), **dict(zip(CURSORS, marks, strict=True)))
    page = rows[start : start + ROWS_A_PAGE]
    return Reply({f"{tr}OutBlock": head, f"{tr}OutBlock1": page}, text=DONE, cont_key=older)


def _traded(call: Call, on: date) -> list[Traded]:
    found: dict[tuple[Side, str, Decimal], Traded] = {}
    for order in call.exchange.orders(call.account, Market.KRX, on, on):
        for fill in call.exchange.executions(call.account, order.order_no):
            key = (order.side, order.symbol, fill.price)
            one = found.setdefault(key, Traded(*key))
            one.quantity += fill.quantity
            one.fee += fill.fee
            one.tax += fill.tax
    return sorted(found.values(), key=lambda one: (one.side.value, one.symbol, one.price))


def _by_symbol(traded: list[Traded]) -> list[list[Traded]]:
    return [list(group) for _, group in groupby(traded, key=lambda one: (one.side, one.symbol))]


def _group_rows(tr: str, group: list[Traded]) -> list[Block]:
    rows = [
        block(
            f"{tr}OutBlock1",
            medosu=WORD[one.side],
            expcode=one.symbol,
            qty=one.quantity,
            price=one.price,
            amt=one.amount,
            adjamt=one.amount,  # costs stand in the subtotal only, as in the official sample
            middiv=CHANNEL,
        )
        for one in group
    ]
    quantity = sum(one.quantity for one in group)
    amount = sum((one.amount for one in group), Decimal(0))
    subtotal = block(
        f"{tr}OutBlock1",
        medosu="종목소계",
        qty=quantity,
        price=amount / quantity,
        amt=amount,
        fee=sum((one.fee for one in group), Decimal(0)),
        tax=sum((one.tax for one in group), Decimal(0)),
        adjamt=sum((one.settled for one in group), Decimal(0)),
    )
    return [*rows, subtotal]


def _totals(traded: list[Traded]) -> dict[str, Value]:
    sums: dict[Side, dict[str, Decimal]] = {side: defaultdict(Decimal) for side in Side}
    for one in traded:
        kept = sums[one.side]
        kept["qty"] += one.quantity
        kept["amt"] += one.amount
        kept["fee"] += one.fee
        kept["tax"] += one.tax
        kept["settled"] += one.settled
    sold, bought = sums[Side.SELL], sums[Side.BUY]
    return {
        "mdqty": sold["qty"],
        "mdamt": sold["amt"],
        "mdfee": sold["fee"],
        "mdtax": sold["tax"],
        "tmdtax": sold["fee"] + sold["tax"],
        "mdadjamt": sold["settled"],
        "msqty": bought["qty"],
        "msamt": bought["amt"],
        "msfee": bought["fee"],
        "tmstax": bought["fee"] + bought["tax"],
        "msadjamt": bought["settled"],
        "tqty": sold["qty"] + bought["qty"],
        "tamt": sold["amt"] + bought["amt"],
        "tfee": sold["fee"] + bought["fee"],
        "tottax": sold["tax"],
        "ttax": sold["fee"] + sold["tax"] + bought["fee"] + bought["tax"],
        "tadjamt": sold["settled"] - bought["settled"],
    }
