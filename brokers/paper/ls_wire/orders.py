"""Order TRs: CSPAT00601 new, CSPAT00701 amend, CSPAT00801 cancel (ls.md §3.5)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.ls_wire.blocks import Value, block
from brokers.paper.ls_wire.call import Call, Reply
from brokers.paper.ls_wire.formats import ACCOUNT_NAME, clock9, market_code, prefixed, short_code
from brokers.paper.ls_wire.price_types import BEST, FIRST, KRX_TYPES, chosen_price
from brokers.paper.ls_wire.refusals import Refusal, business, gateway, rejected
from brokers.paper.orders import ExOrder, Reject
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderType, Side, TimeInForce

SIDES = {"1": Side.SELL, "2": Side.BUY}
CONDITIONS = {"0": TimeInForce.DAY, "1": TimeInForce.IOC, "2": TimeInForce.FOK}
CASH_ONLY = {"", "000"}


class RefusedOrder(Exception):
    """A business refusal with the input echoed in OutBlock1 and a blank OutBlock2 (ls.md §3.5)."""

    def __init__(self, refusal: Refusal, reply: Reply) -> None:
        super().__init__(refusal.code)
        self.refusal, self.reply = refusal, reply


def new_order(call: Call) -> Reply:
    ask = call.asked
    echo = _echo(
        call,
        "CSPAT00601OutBlock1",
        IsuNo=ask.text("IsuNo"),
        OrdQty=ask.whole("OrdQty"),
        OrdPrc=ask.decimal("OrdPrc"),
        BnsTpCode=ask.text("BnsTpCode"),
        OrdprcPtnCode=ask.text("OrdprcPtnCode"),
        PrgmOrdprcPtnCode="00",
        StslAbleYn="0",
        StslOrdprcTpCode="0",
        MgntrnCode=ask.text("MgntrnCode"),
        LoanDt=ask.text("LoanDt"),
        MbrNo=_venue(call).value,
        OrdCndiTpCode=ask.text("OrdCndiTpCode"),
        OpDrtnNo="0",
        LpYn="0",
        CvrgTpCode="0",
    )
    try:
        order = _place(call)
    except Refusal as refusal:
        raise refused(refusal, "CSPAT00601", echo) from None
    done = block("CSPAT00601OutBlock2", SpareOrdNo=order.order_no, **_result(call, order), **_money(order))
    code = "00040" if order.side is Side.BUY else "00039"
    word = "매수" if order.side is Side.BUY else "매도"
    text = f"모의투자 {word}주문이 완료 되었습니다." if call.mock else f"{word} 주문이 완료되었습니다."
    return Reply({"CSPAT00601OutBlock1": echo, "CSPAT00601OutBlock2": done}, code, text)


def amend_order(call: Call) -> Reply:
    ask = call.asked
    echo = _echo(
        call,
        "CSPAT00701OutBlock1",
        OrgOrdNo=ask.whole("OrgOrdNo"),
        IsuNo=ask.text("IsuNo"),
        OrdQty=ask.whole("OrdQty"),
        OrdprcPtnCode=ask.text("OrdprcPtnCode"),
        OrdCndiTpCode=ask.text("OrdCndiTpCode"),
        OrdPrc=ask.decimal("OrdPrc"),
    )
    if not ask.text("OrdprcPtnCode"):
        raise gateway("IGW00000")
    try:
        order = _amend(call)
    except Refusal as refusal:
        raise refused(refusal, "CSPAT00701", echo) from None
    done = block(
        "CSPAT00701OutBlock2",
        PrntOrdNo=ask.whole("OrgOrdNo"),
        **_child(order),
        **_result(call, order),
        **_money(order),
    )
    code = "00462" if call.mock else "00132"
    text = "모의투자 정정주문이 완료 되었습니다." if call.mock else "정정주문이 완료되었습니다."
    return Reply({"CSPAT00701OutBlock1": echo, "CSPAT00701OutBlock2": done}, code, text)


def cancel_order(call: Call) -> Reply:
    ask = call.asked
    echo = _echo(
        call,
        "CSPAT00801OutBlock1",
        OrgOrdNo=ask.whole("OrgOrdNo"),
        IsuNo=ask.text("IsuNo"),
        OrdQty=ask.whole("OrdQty"),
    )
    try:
        order = _cancel(call)
    except Refusal as refusal:
        raise refused(refusal, "CSPAT00801", echo) from None
    done = block("CSPAT00801OutBlock2", PrntOrdNo=ask.whole("OrgOrdNo"), **_child(order), **_result(call, order))
    code = "00463" if call.mock else "00156"
    text = "모의투자 취소주문이 완료 되었습니다." if call.mock else "취소주문이 완료되었습니다."
    return Reply({"CSPAT00801OutBlock1": echo, "CSPAT00801OutBlock2": done}, code, text)


def _place(call: Call) -> ExOrder:
    ask = call.asked
    isu_no = ask.text("IsuNo")
    # 모의투자 takes A-prefixed codes only (ls.md §1.1).
    if len(isu_no) not in {6, 7} or (call.mock and len(isu_no) != 7):
        raise business("01407")
    side = SIDES.get(ask.text("BnsTpCode"))
    if side is None:  # the real 모의투자 books such an order as something: refused here on purpose
        raise business("01580")
    if ask.text("MgntrnCode") not in CASH_ONLY:
        raise business("01389")
    code = ask.text("OrdprcPtnCode")
    order_type = KRX_TYPES.get(code)
    if order_type is None:
        raise business("02030")
    if ask.whole("OrdQty") <= 0:
        raise business("02706")
    symbol = short_code(isu_no)
    price = _price(call, symbol, side, code)
    try:
        order = call.exchange.place(
            call.account,
            market=Market.KRX,
            symbol=symbol,
            side=side,
            quantity=ask.whole("OrdQty"),
            price=price,
            order_type=order_type,
            venue=_venue(call),
            time_in_force=_condition(call),
        )
    except Reject as reject:
        raise said(call, reject, symbol, price) from None
    call.memory.types.remember(order, code)
    return order


def _price(call: Call, symbol: str, side: Side, code: str) -> Decimal | None:
    """The price to work at; None at market. 최유리 and 최우선 take theirs from the book as it stands."""
    if KRX_TYPES[code] is OrderType.MARKET:
        return None
    if code in {BEST, FIRST}:
        if call.exchange.listing(symbol) is None:
            raise business("01407")
        price = chosen_price(call.exchange, symbol, side, code)
        if price is None:
            raise business("02030")
        return price
    price = call.asked.decimal("OrdPrc")
    if price <= 0:
        raise business("02705")
    return price


def _amend(call: Call) -> ExOrder:
    original = _original(call)
    order_type = KRX_TYPES.get(call.asked.text("OrdprcPtnCode"))
    _condition(call)
    if original.price is None:
        raise business("02031")
    if order_type is not OrderType.LIMIT:
        raise business("02030")
    price = call.asked.decimal("OrdPrc")
    if price <= 0:
        raise business("02705")
    if price == original.price:
        raise business("02257")
    try:
        return call.exchange.amend(call.account, original.order_no, quantity=call.asked.whole("OrdQty"), price=price)
    except Reject as reject:
        raise said(call, reject, original.symbol, price) from None


def _cancel(call: Call) -> ExOrder:
    original = _original(call)
    try:
        return call.exchange.cancel(call.account, original.order_no, quantity=call.asked.whole("OrdQty"))
    except Reject as reject:
        raise said(call, reject, original.symbol, None) from None


def _original(call: Call) -> ExOrder:
    order = call.exchange.order(call.account, call.asked.whole("OrgOrdNo"))
    if order is None or order.market is not Market.KRX:
        raise business("01433" if call.mock else "02259")
    isu_no = call.asked.text("IsuNo")
    if isu_no and short_code(isu_no) != order.symbol:
        raise business("02263")
    if call.asked.whole("OrdQty") <= 0:
        raise business("02706")
    return order


def _condition(call: Call) -> TimeInForce:
    condition = CONDITIONS.get(call.asked.text("OrdCndiTpCode"))
    if condition is None:
        raise business("01401")
    return condition


def _venue(call: Call) -> Venue:
    """NXT when asked for by name; anything else, blank included, is KRX."""
    return Venue.NXT if call.asked.text("MbrNo") == "NXT" else Venue.KRX


def said(call: Call, reject: Reject, symbol: str, price: Decimal | None, market: Market = Market.KRX) -> Refusal:
    """The engine's refusal in the words of LS."""
    known = call.exchange.listing(symbol) is not None
    return rejected(
        reject,
        call.account.env,
        price=price,
        limits=call.exchange.price_limits(symbol) if known else None,
        before_open=call.now().hour < 12,
        market=market,
    )


