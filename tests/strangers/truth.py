"""What a stranger's client should have parsed: the exchange's own ledger, holdings and prices, asked at its admin door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.strangers.contract import CallResult, ExchangeProc, Json

FROZEN = {"MSFT": Decimal("430"), "000660": Decimal("185000")}  # halted at this price: quotes to compare with
TRADED = {"AAPL": Decimal("210"), "005930": Decimal("71200")}  # traded from about here
LIVE, MOCK = "12345678-01", "50001234-01"
SETTLE_S = 4.0  # market time in which a crossing order of a few shares fills

Check = Callable[[Any], str]  # "" when what the client parsed is true, else what is different


def prepare(exchange: ExchangeProc) -> Json:
    """Set the prices, halt what is only quoted, and name our hosts by the broker's own."""
    for symbol, price in {**FROZEN, **TRADED}.items():
        exchange.set_price(symbol, price)
        if symbol in FROZEN:
            exchange.post("/tape", {"symbol": symbol, "halt": True})
    hosts = {
        "openapi.koreainvestment.com:9443": exchange.url("kis_rest_live"),
        "openapivts.koreainvestment.com:29443": exchange.url("kis_rest_mock"),
        "ops.koreainvestment.com:21000": exchange.url("kis_ws_live", "ws"),
        "ops.koreainvestment.com:31000": exchange.url("kis_ws_mock", "ws"),
    }
    return {"hosts": hosts, "live": LIVE, "mock": MOCK, "settle_s": SETTLE_S}


@dataclass
class Truth:
    """The facts of one account after the client has done its calls."""

    exchange: ExchangeProc
    number: str
    env: str

    def events(self, kind: str) -> list[Json]:
        return [e for e in self.exchange.events(self.number, kind) if (e["broker"], e["env"]) == ("KIS", self.env)]

    def event(self, kind: str, number: object) -> Json | None:
        return next((e for e in self.events(kind) if int(e["order_id"]) == int(str(number))), None)

    def is_price(self, symbol: str) -> Check:
        return _equals(lambda: float(FROZEN[symbol]), float)

    def is_order(self, symbol: str, side: str, quantity: int, price: str | None, kind: str = "ORDER") -> Check:
        """The number the client read is one in the ledger, of exactly the order it asked for."""

        def check(got: Any) -> str:
            event = self.event(kind, got)
            if event is None:
                return f"no {kind} {got} in the ledger"
            seen = (event["symbol"], event["side"], event["quantity"], event["price"] and Decimal(event["price"]))
            wanted = (symbol, side, quantity, price and Decimal(price))
            return "" if seen == wanted else f"{seen} is not {wanted}"

        return check

    def holds(self, market: str, *symbols: str) -> Check:
        """The client's holdings are the account's (only these symbols, when some are named)."""
        rows = self.exchange.account(self.number, "KIS", self.env)["holdings"]
        held = {r["symbol"]: r["quantity"] for r in rows if r["market"] == market and r["quantity"]}
        return _equals(lambda: {s: q for s, q in held.items() if not symbols or s in symbols})

    def cash(self, currency: str, which: str = "orderable") -> Decimal:
        return Decimal(self.exchange.account(self.number, "KIS", self.env)[which][currency])

    def filled(self) -> dict[int, int]:
        """Order number -> shares executed."""
        sums: dict[int, int] = {}
        for event in self.events("FILL"):
            sums[int(event["order_id"])] = sums.get(int(event["order_id"]), 0) + event["quantity"]
        return sums

    def is_fill(self) -> Check:
        """[asked number, told number, quantity, price]: a fill of that order in the ledger."""

        def check(got: Any) -> str:
            asked, told, quantity, price = got
            fills = [
                (e["quantity"], Decimal(e["price"])) for e in self.events("FILL") if int(e["order_id"]) == int(told)
            ]
            known = int(asked) == int(told) and (int(quantity), Decimal(str(price))) in fills
            return "" if known else f"{got} is none of {fills}"

        return check


def _equals(wanted: Callable[[], Any], read: Callable[[Any], Any] = lambda got: got) -> Check:
    def check(got: Any) -> str:
        return "" if read(got) == wanted() else f"{got} is not {wanted()}"

    return check


def is_(wanted: Any) -> Check:
    return _equals(lambda: wanted)


def judge(reports: list[Json], checks: dict[str, Check]) -> list[CallResult]:
    """Compare every report with its check; a call that reported nothing was not exercised."""
    told = {r["call"]: r for r in reports if "call" in r}
    died = next((r["error"] for r in reports if "call" not in r), "it was never reported")
    results = []
    for call, check in checks.items():
        report = told.pop(call, {"error": died})
        if "error" in report:
            results.append(CallResult(call, False, False, report["error"]))
            continue
        try:
            wrong = check(report["got"])
        except (ValueError, TypeError, KeyError, IndexError, ArithmeticError) as e:
            wrong = f"{report['got']}: {type(e).__name__} {e}"
        results.append(CallResult(call, True, not wrong, wrong or f"= {report['got']}"))
    for call, report in told.items():  # unchecked: exercised at best
        if report.get("got", "") is None:
            continue  # a group of calls that told of each by itself
        results.append(CallResult(call, "error" not in report, False, report.get("error", "nothing to compare with")))
    return results
