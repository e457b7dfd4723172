"""What LS messages of both markets have in common: judgement, blocks, values, times, bars. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from brokers.codes import CodeRow, Outcome
from brokers.http import Answer
from brokers.ls import tr
from brokers.ls.codes import ROWS, UNLISTED
from shared.domain.errors import (
    AuthRefused,
    BrokerError,
    BrokerUnavailable,
    NotSupported,
    OutcomeUnknown,
    RateLimited,
    WireError,
)
from shared.domain.market import Bar, BookLevel, Timeframe

KST = ZoneInfo("Asia/Seoul")
ISSUE_AGAIN_S = 60.0
Row = dict[str, Any]


def judge(answer: Answer, order: bool) -> None:
    """Return when `answer` is a success of its TR; raise what its code means otherwise. Message text decides nothing."""
    try:
        body = answer.json(tr.LS)
    except WireError as e:
        if order:
            raise
        raise BrokerUnavailable(tr.LS, e.broker_code, e.message) from e
    code = str(body.get("rsp_cd") or body.get("error_code") or "")
    said = f"{answer.tr}: {str(body.get('rsp_msg') or body.get('error_description') or '').strip()}"
    if order:
        _judge_order(answer, body, code, said)
    elif answer.tr in {tr.TOKEN, tr.REVOKE}:
        _judge_token(answer, code, said)
    else:
        _judge_read(answer, code, said)


def _judge_order(answer: Answer, body: Row, code: str, said: str) -> None:
    """Accepted: HTTP 200, an order number, a code that begins with 00. Refused: a listed code and no number."""
    result = body.get(f"{answer.tr}OutBlock2")
    number = result.get("OrdNo") if isinstance(result, dict) else None
    placed = isinstance(number, int) and not isinstance(number, bool) and number > 0
    if answer.status == 200 and placed and code.startswith("00"):
        return
    row = ROWS.get(code, UNLISTED)
    proven = row.outcome is not Outcome.UNKNOWN and not number
    if row.error is not None and proven and (answer.status == 200 or code == tr.NEVER_EXECUTED):
        raise row.raised(row.error, tr.LS, said)
    raise _as(row, OutcomeUnknown, code or str(answer.status), said)


def _judge_token(answer: Answer, code: str, said: str) -> None:
    if answer.status == 200:
        return
    row = ROWS.get(code)
    if row is not None and row.error in {AuthRefused, RateLimited}:
        raise row.raised(row.error, tr.LS, said, ISSUE_AGAIN_S)
    raise _as(row or UNLISTED, BrokerUnavailable, code or str(answer.status), said)


def _judge_read(answer: Answer, code: str, said: str) -> None:
    asked = tr.TRS[answer.tr]
    # The probe is judged by auth.py: "not offered on 모의투자" is one of its two answers.
    if answer.status == 200 and (code in asked.success or asked is tr.PROBE):
        return
    row = ROWS.get(code, UNLISTED)
    if row.error is None or (row is UNLISTED and answer.status != 200):
        raise _as(row, BrokerUnavailable, code or str(answer.status), said)
    raise _as(row, row.error, code or str(answer.status), said)


def _as(row: CodeRow, kind: type[BrokerError], code: str, said: str) -> BrokerError:
    """The row's words under the code that came."""
    return replace(row, code=code).raised(kind, tr.LS, said, tr.RETRY_AFTER_S)


def no_such(korean: str, english: str) -> NotSupported:
    return NotSupported(tr.LS, "-", f"LS증권에서는 {korean}을(를) 지원하지 않습니다 / LS does not offer {english}")


def one(body: Row, name: str) -> Row:
    """Return the block `name`; a missing one is a WireError."""
    block = body.get(name)
    if not isinstance(block, dict):
        raise WireError(tr.LS, "-", f"{name} is missing")
    return block


def rows(body: Row, name: str) -> list[Row]:
    """Return the rows of an array block; LS leaves an empty one out (ls.md §1.3)."""
    block = body.get(name)
    if block is None:
        return []
    if not isinstance(block, list) or not all(isinstance(row, dict) for row in block):
        raise WireError(tr.LS, "-", f"{name} is not a list of rows")
    return block


def text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def required(row: Mapping[str, Any], name: str) -> str:
    value = text(row, name)
    if not value:
        raise WireError(tr.LS, "-", f"{name} is missing")
    return value


def amount(row: Mapping[str, Any], name: str) -> Decimal:
    """A number, whichever way it is written: 71300, "71300.00", "000.44", "-01.45"."""
    value = required(row, name)
    try:
        parsed = Decimal(value)
    except InvalidOperation as e:
        raise WireError(tr.LS, "-", f"{name} is not a number: {value!r}") from e
    if not parsed.is_finite():
        raise WireError(tr.LS, "-", f"{name} is not a finite number: {value!r}")
    return parsed


