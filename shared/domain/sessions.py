"""Trading sessions: the state of a timetable at an instant, by trade date (markets.md §1–§5).

A timetable is what someone can trade on: an exchange, an ATS, or the windows a broker gives its customers. Intervals
are half-open. Auction ends may be extended by up to 30 s at random; the times here are the nominal ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.domain.account import Market
from shared.domain.fees import Rates
from shared.domain.trading_days import ZONES, TradingDays

KST = ZONES[Market.KRX]


class Timetable(StrEnum):
    KRX = "KRX"
    NXT = "NXT"
    US = "US"
    US_ATS = "US-ATS"  # Blue Ocean, Moon, Bruce
    KIS_US = "KIS-US"  # what a customer of KIS can send

    @property
    def market(self) -> Market:
        return Market.KRX if self in {Timetable.KRX, Timetable.NXT} else Market.US


class SessionState(StrEnum):
    CLOSED = "CLOSED"
    OPEN_AUCTION = "OPEN_AUCTION"
    CONTINUOUS = "CONTINUOUS"
    CLOSE_AUCTION = "CLOSE_AUCTION"
    BREAK = "BREAK"
    POST_CLOSE_PRICE = "POST_CLOSE_PRICE"  # 장후 시간외종가
    AFTER_SINGLE = "AFTER_SINGLE"  # 시간외단일가, to 2026-09-11
    AFTER_MARKET = "AFTER_MARKET"  # KRX after-market, from 2026-09-14
    PRE = "PRE"
    MAIN = "MAIN"
    AFTER_ENTRY = "AFTER_ENTRY"  # NXT: orders accepted, nothing matches continuously
    AFTER = "AFTER"
    REGULAR = "REGULAR"
    POST = "POST"
    OVERNIGHT = "OVERNIGHT"
    DAY = "DAY"  # 주간거래


_BETWEEN_OPEN_AND_CLOSE = frozenset(
    {SessionState.CONTINUOUS, SessionState.CLOSE_AUCTION, SessionState.MAIN, SessionState.REGULAR}
)


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a trade date in one state; `start` belongs to it, `end` does not."""

    state: SessionState
    start: datetime
    end: datetime
    trade_date: date


@dataclass(frozen=True, slots=True, eq=False)
class Calendars:
    """The dated facts of the markets we trade."""

    krx: TradingDays
    us: TradingDays
    rates: Rates

    def days(self, market: Market) -> TradingDays:
        return self.krx if market is Market.KRX else self.us


@dataclass(frozen=True, slots=True)
class _KrxRegime:
    """KRX hours of a normal day from `start` on. Post-close-price trading ends where the evening begins."""

    start: date
    pre_close: tuple[time, time]  # 장전 시간외종가, beside the opening auction
    auction: time
    close_auction: time
    close: time
    post_close: time
    evening: time
    evening_end: time
    evening_state: SessionState


_SINGLE, _AFTER = SessionState.AFTER_SINGLE, SessionState.AFTER_MARKET
_EARLY, _LATE = (time(7, 30), time(8, 30)), (time(8, 30), time(8, 40))
_T0800, _T0830, _T1450, _T1500, _T1510 = time(8), time(8, 30), time(14, 50), time(15), time(15, 10)
_T1520, _T1530, _T1540, _T1600, _T1800, _T2000 = time(15, 20), time(15, 30), time(15, 40), time(16), time(18), time(20)

_KRX = (  # newest first; the last row reaches back for ever
    _KrxRegime(date(2026, 9, 14), _LATE, _T0830, _T1520, _T1530, _T1540, _T1600, _T2000, _AFTER),
    _KrxRegime(date(2019, 4, 29), _LATE, _T0830, _T1520, _T1530, _T1540, _T1600, _T1800, _SINGLE),
    _KrxRegime(date(2016, 8, 1), _EARLY, _T0800, _T1520, _T1530, _T1540, _T1600, _T1800, _SINGLE),
    _KrxRegime(date.min, _EARLY, _T0800, _T1450, _T1500, _T1510, _T1530, _T1800, _SINGLE),
)
_NXT_ON = date(2025, 3, 4)
_ATS_ON = date(2022, 2, 1)  # overnight trading reaches Korean customers
_DAY_MARKET_SUSPENDED = (date(2024, 8, 16), date(2025, 11, 4))
_KIS_EXTENSION_ON = date(2022, 1, 1)  # 애프터연장


