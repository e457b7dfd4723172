"""finestock (PyPI): one interface over several brokers; its LS part is written after the live server. Its hosts are in
its path table: redirected."""

from __future__ import annotations

from pathlib import Path

from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.lstruth import LsTruth, prepare
from tests.strangers.sources import package
from tests.strangers.truth import Check, is_, judge

NAME = "finestock 2.3.1.2 (LS)"
SCRIPT = Path(__file__).parent / "scripts" / "finestock_client.py"


def run(exchange: ExchangeProc) -> list[CallResult]:
    where = package("finestock", "finestock==2.3.1.2", "loguru")
    reports = run_child(SCRIPT, prepare(exchange), path=[where], cwd=exchange.home / "finestock")
    truth = LsTruth(exchange)
    price, order = truth.is_price("000660"), truth.is_order
    checks: dict[str, Check] = {
        "oauth": is_(True),
        "get_price (t1102)": price,
        "get_price KRX (t1102)": price,
        "get_ohlcv (t8451)": price,
        "get_ohlcv from a date, its pages in order (t8451)": is_(True),
        "get_ohlcv_min, pages in order (t8452)": is_([True, True]),
        "get_multiple_ohlcv (t8407)": price,
        "get_stock_list (t8436)": truth.listed("KRX"),
        "get_stock_list KOSDAQ (t8436)": truth.listed("KRX", "KOSDAQ"),
        "get_orderbook (t1101)": is_([10, 10, True]),
        "do_order limit (CSPAT00601)": order("005930", "BUY", 4, "60000"),
        "do_order_modify (CSPAT00701)": order("005930", "BUY", 4, "61000", "AMEND"),
        "do_order_cancel (CSPAT00801)": is_("cancelled"),
        "do_order market buy (CSPAT00601)": order("005930", "BUY", 5, None),
        "do_order market sell (CSPAT00601)": order("005930", "SELL", 2, None),
        "get_order_status (t0425)": truth.filled("KRX"),
        "get_holds (t0424)": truth.holds("KRX"),
        "get_balance (CSPAQ12200)": truth.is_cash("KRW", "cash"),
        "recv_price (S3_)": is_(["005930", True]),
        "recv_orderbook (H1_)": is_(["005930", True]),
        "recv_price KOSDAQ (K3_)": is_(["247540", True]),
        "recv_order_status (SC1)": truth.is_fill,
    }
    return judge(reports, checks)
