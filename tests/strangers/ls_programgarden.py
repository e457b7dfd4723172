"""programgarden-finance (PyPI): typed US stocks over LS REST and WebSocket, its models checked by pydantic. Its URLs are
class constants, read when it is imported: redirected where its HTTP and WebSocket libraries connect."""

from __future__ import annotations

from pathlib import Path

from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.lstruth import LsTruth, prepare
from tests.strangers.sources import package
from tests.strangers.truth import Check, is_, judge

NAME = "programgarden-finance 0.1.13"
SCRIPT = Path(__file__).parent / "scripts" / "programgarden_client.py"
WANTED = ("programgarden-finance==0.1.13", "programgarden-core==0.1.12")


def run(exchange: ExchangeProc) -> list[CallResult]:
    where = package("programgarden", *WANTED)
    reports = run_child(SCRIPT, prepare(exchange), path=[where], cwd=exchange.home / "programgarden")
    truth = LsTruth(exchange)
    price, order = truth.is_price("MSFT"), truth.is_order
    checks: dict[str, Check] = {
        "login": is_(True),
        "g3101": price,
        "g3102": is_(True),
        "g3104": is_("MSFT"),
        "g3106": price,
        "g3190": is_(True),
        "g3103": price,
        "g3202": is_(True),
        "g3203": price,
        "g3204": price,
        "COSAT00301 buy": order("AAPL", "BUY", 3, "150"),
        "COSAT00311": order("AAPL", "BUY", 3, "151", "AMEND"),
        "COSAT00301 cancel": order("AAPL", "BUY", 3, "151", "CANCEL"),
        "COSAT00301 crossing buy": order("AAPL", "BUY", 2, "230"),
        "COSAT00301 sell at market": order("AAPL", "SELL", 1, None),
        "COSAQ00102": truth.filled("US"),
        "COSOQ00201": truth.holds("US"),
        "COSOQ02701": truth.is_cash("USD"),
        "real GSC": is_(["AAPL", True]),
        "real GSH": is_(["AAPL", True]),
        "real AS0": order("AAPL", "BUY", 2, "230"),
        "real AS1": truth.is_fill,
        "real AS2": order("AAPL", "BUY", 3, "151", "AMEND"),
        "real AS3": order("AAPL", "BUY", 3, "151", "CANCEL"),
    }
    return judge(reports, checks)
