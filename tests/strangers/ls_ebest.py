"""ebest (PyPI), of the maintainer of LS's samples: REST and WebSocket of both sides, Korea and US. Its URLs are module
constants: set to ours."""

from __future__ import annotations

from pathlib import Path

from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.lstruth import LIVE_KEY, MOCK_KEY, LsTruth, prepare
from tests.strangers.sources import package
from tests.strangers.truth import Check, is_, judge

NAME = "ebest 1.0.2"
SCRIPT = Path(__file__).parent / "scripts" / "ebest_client.py"


def run(exchange: ExchangeProc) -> list[CallResult]:
    where = package("ebest", "ebest==1.0.2")
    reports = run_child(SCRIPT, prepare(exchange), path=[where], cwd=exchange.home / "ebest")
    live, mock = LsTruth(exchange, LIVE_KEY), LsTruth(exchange, MOCK_KEY)
    return judge(reports, _korea("", live) | _korea("mock ", mock) | _america(live) | _only_mock())


def _korea(tag: str, truth: LsTruth) -> dict[str, Check]:
    price, order = truth.is_price("000660"), truth.is_order
    checks: dict[str, Check] = {
        "login, probe (FOCCQ33600)": is_(tag == "mock "),
        "price (t1102)": price,
        "book (t1101)": price,
        "unified book (t8450)": price,
        "several prices (t8407)": price,
        "days (t8410)": price,
        "unified days, two pages (t8451)": is_([6, True]),
        "minutes (t8412)": price,
        "unified minutes (t8452)": price,
        "master (t8436)": truth.listed("KRX"),
        "master with NXT (t9945)": truth.listed("KRX", "KOSDAQ"),
        "limit buy (CSPAT00601)": order("005930", "BUY", 4, "60000"),
        "open orders (t0425)": is_([["005930", "매수", 4, 60000, "접수"]]),
        "amend (CSPAT00701)": order("005930", "BUY", 4, "61000", "AMEND"),
        "cancel (CSPAT00801)": order("005930", "BUY", 4, "61000", "CANCEL"),
        "market buy (CSPAT00601)": order("005930", "BUY", 5, None),
        "market sell (CSPAT00601)": order("005930", "SELL", 2, None),
        "NXT limit buy (CSPAT00601)": order("005930", "BUY", 1, "60000"),
        "fills (t0425)": truth.filled("KRX"),
        "holdings (t0424)": truth.holds("KRX"),
        "holdings (CSPAQ12300)": truth.holds("KRX"),
        "cash (CSPAQ12200)": truth.is_cash("KRW"),
        "cash (CSPAQ22200)": truth.is_cash("KRW"),
        "orderable (CSPBQ00200)": truth.is_cash("KRW"),
        "trades (S3_)": is_(["005930", True]),
        "books (H1_)": is_(["005930", True]),
        "unified trades (US3)": is_(["U005930   ", True]),
        "NXT books (NH1)": is_(["N005930   ", True]),
        "received notice (SC0)": order("005930", "BUY", 5, None),
        "fill notice (SC1)": truth.is_fill,
        "amend notice (SC2)": order("005930", "BUY", 4, "61000", "AMEND"),
        "cancel notice (SC3)": order("005930", "BUY", 4, "61000", "CANCEL"),
    }
    if not tag:
        checks["orders of the day (CSPAQ13700)"] = truth.filled("KRX")
        checks["journal (t0150)"] = is_([5, 2])
    return {tag + call: check for call, check in checks.items()}


def _america(truth: LsTruth) -> dict[str, Check]:
    price, order = truth.is_price("MSFT"), truth.is_order
    return {
        "US price (g3101)": price,
        "US info (g3104)": is_("MSFT"),
        "US book (g3106)": price,
        "US days (g3204)": price,
        "US minutes (g3203)": price,
        "US table (g3103)": price,
        "US limit buy (COSAT00301)": order("AAPL", "BUY", 3, "150"),
        "US amend (COSAT00311)": order("AAPL", "BUY", 3, "151", "AMEND"),
        "US cancel (COSAT00301)": order("AAPL", "BUY", 3, "151", "CANCEL"),
        "US crossing buy (COSAT00301)": order("AAPL", "BUY", 2, "230"),
        "US market sell (COSAT00301)": order("AAPL", "SELL", 1, None),
        "US balance (COSOQ00201)": truth.holds("US"),
        "US cash (COSOQ02701)": truth.is_cash("USD"),
        "US fills (COSAQ00102)": truth.filled("US"),
        "US trades (GSC)": is_(["82AAPL            ", True]),
        "US books (GSH)": is_(["82AAPL            ", True]),
        "US fill notice (AS1)": truth.is_fill,
    }


def _only_mock() -> dict[str, Check]:
    return {
        "mock US price (g3101)": is_("00707"),
        "mock US order (COSAT00301)": is_("01900"),
        "mock plain code (CSPAT00601)": is_("01407"),
    }
