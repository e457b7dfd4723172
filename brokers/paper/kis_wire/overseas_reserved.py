"""US reserved orders (예약주문): place, cancel, list; sent at the next regular open (kis.md §3.5)."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.clock import Sessions
from brokers.paper.kis_wire.answers import Answer, Json, listed, padded, transmitted
from brokers.paper.kis_wire.calls import Call, account_trs, ctx_area, page
from brokers.paper.kis_wire.fields import (
    KST,
    NEW_YORK,
    SIDE_NAMES,
    SIDE_TO_KIS,
    fixed,
    hms,
    parse_decimal,
    parse_quantity,
    ymd,
)
from brokers.paper.kis_wire.overseas import BRANCH, asked_home, order_side, order_type_of
from brokers.paper.kis_wire.symbols import US_EXCHANGES, venues_asked
from brokers.paper.orders import RejectReason, Reservation, ReservationStatus
from shared.domain.account import Market
from shared.domain.order import PRICED, OrderType, Side

BASE = "/uapi/overseas-stock/v1/trading/"
ROWS_PER_PAGE = 20
OPENS = time(10)
PAUSE = (time(16, 30), time(16, 45))
BEFORE_OPEN = timedelta(minutes=10)  # 23:20 KST in winter, 22:20 in summer
TYPES = frozenset({OrderType.LIMIT, OrderType.MOO})
STATES = {  # ovrs_rsvn_ord_stat_cd
    ReservationStatus.WAITING: ("01", "접수"),
    ReservationStatus.SENT: ("02", "전송"),
    ReservationStatus.CANCELED: ("01", "접수"),
    ReservationStatus.REFUSED: ("03", "거부"),
}


def accepted_at(now: datetime) -> bool:
    """Say whether reservations are taken: 10:00 KST to ten minutes before New York opens, but for a pause."""
    local = now.astimezone(KST)
    opening = now.astimezone(NEW_YORK).replace(hour=9, minute=30, second=0, microsecond=0)
    last = (opening - BEFORE_OPEN).astimezone(KST).time()
    return OPENS <= local.time() < last and not PAUSE[0] <= local.time() < PAUSE[1]


def place(call: Call) -> Answer:
    """Take a reservation. Neither cash nor holdings are looked at before it is sent; limit, or MOO for a sell."""
    side = order_side(call)
    home, listing = asked_home(call)
    order_type = order_type_of(call)
    price, quantity = parse_decimal(call.need("FT_ORD_UNPR3")), parse_quantity(call.need("FT_ORD_QTY"))
    if order_type not in TYPES:
        call.refuse(RejectReason.UNSUPPORTED_TYPE, f"ORD_DVSN {call.get('ORD_DVSN')}")
    if listing is None or home is None:
        call.refuse(RejectReason.UNKNOWN_SYMBOL, call.get("PDNO"))
    if call.exchange.sessions is Sessions.CALENDAR and not accepted_at(call.exchange.clock.market_now()):
        call.refuse(RejectReason.NOT_IN_SESSION, "reservations are taken from 10:00 KST to ten minutes before the open")
    made = call.exchange.reserve(
        call.account,
        market=Market.US,
        symbol=listing.symbol,
        side=side,
        quantity=quantity or 0,
        price=(price or Decimal(0)) if order_type in PRICED else None,
        order_type=order_type,
        venue=home.venue,
    )
    return transmitted({"ODNO": call.order_id(made.no)}, call.env, side)


def cancel(call: Call) -> Answer:
    """Take back the reservation of a day (Korean date) and number."""
    day, number = call.day("RSVN_ORD_RCIT_DT"), call.need("OVRS_RSVN_ODNO")
    known = re.fullmatch(r"\d{1,10}", number, re.ASCII)
    waiting = call.exchange.reservations(call.account, Market.US, day - timedelta(days=1), day)
    mine = [r for r in waiting if known and r.no == int(number) and ymd(r.reserved_at) == f"{day:%Y%m%d}"]
    if not mine:
        call.refuse(RejectReason.UNKNOWN_ORDER, number)
    made = call.exchange.cancel_reservation(call.account, mine[0].no)
    output = {"OVRS_RSVN_ODNO": call.order_id(made.no)}
    if call.env is ExEnv.MOCK:
        return transmitted(output, call.env, None)
    return Answer({"rt_cd": "0", "msg_cd": "APBK1711", "msg1": padded("예약주문이 취소되었습니다"), "output": output})


def reservations(call: Call) -> Answer:
    """Reservations received on these Korean dates, newest first."""
    since, until = call.day("INQR_STRT_DT"), call.day("INQR_END_DT")
    venues = venues_asked(call.get("OVRS_EXCG_CD"), ExEnv.LIVE)
    found = call.exchange.reservations(call.account, Market.US, since - timedelta(days=1), until)
    wanted = [
        one
        for one in found
        if since <= one.reserved_at.astimezone(KST).date() <= until
        and one.venue in venues
        and call.get("PRDT_TYPE_CD") in ("", US_EXCHANGES[one.venue].product)
    ]
    rows = sorted(wanted, key=lambda one: one.no, reverse=True)
    cut = page(rows, lambda one: one.no, call, size=ROWS_PER_PAGE, area="200", descending=True)
    conditions = (call.get("INQR_STRT_DT"), call.get("INQR_END_DT"), call.get("OVRS_EXCG_CD"))
    body = {**ctx_area(call, 200, cut.next_key, *conditions), "output": [_row(call, one) for one in cut.rows]}
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _row(call: Call, one: Reservation) -> Json:
    home, listing = US_EXCHANGES[one.venue], call.exchange.listing(one.symbol)
    order = None if one.order_no is None else call.exchange.order(call.account, one.order_no)
    state, state_name = STATES[one.status]
    return {
        "cncl_yn": "Y" if one.status is ReservationStatus.CANCELED else "N",
        "rsvn_ord_rcit_dt": ymd(one.reserved_at),
        "ovrs_rsvn_odno": call.order_id(one.no),
        "ord_dt": ymd(one.sends_at, NEW_YORK),
        "ord_gno_brno": BRANCH[call.env],
        "odno": call.order_id(one.order_no),
        "sll_buy_dvsn_cd": SIDE_TO_KIS[one.side],
        "sll_buy_dvsn_cd_name": SIDE_NAMES[one.side],
        "ovrs_rsvn_ord_stat_cd": state,
        "ovrs_rsvn_ord_stat_cd_name": state_name,
        "pdno": one.symbol,
        "prdt_type_cd": home.product,
        "prdt_name": listing.name_ko if listing else one.symbol,
        "ord_rcit_tmd": hms(one.reserved_at),
        "ord_fwdg_tmd": hms(order.ordered_at) if order else "",
        "tr_dvsn_name": f"현금{SIDE_NAMES[one.side]}",
        "ovrs_excg_cd": home.trading,
        "tr_mket_name": home.name,
        "ord_stfno": "",
        "ft_ord_qty": f"{one.quantity:010d}",
        "ft_ord_unpr3": fixed(one.price or 0, 8),
        "ft_ccld_qty": f"{order.filled if order else 0:010d}",
        "nprc_rson_text": one.text,
        "splt_buy_attr_name": "",
    }


US, RESERVE = Market.US, BASE + "order-resv"
TRS = [
    *account_trs(US, "POST", RESERVE, place, live=("TTTT3014U",), mock=("VTTT3014U",), side=Side.BUY),
    *account_trs(US, "POST", RESERVE, place, live=("TTTT3016U",), mock=("VTTT3016U",), side=Side.SELL),
    *account_trs(US, "POST", BASE + "order-resv-ccnl", cancel, live=("TTTT3017U",), mock=("VTTT3017U",)),
    *account_trs(US, "GET", BASE + "order-resv-list", reservations, live=("TTTT3039R",), mock=()),
]