def refused(refusal: Refusal, tr: str, echo: dict[str, str | int]) -> RefusedOrder:
    blank = block(f"{tr}OutBlock2", RecCnt=1)
    return RefusedOrder(refusal, Reply({f"{tr}OutBlock1": echo, f"{tr}OutBlock2": blank}, refusal.code, refusal.text))


def _echo(call: Call, name: str, **values: Value) -> dict[str, str | int]:
    return block(name, RecCnt=1, AcntNo=call.account.number, InptPwd="********", CommdaCode="40", **values)


def _result(call: Call, order: ExOrder) -> dict[str, Value]:
    listing = call.exchange.listing(order.symbol)
    return {
        "RecCnt": 1,
        "OrdNo": order.order_no,
        "OrdTime": clock9(order.ordered_at),
        "OrdMktCode": market_code(listing) if listing else "10",
        "OrdPtnCode": "02" if order.side is Side.BUY else "01",
        "ShtnIsuNo": prefixed(order.symbol, listing),
        "MgempNo": "999999209",
        "AcntNm": ACCOUNT_NAME,
        "IsuNm": listing.name_ko if listing else "",
    }


def _child(order: ExOrder) -> dict[str, Value]:
    """What an amend or cancel repeats of the order it names."""
    return {
        "PrgmOrdprcPtnCode": "00",
        "StslOrdprcTpCode": "0",
        "StslAbleYn": "0",
        "MgntrnCode": "000",
        "CvrgOrdTp": "0",
        "LpYn": "0",
        "BnsTpCode": "2" if order.side is Side.BUY else "1",
    }


def _money(order: ExOrder) -> dict[str, Value]:
    amount = (order.price or Decimal(0)) * order.quantity
    return {"OrdAmt": amount, "MnyOrdAmt": amount}
