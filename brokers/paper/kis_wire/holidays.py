"""Calendars: KRX open days and the settlement dates of US trades (kis.md §3.13, §4.10). Live only."""

from __future__ import annotations

from datetime import date, timedelta

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire.answers import Answer, listed
from brokers.paper.kis_wire.calls import Call, Tr
from brokers.paper.kis_wire.symbols import US_EXCHANGES
from shared.calendars import load
from shared.domain.account import Market

KRX_DAYS = 24  # of a page


def _area(fk: str, nk: str) -> dict[str, str]:
    return {"ctx_area_nk": nk.ljust(20), "ctx_area_fk": fk.ljust(20)}


def krx_days(call: Call) -> Answer:
    """Days from BASS_DT on: opnd_yn says whether the market opens. The cursor is the next page's first day."""
    krx, first = load().krx, call.day("BASS_DT")
    begin = _cursor(call.get("CTX_AREA_NK")) if call.continues else None
    begin = first if begin is None else begin
    days = [day for n in range(KRX_DAYS) if krx.first <= (day := begin + timedelta(days=n)) <= krx.last]
    following = begin + timedelta(days=KRX_DAYS)
    more = bool(days) and following <= krx.last
    rows = []
    for on in days:
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
    area = _area(f"{first:%Y%m%d}", f"{following:%Y%m%d}" if more else "")
    return listed({**area, "output": rows}, rows=len(rows), more=more, env=call.env)


def _cursor(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def us_settlement(call: Call) -> Answer:
    """When trades of TRAD_DT settle, per market; a market that is closed that day is missing (kis.md §3.13)."""
    on, us, krx = call.day("TRAD_DT"), load().us, load().krx
    rows = []
    if us.first <= on <= us.last and us.is_trading_day(on):
        there = us.settle_date(on)
        here = krx.next_day(there)
        rows = [
            {
                "prdt_type_cd": home.product,
                "tr_natn_cd": "840",
                "tr_natn_name": "미국",
                "natn_eng_abrv_cd": "US",
                "tr_mket_cd": home.market_code,
                "tr_mket_name": home.name,
                "acpl_sttl_dt": f"{there:%Y%m%d}",
                "dmst_sttl_dt": f"{here:%Y%m%d}",
            }
            for home in US_EXCHANGES.values()
        ]
    return listed({**_area(f"{on:%Y%m%d}", ""), "output": rows}, rows=len(rows), more=False, env=call.env)


KRX_PATH, US_PATH = (
    "/uapi/domestic-stock/v1/quotations/chk-holiday",
    "/uapi/overseas-stock/v1/quotations/countries-holiday",
)
TRS = [
    Tr("CTCA0903R", "GET", KRX_PATH, krx_days, Market.KRX, env=ExEnv.LIVE, symbol_field="BASS_DT"),
    Tr("CTOS5011R", "GET", US_PATH, us_settlement, Market.US, env=ExEnv.LIVE, symbol_field="TRAD_DT"),
]
