"""What every KIS message has in common: envelope, values, times, refusals. Pure: text and times in, values out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from brokers.http import Answer
from brokers.kis.codes import AWAY, REFUSALS, RETRY_AFTER_S, explained
from brokers.kis.tr import KIS, KIS_TO_SIDE, NO_ENVELOPE
from shared.domain.errors import BrokerUnavailable, OutcomeUnknown, RateLimited, Refused, WireError
from shared.domain.order import OrderAck, Side

KST = ZoneInfo("Asia/Seoul")
Row = dict[str, Any]
FIRST_YEAR, LAST_YEAR = 1950, 2200  # charts reach back far
INSTANT_PARTS = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))
MOST_DIGITS = 24  # before the point; the longest documented amount has 19


def judge(answer: Answer, order: bool) -> None:
    """Return when `answer` is a success; raise what it means otherwise.

    On an order only a code that codes.csv lists as proven is a refusal. Message text decides nothing.
    """
    try:
        body = answer.json(KIS)
    except WireError as e:
        if order:
            raise
        raise BrokerUnavailable(KIS, e.broker_code, e.message) from e
    if answer.status == 200 and (body.get("rt_cd") == "0" or ("rt_cd" not in body and answer.tr in NO_ENVELOPE)):
        return
    code = str(body.get("msg_cd") or body.get("error_code") or "")
    said = f"{answer.tr}: {str(body.get('msg1') or body.get('error_description') or '').strip()}"
    why, now = explained(code, said)
    refusal = REFUSALS.get(code)
    if refusal is RateLimited:
        limited = RateLimited(KIS, code, why, RETRY_AFTER_S[code])
        limited.now = now
        raise limited
    if refusal is not None:
        raise refusal(KIS, code, why, now)
    if order:
        raise OutcomeUnknown(KIS, code or str(answer.status), why, now)
    if code in AWAY or answer.status != 200:
        raise BrokerUnavailable(KIS, code or str(answer.status), why, now)
    raise Refused(KIS, code, why, now)


def rows(body: Row, name: str) -> list[Row]:
    """Return `body[name]` as rows: KIS sends an object for a single row and blank rows for none (kis.md §7.1)."""
    value = body.get(name)
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in items):
        raise WireError(KIS, "-", f"{name} is not a list of rows")
    return [item for item in items if any(str(part).strip() for part in item.values())]


def one(body: Row, name: str) -> Row:
    """Return the only row of `body[name]`, {} when blank."""
    found = rows(body, name)
    if len(found) > 1:
        raise WireError(KIS, "-", f"{name} has {len(found)} rows where one was expected")
    return found[0] if found else {}


def text(row: Row, name: str) -> str:
    value = row.get(name)
    if isinstance(value, dict | list):
        raise WireError(KIS, "-", f"{name} is not a text: {str(value)[:40]}")
    return "" if value is None else str(value).strip()


def required(row: Row, name: str) -> str:
    value = text(row, name)
    if not value:
        raise WireError(KIS, "-", f"{name} is missing")
    return value


def number(row: Row, name: str) -> Decimal | None:
    """A decimal field; blank is None, never zero."""
    value = text(row, name)
    return decimal(value, name) if value else None


def amount(row: Row, name: str) -> Decimal:
    return decimal(required(row, name), name)


def positive(row: Row, name: str) -> Decimal | None:
    """A price field where KIS writes zero or blank for "none"."""
    value = number(row, name)
    return value if value is not None and value > 0 else None


def whole(row: Row, name: str) -> int:
    """A required count; KIS writes some with decimals ("10.00000000")."""
    value = amount(row, name)
    if value != value.to_integral_value():
        raise WireError(KIS, "-", f"{name} is not a whole number: {value}")
    return int(value)


@lru_cache(maxsize=512)  # every tick pays for this, and prices come back
def decimal(value: str, name: str) -> Decimal:
    try:
        parsed = Decimal(value.strip())
    except InvalidOperation as e:
        raise WireError(KIS, "-", f"{name} is not a number: {value!r}") from e
    if not parsed.is_finite() or parsed.adjusted() > MOST_DIGITS:
        raise WireError(KIS, "-", f"{name} is not a number of this world: {value[:40]!r}")
    return parsed


@lru_cache(maxsize=64)  # the ticks of one second share it
def instant(day: str, clock: str, zone: ZoneInfo = KST) -> datetime:
    """YYYYMMDD and HHMMSS of a zone as an aware UTC time. Cut by width: every tick pays for this."""
    text = day.strip() + clock.strip()
    try:
        if len(text) != 14 or not (text.isascii() and text.isdigit()):
            raise ValueError("not fourteen digits")
        year, month, on, hour, minute, second = (int(text[start:end]) for start, end in INSTANT_PARTS)
        at = datetime(year, month, on, hour, minute, second, tzinfo=zone)
    except ValueError as e:
        raise WireError(KIS, "-", f"not a date and time: {day!r} {clock!r}") from e
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise WireError(KIS, "-", f"not a date of a market: {day!r}")
    return at.astimezone(UTC)


def calendar_day(value: str) -> date:
    return instant(value, "000000").astimezone(KST).date()


def instant_near(clock: str, near: datetime) -> datetime:
    """A KST clock time without its date (ORD_TMD), on the day that brings it closest to `near`."""
    today = near.astimezone(KST).date()
    candidates = (instant(f"{today + timedelta(days=shift):%Y%m%d}", clock) for shift in (-1, 0, 1))
    return min(candidates, key=lambda at: abs(at - near))


def at_local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


def order_id(value: str) -> str:
    """One spelling of an ODNO: replies, lists and 모의투자 pad it differently (kis.md §7.2)."""
    value = value.strip()
    if not value.isdigit():
        raise WireError(KIS, "-", f"not an order number: {value!r}")
    return value.zfill(10)


def wire_order_id(value: str, mock: bool) -> str:
    return value.lstrip("0") if mock else value


def side_of(code: str) -> Side:
    if code not in KIS_TO_SIDE:
        raise WireError(KIS, "-", f"not a side code: {code!r}")
    return KIS_TO_SIDE[code]


def original_id(row: Row) -> str | None:
    """`orgn_odno`, None when it is blank or all zeros."""
    value = text(row, "orgn_odno").lstrip("0")
    return order_id(value) if value else None


def decode_ack(body: Row, market_now: datetime) -> OrderAck:
    """Read an order's answer. WireError when it proves nothing (then the outcome is unknown)."""
    output = one(body, "output")
    fields = {name.upper(): value for name, value in output.items()}
    clock = text(fields, "ORD_TMD")
    number = "ODNO" if text(fields, "ODNO") else "OVRS_RSVN_ODNO"  # the answer to a reserved order's cancel
    return OrderAck(
        broker_order_id=order_id(required(fields, number)),
        acknowledged_at=instant_near(clock, market_now) if clock else market_now,
        org_no=text(fields, "KRX_FWDG_ORD_ORGNO"),
        raw=f"{text(body, 'msg_cd')} {text(body, 'msg1')}",
    )


def share_class(symbol: str) -> str:
    """KIS's spelling of a US symbol: class shares carry a slash there (BRK/B), a dot everywhere else (BRK.B)."""
    return symbol.replace(".", "/")


def plain_symbol(symbol: str) -> str:
    """Our spelling of KIS's US symbol."""
    return symbol.strip().replace("/", ".")


def levels(row: Row, price: str, quantity: str) -> Iterator[tuple[Decimal, int]]:
    """Ten book levels named `price`1..10; empty levels are skipped."""
    for depth in range(1, 11):
        value = positive(row, f"{price}{depth}")
        if value is not None:
            yield value, whole(row, f"{quantity}{depth}")


def staged(row: Row, **names: str) -> dict[str, Decimal]:
    """Cash by settlement: our word → the broker's field; a field without a number is left out."""
    found = {word: number(row, name) for word, name in names.items()}
    return {word: value for word, value in found.items() if value is not None}