def phases(timetable: Timetable, day: date, calendars: Calendars, *, extended: bool = False) -> tuple[Phase, ...]:
    """Return the phases of trade date `day` in order; () when nothing trades.

    `extended` is the customer's after-market extension (KIS-US only).
    """
    return _phases(timetable, day, calendars, extended)


def phase_at(timetable: Timetable, instant: datetime, calendars: Calendars, *, extended: bool = False) -> Phase | None:
    """Return the phase that holds at `instant` (aware), or None when the timetable is closed."""
    day = local_day(timetable, instant)
    return next((p for p in phases(timetable, day, calendars, extended=extended) if p.start <= instant < p.end), None)


def session_at(
    timetable: Timetable, instant: datetime, calendars: Calendars, *, extended: bool = False
) -> SessionState:
    """Return the state at `instant` (aware)."""
    phase = phase_at(timetable, instant, calendars, extended=extended)
    return SessionState.CLOSED if phase is None else phase.state


def trade_date(timetable: Timetable, instant: datetime, calendars: Calendars) -> date:
    """Return the trade date `instant` belongs to: the running one, else the next one to begin.

    A US night belongs to the date that follows it (Sunday 20:00 ET is Monday's).
    """
    day = local_day(timetable, instant)
    today = phases(timetable, day, calendars)
    while not today or instant >= today[-1].end:
        day = calendars.days(timetable.market).next_day(day)
        today = phases(timetable, day, calendars)
    return day


def trading_day(timetable: Timetable, instant: datetime, calendars: Calendars) -> bool:
    """Say whether the date of `instant` in the market's zone is a trading day."""
    return calendars.days(timetable.market).is_trading_day(local_day(timetable, instant))


def regular_hours(timetable: Timetable, day: date, calendars: Calendars) -> tuple[datetime, datetime] | None:
    """Return (open, close) of the regular session of `day` in the market's zone; None when there is none.

    KRX: first continuous trade to the end of the closing auction. NXT: the main market. US-ATS: the night.
    """
    wanted = {SessionState.OVERNIGHT} if timetable is Timetable.US_ATS else _BETWEEN_OPEN_AND_CLOSE
    found = [phase for phase in phases(timetable, day, calendars) if phase.state in wanted]
    return (found[0].start, found[-1].end) if found else None


def next_open(timetable: Timetable, instant: datetime, calendars: Calendars) -> datetime:
    """Return the first regular open at or after `instant`, in the market's zone."""
    day = local_day(timetable, instant)
    while True:
        hours = regular_hours(timetable, day, calendars)
        if hours is not None and hours[0] >= instant:
            return hours[0]
        day = calendars.days(timetable.market).next_day(day)


def pre_close_price(instant: datetime, calendars: Calendars) -> bool:
    """Say whether KRX trades at the previous close now (장전 시간외종가, beside the opening auction)."""
    day = local_day(Timetable.KRX, instant)
    hours = calendars.krx.hours(day)
    if hours is None:
        return False
    shift = _gap(hours.open, time(9))
    start, end = (_at(day, edge, KST, shift) for edge in _regime(day).pre_close)
    return start <= instant < end


