"""Orders of the account that were given elsewhere (the broker's app, another program): shown beside ours, origin broker.

They are told to the store and nothing else: what they do to holdings the broker's own list says. A row tells its whole
present state under an id made of its date and number, so telling it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bots import outgoing
from bots.journal import Outgoing
from bots.orders import DeskOrder
from bots.own_orders import OwnOrders
from shared.clock import Clock
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, OrderSession
from shared.domain.order_state import OrderStatus
from shared.store.sync import FOREIGN

ORIGIN = "broker"


class Elsewhere:
    def __init__(
        self,
        orders: OwnOrders,
        currency: Currency,
        zone: ZoneInfo,
        clock: Clock,
        tell: Callable[[tuple[Outgoing, ...]], None],
        unlisted: Callable[[], Collection[str]],
    ) -> None:
        self._orders, self._currency, self._zone, self._clock, self._tell = orders, currency, zone, clock, tell
        self._unlisted = unlisted  # ids of accepted orders that the last look did not show under their number
        self._told: dict[str, BrokerOrder] = {}  # client order id -> the row as the store has it

    def take(self, rows: Iterable[BrokerOrder]) -> int:
        """Tell the store of `rows` that are nobody's of ours, where they are new or have changed; returns how many.

        A row that may yet turn out to be ours (one of our orders in its symbol has no number so far, or one that no list
        shows) waits.
        """
        unlisted = self._unlisted()
        waiting = {one.symbol for one in self._orders.open() if _without_number(one) or one.id in unlisted}
        out: list[Outgoing] = []
        count = 0
        for row in rows:
            order_id = foreign_id(row, self._zone)
            if row.is_cancel or row.symbol in waiting or self._ours(row) or self._told.get(order_id) == row:
                continue
            self._told[order_id] = row
            out += self._rows(order_id, row)
            count += 1
        if out:
            self._tell(tuple(out))
        return count

    def _ours(self, row: BrokerOrder) -> bool:
        day = row.ordered_at.astimezone(self._zone).date()
        numbers = (row.broker_order_id, row.orig_order_id or row.broker_order_id)
        return any(self._orders.number(number, day, row.ordered_at) is not None for number in numbers)

    def _rows(self, order_id: str, row: BrokerOrder) -> list[Outgoing]:
        now, day = self._clock.wall_now(), row.ordered_at.astimezone(self._zone).date()
        order = {
            "client_order_id": order_id, "broker_order_id": row.broker_order_id, "symbol": row.symbol,
            "side": row.side, "qty": row.quantity, "price": row.price, "order_type": row.order_type,
            "venue": row.venue or "", "currency": self._currency, "status": status_of(row),
            "filled_qty": row.filled_quantity, "avg_fill_price": row.average_fill_price,
            "reason": row.reject_reason, "origin": ORIGIN, "placed_at": row.ordered_at, "updated_at": now,
            "trade_date": day.isoformat(), "session": row.session,
        }  # fmt: skip
        out = [Outgoing(outgoing.ORDERS, order_id, outgoing.encode(order))]
        price = row.average_fill_price or row.price
        if row.filled_quantity and price is not None:
            out.append(self._fill(order_id, row, price, now))
        return out

    def _fill(self, order_id: str, row: BrokerOrder, price: Decimal, now: datetime) -> Outgoing:
        """All that was filled of it so far, as one row: the list tells no single executions, and no time of theirs."""
        fill = {
            "client_order_id": order_id, "execution_id": order_id, "symbol": row.symbol, "side": row.side,
            "qty": row.filled_quantity, "price": price, "currency": self._currency, "filled_at": row.ordered_at,
            "recorded_at": now,
        }  # fmt: skip
        return Outgoing(outgoing.FILLS, order_id, outgoing.encode(fill))


def foreign_id(row: BrokerOrder, zone: ZoneInfo) -> str:
    """A number is unique within a day; reservations are numbered on their own."""
    book = "R:" if row.session is OrderSession.RESERVED else ""
    return f"{FOREIGN}{book}{row.ordered_at.astimezone(zone).date():%Y%m%d}:{row.broker_order_id}"


def status_of(row: BrokerOrder) -> OrderStatus:
    """Where the broker's row stands, in our words."""
    if row.rejected:
        return OrderStatus.REJECTED
    if row.filled_quantity >= row.quantity:
        return OrderStatus.FILLED
    if row.leaves_quantity > 0:
        return OrderStatus.PARTIAL if row.filled_quantity else OrderStatus.ACCEPTED
    return OrderStatus.CANCELED if row.canceled else OrderStatus.EXPIRED


def _without_number(order: DeskOrder) -> bool:
    return order.is_unproven or order.broker_order_id is None
