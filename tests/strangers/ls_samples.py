"""The samples of LS's maintainer (teranum/ls-openapi-samples), as they are, on the published `ebest` client.

Each asks for keys in `app_keys.py` and prints tables through the hook that its own sample browser uses: what it printed
is what it parsed. Some are written for Python 3.12 and run from there on.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.lstruth import LsTruth, prepare
from tests.strangers.sources import package, repository
from tests.strangers.truth import Check, is_, judge

NAME = "maintainer's samples (LS)"
SCRIPT = Path(__file__).parent / "scripts" / "ls_samples_client.py"
URL = "https://github.com/teranum/ls-openapi-samples"


def run(exchange: ExchangeProc) -> list[CallResult]:
    repo = repository("ls-openapi-samples", URL)
    needs = [package("ebest", "ebest==1.0.2"), package("ls-samples-needs", "prettytable", "wcwidth")]
    given = {**prepare(exchange), "samples": str(repo / "Python"), "new": sys.version_info >= (3, 12)}
    reports = run_child(SCRIPT, given, path=[*needs, repo / "Python"], cwd=exchange.home / "samples", timeout_s=240)
    return judge(reports, _checks(LsTruth(exchange)))


def _checks(truth: LsTruth) -> dict[str, Check]:
    checks: dict[str, Check] = {
        "03 master (t8436)": truth.listed("KRX"),
        "04 price (t1102)": is_(["삼성전자", True]),
        "05 chart (t8410)": is_([100, True]),
        "06 chart, two pages (t8410)": is_([200, True]),
        "07 deposit (CSPAQ22200)": truth.is_cash("KRW"),
        "21 trades (S3_)": is_([["005930"], True]),  # 000660 is halted
        "40 US master (g3190)": is_(True),
        "41 US info (g3104)": is_("TSLA"),
        "42 US price (g3101)": is_(["TSLA", True]),
        "43 US minutes (g3203)": is_([100, True]),
        "44 US days (g3204)": is_([100, True]),
        "45 US days, pages (g3204)": is_(True),
        "46 US trades (GSC)": is_(True),
        "47 US books (GSH)": is_(True),
        "48 US cash (COSOQ02701)": truth.is_cash("USD"),
    }
    if sys.version_info >= (3, 12):
        checks |= {
            "14 order desk: buy, amend, cancel (CSPAT00601, CSPAT00701, CSPAT00801)": _life(truth, "005930"),
            "49 US balance (COSOQ00201)": is_(True),
            "51 US order desk (COSAT00301, COSAT00311)": _life(truth, "TSLA"),
        }
    return checks


def _life(truth: LsTruth, symbol: str) -> Check:
    """An order was bought, amended and cancelled, and the sample said each was done."""

    def check(got: object) -> str:
        seen = [e["type"] for e in truth.exchange.events(truth.number) if e.get("symbol") == symbol]
        kinds = [kind for kind in seen if kind in {"ORDER", "AMEND", "CANCEL"}]
        wanted = ["ORDER", "AMEND", "CANCEL"]
        return "" if kinds == wanted and got == 3 else f"ledger {kinds}, said {got}"

    return check
