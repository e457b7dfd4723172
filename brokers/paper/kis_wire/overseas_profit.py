"""What a US account earned and traded in a period, and its margin by currency (kis.md §3.11). Live only.

Also the lists of divided orders (TWAP, VWAP): none is traded here, so they are always empty.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, listed
from brokers.paper.kis_wire.calls import Call, account_trs, ctx_area, page
from brokers.paper.kis_wire.fields import SIDE_NAMES, SIDE_TO_KIS, USD_KRW, fixed, percent, ymd
from brokers.paper.kis_wire.overseas_account import held_at, present_rows
from brokers.paper.kis_wire.symbols import US_EXCHANGES, venues_asked
from brokers.paper.listings import Listing
from brokers.paper.orderlist import trade_date
from brokers.paper.orders import Execution, ExOrder
from brokers.paper.portfolio import RealizedRow
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.money import Currency
from shared.domain.order import Side

BASE = "/uapi/overseas-stock/v1/trading/"
ROWS_PER_PAGE = 100


def period_profit(call: Call) -> Answer:
    """Realised profit by day and symbol. WCRC_FRCR_DVSN_CD here: 01 dollars, 02 won (kis.md §3.11)."""
    since, until = call.day("INQR_STRT_DT"), call.day("INQR_END_DT")
    venues, symbol = venues_asked(call.get("OVRS_EXCG_CD"), ExEnv.LIVE), call.get("PDNO")
    if call.get("NATN_CD") not in ("", "000", "840") or call.get("CRCY_CD") not in ("", "USD"):
        venues = frozenset()
    rate = USD_KRW if call.get("WCRC_FRCR_DVSN_CD") == "02" else Decimal(1)
    rows = [
        (row, listing)
        for row in call.exchange.realized(call.account, Market.US, since, until)
        if (listing := call.exchange.listing(row.symbol)) is not None
        and listing.venue in venues
        and symbol in ("", "%", row.symbol)
    ]
    cut = page(rows, lambda pair: _key(pair[0]), call, size=ROWS_PER_PAGE, area="200")
    body = {
        **ctx_area(call, 200, cut.next_key, call.get("INQR_STRT_DT"), call.get("INQR_END_DT")),
        "output1": [_profit_row(row, listing, rate) for row, listing in cut.rows],
        "output2": _profit_totals(call, [row for row, _ in rows], rate),
    }
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _key(row: RealizedRow) -> str:
    return f"{row.trade_date:%Y%m%d}{row.symbol}"


def _profit_row(row: RealizedRow, listing: Listing, rate: Decimal) -> Json:
    shares = row.quantity or 1
    return {
        "trad_day": f"{row.trade_date:%Y%m%d}",
        "ovrs_pdno": row.symbol,
        "ovrs_item_name": listing.name_ko,
        "slcl_qty": str(row.quantity),
        "pchs_avg_pric": fixed(row.bought / shares, 4),
        "frcr_pchs_amt1": fixed(row.bought * rate, 5),
        "avg_sll_unpr": fixed(row.sold / shares, 4),
        "frcr_sll_amt_smtl1": fixed(row.sold * rate, 5),
        "stck_sll_tlex": fixed((row.fee + row.tax) * rate, 5),
        "ovrs_rlzt_pfls_amt": fixed(row.realized * rate, 5),
        "pftrt": fixed(percent(row.realized, row.bought), 2),
        "exrt": fixed(USD_KRW, 8),
        "ovrs_excg_cd": US_EXCHANGES[listing.venue].trading,
        "frst_bltn_exrt": fixed(USD_KRW, 8),
    }


def _profit_totals(call: Call, rows: list[RealizedRow], rate: Decimal) -> Json:
    bought, sold = (sum((row.bought for row in rows), Decimal(0)), sum((row.sold for row in rows), Decimal(0)))
    costs = sum((row.fee + row.tax for row in rows), Decimal(0))
    realized = sum((row.realized for row in rows), Decimal(0))
    return {
        "stck_sll_amt_smtl": fixed(sold * rate, 5),
        "stck_buy_amt_smtl": fixed(bought * rate, 5),
        "smtl_fee1": fixed(costs * rate, 5),
        "excc_dfrm_amt": fixed((sold - costs) * rate, 5),
        "ovrs_rlzt_pfls_tot_amt": fixed(realized * rate, 5),
        "tot_pftrt": fixed(percent(realized, bought), 2),
        "bass_dt": ymd(call.exchange.clock.market_now()),
        "exrt": fixed(USD_KRW, 8),
    }


def period_trades(call: Call) -> Answer:
    """Every execution of a period, oldest first, with what it settles to (CTOS4001R)."""
    since, until = call.day("ERLM_STRT_DT"), call.day("ERLM_END_DT")
    venues = venues_asked(call.get("OVRS_EXCG_CD"), ExEnv.LIVE)
    symbol, side = call.get("PDNO"), call.get("SLL_BUY_DVSN_CD")
    rows = [
        (order, fill)
        for order in call.exchange.orders(call.account, Market.US, since - timedelta(days=1), until)
        for fill in call.exchange.executions(call.account, order.order_no)
        if since <= trade_date(Market.US, fill.at) <= until
        and order.venue in venues
        and symbol in ("", "%", order.symbol)
        and side in ("", "00", SIDE_TO_KIS[order.side])
    ]
    rows.sort(key=lambda pair: _fill_key(*pair))
    cut = page(rows, lambda pair: _fill_key(*pair), call, size=ROWS_PER_PAGE, area="100")
    body = {
        **ctx_area(call, 100, cut.next_key, call.get("ERLM_STRT_DT"), call.get("ERLM_END_DT")),
        "output1": [_trade_row(call, order, fill) for order, fill in cut.rows],
        "output2": _trade_totals(rows),
    }
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _fill_key(order: ExOrder, fill: Execution) -> str:
    return f"{fill.at:%Y%m%d%H%M%S}{order.order_no:010d}{fill.exec_no:05d}"


def _trade_row(call: Call, order: ExOrder, fill: Execution) -> Json:
    listing, amount = call.exchange.listing(order.symbol), fill.price * fill.quantity
    costs = fill.fee + fill.tax
    settled = amount + costs if order.side is Side.BUY else amount - costs
    on = trade_date(Market.US, fill.at)
    return {
        "trad_dt": f"{on:%Y%m%d}",
        "sttl_dt": f"{load().us.settle_date(on):%Y%m%d}",
        "sll_buy_dvsn_cd": SIDE_TO_KIS[order.side],
        "sll_buy_dvsn_name": SIDE_NAMES[order.side],
        "pdno": order.symbol,
        "ovrs_item_name": listing.name_ko if listing else order.symbol,
        "ccld_qty": str(fill.quantity),
        "amt_unit_ccld_qty": fixed(fill.quantity, 10),
        "ft_ccld_unpr2": fixed(fill.price, 8),
        "ovrs_stck_ccld_unpr": fixed(fill.price, 8),
        "tr_frcr_amt2": fixed(amount, 5),
        "tr_amt": fixed(amount, 5),
        "frcr_excc_amt_1": fixed(settled, 5),
        "wcrc_excc_amt": fixed(settled * USD_KRW),
        "dmst_frcr_fee1": fixed(fill.fee, 5),
        "frcr_fee1": fixed(fill.tax, 5),
        "dmst_wcrc_fee": fixed(fill.fee * USD_KRW),
        "ovrs_wcrc_fee": fixed(fill.tax * USD_KRW),
        "crcy_cd": "USD",
        "std_pdno": order.symbol,
        "erlm_exrt": fixed(USD_KRW, 8),
        "loan_dvsn_cd": "01",
        "loan_dvsn_name": "",
    }


def _trade_totals(rows: list[tuple[ExOrder, Execution]]) -> Json:
    sums = {side: Decimal(0) for side in Side}
    fees = taxes = Decimal(0)
    for order, fill in rows:
        sums[order.side] += fill.price * fill.quantity
        fees, taxes = fees + fill.fee, taxes + fill.tax
    return {
        "frcr_buy_amt_smtl": fixed(sums[Side.BUY], 5),
        "frcr_sll_amt_smtl": fixed(sums[Side.SELL], 5),
        "dmst_fee_smtl": fixed(fees, 5),
        "ovrs_fee_smtl": fixed(taxes, 5),
    }


def settled_balance(call: Call) -> Answer:
    """Holdings and cash by settlement date (CTRP6010R); WCRC_FRCR_DVSN_CD 01 won, 02 dollars."""
    call.day("BASS_DT")
    held = held_at(call, frozenset(US_EXCHANGES))
    dollars, won = call.exchange.cash(call.account, Currency.USD), call.exchange.cash(call.account, Currency.KRW)
    cost = sum((holding.cost for holding, _ in held), Decimal(0)) * USD_KRW
    value = sum((call.exchange.quote(h.symbol).price * h.quantity for h, _ in held), Decimal(0)) * USD_KRW
    rows = present_rows(call, held, in_won=call.get("WCRC_FRCR_DVSN_CD") == "01")
    body = {
        "output1": [_settled_row(call, row) for row in rows],
        "output2": [
            {
                "crcy_cd": "USD",
                "crcy_cd_name": "미국 달러",
                "frcr_dncl_amt_2": fixed(dollars.settled, 6),
                "frst_bltn_exrt": fixed(USD_KRW, 8),
                "frcr_evlu_amt2": fixed(dollars.settled * USD_KRW, 6),
            }
        ],
        "output3": {
            "pchs_amt_smtl_amt": fixed(cost),
            "tot_evlu_pfls_amt": fixed(value - cost, 8),
            "evlu_erng_rt1": fixed(percent(value - cost, cost), 10),
            "tot_dncl_amt": fixed(won.settled),
            "wcrc_evlu_amt_smtl": fixed(value),
            "tot_asst_amt2": fixed(value + dollars.settled * USD_KRW + won.settled),
            "frcr_cblc_wcrc_evlu_amt_smtl": fixed(dollars.settled * USD_KRW),
            "tot_loan_amt": "0",
            "tot_ldng_evlu_amt": "0",
        },
    }
    return listed(body, rows=1, more=False, env=call.env)


SETTLED_FIELDS = [
    *("pdno", "prdt_name", "cblc_qty13", "ord_psbl_qty1", "avg_unpr3", "ovrs_now_pric1", "frcr_pchs_amt"),
    *("frcr_evlu_amt2", "evlu_pfls_amt2", "bass_exrt", "buy_crcy_cd", "thdt_sll_ccld_qty1", "thdt_buy_ccld_qty1"),
    *("evlu_pfls_rt1", "tr_mket_name", "natn_kor_name", "std_pdno", "loan_rmnd", "prdt_type_cd", "ovrs_excg_cd"),
    "scts_dvsn_name",
]


def _settled_row(call: Call, row: Json) -> Json:
    now = call.exchange.clock.market_now()
    more = {"oprt_dtl_dtime": f"{now:%Y%m%d%H%M%S}", "mgge_qty": "0", "ldng_cblc_qty": "0"}
    return {name: row[name] for name in SETTLED_FIELDS} | more


def foreign_margin(call: Call) -> Answer:
    """Cash and what is orderable, one row per currency (TTTC2101R)."""
    cash = call.exchange.cash(call.account, Currency.USD)
    row = {
        "natn_name": "미국",
        "crcy_cd": "USD",
        "frcr_dncl_amt1": fixed(cash.settled, 2),
        "ustl_buy_amt": fixed(cash.bought_today, 2),
        "ustl_sll_amt": fixed(cash.sold_today, 2),
        "frcr_rcvb_amt": "0.00",
        "frcr_mgn_amt": fixed(cash.reserved, 2),
        "frcr_gnrl_ord_psbl_amt": fixed(cash.orderable, 2),
        "frcr_ord_psbl_amt1": fixed(cash.orderable, 2),
        "itgr_ord_psbl_amt": fixed(cash.orderable, 2),
        "bass_exrt": fixed(USD_KRW, 8),
    }
    return listed({"output": [row]}, rows=1, more=False, env=call.env)


def divided_orders(call: Call) -> Answer:
    call.day("TRAD_DT")
    return listed({**ctx_area(call, 200, "", call.get("TRAD_DT")), "output": []}, rows=0, more=False, env=call.env)


def divided_fills(call: Call) -> Answer:
    call.day("ORD_DT")
    body = {**ctx_area(call, 200, "", call.get("ORD_DT"), call.need("ODNO")), "output": [], "output3": {}}
    return listed(body, rows=0, more=False, env=call.env)


US = Market.US
TRS = [
    *account_trs(US, "GET", BASE + "inquire-period-profit", period_profit, live=("TTTS3039R",), mock=()),
    *account_trs(US, "GET", BASE + "inquire-period-trans", period_trades, live=("CTOS4001R",), mock=()),
    *account_trs(US, "GET", BASE + "inquire-paymt-stdr-balance", settled_balance, live=("CTRP6010R",), mock=()),
    *account_trs(US, "GET", BASE + "foreign-margin", foreign_margin, live=("TTTC2101R",), mock=()),
    *account_trs(US, "GET", BASE + "algo-ordno", divided_orders, live=("TTTS6058R",), mock=()),
    *account_trs(US, "GET", BASE + "inquire-algo-ccnl", divided_fills, live=("TTTS6059R",), mock=()),
]
