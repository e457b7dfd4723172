"""What KIS answers mean: refused, away, expired, or unknown."""

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.http import Answer
from brokers.kis.codec import instant_near, judge, number, order_id, rows, whole
from shared.domain.errors import (
    AuthExpired,
    AuthRefused,
    BadPrice,
    BrokerError,
    BrokerUnavailable,
    InsufficientFunds,
    MarketClosed,
    NotSupported,
    OrderRejected,
    OutcomeUnknown,
    RateLimited,
    Refused,
    UnknownSymbol,
    WireError,
)
from tests.brokers.kis.payload import answer as payload

NOW = datetime(2026, 7, 9, 15, 1, tzinfo=UTC)  # 00:01 on the 10th in Seoul


def answered(body: object, status: int = 200, name: str = "TTTT1002U") -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(name, status, httpx.Headers(), content, NOW)


def failed(code: str, rt_cd: str = "1") -> dict[str, str]:
    return {"rt_cd": rt_cd, "msg_cd": code, "msg1": "x"}


def test_a_success_passes() -> None:
    judge(answered(payload("TTTT1002U")), True)
    judge(answered(payload("tokenP"), name="tokenP"), False)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (payload("order-reject"), 200, InsufficientFunds),
        (payload("paper-closed"), 200, MarketClosed),
        (payload("EGW00123"), 500, AuthExpired),
        (failed("EGW00201"), 500, RateLimited),
        (payload("tokenP-limit"), 403, RateLimited),
        (failed("EGW02006"), 500, NotSupported),
        (failed("EGW02004"), 500, AuthRefused),
        (failed("OPSQ2000", "2"), 200, AuthRefused),
        (failed("APBK0656"), 200, UnknownSymbol),
        (failed("40030000"), 200, BadPrice),
        (failed("APBK0506"), 200, BadPrice),
        (failed("APBK0927", "7"), 200, OrderRejected),
        (failed("40330000"), 200, OrderRejected),
        (failed("40240000"), 200, OrderRejected),
        (failed("40250000"), 200, InsufficientFunds),
    ],
)
def test_listed_codes_are_proven_refusals(body: object, status: int, error: type[BrokerError]) -> None:
    for order in (True, False):
        with pytest.raises(error):
            judge(answered(body, status), order)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (failed("EGW00301"), 500),
        (failed("EGW00302"), 500),
        (failed("EGW00001"), 500),
        (failed("", "1"), 500),
        (failed("APBK7777"), 200),
        (failed("40310000"), 200),
        (failed("APBK0344", "7"), 200),
        (failed("APBK0963", "7"), 200),
        (failed("90020000"), 200),
        (failed("IGW00009"), 200),
        ({"rt_cd": "1", "msg_cd": "", "msg1": "주문가능금액을 초과 했습니다"}, 200),
        ({}, 200),
        ({"rt_cd": 0}, 200),
        (payload("TTTT1002U"), 500),
    ],
)
def test_an_order_answered_with_anything_else_is_unknown(body: object, status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        judge(answered(body, status), True)


@pytest.mark.parametrize("content", [b"<html>", b"", b"[1]", b'{"rt_cd":"0","out', b"null"])
def test_an_answer_that_is_not_json_proves_nothing(content: bytes) -> None:
    with pytest.raises(WireError):
        judge(answered(content), True)
    with pytest.raises(BrokerUnavailable):
        judge(answered(content), False)


def test_a_read_repeats_while_the_broker_is_away_and_not_when_it_says_no() -> None:
    with pytest.raises(BrokerUnavailable):
        judge(answered(failed("EGW00301"), 500), False)
    with pytest.raises(Refused):
        judge(answered(failed("APBK7777")), False)


@given(st.binary(), st.integers(100, 599), st.booleans())
def test_no_answer_is_judged_with_anything_but_a_broker_error(content: bytes, status: int, order: bool) -> None:
    with contextlib.suppress(BrokerError):
        judge(answered(content, status), order)


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.booleans(),
        lambda part: st.dictionaries(st.sampled_from(["rt_cd", "msg_cd", "output", "error_code"]), part),
        max_leaves=6,
    )
)
def test_an_unlisted_json_answer_never_passes_as_a_refusal_of_an_order(body: object) -> None:
    try:
        judge(answered(body), True)
    except (OutcomeUnknown, WireError):
        pass
    else:
        assert isinstance(body, dict) and body["rt_cd"] == "0"


def test_blank_is_none_and_never_zero() -> None:
    assert number({"a": "  "}, "a") is None and number({}, "a") is None
    assert number({"a": " 0.00"}, "a") == 0
    assert number({"a": "+0.68"}, "a") == Decimal("0.68")
    assert whole({"a": "10.00000000"}, "a") == 10
    for bad in ("10.5", "", "x", "NaN", "Infinity"):
        with pytest.raises(WireError):
            whole({"a": bad}, "a")


def test_rows_may_come_as_an_object_a_list_or_blanks() -> None:
    row = {"odno": "1"}
    assert rows({"output": row}, "output") == rows({"output": [row, {"odno": " "}]}, "output") == [row]
    assert rows({"output": {"odno": ""}}, "output") == rows({}, "output") == []
    with pytest.raises(WireError):
        rows({"output": ["x"]}, "output")


def test_a_clock_time_belongs_to_the_nearest_day() -> None:
    assert instant_near("235959", NOW) == datetime(2026, 7, 9, 14, 59, 59, tzinfo=UTC)
    assert instant_near("000200", NOW) == datetime(2026, 7, 9, 15, 2, tzinfo=UTC)


def test_an_order_number_has_one_spelling() -> None:
    assert order_id("37508") == order_id(" 0000037508 ") == "0000037508"
    with pytest.raises(WireError):
        order_id("")
