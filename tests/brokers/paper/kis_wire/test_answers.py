"""Codes and numbers of answers, without a socket (kis.md §1.5, §6.4)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.accounts import ExEnv
from brokers.paper.kis_wire import answers, fields
from brokers.paper.kis_wire.auth import read_approval, write_approval
from brokers.paper.orders import RejectReason
from shared.domain.account import Market

NOW = datetime(2026, 7, 9, 14, 15, tzinfo=UTC)


@pytest.mark.parametrize("env", ExEnv)
@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("reason", RejectReason)
def test_every_reason_has_a_code_on_both_sides_and_is_http_200(
    reason: RejectReason, market: Market, env: ExEnv
) -> None:
    answer = answers.rejected(reason, env, market, NOW).answer()
    assert answer.status == 200
    assert answer.body["rt_cd"] != "0"
    assert len(answer.body["msg_cd"]) == 8
    assert answer.body["msg_cd"].isdigit() == (env is ExEnv.MOCK)
    assert len(answer.body["msg1"]) >= 80  # the ledger pads its texts


@pytest.mark.parametrize(
    ("env", "market", "now", "code"),
    [
        (ExEnv.MOCK, Market.US, datetime(2026, 7, 9, 12, 0, tzinfo=UTC), "40570000"),
        (ExEnv.MOCK, Market.US, datetime(2026, 7, 9, 21, 0, tzinfo=UTC), "40580000"),
        (ExEnv.MOCK, Market.US, datetime(2026, 7, 11, 15, 0, tzinfo=UTC), "40100000"),
        (ExEnv.MOCK, Market.KRX, datetime(2026, 7, 8, 23, 0, tzinfo=UTC), "40570000"),
        (ExEnv.LIVE, Market.US, datetime(2026, 7, 11, 15, 0, tzinfo=UTC), "APBK1664"),
        (ExEnv.LIVE, Market.KRX, datetime(2026, 7, 9, 9, 0, tzinfo=UTC), "APBK0918"),
        (ExEnv.LIVE, Market.KRX, datetime(2026, 7, 11, 3, 0, tzinfo=UTC), "APBK0919"),
    ],
)
def test_a_closed_market_says_why_it_is_closed(env: ExEnv, market: Market, now: datetime, code: str) -> None:
    assert answers.rejected(RejectReason.MARKET_CLOSED, env, market, now).msg_cd == code


def test_no_rows_is_a_success_with_its_own_code() -> None:
    live = answers.listed({"output": []}, rows=0, more=False, env=ExEnv.LIVE)
    mock = answers.listed({"output": []}, rows=0, more=False, env=ExEnv.MOCK)
    assert (live.body["rt_cd"], live.body["msg_cd"], live.tr_cont) == ("0", "KIOK0560", "D")
    assert (mock.body["rt_cd"], mock.body["msg_cd"], mock.tr_cont) == ("0", "70070000", "D")


@given(st.decimals(min_value="-1e12", max_value="1e12", allow_nan=False), st.integers(0, 12))
def test_an_amount_has_exactly_its_decimals_and_no_exponent(value: Decimal, places: int) -> None:
    text = fields.fixed(value, places)
    assert "E" not in text
    assert len(text.partition(".")[2]) == places
    assert abs(Decimal(text) - value) <= Decimal(1).scaleb(-places) / 2


@pytest.mark.parametrize(
    ("change", "text"), [("1.43", "+0.68"), ("-8.7779", "-4.17"), ("0", " 0.00"), ("0.001", " 0.00")]
)
def test_an_overseas_rate_carries_its_own_sign(change: str, text: str) -> None:
    assert fields.us_rate(Decimal(change), Decimal("210.50")) == text


@pytest.mark.parametrize(
    ("text", "quantity"), [("10", 10), ("0", 0), ("10.0", 10), ("1.5", None), ("-1", None), ("", None), ("NaN", None)]
)
def test_a_quantity_is_a_whole_number_of_shares(text: str, quantity: int | None) -> None:
    assert fields.parse_quantity(text) == quantity


@given(st.text(max_size=300))
def test_an_approval_key_names_its_app_key_without_telling_it(app_key: str) -> None:
    text = write_approval(app_key, NOW)
    approval = read_approval(text)
    assert approval is not None
    assert approval.issued_at == NOW
    assert len(text) <= 286
    assert len(app_key) < 8 or app_key not in text


@pytest.mark.parametrize("text", ["", "x", "a" * 64, f"{'g' * 64}-1-{'0' * 16}", f"{'a' * 64}-zz-{'0' * 16}"])
def test_a_text_we_never_wrote_is_no_approval_key(text: str) -> None:
    assert read_approval(text) is None
