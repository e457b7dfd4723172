"""When this account's market takes orders, and which trade date an instant belongs to. Market time throughout."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from bots.risk.sessions import order_refusal
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, TimeInForce
from shared.domain.sessions import Calendars, SessionState, Timetable, phase_at, regular_hours, trade_date
from shared.domain.trading_days import ZONES, OutsideCalendar
from shared.domain.turns import Session, every_day, sessions_of

# What is traded in by default: continuous trading and the closing auction. The rest is the account's setting.
_OPEN = {
    Market.KRX: frozenset({SessionState.CONTINUOUS, SessionState.CLOSE_AUCTION}),
    Market.US: frozenset({SessionState.REGULAR}),
}
_IN_WORDS = {
    SessionState.CLOSED: "장 마감", SessionState.OPEN_AUCTION: "시가 동시호가", SessionState.CONTINUOUS: "정규장",
    SessionState.CLOSE_AUCTION: "종가 동시호가", SessionState.BREAK: "장 사이", SessionState.POST_CLOSE_PRICE: "시간외종가",
    SessionState.AFTER_SINGLE: "시간외단일가", SessionState.AFTER_MARKET: "애프터마켓", SessionState.PRE: "프리마켓",
    SessionState.MAIN: "메인마켓", SessionState.AFTER_ENTRY: "애프터마켓 접수", SessionState.AFTER: "애프터마켓",
    SessionState.REGULAR: "정규장", SessionState.POST: "장 마감 뒤", SessionState.OVERNIGHT: "야간", SessionState.DAY: "주간거래",
}  # fmt: skip
_DAY_MARKET = frozenset({SessionState.DAY})
_NXT_OPEN = frozenset({SessionState.MAIN})
_TABLES = {Venue.NXT: (Timetable.NXT,), Venue.SOR: (Timetable.KRX, Timetable.NXT)}
EXTENDED = {
    "PRE": frozenset({SessionState.PRE}),
    "AFTER": frozenset({SessionState.AFTER, SessionState.POST}),
}


class TradingHours:
    """`always` is the local exchange's word that every session is open (SIM only)."""

    def __init__(self, key: AccountKey, calendars: Calendars) -> None:
        self._market, self._calendars = key.market, calendars
        self._sim = key.environment is Environment.SIM
        if key.market is Market.KRX:
            self._timetable = Timetable.KRX
            self._tables: tuple[Timetable, ...] = (Timetable.KRX, Timetable.NXT)
        else:
            self._timetable = Timetable.KIS_US if key.broker is BrokerName.KIS else Timetable.US
            self._tables = (self._timetable,)
        self._by_calendar, self._every_day = sessions_of(key.market, calendars), every_day(key.market)
        self.always = False
        self._extra: frozenset[SessionState] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        return ZONES[self._market]

    def extend(self, words: frozenset[str]) -> None:
        """Trade in these sessions too (`EXTENDED`); a word that is none is ignored."""
        self._extra = frozenset(state for word in words for state in EXTENDED.get(word, ()))

    def closed_reason(self, now: datetime, session: OrderSession = OrderSession.REGULAR) -> str | None:
        """Why the market takes no orders at `now`; None when it does. A day the calendar does not know is closed.

        When reservations are taken is the broker's word: it refuses the others by code.
        """
        if (self._sim and self.always) or session is OrderSession.RESERVED:
            return None
        return self._session(self._timetable, now, session)[1]

    def refusal(
        self,
        now: datetime,
        venue: Venue,
        order_type: OrderType,
        time_in_force: TimeInForce,
        session: OrderSession = OrderSession.REGULAR,
    ) -> str | None:
        """Why `venue` takes no such order at `now`: its session is closed, or does not know this kind of order."""
        if session is not OrderSession.REGULAR or (self._sim and self.always):
            return self.closed_reason(now, session)
        why = None
        for timetable in _TABLES.get(venue, (self._timetable,)):
            state, why = self._session(timetable, now, session)
            if state is not None:
                why = order_refusal(state, timetable, order_type, time_in_force)
            if why is None:
                return None
        return why

    def _session(
        self, timetable: Timetable, now: datetime, session: OrderSession
    ) -> tuple[SessionState | None, str | None]:
        """The session we trade in that is open at `now`, or why none is."""
        try:
            phase = phase_at(timetable, now, self._calendars)
        except OutsideCalendar as e:
            return None, f"달력에 없는 날: {e.why}"
        state = SessionState.CLOSED if phase is None else phase.state
        if session is OrderSession.DAY_MARKET:
            takes = _DAY_MARKET
        else:
            takes = (_NXT_OPEN if timetable is Timetable.NXT else _OPEN[self._market]) | self._extra
        return (state, None) if state in takes else (None, f"장 상태 {state} ({_IN_WORDS[state]})")

    def trades_on(self, day: date) -> bool | None:
        """Whether the calendar has `day` as a trading day; None where sessions never end. An unknown day is none."""
        if self._sim and self.always:
            return None
        try:
            return self._calendars.days(self._market).is_trading_day(day)
        except OutsideCalendar:
            return False

    def session_on(self, day: date) -> Session | None:
        """Regular open and close of the market's own `day`; where sessions never end, the usual hours of every day."""
        return self._every_day(day) if self._sim and self.always else self._by_calendar(day)

    def trade_date(self, now: datetime) -> date:
        """The exchange-local trade date of an order sent at `now`.

        KRX ends its day at 18:00 and NXT at 20:00: what is sent in between is of this day wherever it goes, and what
        rests there is alive.
        """
        if self._sim and self.always:
            return now.astimezone(self.zone).date()
        try:
            return min(trade_date(table, now, self._calendars) for table in self._tables)
        except OutsideCalendar:
            return now.astimezone(self.zone).date()

    def minutes_to_close(self, now: datetime) -> float | None:
        """Minutes to the end of the regular session; None outside it and where sessions never end."""
        if self._sim and self.always:
            return None
        try:
            hours = regular_hours(self._timetable, now.astimezone(self.zone).date(), self._calendars)
        except OutsideCalendar:
            return None
        if hours is None or not hours[0] <= now < hours[1]:
            return None
        return (hours[1] - now).total_seconds() / 60
