"""What the broker reports about orders, applied to ours exactly once, whatever the order and number of reports.

The broker's cumulative filled quantity is the authority; a notice with an execution id counts at once and is later
covered by the cumulative, never added to it. Rows of nobody's are kept aside: an UNKNOWN may be among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from bots import outgoing
from bots.orders import BrokerNumber, DeskOrder, JournalKind
from bots.own_orders import FoundFill, OwnOrders
from shared.clock import Clock
from shared.domain.errors import IllegalTransition, WireError
from shared.domain.order import BrokerOrder, OrderNotice
from shared.domain.order_state import OrderEventKind, OrderStatus

ORPHAN_KEPT = timedelta(minutes=5)
LIVE = (OrderStatus.ACCEPTED, OrderStatus.PARTIAL)
DatedNumber = tuple[date, str]  # brokers count anew each day: a number names an order together with its trade date


@dataclass(frozen=True, slots=True)
class BrokerView:
    """One complete look at the broker's orders. `open_ids` are the trade dates and numbers of its open-order list."""

    rows: tuple[BrokerOrder, ...]
    open_ids: frozenset[DatedNumber]


class Executions:
    def __init__(self, orders: OwnOrders, clock: Clock, trade_date: Callable[[datetime], date]) -> None:
        self._orders, self._clock, self._trade_date = orders, clock, trade_date
        self._orphans: dict[DatedNumber, list[OrderNotice]] = {}  # notices that came before the ack of their order
        self.first_seen: dict[DatedNumber, datetime] = {}  # wall time a list that shows it had been answered

    def dated(self, row: BrokerOrder) -> DatedNumber:
        """The name of a broker's row: its trade date and number."""
        return self._trade_date(row.ordered_at), row.broker_order_id

    def number_of(self, row: BrokerOrder, broker_order_id: str = "") -> BrokerNumber | None:
        """Our record of the row's own number, or of another that it names."""
        day = self._trade_date(row.ordered_at)
        return self._orders.number(broker_order_id or row.broker_order_id, day, row.ordered_at)

    async def apply_view(self, view: BrokerView) -> list[BrokerOrder]:
        """Apply every row that is ours; return the rows that are nobody's of ours."""
        foreign: list[BrokerOrder] = []
        for row in sorted(view.rows, key=lambda one: (one.ordered_at, one.broker_order_id)):  # a chain from its start
            self.first_seen.setdefault(self.dated(row), self._clock.wall_now())
            if row.is_cancel:
                continue
            number = self.number_of(row)
            if number is not None and row.became is not None:
                await self._follow_reservation(number, row)
                continue
            if number is None:
                number = await self._adopt_amended(row)
            if number is None:
                foreign.append(row)
                continue
            await self._shown(number)
            await self._apply_row(number, row)
        for row in view.rows:  # ends come after every fill of the chain is counted
            try:
                await self._apply_end(row, view)
            except IllegalTransition as e:
                await self._stop(row.symbol, row.broker_order_id, str(e))
        return foreign

    async def apply_notice(self, notice: OrderNotice) -> bool:
        """Take a stream notice; True when the broker should be asked (a fill without an execution id, or an end)."""
        if notice.fill is None:
            return True
        at = notice.fill.filled_at
        number = self._orders.number(notice.broker_order_id, self._trade_date(at), at)
        if number is None:
            self._keep_orphan((self._trade_date(at), notice.broker_order_id), notice)
            return True
        order = self._orders.get(number.client_order_id)
        if order is None or (notice.fill.symbol, notice.fill.side) != (order.symbol, order.side):
            return True  # the list says whose it is
        await self._shown(number)
        await self._apply_noticed(number, notice)
        return notice.kind != "filled"

    async def claim_orphans(self, order: DeskOrder) -> bool:
        """Apply notices that outran the acknowledgement of `order`; True when there were any."""
        notices = self._orphans.pop((order.trade_date, order.broker_order_id or ""), [])
        for notice in notices:
            number = self._orders.number(notice.broker_order_id, order.trade_date)
            if number is not None:
                await self._apply_noticed(number, notice)
        return bool(notices)

    def _keep_orphan(self, name: DatedNumber, notice: OrderNotice) -> None:
        oldest = self._clock.wall_now() - ORPHAN_KEPT
        self._orphans = {k: kept for k, kept in self._orphans.items() if kept[-1].received_at >= oldest}
        self._orphans.setdefault(name, []).append(notice)

    async def _apply_noticed(self, number: BrokerNumber, notice: OrderNotice) -> None:
        fill = notice.fill
        assert fill is not None
        execution_id = f"{number.trade_date}:x:{fill.execution_id}"
        if self._orders.has_seen(execution_id):
            return
        noticed = number.noticed + fill.quantity
        fresh = max(noticed - number.applied, 0)
        if fresh == 0:  # the list told us first
            await self._orders.remember(replace(number, noticed=noticed), (execution_id,))
            return
        after = replace(
            number,
            noticed=noticed,
            applied=number.applied + fresh,
            applied_amount=number.applied_amount + fill.price * fresh,
        )
        await self._orders.record_fill(
            number.client_order_id, FoundFill(after, execution_id, fresh, fill.price, fill.filled_at)
        )

    async def _shown(self, number: BrokerNumber) -> None:
        """An order that no list had, and that waits for a person, is at the broker after all."""
        order = self._orders.get(number.client_order_id)
        waits = order is not None and order.status is OrderStatus.NEEDS_OPERATOR
        if order is not None and waits and order.broker_order_id == number.broker_order_id:
            why = f"주문번호 {number.broker_order_id}이(가) 다시 보임"
            await self._orders.apply(order.id, OrderEventKind.ADOPT, JournalKind.ADOPTED, why, note="조회로 확인됨")

    async def _apply_row(self, number: BrokerNumber, row: BrokerOrder) -> None:
        order = self._orders.get(number.client_order_id)
        if order is None:
            return
        if (row.symbol, row.side) != (order.symbol, order.side):
            await self._stop(order.symbol, order.id, f"증권사 주문 {row.broker_order_id}의 종목이나 방향이 다름")
            return
        if row.filled_quantity <= number.cumulative:
            return  # nothing new, or an older page
        fresh = row.filled_quantity - number.applied
        if fresh <= 0:
            await self._orders.remember(replace(number, cumulative=row.filled_quantity))
            return
        price = _price_of_growth(number, row, fresh, order)
        after = replace(
            number,
            cumulative=row.filled_quantity,
            applied=row.filled_quantity,
            applied_amount=number.applied_amount + price * fresh,
        )
        execution_id = f"{number.trade_date}:{number.broker_order_id}:{row.filled_quantity}"
        await self._orders.record_fill(order.id, FoundFill(after, execution_id, fresh, price, self._clock.market_now()))

    async def _apply_end(self, row: BrokerOrder, view: BrokerView) -> None:
        number = None if row.is_cancel else self.number_of(row)
        order = None if number is None else self._orders.get(number.client_order_id)
        if order is None or order.broker_order_id != row.broker_order_id or order.status not in LIVE:
            return
        if row.rejected and order.status is OrderStatus.ACCEPTED:
            alert = outgoing.alert(
                "ORDER_REJECTED", "warning", f"rejected:{order.id}", self._clock.wall_now(), symbol=order.symbol,
                order=order.id, reason=row.reject_reason,
            )  # fmt: skip
            await self._orders.apply(
                order.id, OrderEventKind.REJECT, JournalKind.REFUSED, row.reject_reason, alerts=(alert,)
            )
        elif row.canceled and row.leaves_quantity == 0:
            why = "취소 확인" if order.cancel_requested_at else "증권사에서 취소됨"
            await self._orders.apply(order.id, OrderEventKind.CANCEL, JournalKind.TERMINAL, why)
        elif row.leaves_quantity == 0 and self.dated(row) not in view.open_ids and not order.amend_pending:
            await self._orders.apply(order.id, OrderEventKind.EXPIRE, JournalKind.TERMINAL, "장 종료로 효력 상실")

    async def _follow_reservation(self, number: BrokerNumber, row: BrokerOrder) -> None:
        """Our reservation was sent at the opening: from then on the order goes by the number it got there."""
        order = self._orders.get(number.client_order_id)
        if order is not None and order.broker_order_id == row.broker_order_id and row.became is not None:
            number = BrokerNumber(self._trade_date(self._clock.market_now()), row.became, order.id)
            why = f"예약주문이 {row.became}번으로 나감"
            await self._orders.note(order.id, JournalKind.AMENDED, why, numbers=(number,), broker_order_id=row.became)

    async def _adopt_amended(self, row: BrokerOrder) -> BrokerNumber | None:
        """A new number that replaces one of ours is ours: our amendment's answer is lost or late, or a person's hand."""
        if row.orig_order_id is None or row.rejected:
            return None
        original = self.number_of(row, row.orig_order_id)
        order = None if original is None else self._orders.get(original.client_order_id)
        if order is None:
            return None
        if order.is_terminal and row.leaves_quantity:
            await self._stop(order.symbol, order.id, f"끝난 주문 {order.id}의 정정 {row.broker_order_id}이 살아 있음")
            return None
        await self.amended(order, row.broker_order_id, row.quantity, row.price, "목록에서 정정 확인")
        return self._orders.number(row.broker_order_id, order.trade_date)

    async def amended(
        self, order: DeskOrder, broker_order_id: str, quantity: int, price: Decimal | None, why: str
    ) -> DeskOrder:
        """Record that `order` now goes by `broker_order_id`, for `quantity` shares beyond those its older numbers filled."""
        number = BrokerNumber(order.trade_date, broker_order_id, order.id)
        filled = sum(one.applied for one in self._orders.numbers_of(order.id))
        return await self._orders.note(
            order.id, JournalKind.AMENDED, why, numbers=(number,), broker_order_id=broker_order_id,
            quantity=filled + quantity, price=price, amend_pending=False,
        )  # fmt: skip

    async def _stop(self, symbol: str, order_id: str, why: str) -> None:
        """The broker contradicts what we know: the symbol stops until a person has looked."""
        if symbol in self._orders.stopped:
            return
        alert = outgoing.alert(
            "ORDER_CONTRADICTION", "critical", f"stop:{symbol}", self._clock.wall_now(), symbol=symbol,
            order=order_id, reason=why,
        )  # fmt: skip
        await self._orders.stop_symbol(symbol, why, alert)


def _price_of_growth(number: BrokerNumber, row: BrokerOrder, fresh: int, order: DeskOrder) -> Decimal:
    """The average price of the new shares: the broker's total less what we counted (its averages are rounded)."""
    fallback = order.price or row.price
    if row.average_fill_price is not None and row.average_fill_price > 0:
        price = (row.average_fill_price * row.filled_quantity - number.applied_amount) / fresh
        return price if price > 0 else row.average_fill_price
    if fallback is None:
        raise WireError("-", "-", f"주문 {row.broker_order_id}의 체결에 가격이 없음")
    return fallback
