"""Book: price-time matching of our clients' orders in one symbol against the tape. Pure: no clock, no I/O.

The tape's market does not notice us, with two exceptions that keep fills honest: orders together take at most the
displayed size of the present snapshot, and at one price share what the tape prints there, first come first served.
* A new order that meets the other side's displayed prices takes them, best first, each at its displayed price.
* A call auction fills every order that its single price allows: better ones whole, those at the price up to what is
  traded there. On-open and on-close orders meet no other market.
* What is left rests and is filled at its own price: as a whole when the tape trades through it, up to the printed
  quantity when the tape trades at it, and up to the displayed size when the other side moves onto it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from shared.domain.account import BrokerName
from shared.domain.market import BookLevel
from shared.domain.order import Side

NEVER = datetime.min.replace(tzinfo=UTC)
OrderKey = tuple[BrokerName, str, int]  # broker, side of the exchange, order number


@dataclass(slots=True)
class WorkingOrder:
    key: OrderKey
    side: Side
    limit: Decimal | None  # None: at market
    leaves: int
    all_or_none: bool = False  # FOK: on arrival everything or nothing
    auction: str = ""  # a call it waits for: meets nothing else
    resting: bool = False  # has met the market once; from then on it trades at its own price
    rank: int = 0  # arrival


@dataclass(frozen=True, slots=True)
class Match:
    key: OrderKey
    quantity: int
    price: Decimal


class Book:
    """The working orders of one symbol."""

    def __init__(self) -> None:
        self._orders: dict[OrderKey, WorkingOrder] = {}
        self._rank = 0
        self._shown: dict[Side, list[BookLevel]] = {Side.BUY: [], Side.SELL: []}  # taker's side -> what it may take
        self.fresh = False  # an order waits for its first meeting with the market
        self.added_at = self.met_at = NEVER  # when the newest order came; when trading last reached this book
        self.shown_at: datetime | None = None  # the trade whose displayed sizes it has

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: WorkingOrder, at: datetime = NEVER) -> None:
        self._rank += 1
        self.added_at = at
        order.rank = self._rank
        self._orders[order.key] = order
        self.fresh = True

    def reduce(self, key: OrderKey, quantity: int) -> None:
        """Take shares out of an order (cancel, amend); it keeps its place. Unknown keys are ignored."""
        order = self._orders.get(key)
        if order is not None:
            order.leaves -= quantity
            if order.leaves <= 0:
                del self._orders[key]

    def show(self, bids: Sequence[BookLevel], asks: Sequence[BookLevel], at: datetime | None = None) -> None:
        """Take a new snapshot of displayed sizes; what was taken of the last one is forgotten."""
        self.shown_at = at
        self._shown = {Side.BUY: list(asks), Side.SELL: list(bids)}

    def trade(self, price: Decimal, quantity: int) -> list[Match]:
        """The tape traded: fill resting orders that stood in its way."""
        matches = []
        for side in Side:
            shared = quantity
            for order in self._in_turn(side):
                if not order.resting or order.auction or order.limit is None or not _meets(order, price):
                    continue
                through = order.limit != price
                taken = order.leaves if through else min(order.leaves, shared)
                shared -= 0 if through else taken
                if taken:
                    matches.append(self._fill(order, taken, order.limit))
        return matches

    def sweep(self) -> list[Match]:
        """Let every order meet the displayed sizes; what is left of it rests."""
        matches: list[Match] = []
        for side in Side:
            for order in self._in_turn(side):
                if not order.auction:
                    matches += self._take(order)
                    order.resting = True
        self.fresh = False
        return matches

    def call(self, price: Decimal, quantity: int, auction: str, only: frozenset[OrderKey] | None = None) -> list[Match]:
        """Match at one price: plain orders and those for this `auction`, or `only` the ones named."""
        matches = []
        for side in Side:
            shared = quantity
            for order in self._in_turn(side):
                if (order.key not in only) if only is not None else (order.auction not in ("", auction)):
                    continue
                order.resting = True
                if not _meets(order, price):
                    continue
                taken = min(order.leaves, shared) if order.limit == price else order.leaves
                shared -= taken if order.limit == price else 0
                if taken:
                    matches.append(self._fill(order, taken, price))
        return matches

    def crossing(self, price: Decimal) -> dict[Side, int]:
        """Shares of ours that an auction at `price` could trade."""
        orders = self._orders.values()
        return {side: sum(o.leaves for o in orders if o.side is side and _meets(o, price)) for side in Side}

    def _in_turn(self, side: Side) -> list[WorkingOrder]:
        """Best price first, then first come; market orders before all."""
        sign = -1 if side is Side.BUY else 1
        mine = [order for order in self._orders.values() if order.side is side]
        if len(mine) < 2:
            return mine
        return sorted(mine, key=lambda o: (o.limit is not None, sign * (o.limit or Decimal(0)), o.rank))

    def _take(self, order: WorkingOrder) -> Iterator[Match]:
        levels = self._shown[order.side]
        if order.all_or_none and not order.resting:
            reachable = sum(level.quantity for level in levels if _meets(order, level.price))
            if reachable < order.leaves:
                return
        for i, level in enumerate(levels):
            if not order.leaves or not _meets(order, level.price):
                return
            taken = min(order.leaves, level.quantity)
            if taken:
                levels[i] = BookLevel(level.price, level.quantity - taken)
                own = order.resting and order.limit is not None
                yield self._fill(order, taken, order.limit if own and order.limit else level.price)

    def _fill(self, order: WorkingOrder, quantity: int, price: Decimal) -> Match:
        order.leaves -= quantity
        if not order.leaves:
            del self._orders[order.key]
        return Match(order.key, quantity, price)


def _meets(order: WorkingOrder, price: Decimal) -> bool:
    """Say whether the order's limit allows `price`."""
    if order.limit is None:
        return True
    return price <= order.limit if order.side is Side.BUY else price >= order.limit
