"""Our side of an order: what the journal keeps and the desk changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.order import BrokerOrder, OrderRequest, OrderSession, Side
from shared.domain.order_state import OPEN, TERMINAL, UNPROVEN, OrderStatus

CANCELABLE = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIAL, OrderStatus.NEEDS_OPERATOR})


class JournalKind(StrEnum):
    """What happened to an order, as a row with when and why (reliability.md §7)."""

    DECISION = "DECISION"
    INTENT = "INTENT"
    SENDING = "SENDING"
    DENIED = "DENIED"  # the last-line gate said no; nothing was sent
    ACKED = "ACKED"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    ADOPTED = "ADOPTED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    NEEDS_OPERATOR = "NEEDS_OPERATOR"
    FILL = "FILL"
    TERMINAL = "TERMINAL"
    CANCEL_SENDING = "CANCEL_SENDING"
    CANCEL_ACKED = "CANCEL_ACKED"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    CANCEL_UNKNOWN = "CANCEL_UNKNOWN"
    AMEND_SENDING = "AMEND_SENDING"
    AMENDED = "AMENDED"
    AMEND_REFUSED = "AMEND_REFUSED"
    AMEND_UNKNOWN = "AMEND_UNKNOWN"


@dataclass(frozen=True, slots=True)
class DeskOrder:
    """One intent of ours and what became of it. Changed only by the desk, through `order_state.next_status`."""

    request: OrderRequest
    status: OrderStatus
    trade_date: date  # exchange-local date of the send
    created_at: datetime  # wall
    market_at: datetime
    quantity: int  # after amendments
    price: Decimal | None
    version_id: int | None = None
    sent_at: datetime | None = None  # wall, at SENDING
    closed_at: datetime | None = None  # wall
    broker_order_id: str | None = None  # the present number; earlier ones of an amended order stay in `numbers`
    org_no: str = ""
    filled_quantity: int = 0
    filled_amount: Decimal = Decimal(0)
    cancel_requested_at: datetime | None = None  # wall; cleared when the request is proven refused
    amend_pending: bool = False  # an amendment was sent and is unproven
    note: str = ""

    @property
    def id(self) -> str:
        return self.request.client_order_id

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def side(self) -> Side:
        return self.request.side

    @property
    def leaves(self) -> int:
        """Shares that may still fill; 0 once the order has ended."""
        return 0 if self.is_terminal else max(self.quantity - self.filled_quantity, 0)

    @property
    def average_fill_price(self) -> Decimal | None:
        return self.filled_amount / self.filled_quantity if self.filled_quantity else None

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def is_open(self) -> bool:
        return self.status in OPEN or self.status is OrderStatus.PENDING

    @property
    def may_be_canceled(self) -> bool:
        """It has a broker number and no end. Where the broker does not have it after all, asking harms nothing."""
        return self.broker_order_id is not None and self.status in CANCELABLE

    @property
    def is_unproven(self) -> bool:
        """The broker may or may not have it, or what it has of it."""
        return self.status in UNPROVEN or self.amend_pending


@dataclass(frozen=True, slots=True)
class BrokerNumber:
    """A broker order number that is ours. Σ over an order's numbers is the order: an amendment gets a new number.

    `cumulative` is the largest filled quantity the broker's list reported, `noticed` the sum of distinct execution
    ids: the two sources report the same shares, so the order counts the larger (`applied`), never both.
    """

    trade_date: date
    broker_order_id: str
    client_order_id: str
    cumulative: int = 0
    noticed: int = 0
    applied: int = 0
    applied_amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class RuleLot:
    """The shares one rule holds of one symbol, and the rule version they were opened with."""

    rule_id: int
    symbol: str
    quantity: int
    cost: Decimal  # what they cost, fees excluded
    opened_at: datetime  # market time
    version_id: int | None
    highest: Decimal  # highest price seen since the entry, for trailing stops
    bars_held: int = 0

    @property
    def average_price(self) -> Decimal:
        return self.cost / self.quantity


@dataclass(frozen=True, slots=True)
class DayMark:
    """What the account held of a symbol when the trade date began for us; the base of the day's profit and loss."""

    trade_date: date
    symbol: str
    quantity: int
    price: Decimal
    fill_seq: int  # fills up to this journal sequence are inside `quantity`


@dataclass(frozen=True, slots=True)
class RecordedFill:
    """A fill as the journal keeps it: part of an order of ours, counted once."""

    execution_id: str
    client_order_id: str
    broker_order_id: str
    rule_id: int | None
    symbol: str
    side: Side
    quantity: int
    price: Decimal
    filled_at: datetime
    trade_date: date
    seq: int = 0

    @property
    def amount(self) -> Decimal:
        return self.price * self.quantity


RESERVED_PREFIX = "R"  # reservations are numbered on their own: such a number is kept apart from an order's


def kept_number(number: str, session: OrderSession) -> str:
    """A broker's number as the journal keeps it."""
    return RESERVED_PREFIX + number if session is OrderSession.RESERVED else number


def sending_data(before: str, newest: int) -> str:
    """What is kept with SENDING: the account as the broker told it last, and the highest of our numbers so far."""
    return json.dumps({**(json.loads(before) if before else {}), "newest": newest})


def newest_number(data: str) -> int:
    """The highest broker number of ours that was known at that SENDING; 0 when none was."""
    return int(json.loads(data).get("newest", 0)) if data else 0


def where_it_is(order: DeskOrder) -> tuple[str, OrderSession]:
    """The broker's own number of an order that has one, and the book it is in now: a reservation that was sent has left."""
    number, session = order.broker_order_id or "", order.request.session
    if number.startswith(RESERVED_PREFIX):
        return number.removeprefix(RESERVED_PREFIX), OrderSession.RESERVED
    return number, OrderSession.REGULAR if session is OrderSession.RESERVED else session


def could_be(order: DeskOrder, row: BrokerOrder) -> bool:
    """Tell whether a broker's row may be this unproven order: same symbol, side, quantity, price and type."""
    request = order.request
    if row.is_cancel or row.symbol != request.symbol or row.side is not request.side:
        return False
    if row.quantity != request.quantity:
        return False
    if (row.session is OrderSession.RESERVED) is not (request.session is OrderSession.RESERVED):
        return False  # they are in different lists; the day market's rows may not name their session
    if request.price is None:
        return True  # the broker prints a price of its own for an order without one
    return row.order_type is request.order_type and (row.price or Decimal(0)) == request.price
