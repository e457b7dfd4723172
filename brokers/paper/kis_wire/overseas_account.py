"""What a US account holds: balance, present balance, purchasable amount (kis.md §3.6, §3.7, §3.10)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.accounts import CashView, Holding
from brokers.paper.kis_wire.answers import Answer, Json, informed, listed, not_found
from brokers.paper.kis_wire.calls import Call, Tr, account_trs, ctx_area, page
from brokers.paper.kis_wire.fields import USD_KRW, fixed, parse_decimal, percent
from brokers.paper.kis_wire.symbols import (
    BY_MARKET_CODE,
    BY_QUOTE,
    BY_TRADING,
    US_EXCHANGES,
    us_listing,
    venues_asked,
)
from brokers.paper.listings import Listing
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.money import Currency

BASE = "/uapi/overseas-stock/v1/trading/"
ROWS_PER_PAGE = 100


def held_at(call: Call, venues: frozenset[Venue]) -> list[tuple[Holding, Listing]]:
    """Holdings at these venues by symbol; a sold-out row is never shown, as python-kis needs it (kis.md §3.6)."""
    rows = [(holding, call.exchange.listing(holding.symbol)) for holding in call.exchange.holdings(call.account, US)]
    kept = [(holding, listing) for holding, listing in rows if listing is not None and listing.venue in venues]
    return sorted((pair for pair in kept if pair[0].quantity > 0), key=lambda pair: pair[0].symbol)


def balance(call: Call) -> Answer:
    """Holdings without cash, filtered by the exchange asked for (kis.md §3.6)."""
    code, currency = call.get("OVRS_EXCG_CD"), call.get("TR_CRCY_CD")
    venues = venues_asked(code, call.env) if currency in ("", "USD") else frozenset()
    held = held_at(call, venues)
    cut = page(held, lambda pair: pair[0].symbol, call, size=ROWS_PER_PAGE, area="200")
    cost = sum((holding.cost for holding, _ in held), Decimal(0))
    value = sum((_value(call, holding) for holding, _ in held), Decimal(0))
    body = {
        **ctx_area(call, 200, cut.next_key, code, currency),
        "output1": [_balance_row(call, holding, listing) for holding, listing in cut.rows],
        "output2": {
            "frcr_pchs_amt1": fixed(cost, 5),
            "ovrs_rlzt_pfls_amt": "0.00000",
            "ovrs_tot_pfls": fixed(value - cost, 5),
            "rlzt_erng_rt": "0.00000000",
            "tot_evlu_pfls_amt": fixed(value, 8),
            "tot_pftrt": fixed(percent(value - cost, cost), 8),
            "frcr_buy_amt_smtl1": fixed(cost, 6),
            "ovrs_rlzt_pfls_amt2": "0.00000",
            "frcr_buy_amt_smtl2": fixed(cost, 6),
        },
    }
    return listed(body, rows=len(cut.rows), more=cut.more, env=call.env)


def _value(call: Call, holding: Holding) -> Decimal:
    return call.exchange.quote(holding.symbol).price * holding.quantity


def _balance_row(call: Call, holding: Holding, listing: Listing) -> Json:
    home, value = US_EXCHANGES[listing.venue], _value(call, holding)
    cano, product = call.account.number.split("-")
    return {
        "cano": cano,
        "acnt_prdt_cd": product,
        "prdt_type_cd": home.product,
        "ovrs_pdno": holding.symbol,
        "ovrs_item_name": listing.name_ko,
        "frcr_evlu_pfls_amt": fixed(value - holding.cost, 6),
        "evlu_pfls_rt": fixed(percent(value - holding.cost, holding.cost), 2),
        "pchs_avg_pric": fixed(holding.average_price, 4),
        "ovrs_cblc_qty": str(holding.quantity),
        "ord_psbl_qty": str(holding.sellable),
        "frcr_pchs_amt1": fixed(holding.cost, 5),
        "ovrs_stck_evlu_amt": fixed(value, 8),
        "now_pric2": fixed(call.exchange.quote(holding.symbol).price, 6),
        "tr_crcy_cd": "USD",
        "ovrs_excg_cd": home.trading,
        "loan_type_cd": "10",
        "loan_dt": "",
        "expd_dt": "",
    }


def present_balance(call: Call) -> Answer:
    """Execution-based holdings, dollar cash and won totals (kis.md §3.7).

    NATN_CD other than the US and 000 has no rows; TR_MKET_CD 00 is every US exchange.
    """
    market_code = call.get("TR_MKET_CD")
    home = BY_MARKET_CODE.get(market_code)
    venues = frozenset(US_EXCHANGES) if market_code in ("", "00") else frozenset({home.venue} if home else ())
    if call.get("NATN_CD") not in ("", "000", "840"):
        venues = frozenset()
    held = held_at(call, venues)
    in_won = call.get("WCRC_FRCR_DVSN_CD") == "01"
    dollars, won = call.exchange.cash(call.account, Currency.USD), call.exchange.cash(call.account, Currency.KRW)
    body = {
        "output1": present_rows(call, held, in_won=in_won),
        "output2": [_currency_row(dollars)],
        "output3": _won_totals(call, held, dollars, won),
    }
    return listed(body, rows=1, more=False, env=call.env)


def present_rows(call: Call, held: list[tuple[Holding, Listing]], *, in_won: bool) -> list[Json]:
    """Rows of the present balance, also the source of the settlement-based one's."""
    return [_present_row(call, holding, listing, in_won) for holding, listing in held]


