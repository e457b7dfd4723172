"""CSV or Parquet of bars → arrays: what cannot be used is refused by line and column, what is odd is listed as a warning.

Header `date|ts_utc|timestamp, open, high, low, close, volume`, further columns ignored (design.md §9). `date` is an
exchange-local trading date, `ts_utc` an instant in UTC, `timestamp` an ISO time (exchange-local without an offset) or epoch
seconds.

Dividends (`dividend` or `ex_dividend`, cash per share) and splits (`split` or `split_ratio`, new shares per old one) are
further columns: used when asked for, else warned of. Splits adjust every earlier bar, so that one series has one meaning.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from bots.rules.series import Bars, FloatArray, IntArray
from shared import calendars
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.trading_days import ZONES, TradingDays

TIME_COLUMNS = ("date", "ts_utc", "timestamp")
PRICE_COLUMNS = ("open", "high", "low", "close")
DIVIDEND_COLUMNS = ("dividend", "ex_dividend", "dividends")
SPLIT_COLUMNS = ("split", "split_ratio", "stock splits")
_HOUR_S = 3_600
_STEPS_SEEN = 10_000  # bars whose distances say how long a bar is
_EXAMPLES = 5  # lines named per warning


@dataclass(frozen=True, slots=True)
class DataWarning:
    """Something odd that was used as it stands (or left out, for halted days); `lines` names the first few."""

    code: str
    text: str
    count: int
    lines: tuple[int, ...] = ()
    at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PriceData:
    """Bars of one symbol with their times as written (exchange-local) and what was odd about them."""

    bars: Bars
    daily: bool
    zone: ZoneInfo
    warnings: tuple[DataWarning, ...] = ()
    dividends: tuple[tuple[int, float], ...] = ()  # (bar of the ex-date, gross cash per share)

    def label(self, index: int) -> str:
        """Return the bar's exchange-local ISO date (daily bars) or time with offset."""
        instant = datetime.fromtimestamp(int(self.bars.starts[index]), self.zone)
        return instant.date().isoformat() if self.daily else instant.isoformat()

    def trade_date(self, index: int) -> date:
        return datetime.fromtimestamp(int(self.bars.starts[index]), self.zone).date()

    def local_days(self) -> IntArray:
        """Return each bar's exchange-local date as days since 1970."""
        hours, place = np.unique(self.bars.starts // _HOUR_S, return_inverse=True)  # offsets change on full hours only
        offsets = [datetime.fromtimestamp(int(hour) * _HOUR_S, self.zone).utcoffset() for hour in hours]
        seconds = np.array([0 if one is None else int(one.total_seconds()) for one in offsets], np.int64)
        days: IntArray = (self.bars.starts + seconds[place]) // 86_400
        return days

    def seconds_per_bar(self) -> int:
        """Return the commonest distance between bars: a day for daily bars, 60 for minutes."""
        if self.daily:
            return 86_400
        steps = np.diff(self.bars.starts[:_STEPS_SEEN])
        return int(np.bincount(np.minimum(steps, 86_400)).argmax()) if len(steps) else 60


def read_bars(path: Path, market: Market, *, actions: bool = False) -> PriceData:
    """Return the bars of a CSV or Parquet file; `actions` uses its dividend and split columns.

    Raises:
        ConfigError: no such file, no such column, or a cell that cannot be used, named by line and column.
    """
    try:
        if path.suffix == ".parquet":
            return _parsed(_parquet_rows(path), market, path.name, actions)
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as e:
        raise _refused(
            f"{path.name}", "그런 파일이 없습니다 · there is no such file", "경로를 확인하십시오 · check the path"
        ) from e
    except (UnicodeDecodeError, OSError) as e:
        raise _refused(f"{path.name}", f"{e}", "UTF-8 글로 저장하십시오 · save the file as UTF-8 text") from e
    return parse_bars(text, market, path.name, actions=actions)


def parse_bars(text: str, market: Market, name: str = "CSV", *, actions: bool = False) -> PriceData:
    """Return the bars of CSV text; see read_bars."""
    return _parsed(list(csv.reader(io.StringIO(text))), market, name, actions)


def _parquet_rows(path: Path) -> list[list[str]]:
    """Return a Parquet file as rows of text, so that its cells are judged as a CSV's (line 2 is the first row)."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except pyarrow.ArrowException as e:
        raise _refused(
            path.name, f"Parquet가 아닙니다 · not a Parquet file: {e}", "파일을 확인하십시오 · check the file"
        ) from e
    columns = [[_written(cell) for cell in column.to_pylist()] for column in table.columns]
    return [list(table.column_names), *(list(row) for row in zip(*columns, strict=True))]


def _written(cell: object) -> str:
    return "" if cell is None else cell.isoformat() if isinstance(cell, (date, datetime)) else str(cell)


def _parsed(rows: list[list[str]], market: Market, name: str, actions: bool) -> PriceData:
    if len(rows) < 2:
        raise _refused(
            name,
            "봉이 없습니다 · there are no bars",
            "머리줄과 봉 한 줄 이상이 있어야 합니다 · give a header and at least one row",
        )
    sheet = _Sheet(name, [cell.strip().lower() for cell in rows[0]], rows[1:], ZONES[market])
    lines = sheet.used_lines()
    starts = sheet.times(lines)
    _check_order(sheet, lines, starts)
    columns = {column: sheet.numbers(lines, column) for column in (*PRICE_COLUMNS, "volume")}
    halted = _halted(columns)
    _check_positive(sheet, lines, columns, halted)
    kept = ~halted
    if not kept.any():
        raise _refused(
            name, "거래된 봉이 없습니다 · no bar with a trade", "가격이 있는 봉을 주십시오 · give bars with prices"
        )
    opened, high, low, close, volume = (columns[column][kept] for column in (*PRICE_COLUMNS, "volume"))
    paid, ratio = sheet.actions(lines, kept)
    bars = Bars(starts[kept], opened, high, low, close, volume)
    data = PriceData(bars, sheet.daily, sheet.zone)
    if actions:
        data = _acted(data, paid, ratio)
    numbers = np.asarray(lines)
    odd = [_halted_days(numbers[halted], data, starts[halted]), *_odd_bars(data, numbers[kept])]
    gaps = _missing_days(data, market) if sheet.daily else _missing_bars(data)
    acts = _corporate(data, numbers[kept], (paid > 0) | (ratio != 1), actions)
    found = tuple(one for one in (*odd, gaps, acts) if one is not None)
    return replace(data, warnings=found)


class _Sheet:
    """The cells of the file, by line number (the header is line 1) and column."""

    def __init__(self, name: str, header: list[str], rows: list[list[str]], zone: ZoneInfo) -> None:
        self.name, self.rows, self.zone = name, rows, zone
        self.where = {column: index for index, column in reversed(list(enumerate(header)))}
        self.time_column = next((one for one in TIME_COLUMNS if one in self.where), "")
        missing = [one for one in (*PRICE_COLUMNS, "volume") if one not in self.where]
        if not self.time_column:
            missing.insert(0, "date")
        if missing:
            written = ", ".join(missing)
            wanted = "date|ts_utc|timestamp, open, high, low, close, volume"
            raise _refused(
                f"{name} line 1",
                f"열이 없습니다 · missing column: {written}",
                f"머리줄에 있어야 하는 열 · the header must hold {wanted}",
            )
        self.daily = self.time_column == "date"

    def used_lines(self) -> list[int]:
        """Return the line numbers of rows that hold something; a row too short is refused."""
        last = max(self.where[one] for one in (self.time_column, *PRICE_COLUMNS, "volume"))
        used = []
        for line, row in enumerate(self.rows, start=2):
            if not row or row == [""]:
                continue
            if len(row) <= last:
                raise self.refused(
                    line,
                    "volume",
                    "칸이 모자랍니다 · too few cells",
                    "줄을 채우거나 지우십시오 · complete or remove the line",
                )
            used.append(line)
        if not used:
            raise _refused(
                self.name, "봉이 없습니다 · there are no bars", "봉이 한 줄 이상 있어야 합니다 · give at least one row"
            )
        return used

    def cells(self, lines: Sequence[int], column: str, missing: str | None = None) -> list[str]:
        at = self.where[column]
        rows = self.rows
        if missing is None:
            return [rows[line - 2][at] for line in lines]
        return [rows[line - 2][at] if at < len(rows[line - 2]) else missing for line in lines]

    def numbers(self, lines: Sequence[int], column: str) -> FloatArray:
        """Return a column as floats; the first cell that is no finite number is refused by line and column."""
        cells = self.cells(lines, column)
        try:
            found = np.array(list(map(float, cells)), dtype=np.float64)
            if np.isfinite(found).all() and "_" not in "".join(cells):
                return found
        except ValueError:
            pass  # named below, cell by cell
        for line, cell in zip(lines, cells, strict=True):
            if not _is_number(cell):
                raise self.refused(
                    line, column, f"수가 아닙니다 · not a number: {cell!r}", "수를 쓰십시오 · write a number"
                )
        raise AssertionError("a column that does not convert holds a cell that does not")

    def actions(self, lines: Sequence[int], kept: _Flags) -> tuple[FloatArray, FloatArray]:
        """Return (dividend, split ratio) of each kept bar; 0 and 1 where the file has none."""
        paid, ratio = np.zeros(len(lines)), np.ones(len(lines))
        for names, into in ((DIVIDEND_COLUMNS, paid), (SPLIT_COLUMNS, ratio)):
            column = next((one for one in names if one in self.where), None)
            if column is None:
                continue
            for place, (line, cell) in enumerate(zip(lines, self.cells(lines, column, ""), strict=True)):
                if cell.strip():
                    if not _is_number(cell) or float(cell) < 0:
                        raise self.refused(
                            line, column, f"수가 아닙니다 · not a number: {cell!r}", "수를 쓰십시오 · write a number"
                        )
                    into[place] = float(cell)
        ratio[ratio == 0] = 1.0  # some vendors write 0 for no split
        # What falls on a halted day counts on the next bar that trades.
        return _moved(paid, kept, 0.0), _moved(ratio, kept, 1.0)

    def times(self, lines: Sequence[int]) -> IntArray:
        found = np.empty(len(lines), np.int64)
        for index, (line, cell) in enumerate(zip(lines, self.cells(lines, self.time_column), strict=True)):
            try:
                found[index] = self._instant(cell.strip())
            except ValueError as e:
                why = f"시각을 읽을 수 없습니다 · not a date or time: {cell!r}"
                raise self.refused(
                    line, self.time_column, why, "이렇게 쓰십시오 · write 2024-01-31, 2024-01-31T09:00:00"
                ) from e
        return found

    def _instant(self, cell: str) -> int:
        if self.daily:
            return int(datetime.combine(_date(cell), time(), self.zone).timestamp())
        if cell.isdigit():
            return int(cell) // (1000 if len(cell) > _SECONDS_DIGITS else 1)
        read = datetime.fromisoformat(cell)
        if read.tzinfo is None:
            read = read.replace(tzinfo=UTC if self.time_column == "ts_utc" else self.zone)
        return int(read.timestamp())

    def refused(self, line: int, column: str, why: str, now: str) -> ConfigError:
        return _refused(f"{self.name} line {line}, column {column}", why, now)


_SECONDS_DIGITS = 11  # longer numbers are milliseconds


def _date(cell: str) -> date:
    """A trading date; a midnight beside it is tolerated, a time of day is not a date."""
    read = datetime.fromisoformat(cell)
    if read.time() != time() or read.tzinfo is not None:
        raise ValueError("not a date")
    return read.date()


def _refused(what: str, why: str, now: str) -> ConfigError:
    return ConfigError(what, why, now, code="bad_data")


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False


_Flags = NDArray[np.bool_]


def _check_order(sheet: _Sheet, lines: Sequence[int], starts: IntArray) -> None:
    wrong = np.flatnonzero(np.diff(starts) <= 0)
    if not len(wrong):
        return
    at = int(wrong[0]) + 1
    cell = sheet.cells([lines[at]], sheet.time_column)[0]
    why = "두 번 나옵니다 · stands twice" if starts[at] == starts[at - 1] else "순서가 틀립니다 · is out of order"
    if starts[at] != starts[at - 1] and starts[at] in starts[:at]:
        why = "두 번 나옵니다 · stands twice"
    raise sheet.refused(
        lines[at], sheet.time_column, f"{cell} {why}", "시각 순서로, 한 번씩만 · sort the rows by time, each once"
    )


def _halted(columns: dict[str, FloatArray]) -> _Flags:
    """Halted days as KRX writes them: open, high, low and volume 0, the close carried on (design.md §8)."""
    found: _Flags = columns["volume"] == 0
    for column in ("open", "high", "low"):
        found = found & (columns[column] == 0)
    return found


def _check_positive(sheet: _Sheet, lines: Sequence[int], columns: dict[str, FloatArray], halted: _Flags) -> None:
    for column, values in columns.items():
        wrong = (values < 0) if column == "volume" else (values <= 0) & ~halted
        if wrong.any():
            line = lines[int(np.flatnonzero(wrong)[0])]
            cell = sheet.cells([line], column)[0]
            why = f"{cell}은 쓸 수 없습니다 · {cell} cannot be a {'volume' if column == 'volume' else 'price'}"
            raise sheet.refused(line, column, why, "줄을 고치거나 지우십시오 · correct or remove the line")


def _warning(code: str, text: str, data: PriceData, lines: IntArray, starts: IntArray) -> DataWarning | None:
    if not len(lines):
        return None
    spoken = [datetime.fromtimestamp(int(one), data.zone) for one in starts[:_EXAMPLES]]
    at = tuple(one.date().isoformat() if data.daily else one.isoformat() for one in spoken)
    return DataWarning(code, text, len(lines), tuple(int(line) for line in lines[:_EXAMPLES]), at)


def _halted_days(lines: IntArray, data: PriceData, starts: IntArray) -> DataWarning | None:
    text = "거래정지일: 봉이 없는 날로 봅니다 · halted days have no bar"
    return _warning("halted", text, data, lines, starts)


def _odd_bars(data: PriceData, lines: IntArray) -> list[DataWarning | None]:
    bars = data.bars
    top = np.maximum(bars.open, bars.close)
    bottom = np.minimum(bars.open, bars.close)
    odd = (bars.high < top) | (bars.low > bottom) | (bars.high < bars.low)
    empty = bars.volume == 0
    return [
        _warning(
            "odd_ohlc",
            "고가·저가가 시가·종가와 맞지 않습니다 · high/low do not contain open/close",
            data,
            lines[odd],
            bars.starts[odd],
        ),
        _warning("zero_volume", "거래량이 0입니다 · zero volume", data, lines[empty], bars.starts[empty]),
    ]


def _moved(values: FloatArray, kept: _Flags, nothing: float) -> FloatArray:
    """Return the values of the kept rows; those of rows left out go to the next kept one."""
    out = values.copy()
    for place in np.flatnonzero(~kept & (values != nothing)):
        later = np.flatnonzero(kept[place:])
        if len(later):
            at = place + int(later[0])
            out[at] = out[at] + values[place] if nothing == 0.0 else out[at] * values[place]
    found: FloatArray = out[kept]
    return found


def _acted(data: PriceData, paid: FloatArray, ratio: FloatArray) -> PriceData:
    """Adjust every bar before a split to the shares after it; dividends become cash per adjusted share."""
    # The product of the ratios of later bars: what one share of this bar has become.
    after = np.append(np.cumprod(ratio[::-1])[::-1][1:], 1.0)
    one = data.bars
    opened, high, low, close = (np.round(column / after, 8) for column in (one.open, one.high, one.low, one.close))
    bars = Bars(one.starts, opened, high, low, close, one.volume * after)
    dividends = tuple((int(bar), float(paid[bar] / after[bar])) for bar in np.flatnonzero(paid))
    return replace(data, bars=bars, dividends=dividends)


def _corporate(data: PriceData, lines: IntArray, found: _Flags, used: bool) -> DataWarning | None:
    text = (
        "배당·분할을 반영했습니다: 분할 전 봉은 수정주가 · dividends and splits are used, earlier bars split-adjusted"
        if used
        else "배당·분할 열을 쓰지 않았습니다 · dividend and split columns are ignored (--actions uses them)"
    )
    return _warning("actions_used" if used else "actions_ignored", text, data, lines[found], data.bars.starts[found])


def _missing_days(data: PriceData, market: Market) -> DataWarning | None:
    """Trading days between the first and last bar that have no bar; beyond the calendar, gaps above ten days."""
    known = calendars.load()
    days = known.krx if market is Market.KRX else known.us
    dates = [data.trade_date(index) for index in range(len(data.bars))]
    missing = [day for before, after in pairwise(dates) for day in _between(before, after, days)]
    if not missing:
        return None
    at = tuple(day.isoformat() for day in missing[:_EXAMPLES])
    return DataWarning("gap", "거래일에 봉이 없습니다 · trading days without a bar", len(missing), at=at)


_LONGEST_CLOSURE = timedelta(days=10)


def _between(before: date, after: date, days: TradingDays) -> list[date]:
    if after - before == timedelta(days=1):
        return []
    if before < days.first or after > days.last:
        return [before + timedelta(days=1)] if after - before > _LONGEST_CLOSURE else []
    found, day = [], days.next_day(before)
    while day < after:
        found.append(day)
        day = days.next_day(day)
    return found


def _missing_bars(data: PriceData) -> DataWarning | None:
    """Holes within a day: bars farther apart than usual on one local date."""
    starts = data.bars.starts
    wide = np.flatnonzero(np.diff(starts) > data.seconds_per_bar())
    days = data.local_days()
    holes = [int(i) for i in wide if days[i] == days[i + 1]]
    if not holes:
        return None
    at = tuple(data.label(index + 1) for index in holes[:_EXAMPLES])
    return DataWarning("gap", "봉 사이가 비어 있습니다 · missing bars within a day", len(holes), at=at)
