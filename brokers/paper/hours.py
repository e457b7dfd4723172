"""Hours: what each market does with orders at an instant: trades, collects them for a call auction, or is closed.

Three ways to know, chosen by profile and tape:
* always (synthetic tape, compat): continuous trading that never closes; on-open and on-close orders meet in a call
  auction every five minutes of market time.
* the tape's own days (replay, compat): a day is open from the start of its first bar to the end of its last.
* calendar (strict): the markets' timetables by trade date (markets.md §2, §3, §5, §7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from brokers.paper.clock import Sessions
from brokers.paper.listings import Listing
from brokers.paper.orders import ExOrder, Reject, RejectReason
from brokers.paper.prints import Source
from brokers.paper.synthetic import ZONES, floor_to, midnight
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType
from shared.domain.sessions import KST, SessionState, Timetable, next_open, phase_at, phases, session_at
from shared.domain.trading_days import OutsideCalendar

AUCTION_EVERY_S = 300  # of market time, where no calendar says when
LATE_CALL = timedelta(seconds=30)  # KRX may extend a call by up to 30 s: prints up to there count (markets.md §2)
BEFORE_OPEN = timedelta(hours=6)  # how early on-open orders are taken for a replayed day
OPEN_CUTOFF = timedelta(minutes=2)  # Nasdaq MOO/LOO 09:28 (markets.md §7)
ON_OPEN, ON_CLOSE = frozenset({OrderType.LOO, OrderType.MOO}), frozenset({OrderType.LOC, OrderType.MOC})
_DAY_MARKET = time(10), time(16)  # KST


class Lane(StrEnum):
    """Where an order works: each lane has its own hours and its own queue."""

    KRX = "KRX"
    NXT = "NXT"
    SOR = "SOR"  # KRX or NXT, whichever trades
    US = "US"
    US_DAY = "US-DAY"  # 주간거래


class Call(StrEnum):
    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a lane does with orders while a phase lasts."""

    matches: bool = True  # continuous trading
    call: Call | None = None  # orders collect for this auction
    market_orders: bool = True
    at_once: bool = True  # IOC and FOK
    funds: bool = True  # ETF, ETN and ELW
    on_open_only: bool = False  # nothing but orders for the coming opening auction


@dataclass(frozen=True, slots=True)
class Deadline:
    """When an order dies; with `call`, after a last auction at that instant."""

    at: datetime
    call: bool = False


_OPENING = Stage(matches=False, call=Call.OPEN, at_once=False)
_EARLY = Stage(matches=False, at_once=False, on_open_only=True)
_LIMITS = Stage(market_orders=False, at_once=False)  # limit orders only
_S = SessionState
_STAGES: dict[Lane, dict[SessionState, Stage]] = {
    Lane.KRX: {
        _S.OPEN_AUCTION: _OPENING,
        _S.CONTINUOUS: Stage(),
        _S.CLOSE_AUCTION: Stage(matches=False, call=Call.CLOSE, at_once=False),
        _S.AFTER_MARKET: Stage(market_orders=False, funds=False),
    },
    Lane.NXT: {
        _S.PRE: _LIMITS,
        _S.MAIN: Stage(),
        _S.AFTER_ENTRY: Stage(matches=False, market_orders=False, at_once=False),
        _S.AFTER: _LIMITS,
    },
    Lane.US: {_S.PRE: _LIMITS, _S.REGULAR: Stage(), _S.POST: _LIMITS},
}
_TIMETABLES = {Lane.KRX: Timetable.KRX, Lane.NXT: Timetable.NXT, Lane.US: Timetable.US}
_ENDS_IN_CALL = {_S.OPEN_AUCTION, _S.CLOSE_AUCTION, _S.PRE, _S.REGULAR}
_MAIN = {Market.KRX: Lane.KRX, Market.US: Lane.US}