def _present_row(call: Call, holding: Holding, listing: Listing, in_won: bool) -> Json:
    home, price, value = US_EXCHANGES[listing.venue], call.exchange.quote(holding.symbol).price, _value(call, holding)
    rate = USD_KRW if in_won else Decimal(1)
    settled = holding.quantity - holding.bought_today + holding.sold_today
    return {
        "prdt_name": listing.name_ko,
        "cblc_qty13": fixed(settled, 8),
        "thdt_buy_ccld_qty1": fixed(holding.bought_today, 8),
        "thdt_sll_ccld_qty1": fixed(holding.sold_today, 8),
        "ccld_qty_smtl1": fixed(holding.quantity, 8),
        "ord_psbl_qty1": fixed(holding.sellable, 8),
        "frcr_pchs_amt": fixed(holding.cost * rate, 5),
        "frcr_evlu_amt2": fixed(value * rate, 6),
        "evlu_pfls_amt2": fixed((value - holding.cost) * rate, 5),
        "evlu_pfls_rt1": fixed(percent(value - holding.cost, holding.cost), 10),
        "pdno": holding.symbol,
        "bass_exrt": fixed(USD_KRW, 8),
        "buy_crcy_cd": "USD",
        "ovrs_now_pric1": fixed(price, 12),
        "avg_unpr3": fixed(holding.average_price, 4),
        "tr_mket_name": home.name,
        "natn_kor_name": "미국",
        "pchs_rmnd_wcrc_amt": fixed(holding.cost * USD_KRW, 6),
        "thdt_buy_ccld_frcr_amt": fixed(holding.average_price * holding.bought_today, 6),
        "thdt_sll_ccld_frcr_amt": fixed(price * holding.sold_today, 6),
        "unit_amt": "1",
        "std_pdno": holding.symbol,
        "prdt_type_cd": home.product,
        "scts_dvsn_name": "일반",
        "loan_rmnd": "0",
        "loan_dt": "",
        "loan_expd_dt": "",
        "ovrs_excg_cd": home.trading,
        "item_lnkg_excg_cd": home.quote,
    }


def _currency_row(cash: CashView) -> Json:
    return {
        "crcy_cd": "USD",
        "crcy_cd_name": "미국 달러",
        "frcr_buy_amt_smtl": fixed(cash.bought_today, 6),
        "frcr_sll_amt_smtl": fixed(cash.sold_today, 6),
        "frcr_dncl_amt_2": fixed(cash.total, 6),
        "frst_bltn_exrt": fixed(USD_KRW, 8),
        "frcr_buy_mgn_amt": fixed(cash.reserved, 6),
        "frcr_etc_mgna": "0.000000",
        "frcr_drwg_psbl_amt_1": fixed(cash.orderable, 6),
        "frcr_evlu_amt2": fixed(cash.total * USD_KRW, 6),
        "acpl_cstd_crcy_yn": "Y",
        "nxdy_frcr_drwg_psbl_amt": fixed(cash.orderable, 6),
    }


