"""The markets' own clocks: open or closed, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from shared.calendars import load
from shared.domain.account import Market
from shared.domain.sessions import Timetable, local_day, next_open, regular_hours
from shared.domain.trading_days import ZONES


@dataclass(frozen=True, slots=True)
class MarketHour:
    """One market now; times are in its own zone."""

    market: Market
    local: datetime
    is_open: bool
    until: datetime  # the close when open, else the next regular open


def today(at: datetime, market: Market = Market.KRX) -> date:
    """The market's own date. Korea's day begins first: no other market's date is later."""
    return at.astimezone(ZONES[market]).date()


def market_hours(at: datetime) -> tuple[MarketHour, ...]:
    """Where each market stands at `at`, by its regular session."""
    return tuple(_hour(market, Timetable(market.value), at) for market in (Market.KRX, Market.US))


def _hour(market: Market, timetable: Timetable, at: datetime) -> MarketHour:
    calendars = load()
    hours = regular_hours(timetable, local_day(timetable, at), calendars)
    if hours is not None and hours[0] <= at < hours[1]:
        return MarketHour(market, at.astimezone(hours[1].tzinfo), True, hours[1])
    opens = next_open(timetable, at, calendars)
    return MarketHour(market, at.astimezone(opens.tzinfo), False, opens)