def lane_of(order: ExOrder) -> Lane:
    if order.market is Market.US:
        return Lane.US_DAY if order.session is OrderSession.DAY_MARKET else Lane.US
    return {Venue.NXT: Lane.NXT, Venue.SOR: Lane.SOR}.get(order.venue, Lane.KRX)


def market_open(market: Market, at: datetime) -> bool:
    """Say whether `market` takes orders at `at` (aware), by its own timetable."""
    lane = _MAIN[market]
    return session_at(_TIMETABLES[lane], at, load()) in _STAGES[lane]


class Hours:
    """Asks the present tape's source, which may be changed while the exchange runs."""

    def __init__(self, strict: bool, source: Callable[[], Source]) -> None:
        self._strict, self._source = strict, source

    @property
    def always(self) -> bool:
        return not self._strict and self._source().sessions is Sessions.ALWAYS

    def stage(self, listing: Listing, lane: Lane, at: datetime) -> Stage | None:
        """What happens to orders now; None while closed."""
        if self.always:
            return Stage() if self._source().open_at(listing.symbol, at) else None
        if self._by_calendar(at):
            return _calendar_stage(lane, at)
        day = self._source().session(listing.symbol, at)
        if day is None or not day[0] - BEFORE_OPEN <= at < day[1]:
            return None
        return Stage() if at >= day[0] else _EARLY

    def main_stage(self, listing: Listing, at: datetime) -> Stage | None:
        """The stage of the listing's home market."""
        return self.stage(listing, _MAIN[listing.market], at)

    def deadline(self, listing: Listing, order: ExOrder) -> Deadline:
        """When an order placed at its time dies by itself."""
        at, lane = order.ordered_at, lane_of(order)
        if order.order_type in ON_CLOSE or (self.always and order.order_type in ON_OPEN):
            closes = self._auction_after(listing, at)
            if closes is not None:
                return Deadline(closes, call=True)
        if not self.always and self._by_calendar(at):
            return _calendar_deadline(lane, at)
        day = None if self.always else self._source().session(listing.symbol, at)
        return Deadline(_next_midnight(listing, at) if day is None else day[1])

    def opened(self, listing: Listing, lane: Lane, after: datetime, until: datetime) -> bool:
        """Say whether an opening auction ended in (after, until]: the first trade then is its price."""
        if self.always or lane in {Lane.NXT, Lane.US_DAY}:
            return False
        opens = self._opens(listing, until)
        return opens is not None and after < opens <= until

    def check_auction(self, listing: Listing, order: ExOrder) -> None:
        """Raise Reject (NOT_IN_SESSION) when an on-open or on-close order comes too late, or on a closed day."""
        if self.always:
            return
        opens, closes = self._opens(listing, order.ordered_at), self._auction_after(listing, order.ordered_at)
        if opens is None or closes is None:
            raise Reject(RejectReason.NOT_IN_SESSION, f"no auction of {order.symbol} lies ahead today")
        opening = order.order_type in ON_OPEN
        last = opens - OPEN_CUTOFF if opening else closes - _close_cutoff(listing, order.order_type)
        first = opens - BEFORE_OPEN
        if not first <= order.ordered_at < last:
            raise Reject(RejectReason.NOT_IN_SESSION, f"{order.order_type} is taken from {first} to {last}")

    def next_auction(self, market: Market, at: datetime) -> datetime | None:
        """The next auction of a market; None where a replay's days decide."""
        if self.always:
            return _boundary_after(at)
        if not self._by_calendar(at):
            return None
        table = _TIMETABLES[_MAIN[market]]
        today = phases(table, at.astimezone(ZONES[market]).date(), load())
        return next((phase.end for phase in today if phase.state in _ENDS_IN_CALL and phase.end > at), None)

    def call_is_near(self, at: datetime) -> bool:
        """Say whether one of the five-minute auctions is less than a minute away."""
        return self.always and _boundary_after(at) - at < timedelta(minutes=1)

    def next_open(self, listing: Listing, at: datetime) -> datetime:
        """When orders that wait for a session are sent."""
        if self.always:
            return _boundary_after(at)
        if self._by_calendar(at):
            return next_open(_TIMETABLES[_MAIN[listing.market]], at, load())
        day = at
        for _ in range(31):
            session = self._source().session(listing.symbol, day)
            if session is not None and session[0] > at:
                return session[0]
            day += timedelta(days=1)
        return day

    # -- inside

    def _by_calendar(self, at: datetime) -> bool:
        if not self._strict:
            return False
        try:
            load().krx.is_trading_day(at.date())
        except OutsideCalendar:
            return False
        return True

    def _opens(self, listing: Listing, at: datetime) -> datetime | None:
        """The regular open of the local day of `at`."""
        return self._regular(listing, at)[0]

    def _auction_after(self, listing: Listing, at: datetime) -> datetime | None:
        """The instant of the next closing auction (every five minutes where nothing ever closes)."""
        if self.always:
            return _boundary_after(at)
        return self._regular(listing, at)[1]

    def _regular(self, listing: Listing, at: datetime) -> tuple[datetime | None, datetime | None]:
        if not self._by_calendar(at):
            day = self._source().session(listing.symbol, at)
            return day or (None, None)
        hours = load().days(listing.market).hours(at.astimezone(ZONES[listing.market]).date())
        if hours is None:
            return None, None
        local = at.astimezone(ZONES[listing.market])
        return _clock(local, hours.open), _clock(local, hours.close)


