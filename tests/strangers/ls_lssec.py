"""ls-sec (PyPI): requests and websockets around the LS API as its guide shows them. Its URLs are attributes: set to
ours where it has a setting, redirected where it logs in by being made."""

from __future__ import annotations

from pathlib import Path

from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.lstruth import LsTruth, prepare
from tests.strangers.sources import package
from tests.strangers.truth import Check, is_, judge

NAME = "ls-sec 0.1.0"
SCRIPT = Path(__file__).parent / "scripts" / "lssec_client.py"


def run(exchange: ExchangeProc) -> list[CallResult]:
    where = package("ls-sec", "ls-sec==0.1.0", "aiofiles")
    reports = run_child(SCRIPT, prepare(exchange), path=[where], cwd=exchange.home / "lssec")
    truth = LsTruth(exchange)
    checks: dict[str, Check] = {
        "issue_token": is_(True),
        "get_time (t0167)": is_(True),
        "fetch_pandas (t1102)": truth.is_price("000660"),
        "fetch_pandas (t1101)": truth.is_price("000660"),
        "fetch_pandas (t8436)": truth.listed("KRX"),
        "fetch_pandas, two pages (t1301)": is_([True, True]),
        "fetch_pandas, two pages (t8410)": is_([True, True]),
        "post an order (CSPAT00601)": truth.is_order("005930", "BUY", 5, None),
        "fetch_pandas (t0424)": truth.holds("KRX"),
        "fetch_pandas (t0425)": truth.filled("KRX"),
        "subscribe (S3_)": is_("005930"),
        "subscribe (HA_)": is_("247540"),
        "subscribe_account (SC1)": truth.is_fill,
    }
    return judge(reports, checks)
