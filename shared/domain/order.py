"""Orders and fills: what we ask, what the broker says it has, what was executed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from shared.domain.instrument import Venue
from shared.domain.money import Currency


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LOO = "LOO"
    LOC = "LOC"
    MOO = "MOO"
    MOC = "MOC"


class TimeInForce(StrEnum):
    DAY = "DAY"
    IOC = "IOC"
    FOK = "FOK"


class OrderSession(StrEnum):
    """Which book an order goes to. DAY_MARKET: US shares by Korean day (주간거래). RESERVED: kept by the broker and sent
    at the next regular opening (예약주문)."""

    REGULAR = "REGULAR"
    DAY_MARKET = "DAY_MARKET"
    RESERVED = "RESERVED"


PRICED = frozenset({OrderType.LIMIT, OrderType.LOO, OrderType.LOC})


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order we intend to send. Refuses (ValueError) what cannot be an order; quantity has no default."""

    symbol: str
    side: Side
    quantity: int
    price: Decimal | None
    venue: Venue
    currency: Currency
    client_order_id: str  # ours, unique per account; never leaves for a broker (neither takes one)
    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.DAY
    rule_id: int | None = None
    signal_key: str | None = None  # (rule, symbol, bar end, version): one decision is one intent
    reduces: bool = False  # exits and closes: allowed where entries are not
    reason: str = ""
    session: OrderSession = OrderSession.REGULAR

    def __post_init__(self) -> None:
        if not self.symbol:
            raise ValueError("an order needs a symbol")
        if isinstance(self.quantity, bool) or not isinstance(self.quantity, int) or self.quantity <= 0:
            raise ValueError(f"quantity must be a positive whole number, got {self.quantity!r}")
        if self.order_type in PRICED:
            if not isinstance(self.price, Decimal) or not self.price.is_finite() or self.price <= 0:
                raise ValueError(f"a {self.order_type} order needs a positive price, got {self.price!r}")
        elif self.price is not None:
            raise ValueError(f"a {self.order_type} order takes no price")


@dataclass(frozen=True, slots=True)
class OrderAck:
    """The broker received the order: transmitted, not yet accepted by the exchange, never a fill."""

    broker_order_id: str
    acknowledged_at: datetime
    org_no: str = ""  # KIS KRX_FWDG_ORD_ORGNO, needed for some cancels
    raw: str = ""  # masked answer, for the operator


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """An order as the broker's lists report it. `filled_quantity` is cumulative: the authority on fills."""

    broker_order_id: str
    symbol: str
    side: Side
    quantity: int
    price: Decimal | None
    filled_quantity: int
    average_fill_price: Decimal | None  # None while nothing is filled
    leaves_quantity: int
    canceled: bool
    rejected: bool
    ordered_at: datetime
    orig_order_id: str | None = None  # the order this one amended or cancelled
    is_cancel: bool = False  # a row that stands for a cancel request, not for an order in the market
    reject_reason: str = ""
    order_type: OrderType = OrderType.LIMIT
    venue: Venue | None = None
    session: OrderSession = OrderSession.REGULAR  # amend and cancel go where the order went
    by_hand: bool = False  # entered past the API, where the list names the channel; False also where it does not
    became: str | None = None  # of a reservation that was sent: the number of the order it is now


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of our order. `execution_id` is unique per account; applying it twice changes nothing."""

    execution_id: str
    broker_order_id: str
    symbol: str
    side: Side
    quantity: int
    price: Decimal
    filled_at: datetime


@dataclass(frozen=True, slots=True)
class OrderNotice:
    """A stream notice about one of the account's orders: a hint to ask, except where `fill` carries an execution id."""

    broker_order_id: str
    symbol: str
    kind: str  # "accepted" | "filled" | "canceled" | "amended" | "rejected"
    received_at: datetime
    fill: Fill | None = None
    orig_order_id: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """A holding. `quantity` is settled plus unsettled; `sellable` what the broker lets us sell now (None: not told)."""

    symbol: str
    quantity: int
    sellable: int | None
    average_price: Decimal
    currency: Currency
    last_price: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Cash:
    """Cash of the account in one currency. `buying_power` is what the broker lets us order with; None: not told."""

    currency: Currency
    total: Decimal
    buying_power: Decimal | None
    as_of: datetime
    equity: Decimal | None = None  # cash plus holdings at market, when the broker tells
    details: dict[str, str] = field(default_factory=dict)
    # By settlement, as far as the broker tells: d0 (settled now), d1, d2, d4, locked (held back for open buys),
    # withdrawable.
    stages: dict[str, Decimal] = field(default_factory=dict)
    krw_rate: Decimal | None = None  # won for one unit of `currency`, the broker's base rate (매매기준율)
