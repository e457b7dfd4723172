"""Turns: when something that happens in market time is due. Relative to a day's own open or close, or by the clock.

A late opening (수능일, the year's first day), a half day and daylight saving move the turns with the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.domain.account import Market
from shared.domain.sessions import Calendars, Timetable, regular_hours
from shared.domain.trading_days import ZONES, OutsideCalendar

Session = tuple[datetime, datetime]  # regular open and close of a day
SessionOn = Callable[[date], Session | None]  # None: no session on that day

USUAL = {Market.KRX: (time(9), time(15, 30)), Market.US: (time(9, 30), time(16))}
LOOK_AROUND_DAYS = 15  # longer than any closure the exchanges had


class Anchor(StrEnum):
    CLOCK = "clock"
    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class When:
    """`minutes` from the anchor; `at` is the anchor CLOCK's time in the market's zone. OPEN and CLOSE imply a session."""

    market: Market
    anchor: Anchor
    minutes: int = 0
    at: time = time(0)
    trading_days: bool = True  # CLOCK only: not on days without a session

    @property
    def zone(self) -> ZoneInfo:
        return ZONES[self.market]

    def on(self, day: date, session_on: SessionOn) -> datetime | None:
        """The turn of the market's own date `day`, in UTC; None when it has none."""
        session = session_on(day) if self.anchor is not Anchor.CLOCK or self.trading_days else None
        if self.anchor is Anchor.CLOCK:
            if self.trading_days and session is None:
                return None
            base = datetime.combine(day, self.at, self.zone)
        elif session is None:
            return None
        else:
            base = session[0] if self.anchor is Anchor.OPEN else session[1]
        return base.astimezone(UTC) + timedelta(minutes=self.minutes)


def at_clock(market: Market, at: time, *, trading_days: bool = True) -> When:
    return When(market, Anchor.CLOCK, at=at, trading_days=trading_days)


def from_open(market: Market, minutes: int) -> When:
    return When(market, Anchor.OPEN, minutes)


def from_close(market: Market, minutes: int) -> When:
    return When(market, Anchor.CLOSE, minutes)


def last_turn(when: When, now: datetime, session_on: SessionOn) -> datetime | None:
    """The latest turn at or before `now`; None when the last two weeks had none."""
    day = now.astimezone(when.zone).date() + timedelta(days=1)  # a turn before the open may fall on the day before
    for ago in range(LOOK_AROUND_DAYS):
        turn = when.on(day - timedelta(days=ago), session_on)
        if turn is not None and turn <= now:
            return turn
    return None


def next_turn(when: When, now: datetime, session_on: SessionOn) -> datetime | None:
    """The first turn after `now`; None when the next two weeks have none, or the calendar ends."""
    day = now.astimezone(when.zone).date() - timedelta(days=1)
    for ahead in range(LOOK_AROUND_DAYS):
        turn = when.on(day + timedelta(days=ahead), session_on)
        if turn is not None and turn > now:
            return turn
    return None


def sessions_of(market: Market, calendars: Calendars) -> SessionOn:
    """Regular sessions by the calendar; a day it does not know has none."""
    timetable = Timetable.KRX if market is Market.KRX else Timetable.US

    def session_on(day: date) -> Session | None:
        try:
            return regular_hours(timetable, day, calendars)
        except OutsideCalendar:
            return None

    return session_on


def every_day(market: Market) -> SessionOn:
    """The usual hours on every day: for an exchange whose sessions never end."""
    zone, (opens, closes) = ZONES[market], USUAL[market]
    return lambda day: (datetime.combine(day, opens, zone), datetime.combine(day, closes, zone))
