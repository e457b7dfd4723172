"""What every LS message has in common, and market data: judgement, values, quotes, bars, the master. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from brokers.codes import CodeRow, Outcome
from brokers.http import Answer
from brokers.ls import tr
from brokers.ls.codes import ROWS, UNLISTED
from shared.domain.account import Market
from shared.domain.errors import (
    AuthRefused,
    BrokerError,
    BrokerUnavailable,
    OutcomeUnknown,
    RateLimited,
    WireError,
)
from shared.domain.instrument import Instrument, Venue
from shared.domain.market import Bar, BookLevel, OrderBook, Quote, Timeframe
from shared.domain.money import Currency

KST = ZoneInfo("Asia/Seoul")
OPEN_AT, CLOSE_AT = time(9, 0), time(15, 30)
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


def plain_symbol(code: str) -> str:
    """Return 005930 for A005930; the prefix depends on the TR (ls.md §7.7)."""
    return code[1:] if len(code) == 7 else code


def calendar_day(digits: str) -> date:
    try:
        return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=KST).date()
    except ValueError as e:
        raise WireError(tr.LS, "-", f"not a date: {digits!r}") from e


def instant(day: date, clock: str) -> datetime:
    """A KST day and HHMMSS with or without fractions (cc, mmm) as an aware UTC time."""
    try:
        at = time(int(clock[:2]), int(clock[2:4]), int(clock[4:6]), int(clock[6:].ljust(6, "0")[:6]))
    except ValueError as e:
        raise WireError(tr.LS, "-", f"not a time: {clock!r}") from e
    return datetime.combine(day, at, KST).astimezone(UTC)


def instant_near(clock: str, now: datetime) -> datetime:
    """A time of day without its date: the one nearest to `now` (midnight may lie between the two)."""
    today = now.astimezone(KST).date()
    days = (today - timedelta(days=1), today, today + timedelta(days=1))
    return min((instant(day, clock) for day in days), key=lambda at: abs(at - now))


def decode_quote(symbol: str, body: Row, now: datetime, received_at: datetime) -> Quote | None:
    """Read t1101 as a price snapshot; None when LS does not know the symbol."""
    block = one(body, "t1101OutBlock")
    last = positive(block, "price")
    if last is None:
        return None
    return Quote(
        symbol=symbol,
        last=last,
        bid=positive(block, "bidho1"),
        ask=positive(block, "offerho1"),
        prev_close=positive(block, "jnilclose"),
        upper_limit=positive(block, "uplmtprice"),
        lower_limit=positive(block, "dnlmtprice"),
        volume=whole(block, "volume"),
        at=_quoted_at(block, now),
        received_at=received_at,
    )


def decode_book(symbol: str, body: Row, now: datetime, received_at: datetime) -> OrderBook:
    block = one(body, "t1101OutBlock")

    def side(price: str, size: str) -> tuple[BookLevel, ...]:
        prices = ((positive(block, f"{price}{i}"), f"{size}{i}") for i in range(1, 11))
        return tuple(BookLevel(value, whole(block, name)) for value, name in prices if value is not None)

    bids, asks = side("bidho", "bidrem"), side("offerho", "offerrem")
    return OrderBook(symbol, bids, asks, _quoted_at(block, now), received_at)


def _quoted_at(block: Row, now: datetime) -> datetime:
    clock = text(block, "hotime")
    return instant_near(clock, now) if clock else now


def decode_days(symbol: str, body: Row, now: datetime) -> list[Bar]:
    """Read t8410, ascending. A halted day has no open: no bar."""
    found = []
    for row in rows(body, "t8410OutBlock1"):
        day = calendar_day(required(row, "date"))
        start, end = datetime.combine(day, OPEN_AT, KST), datetime.combine(day, CLOSE_AT, KST)
        bar = _bar(symbol, Timeframe.D1, row, start.astimezone(UTC), closed=end <= now)
        if bar is not None:
            found.append(bar)
    return found


def decode_minutes(symbol: str, timeframe: Timeframe, body: Row, now: datetime) -> list[Bar]:
    """Read t8412, ascending. LS labels a bar with its END time (ls.md §3.3)."""
    found = []
    for row in rows(body, "t8412OutBlock1"):
        end = instant(calendar_day(required(row, "date")), required(row, "time"))
        bar = _bar(symbol, timeframe, row, end - timedelta(seconds=timeframe.seconds), closed=end <= now)
        if bar is not None:
            found.append(bar)
    return found


def _bar(symbol: str, timeframe: Timeframe, row: Row, start: datetime, *, closed: bool) -> Bar | None:
    opened, close = positive(row, "open"), positive(row, "close")
    if opened is None or close is None:
        return None
    high, low = amount(row, "high"), amount(row, "low")
    return Bar(symbol, timeframe, start, opened, high, low, close, whole(row, "jdiff_vol"), closed)


def decode_master(body: Row) -> dict[str, tuple[Instrument, str]]:
    """Read t8436: symbol -> (instrument, ISIN). An empty master is a WireError."""
    found = {}
    for row in rows(body, "t8436OutBlock"):
        symbol = required(row, "shcode")
        kind, board = tr.KINDS.get(text(row, "etfgubun")), tr.BOARDS.get(text(row, "gubun"))
        if kind is None or board is None:
            continue  # neither share nor fund of the two boards: not ours to trade
        instrument = Instrument(
            symbol, Market.KRX, Venue.KRX, Currency.KRW, type=kind, board=board, name=text(row, "hname")
        )
        found[symbol] = (instrument, required(row, "expcode"))
    if not found:
        raise WireError(tr.LS, "-", "t8436: no instruments")
    return found
