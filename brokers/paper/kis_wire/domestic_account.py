"""What a KRX account holds and earned: balance, purchasable, sellable, realised profit (kis.md §4.1, §4.5, §4.6)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.accounts import CashView, ExEnv, Holding
from brokers.paper.kis_wire.answers import Answer, Json, listed, not_found
from brokers.paper.kis_wire.calls import Call, account_trs, ctx_area, page
from brokers.paper.kis_wire.fields import fixed, parse_decimal, percent
from brokers.paper.kis_wire.symbols import krx_listing
from brokers.paper.portfolio import RealizedRow
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.money import Currency

BASE = "/uapi/domestic-stock/v1/trading/"
ROWS_PER_PAGE = {ExEnv.LIVE: 50, ExEnv.MOCK: 20}


def _value(call: Call, holding: Holding) -> Decimal:
    return call.exchange.quote(holding.symbol).price * holding.quantity


def balance(call: Call) -> Answer:
    """Holdings by symbol, and the cash of today, D+1 and D+2 (kis.md §4.5)."""
    held = sorted(
        (one for one in call.exchange.holdings(call.account, Market.KRX) if one.quantity > 0),
        key=lambda one: one.symbol,
    )
    cut = page(held, lambda one: one.symbol, call, size=ROWS_PER_PAGE[call.env], area="100")
    body = {
        **ctx_area(call, 100, cut.next_key, call.get("AFHR_FLPR_YN"), call.get("INQR_DVSN")),
        "output1": [_holding_row(call, one) for one in cut.rows],
        "output2": [_summary(call, held, call.exchange.cash(call.account, Currency.KRW))],
    }
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _holding_row(call: Call, holding: Holding) -> Json:
    listing, trade, value = (
        call.exchange.listing(holding.symbol),
        call.exchange.quote(holding.symbol),
        _value(call, holding),
    )
    return {
        "pdno": holding.symbol,
        "prdt_name": listing.name_ko if listing else holding.symbol,
        "trad_dvsn_name": "현금",
        "bfdy_buy_qty": "0",
        "bfdy_sll_qty": "0",
        "thdt_buyqty": str(holding.bought_today),
        "thdt_sll_qty": str(holding.sold_today),
        "hldg_qty": str(holding.quantity),
        "ord_psbl_qty": str(holding.sellable),
        "pchs_avg_pric": fixed(holding.average_price, 4),
        "pchs_amt": fixed(holding.cost),
        "prpr": fixed(trade.price),
        "evlu_amt": fixed(value),
        "evlu_pfls_amt": fixed(value - holding.cost),
        "evlu_pfls_rt": fixed(percent(value - holding.cost, holding.cost), 2),
        "evlu_erng_rt": fixed(percent(value - holding.cost, holding.cost), 8),
        "loan_dt": "",
        "loan_amt": "0",
        "stln_slng_chgs": "0",
        "expd_dt": "",
        "fltt_rt": fixed(percent(trade.change, trade.prev_close), 8),
        "bfdy_cprs_icdc": fixed(trade.change),
        "item_mgna_rt_name": "100%",
        "grta_rt_name": "",
        "sbst_pric": "0",
        "stck_loan_unpr": "0.0000",
    }


def _summary(call: Call, held: list[Holding], cash: CashView) -> Json:
    cost = sum((one.cost for one in held), Decimal(0))
    value = sum((_value(call, one) for one in held), Decimal(0))
    total = fixed(cash.total + value)
    tomorrow = load().krx.next_day(call.exchange.trade_date(Market.KRX))
    return {
        "dnca_tot_amt": fixed(cash.settled),
        "nxdy_excc_amt": fixed(cash.settled + sum((due for on, due in cash.due if on <= tomorrow), Decimal(0))),
        "prvs_rcdl_excc_amt": fixed(cash.total),  # D+2: everything settled
        "cma_evlu_amt": "0",
        "bfdy_buy_amt": "0",
        "thdt_buy_amt": fixed(cash.bought_today),
        "nxdy_auto_rdpt_amt": "0",
        "bfdy_sll_amt": "0",
        "thdt_sll_amt": fixed(cash.sold_today),
        "d2_auto_rdpt_amt": "0",
        "bfdy_tlex_amt": "0",
        "thdt_tlex_amt": "0",
        "tot_loan_amt": "0",
        "scts_evlu_amt": fixed(value),
        "tot_evlu_amt": total,
        "nass_amt": total,
        "fncg_gld_auto_rdpt_yn": "",
        "pchs_amt_smtl_amt": fixed(cost),
        "evlu_amt_smtl_amt": fixed(value),
        "evlu_pfls_smtl_amt": fixed(value - cost),
        "tot_stln_slng_chgs": "0",
        "bfdy_tot_asst_evlu_amt": total,
        "asst_icdc_amt": "0",
        "asst_icdc_erng_rt": "0.00000000",
    }


def purchasable(call: Call) -> Answer:
    """Cash on hand and how many shares it buys; a market order is counted at the upper limit (kis.md §4.6).

    A blank symbol asks for the cash alone; an unknown one is rt_cd 7.
    """
    symbol, cash = call.need("PDNO"), call.exchange.cash(call.account, Currency.KRW)
    amount, shares, unit = cash.orderable, 0, Decimal(0)
    if symbol:
        listing = krx_listing(call.exchange, symbol)
        if listing is None:
            raise not_found("해당종목정보가 없습니다.")
        price = None if call.get("ORD_DVSN") == "01" else parse_decimal(call.get("ORD_UNPR")) or None
        amount, shares = call.exchange.buying_power(call.account, Market.KRX, listing.symbol, price)
        limits = call.exchange.price_limits(listing.symbol)
        unit = price if price is not None else limits[1] if limits else call.exchange.quote(listing.symbol).price
    output = {
        "ord_psbl_cash": fixed(cash.orderable),
        "ord_psbl_sbst": "0",
        "ruse_psbl_amt": "0",
        "fund_rpch_chgs": "0",
        "psbl_qty_calc_unpr": fixed(unit),
        "nrcvb_buy_amt": fixed(amount),
        "nrcvb_buy_qty": str(shares),
        "max_buy_amt": fixed(amount),
        "max_buy_qty": str(shares),
        "cma_evlu_amt": "0",
        "ovrs_re_use_amt_wcrc": "0",
        "ord_psbl_frcr_amt_wcrc": "0",
    }
    return listed({"output": output}, rows=1, more=False, env=call.env, tr_cont="")


def sellable(call: Call) -> Answer:
    """How many shares of one symbol can be sold (TTTC8408R, live only); none held is no row of zeros but rt_cd 7."""
    symbol = call.need("PDNO")
    held = {one.symbol: one for one in call.exchange.holdings(call.account, Market.KRX)}
    listing = krx_listing(call.exchange, symbol)
    holding = held.get(listing.symbol) if listing else None
    if holding is None:
        raise not_found()
    value = _value(call, holding)
    output = {
        "pdno": holding.symbol,
        "prdt_name": listing.name_ko if listing else holding.symbol,
        "buy_qty": str(holding.bought_today),
        "sll_qty": str(holding.sold_today),
        "cblc_qty": str(holding.quantity),
        "nsvg_qty": "0",
        "ord_psbl_qty": str(holding.sellable),
        "pchs_avg_pric": fixed(holding.average_price, 4),
        "pchs_amt": fixed(holding.cost),
        "now_pric": fixed(call.exchange.quote(holding.symbol).price),
        "evlu_amt": fixed(value),
        "evlu_pfls_amt": fixed(value - holding.cost),
        "evlu_pfls_rt": fixed(percent(value - holding.cost, holding.cost), 2),
    }
    return listed({"output": output}, rows=1, more=False, env=call.env, tr_cont="")


def period_profit(call: Call) -> Answer:
    """Realised profit by day and symbol, newest first when SORT_DVSN is 00 (TTTC8715R, live only; kis.md §4.6)."""
    since, until, symbol = call.day("INQR_STRT_DT"), call.day("INQR_END_DT"), call.get("PDNO")
    found = call.exchange.realized(call.account, Market.KRX, since, until)
    descending = call.get("SORT_DVSN") in ("", "00")
    rows = sorted((row for row in found if symbol in ("", row.symbol)), key=_profit_key, reverse=descending)
    cut = page(rows, _profit_key, call, size=ROWS_PER_PAGE[call.env], area="100", descending=descending)
    body = {
        **ctx_area(call, 100, cut.next_key, call.get("INQR_STRT_DT"), call.get("INQR_END_DT")),
        "output1": [_profit_row(call, row) for row in cut.rows],
        "output2": _profit_totals(rows),
    }
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _profit_key(row: RealizedRow) -> str:
    return f"{row.trade_date:%Y%m%d}{row.symbol}"


def _profit_row(call: Call, row: RealizedRow) -> Json:
    listing, shares = call.exchange.listing(row.symbol), row.quantity or 1
    held = {one.symbol: one.quantity for one in call.exchange.holdings(call.account, Market.KRX)}
    return {
        "trad_dt": f"{row.trade_date:%Y%m%d}",
        "pdno": row.symbol,
        "prdt_name": listing.name_ko if listing else row.symbol,
        "trad_dvsn_name": "현금",
        "loan_dt": "",
        "hldg_qty": str(held.get(row.symbol, 0)),
        "pchs_unpr": fixed(row.bought / shares),
        "buy_qty": "0",
        "buy_amt": "0",
        "sll_pric": fixed(row.sold / shares),
        "sll_qty": str(row.quantity),
        "sll_amt": fixed(row.sold),
        "rlzt_pfls": fixed(row.realized),
        "pfls_rt": fixed(percent(row.realized, row.bought), 2),
        "fee": fixed(row.fee),
        "tl_tax": fixed(row.tax),
        "loan_int": "0",
    }


def _profit_totals(rows: list[RealizedRow]) -> Json:
    shares = str(sum(row.quantity for row in rows))
    bought, sold = sum((row.bought for row in rows), Decimal(0)), sum((row.sold for row in rows), Decimal(0))
    fee, tax = sum((row.fee for row in rows), Decimal(0)), sum((row.tax for row in rows), Decimal(0))
    realized = sum((row.realized for row in rows), Decimal(0))
    none = ("buyqty_smtl", "buy_tr_amt_smtl", "buy_fee_smtl", "buy_tax_smtl", "buy_excc_amt_smtl", "loan_int")
    return {
        "sll_qty_smtl": shares,
        "sll_tr_amt_smtl": fixed(sold),
        "sll_fee_smtl": fixed(fee),
        "sll_tltx_smtl": fixed(tax),
        "sll_excc_amt_smtl": fixed(sold - fee - tax),
        **dict.fromkeys(none, "0"),
        "tot_qty": shares,
        "tot_tr_amt": fixed(sold),
        "tot_fee": fixed(fee),
        "tot_tltx": fixed(tax),
        "tot_excc_amt": fixed(sold - fee - tax),
        "tot_rlzt_pfls": fixed(realized),
        "tot_pftrt": fixed(percent(realized, bought), 2),
    }


KRX, PROFIT = Market.KRX, BASE + "inquire-period-trade-profit"
TRS = [
    *account_trs(KRX, "GET", BASE + "inquire-balance", balance, live=("TTTC8434R",), mock=("VTTC8434R",)),
    *account_trs(KRX, "GET", BASE + "inquire-psbl-order", purchasable, live=("TTTC8908R",), mock=("VTTC8908R",)),
    *account_trs(KRX, "GET", BASE + "inquire-psbl-sell", sellable, live=("TTTC8408R",), mock=()),
    *account_trs(KRX, "GET", PROFIT, period_profit, live=("TTTC8715R",), mock=()),
]