def local_day(timetable: Timetable, instant: datetime) -> date:
    """Return the date `instant` counts to in the market's zone; on nights that is the next date (20:00 ET on)."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    local = instant.astimezone(ZONES[timetable.market])
    night = timetable in {Timetable.US_ATS, Timetable.KIS_US} and local.hour >= 20
    return local.date() + timedelta(days=1) if night else local.date()


@lru_cache(maxsize=4096)
def _phases(timetable: Timetable, day: date, calendars: Calendars, extended: bool) -> tuple[Phase, ...]:
    if not calendars.days(timetable.market).is_trading_day(day):
        return ()
    match timetable:
        case Timetable.KRX:
            edges = _krx(day, calendars.krx)
        case Timetable.NXT:
            edges = _nxt(day, calendars.krx)
        case Timetable.US:
            edges = _us(day, calendars.us)
        case Timetable.US_ATS:
            edges = _us_ats(day, calendars.us)
        case Timetable.KIS_US:
            edges = _kis_us(day, calendars.us, extended)
    return tuple(Phase(state, start, end, day) for state, start, end in edges if start < end)


Edges = list[tuple[SessionState, datetime, datetime]]


def _krx(day: date, days: TradingDays) -> Edges:
    """The regular day may open or close late (first day of the year, CSAT); the evening then starts late, ends as ever."""
    regime, (late_open, late_close) = _regime(day), _shifts(day, days)
    auction = _at(day, regime.auction, KST, late_open)
    opening = _at(day, time(9), KST, late_open)
    closing, close, post, evening = (
        _at(day, edge, KST, late_close)
        for edge in (regime.close_auction, regime.close, regime.post_close, regime.evening)
    )
    return [
        (SessionState.OPEN_AUCTION, auction, opening),
        (SessionState.CONTINUOUS, opening, closing),
        (SessionState.CLOSE_AUCTION, closing, close),
        (SessionState.BREAK, close, post),
        (SessionState.POST_CLOSE_PRICE, post, evening),
        (regime.evening_state, evening, _at(day, regime.evening_end, KST)),
    ]


def _nxt(day: date, days: TradingDays) -> Edges:
    """NXT follows the KRX day and drops its pre-market when KRX opens late."""
    if day < _NXT_ON:
        return []
    late_open, late_close = _shifts(day, days)
    pre_end, main = _at(day, time(8, 50), KST, late_open), _at(day, time(9, 0, 30), KST, late_open)
    main_end, entry, after = (_at(day, edge, KST, late_close) for edge in (_T1520, _T1530, _T1540))
    pre = [] if late_open else [(SessionState.PRE, _at(day, _T0800, KST), pre_end)]
    return [
        *pre,
        (SessionState.BREAK, pre_end, main),
        (SessionState.MAIN, main, main_end),
        (SessionState.BREAK, main_end, entry),
        (SessionState.AFTER_ENTRY, entry, after),
        (SessionState.AFTER, after, _at(day, _T2000, KST)),
    ]


def _us(day: date, days: TradingDays) -> Edges:
    hours = days.hours(day)
    assert hours is not None  # asked for trading days only
    start, close = _at(day, hours.open, days.zone), _at(day, hours.close, days.zone)
    post_end = _at(day, hours.close, days.zone, timedelta(hours=4))  # 20:00, on half days 17:00
    return [
        (SessionState.PRE, _at(day, time(4), days.zone), start),
        (SessionState.REGULAR, start, close),
        (SessionState.POST, close, post_end),
    ]


def _us_ats(day: date, days: TradingDays) -> Edges:
    if day < _ATS_ON:
        return []
    evening = day - timedelta(days=1)
    return [(SessionState.OVERNIGHT, _at(evening, _T2000, days.zone), _at(day, time(4), days.zone))]


def _kis_us(day: date, days: TradingDays, extended: bool) -> Edges:
    """KIS customers: 주간 10:00–18:00 KST where the pre-market leaves room, then pre, regular, after to 07:00 KST."""
    (_, pre, start), (_, _, close), (_, _, post_end) = _us(day, days)
    if not (extended and day >= _KIS_EXTENSION_ON):
        post_end = min(post_end, _at(day + timedelta(days=1), time(7), KST))
    edges: Edges = [
        (SessionState.PRE, pre, start),
        (SessionState.REGULAR, start, close),
        (SessionState.AFTER, close, post_end),
    ]
    suspended_from, resumed = _DAY_MARKET_SUSPENDED
    if _ATS_ON <= day < suspended_from or day >= resumed:
        edges.insert(0, (SessionState.DAY, _at(day, time(10), KST), min(_at(day, _T1800, KST), pre)))
    return edges


def _regime(day: date) -> _KrxRegime:
    return next(regime for regime in _KRX if day >= regime.start)


def _shifts(day: date, days: TradingDays) -> tuple[timedelta, timedelta]:
    """How much later than normal KRX opens and closes on `day`."""
    hours = days.hours(day)
    assert hours is not None  # asked for trading days only
    return _gap(hours.open, time(9)), _gap(hours.close, _regime(day).close)


def _gap(later: time, earlier: time) -> timedelta:
    return datetime.combine(date.min, later) - datetime.combine(date.min, earlier)


def _at(day: date, clock: time, zone: ZoneInfo, shift: timedelta = timedelta(0)) -> datetime:
    return (datetime.combine(day, clock) + shift).replace(tzinfo=zone)
