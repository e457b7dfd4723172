"""Soju06's python-kis 2.1.6 (PyPI): both markets, both hosts, REST and stream. Its host constants are set to ours."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from shared.clock import SystemClock
from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.sources import package
from tests.strangers.truth import FROZEN, LIVE, MOCK, Check, Truth, is_, judge, prepare

NAME = "python-kis (Soju06)"
SCRIPT = Path(__file__).parent / "scripts" / "python_kis_client.py"
PACKAGES = ("python-kis==2.1.6", "websocket-client", "colorlog")


def run(exchange: ExchangeProc) -> list[CallResult]:
    where = package("python-kis", *PACKAGES)
    since = (SystemClock().wall_now() - timedelta(days=2)).date()
    given = {**prepare(exchange), "since": f"{since:%Y-%m-%d}"}
    reports = run_child(SCRIPT, given, path=[where], cwd=exchange.home / "python-kis", timeout_s=240)
    live, mock = _checks(Truth(exchange, LIVE, "live"), True), _checks(Truth(exchange, MOCK, "mock"), False)
    return judge(reports, live | {f"mock {call}": check for call, check in mock.items()})


def _checks(truth: Truth, live: bool) -> dict[str, Check]:
    checks: dict[str, Check] = {}
    for symbol in ("000660", "MSFT"):
        if live or symbol == "000660":
            checks[f"orderbook {symbol}"] = _below(float(FROZEN[symbol]))
        checks |= {
            f"quote {symbol}": truth.is_price(symbol),
            f"daily_chart {symbol}": truth.is_price(symbol),
            f"day_chart {symbol}": truth.is_price(symbol),
        }
    for symbol, low, second, high in (("005930", "60000", "61000", "75000"), ("AAPL", "180", "181", "230")):
        amends = live or symbol == "AAPL"  # the client itself amends no KRX order on paper
        cash = 100_000_000 if symbol == "005930" else 100_000
        numbers = [e["order_id"] for e in truth.events("ORDER") if e["symbol"] == symbol and e["price"]]
        checks |= {
            f"orderable_amount {symbol}": _orderable(cash // int(low)),
            f"buy resting {symbol}": truth.is_order(symbol, "BUY", 4, low),
            f"cancel {symbol}": truth.is_order(symbol, "BUY", 4, second if amends else low, "CANCEL"),
            f"buy {symbol}": truth.is_order(symbol, "BUY", 5, high),
            f"sell at market {symbol}": _sold(truth, symbol),
        }
        if amends:
            checks[f"modify {symbol}"] = truth.is_order(symbol, "BUY", 4, second, "AMEND")
        if live:
            checks[f"pending_orders {symbol}"] = is_([[numbers[0], symbol, 4]] if numbers else [])
    filled = truth.filled()
    checks |= {
        "balance": is_({"005930": 3, "AAPL": 3}),
        "balance deposits": _deposits(truth),
        "daily_orders": lambda got: _same_fills(got, filled, extra=2 if live else 0),
    }
    if live:
        checks["profits"] = is_([["005930", 2], ["AAPL", 2]])
        for name in ("price", "orderbook"):
            checks |= {f"WS {name} {symbol}": is_([symbol, True]) for symbol in ("005930", "AAPL")}
        checks |= {f"WS execution {market}": truth.is_fill() for market in ("KRX", "US")}
    return checks


def _below(price: float) -> Check:
    """The best bid stands under the price that stands still, by less than one percent."""
    return lambda got: "" if price * 0.99 < got <= price else f"{got} is not just under {price}"


def _orderable(shares: int) -> Check:
    return lambda got: "" if 0.98 * shares < got <= shares else f"{got} is not {shares}"


def _sold(truth: Truth, symbol: str) -> Check:
    """It sends a market sell of a US share as a limit far below the market."""

    def check(got: Any) -> str:
        event = truth.event("ORDER", got)
        seen = None if event is None else (event["symbol"], event["side"], event["quantity"])
        return "" if seen == (symbol, "SELL", 2) else f"{got} is {seen}"

    return check


def _deposits(truth: Truth) -> Check:
    """Cash of today by currency: the opening amounts move by what was traded, at the latest when it settles."""

    def check(got: Any) -> str:
        wrong = [c for c, first in (("KRW", 100_000_000), ("USD", 100_000)) if abs(got[c] / first - 1) > 0.02]
        return f"{got}" if wrong else ""

    return check


def _same_fills(got: Any, filled: dict[int, int], extra: int) -> str:
    """What it lists is in the ledger, all but the fills that came after (of the stream's own orders)."""
    listed = {int(number): quantity for number, _, quantity in got}
    missing = set(filled) - set(listed)
    wrong = {n: q for n, q in listed.items() if filled.get(n) != q}
    return "" if not wrong and len(missing) <= extra else f"{listed} is not {filled}"