def _calendar_stage(lane: Lane, at: datetime) -> Stage | None:
    if lane is Lane.US_DAY:
        phase = phase_at(Timetable.KIS_US, at, load())
        start, end = _DAY_MARKET
        in_time = start <= at.astimezone(KST).time() < end
        return _LIMITS if phase is not None and phase.state is SessionState.DAY and in_time else None
    if lane is Lane.SOR:
        krx, nxt = _calendar_stage(Lane.KRX, at), _calendar_stage(Lane.NXT, at)
        if krx is None or (not krx.matches and nxt is not None and nxt.matches):
            return nxt
        return krx
    return _STAGES[lane].get(session_at(_TIMETABLES[lane], at, load()))


def _calendar_deadline(lane: Lane, at: datetime) -> Deadline:
    """KRX orders die with their session, NXT orders in the evening, US orders with the close they were sent for."""
    if lane is Lane.US_DAY:
        local = at.astimezone(KST)
        return Deadline(_clock(local, _DAY_MARKET[1]))
    if lane is Lane.SOR:
        krx = _calendar_deadline(Lane.KRX, at)
        return krx if krx.call else _calendar_deadline(Lane.NXT, at)
    table = _TIMETABLES[lane]
    day = phases(table, at.astimezone(ZONES[table.market]).date(), load())
    if not day:
        return Deadline(at)
    if lane is Lane.NXT:
        return Deadline(day[-1].end)
    closing = SessionState.CLOSE_AUCTION if lane is Lane.KRX else SessionState.REGULAR
    close = next(phase.end for phase in day if phase.state is closing)
    if at >= close:
        return Deadline(day[-1].end)
    return Deadline(close + LATE_CALL, call=True) if lane is Lane.KRX else Deadline(close)


def _close_cutoff(listing: Listing, order_type: OrderType) -> timedelta:
    """NYSE 15:50; Nasdaq MOC 15:55, LOC 15:58; three hours earlier on half days (markets.md §7)."""
    if listing.venue is not Venue.NASDAQ:
        return timedelta(minutes=10)
    return timedelta(minutes=5 if order_type is OrderType.MOC else 2)


def _boundary_after(at: datetime) -> datetime:
    return floor_to(at, AUCTION_EVERY_S) + timedelta(seconds=AUCTION_EVERY_S)


def _next_midnight(listing: Listing, at: datetime) -> datetime:
    zone = ZONES[listing.market]
    return midnight(at.astimezone(zone).date() + timedelta(days=1), zone)


def _clock(local: datetime, at: time) -> datetime:
    return local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
