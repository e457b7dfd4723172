"""Write shared/calendars/days.csv from exchange-calendars, corrected by the facts of markets.md §4 and §5.

Run by a person once a year, with exchange-calendars installed: python tools/make_calendars.py
"""

from datetime import date, timedelta
from pathlib import Path

import exchange_calendars

FIRST, LAST = date(2000, 1, 1), date(2030, 12, 31)
OUT = Path(__file__).resolve().parent.parent / "shared" / "calendars" / "days.csv"

# KRX closures that exchange-calendars 4.13.2 lacks: Constitution Day is a public holiday again from 2026, Labour Day
# has substitutes from 2026, election days.
KRX_ALSO_CLOSED = {
    date(2026, 6, 3),
    date(2026, 7, 17),
    date(2027, 5, 3),
    date(2027, 7, 19),
    date(2028, 4, 12),
    date(2028, 7, 17),
    date(2029, 7, 17),
    date(2030, 7, 17),
}
# CSAT days since 2013: the whole day shifts by an hour (2017-11-16 kept its late opening although the test moved).
KRX_CSAT = [
    *(date(2013, 11, 7), date(2014, 11, 13), date(2015, 11, 12), date(2016, 11, 17), date(2017, 11, 16)),
    *(date(2017, 11, 23), date(2018, 11, 15), date(2019, 11, 14), date(2020, 12, 3), date(2021, 11, 18)),
    *(date(2022, 11, 17), date(2023, 11, 16), date(2024, 11, 14), date(2025, 11, 13), date(2026, 11, 19)),
    date(2027, 11, 18),
]
KRX_LONG_DAY_ON = date(2016, 8, 1)


def closures(name: str) -> set[date]:
    """Weekdays without a session."""
    calendar = exchange_calendars.get_calendar(name, start=FIRST, end=LAST)
    sessions = {stamp.date() for stamp in calendar.sessions}
    span = (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    return {day for day in span if day.weekday() < 5} - sessions


def odd_hours(name: str, usual_open: set[str], usual_close: set[str]) -> dict[date, str]:
    """Sessions whose hours are not the usual ones, as HH:MM-HH:MM local time."""
    calendar = exchange_calendars.get_calendar(name, start=FIRST, end=LAST)
    found = {}
    for stamp, row in calendar.schedule.iterrows():
        start, end = (row[edge].tz_convert(calendar.tz).strftime("%H:%M") for edge in ("open", "close"))
        if start not in usual_open or end not in usual_close:
            found[stamp.date()] = f"{start}-{end}"
    return found


def krx_hours() -> dict[date, str]:
    """CSAT days. The first trading day of a year is a rule in trading_days.py, not a row."""
    library = odd_hours("XKRX", {"09:00", "10:00"}, {"15:00", "15:30"})
    known = {day: "10:00-16:30" if day >= KRX_LONG_DAY_ON else "10:00-16:00" for day in KRX_CSAT}
    return {day: hours for day, hours in library.items() if day.year < 2013} | known


def nothing_settles(closed: set[date]) -> set[date]:
    """Columbus Day and Veterans Day: US exchanges trade, banks do not."""
    days = set()
    for year in range(FIRST.year, LAST.year + 1):
        october = date(year, 10, 1)
        days.add(october + timedelta(days=(7 - october.weekday()) % 7 + 7))
        veterans = date(year, 11, 11)
        days.add(veterans + timedelta(days=1) if veterans.weekday() == 6 else veterans)
    return {day for day in days if day.weekday() < 5} - closed


def main() -> None:
    us_closed = closures("XNYS")
    if us_closed != closures("XNAS"):
        raise SystemExit("NYSE and Nasdaq disagree; the US needs two calendars")
    rows = [("KRX", day, "closed", "") for day in closures("XKRX") | KRX_ALSO_CLOSED]
    rows += [("KRX", day, "hours", hours) for day, hours in krx_hours().items()]
    rows += [("US", day, "closed", "") for day in us_closed]
    rows += [("US", day, "hours", hours) for day, hours in odd_hours("XNYS", {"09:30"}, {"16:00"}).items()]
    rows += [("US", day, "no_settlement", "") for day in nothing_settles(us_closed)]
    lines = [f"{name},{day},{kind},{value}" for name, day, kind, value in sorted(rows)]
    lines[:0] = ["name,date,kind,value", f"KRX,{FIRST},first,", f"KRX,{LAST},last,"]
    lines += [f"US,{FIRST},first,", f"US,{LAST},last,"]
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
