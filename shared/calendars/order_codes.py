"""Which broker order code a venue takes at an instant (markets.md §7), from the rows of order_codes.csv.

The codes stand here as data, not as words of the domain: whoever asks names broker, venue and code. A code or time
that no row allows is refused. `cutoff` is minutes before the US open or close: the exchange's own (09:28, 15:50 ET)
less ten for the broker.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from shared.calendars import HERE
from shared.domain.account import BrokerName
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side
from shared.domain.sessions import Calendars, Timetable, local_day, pre_close_price, regular_hours, session_at

PRE_CLOSE_PRICE = "PRE_CLOSE_PRICE"  # runs beside the opening auction, hence no session state of its own


@dataclass(frozen=True, slots=True)
class _Row:
    broker: str
    venue: str
    code: str
    conditions: tuple[str, ...]
    side: str
    types: tuple[str, ...]
    states: frozenset[str]
    cutoff: str  # "open-12" | "close-20" | ""
    start: date
    end: date


def order_accepted(
    broker: BrokerName,
    venue: str,
    code: str,
    instant: datetime,
    calendars: Calendars,
    *,
    side: Side | None = None,
    condition: str = "0",
    instrument_type: InstrumentType = InstrumentType.STOCK,
    extended: bool = False,
) -> bool:
    """Say whether `broker` takes `code` for `venue` (KRX, NXT, SOR, US) at `instant`.

    `side` None asks whether either side is taken. `condition` is 0 none, 1 IOC, 2 FOK where the broker has it apart.
    """
    on = local_day(Timetable.US if venue == "US" else Timetable.KRX, instant)
    now = _states(broker, venue, instant, calendars, extended)
    return any(
        (not row.conditions or condition in row.conditions)
        and (not row.side or side is None or row.side == side.lower())
        and (not row.types or instrument_type.value in row.types)
        and row.start <= on <= row.end
        and bool(row.states & now)
        and _before_cutoff(row.cutoff, on, instant, calendars)
        for row in _table().get((broker.value, venue, code), ())
    )


def _states(broker: BrokerName, venue: str, instant: datetime, calendars: Calendars, extended: bool) -> set[str]:
    timetables = {
        "KRX": (Timetable.KRX,),
        "NXT": (Timetable.NXT,),
        "SOR": (Timetable.KRX, Timetable.NXT),
        "US": (Timetable.KIS_US if broker is BrokerName.KIS else Timetable.US,),
    }[venue]
    states = {session_at(one, instant, calendars, extended=extended).value for one in timetables}
    return states | {PRE_CLOSE_PRICE} if venue == "KRX" and pre_close_price(instant, calendars) else states


def _before_cutoff(cutoff: str, on: date, instant: datetime, calendars: Calendars) -> bool:
    if not cutoff:
        return True
    edge, minutes = cutoff.split("-")
    hours = regular_hours(Timetable.US, on, calendars)
    return hours is not None and instant < hours[edge == "close"] - timedelta(minutes=int(minutes))


@cache
def _table() -> dict[tuple[str, str, str], list[_Row]]:
    table: dict[tuple[str, str, str], list[_Row]] = {}
    with (HERE / "order_codes.csv").open(encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            row = _Row(
                cells["broker"],
                cells["venue"],
                cells["code"],
                tuple(cells["condition"].split()),
                cells["side"],
                tuple(cells["types"].split()),
                frozenset(cells["states"].split()),
                cells["cutoff"],
                date.fromisoformat(cells["from"]) if cells["from"] else date.min,
                date.fromisoformat(cells["to"]) if cells["to"] else date.max,
            )
            table.setdefault((row.broker, row.venue, row.code), []).append(row)
    return table
