"""Reservations: orders that wait at the broker for the next session's open (예약주문)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.paper.accounts import AccountId
from brokers.paper.clock import ExchangeClock
from brokers.paper.counter import Counter
from brokers.paper.orderlist import trade_date
from brokers.paper.orders import Reject, RejectReason, Reservation, ReservationStatus
from brokers.paper.state import State
from brokers.paper.synthetic import floor_to
from brokers.paper.tape import Tape
from shared.domain.account import BrokerName, Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce

ALWAYS_EVERY_S = 300


class Reservations:
    def __init__(self, state: State, clock: ExchangeClock, counter: Counter, tape: Tape) -> None:
        self._state, self._clock, self._counter, self._tape = state, clock, counter, tape
        self._all: dict[tuple[BrokerName, str, int], Reservation] = {}
        for one in state.load_reservations():
            self._all[_key(one)] = one

    def take(
        self,
        account: AccountId,
        market: Market,
        symbol: str,
        side: Side,
        quantity: int,
        price: Decimal | None,
        order_type: OrderType,
        venue: Venue,
    ) -> Reservation:
        listing = self._tape.listings.get(symbol)
        if listing is None or listing.market is not market:
            raise Reject(RejectReason.UNKNOWN_SYMBOL, f"{symbol} is not listed in {market}")
        if quantity <= 0:
            raise Reject(RejectReason.BAD_QUANTITY, f"{quantity} is not a number of shares")
        now = self._clock.market_now()
        same = [one.no for one in self._all.values() if (one.account.broker, one.account.env) == account.side]
        one = Reservation(
            max(same, default=0) + 1, account, market, symbol, side, quantity, price, order_type, venue,
            ReservationStatus.WAITING, now, self._opens_after(now),
        )  # fmt: skip
        self._keep(one)
        return one

    def cancel(self, account: AccountId, no: int) -> Reservation:
        one = self._all.get((account.broker, account.env, no))
        if one is None or one.account != account:
            raise Reject(RejectReason.UNKNOWN_ORDER, "the account has no such reservation")
        if one.status is not ReservationStatus.WAITING:
            raise Reject(RejectReason.ALREADY_DONE, f"the reservation is {one.status}")
        one.status = ReservationStatus.CANCELED
        self._keep(one)
        return one

    def listed(self, account: AccountId, market: Market, since: date, until: date) -> list[Reservation]:
        mine = [one for one in self._all.values() if one.account == account and one.market is market]
        return [one for one in mine[::-1] if since <= trade_date(market, one.reserved_at) <= until]

    def send_due(self) -> None:
        """Send what waited for an open that has come, as ordinary orders."""
        now = self._clock.market_now()
        for one in list(self._all.values()):
            if one.status is ReservationStatus.WAITING and one.sends_at <= now:
                self._send(one)

    def _send(self, one: Reservation) -> None:
        try:
            order = self._counter.place(
                one.account, market=one.market, symbol=one.symbol, side=one.side, quantity=one.quantity,
                price=one.price, order_type=one.order_type, venue=one.venue, time_in_force=TimeInForce.DAY,
                session=OrderSession.RESERVED,
            )  # fmt: skip
        except Reject as e:
            one.status, one.text = ReservationStatus.REFUSED, str(e)
        else:
            one.status, one.order_no = ReservationStatus.SENT, order.order_no
        self._keep(one)

    def _keep(self, one: Reservation) -> None:
        with self._state.transaction():
            self._state.save_reservation(one)
        self._all[_key(one)] = one

    def _opens_after(self, at: datetime) -> datetime:
        return floor_to(at, ALWAYS_EVERY_S) + timedelta(seconds=ALWAYS_EVERY_S)


def _key(one: Reservation) -> tuple[BrokerName, str, int]:
    return (one.account.broker, one.account.env, one.no)
