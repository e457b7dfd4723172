"""What the account lists of both markets have in common: an order's state, a holding. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.kis.codec import Row, amount, number, order_id, original_id, positive, required, rows, side_of, text, whole
from shared.domain.instrument import Venue
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, OrderSession, OrderType, Position


@dataclass(frozen=True, slots=True)
class OrderRow:
    """What a list of orders names its fields; `leaves` may be spelled in more than one way."""

    quantity: str
    price: str
    filled: str
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the markets tell in their own ways about an order."""

    symbol: str
    average: Decimal | None  # of what is filled
    refused: bool  # the list says rejected (or expired); a part that was filled stays filled
    is_cancel: bool
    ordered_at: datetime
    venue: Venue | None
    reason: str = ""
    order_type: OrderType = OrderType.LIMIT
    session: OrderSession = OrderSession.REGULAR
    channel: str = ""  # 매체, where the list names it


def read_order(row: Row, names: OrderRow, facts: OrderFacts) -> BrokerOrder:
    quantity, filled = whole(row, names.quantity), whole(row, names.filled)
    rejected = facts.refused and filled == 0
    leaves = 0 if rejected else whole(row, next((name for name in names.leaves if name in row), names.leaves[0]))
    return BrokerOrder(
        broker_order_id=order_id(required(row, "odno")),
        symbol=facts.symbol,
        side=side_of(required(row, "sll_buy_dvsn_cd")),
        quantity=quantity,
        price=positive(row, names.price),
        filled_quantity=filled,
        average_fill_price=facts.average if filled else None,
        leaves_quantity=leaves,
        canceled=not rejected and not facts.is_cancel and leaves == 0 and filled < quantity,
        rejected=rejected,
        ordered_at=facts.ordered_at,
        orig_order_id=original_id(row),
        is_cancel=facts.is_cancel,
        reject_reason=facts.reason,
        order_type=facts.order_type,
        venue=facts.venue,
        session=facts.session,
        by_hand=bool(facts.channel) and "API" not in facts.channel.upper(),
    )


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """What a balance names its fields; `currency` "" where there is only one."""

    symbol: str
    name: str
    quantity: str
    sellable: str
    average: str
    last: str
    pnl: str
    currency: str = ""


def read_holdings(
    pages: list[Row], names: HoldingRow, currency: Currency, spell: Callable[[str], str]
) -> list[Position]:
    """Read the rows of `output1`: blank, sold-out and foreign rows are no holdings, a repeated one counts once."""
    held: dict[str, Position] = {}
    for row in (row for page in pages for row in rows(page, "output1")):
        if not text(row, names.symbol) or (names.currency and text(row, names.currency) not in {"", currency}):
            continue
        quantity, sellable = whole(row, names.quantity), number(row, names.sellable)
        if quantity:
            symbol = spell(required(row, names.symbol))
            held[symbol] = Position(
                symbol=symbol,
                quantity=quantity,
                sellable=None if sellable is None else int(sellable),
                average_price=amount(row, names.average),
                currency=currency,
                last_price=positive(row, names.last),
                unrealized_pnl=number(row, names.pnl),
                name=text(row, names.name),
            )
    return list(held.values())
