"""KRX orders: place, amend, cancel, amendable orders, orders and executions (kis.md §4.2 to §4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, listed, transmitted
from brokers.paper.kis_wire.calls import Call, account_trs, ctx_area, page
from brokers.paper.kis_wire.fields import SIDE_NAMES, SIDE_TO_KIS, fixed, hms, parse_decimal, parse_quantity, ymd
from brokers.paper.kis_wire.kinds_krx import KINDS, asked_kind, kind_price, type_code
from brokers.paper.kis_wire.overseas import AMEND, CANCEL, KIND_NAMES, open_order_named, order_receipt
from brokers.paper.kis_wire.symbols import krx_listing
from brokers.paper.orders import ExKind, ExOrder, RejectReason
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderType, Side, TimeInForce

BASE = "/uapi/domestic-stock/v1/trading/"
BRANCH = {ExEnv.LIVE: "91252", ExEnv.MOCK: "00950"}
AMENDABLE_PER_PAGE = 50
EXECUTIONS_PER_PAGE = {ExEnv.LIVE: 100, ExEnv.MOCK: 15}

VENUES = {"": Venue.KRX, "KRX": Venue.KRX, "NXT": Venue.NXT, "SOR": Venue.SOR}
VENUE_NAMES = {Venue.KRX: "한국거래소", Venue.NXT: "넥스트레이드", Venue.SOR: "SOR"}


def place(call: Call) -> Answer:
    """Place a cash buy or sell; the side is the TR's. Without EXCG_ID_DVSN_CD it goes to KRX (kis.md §4.2)."""
    side = call.tr.side
    assert side is not None, "the table gives every order TR its side"
    venue = VENUES.get(call.get("EXCG_ID_DVSN_CD"))
    if venue is None or (call.env is ExEnv.MOCK and venue is not Venue.KRX):
        call.refuse(RejectReason.UNSUPPORTED_TYPE, f"EXCG_ID_DVSN_CD {call.get('EXCG_ID_DVSN_CD')}")
    kind = asked_kind(call, venue)
    listing = krx_listing(call.exchange, call.need("PDNO"))
    if listing is None:
        call.refuse(RejectReason.UNKNOWN_SYMBOL, call.get("PDNO"))
    price = kind_price(call.exchange, kind, listing.symbol, side, parse_decimal(call.need("ORD_UNPR")) or Decimal(0))
    order = call.exchange.place(
        call.account,
        market=Market.KRX,
        symbol=listing.symbol,
        side=side,
        quantity=parse_quantity(call.need("ORD_QTY")) or 0,
        price=price,
        order_type=kind.order_type,
        venue=venue,
        time_in_force=kind.time_in_force,
    )
    return transmitted(order_receipt(call, order, BRANCH[call.env]), call.env, side)


def amend_or_cancel(call: Call) -> Answer:
    """Amend or cancel by order number; QTY_ALL_ORD_YN Y or a quantity of 0 is the whole remainder (kis.md §4.2)."""
    original = open_order_named(call, Market.KRX)
    quantity = parse_quantity(call.need("ORD_QTY"))
    if quantity is None:
        call.refuse(RejectReason.BAD_QUANTITY, call.get("ORD_QTY"))
    part = quantity if quantity and call.get("QTY_ALL_ORD_YN") != "Y" else None
    asked = call.need("RVSE_CNCL_DVSN_CD")
    if asked == CANCEL:
        order = call.exchange.cancel(call.account, original, quantity=part)
    elif asked == AMEND:
        order = _amend(call, original, part)
    else:
        call.refuse(RejectReason.UNSUPPORTED_TYPE, f"RVSE_CNCL_DVSN_CD {asked}")
    return transmitted(order_receipt(call, order, BRANCH[call.env]), call.env, None)


def _amend(call: Call, number: int, part: int | None) -> ExOrder:
    """Amend to the price that ORD_DVSN and ORD_UNPR give; no order is amended to market or to an immediate one."""
    order = call.exchange.order(call.account, number)
    assert order is not None, "open_order_named found it"
    kind = asked_kind(call, order.venue)
    if kind.order_type is not OrderType.LIMIT or kind.time_in_force is not TimeInForce.DAY:
        call.refuse(RejectReason.UNSUPPORTED_TYPE, "an order is amended to a limit price only")
    given = parse_decimal(call.need("ORD_UNPR")) or Decimal(0)  # no price is a bad one, not the old one
    price = kind_price(call.exchange, kind, order.symbol, order.side, given)
    return call.exchange.amend(call.account, number, quantity=part, price=price)


def amendable(call: Call) -> Answer:
    wanted = {"1": Side.SELL, "2": Side.BUY}.get(call.get("INQR_DVSN_2"))
    orders = call.exchange.open_orders(call.account, Market.KRX)
    rows = sorted(
        (order for order in orders if wanted in (None, order.side)), key=lambda order: order.order_no, reverse=True
    )
    cut = page(rows, lambda order: order.order_no, call, size=AMENDABLE_PER_PAGE, area="100", descending=True)
    body = {
        **ctx_area(call, 100, cut.next_key, call.get("INQR_DVSN_1"), call.get("INQR_DVSN_2")),
        "output": [_amendable_row(call, order) for order in cut.rows],
    }
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _shared_fields(call: Call, order: ExOrder) -> Json:
    listing = call.exchange.listing(order.symbol)
    return {
        "ord_gno_brno": BRANCH[call.env],
        "odno": call.order_id(order.order_no),
        "orgn_odno": call.order_id(order.orig_order_no),
        "ord_dvsn_name": KINDS[type_code(order)].name,
        "pdno": order.symbol,
        "prdt_name": listing.name_ko if listing else order.symbol,
        "ord_qty": str(order.quantity),
        "ord_unpr": fixed(order.price or 0),
        "ord_tmd": hms(order.ordered_at),
        "tot_ccld_qty": str(order.filled),
        "tot_ccld_amt": fixed(order.filled_amount),
        "sll_buy_dvsn_cd": SIDE_TO_KIS[order.side],
        "ord_dvsn_cd": type_code(order),
        "excg_dvsn_cd": "02",
        "excg_id_dvsn_cd": str(order.venue),
        "stpm_cndt_pric": "0",
    }


