"""mojito2 (PyPI): REST of both hosts and the KRX stream with fill notices. Its hosts are in its code: redirected."""

from __future__ import annotations

from pathlib import Path

from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.sources import package
from tests.strangers.truth import LIVE, MOCK, Check, Truth, is_, judge, prepare

NAME = "mojito2"
SCRIPT = Path(__file__).parent / "scripts" / "mojito_client.py"


def run(exchange: ExchangeProc) -> list[CallResult]:
    where = package("mojito2", "mojito2==0.1.6", "pycryptodome")
    reports = run_child(SCRIPT, prepare(exchange), path=[where], cwd=exchange.home / "mojito")
    checks: dict[str, Check] = {}
    for tag, truth in (("", Truth(exchange, LIVE, "live")), ("mock ", Truth(exchange, MOCK, "mock"))):
        checks |= {tag + call: check for call, check in _checks(truth, not tag).items()}
    return judge(reports, checks)


def _checks(truth: Truth, live: bool) -> dict[str, Check]:
    price, order = truth.is_price, truth.is_order
    resting = [e for e in truth.events("ORDER") if e["price"] and e["symbol"] == "005930"]
    checks = {
        "fetch_price (FHKST01010100)": price("000660"),
        "fetch_ohlcv (FHKST03010100)": price("000660"),
        "fetch_ohlcv_recent30 (FHKST01010400)": price("000660"),
        "fetch_today_1m_ohlcv (FHKST03010200)": price("000660"),
        "check_buy_order (TTTC8908R)": is_(100_000_000 // 60_000),
        "create_limit_buy_order (TTTC0802U)": order("005930", "BUY", 4, "60000"),
        "modify_order (TTTC0803U)": order("005930", "BUY", 4, "61000", "AMEND"),
        "cancel_order (TTTC0803U)": order("005930", "BUY", 4, "61000", "CANCEL"),
        "create_market_buy_order (TTTC0802U)": order("005930", "BUY", 5, None),
        "create_market_sell_order (TTTC0801U)": order("005930", "SELL", 2, None),
        "fetch_balance (TTTC8434R)": is_({"005930": 3}),
        "fetch_price (HHDFS00000300)": price("MSFT"),
        "fetch_ohlcv (HHDFS76240000)": price("MSFT"),
        "create_limit_buy_order (JTTT1002U)": order("AAPL", "BUY", 3, "230"),
        "fetch_balance (TTTS3012R)": truth.holds("US"),
        "fetch_present_balance (CTRP6504R)": truth.holds("US"),
    }
    if live:
        checks |= {
            "fetch_open_order (TTTC8036R)": is_([[resting[0]["order_id"], 4]] if resting else []),
            "create_limit_sell_order (JTTT1006U)": order("AAPL", "SELL", 1, "190"),
            "WS 체결 (H0STCNT0)": is_(["005930", True]),
            "WS 호가 (H0STASP0)": is_(["005930", True]),
            "WS 체결통보 (H0STCNI0)": truth.is_fill(),
        }
    return checks