def positive(row: Mapping[str, Any], name: str) -> Decimal | None:
    """A price where LS writes zero or blank for "none"."""
    value = amount(row, name) if text(row, name) else Decimal(0)
    return value if value > 0 else None


def whole(row: Mapping[str, Any], name: str) -> int:
    value = amount(row, name)
    if value != value.to_integral_value():
        raise WireError(tr.LS, "-", f"{name} is not a whole number: {value}")
    return int(value)


def calendar_day(digits: str) -> date:
    try:
        return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=KST).date()
    except ValueError as e:
        raise WireError(tr.LS, "-", f"not a date: {digits!r}") from e


def instant(day: date, clock: str, zone: ZoneInfo = KST) -> datetime:
    """A local day and HHMMSS with or without fractions (cc, mmm) as an aware UTC time; 240000 ends the day."""
    if clock == "240000":
        day, clock = day + timedelta(days=1), "000000"
    try:
        at = time(int(clock[:2]), int(clock[2:4]), int(clock[4:6]), int(clock[6:].ljust(6, "0")[:6]))
    except ValueError as e:
        raise WireError(tr.LS, "-", f"not a time: {clock!r}") from e
    return datetime.combine(day, at, zone).astimezone(UTC)


def instant_near(clock: str, now: datetime) -> datetime:
    """A KST time of day without its date: the one nearest to `now` (midnight may lie between the two)."""
    today = now.astimezone(KST).date()
    days = (today - timedelta(days=1), today, today + timedelta(days=1))
    return min((instant(day, clock) for day in days), key=lambda at: abs(at - now))


@dataclass(frozen=True, slots=True)
class Session:
    """A market's regular hours: where its days, weeks and months begin and end."""

    zone: ZoneInfo
    opens: time
    closes: time

    def day(self, instant_: datetime) -> date:
        return instant_.astimezone(self.zone).date()

    def label_day(self, instant_: datetime, timeframe: Timeframe) -> date:
        """The day of the label of the bar that holds `instant_`: minutes are labelled with their end (ls.md §3.3)."""
        minutes = timeframe.seconds < Timeframe.D1.seconds
        return self.day(instant_ + timedelta(seconds=timeframe.seconds) if minutes else instant_)

    def span(self, timeframe: Timeframe, day: date) -> tuple[datetime, datetime]:
        """(opening, closing) of the day, week or month that `day` is in; which of its days LS names does not matter."""
        first = last = day
        if timeframe is Timeframe.W1:
            first = day - timedelta(days=day.weekday())
            last = first + timedelta(days=4)
        elif timeframe is Timeframe.MN1:
            first = day.replace(day=1)
            last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        opens, closes = (datetime.combine(*at, self.zone) for at in ((first, self.opens), (last, self.closes)))
        return opens.astimezone(UTC), closes.astimezone(UTC)


def decode_days(
    symbol: str, timeframe: Timeframe, found: list[Row], volume: str, session: Session, now: datetime
) -> list[Bar]:
    """Read rows of days, weeks or months. A halted day has no open: no bar."""
    bars = []
    for row in found:
        start, end = session.span(timeframe, calendar_day(required(row, "date")))
        bars += _bar(symbol, timeframe, row, start, volume, closed=end <= now)
    return bars


def decode_minutes(
    symbol: str, timeframe: Timeframe, found: list[Row], names: tuple[str, str], zone: ZoneInfo, now: datetime
) -> list[Bar]:
    """Read rows of minutes; `names` are the fields of time and volume. LS labels a bar with its END time (ls.md §3.3)."""
    clock, volume = names
    bars = []
    for row in found:
        end = instant(calendar_day(required(row, "date")), required(row, clock), zone)
        start = end - timedelta(seconds=timeframe.seconds)
        bars += _bar(symbol, timeframe, row, start, volume, closed=end <= now)
    return bars


def _bar(symbol: str, timeframe: Timeframe, row: Row, start: datetime, volume: str, *, closed: bool) -> list[Bar]:
    opened, close = positive(row, "open"), positive(row, "close")
    if opened is None or close is None:
        return []
    high, low = amount(row, "high"), amount(row, "low")
    return [Bar(symbol, timeframe, start, opened, high, low, close, whole(row, volume), closed)]


def levels(block: Row, price: str, size: str) -> tuple[BookLevel, ...]:
    """One side of a book: ten numbered prices and sizes, best first; a price of zero is no level."""
    prices = ((positive(block, f"{price}{i}"), f"{size}{i}") for i in range(1, 11))
    return tuple(BookLevel(value, whole(block, name)) for value, name in prices if value is not None)


def quoted_at(block: Row, name: str, now: datetime) -> datetime:
    clock = text(block, name)
    return instant_near(clock, now) if clock else now


def staged(row: Mapping[str, Any], **names: str) -> dict[str, Decimal]:
    """Cash by settlement: our word → the broker's field; a field without a number is left out."""
    found = {}
    for word, name in names.items():
        with suppress(WireError):
            found[word] = amount(row, name)
    return found
