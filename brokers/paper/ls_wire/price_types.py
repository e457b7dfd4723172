"""호가유형: how an order's price is named, and what it comes to in a market of limit and market orders (ls.md §3.1)."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.accounts import AccountId
from brokers.paper.exchange import Exchange
from brokers.paper.orders import ExOrder
from shared.domain.order import OrderType, Side

BEST, FIRST = "06", "07"  # 최유리: the other side's best price; 최우선: the own side's
NAMES = {
    "00": "지정가",
    "03": "시장가",
    BEST: "최유리지정가",
    FIRST: "최우선지정가",
    "M1": "LOO",
    "M2": "LOC",
    "M3": "MOO",
    "M4": "MOC",
}
KRX_TYPES = {"00": OrderType.LIMIT, "03": OrderType.MARKET, BEST: OrderType.LIMIT, FIRST: OrderType.LIMIT}
US_TYPES = {
    "00": OrderType.LIMIT,
    "03": OrderType.MARKET,
    "M1": OrderType.LOO,
    "M2": OrderType.LOC,
    "M3": OrderType.MOO,
    "M4": OrderType.MOC,
}
PRICED = {OrderType.LIMIT, OrderType.LOO, OrderType.LOC}
_CODES = {kind: code for code, kind in reversed([*US_TYPES.items()])}


class PriceTypes:
    """Remembers the code of orders whose price the exchange chose; a restart shows them as plain limits."""

    def __init__(self) -> None:
        self._codes: dict[tuple[AccountId, int], str] = {}

    def remember(self, order: ExOrder, code: str) -> None:
        if code in {BEST, FIRST}:
            self._codes[(order.account, order.order_no)] = code

    def code(self, order: ExOrder) -> str:
        return self._codes.get((order.account, order.order_no)) or _CODES.get(order.order_type, "00")


def chosen_price(exchange: Exchange, symbol: str, side: Side, code: str) -> Decimal | None:
    """The price that 최유리 or 최우선 names now; None when that side of the book is empty."""
    book = exchange.book(symbol)
    wanted = book.asks if (side is Side.BUY) is (code == BEST) else book.bids
    return wanted[0].price if wanted else None