def _amendable_row(call: Call, order: ExOrder) -> Json:
    return {
        **_shared_fields(call, order),
        "rvse_cncl_dvsn_name": KIND_NAMES[order.kind],
        "psbl_qty": str(order.leaves),
        "mgco_aptm_odno": "",
        "excg_id_dvsn_name": VENUE_NAMES[order.venue],
        "stpm_efct_occr_yn": "N",
    }


def executions(call: Call) -> Answer:
    """One row per order with cumulative fills and the day's totals of all pages (kis.md §4.4)."""
    orders = call.exchange.orders(call.account, Market.KRX, call.day("INQR_STRT_DT"), call.day("INQR_END_DT"))
    descending = call.get("INQR_DVSN") != "01"
    rows = sorted((o for o in orders if _wanted(call, o)), key=lambda order: order.order_no, reverse=descending)
    size = EXECUTIONS_PER_PAGE[call.env]
    cut = page(rows, lambda order: order.order_no, call, size=size, area="100", descending=descending)
    body = {
        **ctx_area(call, 100, cut.next_key, call.get("INQR_STRT_DT"), call.get("INQR_END_DT")),
        "output1": [_execution_row(call, order) for order in cut.rows],
        "output2": _totals(rows),
    }
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _wanted(call: Call, order: ExOrder) -> bool:
    side, state, venue = call.get("SLL_BUY_DVSN_CD"), call.get("CCLD_DVSN"), call.get("EXCG_ID_DVSN_CD")
    number = call.get("ODNO")
    return (
        call.get("PDNO") in ("", order.symbol)
        and side in ("", "00", SIDE_TO_KIS[order.side])
        and (state in ("", "00") or (state == "01" and order.filled > 0) or (state == "02" and order.leaves > 0))
        and venue in ("", "ALL", str(order.venue))
        and number.lstrip("0") in ("", str(order.order_no))
    )


def _totals(rows: Sequence[ExOrder]) -> Json:
    own = [order for order in rows if order.kind is not ExKind.CANCEL]
    shares, amount = sum(order.filled for order in own), sum((order.filled_amount for order in own), Decimal(0))
    return {
        "tot_ord_qty": str(sum(order.quantity for order in own)),
        "tot_ccld_qty": str(shares),
        "tot_ccld_amt": fixed(amount),
        "prsm_tlex_smtl": "0",
        "pchs_avg_pric": fixed(amount / shares if shares else 0, 4),
    }


def _execution_row(call: Call, order: ExOrder) -> Json:
    return {
        **_shared_fields(call, order),
        "ord_dt": ymd(order.ordered_at),
        "sll_buy_dvsn_cd_name": f"현금{SIDE_NAMES[order.side]}{KIND_NAMES[order.kind]}",
        "avg_prvs": fixed(order.average_price or 0),
        "cncl_yn": "Y" if order.kind is ExKind.CANCEL else "N",
        "loan_dt": "",
        "ordr_empno": "OpnAPI",
        "cnc_cfrm_qty": str(order.quantity if order.kind is ExKind.CANCEL else order.canceled),
        "rmn_qty": str(order.leaves),
        "rjct_qty": "0",
        "ccld_cndt_name": "없음",
        "inqr_ip_addr": "",
        "cpbc_ordp_ord_rcit_dvsn_cd": "",
        "cpbc_ordp_infm_mthd_dvsn_cd": "",
        "infm_tmd": hms(order.ordered_at),
        "ctac_tlno": "",
        "prdt_type_cd": "300",
        "cpbc_ordp_mtrl_dvsn_cd": "",
        "ord_orgno": "00000",
        "rsvn_ord_end_dt": "",
        "stpm_efct_occr_dtmd": "",
    }


KRX, ORDER, AMEND_CANCEL = Market.KRX, BASE + "order-cash", BASE + "order-rvsecncl"
BUY = (("TTTC0012U", "TTTC0802U"), ("VTTC0012U", "VTTC0802U"))
SELL = (("TTTC0011U", "TTTC0801U"), ("VTTC0011U", "VTTC0801U"))
CHANGE = (("TTTC0013U", "TTTC0803U"), ("VTTC0013U", "VTTC0803U"))
LISTS = (("TTTC0081R", "TTTC8001R", "CTSC9215R", "CTSC9115R"), ("VTTC0081R", "VTTC8001R", "VTSC9215R", "VTSC9115R"))
TRS = [
    *account_trs(KRX, "POST", ORDER, place, live=BUY[0], mock=BUY[1], side=Side.BUY),
    *account_trs(KRX, "POST", ORDER, place, live=SELL[0], mock=SELL[1], side=Side.SELL),
    *account_trs(KRX, "POST", AMEND_CANCEL, amend_or_cancel, live=CHANGE[0], mock=CHANGE[1]),
    *account_trs(KRX, "GET", BASE + "inquire-psbl-rvsecncl", amendable, live=("TTTC0084R", "TTTC8036R"), mock=()),
    *account_trs(KRX, "GET", BASE + "inquire-daily-ccld", executions, live=LISTS[0], mock=LISTS[1]),
]
