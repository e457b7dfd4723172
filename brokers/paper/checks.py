"""Checks: what the exchange refuses, before anything is placed. The order of the checks decides the reason given."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from brokers.paper.orders import ExOrder, Reject, RejectReason
from brokers.paper.portfolio import Portfolio
from brokers.paper.tape import Tape
from shared.domain.account import Market
from shared.domain.order import PRICED, OrderType, Side

# KRX: limit and market; US: no plain market order, and closing/opening orders at market for sells only (markets.md §7).
_KRX_TYPES = frozenset({OrderType.LIMIT, OrderType.MARKET})
_US_SELL_ONLY = frozenset({OrderType.MARKET, OrderType.MOO, OrderType.MOC})


class Checks:
    def __init__(self, tape: Tape, portfolio: Portfolio, session_open: Callable[[str], bool]) -> None:
        self._tape, self._portfolio, self._session_open = tape, portfolio, session_open

    def new(self, order: ExOrder) -> None:
        """Raise Reject unless `order` may be placed now."""
        _check_type(order)
        _check_quantity(order.quantity)
        self._check_tradable(order)
        self._check_price(order)
        if order.side is Side.BUY:
            self._check_cash(order, self._portfolio.needed(order.symbol, order.quantity, order.price))
        elif order.quantity > self._portfolio.sellable(order.account, order.symbol):
            have = self._portfolio.sellable(order.account, order.symbol)
            raise Reject(RejectReason.INSUFFICIENT_HOLDING, f"{order.quantity} asked, {have} sellable")

    def amend(self, original: ExOrder, amended: ExOrder) -> None:
        """Raise Reject unless `amended` (its shares come out of `original`) may replace them now."""
        self.leaves(original, amended.quantity)
        self._check_tradable(amended)
        self._check_price(amended)
        if amended.side is Side.BUY:
            more = self._portfolio.needed(amended.symbol, amended.quantity, amended.price)
            less = self._portfolio.needed(original.symbol, amended.quantity, original.price)
            self._check_cash(amended, more - less)

    def leaves(self, original: ExOrder | None, quantity: int | None) -> ExOrder:
        """Return the order an amend or cancel names; `quantity` None stands for all that is left."""
        if original is None:
            raise Reject(RejectReason.UNKNOWN_ORDER, "the account has no such order")
        if not original.leaves:
            raise Reject(RejectReason.ALREADY_DONE, f"the order is {original.status}")
        if quantity is not None:
            _check_quantity(quantity)
            if quantity > original.leaves:
                raise Reject(RejectReason.QUANTITY_OVER_LEAVES, f"{quantity} asked, {original.leaves} left")
        return original

    def _check_price(self, order: ExOrder) -> None:
        if order.price is None:
            return
        if not order.price.is_finite() or order.price <= 0:
            raise Reject(RejectReason.BAD_PRICE, f"{order.price} is not a price")
        limits = self._tape.limits(order.symbol)
        if limits is not None and not limits[0] <= order.price <= limits[1]:
            raise Reject(RejectReason.PRICE_LIMIT, f"{order.price} is outside {limits[0]} to {limits[1]}")
        tick = self._tape.tick_size(order.symbol, order.price)
        if order.price % tick:
            raise Reject(RejectReason.BAD_TICK, f"{order.price} is not a multiple of {tick}")

    def _check_cash(self, order: ExOrder, more: Decimal) -> None:
        orderable = self._portfolio.cash(order.account, order.market.currency).orderable
        if more > max(orderable, Decimal(0)):
            raise Reject(RejectReason.INSUFFICIENT_CASH, f"{more} more needed, {orderable} orderable")

    def _check_tradable(self, order: ExOrder) -> None:
        listing = self._tape.listings.get(order.symbol)
        if listing is None or listing.market is not order.market:
            raise Reject(RejectReason.UNKNOWN_SYMBOL, f"{order.symbol} is not listed in {order.market}")
        if not self._session_open(order.symbol):
            raise Reject(RejectReason.MARKET_CLOSED, f"{order.symbol} does not trade now")
        if self._tape.halted(order.symbol):
            raise Reject(RejectReason.HALTED, f"{order.symbol} is halted")


def _check_type(order: ExOrder) -> None:
    if order.market is Market.KRX:
        known = order.order_type in _KRX_TYPES
    else:
        known = order.side is Side.SELL or order.order_type not in _US_SELL_ONLY
    if not known:
        raise Reject(RejectReason.UNSUPPORTED_TYPE, f"{order.market} takes no {order.order_type} {order.side}")
    if (order.price is not None) is not (order.order_type in PRICED):
        raise Reject(RejectReason.BAD_PRICE, f"a {order.order_type} order with price {order.price}")


def _check_quantity(quantity: int) -> None:
    if quantity <= 0:
        raise Reject(RejectReason.BAD_QUANTITY, f"{quantity} is not a number of shares")
