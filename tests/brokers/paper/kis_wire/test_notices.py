"""Notices: the documented plain text and cipher text, in every documented layout (kis.md §5.2, §5.6, §5.9)."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from brokers.paper.accounts import Account, ExEnv, Profile
from brokers.paper.kis_wire.notices import CipherKey, encrypted_frame, notice
from brokers.paper.orders import EventKind, Execution, ExKind, ExOrder, ExStatus, OrderEvent
from shared.domain.account import BrokerName, Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderType, Side, TimeInForce

KEY = CipherKey("abcdefghijklmnopqrstuvwxyz012345", "0123456789abcdef")
FILL = "HTSID01^1234567801^0030001234^^02^0^2^AAPL^0000000003^002115000^231531^0^2^2^01790^000000010^홍길동^애플^6^10^"
CIPHERED = (
    "d4KNlehbehIu7QzR8vFEagsYeYStEk9ncigv0b9YXOmnVk8ih2uvyuQidKomdMELcdhslv7iBvi+mLSAp1CDJQb12yHhxN0UYGE4HqBCttbIb9QFCCt"
    "ysTYc5R4HMGSurgEkY8AslQUJFMdL6pqGXUgi3dKIbaTw/NacojElDXc="
)
ACCOUNT = Account(BrokerName.KIS, ExEnv.LIVE, "12345678-01", hts_id="HTSID01")
SENT = datetime(2026, 7, 9, 14, 15, 2, tzinfo=UTC)  # 23:15:02 in Seoul
FILLED = datetime(2026, 7, 9, 14, 15, 31, tzinfo=UTC)
US_ORDER = ExOrder(
    order_no=30001234,
    orig_order_no=None,
    account=ACCOUNT.id,
    market=Market.US,
    symbol="AAPL",
    venue=Venue.NASDAQ,
    side=Side.BUY,
    quantity=10,
    price=Decimal("211.50"),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    kind=ExKind.NEW,
    status=ExStatus.OPEN,
    ordered_at=SENT,
    wall_at=SENT,
    visible_from=SENT,
)
KRX_ORDER = replace(
    US_ORDER, order_no=117057, market=Market.KRX, symbol="005930", venue=Venue.KRX, price=Decimal(71200)
)


def decrypt(text: str, key: CipherKey) -> str:
    decryptor = Cipher(algorithms.AES(key.key.encode()), modes.CBC(key.iv.encode())).decryptor()
    plain = decryptor.update(base64.b64decode(text)) + decryptor.finalize()
    return plain[: -plain[-1]].decode()


def fill(order: ExOrder, quantity: int, price: Decimal) -> OrderEvent:
    execution = Execution(1, order.order_no, quantity, price, FILLED)
    return OrderEvent(EventKind.FILLED, ACCOUNT, order, FILLED, execution)


def test_the_documented_cipher_text_comes_out_of_the_documented_plain_text() -> None:
    assert encrypted_frame("H0GSCNI0", FILL, KEY) == f"1|H0GSCNI0|001|{CIPHERED}"


@given(st.text(max_size=300))
def test_what_a_fresh_key_encrypts_it_decrypts(plain: str) -> None:
    key = CipherKey.fresh()
    assert (len(key.key), len(key.iv)) == (32, 16)
    assert decrypt(key.encrypt(plain), key) == plain


def test_a_us_fill_is_the_documented_text() -> None:
    assert notice(fill(US_ORDER, 3, Decimal("211.50")), "HTSID01", "애플", Profile.COMPAT) == FILL


def test_a_us_order_notice_carries_the_order_quantity_and_no_total() -> None:
    plain = notice(OrderEvent(EventKind.ACCEPTED, ACCOUNT, US_ORDER, SENT), "HTSID01", "애플", Profile.COMPAT)
    assert plain == (
        "HTSID01^1234567801^0030001234^^02^0^2^AAPL^0000000010^002115000^231502^0^1^1^01790^^홍길동^애플^6^10^"
    )


def test_a_us_cancel_names_the_original_and_the_shares_taken_back() -> None:
    request = replace(US_ORDER, order_no=30001301, orig_order_no=30001234, quantity=7, kind=ExKind.CANCEL)
    at = datetime(2026, 7, 9, 14, 17, 21, tzinfo=UTC)
    event = OrderEvent(EventKind.CANCELED, ACCOUNT, request, at, original=US_ORDER)
    assert notice(event, "HTSID01", "애플", Profile.COMPAT) == (
        "HTSID01^1234567801^0030001301^0030001234^02^2^2^AAPL^0000000007^000000000^231721^0^1^2^01790^^홍길동^애플^6^10^"
    )


def test_a_krx_fill_is_the_documented_text_with_23_fields() -> None:
    at = datetime(2026, 7, 9, 1, 15, 4, tzinfo=UTC)
    execution = Execution(1, 117057, 5, Decimal(71200), at)
    event = OrderEvent(EventKind.FILLED, ACCOUNT, KRX_ORDER, at, execution)
    assert notice(event, "HTSID01", "삼성전자", Profile.COMPAT) == (
        "HTSID01^1234567801^0000117057^^02^0^00^0^005930^0000000005^000071200^101504^0^2^2^91252^000000010^홍길동^삼성전자"
        "^10^^삼성전자^71200"
    )


@pytest.mark.parametrize(("order", "fields"), [(US_ORDER, 25), (KRX_ORDER, 26)])
def test_strict_sends_the_newest_layout(order: ExOrder, fields: int) -> None:
    plain = notice(fill(order, 3, Decimal(100)), "HTSID01", "이름", Profile.STRICT)
    assert plain is not None and len(plain.split("^")) == fields


def test_the_rest_of_an_ioc_order_is_taken_back_without_a_request() -> None:
    plain = notice(OrderEvent(EventKind.CANCELED, ACCOUNT, KRX_ORDER, SENT), "H", "이름", Profile.COMPAT)
    assert plain is not None and plain.split("^")[12:15] == ["0", "1", "3"]


def test_the_expiry_of_a_day_order_is_not_told() -> None:
    assert notice(OrderEvent(EventKind.EXPIRED, ACCOUNT, US_ORDER, SENT), "H", "애플", Profile.COMPAT) is None
