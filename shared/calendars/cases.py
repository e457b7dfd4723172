"""`market check`: ask the market rules the questions of a CSV file and compare (grammar: markets.md §1).

Columns market, instant_utc, query, expected; further columns are remarks. A query is a name and key=value words, e.g.
`tick type=etf board=KOSPI price=1500`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from shared.calendars.order_codes import order_accepted
from shared.domain.account import BrokerName, Market
from shared.domain.errors import ConfigError, TradingError
from shared.domain.fees import finra_taf, overseas_gains_tax, sec_fee_per_million, sell_tax_split
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side
from shared.domain.sessions import KST, Calendars, Timetable, local_day, phase_at, regular_hours, trading_day
from shared.domain.venue_rules import BOARDS, limit_pct, order_unit, price_limits, round_lot, tick_size

COLUMNS = ["market", "instant_utc", "query", "expected"]
TAX = "KR-TAX"  # the one market name without a timetable


@dataclass(frozen=True, slots=True)
class WrongCase:
    row: int  # line in the file, the header being line 1
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class CaseReport:
    """The outcome of a file. Rows that are no question stand in `wrong` too, and the first is named in `malformed`."""

    cases: int
    wrong: tuple[WrongCase, ...]
    malformed: ConfigError | None


@dataclass(frozen=True, slots=True)
class _Question:
    """One row, read: `words` are the key=value parts; `used` notes which a query looked at."""

    market: str
    instant: datetime
    name: str
    words: dict[str, str]
    used: set[str] = field(default_factory=set)

    @property
    def timetable(self) -> Timetable:
        if self.market == TAX:
            raise ValueError(f"{self.name} is not a question for {TAX}")
        return Timetable(self.market)

    @property
    def on(self) -> date:
        return local_day(self.timetable, self.instant)

    def text(self, key: str, default: str | None = None) -> str:
        self.used.add(key)
        if (value := self.words.get(key, default)) is None:
            raise ValueError(f"{self.name} needs {key}=")
        return value

    def number(self, key: str) -> Decimal:
        return _number(key, self.text(key))

    def quantity(self, key: str) -> int:
        number = self.number(key)
        if number != int(number):
            raise ValueError(f"{key}={number} is not a whole number")
        return int(number)

    @property
    def instrument_type(self) -> InstrumentType:
        return InstrumentType(self.text("type", "stock").lower())

    @property
    def board(self) -> str:
        if (board := self.text("board", "KOSPI").upper()) not in BOARDS:
            raise ValueError(f"board={board} is not one of {', '.join(sorted(BOARDS))}")
        return board


def check_file(path: Path, calendars: Calendars) -> CaseReport:
    """Return how the rules answer every row of `path`.

    Raises:
        ConfigError: the file cannot be read as cases; the message names the line.
    """
    wrong: list[WrongCase] = []
    malformed: ConfigError | None = None
    rows = _rows(path)
    for line, row in rows:
        try:
            expected, got = _answer(row, calendars)
        except (ValueError, ArithmeticError, TradingError) as e:
            error = _bad_line(path, line, str(e))
            malformed = malformed or error
            wrong.append(WrongCase(line, row[3].strip() if len(row) > 3 else "", f"error: {e}"))
        else:
            if not same(expected, got):
                wrong.append(WrongCase(line, expected, got))
    return CaseReport(len(rows), tuple(wrong), malformed)


def answer(market: str, instant_utc: str, query: str, calendars: Calendars) -> str:
    """Return what the rules say; ValueError when the question makes no sense."""
    name, *words = query.split()
    if market not in {*Timetable, TAX}:
        raise ValueError(f"{market!r} is not one of {', '.join([*Timetable, TAX])}")
    if name not in _QUERIES:
        raise ValueError(f"{name!r} is not one of {', '.join(_QUERIES)}")
    if odd := [word for word in words if not all(word.partition("=")[::2])]:
        raise ValueError(f"{odd[0]!r} is not key=value")
    instant = datetime.fromisoformat(instant_utc)
    if instant.tzinfo is None:
        raise ValueError(f"{instant_utc!r} has no time zone")
    question = _Question(market, instant, name, dict(word.split("=", 1) for word in words))
    got = _QUERIES[name](question, calendars)
    if unused := sorted(question.words.keys() - question.used - {"type", "board"}):
        raise ValueError(f"{name} does not know {unused[0]}=")
    return got


def same(expected: str, got: str) -> bool:
    """Compare as numbers where both are, else as text."""
    try:
        return Decimal(expected) == Decimal(got)
    except InvalidOperation:
        return expected == got


def _answer(row: list[str], calendars: Calendars) -> tuple[str, str]:
    if len(row) < len(COLUMNS):
        raise ValueError(f"expected {','.join(COLUMNS)}")
    market, instant, query, expected = (cell.strip() for cell in row[: len(COLUMNS)])
    if not query or not expected:
        raise ValueError("query and expected must not be empty")
    return expected, answer(market, instant, query, calendars)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                header = next(reader, [])
                rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
            except csv.Error as e:
                raise _bad_line(path, reader.line_num, str(e)) from e
    except OSError as e:
        raise ConfigError(f"{path} cannot be read", e.strerror or str(e), "name an existing CSV file") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"{path} is not UTF-8 text", str(e), "save it as UTF-8") from e
    if [cell.strip() for cell in header[: len(COLUMNS)]] != COLUMNS:
        raise _bad_line(path, 1, f"the header is not {','.join(COLUMNS)}")
    return rows


def _bad_line(path: Path, line: int, why: str) -> ConfigError:
    return ConfigError(f"{path.name} line {line} is not a case", why, "mend the line and check again", "bad_case")


def _session(q: _Question, c: Calendars) -> str:
    extended = q.text("ext", "N").upper()
    if extended not in {"Y", "N"}:
        raise ValueError(f"ext={extended} is not Y or N")
    phase = phase_at(q.timetable, q.instant, c, extended=extended == "Y")
    if phase is None:
        return "CLOSED"
    return f"{phase.state} trade_date={phase.trade_date}" if q.timetable is Timetable.US_ATS else phase.state.value


def _trading_day(q: _Question, c: Calendars) -> str:
    return str(trading_day(q.timetable, q.instant, c)).lower()


def _regular_hours(q: _Question, c: Calendars) -> str:
    hours = regular_hours(q.timetable, q.on, c)
    return "CLOSED" if hours is None else "-".join(edge.time().isoformat().removesuffix(":00") for edge in hours)


def _regular_edge_kst(edge: int) -> Callable[[_Question, Calendars], str]:
    def ask(q: _Question, c: Calendars) -> str:
        hours = regular_hours(q.timetable, q.on, c)
        return "CLOSED" if hours is None else hours[edge].astimezone(KST).strftime("%Y-%m-%d %H:%M")

    return ask


def _tick(q: _Question, c: Calendars) -> str:
    del c  # ticks are rules of their own
    tick = tick_size(q.timetable.market, q.number("price"), q.on, instrument_type=q.instrument_type, board=q.board)
    return f"{tick:f}"


def _limits(q: _Question, c: Calendars) -> str:
    del c
    base, leverage = q.number("base"), int(_number("leverage", q.text("leverage", "1")))
    kind, board = q.instrument_type, q.board
    if q.timetable.market is Market.US or limit_pct(q.on, instrument_type=kind, board=board) is None:
        return "none"
    lower, upper = price_limits(base, q.on, instrument_type=kind, board=board, leverage=leverage)
    return f"{lower:f}..{upper:f}"


def _lot(q: _Question, c: Calendars) -> str:
    del c
    price = q.number("price")
    if q.timetable.market is Market.US:
        return str(round_lot(price, q.on))
    return str(order_unit(Market.KRX, price, q.on, instrument_type=q.instrument_type, board=q.board))


def _traded_on(q: _Question, c: Calendars) -> date:
    days = c.days(q.timetable.market)
    return q.on if days.is_trading_day(q.on) else days.next_day(q.on)


def _settle_date(q: _Question, c: Calendars) -> str:
    return c.days(q.timetable.market).settle_date(_traded_on(q, c)).isoformat()


def _sell_tax(q: _Question, c: Calendars) -> tuple[Decimal, Decimal]:
    if q.timetable.market is not Market.KRX:
        raise ValueError(f"{q.market} has no Korean sell tax")
    return sell_tax_split(_traded_on(q, c), c.krx, c.rates, instrument_type=q.instrument_type, board=q.board)


def _sell_tax_pct(q: _Question, c: Calendars) -> str:
    return f"{sum(_sell_tax(q, c)):f}"


def _sell_tax_split(q: _Question, c: Calendars) -> str:
    return "+".join(f"{line:f}" for line in _sell_tax(q, c))


def _sec31(q: _Question, c: Calendars) -> str:
    return f"{sec_fee_per_million(q.on, c.rates):f}"


def _finra_taf(q: _Question, c: Calendars) -> str:
    return f"{finra_taf(q.quantity('sell_qty'), q.on, c.rates).normalize():f}"


def _order_ok(q: _Question, c: Calendars) -> str:
    broker = BrokerName(q.text("broker").upper())
    code = q.text("ord_dvsn" if broker is BrokerName.KIS else "OrdprcPtnCode")
    side = Side(q.text("side").upper()) if "side" in q.words else None
    venue = "US" if q.timetable.market is Market.US else q.text("venue", q.text("MbrNo", q.market)).upper()
    q.text("venue", "")  # a listing exchange may be named for US orders
    if venue not in {"KRX", "NXT", "SOR", "US"}:
        raise ValueError(f"venue={venue} is not one of KRX, NXT, SOR")
    taken = order_accepted(
        broker,
        venue,
        code,
        q.instant,
        c,
        side=side,
        condition=q.text("OrdCndiTpCode", "0"),
        instrument_type=q.instrument_type,
        extended=q.text("ext", "N").upper() == "Y",
    )
    return "accept" if taken else "reject"


def _overseas_gains_tax(q: _Question, c: Calendars) -> str:
    del c
    return f"{overseas_gains_tax(q.number('net_gain')):f}"


_QUERIES: dict[str, Callable[[_Question, Calendars], str]] = {
    "session": _session,
    "trading_day": _trading_day,
    "regular_hours_local": _regular_hours,
    "regular_open_kst": _regular_edge_kst(0),
    "regular_close_kst": _regular_edge_kst(1),
    "tick": _tick,
    "limits": _limits,
    "lot": _lot,
    "settle_date": _settle_date,
    "sell_tax_pct": _sell_tax_pct,
    "sell_tax_split": _sell_tax_split,
    "sec31_usd_per_million": _sec31,
    "finra_taf_usd": _finra_taf,
    "order_ok": _order_ok,
    "overseas_cgt_krw": _overseas_gains_tax,
}


def _number(key: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{key}={text} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{key}={text} is not a number")
    return number
