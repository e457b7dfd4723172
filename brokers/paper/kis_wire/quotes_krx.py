"""KRX quotes: price, order book, ticks, charts, product info and the holiday list (kis.md §4.7 to §4.10)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, Json, informed, not_found, quoted
from brokers.paper.kis_wire.calls import Call, Handler, Tr
from brokers.paper.kis_wire.charts import minute_bars, period_bars
from brokers.paper.kis_wire.fields import KST, fixed, hms, percent, sign, ymd
from brokers.paper.kis_wire.symbols import BY_PRODUCT, krx_listing, us_listing
from brokers.paper.listings import Listing
from brokers.paper.tape import Trade
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.market import Bar, Timeframe

BASE = "/uapi/domestic-stock/v1/quotations/"
TICK_ROWS, DAY_ROWS, PERIOD_ROWS, MINUTE_ROWS, PAST_MINUTE_ROWS = 30, 30, 100, 30, 120
BOOK_LEVELS = 10
_MINUTE = timedelta(minutes=1)
HOLIDAY_ROWS = 24


def _change(trade: Trade) -> Json:
    """Domestic `prdy_vrss` and `prdy_ctrt` are signed, unlike the overseas ones (kis.md §1.5)."""
    return {
        "prdy_vrss": fixed(trade.change),
        "prdy_vrss_sign": sign(trade.change),
        "prdy_ctrt": fixed(percent(trade.change, trade.prev_close), 2),
    }


def _day_prices(trade: Trade) -> Json:
    return {
        "stck_prpr": fixed(trade.price),
        "stck_oprc": fixed(trade.open),
        "stck_hgpr": fixed(trade.high),
        "stck_lwpr": fixed(trade.low),
    }


def _limits(call: Call, symbol: str) -> Json:
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
    code = call.need("FID_INPUT_ISCD")
    listing = krx_listing(call.exchange, code)
    if listing is None:
        zeros = dict.fromkeys(PRICE_NUMBERS, "0")
        return quoted({"output": {**PRICE_UNKNOWN, **zeros, "prdy_vrss_sign": "3", "stck_shrn_iscd": code}})
    trade = call.exchange.quote(listing.symbol)
    average = trade.turnover / trade.cum_volume if trade.cum_volume else trade.price
    output = {
        **PRICE_UNKNOWN,
        "rprs_mrkt_kor_name": listing.board,
        **_change(trade),
        "acml_tr_pbmn": fixed(trade.turnover),
        "acml_vol": str(trade.cum_volume),
        **_day_prices(trade),
        **_limits(call, listing.symbol),
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
    code = call.need("FID_INPUT_ISCD")
    listing = krx_listing(call.exchange, code)
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
                **_day_prices(trade),
                "stck_sdpr": fixed(trade.prev_close),
                "stck_shrn_iscd": listing.symbol,
            },
        }
    )


def ticks(call: Call) -> Answer:
    listing = krx_listing(call.exchange, call.need("FID_INPUT_ISCD"))
    trades = call.exchange.trades(listing.symbol, TICK_ROWS) if listing else []
    rows = [
        {
            "stck_cntg_hour": hms(trade.at),
            "stck_prpr": fixed(trade.price),
            **_change(trade),
            "cntg_vol": str(trade.quantity),
            "tday_rltv": "100.00",
        }
        for trade in reversed(trades)
    ]
    return quoted({"output": rows})


def _pairs(bars: list[Bar], rows: int) -> list[tuple[Bar, Decimal]]:
    """The newest bars with the close before each, newest first; the very first bar compares with its own open."""
    closes = [bars[0].open, *(bar.close for bar in bars)] if bars else []
    return list(zip(bars, closes, strict=False))[-rows:][::-1]


def recent_days(call: Call) -> Answer:
    """The last 30 days, weeks or months, newest first (kis.md §4.9)."""
    listing, period = krx_listing(call.exchange, call.need("FID_INPUT_ISCD")), call.get("FID_PERIOD_DIV_CODE") or "D"
    if listing is None or period not in ("D", "W", "M"):
        return quoted({"output": []})
    now = call.exchange.clock.market_now()
    bars = period_bars(call.exchange, listing.symbol, Market.KRX, period, DAY_ROWS + 1, now)
    rows = [
        {
            **_bar_prices(bar),
            "stck_clpr": fixed(bar.close),
            "acml_vol": str(bar.volume),
            "prdy_vrss_vol_rate": "0.00",
            **_bar_change(bar, before),
            "prdy_ctrt": fixed(percent(bar.close - before, before), 2),
            "hts_frgn_ehrt": "0.00",
            "frgn_ntby_qty": "0",
            "flng_cls_code": "00",
            "acml_prtt_rate": "0.00",
        }
        for bar, before in _pairs(bars, DAY_ROWS)
    ]
    return quoted({"output": rows})


def _bar_prices(bar: Bar) -> Json:
    return {
        "stck_bsop_date": ymd(bar.start),
        "stck_oprc": fixed(bar.open),
        "stck_hgpr": fixed(bar.high),
        "stck_lwpr": fixed(bar.low),
    }


def _bar_change(bar: Bar, before: Decimal) -> Json:
    return {"prdy_vrss": fixed(bar.close - before), "prdy_vrss_sign": sign(bar.close - before)}


PERIOD_UNKNOWN = dict.fromkeys(
    ["vol_tnrt", "stck_fcam", "lstn_stcn", "cpfn", "hts_avls", "per", "eps", "pbr", "itewhol_loan_rmnd_ratem"], "0"
)


def period_chart(call: Call) -> Answer:
    """Up to 100 bars between two dates, newest first; the next page is asked by moving FID_INPUT_DATE_2."""
    listing, period = krx_listing(call.exchange, call.need("FID_INPUT_ISCD")), call.need("FID_PERIOD_DIV_CODE")
    if listing is None or period not in ("D", "W", "M", "Y"):
        return quoted({"output1": {}, "output2": []})
    since, now = call.day("FID_INPUT_DATE_1"), call.exchange.clock.market_now()
    until = min(now, datetime.combine(call.day("FID_INPUT_DATE_2"), time(23, 59, 59), KST))
    bars = period_bars(call.exchange, listing.symbol, Market.KRX, period, PERIOD_ROWS + 1, until)
    rows = [
        {
            **_bar_prices(bar),
            "stck_clpr": fixed(bar.close),
            "acml_vol": str(bar.volume),
            "acml_tr_pbmn": fixed(bar.close * bar.volume),
            "flng_cls_code": "00",
            "prtt_rate": "0.00",
            "mod_yn": "N",
            **_bar_change(bar, before),
            "revl_issu_reas": "",
        }
        for bar, before in _pairs(bars, PERIOD_ROWS)
        if bar.start.astimezone(KST).date() >= since
    ]
    return quoted({"output1": _period_head(call, listing), "output2": rows})


def _period_head(call: Call, listing: Listing) -> Json:
    trade = call.exchange.quote(listing.symbol)
    days = call.exchange.bars(listing.symbol, Timeframe.D1, 2, until=call.exchange.clock.market_now())
    before = days[0]
    return {
        **PERIOD_UNKNOWN,
        **_minute_head(listing, trade),
        "stck_shrn_iscd": listing.symbol,
        "prdy_vol": str(before.volume),
        **_limits(call, listing.symbol),
        **_day_prices(trade),
        "stck_prdy_oprc": fixed(before.open),
        "stck_prdy_hgpr": fixed(before.high),
        "stck_prdy_lwpr": fixed(before.low),
        "askp": fixed(trade.ask),
        "bidp": fixed(trade.bid),
        "prdy_vrss_vol": str(trade.cum_volume - before.volume),
    }


def _minute_head(listing: Listing, trade: Trade) -> Json:
    return {
        **_change(trade),
        "stck_prdy_clpr": fixed(trade.prev_close),
        "acml_vol": str(trade.cum_volume),
        "acml_tr_pbmn": fixed(trade.turnover),
        "hts_kor_isnm": listing.name_ko,
        "stck_prpr": fixed(trade.price),
    }


def minutes(call: Call) -> Answer:
    """Up to 30 minutes of today, newest first, ending at FID_INPUT_HOUR_1. Minutes still to come show the current
    price, as the broker does (kis.md §4.9)."""
    listing = krx_listing(call.exchange, call.need("FID_INPUT_ISCD"))
    if listing is None:
        return quoted({"output1": {}, "output2": []})
    now, trade = call.exchange.clock.market_now().astimezone(KST), call.exchange.quote(listing.symbol)
    this_minute = now.replace(second=0, microsecond=0)
    end = (_moment(now.date(), call.get("FID_INPUT_HOUR_1")) or now).replace(second=0, microsecond=0)
    ahead = max(0, min(MINUTE_ROWS, (end - this_minute) // _MINUTE))
    to_come = [
        Bar(listing.symbol, Timeframe.M1, end - n * _MINUTE, *(trade.price,) * 4, volume=0, closed=False)
        for n in range(ahead)
    ]
    past = minute_bars(call.exchange, listing.symbol, 1, MINUTE_ROWS, min(end, now))
    today = [bar for bar in reversed(past) if bar.start.astimezone(KST).date() == now.date()]
    rows = [_minute_row(bar) for bar in [*to_come, *today][:MINUTE_ROWS]]
    return quoted({"output1": _minute_head(listing, trade), "output2": rows})


def past_minutes(call: Call) -> Answer:
    """Up to 120 minutes, newest first, ending at a past date and time (kis.md §4.9)."""
    listing = krx_listing(call.exchange, call.need("FID_INPUT_ISCD"))
    if listing is None:
        return quoted({"output1": {}, "output2": []})
    now = call.exchange.clock.market_now()
    end = _moment(call.day("FID_INPUT_DATE_1"), call.get("FID_INPUT_HOUR_1")) or now
    bars = minute_bars(call.exchange, listing.symbol, 1, PAST_MINUTE_ROWS, min(end, now))
    trade = call.exchange.quote(listing.symbol)
    return quoted({"output1": _minute_head(listing, trade), "output2": [_minute_row(bar) for bar in reversed(bars)]})


def _moment(on: date, text: str) -> datetime | None:
    try:
        return datetime.combine(on, time(int(text[:2]), int(text[2:4]), int(text[4:6])), KST)
    except ValueError:
        return None


def _minute_row(bar: Bar) -> Json:
    return {
        "stck_bsop_date": ymd(bar.start),
        "stck_cntg_hour": hms(bar.start),
        "stck_prpr": fixed(bar.close),
        "stck_oprc": fixed(bar.open),
        "stck_hgpr": fixed(bar.high),
        "stck_lwpr": fixed(bar.low),
        "cntg_vol": str(bar.volume),
        "acml_tr_pbmn": fixed(bar.close * bar.volume),
    }


def product(call: Call) -> Answer:
    """Master data of a KRX (300) or US product; `shtn_pdno` is the plain ticker, not found is rt_cd 7 (kis.md §4.10)."""
    kind, symbol = call.need("PRDT_TYPE_CD"), call.need("PDNO")
    listing = (
        krx_listing(call.exchange, symbol) if kind == "300" else us_listing(call.exchange, symbol, BY_PRODUCT.get(kind))
    )
    if listing is None:
        raise not_found()
    korean = listing.market is Market.KRX
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
        "pdno": f"00000A{listing.symbol}" if korean else listing.symbol,
        "prdt_type_cd": kind,
        "prdt_name": listing.name_ko,
        "prdt_name120": listing.name_ko,
        "prdt_abrv_name": listing.name_ko,
        "prdt_eng_name": listing.name_en,
        "prdt_eng_name120": listing.name_en,
        "prdt_eng_abrv_name": listing.name_en,
        "std_pdno": listing.symbol,
        "shtn_pdno": listing.symbol,
        "prdt_clsf_cd": "101110" if korean else "101210",
        "prdt_clsf_name": "국내주식" if korean else "해외주식",
        **dict.fromkeys(blank, ""),
    }
    return informed({"output": output})


def holidays(call: Call) -> Answer:
    """Days from BASS_DT on: opnd_yn says whether the market opens (kis.md §4.10)."""
    krx, first = load().days(Market.KRX), call.day("BASS_DT")
    rows = []
    for on in (first + timedelta(days=n) for n in range(HOLIDAY_ROWS)):
        if not krx.first <= on <= krx.last:
            break
        opened = "Y" if krx.is_trading_day(on) else "N"
        rows.append(
            {
                "bass_dt": f"{on:%Y%m%d}",
                "wday_dvsn_cd": f"{on.isoweekday() % 7 + 1:02d}",
                "bzdy_yn": opened,
                "tr_day_yn": "Y",
                "opnd_yn": opened,
                "sttl_day_yn": "N" if on in krx.no_settlement else opened,
            }
        )
    area = {"ctx_area_nk": "".ljust(20), "ctx_area_fk": f"{first:%Y%m%d}".ljust(20)}
    return quoted({**area, "output": rows})


def _quote_tr(tr_id: str, path: str, handler: Handler, env: ExEnv | None = None, field: str = "FID_INPUT_ISCD") -> Tr:
    return Tr(tr_id, "GET", BASE + path, handler, Market.KRX, env=env, symbol_field=field)


LIVE = ExEnv.LIVE  # on the 모의 host these answer EGW02006
TRS = [
    _quote_tr("FHKST01010100", "inquire-price", price),
    _quote_tr("FHKST01010200", "inquire-asking-price-exp-ccn", asking_price),
    _quote_tr("FHKST01010300", "inquire-ccnl", ticks),
    _quote_tr("FHKST01010400", "inquire-daily-price", recent_days),
    _quote_tr("FHKST03010100", "inquire-daily-itemchartprice", period_chart),
    _quote_tr("FHKST03010200", "inquire-time-itemchartprice", minutes),
    _quote_tr("FHKST03010230", "inquire-time-dailychartprice", past_minutes, LIVE),
    _quote_tr("CTPF1604R", "search-info", product, LIVE, "PDNO"),
    _quote_tr("CTCA0903R", "chk-holiday", holidays, LIVE, "BASS_DT"),
]
