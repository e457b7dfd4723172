"""US orders: place, amend, cancel, open orders, orders and executions (kis.md §3.2, §3.3, §3.8, §3.9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from brokers.paper.accounts import ExEnv, Profile
from brokers.paper.kis_wire.answers import Answer, Json, listed, transmitted
from brokers.paper.kis_wire.calls import Call, account_trs, ctx_area, page
from brokers.paper.kis_wire.fields import (
    NEW_YORK,
    SIDE_NAMES,
    SIDE_TO_KIS,
    fixed,
    hms,
    parse_decimal,
    parse_quantity,
    ymd,
)
from brokers.paper.kis_wire.symbols import (
    BY_QUOTE,
    BY_TRADING,
    US_EXCHANGES,
    UsExchange,
    us_listing,
    venues_asked,
)
from brokers.paper.listings import Listing
from brokers.paper.orders import ExKind, ExOrder, ExStatus, RejectReason
from shared.domain.account import Market
from shared.domain.order import PRICED, OrderSession, OrderType, Side

ORDER = "/uapi/overseas-stock/v1/trading/order"
AMEND_CANCEL = "/uapi/overseas-stock/v1/trading/order-rvsecncl"
DAY_ORDER = "/uapi/overseas-stock/v1/trading/daytime-order"
DAY_AMEND_CANCEL = "/uapi/overseas-stock/v1/trading/daytime-order-rvsecncl"
OPEN_ORDERS = "/uapi/overseas-stock/v1/trading/inquire-nccs"
EXECUTIONS = "/uapi/overseas-stock/v1/trading/inquire-ccnl"

BRANCH = {ExEnv.LIVE: "01790", ExEnv.MOCK: "00950"}
ROWS_PER_PAGE = 20
AMEND, CANCEL = "01", "02"  # RVSE_CNCL_DVSN_CD
KIND_TO_KIS = {ExKind.NEW: "00", ExKind.AMEND: AMEND, ExKind.CANCEL: CANCEL}
KIND_NAMES = {ExKind.NEW: "", ExKind.AMEND: "정정", ExKind.CANCEL: "취소"}

ORDER_TYPES = {  # ORD_DVSN; TWAP and VWAP (35, 36) are not traded here
    "00": OrderType.LIMIT,
    "31": OrderType.MOO,
    "32": OrderType.LOO,
    "33": OrderType.MOC,
    "34": OrderType.LOC,
}
FAR = Decimal("0.2")  # of the last price
SELL_ONLY = frozenset({OrderType.MOO, OrderType.MOC})


def place(call: Call, session: OrderSession = OrderSession.REGULAR) -> Answer:
    """Place a buy or sell. The side is the TR's: KIS has no side field (kis.md §3.2)."""
    side = order_side(call)
    home, listing = asked_home(call)
    order_type = order_type_of(call, session)
    quantity = parse_quantity(call.need("ORD_QTY"))
    if listing is None or home is None:
        call.refuse(RejectReason.UNKNOWN_SYMBOL, call.get("PDNO"))
    price = _asked_price(call, listing.symbol)
    order = call.exchange.place(
        call.account,
        market=Market.US,
        symbol=listing.symbol,
        side=side,
        quantity=quantity or 0,
        price=(price or Decimal(0)) if order_type in PRICED else None,
        order_type=order_type,
        venue=home.venue,
        session=session,
    )
    return transmitted(order_receipt(call, order, BRANCH[call.env]), call.env, side)


def place_day_market(call: Call) -> Answer:
    """Place in the day market (주간거래): a book of its own, limit orders only (kis.md §3.4)."""
    return place(call, OrderSession.DAY_MARKET)


def _asked_price(call: Call, symbol: str) -> Decimal | None:
    """Read the price. compat cuts one far from the market to the tick: clients send half or one and a half of the last
    price for an order at market, with whatever decimals that has (kis.md §3.2)."""
    price = parse_decimal(call.need("OVRS_ORD_UNPR"))
    last = call.exchange.quote(symbol).price
    if not price or price < 0 or call.exchange.profile is Profile.STRICT or abs(price - last) < last * FAR:
        return price
    return price // (tick := call.exchange.tick_size(symbol, price)) * tick


def order_side(call: Call) -> Side:
    assert call.tr.side is not None, "the table gives every order TR its side"
    return call.tr.side


def asked_home(call: Call) -> tuple[UsExchange | None, Listing | None]:
    """The exchange and the symbol an order names; compat also takes the quote's name of the exchange."""
    code = call.need("OVRS_EXCG_CD")
    tolerant = call.exchange.profile is Profile.COMPAT
    home = BY_TRADING.get(code) or (BY_QUOTE.get(code) if tolerant else None)
    return home, us_listing(call.exchange, call.need("PDNO"), home)