def _won_totals(call: Call, held: list[tuple[Holding, Listing]], dollars: CashView, won: CashView) -> Json:
    cost = sum((holding.cost for holding, _ in held), Decimal(0)) * USD_KRW
    value = sum((_value(call, holding) for holding, _ in held), Decimal(0)) * USD_KRW
    gain, cash = value - cost, dollars.total * USD_KRW
    return {
        "pchs_amt_smtl": fixed(cost),
        "evlu_amt_smtl": fixed(value),
        "evlu_pfls_amt_smtl": fixed(gain),
        "dncl_amt": fixed(won.total),
        "cma_evlu_amt": "0",
        "tot_dncl_amt": fixed(won.total),
        "etc_mgna": "0",
        "wdrw_psbl_tot_amt": fixed(won.orderable),
        "frcr_evlu_tota": fixed(cash),
        "evlu_erng_rt1": fixed(percent(gain, cost), 10),
        "pchs_amt_smtl_amt": fixed(cost),
        "evlu_amt_smtl_amt": fixed(value),
        "tot_evlu_pfls_amt": fixed(gain, 8),
        "tot_asst_amt": fixed(value + cash + won.total),
        "buy_mgn_amt": "0",
        "mgna_tota": "0",
        "frcr_use_psbl_amt": fixed(dollars.orderable, 2),
        "ustl_sll_amt_smtl": fixed(dollars.sold_today * USD_KRW),
        "ustl_buy_amt_smtl": fixed(dollars.bought_today * USD_KRW),
        "tot_frcr_cblc_smtl": fixed(dollars.total, 6),
        "tot_loan_amt": "0",
    }


def purchasable(call: Call) -> Answer:
    """How much of one symbol the dollars on hand can buy; an unknown symbol is rt_cd 7 (kis.md §3.10, §6.4)."""
    code, symbol = call.need("OVRS_EXCG_CD"), call.need("ITEM_CD")
    listing = us_listing(call.exchange, symbol, BY_TRADING.get(code) or BY_QUOTE.get(code))
    if listing is None:
        raise not_found("해당종목정보가 없습니다.")
    price = parse_decimal(call.need("OVRS_ORD_UNPR"))
    amount, shares = call.exchange.buying_power(call.account, US, listing.symbol, price if price else None)
    cash = call.exchange.cash(call.account, Currency.USD)
    output = {
        "tr_crcy_cd": "USD",
        "ord_psbl_frcr_amt": fixed(cash.orderable, 2),
        "sll_ruse_psbl_amt": "0.00",
        "ovrs_ord_psbl_amt": fixed(amount, 2),
        "max_ord_psbl_qty": str(shares),
        "echm_af_ord_psbl_amt": "0.00",
        "echm_af_ord_psbl_qty": "0",
        "ord_psbl_qty": str(shares),
        "exrt": fixed(USD_KRW, 10),
        "frcr_ord_psbl_amt1": fixed(amount, 2),
        "ovrs_max_ord_psbl_qty": str(shares),
    }
    return listed({"output": output}, rows=1, more=False, env=call.env, tr_cont="")


def day_or_night(call: Call) -> Answer:
    """The retired call that old clients make before the balance; N sends them to the present TR (kis.md §3.6)."""
    return informed({"output": {"PSBL_YN": "N"}})


US = Market.US
TRS = [
    *account_trs(
        US, "GET", BASE + "inquire-balance", balance, live=("TTTS3012R", "JTTT3012R"), mock=("VTTS3012R", "VTTT3012R")
    ),
    *account_trs(
        US, "GET", BASE + "inquire-present-balance", present_balance, live=("CTRP6504R",), mock=("VTRP6504R",)
    ),
    *account_trs(
        US,
        "GET",
        BASE + "inquire-psamount",
        purchasable,
        live=("TTTS3007R",),
        mock=("VTTS3007R",),
        symbol_field="ITEM_CD",
    ),
    Tr("JTTT3010R", "GET", BASE + "dayornight", day_or_night, US),
]
