"""US account TRs: COSOQ00201 balance, COSOQ02701 cash, COSAQ00102 orders and fills of a day (ls.md §4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from brokers.paper.accounts import CashView, Holding
from brokers.paper.ls_wire.account import ASKED, DONE
from brokers.paper.ls_wire.blocks import Block, Value, block
from brokers.paper.ls_wire.call import Blocks, Call, Reply
from brokers.paper.ls_wire.formats import clock9
from brokers.paper.ls_wire.history import KIND_CODE, KIND_WORD, SIDE_CODE, SIDE_WORD, page_of
from brokers.paper.ls_wire.price_types import NAMES
from brokers.paper.ls_wire.refusals import business
from brokers.paper.ls_wire.us import ISINS, echoed, exchange_of, find
from brokers.paper.orders import ExKind, ExOrder
from shared.domain.account import Market
from shared.domain.money import Currency
from shared.domain.order import Side

WON_A_DOLLAR = Decimal(1450)  # the exchange changes no money: a fixed rate for the won figures
EVERY = {"", "ALL", "USD"}


def _in_won(amount: Decimal) -> Decimal:
    return amount * WON_A_DOLLAR


def _worth(call: Call, one: Holding) -> Decimal:
    return call.exchange.quote(one.symbol).price * one.quantity


def cosoq00201(call: Call) -> Reply:
    cash, won = call.exchange.cash(call.account, Currency.USD), call.exchange.cash(call.account, Currency.KRW)
    wanted = call.asked.text("CrcyCode") in EVERY
    holdings = call.exchange.holdings(call.account, Market.US) if wanted else []
    worth = sum((_worth(call, one) for one in holdings), Decimal(0))
    cost = sum((one.cost for one in holdings), Decimal(0))
    asked = block(
        "COSOQ00201OutBlock1",
        RecCnt=1,
        AcntNo=call.account.number,
        Pwd="********",
        **echoed(call, "BaseDt", "CrcyCode", "AstkBalTpCode"),
    )
    out = block(
        "COSOQ00201OutBlock2",
        RecCnt=1,
        ErnRat=_percent(worth - cost, cost),
        DpsConvEvalAmt=_in_won(cash.total),
        StkConvEvalAmt=_in_won(worth),
        DpsastConvEvalAmt=_in_won(cash.total + worth),
        WonEvalSumAmt=_in_won(cost),
        ConvEvalPnlAmt=_in_won(worth - cost),
        WonDpsBalAmt=won.settled,
        D2EstiDps=won.total,
    )
    rows = [_currency_row(cash, worth, cost)] if wanted else []
    shares = [_share_row(call, one) for one in holdings]
    blocks: Blocks = {
        "COSOQ00201OutBlock1": asked,
        "COSOQ00201OutBlock2": out,
        "COSOQ00201OutBlock3": rows,
        "COSOQ00201OutBlock4": shares,
    }
    return Reply(blocks, "00001", "조회가 완료되었습니다")


def _percent(gain: Decimal, cost: Decimal) -> Decimal:
    return gain / cost * 100 if cost else Decimal(0)


def _currency_row(cash: CashView, worth: Decimal, cost: Decimal) -> Block:
    return block(
        "COSOQ00201OutBlock3",
        CrcyCode="USD",
        FcurrDps=cash.total,
        FcurrEvalAmt=worth,
        FcurrEvalPnlAmt=worth - cost,
        PnlRat=_percent(worth - cost, cost),
        BaseXchrat=WON_A_DOLLAR,
        DpsConvEvalAmt=_in_won(cash.total),
        PchsAmt=_in_won(cost),
        StkConvEvalAmt=_in_won(worth),
        ConvEvalPnlAmt=_in_won(worth - cost),
        FcurrBuyAmt=cost,
        FcurrOrdAbleAmt=cash.orderable,
    )


def _share_row(call: Call, one: Holding) -> Block:
    listing, trade = call.exchange.listing(one.symbol), call.exchange.quote(one.symbol)
    exchcd = exchange_of(listing) if listing else ""
    isin = ISINS.get(one.symbol, "")
    worth = _worth(call, one)
    return block(
        "COSOQ00201OutBlock4",
        CrcyCode="USD",
        ShtnIsuNo=one.symbol,
        IsuNo=isin or one.symbol,
        JpnMktHanglIsuNm=listing.name_ko if listing else "",
        AstkBalTpCode="10",
        AstkBalTpCodeNm="일반",
        AstkBalQty=one.quantity,
        AstkSellAbleQty=one.sellable,
        FcstckUprc=one.average_price,
        FcurrBuyAmt=one.cost,
        FcstckMktIsuCode=exchcd + (isin or one.symbol),
        OvrsScrtsCurpri=trade.price,
        FcurrEvalAmt=worth,
        FcurrEvalPnlAmt=worth - one.cost,
        PnlRat=_percent(worth - one.cost, one.cost),
        BaseXchrat=WON_A_DOLLAR,
        PchsAmt=_in_won(one.cost),
        StkConvEvalAmt=_in_won(worth),
        ConvEvalPnlAmt=_in_won(worth - one.cost),
        AstkSettQty=one.quantity - one.bought_today + one.sold_today,
        MktTpNm=listing.venue.value if listing else "",
        FcurrMktCode=exchcd,
        AstkBasePrc=trade.prev_close,
    )


def cosoq02701(call: Call) -> Reply:
    cash, won = call.exchange.cash(call.account, Currency.USD), call.exchange.cash(call.account, Currency.KRW)
    wanted = call.asked.text("CrcyCode") in EVERY
    asked = block(
        "COSOQ02701OutBlock1", RecCnt=1, AcntNo=call.account.number, Pwd="********", **echoed(call, "CrcyCode")
    )
    blocks: Blocks = {
        "COSOQ02701OutBlock1": asked,
        "COSOQ02701OutBlock2": [_settling_row(cash)] if wanted else [],
        "COSOQ02701OutBlock3": [
            block(
                "COSOQ02701OutBlock3",
                CntryNm="미국",
                CrcyCode="USD",
                T4FcurrDps=cash.total,
                FcurrDps=cash.settled,
                FcurrOrdAbleAmt=cash.orderable,
                PrexchOrdAbleAmt=cash.orderable,
                FcurrOrdAmt=cash.reserved,
                FcurrMxchgAbleAmt=min(cash.settled, cash.orderable),
                BaseXchrat=WON_A_DOLLAR,
            )
        ]
        if wanted
        else [],
        "COSOQ02701OutBlock4": block(
            "COSOQ02701OutBlock4", RecCnt=1, WonDpsBalAmt=won.settled, MnyoutAbleAmt=min(won.settled, won.orderable)
        ),
        "COSOQ02701OutBlock5": block("COSOQ02701OutBlock5", RecCnt=1, NrfCode="10"),
    }
    return Reply(blocks, ASKED, DONE)


def _settling_row(cash: CashView) -> Block:
    """What settles on the next four days, and the cash after each."""
    fields: dict[str, Value] = {"CrcyCode": "USD"}
    days, after = sorted(cash.due), cash.settled
    for i in range(1, 5):
        amount = days[i - 1][1] if i <= len(days) else Decimal(0)
        after += amount
        fields[f"FcurrBuyAdjstAmt{i}"] = max(-amount, Decimal(0))
        fields[f"FcurrSellAdjstAmt{i}"] = max(amount, Decimal(0))
        fields[f"PrsmptFcurrDps{i}"] = after
        fields[f"PrsmptMxchgAbleAmt{i}"] = min(after, cash.orderable)
    return block("COSOQ02701OutBlock2", **fields)


def cosaq00102(call: Call) -> Reply:
    """`BkseqTpCode` 1 newest first, 2 oldest first; `ExecYn` 1 filled, 2 open: not as CSPAQ13700 has them.

    Days are New York's; a blank `OrdDt` is today.
    """
    ask = call.asked
    today = f"{call.exchange.trade_date(Market.US):%Y%m%d}"
    try:
        on = datetime.strptime(ask.text("OrdDt") or today, "%Y%m%d").date()  # noqa: DTZ007 - a bare date
    except ValueError:
        raise business("01715") from None
    newest_first = ask.text("BkseqTpCode") != "2"
    orders = [one for one in call.exchange.orders(call.account, Market.US, on, on) if _wanted(call, one)]
    start = int(call.cont_key) if call.cont and call.cont_key.isdigit() else ask.whole("SrtOrdNo")
    page, older = page_of(orders, start, newest_first=newest_first)
    names = ("QryTpCode", "BkseqTpCode", "OrdMktCode", "BnsTpCode", "IsuNo", "OrdDt", "ExecYn", "CrcyCode")
    asked = block(
        "COSAQ00102OutBlock1",
        RecCnt=1,
        AcntNo=call.account.number,
        Pwd="********",
        SrtOrdNo=ask.whole("SrtOrdNo"),
        **echoed(call, *names, "ThdayBnsAppYn", "LoanBalHldYn"),
    )
    buys = [one for one in orders if one.side is Side.BUY]
    sells = [one for one in orders if one.side is Side.SELL]
    totals = block(
        "COSAQ00102OutBlock2",
        RecCnt=1,
        SellExecFcurrAmt=sum((one.filled_amount for one in sells), Decimal(0)),
        SellExecQty=sum(one.filled for one in sells),
        BuyExecFcurrAmt=sum((one.filled_amount for one in buys), Decimal(0)),
        BuyExecQty=sum(one.filled for one in buys),
    )
    rows = [_order_row(call, one) for one in page]
    blocks: Blocks = {"COSAQ00102OutBlock1": asked, "COSAQ00102OutBlock2": totals, "COSAQ00102OutBlock3": rows}
    if not rows:
        return Reply(blocks, "00200", "조회내역이 없습니다.")
    if older:
        return Reply(blocks, "00133", "조회가 계속 됩니다.", cont_key=older)
    return Reply(blocks, ASKED, DONE)


def _wanted(call: Call, order: ExOrder) -> bool:
    ask = call.asked
    listing, market, state = call.exchange.listing(order.symbol), ask.text("OrdMktCode"), ask.text("ExecYn")
    exchcd = exchange_of(listing) if listing else ""
    named = find(call.exchange, exchcd, ask.text("IsuNo")) if ask.text("IsuNo") else listing
    return (
        named is listing
        and (market in {"", "00"} or market == exchcd)
        and ask.text("BnsTpCode") in {"", "0", SIDE_CODE[order.side]}
        and ask.text("CrcyCode") in EVERY | {"000"}
        and (state != "1" or order.filled > 0)
        and (state != "2" or order.leaves > 0)
    )


def _order_row(call: Call, order: ExOrder) -> Block:
    listing, code = call.exchange.listing(order.symbol), call.memory.types.code(order)
    fills = call.exchange.executions(call.account, order.order_no)
    exchcd = exchange_of(listing) if listing else ""
    side = SIDE_WORD[order.side]
    return block(
        "COSAQ00102OutBlock3",
        MgmtBrnNo="209",
        AcntNo=call.account.number,
        ExecTime=clock9(fills[-1].at) if fills else "",
        OrdTime=clock9(order.ordered_at),
        OrdNo=order.order_no,
        OrgOrdNo=order.orig_order_no or 0,
        ShtnIsuNo=order.symbol,
        OrdTrxPtnNm=_state_word(order),
        MrcAbleQty=order.leaves,
        OrdQty=order.quantity,
        OvrsOrdPrc=order.price or 0,
        ExecQty=order.filled,
        OvrsExecPrc=order.average_price or 0,
        OrdprcPtnCode=code,
        OrdprcPtnNm=NAMES[code],
        OrdPtnNm=side,
        OrdPtnCode="08" if order.kind is ExKind.CANCEL else "02" if order.side is Side.BUY else "01",
        MrcTpCode="" if order.kind is ExKind.NEW else KIND_CODE[order.kind],
        MrcTpNm=KIND_WORD[order.kind],
        AllExecQty=order.filled,
        CommdaCode="40",
        OrdMktCode=exchcd,
        MktNm=listing.venue.value if listing else "",
        CommdaNm="OPEN API",
        JpnMktHanglIsuNm=listing.name_ko if listing else "",
        UnercQty=order.leaves,
        CnfQty=order.quantity if order.kind is not ExKind.NEW else 0,
        CrcyCode="USD",
        RegMktCode=exchcd,
        IsuNo=order.symbol,
        BnsTpCode=SIDE_CODE[order.side],
    )


def _state_word(order: ExOrder) -> str:
    if order.kind is ExKind.CANCEL or (order.canceled and not order.leaves):
        return "취소완료"
    if order.filled and not order.leaves:
        return "체결완료"
    return "정정완료" if order.kind is ExKind.AMEND else "접수완료"
