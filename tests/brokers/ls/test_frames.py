"""The adapter reads the documented frames: trades, acknowledgements, the notices SC0 to SC4."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from brokers.ls import codec_krx, frames
from shared.domain.account import Market
from shared.domain.errors import WireError
from shared.domain.order import Side
from tests.brokers.ls.documented import FRAMES

NOW = datetime(2026, 3, 10, 1, 43, tzinfo=UTC)


def test_registrations_are_written_as_documented() -> None:
    written = json.loads(frames.encode_registration("<access_token>", "S3_", "005930", True))
    assert written == FRAMES["register"]
    types = [
        json.loads(frames.encode_registration("t", code, "", on))["header"]["tr_type"]
        for code, on in (("SC0", True), ("SC0", False), ("S3_", True), ("S3_", False))
    ]
    assert types == ["1", "2", "3", "4"]


def test_an_acknowledgement_is_told_by_its_code() -> None:
    ack = frames.decode_frame(json.dumps(FRAMES["ack"]))
    assert (ack.tr, ack.kind, ack.code, ack.body) == ("S3_", "3", "00000", None)
    assert frames.decode_frame(json.dumps(FRAMES["S3_"])).code == ""


def test_the_documented_trade_is_read() -> None:
    tick = codec_krx.decode_tick(FRAMES["S3_"]["body"], NOW, NOW)
    assert (tick.symbol, tick.price, tick.quantity) == ("005930", Decimal(71300), 12)
    assert tick.at == datetime(2026, 3, 10, 1, 42, 17, tzinfo=UTC)


def test_the_documented_receipt_is_read() -> None:
    notice = frames.decode_notice(Market.KRX, "SC0", FRAMES["SC0"]["body"], NOW, NOW)
    assert notice is not None
    assert (notice.broker_order_id, notice.symbol, notice.kind) == ("41023", "005930", "accepted")
    assert (notice.orig_order_id, notice.fill) == (None, None)


@pytest.mark.parametrize("ordchegb", ["02", "03"])
def test_a_change_that_is_only_received_says_nothing_yet(ordchegb: str) -> None:
    body = {**FRAMES["SC0"]["body"], "ordchegb": ordchegb, "orgordno": "41023", "ordno": "41057"}
    assert frames.decode_notice(Market.KRX, "SC0", body, NOW, NOW) is None


def test_the_documented_execution_carries_its_own_number() -> None:
    notice = frames.decode_notice(Market.KRX, "SC1", FRAMES["SC1"]["body"], NOW, NOW)
    assert notice is not None
    assert notice.fill is not None
    fill = notice.fill
    assert (notice.kind, fill.execution_id, fill.broker_order_id) == ("filled", "20260310-41010-1", "41010")
    assert (fill.side, fill.quantity, fill.price) == (Side.BUY, 4, Decimal(71300))
    assert fill.filled_at == datetime(2026, 3, 10, 1, 39, 12, 31_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "kind", "changed"),
    [
        ("SC2", "amended", {"ordxctptncode": "12", "ordno": "41057", "orgordno": "41023", "execqty": "0"}),
        ("SC3", "canceled", {"ordxctptncode": "13", "ordno": "41057", "orgordno": "41023", "execqty": "0"}),
        ("SC4", "rejected", {"ordxctptncode": "14", "ordno": "41057", "orgordno": "41023", "rjtqty": "10"}),
    ],
)
def test_the_other_notices_name_the_request_and_the_order_it_changed(
    code: str, kind: str, changed: dict[str, str]
) -> None:
    notice = frames.decode_notice(Market.KRX, code, {**FRAMES["SC1"]["body"], **changed}, NOW, NOW)
    assert notice is not None
    assert (notice.kind, notice.broker_order_id, notice.orig_order_id) == (kind, "41057", "41023")
    assert notice.fill is None


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("SC1", {"execno": ""}),
        ("SC1", {"execqty": "0"}),
        ("SC1", {"execprc": "x"}),
        ("SC1", {"bnstp": ""}),
        ("SC1", {"exectime": "999999999"}),
        ("SC1", {"ordno": ""}),
        ("SC3", {"shtnIsuno": ""}),
        ("AS1", {}),
    ],
)
def test_a_notice_that_is_not_as_documented_is_unreadable(code: str, changed: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        frames.decode_notice(Market.KRX, code, {**FRAMES["SC1"]["body"], **changed}, NOW, NOW)


# No official sample: the names are those of ls.md §5.6.
AS1 = {
    "sOrdNo": "212", "sOrgOrdNo": "0", "sOrdxctPtnCode": "11", "sShtnIsuNo": "BRK.B", "sBnsTp": "1", "sExecNO": "2",
    "sExecQty": "4", "sExecPrc": "241.5", "sExecTime": "003912031", "sRjtRsn": "",
}  # fmt: skip
NIGHT = datetime(2026, 3, 10, 15, 40, tzinfo=UTC)  # 00:40 in Seoul, of the 11th


def test_a_us_execution_carries_its_own_number_and_its_korean_time() -> None:
    notice = frames.decode_notice(Market.US, "AS1", AS1, NIGHT, NIGHT)
    assert notice is not None and notice.fill is not None
    fill = notice.fill
    assert (notice.kind, notice.symbol, fill.execution_id) == ("filled", "BRK.B", "20260311-212-2")
    assert (fill.side, fill.quantity, fill.price) == (Side.SELL, 4, Decimal("241.5"))
    assert fill.filled_at == datetime(2026, 3, 10, 15, 39, 12, 31_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "changed", "kind"),
    [
        ("AS0", {"sOrdxctPtnCode": "01"}, "accepted"),
        ("AS0", {"sOrdxctPtnCode": "03"}, None),
        ("AS2", {"sOrgOrdNo": "211"}, "amended"),
        ("AS3", {"sOrgOrdNo": "211"}, "canceled"),
        ("AS4", {"sRjtRsn": "0411"}, "rejected"),
    ],
)
def test_the_other_us_notices_are_told_apart(code: str, changed: dict[str, str], kind: str | None) -> None:
    notice = frames.decode_notice(Market.US, code, {**AS1, **changed}, NIGHT, NIGHT)
    assert (notice.kind if notice else None) == kind
    if notice is not None:
        assert notice.orig_order_id == ("211" if "sOrgOrdNo" in changed else None)
        assert notice.text == ("sRjtRsn 0411" if kind == "rejected" else "")


@pytest.mark.parametrize(
    ("market", "code", "changed"),
    [
        (Market.KRX, "AS1", {}),
        (Market.US, "SC1", {}),
        (Market.US, "AS1", {"sBnsTp": "3"}),
        (Market.US, "AS1", {"sExecPrc": "0"}),
        (Market.US, "AS1", {"sOrdNo": "x"}),
    ],
)
def test_a_us_notice_that_is_not_as_documented_is_unreadable(
    market: Market, code: str, changed: dict[str, str]
) -> None:
    with pytest.raises(WireError):
        frames.decode_notice(market, code, {**AS1, **changed}, NIGHT, NIGHT)


@pytest.mark.parametrize("text", ["", "hello", "[]", "{}", '{"header": 1}', '{"header": {}, "body": []}'])
def test_what_is_no_frame_is_a_wire_error(text: str) -> None:
    with pytest.raises(WireError):
        frames.decode_frame(text)
