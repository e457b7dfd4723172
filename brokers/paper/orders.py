"""Orders of the exchange: what a client asked, what became of it, and why something was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from brokers.paper.accounts import Account, AccountId, ExEnv
from shared.domain.account import BrokerName, Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce


class RejectReason(StrEnum):
    """Why nothing was placed. Each wire maps these to its broker's codes."""

    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    INSUFFICIENT_HOLDING = "INSUFFICIENT_HOLDING"
    BAD_TICK = "BAD_TICK"
    PRICE_LIMIT = "PRICE_LIMIT"
    BAD_PRICE = "BAD_PRICE"
    BAD_QUANTITY = "BAD_QUANTITY"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    MARKET_CLOSED = "MARKET_CLOSED"
    HALTED = "HALTED"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    ALREADY_DONE = "ALREADY_DONE"
    QUANTITY_OVER_LEAVES = "QUANTITY_OVER_LEAVES"
    UNSUPPORTED_TYPE = "UNSUPPORTED_TYPE"
    NOT_IN_SESSION = "NOT_IN_SESSION"  # the market is open, but takes no order of this kind now
    OVER_LIMIT = "OVER_LIMIT"  # more shares or money than one order may have
    NOT_TRADABLE = "NOT_TRADABLE"  # listed, but not traded where the order goes


class Reject(Exception):
    """A business refusal: nothing was placed or changed."""

    def __init__(self, reason: RejectReason, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason, self.text = reason, text


class ExStatus(StrEnum):
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"  # amended: the new number works on
    REQUEST = "request"  # a row that stands for a cancel request


class ExKind(StrEnum):
    NEW = "new"
    AMEND = "amend"
    CANCEL = "cancel"


@dataclass(slots=True)
class ExOrder:
    """One row of the order list. A cancel request is a row too (kind CANCEL, quantity = shares cancelled)."""

    order_no: int  # a sequence per (broker, env) that never starts again
    orig_order_no: int | None
    account: AccountId
    market: Market
    symbol: str
    venue: Venue
    side: Side
    quantity: int
    price: Decimal | None  # None: at market
    order_type: OrderType
    time_in_force: TimeInForce
    kind: ExKind
    status: ExStatus
    ordered_at: datetime  # market time
    wall_at: datetime
    visible_from: datetime  # wall time; later than wall_at only under the fault visibility_lag
    filled: int = 0
    filled_amount: Decimal = Decimal(0)  # Σ price × quantity
    canceled: int = 0
    moved: int = 0  # shares that an amend took to a new number
    session: OrderSession = OrderSession.REGULAR

    @property
    def leaves(self) -> int:
        """Shares still working in the market."""
        if self.status is not ExStatus.OPEN:
            return 0
        return self.quantity - self.filled - self.canceled - self.moved

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_amount / self.filled if self.filled else None


@dataclass(frozen=True, slots=True)
class Execution:
    exec_no: int  # a sequence per order, from 1
    order_no: int
    quantity: int
    price: Decimal
    at: datetime  # market time
    fee: Decimal = Decimal(0)  # the broker's commission, in the market's currency
    tax: Decimal = Decimal(0)  # sell taxes; US regulatory fees


class ReservationStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"  # it became the order `order_no`
    CANCELED = "canceled"
    REFUSED = "refused"  # the exchange refused it when it was sent; `text` says why


@dataclass(slots=True)
class Reservation:
    """An order that waits at the broker for the next session (예약주문). Nothing is locked for it before it is sent."""

    no: int  # a sequence per (broker, env)
    account: AccountId
    market: Market
    symbol: str
    side: Side
    quantity: int
    price: Decimal | None
    order_type: OrderType
    venue: Venue
    status: ReservationStatus
    reserved_at: datetime  # market time
    sends_at: datetime  # market time of the open it waits for
    order_no: int | None = None
    text: str = ""


class EventKind(StrEnum):
    ACCEPTED = "accepted"
    FILLED = "filled"  # one execution; `order.leaves` says whether it was the last
    AMENDED = "amended"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something happened to an order. For AMENDED and CANCELED on request, `order` is the request's own row (its
    quantity = shares moved or cancelled) and `original` the order it names; the rest of an IOC order that the exchange
    takes back has no `original`."""

    kind: EventKind
    account: Account
    order: ExOrder
    at: datetime  # market time
    execution: Execution | None = None
    original: ExOrder | None = None


# The form a client sees: KIS live pads to ten digits, KIS 모의 does not (kis.md §3.2), LS numbers are plain.
_ORDER_ID = {(BrokerName.KIS, ExEnv.LIVE): "{:010d}"}


def order_id(broker: BrokerName, env: ExEnv, order_no: int) -> str:
    """Write an order number as the wire gives it to clients; the ledger uses the same text."""
    return _ORDER_ID.get((broker, env), "{:d}").format(order_no)
