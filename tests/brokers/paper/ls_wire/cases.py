"""One row for every TR that is served: a request that succeeds, its success code, how it pages, what else it can say.

Requests are written out from ls.md §3 and §4; nothing here is taken from our own client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.account import Market
from tests.brokers.paper.ls_wire.bench import Bench

Json = dict[str, Any]
KRX_HEAD = {"shcode": "005930"}
US_HEAD = {"delaygb": "R", "keysymbol": "82TSLA", "exchcd": "82", "symbol": "TSLA"}
DAYS = {"gubun": "2", "qrycnt": 7, "sdate": "", "edate": "99999999", "cts_date": "", "comp_yn": "N", "sujung": "Y"}
MINUTES = {
    "ncnt": 3, "qrycnt": 7, "nday": "0", "sdate": "", "stime": "", "edate": "99999999", "etime": "",
    "cts_date": "", "cts_time": "", "comp_yn": "N",
}  # fmt: skip
TICKS = {"cvolume": 0, "starttime": "", "endtime": "", "cts_time": ""}
US_ORDER = {
    "RecCnt": 1, "OrdPtnCode": "02", "OrgOrdNo": 0, "OrdMktCode": "82", "IsuNo": "TSLA", "OrdQty": 3,
    "OvrsOrdPrc": 100.0, "OrdprcPtnCode": "00", "BrkTpCode": "",
}  # fmt: skip
JOURNAL = {"cts_medosu": "", "cts_expcode": "", "cts_price": "", "cts_middiv": ""}


@dataclass(frozen=True)
class Paging:
    """Where the rows are, what tells one from another, and which fields carry the cursor from OutBlock to InBlock."""

    rows: str
    identity: Callable[[Json], Any]
    cursors: Mapping[str, str] = field(default_factory=dict)  # OutBlock name -> InBlock name; empty: header only
    small: Json = field(default_factory=dict)  # asks for small pages; else the page size is made small
    most: int = 12  # pages walked before the end must have come
    more_code: str = ""  # what a page that is not the last says instead of the success code


@dataclass(frozen=True)
class Case:
    block: str  # InBlock | InBlock1
    asked: Json
    success: str = "00000"
    mock: str | None = None  # what 모의투자 says; None: the same
    paging: Paging | None = None
    dated: str = ""  # a field that must be the day's date


def _labels(row: Json) -> str:
    return str(row["date"]) + str(row.get("time", row.get("loctime", "")))


def _days_paging(rows: str) -> Paging:
    return Paging(rows, _labels, {"cts_date": "cts_date"})


def _minutes_paging(rows: str) -> Paging:
    return Paging(rows, _labels, {"cts_date": "cts_date", "cts_time": "cts_time"})


def _key(*names: str) -> Callable[[Json], Any]:
    return lambda row: tuple(row[name] for name in names)


CASES: dict[str, Case] = {
    "t1101": Case("InBlock", KRX_HEAD),
    "t1102": Case("InBlock", {**KRX_HEAD, "exchgubun": "K"}),
    "t8450": Case("InBlock", {**KRX_HEAD, "exchgubun": "U"}),
    "t8407": Case("InBlock", {"nrec": 2, "shcode": "005930000660"}),
    "t1301": Case(
        "InBlock", {**KRX_HEAD, **TICKS},
        paging=Paging("t1301OutBlock1", _key("volume"), {"cts_time": "cts_time"}, most=100),
    ),
    "t8454": Case(
        "InBlock", {**KRX_HEAD, **TICKS, "exchgubun": "U"},
        paging=Paging("t8454OutBlock1", _key("volume"), {"cts_time": "cts_time"}, most=100),
    ),
    "t1302": Case(
        "InBlock", {**KRX_HEAD, "gubun": "1", "time": "", "cnt": 20, "exchgubun": "K"},
        paging=Paging("t1302OutBlock1", _key("chetime"), {"cts_time": "time"}, {"cnt": 200}, most=100),
    ),
    "t1305": Case(
        "InBlock", {**KRX_HEAD, "dwmcode": 1, "date": "", "idx": 0, "cnt": 7, "exchgubun": "K"},
        paging=Paging("t1305OutBlock1", _key("date"), {"date": "date"}),
    ),
    "t9945": Case("InBlock", {"gubun": "1"}),
    "t8410": Case("InBlock", {**KRX_HEAD, **DAYS}, paging=_days_paging("t8410OutBlock1")),
    "t8451": Case("InBlock", {**KRX_HEAD, **DAYS, "exchgubun": "U"}, paging=_days_paging("t8451OutBlock1")),
    "t8412": Case("InBlock", {**KRX_HEAD, **MINUTES}, paging=_minutes_paging("t8412OutBlock1")),
    "t8452": Case("InBlock", {**KRX_HEAD, **MINUTES, "exchgubun": "U"}, paging=_minutes_paging("t8452OutBlock1")),
    "t8436": Case("InBlock", {"gubun": "0"}),
    "t8430": Case("InBlock", {"gubun": "0"}),
    "t0167": Case("InBlock", {"id": ""}),
    "CSPAT00601": Case(
        "InBlock1",
        {
            "IsuNo": "A005930", "OrdQty": 2, "OrdPrc": 60000, "BnsTpCode": "2", "OrdprcPtnCode": "00",
            "MgntrnCode": "000", "LoanDt": "", "OrdCndiTpCode": "0", "MbrNo": "KRX",
        },
        success="00040",
    ),
    "CSPAT00701": Case(
        "InBlock1",
        {
            "OrgOrdNo": 1, "IsuNo": "A005930", "OrdQty": 10, "OrdprcPtnCode": "00", "OrdCndiTpCode": "0",
            "OrdPrc": 60100,
        },
        success="00132", mock="00462",
    ),
    "CSPAT00801": Case(
        "InBlock1", {"OrgOrdNo": 1, "IsuNo": "A005930", "OrdQty": 10}, success="00156", mock="00463"
    ),
    "t0424": Case(
        "InBlock", {"prcgb": "1", "chegb": "2", "dangb": "0", "charge": "1", "cts_expcode": ""},
        paging=Paging("t0424OutBlock1", _key("expcode"), {"cts_expcode": "cts_expcode"}, most=100),
    ),
    "t0425": Case(
        "InBlock", {"expcode": "", "chegb": "0", "medosu": "0", "sortgb": "1", "cts_ordno": " "},
        paging=Paging("t0425OutBlock1", _key("ordno"), {"cts_ordno": "cts_ordno"}, most=100),
    ),
    "CSPAQ12200": Case("InBlock1", {"BalCreTp": "0"}, success="00136"),
    "CSPAQ22200": Case("InBlock1", {"BalCreTp": "0"}, success="00136"),
    "CSPAQ12300": Case(
        "InBlock1", {"BalCreTp": "0", "CmsnAppTpCode": "1", "D2balBaseQryTp": "0", "UprcTpCode": "0"}, success="00136"
    ),
    "CSPAQ13700": Case(
        "InBlock1",
        {
            "OrdMktCode": "00", "BnsTpCode": "0", "IsuNo": "", "ExecYn": "0", "OrdDt": "", "SrtOrdNo2": 999999999,
            "BkseqTpCode": "0", "OrdPtnCode": "00",
        },
        success="00136", mock="00707", dated="OrdDt",
        paging=Paging("CSPAQ13700OutBlock3", _key("OrdNo"), most=100, more_code="00133"),
    ),
    "CSPBQ00200": Case("InBlock1", {"BnsTpCode": "2", "IsuNo": "KR7005930003", "OrdPrc": 71300.0}, success="00136"),
    "t0150": Case(
        "InBlock", JOURNAL,
        paging=Paging(
            "t0150OutBlock1", _key("medosu", "expcode", "price", "qty"), {name: name for name in JOURNAL}, most=100
        ),
    ),
    "t0151": Case(
        "InBlock", {"date": "", **JOURNAL}, dated="date",
        paging=Paging(
            "t0151OutBlock1", _key("medosu", "expcode", "price", "qty"), {name: name for name in JOURNAL}, most=100
        ),
    ),
    "FOCCQ33600": Case(
        "InBlock1", {"QrySrtDt": "20260301", "QryEndDt": "20260310", "TermTp": "1"}, success="00136", mock="01900"
    ),
    "COSAT00301": Case("InBlock1", US_ORDER, success="00040", mock="01900"),
    "COSAT00311": Case(
        "InBlock1", {**US_ORDER, "OrdPtnCode": "07", "OrdQty": 0, "OvrsOrdPrc": 101.0}, success="00132", mock="01900"
    ),
    "COSOQ00201": Case(
        "InBlock1", {"RecCnt": 1, "BaseDt": "20260310", "CrcyCode": "ALL", "AstkBalTpCode": "00"},
        success="00001", mock="IGW40014",
    ),
    "COSOQ02701": Case("InBlock1", {"RecCnt": 1, "CrcyCode": "ALL"}, success="00136", mock="01900"),
    "COSAQ00102": Case(
        "InBlock1",
        {
            "RecCnt": 1, "QryTpCode": "1", "BkseqTpCode": "1", "OrdMktCode": "82", "BnsTpCode": "0", "IsuNo": "",
            "SrtOrdNo": 999999999, "OrdDt": "", "ExecYn": "0", "CrcyCode": "000", "ThdayBnsAppYn": "0",
            "LoanBalHldYn": "0",
        },
        success="00136", mock="01900",
        paging=Paging("COSAQ00102OutBlock3", _key("OrdNo"), most=100, more_code="00133"),
    ),
    "g3101": Case("InBlock", US_HEAD, mock="00707"),
    "g3102": Case(
        "InBlock", {"delaygb": "R", "keysymbol": "82TSLA", "exchcd": "82", "readcnt": 20, "cts_seq": 0}, mock="00707",
        paging=Paging(
            "g3102OutBlock1", _key("kordate", "kortime", "price", "exevol"), {"cts_seq": "cts_seq"}, most=100
        ),
    ),
    "g3104": Case("InBlock", US_HEAD, mock="00707"),
    "g3106": Case("InBlock", US_HEAD, mock="00707"),
    "g3190": Case(
        "InBlock", {"delaygb": "R", "natcode": "US", "exgubun": "2", "readcnt": 2, "cts_value": ""}, mock="00707",
        paging=Paging("g3190OutBlock1", _key("symbol"), {"cts_value": "cts_value"}, most=100),
    ),
    "g3103": Case("InBlock", {**US_HEAD, "gubun": "2", "date": "99999999"}, mock="00009"),
    "g3202": Case(
        "InBlock",
        {**US_HEAD, "ncnt": 2, "qrycnt": 10, "comp_yn": "N", "sdate": "", "edate": "99999999", "cts_seq": 0},
        mock="00707",
        paging=Paging("g3202OutBlock1", _key("loctime", "open", "close", "exevol"), {"cts_seq": "cts_seq"}, most=100),
    ),
    "g3203": Case(
        "InBlock",
        {
            **US_HEAD, "ncnt": 10, "qrycnt": 7, "comp_yn": "N", "sdate": "", "edate": "99999999", "cts_date": "",
            "cts_time": "",
        },
        mock="00707", paging=_minutes_paging("g3203OutBlock1"),
    ),
    "g3204": Case(
        "InBlock", {**US_HEAD, **DAYS, "cts_info": ""}, mock="00707",
        paging=Paging("g3204OutBlock1", _labels, {"cts_date": "cts_date", "cts_info": "cts_info"}),
    ),
}  # fmt: skip


def body(bench: Bench, tr: str, **changed: Any) -> Json:
    """The request of a TR's row, dated today where it must be; a field given as None is left out."""
    case = CASES[tr]
    fields = dict(case.asked)
    if case.dated:
        fields[case.dated] = f"{bench.exchange.trade_date(Market.KRX):%Y%m%d}"
    fields |= changed
    return {f"{tr}{case.block}": {name: value for name, value in fields.items() if value is not None}}
