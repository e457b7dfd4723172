"""Order list TRs: t0425 today's orders and fills, CSPAQ13700 the orders of one date (ls.md §3.6)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from brokers.paper.ls_wire.account import ASKED, DONE, FEE_RATE, TAX_RATE
from brokers.paper.ls_wire.blocks import Block, block
from brokers.paper.ls_wire.call import Blocks, Call, Reply
from brokers.paper.ls_wire.formats import ACCOUNT_NAME, clock8, clock9, market_code, prefixed, short_code
from brokers.paper.ls_wire.price_types import NAMES
from brokers.paper.ls_wire.refusals import Refusal, business
from brokers.paper.orders import ExKind, ExOrder, ExStatus
from shared.domain.account import Market
from shared.domain.order import OrderType, Side, TimeInForce

ORDERS_A_PAGE = 100
CONDITION = {TimeInForce.DAY: "0", TimeInForce.IOC: "1", TimeInForce.FOK: "2"}
SIDE_CODE = {Side.SELL: "1", Side.BUY: "2"}
SIDE_WORD = {Side.SELL: "매도", Side.BUY: "매수"}
KIND_CODE = {ExKind.NEW: "0", ExKind.AMEND: "1", ExKind.CANCEL: "2"}
KIND_WORD = {ExKind.NEW: "정상", ExKind.AMEND: "정정", ExKind.CANCEL: "취소"}


def t0425(call: Call) -> Reply:
    filled_or_open, side = call.asked.text("chegb"), call.asked.text("medosu")
    if call.asked.text("sortgb") not in {"1", "2"} or filled_or_open not in {"0", "1", "2"}:
        raise Refusal("IGW40013", "정렬순서(sortgb) 확인이 필요합니다.", 500)
    newest_first = call.asked.text("sortgb") == "1"
    today = call.exchange.trade_date(Market.KRX)
    symbol = short_code(call.asked.text("expcode"))
    orders = [
        one
        for one in call.exchange.orders(call.account, Market.KRX, today, today)
        if (not symbol or one.symbol == symbol)
        and side in {"", "0", SIDE_CODE[one.side]}
        and (filled_or_open == "0" or (one.filled > 0 if filled_or_open == "1" else one.leaves > 0))
    ]
    cursor = call.cursor("cts_ordno")
    page, older = page_of(orders, int(cursor) if cursor.isdigit() else None, newest_first=newest_first)
    head = block("t0425OutBlock", cts_ordno=older, **_totals(call, orders))
    return Reply(
        {"t0425OutBlock": head, "t0425OutBlock1": [_today_row(call, one) for one in page]}, text=DONE, cont_key=older
    )


def page_of(orders: list[ExOrder], start: int | None, *, newest_first: bool) -> tuple[list[ExOrder], str]:
    """Return one page from order number `start` on, and the number that the next page begins with ("" when none)."""
    ordered = sorted(orders, key=lambda one: one.order_no, reverse=newest_first)
    if start is not None:
        ordered = [one for one in ordered if (one.order_no <= start if newest_first else one.order_no >= start)]
    rest = ordered[ORDERS_A_PAGE:]
    return ordered[:ORDERS_A_PAGE], str(rest[0].order_no) if rest else ""


def _totals(call: Call, orders: list[ExOrder]) -> dict[str, Decimal | int]:
    bought = sum((one.filled_amount for one in orders if one.side is Side.BUY), Decimal(0))
    sold = sum((one.filled_amount for one in orders if one.side is Side.SELL), Decimal(0))
    return {
        "tqty": sum(one.quantity for one in orders),
        "tcheqty": sum(one.filled for one in orders),
        "tordrem": sum(one.leaves for one in orders),
        "cmss": int((bought + sold) * FEE_RATE),
        "tamt": sum(((one.price or Decimal(0)) * one.quantity for one in orders), Decimal(0)),
        "tmdamt": sold,
        "tmsamt": bought,
        "tax": int(sold * TAX_RATE / 10) * 10,
    }


def status_word(order: ExOrder) -> str:
    if order.kind is ExKind.CANCEL:
        return "취소확인"
    if order.status is ExStatus.OPEN:
        return "정정확인" if order.kind is ExKind.AMEND else "접수"
    return "완료"


def _today_row(call: Call, order: ExOrder) -> Block:
    request, code = order.kind is ExKind.CANCEL, call.memory.types.code(order)
    return block(
        "t0425OutBlock1",
        ordno=order.order_no,
        expcode=order.symbol,
        medosu=SIDE_WORD[order.side],
        qty=order.quantity,
        price=order.price or 0,
        cheqty=order.filled,
        cheprice=order.average_price or 0,
        ordrem=order.leaves,
        cfmqty=order.quantity if order.kind is not ExKind.NEW else 0,
        status=status_word(order),
        orgordno=order.orig_order_no or 0,
        ordgb="보통" if order.order_type is OrderType.LIMIT else NAMES[code],
        ordtime=clock8(order.ordered_at),
        ordermtd="OPEN API",
        sysprocseq=order.order_no,
        hogagb="00" if request else code,
        price1=call.exchange.quote(order.symbol).price,
        orggb="02" if order.side is Side.BUY else "01",
        singb="00",
        exchname=order.venue.value,
    )


def cspaq13700(call: Call) -> Reply:
    ask = call.asked
    try:
        on = datetime.strptime(ask.text("OrdDt"), "%Y%m%d").date()  # noqa: DTZ007 - a bare date
    except ValueError:
        raise business("01715") from None
    newest_first = ask.text("BkseqTpCode") != "1"
    orders = [one for one in call.exchange.orders(call.account, Market.KRX, on, on) if _wanted(call, one)]
    start = int(call.cont_key) if call.cont and call.cont_key.isdigit() else ask.whole("SrtOrdNo2")
    page, older = page_of(orders, start, newest_first=newest_first)
    names = ("OrdMktCode", "BnsTpCode", "IsuNo", "ExecYn", "OrdDt", "BkseqTpCode", "OrdPtnCode")
    asked = block(
        "CSPAQ13700OutBlock1",
        RecCnt=1,
        AcntNo=call.account.number,
        InptPwd="********",
        SrtOrdNo2=ask.whole("SrtOrdNo2"),
        **{name: ask.text(name) for name in names},
    )
    buys = [one for one in orders if one.side is Side.BUY]
    sells = [one for one in orders if one.side is Side.SELL]
    totals = block(
        "CSPAQ13700OutBlock2",
        RecCnt=1,
        SellExecAmt=sum(one.filled_amount for one in sells),
        BuyExecAmt=sum(one.filled_amount for one in buys),
        SellExecQty=sum(one.filled for one in sells),
        BuyExecQty=sum(one.filled for one in buys),
        SellOrdQty=sum(one.quantity for one in sells),
        BuyOrdQty=sum(one.quantity for one in buys),
    )
    rows = [_dated_row(call, one, ask.text("OrdDt")) for one in page]
    blocks: Blocks = {"CSPAQ13700OutBlock1": asked, "CSPAQ13700OutBlock2": totals, "CSPAQ13700OutBlock3": rows}
    if not rows:
        return Reply(blocks, "00200", "조회내역이 없습니다.")
    if older:
        return Reply(blocks, "00133", "조회가 계속 됩니다.", cont_key=older)
    return Reply(blocks, ASKED, DONE)


def _wanted(call: Call, order: ExOrder) -> bool:
    """ExecYn 1 filled, 3 open; OrdPtnCode 98 and 01 sells, 99 and 02 buys."""
    ask = call.asked
    symbol, kind = short_code(ask.text("IsuNo")), ask.text("OrdPtnCode")
    state = ask.text("ExecYn")
    listing = call.exchange.listing(order.symbol)
    market = ask.text("OrdMktCode")
    return (
        (not symbol or order.symbol == symbol)
        and ask.text("BnsTpCode") in {"", "0", SIDE_CODE[order.side]}
        and (kind not in {"98", "99", "01", "02"} or (kind in {"98", "01"}) == (order.side is Side.SELL))
        and (state != "1" or order.filled > 0)
        and (state != "3" or order.leaves > 0)
        and (market in {"", "00"} or listing is None or market == market_code(listing))
    )


def _dated_row(call: Call, order: ExOrder, on: str) -> Block:
    listing, code = call.exchange.listing(order.symbol), call.memory.types.code(order)
    fills = call.exchange.executions(call.account, order.order_no)
    last_at = clock9(fills[-1].at) if fills else ""
    return block(
        "CSPAQ13700OutBlock3",
        OrdDt=on,
        MgmtBrnNo="209",
        OrdMktCode=market_code(listing) if listing else "10",
        OrdNo=order.order_no,
        OrgOrdNo=order.orig_order_no or 0,
        IsuNo=prefixed(order.symbol, listing),
        IsuNm=listing.name_ko if listing else "",
        BnsTpCode=SIDE_CODE[order.side],
        BnsTpNm=SIDE_WORD[order.side],
        OrdPtnCode="02" if order.side is Side.BUY else "01",
        OrdPtnNm=f"현금{SIDE_WORD[order.side]}",
        OrdTrxPtnNm="정상처리",
        MrcTpCode=KIND_CODE[order.kind],
        MrcTpNm=KIND_WORD[order.kind],
        MrcQty=order.canceled + order.moved if order.kind is ExKind.NEW else order.quantity,
        MrcAbleQty=order.leaves,
        OrdQty=order.quantity,
        OrdPrc=order.price or 0,
        ExecQty=order.filled,
        ExecPrc=order.average_price or 0,
        ExecTrxTime=last_at,
        LastExecTime=last_at,
        OrdprcPtnCode=code,
        OrdprcPtnNm=NAMES[code],
        OrdCndiTpCode=CONDITION[order.time_in_force],
        AllExecQty=order.filled,
        RegCommdaCode="40",
        CommdaNm="OPEN API",
        MbrNo="063",
        RsvOrdYn="0",
        OrdTime=clock9(order.ordered_at),
        OdrrId=ACCOUNT_NAME,
    )
