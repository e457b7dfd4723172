"""Trading days of one market: which dates trade, with which hours, and when a trade settles (markets.md §4, §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.account import Market
from shared.domain.errors import TradingError

ZONES = {Market.KRX: ZoneInfo("Asia/Seoul"), Market.US: ZoneInfo("America/New_York")}

_DAY = timedelta(days=1)
_KRX_LONG_DAY_ON = date(2016, 8, 1)  # close 15:00 → 15:30


class OutsideCalendar(TradingError):
    """The date lies outside the years the calendar knows; no guess is made."""

    code = "outside_calendar"


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening and closing time of the regular session, in the market's zone."""

    open: time
    close: time


@dataclass(frozen=True, slots=True, eq=False)
class TradingDays:
    """The calendar of one market from `first` to `last`, both included. Dates are the market's own."""

    market: Market
    first: date
    last: date
    closed: frozenset[date]  # weekdays without trading
    opened: frozenset[date] = frozenset()  # weekend days with trading
    special_hours: Mapping[date, Hours] = field(default_factory=dict)
    no_settlement: frozenset[date] = frozenset()  # trading days on which nothing settles

    @property
    def zone(self) -> ZoneInfo:
        return ZONES[self.market]

    def is_trading_day(self, day: date) -> bool:
        """Say whether the market trades on `day`; raises OutsideCalendar beyond the known years."""
        if not self.first <= day <= self.last:
            raise OutsideCalendar(
                f"the {self.market} calendar does not know {day}",
                f"it covers {self.first} to {self.last}",
                "use dates inside it, or update LetsTrade",
            )
        return day in self.opened or (day.weekday() < 5 and day not in self.closed)

    def next_day(self, day: date) -> date:
        """Return the first trading day after `day`."""
        day += _DAY
        while not self.is_trading_day(day):
            day += _DAY
        return day

    def previous_day(self, day: date) -> date:
        """Return the last trading day before `day`."""
        day -= _DAY
        while not self.is_trading_day(day):
            day -= _DAY
        return day

    def hours(self, day: date) -> Hours | None:
        """Return the regular hours of `day` in local time; None when the market is closed."""
        if not self.is_trading_day(day):
            return None
        if (special := self.special_hours.get(day)) is not None:
            return special
        if self.market is Market.US:
            return Hours(time(9, 30), time(16))
        close = time(15, 30) if day >= _KRX_LONG_DAY_ON else time(15)
        return Hours(time(10) if self._opens_the_year(day) else time(9), close)

    def settle_date(self, trade_date: date) -> date:
        """Return the day a trade of `trade_date` settles: KRX T+2; US T+3, T+2 (2017-09-05), T+1 (2024-05-28)."""
        day = trade_date
        for _ in range(self._settlement_days(trade_date)):
            day = self.next_day(day)
            while day in self.no_settlement:
                day = self.next_day(day)
        return day

    def _settlement_days(self, trade_date: date) -> int:
        if self.market is Market.KRX or date(2017, 9, 5) <= trade_date < date(2024, 5, 28):
            return 2
        return 3 if trade_date < date(2017, 9, 5) else 1

    def _opens_the_year(self, day: date) -> bool:
        """The first trading day of a year opens an hour late in Korea; its close does not move."""
        new_year = day.replace(month=1, day=1)
        earlier = (new_year + timedelta(days=n) for n in range((day - new_year).days))
        return day.month == 1 and not any(self.is_trading_day(one) for one in earlier)
