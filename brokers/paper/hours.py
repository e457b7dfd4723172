"""Hours: when the strict profile takes orders, by the markets' own timetables."""

from __future__ import annotations

from datetime import datetime

from shared.calendars import load
from shared.domain.account import Market
from shared.domain.sessions import SessionState, Timetable, session_at

# What continuous matching can stand for: auctions and off-hours prices are not played.
_OPEN = {
    Market.KRX: (
        Timetable.KRX,
        {SessionState.OPEN_AUCTION, SessionState.CONTINUOUS, SessionState.CLOSE_AUCTION, SessionState.AFTER_MARKET},
    ),
    Market.US: (Timetable.US, {SessionState.PRE, SessionState.REGULAR, SessionState.POST}),
}


def market_open(market: Market, at: datetime) -> bool:
    """Say whether `market` takes orders at `at` (aware)."""
    timetable, states = _OPEN[market]
    return session_at(timetable, at, load()) in states
