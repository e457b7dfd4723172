"""Checks: what the exchange refuses, before anything is placed. The order of the checks decides the reason given."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.hours import ON_CLOSE, ON_OPEN, Hours, Lane, Stage, lane_of
from brokers.paper.listings import Listing
from brokers.paper.orders import ExOrder, Reject, RejectReason
from brokers.paper.portfolio import Portfolio
from brokers.paper.tape import Tape
from shared.domain.account import Market
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.order import PRICED, OrderSession, OrderType, Side, TimeInForce
from shared.domain.venue_rules import order_unit

# KRX: limit and market; US: no plain market order, and closing/opening orders at market for sells only (markets.md §7).
_KRX_TYPES = frozenset({OrderType.LIMIT, OrderType.MARKET})
_US_SELL_ONLY = frozenset({OrderType.MARKET, OrderType.MOO, OrderType.MOC})
_VENUES = {Market.KRX: frozenset({Venue.KRX, Venue.NXT, Venue.SOR})}
MOST_SHARES = 99_999_999  # of one order: what the brokers' quantity fields hold


class Checks:
    def __init__(self, tape: Tape, portfolio: Portfolio, hours: Hours) -> None:
        self._tape, self._portfolio, self._hours = tape, portfolio, hours

    def new(self, order: ExOrder) -> None:
        """Raise Reject unless `order` may be placed now."""
        _check_type(order)
        _check_quantity(order.quantity)
        listing = self.listed(order.symbol, order.market, order.venue)
        self._check_session(order, listing)
        _check_unit(order, listing)
        self.check_price(order)
        if order.side is Side.BUY:
            self._check_cash(order, self._portfolio.needed(order, order.quantity))
        elif order.quantity > self._portfolio.sellable(order.account, order.symbol):
            have = self._portfolio.sellable(order.account, order.symbol)
            raise Reject(RejectReason.INSUFFICIENT_HOLDING, f"{order.quantity} asked, {have} sellable")

    def amend(self, original: ExOrder, amended: ExOrder) -> None:
        """Raise Reject unless `amended` (its shares come out of `original`) may replace them now."""
        self.leaves(original, amended.quantity)
        self._check_session(amended, self.listed(amended.symbol, amended.market, amended.venue))
        self.check_price(amended)
        if amended.side is Side.BUY:
            free = self._portfolio.needed(original, amended.quantity, original.filled_amount)
            self._check_cash(amended, self._portfolio.needed(amended, amended.quantity) - free)

    def reserved(self, order: ExOrder) -> None:
        """Raise Reject for what no session would take: cash and shares are looked at when it is sent."""
        _check_type(order)
        _check_quantity(order.quantity)
        self.listed(order.symbol, order.market, order.venue)
        self.check_price(order, banded=False)

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

    def listed(self, symbol: str, market: Market, venue: Venue) -> Listing:
        """The listing of a symbol that `venue` of `market` trades."""
        listing = self._tape.listings.get(symbol)
        if listing is None or listing.market is not market:
            raise Reject(RejectReason.UNKNOWN_SYMBOL, f"{symbol} is not listed in {market}")
        if venue not in _VENUES.get(market, {listing.venue}):
            raise Reject(RejectReason.UNKNOWN_SYMBOL, f"{symbol} is listed on {listing.venue}, not on {venue}")
        if venue is Venue.NXT and not listing.on_nxt:
            raise Reject(RejectReason.NOT_TRADABLE, f"{symbol} does not trade on NXT")
        return listing

    def check_price(self, order: ExOrder, *, banded: bool = True) -> None:
        if order.price is None:
            return
        if not order.price.is_finite() or order.price <= 0:
            raise Reject(RejectReason.BAD_PRICE, f"{order.price} is not a price")
        limits = self._tape.limits(order.symbol) if banded else None
        if limits is not None and not limits[0] <= order.price <= limits[1]:
            raise Reject(RejectReason.PRICE_LIMIT, f"{order.price} is outside {limits[0]} to {limits[1]}")
        tick = self._tape.tick_size(order.symbol, order.price)
        if order.price % tick:
            raise Reject(RejectReason.BAD_TICK, f"{order.price} is not a multiple of {tick}")

    def _check_cash(self, order: ExOrder, more: Decimal) -> None:
        orderable = self._portfolio.orderable(order.account, order.market.currency)
        if more > max(orderable, Decimal(0)):
            raise Reject(RejectReason.INSUFFICIENT_CASH, f"{more} more needed, {orderable} orderable")

    def _check_session(self, order: ExOrder, listing: Listing) -> None:
        stage = self._hours.stage(listing, lane_of(order), order.ordered_at)
        auction = order.order_type in ON_OPEN | ON_CLOSE
        if stage is None or (stage.on_open_only and not auction):
            raise Reject(RejectReason.MARKET_CLOSED, f"{order.symbol} does not trade now")
        if self._tape.halted(order.symbol):
            raise Reject(RejectReason.HALTED, f"{order.symbol} is halted")
        if auction:
            self._hours.check_auction(listing, order)
        _check_stage(order, stage, listing)
        if self._tape.calling(order.symbol) and order.time_in_force is not TimeInForce.DAY:
            raise Reject(RejectReason.HALTED, f"{order.symbol} is in a call auction (VI): no IOC or FOK")


def _check_stage(order: ExOrder, stage: Stage, listing: Listing) -> None:
    """What the market, though open, does not take in this phase (markets.md §7)."""
    why = None
    if order.order_type is OrderType.MARKET and not stage.market_orders:
        why = "limit orders only"
    elif order.time_in_force is not TimeInForce.DAY and not stage.at_once:
        why = "no IOC or FOK"
    elif listing.type is not InstrumentType.STOCK and not stage.funds:
        raise Reject(RejectReason.NOT_TRADABLE, f"{order.symbol} has no after-market: shares only")
    if why is not None:
        raise Reject(RejectReason.NOT_IN_SESSION, f"this session takes {why}")


def _check_type(order: ExOrder) -> None:
    if order.market is Market.KRX:
        known = order.order_type in _KRX_TYPES
    else:
        known = order.side is Side.SELL or order.order_type not in _US_SELL_ONLY
    if lane_of(order) is Lane.US_DAY and order.order_type is not OrderType.LIMIT:
        known = False
    if order.session is OrderSession.DAY_MARKET and order.market is not Market.US:
        known = False
    if not known:
        raise Reject(RejectReason.UNSUPPORTED_TYPE, f"{order.market} takes no {order.order_type} {order.side}")
    if (order.price is not None) is not (order.order_type in PRICED):
        raise Reject(RejectReason.BAD_PRICE, f"a {order.order_type} order with price {order.price}")


def _check_quantity(quantity: int) -> None:
    if quantity <= 0:
        raise Reject(RejectReason.BAD_QUANTITY, f"{quantity} is not a number of shares")
    if quantity > MOST_SHARES:
        raise Reject(RejectReason.OVER_LIMIT, f"{quantity} shares are more than one order may have ({MOST_SHARES})")


def _check_unit(order: ExOrder, listing: Listing) -> None:
    """Odd lots: KOSPI shares below 50,000 won traded in tens until 2014-05-30 (markets.md §6)."""
    price = order.price if order.price is not None and order.price.is_finite() else Decimal(1)
    unit = order_unit(
        order.market, price, order.ordered_at.date(), instrument_type=listing.type, board=listing.board or "KOSPI"
    )
    if order.quantity % unit:
        raise Reject(RejectReason.BAD_QUANTITY, f"{order.quantity} is not a multiple of {unit}")
