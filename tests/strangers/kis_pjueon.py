"""pjueon's pykis 0.7.0 (PyPI): KRX over REST. It takes its host as a setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.sources import package
from tests.strangers.truth import FROZEN, LIVE, Check, Truth, is_, judge, prepare

NAME = "pykis (pjueon)"
SCRIPT = Path(__file__).parent / "scripts" / "pjueon_client.py"


def run(exchange: ExchangeProc) -> list[CallResult]:
    where = package("pjueon-pykis", "pykis==0.7.0")
    reports = run_child(SCRIPT, prepare(exchange), path=[where], cwd=exchange.home / "pjueon")
    truth = Truth(exchange, LIVE, "live")
    resting = next((int(e["order_id"]) for e in truth.events("ORDER") if e["price"] == "60000"), 0)
    amended = [e for e in truth.events("AMEND") if e["price"] == "61000"]
    cancels = [e["quantity"] for e in truth.events("CANCEL")]
    limit = FROZEN["000660"] * 2  # its limits are of yesterday's close: between these bounds
    checks: dict[str, Check] = {
        "get_kr_current_price (FHKST01010100)": is_(int(FROZEN["000660"])),
        "get_kr_max_price (FHKST01010100)": _between(FROZEN["000660"], limit),
        "get_kr_min_price (FHKST01010100)": _between(0, FROZEN["000660"]),
        "get_kr_ohlcv (FHKST01010400)": is_(int(FROZEN["000660"])),
        "get_kr_buyable_cash (TTTC8908R)": is_(100_000_000),
        "buy_kr_stock (TTTC0802U)": truth.is_order("005930", "BUY", 4, "60000"),
        "buy_kr_stock at market (TTTC0802U)": truth.is_order("005930", "BUY", 6, None),
        "sell_kr_stock (TTTC0801U)": truth.is_order("005930", "SELL", 1, None),
        "get_kr_orders (TTTC8036R)": lambda got: "" if got == [[f"{resting:010d}", "005930", 4, "매수"]] else str(got),
        "revise_kr_order (TTTC0803U)": _numbered(amended),
        "get_kr_orders after the amend (TTTC8036R)": is_([e["order_id"] for e in amended]),
        "cancel_kr_order (TTTC0803U)": _numbered(truth.events("CANCEL")[:1]),
        "cancel_all_kr_orders (TTTC0803U)": lambda got: "" if cancels == [1, 3] else f"cancelled {cancels}",
        "get_kr_orders after all (TTTC8036R)": is_(0),
        "get_kr_stock_balance (TTTC8434R)": truth.holds("KRX"),
        "get_kr_deposit (TTTC8434R)": is_(100_000_000),  # settled cash: today's trades settle at D+2
    }
    return judge(reports, checks)


def _between(low: Any, high: Any) -> Check:
    return lambda got: "" if low < got < high else f"{got} is not between {low} and {high}"


def _numbered(events: list[dict[str, Any]]) -> Check:
    """The reply's own ODNO is the ledger's, once for each event named."""
    numbers = [int(e["order_id"]) for e in events]
    return lambda got: "" if [int(got["output"]["ODNO"])] == numbers else f"{got} is not {numbers}"
