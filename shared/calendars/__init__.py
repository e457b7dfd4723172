"""Dated facts of the markets, read from the rows beside this file and from the user's own.

`days.csv` (made by tools/make_calendars.py) and `rates.csv` ship with the product. A user's file of the same form,
LETSTRADE_HOME/calendar_overrides.csv, is read after them: `name,date,kind,value` (further columns are remarks), with

    KRX,2027-03-03,closed,              an extra holiday
    KRX,2027-07-19,open,                trading after all
    KRX,2028-11-16,hours,10:00-16:30    special hours
    US,2027-10-11,no_settlement,        trading without settlement
    us_sec_fee_per_million,2027-05-01,rate,21.00
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.fees import Rate, Rates
from shared.domain.sessions import Calendars
from shared.domain.trading_days import Hours, TradingDays

HERE = Path(__file__).resolve().parent
HEADER = ["name", "date", "kind", "value"]
OVERRIDES_NAME = "calendar_overrides.csv"


@dataclass(slots=True)
class _Days:
    """Rows of one market while they are read."""

    edges: dict[str, date] = field(default_factory=dict)
    closed: set[date] = field(default_factory=set)
    opened: set[date] = field(default_factory=set)
    hours: dict[date, Hours] = field(default_factory=dict)
    no_settlement: set[date] = field(default_factory=set)

    def add(self, day: date, kind: str, value: str) -> None:
        match kind:
            case "first" | "last":
                self.edges[kind] = day
            case "closed":
                self.closed.add(day)
                self.opened.discard(day)
            case "open":
                self.closed.discard(day)
                self.opened.add(day)
            case "hours":
                start, end = (time.fromisoformat(edge) for edge in value.split("-"))
                if start >= end:
                    raise ValueError("the hours end before they begin")
                self.hours[day] = Hours(start, end)
            case "no_settlement":
                self.no_settlement.add(day)
            case _:
                raise ValueError(f"{kind!r} is not one of closed, open, hours, no_settlement")

    def build(self, market: Market) -> TradingDays:
        return TradingDays(
            market,
            self.edges["first"],
            self.edges["last"],
            frozenset(self.closed),
            frozenset(self.opened),
            self.hours,
            frozenset(self.no_settlement),
        )


def load(overrides: Path | None = None) -> Calendars:
    """Return the shipped calendars and rates, corrected by the rows of `overrides` when that file exists.

    Read once per file version.

    Raises:
        ConfigError: a row that cannot be used, by file and line.
    """
    if overrides is None or not overrides.exists():
        return _load(None, 0)
    return _load(overrides, overrides.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _load(overrides: Path | None, _version: int) -> Calendars:
    days: dict[str, _Days] = {market.value: _Days() for market in Market}
    rates: dict[str, dict[date, Decimal]] = defaultdict(dict)  # name -> start -> value
    shipped = [HERE / "days.csv", HERE / "rates.csv"]
    for path in shipped if overrides is None else [*shipped, overrides]:
        for line, row in _rows(path):
            try:
                _take(row, days, rates, may_name_rates=path in shipped)
            except (ValueError, InvalidOperation) as e:
                raise ConfigError(
                    f"{path.name} line {line} cannot be used", str(e), "mend or remove the line, then start again"
                ) from e
    return Calendars(
        krx=days["KRX"].build(Market.KRX),
        us=days["US"].build(Market.US),
        rates=Rates({name: tuple(Rate(on, by[on]) for on in sorted(by, reverse=True)) for name, by in rates.items()}),
    )


def _take(
    row: list[str], days: dict[str, _Days], rates: dict[str, dict[date, Decimal]], *, may_name_rates: bool
) -> None:
    if len(row) < len(HEADER):
        raise ValueError(f"expected {','.join(HEADER)}")
    name, day, kind, value = (cell.strip() for cell in row[: len(HEADER)])
    on = date.fromisoformat(day)
    if name in days:
        days[name].add(on, kind, value)
    elif kind != "rate" or not (may_name_rates or name in rates):
        raise ValueError(f"{name!r} is neither a market ({', '.join(days)}) nor a known rate")
    else:
        rate = Decimal(value)
        if not rate.is_finite() or rate < 0:
            raise ValueError(f"{value!r} is not a rate")
        rates[name][on] = rate


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) below the header; blank lines are skipped."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if [cell.strip() for cell in header[: len(HEADER)]] != HEADER:
            raise ConfigError(
                f"{path.name} line 1 is not the header", ",".join(header), f"begin with {','.join(HEADER)}"
            )
        yield from ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