def order_type_of(call: Call, session: OrderSession = OrderSession.REGULAR) -> OrderType:
    """Read ORD_DVSN; refuses what this side, session or environment does not take (kis.md §3.2, §3.4)."""
    code = call.get("ORD_DVSN") or "00"
    order_type = ORDER_TYPES.get(code)
    if order_type is None or (order_type in SELL_ONLY and call.tr.side is Side.BUY):
        call.refuse(RejectReason.UNSUPPORTED_TYPE, f"ORD_DVSN {code}")
    limit_only = call.env is ExEnv.MOCK or session is OrderSession.DAY_MARKET
    if limit_only and order_type is not OrderType.LIMIT:
        call.refuse(RejectReason.UNSUPPORTED_TYPE, f"{call.env} {session} takes limit orders only")
    return order_type


def amend_or_cancel(call: Call, session: OrderSession = OrderSession.REGULAR) -> Answer:
    """Amend or cancel by order number. A cancel quantity of 0 is the whole remainder (kis.md §3.3).

    Orders of the day market are another book's: each TR changes only its own (kis.md §3.4, §6.4).
    """
    original = open_order_named(call, Market.US)
    order = call.exchange.order(call.account, original)
    day = session is OrderSession.DAY_MARKET
    if order is not None and (order.session is OrderSession.DAY_MARKET) is not day:
        call.refuse(RejectReason.NOT_IN_SESSION, f"order {original} is of the session {order.session}")
    quantity = parse_quantity(call.need("ORD_QTY"))
    if quantity is None:
        call.refuse(RejectReason.BAD_QUANTITY, call.get("ORD_QTY"))
    asked = call.need("RVSE_CNCL_DVSN_CD")
    if asked == CANCEL:
        order = call.exchange.cancel(call.account, original, quantity=quantity or None)
    elif asked == AMEND:
        price = parse_decimal(call.need("OVRS_ORD_UNPR")) or Decimal(0)  # no price is a bad one, not the old one
        order = call.exchange.amend(call.account, original, quantity=quantity or None, price=price)
    else:
        call.refuse(RejectReason.UNSUPPORTED_TYPE, f"RVSE_CNCL_DVSN_CD {asked}")
    return transmitted(order_receipt(call, order, BRANCH[call.env]), call.env, None)


def amend_or_cancel_day_market(call: Call) -> Answer:
    return amend_or_cancel(call, OrderSession.DAY_MARKET)


def open_order_named(call: Call, market: Market) -> int:
    """Read ORGN_ODNO as a number that this account has in this market; padding does not matter (kis.md §7.2)."""
    number = call.need("ORGN_ODNO")
    known = re.fullmatch(r"\d{1,10}", number, re.ASCII)
    order = call.exchange.order(call.account, int(number)) if known else None
    if order is None or order.market is not market:
        call.refuse(RejectReason.UNKNOWN_ORDER, number)
    return order.order_no


def order_receipt(call: Call, order: ExOrder, branch: str) -> Json:
    return {
        "KRX_FWDG_ORD_ORGNO": branch,
        "ODNO": call.order_id(order.order_no),
        "ORD_TMD": hms(order.ordered_at),
    }


def open_orders(call: Call) -> Answer:
    venues = venues_asked(call.get("OVRS_EXCG_CD"), ExEnv.LIVE)  # here NASD is the whole US on both hosts
    rows = [order for order in call.exchange.open_orders(call.account, Market.US) if order.venue in venues]
    return _list(call, rows, _open_row, (call.get("OVRS_EXCG_CD"), call.get("SORT_SQN")))


def executions(call: Call) -> Answer:
    """One row per order with cumulative fills; dates are US dates. 모의 ignores every filter (kis.md §3.9)."""
    since, until = call.day("ORD_STRT_DT"), call.day("ORD_END_DT")
    rows = call.exchange.orders(call.account, Market.US, since, until)
    if call.env is ExEnv.LIVE:
        rows = [order for order in rows if _wanted(call, order)]
    conditions = (call.get("PDNO"), call.get("ORD_STRT_DT"), call.get("ORD_END_DT"), call.get("OVRS_EXCG_CD"))
    return _list(call, rows, _execution_row, conditions)


def _wanted(call: Call, order: ExOrder) -> bool:
    symbol, side, state = call.get("PDNO"), call.get("SLL_BUY_DVSN"), call.get("CCLD_NCCS_DVSN")
    return (
        symbol in ("", "%", order.symbol)
        and side in ("", "00", SIDE_TO_KIS[order.side])
        and (state in ("", "00") or (state == "01" and order.filled > 0) or (state == "02" and order.leaves > 0))
        and order.venue in venues_asked(call.get("OVRS_EXCG_CD"), ExEnv.LIVE)
    )


