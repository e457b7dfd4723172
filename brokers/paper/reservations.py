"""Reservations: orders that wait at the broker for the next session's open (예약주문)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from brokers.paper.accounts import AccountId
from brokers.paper.checks import Checks
from brokers.paper.clock import ExchangeClock
from brokers.paper.counter import Counter
from brokers.paper.hours import Hours
from brokers.paper.orderlist import trade_date
from brokers.paper.orders import ExKind, ExOrder, ExStatus, Reject, RejectReason, Reservation, ReservationStatus
from brokers.paper.state import State
from brokers.paper.synthetic import ZONES
from shared.domain.account import BrokerName, Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce
from shared.domain.sessions import KST


class Reservations:
    def __init__(self, state: State, clock: ExchangeClock, counter: Counter, checks: Checks, hours: Hours) -> None:
        self._state, self._clock, self._counter = state, clock, counter
        self._checks, self._hours = checks, hours
        self._all: dict[tuple[BrokerName, str, int], Reservation] = {}
        self._waiting: dict[tuple[BrokerName, str, int], Reservation] = {}
        for one in state.load_reservations():
            self._index(one)

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
        now = self._clock.market_now()
        order = ExOrder(
            0, None, account, market, symbol, venue, side, quantity, price, order_type, TimeInForce.DAY, ExKind.NEW,
            ExStatus.OPEN, now, now, now, session=OrderSession.RESERVED,
        )  # fmt: skip
        with self._counter.refusing(order, None):
            self._checks.reserved(order)
            if market is Market.US and (order_type is OrderType.MOO) is not (price is None):
                raise Reject(RejectReason.UNSUPPORTED_TYPE, "a reserved US order is a limit order, or MOO to sell")
            self._check_time(market, now)
        same = [one.no for one in self._all.values() if one.account.side == account.side]
        one = Reservation(
            max(same, default=0) + 1, account, market, symbol, side, quantity, price, order_type, venue,
            ReservationStatus.WAITING, now, self._hours.next_open(self._checks.listed(symbol, market, venue), now),
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
        for one in [one for one in self._waiting.values() if one.sends_at <= now]:
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
        self._index(one)

    def _index(self, one: Reservation) -> None:
        self._all[_key(one)] = one
        self._waiting.pop(_key(one), None)
        if one.status is ReservationStatus.WAITING:
            self._waiting[_key(one)] = one

    def _check_time(self, market: Market, now: datetime) -> None:
        """KIS windows (markets.md §5, §7): KRX 15:40 to 07:30 but for the night batch, US 10:00 to ten minutes before
        the open but for 16:30–16:45; Korean time both."""
        if self._hours.always:
            return
        at = now.astimezone(KST).time()
        if market is Market.KRX:
            taken = (at >= time(15, 40) or at < time(7, 30)) and not (at >= time(23, 40) or at < time(0, 10))
        else:
            last = (us_open(now) - timedelta(minutes=10)).astimezone(KST).time()
            taken = time(10) <= at < last and not time(16, 30) <= at < time(16, 45)
        if not taken:
            raise Reject(RejectReason.NOT_IN_SESSION, f"no reserved {market} orders are taken at {at:%H:%M} KST")


def us_open(at: datetime) -> datetime:
    """09:30 in New York on the date of `at` there."""
    return at.astimezone(ZONES[Market.US]).replace(hour=9, minute=30, second=0, microsecond=0)


def _key(one: Reservation) -> tuple[BrokerName, str, int]:
    return (one.account.broker, one.account.env, one.no)
