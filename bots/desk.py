"""The desk: the only sender of orders.

decision → guards → INTENT on disk → SENDING on disk → the last-line gate → the same gate once more at the one socket
write → accepted, refused or unknown. Nothing is ever sent again because an answer is missing: an unknown order is looked
up, by reconcile.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from bots import outgoing
from bots.absence import Before
from bots.executions import Executions
from bots.failpoints import freeze, pass_through, reach
from bots.journal import Outgoing
from bots.orders import BrokerNumber, DeskOrder, JournalKind, kept_number, sending_data, where_it_is
from bots.own_orders import OwnOrders
from brokers.contract import Broker
from brokers.last_look import last_look
from shared.clock import Clock
from shared.domain.errors import AuthExpired, AuthRefused, BrokerError, NotSupported, RateLimited, Refused
from shared.domain.order import BrokerOrder, OrderAck, OrderRequest
from shared.domain.order_state import OrderEventKind, OrderStatus
from shared.domain.signal import Decision, Denied

# The last look before the wire: fencing and kill switch. None lets the order out. Cancels pass None as the request.
Gate = Callable[[OrderRequest | None], Denied | None]
LEAVES_WITHIN_S = 15.0  # of its gate: after that its price and its sender's picture are old, and it is decided anew


@dataclass(slots=True)
class LastLook:
    """The gate once more, at the socket write: between the two the process may have been frozen, or the order waited.

    An order has a deadline as well, by both clocks: one of them may have stood still with the machine.
    """

    gate: Gate
    clock: Clock
    request: OrderRequest | None
    monotonic: float
    wall: datetime
    denied: Denied | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)  # the write is in the same step

    def __call__(self) -> str | None:
        waited_s = self.clock.monotonic() - self.monotonic
        waited_s = max(waited_s, (self.clock.wall_now() - self.wall).total_seconds())
        if self.request is not None and waited_s > LEAVES_WITHIN_S:
            self.denied = Denied("too_late", f"판단한 지 {waited_s:.0f}초가 지나 보내지 않음: 다시 판단합니다")
        else:
            self.denied = self.gate(self.request)
        if self.denied is not None:
            return self.denied.text
        self.left.set()
        return None


class Desk:
    def __init__(
        self,
        broker: Broker,
        orders: OwnOrders,
        executions: Executions,
        clock: Clock,
        gate: Gate,
        ask: Callable[[], None],
        before: Callable[[str], Before | None],
    ) -> None:
        self._broker, self._orders, self._executions = broker, orders, executions
        self._clock, self._gate = clock, gate
        self._before = before  # what the broker said last of cash and a symbol's holding
        self._ask = ask  # tells reconcile that the broker should be asked soon
        self._sending = 0
        self.on_auth_refused: Callable[[AuthRefused], None] = lambda error: None
        self.told: Callable[[], Awaitable[bool]] | None = None  # where the store must know of an order before it leaves
        self._idle = asyncio.Event()
        self._idle.set()

    async def drained(self) -> None:
        """Wait until no request of ours is on the wire."""
        await self._idle.wait()

    async def place(
        self,
        request: OrderRequest,
        trade_date: date,
        *,
        version_id: int | None = None,
        decision: Decision | None = None,
    ) -> DeskOrder:
        """Send `request`, which the guards allowed in this very step of the loop. Returns the order as it then stands.

        Call without awaiting anything between the guards and this: the order counts against every limit at once.
        """
        self._begin()
        try:
            order = await self._orders.open_intent(request, trade_date, version_id, decision)
            return await self._send(order)
        finally:
            self._end()

    async def cancel(self, order_id: str, why: str) -> DeskOrder:
        """Ask the broker to cancel what is left. A cancel changes nothing twice, so it may be asked again.

        Raises:
            Refused: not ours, over, or without a broker number yet.
        """
        order = self._live(order_id)
        self._check_gate(None)
        self._begin()
        try:
            order = await self._orders.note(
                order_id, JournalKind.CANCEL_SENDING, why, cancel_requested_at=self._clock.wall_now()
            )
            reach("before_cancel_write")
            order = self._orders.get(order_id) or order
            if not order.may_be_canceled:
                return order  # it ended while the disk was written
            return await self._cancel_on_wire(order)
        finally:
            self._end()

    async def amend(self, order_id: str, quantity: int, price: Decimal, why: str) -> DeskOrder:
        """Change the price (and quantity) of an open order; `quantity` counts the shares still to fill.

        Raises:
            Refused: not ours, over, unproven, or the gate is closed.
        """
        order = self._live(order_id)
        if order.is_unproven:
            raise Refused("desk", "unproven", "앞선 요청의 결과를 확인하는 중입니다", "확인이 끝난 뒤 다시 하세요")
        self._check_gate(order.request)
        self._begin()
        try:
            order = await self._orders.note(order_id, JournalKind.AMEND_SENDING, why, amend_pending=True)
            reach("before_amend_write")
            return await self._amend_on_wire(order, quantity, price)
        finally:
            self._end()

    async def _send(self, order: DeskOrder) -> DeskOrder:
        before = self._before(order.symbol)
        order = await self._orders.apply(
            order.id, OrderEventKind.SEND, JournalKind.SENDING, sent_at=self._clock.wall_now(),
            data=sending_data("" if before is None else before.encode(), self._orders.newest_number(order)),
        )  # fmt: skip
        reach("after_sending")
        if self.told is not None and not await self.told():
            why = "저장소가 주문을 받아 적지 못했습니다: 계좌를 넘겨받을 호스트가 모르는 주문은 내지 않습니다"
            return await self._orders.apply(
                order.id, OrderEventKind.DENY, JournalKind.DENIED, f"fenced: {why}", note=why
            )
        for last_try in (False, True):
            look = self._look(order.request)
            denied = self._gate(order.request)
            if denied is not None:
                return await self._denied(order, denied)
            freeze("after_gate")
            try:
                with last_look(look):
                    ack = await pass_through("after_socket_write", self._write(order.request), look.left)
            except (RateLimited, AuthExpired) as e:
                # Proven not accepted: the same intent may go out once more, with its own SENDING row.
                if last_try:
                    return await self._refused(order, e)
                await self._wait_for(e)
                order = await self._orders.note(
                    order.id, JournalKind.SENDING, f"재전송 (미접수 확인: {e})", sent_at=self._clock.wall_now()
                )
            except Refused as e:
                return await (self._refused(order, e) if look.denied is None else self._denied(order, look.denied))
            except BrokerError as e:  # OutcomeUnknown, and whatever proves nothing
                return await self._lost(order, str(e))
            except BaseException as e:  # our own bug or the end of the process: it may be on the wire all the same
                await self._lost(order, repr(e))
                raise
            else:
                return await self._accepted(order, ack)
        raise AssertionError("unreachable")

    def _write(self, request: OrderRequest) -> asyncio.Future[OrderAck]:
        return asyncio.ensure_future(
            self._broker.place_order(
                request.symbol, request.side, request.quantity, request.price, order_type=request.order_type,
                venue=request.venue, time_in_force=request.time_in_force, session=request.session,
                correlation_id=request.client_order_id,
            )
        )  # fmt: skip

    async def _accepted(self, order: DeskOrder, ack: OrderAck) -> DeskOrder:
        reach("after_reply_before_ack_commit")
        ack = replace(ack, broker_order_id=kept_number(ack.broker_order_id, order.request.session))
        owner = self._orders.number(ack.broker_order_id, order.trade_date)
        if owner is not None and owner.client_order_id != order.id:
            return await self._lost(
                order, f"증권사 주문번호 {ack.broker_order_id}는 이미 주문 {owner.client_order_id}의 것"
            )
        number = BrokerNumber(order.trade_date, ack.broker_order_id, order.id)
        order = await self._orders.apply(
            order.id, OrderEventKind.ACCEPT, JournalKind.ACKED, f"주문번호 {ack.broker_order_id}", raw=ack.raw,
            numbers=(number,), broker_order_id=ack.broker_order_id, org_no=ack.org_no,
        )  # fmt: skip
        reach("after_ack")
        await self._executions.claim_orphans(order)
        self._ask()
        return self._orders.get(order.id) or order

    async def _denied(self, order: DeskOrder, denied: Denied) -> DeskOrder:
        return await self._orders.apply(
            order.id, OrderEventKind.DENY, JournalKind.DENIED, f"{denied.code}: {denied.text}", note=denied.text
        )

    async def _refused(self, order: DeskOrder, error: Refused) -> DeskOrder:
        reach("after_reply_before_ack_commit")
        if isinstance(error, AuthRefused):
            self.on_auth_refused(error)
        alert = self._alert("ORDER_REJECTED", "warning", order, error.message, code=error.code)
        return await self._orders.apply(
            order.id, OrderEventKind.REJECT, JournalKind.REFUSED, str(error), alerts=(alert,), note=error.message
        )

    async def _lost(self, order: DeskOrder, why: str) -> DeskOrder:
        reach("after_reply_before_ack_commit")
        alert = self._alert("ORDER_UNKNOWN", "critical", order, why)
        order = await self._orders.apply(
            order.id, OrderEventKind.LOSE_ANSWER, JournalKind.UNKNOWN, why, alerts=(alert,), note="확인중"
        )
        self._ask()
        return order

    async def _cancel_on_wire(self, order: DeskOrder) -> DeskOrder:
        request = self._broker.cancel_order(
            as_broker_order(order), order.leaves, org_no=order.org_no, correlation_id=order.id
        )
        try:
            look = self._look(None)
            with last_look(look):
                ack = await pass_through("during_cancel", request, look.left)
        except Refused as e:
            reach("after_cancel_reply")
            after = await self._orders.note(order.id, JournalKind.CANCEL_REFUSED, str(e), cancel_requested_at=None)
        except BrokerError as e:
            reach("after_cancel_reply")
            after = await self._orders.note(order.id, JournalKind.CANCEL_UNKNOWN, str(e))
        else:
            reach("after_cancel_reply")
            after = await self._orders.note(order.id, JournalKind.CANCEL_ACKED, f"취소 접수 {ack.broker_order_id}")
        self._ask()  # only the broker's list says whether it is cancelled
        return after

    async def _amend_on_wire(self, order: DeskOrder, quantity: int, price: Decimal) -> DeskOrder:
        request = self._broker.amend_order(as_broker_order(order), quantity, price, correlation_id=order.id)
        try:
            look = self._look(order.request)
            with last_look(look):
                ack = await pass_through("during_amend", request, look.left)
        except Refused as e:
            reach("after_amend_reply")
            after = await self._orders.note(order.id, JournalKind.AMEND_REFUSED, str(e), amend_pending=False)
            if isinstance(e, NotSupported):
                raise
        except BrokerError as e:
            reach("after_amend_reply")
            alert = self._alert("ORDER_UNKNOWN", "critical", order, str(e))
            after = await self._orders.note(order.id, JournalKind.AMEND_UNKNOWN, str(e), alerts=(alert,))
        else:
            reach("after_amend_reply")
            known = self._orders.number(ack.broker_order_id, order.trade_date)
            after = self._orders.get(order.id) or order
            if known is None:  # else the list told us first
                after = await self._executions.amended(after, ack.broker_order_id, quantity, price, "정정 접수")
            await self._executions.claim_orphans(after)
        self._ask()
        return after

    def _live(self, order_id: str) -> DeskOrder:
        order = self._orders.get(order_id)
        if order is None:
            raise Refused("desk", "no_order", f"주문 {order_id}이(가) 없습니다", "주문 목록을 새로 고치세요")
        if not order.may_be_canceled:
            raise Refused(
                "desk", "not_open", f"주문 {order_id}은(는) {order.status} 상태입니다", "주문의 이력을 보세요"
            )
        return order

    def _look(self, request: OrderRequest | None) -> LastLook:
        return LastLook(self._gate, self._clock, request, self._clock.monotonic(), self._clock.wall_now())

    def _check_gate(self, request: OrderRequest | None) -> None:
        denied = self._gate(request)
        if denied is not None:
            raise Refused("desk", denied.code, denied.text)

    async def _wait_for(self, error: RateLimited | AuthExpired) -> None:
        await asyncio.sleep(error.retry_after_s if isinstance(error, RateLimited) else 0)

    def _alert(self, kind: str, severity: str, order: DeskOrder, reason: str, **more: object) -> Outgoing:
        return outgoing.alert(
            kind, severity, f"{kind.lower()}:{order.id}", self._clock.wall_now(), symbol=order.symbol, side=order.side,
            quantity=order.quantity, price=order.price, order=order.id, reason=reason, **more,
        )  # fmt: skip

    def _begin(self) -> None:
        self._sending += 1
        self._idle.clear()

    def _end(self) -> None:
        self._sending -= 1
        if self._sending == 0:
            self._idle.set()


def as_broker_order(order: DeskOrder) -> BrokerOrder:
    """Our order in the broker's terms, for a cancel or an amendment."""
    if order.broker_order_id is None or not (order.may_be_canceled or order.status is OrderStatus.CANCELED):
        raise ValueError(f"order {order.id} is not at the broker")
    request, (number, session) = order.request, where_it_is(order)
    return BrokerOrder(
        broker_order_id=number, symbol=order.symbol, side=order.side, quantity=order.quantity,
        price=order.price, filled_quantity=order.filled_quantity, average_fill_price=order.average_fill_price,
        leaves_quantity=order.leaves, canceled=False, rejected=False, ordered_at=order.market_at,
        order_type=request.order_type, venue=request.venue, session=session,
    )  # fmt: skip