def _list(
    call: Call, orders: Sequence[ExOrder], row: Callable[[Call, ExOrder], Json], conditions: Sequence[str]
) -> Answer:
    ascending = call.env is ExEnv.LIVE and call.get("SORT_SQN") == "DS"
    ordered = sorted(orders, key=lambda order: order.order_no, reverse=not ascending)
    cut = page(ordered, lambda order: order.order_no, call, size=ROWS_PER_PAGE, area="200", descending=not ascending)
    body = {**ctx_area(call, 200, cut.next_key, *conditions), "output": [row(call, order) for order in cut.rows]}
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _shared_fields(call: Call, order: ExOrder) -> Json:
    home, listing = US_EXCHANGES[order.venue], call.exchange.listing(order.symbol)
    return {
        "ord_dt": ymd(order.ordered_at, NEW_YORK),
        "ord_gno_brno": BRANCH[call.env],
        "odno": call.order_id(order.order_no),
        "orgn_odno": call.order_id(order.orig_order_no),
        "pdno": order.symbol,
        "prdt_name": listing.name_ko if listing else order.symbol,
        "sll_buy_dvsn_cd": SIDE_TO_KIS[order.side],
        "sll_buy_dvsn_cd_name": SIDE_NAMES[order.side],
        "rjct_rson": "1" if order.status is ExStatus.EXPIRED else "",
        "rjct_rson_name": "장마감으로 주문이 취소되었습니다" if order.status is ExStatus.EXPIRED else "",
        "ord_tmd": hms(order.ordered_at),
        "tr_mket_name": home.name,
        "tr_crcy_cd": "USD",
        "ft_ord_qty": str(order.quantity),
        "ft_ccld_qty": str(order.filled),
        "nccs_qty": str(order.leaves),
        "ft_ord_unpr3": fixed(order.price or 0, 8),
        "ft_ccld_unpr3": fixed(order.average_price or 0, 8),
        "ft_ccld_amt3": fixed(order.filled_amount, 5),
        "ovrs_excg_cd": home.trading,
        "prcs_stat_name": _stage(order),
        "loan_type_cd": "10",
        "loan_dt": "",
        "usa_amk_exts_rqst_yn": "N",
        "splt_buy_attr_name": "",
    }


def _stage(order: ExOrder) -> str:
    if order.status is ExStatus.OPEN:
        return "전송"
    return "거부" if order.status is ExStatus.EXPIRED else "완료"


def _open_row(call: Call, order: ExOrder) -> Json:
    return {
        **_shared_fields(call, order),
        "rvse_cncl_dvsn_cd": KIND_TO_KIS[order.kind],
        "rvse_cncl_dvsn_cd_name": KIND_NAMES[order.kind],
        "natn_cd": "840",
        "natn_kor_name": "미국",
    }


def _execution_row(call: Call, order: ExOrder) -> Json:
    return {
        **_shared_fields(call, order),
        "rvse_cncl_dvsn": KIND_TO_KIS[order.kind],
        "rvse_cncl_dvsn_name": KIND_NAMES[order.kind],
        "tr_natn": "840",
        "tr_natn_name": "미국",
        "dmst_ord_dt": ymd(order.ordered_at),
        "thco_ord_tmd": hms(order.ordered_at),
        "mdia_dvsn_name": "OpenAPI",
    }


US, LIVE_SELL, MOCK_SELL = Market.US, ("TTTT1006U", "JTTT1006U"), ("VTTT1001U", "VTTT1006U")
TRS = [
    *account_trs(US, "POST", ORDER, place, live=("TTTT1002U", "JTTT1002U"), mock=("VTTT1002U",), side=Side.BUY),
    *account_trs(US, "POST", ORDER, place, live=LIVE_SELL, mock=MOCK_SELL, side=Side.SELL),
    *account_trs(US, "POST", AMEND_CANCEL, amend_or_cancel, live=("TTTT1004U",), mock=("VTTT1004U",)),
    *account_trs(US, "POST", DAY_ORDER, place_day_market, live=("TTTS6036U",), mock=(), side=Side.BUY),
    *account_trs(US, "POST", DAY_ORDER, place_day_market, live=("TTTS6037U",), mock=(), side=Side.SELL),
    *account_trs(US, "POST", DAY_AMEND_CANCEL, amend_or_cancel_day_market, live=("TTTS6038U",), mock=()),
    *account_trs(US, "GET", OPEN_ORDERS, open_orders, live=("TTTS3018R",), mock=("VTTS3018R",)),
    *account_trs(US, "GET", EXECUTIONS, executions, live=("TTTS3035R",), mock=("VTTS3035R",)),
]
