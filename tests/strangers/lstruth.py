"""What a stranger's LS client should have parsed: the ledger and the prices of the account that its key owns."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from brokers.paper.accounts import fingerprint, ls_number
from brokers.paper.listings import LISTINGS
from tests.strangers.contract import ExchangeProc, Json
from tests.strangers.truth import Check

FROZEN = {"MSFT": Decimal("430"), "000660": Decimal("185000")}  # halted at this price: quotes to compare with
TRADED = {"AAPL": Decimal("210"), "005930": Decimal("71200")}  # traded from about here
LIVE_KEY, MOCK_KEY, SECRET = "PSstrangers", "Vstrangers", "secret"
CASH = {"KRW": 100_000_000, "USD": 100_000}  # what an account begins with
SETTLE_S = 4.0  # in which a crossing order of a few shares fills


def prepare(exchange: ExchangeProc) -> Json:
    """Set the prices, halt what is only quoted, and name our hosts by the broker's own."""
    for symbol, price in {**FROZEN, **TRADED}.items():
        exchange.set_price(symbol, price)
        if symbol in FROZEN:
            exchange.post("/tape", {"symbol": symbol, "halt": True})
    hosts = {
        "openapi.ls-sec.co.kr:8080": exchange.url("ls_rest"),
        "openapi.ls-sec.co.kr:9443": exchange.url("ls_ws_live", "ws"),
        "openapi.ls-sec.co.kr:29443": exchange.url("ls_ws_mock", "ws"),
    }
    return {"hosts": hosts, "live": LIVE_KEY, "mock": MOCK_KEY, "secret": SECRET, "settle_s": SETTLE_S}


@dataclass
class LsTruth:
    """The facts of the account of one key after the client has done its calls."""

    exchange: ExchangeProc
    key: str = LIVE_KEY

    @property
    def number(self) -> str:
        return ls_number(fingerprint(self.key))

    @property
    def env(self) -> str:
        return "mock" if self.key.startswith("V") else "live"

    def events(self, kind: str) -> list[Json]:
        return [e for e in self.exchange.events(self.number, kind) if (e["broker"], e["env"]) == ("LS", self.env)]

    def is_price(self, symbol: str) -> Check:
        return lambda got: "" if Decimal(str(got)) == FROZEN[symbol] else f"{got} is not {FROZEN[symbol]}"

    def is_order(self, symbol: str, side: str, quantity: int, price: str | None, kind: str = "ORDER") -> Check:
        """The number the client read is one in the ledger, of exactly the order it asked for."""

        def check(got: Any) -> str:
            event = next((e for e in self.events(kind) if int(e["order_id"]) == int(str(got))), None)
            if event is None:
                return f"no {kind} {got} in the ledger"
            seen = (event["symbol"], event["side"], event["quantity"], event["price"] and Decimal(event["price"]))
            wanted = (symbol, side, quantity, price and Decimal(price))
            return "" if seen == wanted else f"{seen} is not {wanted}"

        return check

    def holds(self, market: str) -> Check:
        """{symbol: shares} is what the account holds."""

        def check(got: Any) -> str:
            rows = self.exchange.account(self.number, "LS", self.env)["holdings"]
            held = {r["symbol"]: r["quantity"] for r in rows if r["market"] == market and r["quantity"]}
            return "" if got == held else f"{got} is not {held}"

        return check

    def filled(self, market: str) -> Check:
        """{order number: shares executed}, of the orders that the client lists, are the ledger's fills there."""

        def check(got: Any) -> str:
            sums: dict[int, int] = {}
            for event in self.events("FILL"):
                if event["symbol"][:1].isdigit() is (market == "KRX"):
                    sums[int(event["order_id"])] = sums.get(int(event["order_id"]), 0) + event["quantity"]
            read = {int(number): int(shares) for number, shares in got.items() if int(shares)}
            return "" if read == sums else f"{read} is not {sums}"

        return check

    def is_cash(self, currency: str, which: str = "orderable") -> Check:
        def check(got: Any) -> str:
            wanted = Decimal(self.exchange.account(self.number, "LS", self.env)[which][currency])
            return "" if Decimal(str(got)) == wanted else f"{got} is not {wanted}"

        return check

    def is_fill(self, got: Any) -> str:
        """[order number, shares, price] is an execution in the ledger."""
        number, quantity, price = got
        fills = [(e["quantity"], Decimal(e["price"])) for e in self.events("FILL") if int(e["order_id"]) == int(number)]
        known = (int(quantity), Decimal(str(price))) in fills
        return "" if known else f"{got} is none of {fills}"

    def listed(self, market: str, board: str = "") -> Check:
        """The codes that the client lists are those that trade here."""
        wanted = sorted(s for s, one in LISTINGS.items() if one.market == market and board in {"", one.board})
        return lambda got: "" if sorted(got) == wanted else f"{got} is not {wanted}"
