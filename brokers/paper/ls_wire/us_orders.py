"""US order TRs: COSAT00301 buys, sells and cancels, COSAT00311 amends the price (ls.md §4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from brokers.paper.listings import Listing
from brokers.paper.ls_wire.blocks import block
from brokers.paper.ls_wire.call import Call, Reply
from brokers.paper.ls_wire.formats import ACCOUNT_NAME
from brokers.paper.ls_wire.orders import refused, said
from brokers.paper.ls_wire.price_types import PRICED, US_TYPES
from brokers.paper.ls_wire.refusals import Refusal, business
from brokers.paper.ls_wire.us import echoed, find
from brokers.paper.orders import ExOrder, Reject
from shared.domain.account import Market
from shared.domain.order import Side

SELL, BUY, AMEND, CANCEL = "01", "02", "07", "08"
SIDES = {SELL: Side.SELL, BUY: Side.BUY}
# As domestic orders: no public sample of an answer exists (ls.md §4).
DONE = {
    SELL: ("00039", "매도 주문이 완료되었습니다."),
    BUY: ("00040", "매수 주문이 완료되었습니다."),
    AMEND: ("00132", "정정주문이 완료되었습니다."),
    CANCEL: ("00156", "취소주문이 완료되었습니다."),
}


def cosat00301(call: Call) -> Reply:
    return _answer(call, "COSAT00301", {SELL: _place, BUY: _place, CANCEL: _cancel})


def cosat00311(call: Call) -> Reply:
    return _answer(call, "COSAT00311", {AMEND: _amend})


def _answer(call: Call, tr: str, deeds: dict[str, Callable[[Call], ExOrder]]) -> Reply:
    ask = call.asked
    asked = ask.text("OrdPtnCode")
    echo = block(
        f"{tr}OutBlock1",
        RecCnt=1,
        OrgOrdNo=ask.whole("OrgOrdNo"),
        AcntNo=call.account.number,
        InptPwd="********",
        OrdQty=ask.whole("OrdQty"),
        OvrsOrdPrc=ask.decimal("OvrsOrdPrc"),
        RegCommdaCode="40",
        **echoed(call, "OrdPtnCode", "OrdMktCode", "IsuNo", "OrdprcPtnCode", "BrkTpCode"),
    )
    try:
        deed = deeds.get(asked)
        if deed is None:
            raise business("01580")
        order = deed(call)
    except Refusal as refusal:
        raise refused(refusal, tr, echo) from None
    listing = call.exchange.listing(order.symbol)
    done = block(
        f"{tr}OutBlock2",
        RecCnt=1,
        OrdNo=order.order_no,
        AcntNm=ACCOUNT_NAME,
        IsuNm=listing.name_ko if listing else "",
    )
    return Reply({f"{tr}OutBlock1": echo, f"{tr}OutBlock2": done}, *DONE[asked])


def _listing(call: Call) -> Listing:
    listing = find(call.exchange, call.asked.text("OrdMktCode"), call.asked.text("IsuNo"))
    if listing is None:
        raise business("01407")
    return listing


def _place(call: Call) -> ExOrder:
    listing, side = _listing(call), SIDES[call.asked.text("OrdPtnCode")]
    order_type = US_TYPES.get(call.asked.text("OrdprcPtnCode"))
    # A buy takes prices only: the portal's table lists market, MOO and MOC for sells (호가유형 확대).
    if order_type is None or (side is Side.BUY and order_type not in PRICED):
        raise business("02030")
    if call.asked.whole("OrdQty") <= 0:
        raise business("02706")
    price = call.asked.decimal("OvrsOrdPrc") if order_type in PRICED else None
    if price is not None and price <= 0:
        raise business("02705")
    try:
        return call.exchange.place(
            call.account,
            market=Market.US,
            symbol=listing.symbol,
            side=side,
            quantity=call.asked.whole("OrdQty"),
            price=price,
            order_type=order_type,
            venue=listing.venue,
        )
    except Reject as reject:
        raise said(call, reject, listing.symbol, price, Market.US) from None


def _cancel(call: Call) -> ExOrder:
    """`OrdQty` 0 takes all that is left."""
    original = _original(call)
    try:
        return call.exchange.cancel(call.account, original.order_no, quantity=call.asked.whole("OrdQty") or None)
    except Reject as reject:
        raise said(call, reject, original.symbol, None, Market.US) from None


def _amend(call: Call) -> ExOrder:
    """The price only: `OrdQty` is 0."""
    original, price = _original(call), call.asked.decimal("OvrsOrdPrc")
    if original.price is None:
        raise business("02031")
    if call.asked.whole("OrdQty"):
        raise business("02706")
    if price <= Decimal(0):
        raise business("02705")
    if price == original.price:
        raise business("02257")
    try:
        return call.exchange.amend(call.account, original.order_no, quantity=None, price=price)
    except Reject as reject:
        raise said(call, reject, original.symbol, price, Market.US) from None


def _original(call: Call) -> ExOrder:
    order = call.exchange.order(call.account, call.asked.whole("OrgOrdNo"))
    if order is None or order.market is not Market.US:
        raise business("02259")
    # The maintainer's sample leaves market and symbol blank on amend and cancel.
    if call.asked.text("IsuNo") and _listing(call).symbol != order.symbol:
        raise business("02263")
    return order
