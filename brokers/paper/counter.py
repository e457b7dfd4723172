"""Counter: where clients hand in orders, amendments, cancels and reservations, and where they are refused.

A change is committed before the method returns; it meets the market when the exchange next moves on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

from brokers.paper.accounts import Account, AccountId
from brokers.paper.checks import Checks
from brokers.paper.clock import ExchangeClock
from brokers.paper.faults import VISIBILITY_LAG_S
from brokers.paper.floor import Floor
from brokers.paper.ledger import EventType, Ledger
from brokers.paper.orderlist import OrderList, trade_date
from brokers.paper.orders import EventKind, ExKind, ExOrder, ExStatus, Reject, RejectReason
from brokers.paper.state import State
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce


class Counter:
    def __init__(
        self, state: State, clock: ExchangeClock, ledger: Ledger, orders: OrderList, floor: Floor, checks: Checks
    ) -> None:
        self._state, self._clock, self._ledger = state, clock, ledger
        self._orders, self._floor, self._checks = orders, floor, checks

    def place(
        self,
        account: AccountId,
        *,
        market: Market,
        symbol: str,
        side: Side,
        quantity: int,
        price: Decimal | None,
        order_type: OrderType,
        venue: Venue,
        time_in_force: TimeInForce,
        session: OrderSession,
    ) -> ExOrder:
        order = ExOrder(
            self._orders.next_no(account.broker, account.env), None, account, market, symbol, venue, side, quantity,
            price, order_type, time_in_force, ExKind.NEW, ExStatus.OPEN, *self._now(), session=session,
        )  # fmt: skip
        with self.refusing(order, None):
            self._checks.new(order)
        with self._state.transaction():
            self._orders.add(order)
            self._floor.write(EventType.ORDER, order)
        self._floor.work(order)
        self._floor.tell(EventKind.ACCEPTED, order)
        return order

    def amend(self, account: Account, order_no: int, quantity: int | None, price: Decimal | None) -> ExOrder:
        named = self.order(account, order_no)
        with self.refusing(named, account):
            original = self._checks.leaves(named, quantity)
            price = original.price if price is None else price
            amended = self._child(original, ExKind.AMEND, ExStatus.OPEN, quantity or original.leaves, price)
            if price is not None and original.price is None:
                amended.order_type = OrderType.LIMIT
            self._checks.amend(original, amended)
        with self._state.transaction():
            original.moved += amended.quantity
            self._floor.leave(original, amended.quantity, ExStatus.REPLACED)
            self._orders.add(amended)
            self._floor.write(EventType.AMEND, amended)
        self._floor.work(amended)
        self._floor.tell(EventKind.AMENDED, amended, original=original)
        return amended

    def cancel(self, account: Account, order_no: int, quantity: int | None) -> ExOrder:
        named = self.order(account, order_no)
        with self.refusing(named, account):
            original = self._checks.leaves(named, quantity)
        asked = quantity or original.leaves
        request = self._child(original, ExKind.CANCEL, ExStatus.REQUEST, asked, original.price)
        with self._state.transaction():
            original.canceled += asked
            self._floor.leave(original, asked, ExStatus.CANCELED)
            self._orders.add(request)
            self._floor.write(EventType.CANCEL, request, filled=original.filled)
        self._floor.tell(EventKind.CANCELED, request, original=original)
        return request

    def refuse(
        self,
        account: Account,
        reason: RejectReason,
        text: str,
        symbol: str | None,
        side: Side | None,
        quantity: int | None,
        price: Decimal | None,
    ) -> NoReturn:
        with self._state.transaction():
            self._ledger.append(
                EventType.REJECT, at=self._clock.wall_now(), market_at=self._clock.market_now(), account=account.id,
                symbol=symbol, side=side, quantity=quantity, price=price, code=reason.value,
            )  # fmt: skip
        raise Reject(reason, text)

    def order(self, account: Account, order_no: int) -> ExOrder | None:
        order = self._orders.get((account.broker, account.env, order_no))
        return order if order is not None and order.account == account.id else None

    def open_orders(self, account: Account, market: Market) -> list[ExOrder]:
        now = self._clock.wall_now()
        return [o for o in self._orders.open(account.id) if o.market is market and o.visible_from <= now]

    def orders(self, account: Account, market: Market, since: date, until: date) -> list[ExOrder]:
        now, found = self._clock.wall_now(), []
        for order in self._orders.newest_first(account.id):
            on = trade_date(order.market, order.ordered_at)
            if order.market is market and since <= on <= until and order.visible_from <= now:
                found.append(order)
        return found

    # -- inside

    def _now(self) -> tuple[datetime, datetime, datetime]:
        """(market time, wall time, when lists may show what is placed now)."""
        wall = self._clock.wall_now()
        return self._clock.market_now(), wall, wall + timedelta(seconds=VISIBILITY_LAG_S.get())

    def _child(self, of: ExOrder, kind: ExKind, status: ExStatus, quantity: int, price: Decimal | None) -> ExOrder:
        market_at, wall_at, visible_from = self._now()
        return replace(
            of, order_no=self._orders.next_no(of.account.broker, of.account.env), orig_order_no=of.order_no,
            quantity=quantity, price=price, kind=kind, status=status, ordered_at=market_at, wall_at=wall_at,
            visible_from=visible_from, filled=0, filled_amount=Decimal(0), canceled=0, moved=0,
        )  # fmt: skip

    @contextmanager
    def refusing(self, order: ExOrder | None, account: Account | None) -> Iterator[None]:
        """Write a REJECT row for what is refused inside. With `account` (amend, cancel), `order` is the one it named."""
        try:
            yield
        except Reject as e:
            with self._state.transaction():
                if account is not None:
                    self._write_reject(account.id, e, named=order, asked=None)
                elif order is not None:
                    self._write_reject(order.account, e, named=None, asked=order)
            raise

    def _write_reject(self, account: AccountId, e: Reject, *, named: ExOrder | None, asked: ExOrder | None) -> None:
        times = (self._clock.wall_now(), self._clock.market_now())
        if asked is None:
            self._ledger.append(
                EventType.REJECT, at=times[0], market_at=times[1], account=account, order=named, code=e.reason.value
            )
        else:
            self._ledger.append(
                EventType.REJECT, at=times[0], market_at=times[1], account=account, symbol=asked.symbol,
                side=asked.side, quantity=asked.quantity, price=asked.price, code=e.reason.value,
            )  # fmt: skip
