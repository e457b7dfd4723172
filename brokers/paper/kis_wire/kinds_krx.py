"""ORD_DVSN of KRX and NXT orders: which venue takes which, and at what price it enters the book (kis.md §4.2).

The book knows limit and market orders, for the day, at once (IOC) or whole (FOK). Best-limit, top-priority and
mid-price orders enter as limits at the price the book shows at that moment, and lists show them as limits from then on.
Conditional limits (02) stay limits to the end of the day. Stop-limits (22) are refused: nothing here waits for a price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from brokers.paper.clock import Sessions
from brokers.paper.exchange import Exchange
from brokers.paper.kis_wire.calls import Call
from brokers.paper.orders import ExOrder, RejectReason
from shared.calendars import load
from shared.domain.instrument import Venue
from shared.domain.order import OrderType, Side, TimeInForce
from shared.domain.sessions import SessionState, Timetable, pre_close_price, session_at

_DAY, _IOC, _FOK = TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK
_K, _KS, _KN, _KNS = (
    frozenset({Venue.KRX}),
    frozenset({Venue.KRX, Venue.SOR}),
    frozenset({Venue.KRX, Venue.NXT}),
    frozenset({Venue.KRX, Venue.NXT, Venue.SOR}),
)
Priced = Callable[[Exchange, str, Side], Decimal]


@dataclass(frozen=True, slots=True)
class Kind:
    """One ORD_DVSN. `priced` None: the price is the client's; `hours` None: whenever the market takes orders."""

    code: str
    name: str
    venues: frozenset[Venue]
    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = _DAY
    priced: Priced | None = None
    hours: str | None = None


def _best(exchange: Exchange, symbol: str, side: Side) -> Decimal:
    """최유리: the best price of the other side."""
    book = exchange.book(symbol)
    levels = book.asks if side is Side.BUY else book.bids
    return levels[0].price if levels else exchange.quote(symbol).price


def _top(exchange: Exchange, symbol: str, side: Side) -> Decimal:
    """최우선: the best price of the own side."""
    return _best(exchange, symbol, side.opposite)


def _middle(exchange: Exchange, symbol: str, side: Side) -> Decimal:
    """중간가: between the best prices, on the tick, never worse for the client than the middle."""
    middle = (_best(exchange, symbol, Side.BUY) + _best(exchange, symbol, Side.SELL)) / 2
    tick = exchange.tick_size(symbol, middle)
    steps = (middle / tick).to_integral_value(ROUND_FLOOR if side is Side.BUY else ROUND_CEILING)
    return steps * tick


def _closing(exchange: Exchange, symbol: str, side: Side) -> Decimal:
    """시간외종가: yesterday's close before the open, today's last price after it."""
    trade = exchange.quote(symbol)
    return trade.prev_close if pre_close_price(exchange.clock.market_now(), load()) else trade.price


_MARKET = OrderType.MARKET
KINDS = {
    kind.code: kind
    for kind in (
        Kind("00", "지정가", _KNS),
        Kind("01", "시장가", _KS, _MARKET),
        Kind("02", "조건부지정가", _K),
        Kind("03", "최유리지정가", _KNS, priced=_best),
        Kind("04", "최우선지정가", _KNS, priced=_top),
        Kind("05", "장전시간외", _K, priced=_closing, hours="before"),
        Kind("06", "장후시간외", _K, priced=_closing, hours="after"),
        Kind("07", "시간외단일가", _K, hours="evening"),
        Kind("11", "IOC지정가", _KNS, time_in_force=_IOC),
        Kind("12", "FOK지정가", _KNS, time_in_force=_FOK),
        Kind("13", "IOC시장가", _KNS, _MARKET, _IOC),
        Kind("14", "FOK시장가", _KNS, _MARKET, _FOK),
        Kind("15", "IOC최유리", _KNS, time_in_force=_IOC, priced=_best),
        Kind("16", "FOK최유리", _KNS, time_in_force=_FOK, priced=_best),
        Kind("21", "중간가", _KN, priced=_middle),
        Kind("23", "중간가IOC", _KN, time_in_force=_IOC, priced=_middle),
        Kind("24", "중간가FOK", _KN, time_in_force=_FOK, priced=_middle),
    )
}
_PLAIN = {(kind.order_type, kind.time_in_force): kind.code for kind in KINDS.values() if kind.code in
          {"00", "01", "11", "12", "13", "14"}}  # fmt: skip


def type_code(order: ExOrder) -> str:
    """The ORD_DVSN that lists and notices show for an order in the book."""
    return _PLAIN.get((order.order_type, order.time_in_force), "00")


def asked_kind(call: Call, venue: Venue) -> Kind:
    """Read ORD_DVSN; refuses what the venue does not take, and what has its own hours outside of them."""
    kind = KINDS.get(call.need("ORD_DVSN"))
    if kind is None or venue not in kind.venues:
        call.refuse(RejectReason.UNSUPPORTED_TYPE, f"ORD_DVSN {call.get('ORD_DVSN')} at {venue}")
    if kind.hours is not None and call.exchange.sessions is Sessions.CALENDAR and kind.hours != _hours_now(call):
        call.refuse(RejectReason.NOT_IN_SESSION, f"{kind.name} is taken in its own hours only")
    return kind


def kind_price(exchange: Exchange, kind: Kind, symbol: str, side: Side, given: Decimal) -> Decimal | None:
    """The price an order of this kind enters the book at; None for a market order."""
    if kind.order_type is OrderType.MARKET:
        return None
    return given if kind.priced is None else kind.priced(exchange, symbol, side)


def _hours_now(call: Call) -> str:
    """Which of the hours outside the session it is: before (08:30), after (15:40) or evening (16:00)."""
    now = call.exchange.clock.market_now()
    if pre_close_price(now, load()):
        return "before"
    state = session_at(Timetable.KRX, now, load())
    return {SessionState.POST_CLOSE_PRICE: "after", SessionState.AFTER_SINGLE: "evening"}.get(state, "")
