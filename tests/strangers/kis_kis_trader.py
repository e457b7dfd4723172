"""kis-trader 0.12.2 (PyPI): a typed client that refuses every frame and answer that is not exactly what it met at the real
server, where Korean frames have grown since September 2026. Its host tables are set to ours; its index of US listings,
a file it would fetch, is given by its own argument."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from shared.clock import SystemClock
from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, ExchangeProc
from tests.strangers.sources import package
from tests.strangers.truth import FROZEN, LIVE, MOCK, Check, Truth, is_, judge, prepare

NAME = "kis-trader 0.12.2"
FLAGS = ("--frames", "2026-09")
SCRIPT = Path(__file__).parent / "scripts" / "kis_trader_client.py"
STREAMS = ("trades 005930", "order_book 005930", "trades NXT", "order_book UN", "trades AAPL", "order_book AAPL")
SCALE = Decimal(10_000)  # the notice's price has four implied decimals, which this client leaves in


def run(exchange: ExchangeProc) -> list[CallResult]:
    where = package("kis-trader", "kis-trader==0.12.2")
    now = SystemClock().wall_now()
    days = {"since": f"{(now - timedelta(days=2)).date()}", "today": f"{(now + timedelta(days=1)).date()}"}
    given = {**prepare(exchange), **days}
    reports = run_child(SCRIPT, given, path=[where], cwd=exchange.home / "kis-trader", timeout_s=240)
    live, mock = _checks(Truth(exchange, LIVE, "live"), True), _checks(Truth(exchange, MOCK, "mock"), False)
    return judge(reports, live | {f"mock {call}": check for call, check in mock.items()})


def _checks(truth: Truth, live: bool) -> dict[str, Check]:
    checks: dict[str, Check] = {
        "quote 000660": truth.is_price("000660"),
        "recent_prices": truth.is_price("000660"),
        "order_book 000660": _near("000660"),
        "screen_stocks": is_(["MSFT"]),
        "positions KRX": is_({"005930": 3}),
        "positions US": is_({"AAPL": 3}),
        "buyable 005930": _orderable(100_000_000 // 60_000),
        "buyable AAPL": _orderable(100_000 // 180),
        "order_history": _fills_of(truth, "005930"),
        "present_balance": is_(True),
    }
    for symbol in ("000660", "MSFT"):
        checks[f"bars {symbol}"] = truth.is_price(symbol)
    for symbol, low, second, high in (("005930", "60000", "61000", "75000"), ("AAPL", "180", "181", "230")):
        checks |= {
            f"buy resting {symbol}": truth.is_order(symbol, "BUY", 4, low),
            f"modify {symbol}": truth.is_order(symbol, "BUY", 4, second, "AMEND"),
            f"cancel {symbol}": truth.is_order(symbol, "BUY", 4, second, "CANCEL"),
            f"buy {symbol}": truth.is_order(symbol, "BUY", 5, high),
            f"sell {symbol}": truth.is_order(symbol, "SELL", 2, low),
        }
    return checks | _only_live(truth) if live else checks


def _only_live(truth: Truth) -> dict[str, Check]:
    checks: dict[str, Check] = {
        "quote MSFT": truth.is_price("MSFT"),
        "order_book MSFT": _near("MSFT"),
        "current_price MSFT": truth.is_price("MSFT"),
        "quotes": is_([["MSFT", float(FROZEN["MSFT"])]]),
        "profile": is_("000660"),
        "product_info 000660": is_("00000A000660"),
        "product_info MSFT": is_("MSFT"),
        "settlement_dates": is_(True),
        "sellable": is_(3),
        "trade_profits KRX": is_([["005930", 2]]),
        "trade_profits US": is_([["AAPL", 2]]),
        "transactions": is_([["AAPL", "buy", 5], ["AAPL", "sell", 2]]),
        "settlement_balance": is_(True),
        "foreign_margin": is_(["USD"]),
        "algo_orders": is_([]),
        "reserve_buy": _reserved,
        "cancel_reserved_order": is_("done"),
        "overnight_buy": truth.is_order("AAPL", "BUY", 1, "150"),
        "overnight cancel": truth.is_order("AAPL", "BUY", 1, "150", "CANCEL"),
    }
    for symbol in ("000660", "MSFT"):
        checks |= {f"bars 1m {symbol}": truth.is_price(symbol), f"trades {symbol}": truth.is_price(symbol)}
        checks[f"reconcile {'005930' if symbol == '000660' else 'AAPL'}"] = is_(5.0)
    checks |= {f"WS {name}": is_("AAPL" if name.endswith("AAPL") else "005930") for name in STREAMS}
    checks["WS execution KRX"] = truth.is_fill()
    checks["WS execution US"] = lambda got: truth.is_fill()([*got[:3], Decimal(str(got[3])) / SCALE])
    return checks


def _near(symbol: str) -> Check:
    """The best bid is at the price that stands still, or just under it."""
    price = float(FROZEN[symbol])
    return lambda got: "" if price * 0.99 < got <= price else f"{got} is not just under {price}"


def _orderable(shares: int) -> Check:
    return lambda got: "" if 0.98 * shares < got <= shares else f"{got} is not {shares}"


def _fills_of(truth: Truth, symbol: str) -> Check:
    """All that the ledger has of it, but the fill of the stream's own order, which came later."""

    def check(got: Any) -> str:
        numbers = {int(e["order_id"]) for e in truth.events("FILL") if e["symbol"] == symbol}
        filled = {number: quantity for number, quantity in truth.filled().items() if number in numbers}
        listed = {number: quantity for number, _, quantity in got}
        wrong = {number for number, quantity in listed.items() if filled.get(number) != quantity}
        return "" if listed and not wrong and len(filled) - len(listed) <= 1 else f"{listed} is not {filled}"

    return check


def _reserved(got: Any) -> str:
    return "" if int(got) > 0 else f"{got} is no reservation"
