"""KRX quotes: price, order book with the expected execution, ticks (kis.md §4.7, §4.8)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, invalid_division, quoted
from brokers.paper.kis_wire.calls import Call, Handler, Tr
from brokers.paper.kis_wire.fields import KST, fixed, hms, percent, sign, ymd
from brokers.paper.kis_wire.symbols import krx_listing
from brokers.paper.listings import Listing
from brokers.paper.tape import Trade
from shared.domain.account import Market
from shared.domain.market import Timeframe

BASE = "/uapi/domestic-stock/v1/quotations/"
TICK_ROWS = 30
BOOK_LEVELS = 10


DIVISIONS = frozenset({"J", "NX", "UN"})  # FID_COND_MRKT_DIV_CODE: KRX, NXT, both together


def asked_listing(call: Call) -> Listing | None:
    """The listing a quote asks for by division and code; None: unknown, or not traded on NXT.

    One tape stands for both boards, so the figures are the same on each.

    Raises:
        Refusal: OPSQ2001, there is no such division.
    """
    division = call.get("FID_COND_MRKT_DIV_CODE") or "J"
    if division not in DIVISIONS:
        raise invalid_division()
    listing = krx_listing(call.exchange, call.need("FID_INPUT_ISCD"))
    return None if listing is not None and division == "NX" and not listing.on_nxt else listing


def change(trade: Trade) -> Json:
    """Domestic `prdy_vrss` and `prdy_ctrt` are signed, unlike the overseas ones (kis.md §1.5)."""
    return {
        "prdy_vrss": fixed(trade.change),
        "prdy_vrss_sign": sign(trade.change),
        "prdy_ctrt": fixed(percent(trade.change, trade.prev_close), 2),
    }


def day_prices(trade: Trade) -> Json:
    return {
        "stck_prpr": fixed(trade.price),
        "stck_oprc": fixed(trade.open),
        "stck_hgpr": fixed(trade.high),
        "stck_lwpr": fixed(trade.low),
    }


def limits(call: Call, symbol: str) -> Json:
    lower, upper = call.exchange.price_limits(symbol) or (Decimal(0), Decimal(0))
    return {"stck_mxpr": fixed(upper), "stck_llam": fixed(lower)}


# Figures of the company that the exchange does not know: zero or blank, never absent (clients read every name).
PRICE_UNKNOWN = {
    **dict.fromkeys(
        [
            "prdy_vrss_vol_rate",
            "hts_frgn_ehrt",
            "frgn_ntby_qty",
            "pgtr_ntby_qty",
            "pvt_scnd_dmrs_prc",
            "pvt_frst_dmrs_prc",
            "pvt_pont_val",
            "pvt_frst_dmsp_prc",
            "pvt_scnd_dmsp_prc",
            "dmrs_val",
            "dmsp_val",
            "cpfn",
            "rstc_wdth_prc",
            "stck_fcam",
            "stck_sspr",
            "lstn_stcn",
            "hts_avls",
            "vol_tnrt",
            "whol_loan_rmnd_rate",
            "frgn_hldn_qty",
            "last_ssts_cntg_qty",
        ],
        "0",
    ),
    **dict.fromkeys(("per", "pbr", "eps", "bps"), "0.00"),
    **dict.fromkeys(
        [
            "temp_stop_yn",
            "oprc_rang_cont_yn",
            "clpr_rang_cont_yn",
            "crdt_able_yn",
            "elw_pblc_yn",
            "ssts_yn",
            "vi_cls_code",
            "ovtm_vi_cls_code",
            "invt_caful_yn",
            "short_over_yn",
            "sltr_yn",
            "mang_issu_cls_code",
        ],
        "N",
    ),
    "iscd_stat_cls_code": "55",
    "marg_rate": "100.00",
    "bstp_kor_isnm": "",
    "grmn_rate_cls_code": "100",
    "hts_deal_qty_unit_val": "1",
    "stac_month": "12",
    "fcam_cnnm": "",
    "cpfn_cnnm": "",
    "apprch_rate": "",
    "mrkt_warn_cls_code": "00",
}
PRICE_NUMBERS = [
    "stck_prpr",
    "prdy_vrss",
    "prdy_ctrt",
    "acml_tr_pbmn",
    "acml_vol",
    "stck_oprc",
    "stck_hgpr",
    "stck_lwpr",
    "stck_mxpr",
    "stck_llam",
    "stck_sdpr",
    "wghn_avrg_stck_prc",
    "aspr_unit",
]
EXTREMES = {  # name of the high and the low over a period: (days, pattern of its companions)
    "d250": (250, "d250_{0}", "d250_{0}_date", "d250_{0}_vrss_prpr_rate"),
    "dryy": (0, "stck_dryy_{0}", "dryy_{0}_date", "dryy_{0}_vrss_prpr_rate"),
    "w52": (260, "w52_{0}", "w52_{0}_date", "w52_{0}_vrss_prpr_ctrt"),
}


def price(call: Call) -> Answer:
    """The last price. An unknown code is rt_cd 0 with price 0: clients probe US symbols here (kis.md §4.7)."""
    code, listing = call.need("FID_INPUT_ISCD"), asked_listing(call)
    if listing is None:
        zeros = dict.fromkeys(PRICE_NUMBERS, "0")
        return quoted({"output": {**PRICE_UNKNOWN, **zeros, "prdy_vrss_sign": "3", "stck_shrn_iscd": code}})
    trade = call.exchange.quote(listing.symbol)
    average = trade.turnover / trade.cum_volume if trade.cum_volume else trade.price
    output = {
        **PRICE_UNKNOWN,
        "rprs_mrkt_kor_name": listing.board,
        "iscd_stat_cls_code": "58" if call.exchange.halted(listing.symbol) else "55",
        "temp_stop_yn": "Y" if call.exchange.halted(listing.symbol) else "N",
        **change(trade),
        "acml_tr_pbmn": fixed(trade.turnover),
        "acml_vol": str(trade.cum_volume),
        **day_prices(trade),
        **limits(call, listing.symbol),
        "stck_sdpr": fixed(trade.prev_close),
        "wghn_avrg_stck_prc": fixed(average, 2),
        "aspr_unit": fixed(call.exchange.tick_size(listing.symbol, trade.price)),
        "stck_shrn_iscd": listing.symbol,
        **_extremes(call, listing, trade),
    }
    return quoted({"output": output})


def _extremes(call: Call, listing: Listing, trade: Trade) -> Json:
    days = call.exchange.bars(listing.symbol, Timeframe.D1, 260, until=call.exchange.clock.market_now())
    this_year = [bar for bar in days if bar.start.astimezone(KST).year == trade.at.astimezone(KST).year]
    fields: Json = {}
    for count, value, on, rate in EXTREMES.values():
        span = days[-count:] if count else this_year or days[-1:]
        top, bottom = max(span, key=lambda bar: bar.high), min(span, key=lambda bar: bar.low)
        for name, bar, level in (("hgpr", top, top.high), ("lwpr", bottom, bottom.low)):
            fields |= {
                value.format(name): fixed(level),
                on.format(name): ymd(bar.start),
                rate.format(name): fixed(percent(trade.price - level, level), 2),
            }
    return fields


def asking_price(call: Call) -> Answer:
    """Ten levels each side and the expected price, which is 0 outside auctions (kis.md §4.8)."""
    code, listing = call.need("FID_INPUT_ISCD"), asked_listing(call)
    numbers = range(1, BOOK_LEVELS + 1)
    levels = {
        f"{name}{n}": "0"
        for name in ("askp", "bidp", "askp_rsqn", "bidp_rsqn", "askp_rsqn_icdc", "bidp_rsqn_icdc")
        for n in numbers
    }
    totals = dict.fromkeys(
        [
            "total_askp_rsqn",
            "total_bidp_rsqn",
            "total_askp_rsqn_icdc",
            "total_bidp_rsqn_icdc",
            "ovtm_total_askp_icdc",
            "ovtm_total_bidp_icdc",
            "ovtm_total_askp_rsqn",
            "ovtm_total_bidp_rsqn",
            "ntby_aspr_rsqn",
        ],
        "0",
    )
    expected = {
        "antc_mkop_cls_code": "112",
        "antc_cnpr": "0",
        "antc_cntg_vrss_sign": "3",
        "antc_cntg_vrss": "0",
        "antc_cntg_prdy_ctrt": "0.00",
        "antc_vol": "0",
        "vi_cls_code": "N",
    }
    if listing is None:
        prices = dict.fromkeys(("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_sdpr"), "0")
        head = {"aspr_acpt_hour": "", **levels, **totals, "new_mkop_cls_code": ""}
        return quoted({"output1": head, "output2": {**expected, **prices, "stck_shrn_iscd": code}})
    trade, book = call.exchange.quote(listing.symbol), call.exchange.book(listing.symbol)
    expected |= _expected(call, trade)
    for side, mark in ((book.asks, "askp"), (book.bids, "bidp")):
        for n, level in enumerate(side[:BOOK_LEVELS], 1):
            levels |= {f"{mark}{n}": fixed(level.price), f"{mark}_rsqn{n}": str(level.quantity)}
    asks, bids = sum(level.quantity for level in book.asks), sum(level.quantity for level in book.bids)
    totals |= {"total_askp_rsqn": str(asks), "total_bidp_rsqn": str(bids), "ntby_aspr_rsqn": str(bids - asks)}
    return quoted(
        {
            "output1": {"aspr_acpt_hour": hms(book.at), **levels, **totals, "new_mkop_cls_code": "20"},
            "output2": {
                **expected,
                **day_prices(trade),
                "stck_sdpr": fixed(trade.prev_close),
                "stck_shrn_iscd": listing.symbol,
            },
        }
    )


def _expected(call: Call, trade: Trade) -> Json:
    """What the running auction would trade at; nothing outside of auctions."""
    found = call.exchange.expected(trade.symbol)
    if found is None:
        return {}
    price, quantity = found
    against = price - trade.prev_close
    return {
        "antc_cnpr": fixed(price),
        "antc_cntg_vrss_sign": sign(against),
        "antc_cntg_vrss": fixed(against),
        "antc_cntg_prdy_ctrt": fixed(percent(against, trade.prev_close), 2),
        "antc_vol": str(quantity),
    }


def ticks(call: Call) -> Answer:
    listing = asked_listing(call)
    trades = call.exchange.trades(listing.symbol, TICK_ROWS) if listing else []
    rows = [
        {
            "stck_cntg_hour": hms(trade.at),
            "stck_prpr": fixed(trade.price),
            **change(trade),
            "cntg_vol": str(trade.quantity),
            "tday_rltv": "100.00",
        }
        for trade in reversed(trades)
    ]
    return quoted({"output": rows})


def quote_tr(tr_id: str, path: str, handler: Handler, env: ExEnv | None = None, field: str = "FID_INPUT_ISCD") -> Tr:
    return Tr(tr_id, "GET", BASE + path, handler, Market.KRX, env=env, symbol_field=field)


TRS = [
    quote_tr("FHKST01010100", "inquire-price", price),
    quote_tr("FHKST01010200", "inquire-asking-price-exp-ccn", asking_price),
    quote_tr("FHKST01010300", "inquire-ccnl", ticks),
]
