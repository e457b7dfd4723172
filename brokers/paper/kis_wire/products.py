"""Master data of products: KRX and US alike by CTPF1604R, KRX shares by CTPF1002R (kis.md §4.1, §4.10). Live only."""

from __future__ import annotations

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, informed, not_found
from brokers.paper.kis_wire.calls import Call, Tr
from brokers.paper.kis_wire.fields import fixed
from brokers.paper.kis_wire.symbols import BY_PRODUCT, is_fund, krx_listing, us_listing
from brokers.paper.listings import Listing
from shared.domain.account import Market

BASE = "/uapi/domestic-stock/v1/quotations/"


def product(call: Call) -> Answer:
    """Master data of a KRX (300) or US product; `shtn_pdno` is the plain ticker, not found is rt_cd 7 (kis.md §4.10)."""
    kind, symbol = call.need("PRDT_TYPE_CD"), call.need("PDNO")
    listing = (
        krx_listing(call.exchange, symbol) if kind == "300" else us_listing(call.exchange, symbol, BY_PRODUCT.get(kind))
    )
    if listing is None:
        raise not_found()
    korean, ticker = listing.market is Market.KRX, listing.symbol
    blank = [
        "prdt_sale_stat_cd",
        "prdt_risk_grad_cd",
        "sale_strt_dt",
        "sale_end_dt",
        "wrap_asst_type_cd",
        "ivst_prdt_type_cd",
        "ivst_prdt_type_cd_name",
        "frst_erlm_dt",
    ]
    output = {
        "pdno": f"00000A{ticker}" if korean else ticker,
        "prdt_type_cd": kind,
        "prdt_name": listing.name_ko,
        "prdt_name120": listing.name_ko,
        "prdt_abrv_name": listing.name_ko,
        "prdt_eng_name": listing.name_en,
        "prdt_eng_name120": listing.name_en,
        "prdt_eng_abrv_name": listing.name_en,
        "std_pdno": ticker,
        "shtn_pdno": ticker,
        "prdt_clsf_cd": "101110" if korean else "101210",
        "prdt_clsf_name": "국내주식" if korean else "해외주식",
        **dict.fromkeys(blank, ""),
    }
    return informed({"output": output})


# What the exchange does not know of a share: blank, never absent (clients read every name).
STOCK_BLANK = [
    *("setl_mmdd", "lstg_cptl_amt", "cpta", "papr", "issu_pric", "scts_mket_lstg_dt", "scts_mket_lstg_abol_dt"),
    *("kosdaq_mket_lstg_dt", "kosdaq_mket_lstg_abol_dt", "frbd_mket_lstg_dt", "frbd_mket_lstg_abol_dt"),
    *("reits_kind_cd", "idx_bztp_lcls_cd", "idx_bztp_mcls_cd", "idx_bztp_scls_cd", "idx_bztp_lcls_cd_name"),
    *("idx_bztp_mcls_cd_name", "idx_bztp_scls_cd_name", "mfnd_opng_dt", "mfnd_end_dt", "dpsi_erlm_cncl_dt"),
    *("etf_txtn_type_cd", "lstg_abol_dt", "nwst_odst_dvsn_cd", "sbst_pric", "thco_sbst_pric"),
    *("thco_sbst_pric_chng_dt", "clpr_chng_dt", "std_idst_clsf_cd", "std_idst_clsf_cd_name", "ocr_no"),
    *("issu_istt_cd", "stln_int_rt_dvsn_cd", "lstg_rqsr_issu_istt_cd", "lstg_rqsr_item_cd", "trst_istt_issu_istt_cd"),
]
STOCK_NO = [
    *("kospi200_item_yn", "oilf_fund_yn", "admn_item_yn", "crfd_item_yn", "etf_etn_ivst_heed_item_yn"),
    "nxt_tr_stop_yn",
]


def stock(call: Call) -> Answer:
    """Master data of a KRX share (CTPF1002R), names as the official sample lists them."""
    listing = krx_listing(call.exchange, call.need("PDNO"))
    if listing is None or call.need("PRDT_TYPE_CD") != "300":
        raise not_found()
    names = {"prdt_name": listing.name_ko, "prdt_name120": listing.name_ko, "prdt_abrv_name": listing.name_ko}
    english = {name.replace("prdt_", "prdt_eng_"): listing.name_en for name in names}
    output = {
        "pdno": f"00000A{listing.symbol}",
        "prdt_type_cd": "300",
        **names,
        **english,
        **_stock_facts(call, listing),
    }
    return informed({"output": output})


def _stock_facts(call: Call, listing: Listing) -> Json:
    trade, halted = call.exchange.quote(listing.symbol), call.exchange.halted(listing.symbol)
    return {
        **dict.fromkeys(STOCK_BLANK, ""),
        **dict.fromkeys(STOCK_NO, "N"),
        "mket_id_cd": "KSQ" if listing.board == "KOSDAQ" else "STK",
        "scty_grp_id_cd": "EF" if is_fund(listing) else "ST",
        "excg_dvsn_cd": "02",
        "lstg_stqt": "0",
        "etf_dvsn_cd": "1" if is_fund(listing) else "0",
        "etf_type_cd": "",
        "etf_cu_qty": "0",
        "etf_chas_erng_rt_dbnb": "0.000000",
        "stck_kind_cd": "101",
        "std_pdno": listing.symbol,
        "dpsi_aptm_erlm_yn": "Y",
        "tr_stop_yn": "Y" if halted else "N",
        "thdt_clpr": fixed(trade.price),
        "bfdy_clpr": fixed(trade.prev_close),
        "elec_scty_yn": "Y",
        "frnr_psnl_lmt_rt": "0.00000000",
        "cptt_trad_tr_psbl_yn": "Y" if listing.on_nxt else "N",
    }


LIVE = ExEnv.LIVE  # on the 모의 host these answer EGW02006
TRS = [
    Tr("CTPF1604R", "GET", BASE + "search-info", product, Market.KRX, env=LIVE),
    Tr("CTPF1002R", "GET", BASE + "search-stock-info", stock, Market.KRX, env=LIVE),
]
