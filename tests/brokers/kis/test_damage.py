"""Whatever a damaged answer holds, a reader gives a value or a WireError: never another exception, never a guess."""

import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.http import Answer
from brokers.kis.codec import Row, decode_ack, judge, rows
from brokers.kis.codec_krx import KrxDialect
from brokers.kis.codec_us import UsDialect
from brokers.kis.quotes_krx import KrxQuotes
from brokers.kis.quotes_us import UsQuotes
from shared.domain.account import AccountNumber
from shared.domain.errors import BrokerUnavailable, WireError
from shared.domain.instrument import Venue
from shared.domain.market import Timeframe
from tests.brokers.kis.payload import answer

NOW = datetime(2026, 7, 9, 14, 17, tzinfo=UTC)
US, KRX = UsDialect(AccountNumber("12345678", "01"), False), KrxDialect(AccountNumber("12345678", "01"), False)
US_QUOTES, KRX_QUOTES = UsQuotes(False), KrxQuotes(False)
READERS: dict[str, Callable[[Row], object]] = {
    "TTTT1002U": lambda body: decode_ack(body, NOW),
    "TTTT3017U": lambda body: decode_ack(body, NOW),
    "TTTS3018R": lambda body: [US.read_order(row, NOW) for row in rows(body, "output")],
    "TTTS3035R": lambda body: [US.read_order(row, NOW) for row in rows(body, "output")],
    "TTTT3039R": lambda body: [US.read_reserved(row) for row in rows(body, "output")],
    "TTTS3012R": lambda body: US.read_settled([body]),
    "CTRP6504R": lambda body: (US.read_positions([body]), US.read_cash([body], None, NOW)),
    "TTTS3007R": US.read_power,
    "TTTS3039R": lambda body: US.read_profit([body]),
    "HHDFS00000300": lambda body: US_QUOTES.read_quote("AAPL", body, NOW, NOW),
    "HHDFS76200200": lambda body: US_QUOTES.read_detail("AAPL", body),
    "HHDFS76200100": lambda body: US_QUOTES.read_book("AAPL", body, NOW, NOW),
    "HHDFS76240000": lambda body: US_QUOTES.read_bars("AAPL", Venue.NASDAQ, Timeframe.MN1, body, NOW),
    "HHDFS76950200": lambda body: US_QUOTES.read_bars("AAPL", Venue.NASDAQ, Timeframe.M1, body, NOW),
    "HHDFS76410000": lambda body: US_QUOTES.read_listed(Venue.NASDAQ, body),
    "CTOS5011R": lambda body: US_QUOTES.read_open_days(date(2026, 7, 9), [body]),
    "TTTC0084R": lambda body: [KRX.read_order(row, NOW) for row in rows(body, "output")],
    "TTTC0081R": lambda body: [KRX.read_order(row, NOW) for row in rows(body, "output1")],
    "TTTC8434R": lambda body: (KRX.read_positions([body]), KRX.read_cash([body], answer("TTTC8908R"), NOW)),
    "TTTC8908R": KRX.read_power,
    "TTTC8715R": lambda body: KRX.read_profit([body]),
    "FHKST01010100": lambda body: KRX_QUOTES.read_detail("005930", body),
    "FHKST01010200": lambda body: KRX_QUOTES.read_book("005930", body, NOW, NOW),
    "FHKST03010100": lambda body: KRX_QUOTES.read_bars("005930", Venue.KRX, Timeframe.W1, body, NOW),
    "FHKST03010200": lambda body: KRX_QUOTES.read_bars("005930", Venue.KRX, Timeframe.M1, body, NOW),
    "CTCA0903R": lambda body: KRX_QUOTES.read_open_days(date(2026, 7, 9), [body]),
}
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", " ", "-1", "1E+9999", "NaN", "-Infinity", "00010101", "99991231", "0", "99", "1.5", "１"]),
    st.just([]),
    st.just({}),
    st.just([{"x": "y"}]),
)


def damaged(data: st.DataObject, value: Any) -> Any:
    """Replace or drop one thing somewhere in `value`."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 5)):
        key = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.integers(0, 4)) == 0:
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: damaged(data, value[key])}
    if isinstance(value, list) and value and data.draw(st.integers(0, 5)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], damaged(data, value[at]), *value[at + 1 :]]
    return data.draw(JUNK)


@pytest.mark.parametrize("name", READERS)
def test_the_documented_answer_is_read(name: str) -> None:
    assert READERS[name](answer(name)) is not None


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60)
@given(st.data())
def test_a_damaged_answer_is_read_or_is_a_wire_error(name: str, data: st.DataObject) -> None:
    body = answer(name)
    for _ in range(data.draw(st.integers(1, 3))):
        body = damaged(data, body)
        if not isinstance(body, dict):
            return  # not an object: refused before any reader (test_codec.py)
    with contextlib.suppress(WireError):
        READERS[name](body)


@given(st.sampled_from(sorted(READERS)), st.integers(1, 400), st.booleans())
def test_a_cut_answer_proves_nothing_of_an_order_and_a_read_is_asked_again(name: str, cut: int, order: bool) -> None:
    content = orjson.dumps(answer(name))[:-cut]
    with pytest.raises(WireError if order else BrokerUnavailable):
        judge(Answer(name, 200, httpx.Headers(), content, NOW), order)
