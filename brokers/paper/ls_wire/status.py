"""JIF: the markets' openings and closings as market time passes them (ls.md §5.4). Told once, never on registration."""

from __future__ import annotations

from datetime import datetime, time

from brokers.paper.hours import market_open
from brokers.paper.ls_wire.formats import KST
from shared.calendars import load
from shared.domain.account import Market
from shared.domain.sessions import SessionState, Timetable, session_at

Body = dict[str, str]
KOSPI, KOSDAQ, NXT, US = "1", "2", "6", "9"
OPENED, CLOSED = "21", "41"

# KST time of a regular day -> jstatus of KOSPI and KOSDAQ.
_KRX = (
    (time(8, 30), "11"),
    (time(8, 50), "25"),
    (time(8, 55), "24"),
    (time(8, 59), "23"),
    (time(8, 59, 50), "22"),
    (time(9, 0), OPENED),
    (time(15, 20), "31"),
    (time(15, 25), "44"),
    (time(15, 29), "43"),
    (time(15, 29, 50), "42"),
    (time(15, 30), CLOSED),
    (time(15, 40), "51"),
    (time(16, 0), "52"),
    (time(18, 0), "54"),
)
_NXT = (
    (time(7, 50), "A5"),
    (time(7, 55), "A4"),
    (time(7, 59), "A3"),
    (time(7, 59, 50), "A2"),
    (time(8, 0), "55"),
    (time(8, 45), "C4"),
    (time(8, 49), "C3"),
    (time(8, 49, 50), "C2"),
    (time(8, 50), "57"),
    (time(15, 30), "B5"),
    (time(15, 35), "B4"),
    (time(15, 39), "B3"),
    (time(15, 39, 50), "B2"),
    (time(15, 40), "56"),
    (time(19, 55), "D4"),
    (time(19, 59), "D3"),
    (time(19, 59, 50), "D2"),
    (time(20, 0), "58"),
)


def status_changes(before: datetime, now: datetime) -> list[Body]:
    """Return the JIF bodies of the changes in (before, now]; a jump over midnight tells only the last day's.

    A day on which a market does not trade has none of it.
    """
    return _korea(before.astimezone(KST), now.astimezone(KST)) + _america(before, now)


def _korea(start: datetime, end: datetime) -> list[Body]:
    day = end.date()
    if not market_open(Market.KRX, datetime.combine(day, time(11), KST)):
        return []
    changes = [
        (at, boards, status) for table, boards in ((_KRX, (KOSPI, KOSDAQ)), (_NXT, (NXT,))) for at, status in table
    ]
    return [
        {"jangubun": board, "jstatus": status}
        for at, boards, status in sorted(changes)
        if start < datetime.combine(day, at, KST) <= end
        for board in boards
    ]


def _america(before: datetime, now: datetime) -> list[Body]:
    was, is_now = (session_at(Timetable.US, at, load()) is SessionState.REGULAR for at in (before, now))
    if was is is_now:
        return []
    return [{"jangubun": US, "jstatus": OPENED if is_now else CLOSED}]
