"""The adapter reads the broker's documented answers, and calls an order refused only where that is proven."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.http import Answer
from brokers.ls import account_krx as account
from brokers.ls import codec, codec_krx, tr
from shared.domain.errors import (
    AuthExpired,
    AuthRefused,
    BadPrice,
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
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.market import Bar, Timeframe
from shared.domain.order import BrokerOrder, OrderType, Side, TimeInForce
from tests.brokers.ls.documented import REQUESTS, RESPONSES

NOW = datetime(2026, 3, 10, 1, 43, 30, tzinfo=UTC)  # 10:43:30 in Seoul, the day of the documented answers
TODAY = date(2026, 3, 10)


def answer(code: str, body: Any, status: int = 200) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Answer(code, status, httpx.Headers(), content, NOW)


def days(found: list[dict[str, Any]], timeframe: Timeframe = Timeframe.D1) -> list[Bar]:
    return codec.decode_days("005930", timeframe, found, "jdiff_vol", codec_krx.SESSION, NOW)


# -- market data


def test_the_documented_book_is_read_as_quote_and_book() -> None:
    quote = codec_krx.decode_quote("005930", RESPONSES["t1101"]["t1101OutBlock"], NOW, NOW)
    assert quote is not None
    assert (quote.last, quote.bid, quote.ask) == (Decimal(71300), Decimal(71300), Decimal(71400))
    assert (quote.prev_close, quote.upper_limit, quote.lower_limit) == (Decimal(70900), Decimal(92100), Decimal(49700))
    assert quote.volume == 9482117
    assert quote.at == datetime(2026, 3, 10, 1, 42, 17, 330_000, tzinfo=UTC)
    book = codec_krx.decode_book("005930", RESPONSES["t1101"]["t1101OutBlock"], "", NOW, NOW)
    assert [(len(side), side[0].price, side[0].quantity) for side in (book.asks, book.bids)] == [
        (10, Decimal(71400), 18511),
        (10, Decimal(71300), 8312),
    ]


def test_the_documented_daily_bars_are_read_oldest_first_the_forming_one_open() -> None:
    bars = days(RESPONSES["t8410"]["t8410OutBlock1"])
    assert [(bar.close, bar.volume, bar.closed) for bar in bars] == [
        (Decimal(70900), 14210998, True),
        (Decimal(71300), 9482117, False),
    ]
    assert bars[1].start == datetime(2026, 3, 10, 0, 0, tzinfo=UTC)


def test_minute_bars_are_labelled_by_their_end_and_start_before_it() -> None:
    bars = codec.decode_minutes(
        "005930", Timeframe.M1, RESPONSES["t8412"]["t8412OutBlock1"], ("time", "jdiff_vol"), codec.KST, NOW
    )
    assert [bar.start for bar in bars] == [
        datetime(2026, 3, 10, 1, 40, tzinfo=UTC),
        datetime(2026, 3, 10, 1, 41, tzinfo=UTC),
    ]
    assert all(bar.closed for bar in bars)
    assert (bars[1].high, bars[1].low, bars[1].volume) == (Decimal(71400), Decimal(71300), 18200)


def test_a_halted_day_is_no_bar() -> None:
    row = {**RESPONSES["t8410"]["t8410OutBlock1"][0], "open": 0, "high": 0, "low": 0, "jdiff_vol": 0}
    assert days([row]) == []


def test_the_documented_master_names_board_kind_and_isin() -> None:
    instrument, isin = codec_krx.decode_master(RESPONSES["t8436"])["005930"]
    assert (instrument.board, instrument.type, instrument.venue) == ("KOSPI", InstrumentType.STOCK, Venue.KRX)
    assert (instrument.name, isin) == ("삼성전자", "KR7005930003")


def test_an_empty_master_is_not_an_answer() -> None:
    with pytest.raises(WireError):
        codec_krx.decode_master({"t8436OutBlock": []})


@pytest.mark.parametrize(
    ("written", "value"), [("000.44", "0.44"), ("-01.45", "-1.45"), (71300, "71300"), (" 5 ", "5")]
)
def test_numbers_are_read_however_they_are_written(written: Any, value: str) -> None:
    assert codec.amount({"x": written}, "x") == Decimal(value)


@pytest.mark.parametrize("written", ["", None, "abc", "NaN", "Infinity", "1,000"])
def test_what_is_no_number_is_a_wire_error_never_zero(written: Any) -> None:
    with pytest.raises(WireError):
        codec.amount({"x": written}, "x")


@given(st.integers(0, 86_399), st.integers(-12 * 3600 + 1, 12 * 3600 - 1))
def test_a_time_of_day_is_that_of_the_nearest_day(second: int, away_s: int) -> None:

    at = datetime(2026, 3, 10, tzinfo=codec.KST) + timedelta(seconds=second)
    assert codec.instant_near(f"{at:%H%M%S}", at + timedelta(seconds=away_s)) == at


# -- account


def test_the_documented_day_list_is_read() -> None:
    amended, filled = (account.decode_today(row, TODAY) for row in RESPONSES["t0425"]["t0425OutBlock1"])
    assert (amended.broker_order_id, amended.orig_order_id) == ("41057", "41023")
    assert (amended.leaves_quantity, amended.filled_quantity, amended.canceled) == (10, 0, False)
    assert (amended.is_cancel, amended.rejected, amended.average_fill_price) == (False, False, None)
    assert amended.ordered_at == datetime(2026, 3, 10, 1, 43, 1, 70_000, tzinfo=UTC)
    assert (filled.broker_order_id, filled.side, filled.symbol) == ("41010", Side.BUY, "005930")
    assert (filled.filled_quantity, filled.leaves_quantity, filled.average_fill_price) == (10, 0, Decimal(71300))
    assert (filled.orig_order_id, filled.canceled, filled.venue) == (None, False, Venue.KRX)


@pytest.mark.parametrize(
    ("changed", "canceled", "rejected", "is_cancel", "leaves"),
    [
        ({"status": "접수", "cheqty": 0, "ordrem": 10}, False, False, False, 10),
        ({"status": "완료", "cheqty": 0, "ordrem": 0}, True, False, False, 0),
        ({"status": "거부", "cheqty": 0, "ordrem": 0}, False, True, False, 0),
        ({"status": "취소확인", "cheqty": 0, "ordrem": 0, "orgordno": 41000}, False, False, True, 0),
        ({"status": "취소거부", "cheqty": 0, "ordrem": 0, "orgordno": 41000}, False, False, True, 0),
        ({"status": "정정거부", "cheqty": 0, "ordrem": 0, "orgordno": 41000}, False, True, False, 0),
    ],
)
def test_the_state_of_an_order_is_told_by_its_remainder_and_status(
    changed: dict[str, Any], canceled: bool, rejected: bool, is_cancel: bool, leaves: int
) -> None:
    order = account.decode_today({**RESPONSES["t0425"]["t0425OutBlock1"][1], **changed}, TODAY)
    assert (order.canceled, order.rejected, order.is_cancel, order.leaves_quantity) == (
        canceled,
        rejected,
        is_cancel,
        leaves,
    )


def test_the_documented_history_is_read() -> None:
    (order,) = (account.decode_history(row) for row in RESPONSES["CSPAQ13700"]["CSPAQ13700OutBlock3"])
    assert (order.broker_order_id, order.symbol, order.side) == ("41010", "005930", Side.BUY)
    assert (order.quantity, order.filled_quantity, order.leaves_quantity) == (10, 10, 0)
    assert (order.price, order.average_fill_price) == (Decimal(71300), Decimal(71300))
    assert order.ordered_at == datetime(2026, 3, 10, 1, 39, 11, 550_000, tzinfo=UTC)


def test_the_documented_holding_is_read() -> None:
    (position,) = account.decode_positions(RESPONSES["t0424"]["t0424OutBlock1"])
    assert (position.symbol, position.quantity, position.sellable) == ("005930", 25, 25)
    assert (position.average_price, position.last_price, position.unrealized_pnl) == (
        Decimal(69800),
        Decimal(71300),
        Decimal(33536),
    )


def test_two_rows_of_one_symbol_are_one_position() -> None:
    row = RESPONSES["t0424"]["t0424OutBlock1"][0]
    (position,) = account.decode_positions([row, {**row, "janqty": 75, "mdposqt": 70, "pamt": 71000}])
    assert (position.quantity, position.sellable, position.average_price) == (100, 95, Decimal(70700))


def test_the_documented_cash_and_power_are_read() -> None:
    cash = account.decode_cash(RESPONSES["CSPAQ12200"], NOW)
    assert (cash.total, cash.buying_power, cash.equity) == (Decimal(8254800), Decimal(8254800), Decimal(10037300))
    assert account.decode_power(RESPONSES["CSPBQ00200"]) == (Decimal(8253562), 115)


def test_orders_are_written_as_documented() -> None:
    limit = account.encode_order("A005930", Side.BUY, 10, Decimal(71300), OrderType.LIMIT, Venue.KRX, TimeInForce.DAY)
    assert {"CSPAT00601InBlock1": limit} == REQUESTS["CSPAT00601"]
    original = account.decode_today(RESPONSES["t0425"]["t0425OutBlock1"][0], TODAY)
    assert {"CSPAT00801InBlock1": account.encode_cancel("A005930", original, 10)} == REQUESTS["CSPAT00801"]
    amended = account.encode_amend("A005930", original, 10, Decimal(71200))
    assert {"CSPAT00701InBlock1": {**amended, "OrgOrdNo": 41023}} == REQUESTS["CSPAT00701"]
    assert {"CSPAQ13700InBlock1": account.encode_history(TODAY)} == REQUESTS["CSPAQ13700"]
    assert {"t0425InBlock": account.encode_today(only_open=False, cursor="")} == REQUESTS["t0425"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (InstrumentType.STOCK, "A005930"),
        (InstrumentType.ETF, "A005930"),
        (InstrumentType.ETN, "Q005930"),
        (InstrumentType.ELW, "J005930"),
    ],
)
def test_an_order_names_its_issue_with_the_letter_of_its_kind(kind: InstrumentType, code: str) -> None:
    assert account.issue_code("005930", kind) == code
    assert codec_krx.plain_symbol(code) == "005930"


def test_a_market_order_has_price_zero_and_ioc_its_condition() -> None:
    block = account.encode_order("A005930", Side.SELL, 3, None, OrderType.MARKET, None, TimeInForce.IOC)
    assert (block["OrdPrc"], block["OrdprcPtnCode"], block["OrdCndiTpCode"], block["BnsTpCode"]) == (0, "03", "1", "1")


@pytest.mark.parametrize(
    ("venue", "order_type", "price", "error"),
    [
        (Venue.SOR, OrderType.LIMIT, Decimal(71300), NotSupported),
        (Venue.KRX, OrderType.LOC, Decimal(71300), NotSupported),
        (Venue.KRX, OrderType.LIMIT, Decimal("71300.5"), BadPrice),
        (Venue.KRX, OrderType.LIMIT, Decimal(0), BadPrice),
    ],
)
def test_what_ls_cannot_take_is_refused_before_it_is_sent(
    venue: Venue, order_type: OrderType, price: Decimal, error: type[Refused]
) -> None:
    with pytest.raises(error):
        account.encode_order("A005930", Side.BUY, 1, price, order_type, venue, TimeInForce.DAY)


# -- judgement


@pytest.mark.parametrize("code", ["CSPAT00601", "CSPAT00701", "CSPAT00801"])
def test_the_documented_acknowledgements_are_accepted(code: str) -> None:
    codec.judge(answer(code, RESPONSES[code]), True)


def test_the_documented_rejection_is_proven() -> None:
    with pytest.raises(BadPrice):
        codec.judge(answer("CSPAT00701", RESPONSES["CSPAT00701 rejected"]), True)


def refusal(code: str, number: Any = 0) -> dict[str, Any]:
    return {"rsp_cd": code, "rsp_msg": "모의투자 …", "CSPAT00601OutBlock2": {"RecCnt": 1, "OrdNo": number}}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("01425", InsufficientFunds),
        ("02752", InsufficientFunds),
        ("01458", MarketClosed),
        ("01407", UnknownSymbol),
        ("01427", BadPrice),
        ("01442", OrderRejected),
        ("01491", AuthRefused),
        ("01900", NotSupported),
    ],
)
def test_a_code_seen_live_is_a_refusal_with_or_without_blocks(code: str, error: type[Refused]) -> None:
    for body in (refusal(code), {"rsp_cd": code, "rsp_msg": "…"}):
        with pytest.raises(error):
            codec.judge(answer("CSPAT00601", body), True)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (refusal("00000"), 200),  # success without a number
        ({"rsp_cd": "00040", "rsp_msg": "…"}, 200),
        (refusal("99999"), 200),  # unlisted
        (refusal("01584"), 200),  # known from the older API only
        (refusal("01433"), 200),  # "no such original" proves nothing about the order
        (refusal("02752", 41023), 200),  # a refusal that names an order
        (refusal("99999", 41023), 200),
        (refusal("00040", "41023"), 200),  # a number must be a number
        (refusal("00040", 41023), 500),
        (refusal("02752"), 500),
        ({"rsp_cd": "IGW00201", "rsp_msg": "호출 거래건수를 초과하였습니다."}, 500),
        ({"rsp_cd": "IGW00121", "rsp_msg": "유효하지 않은 token입니다."}, 500),
        ({"rsp_cd": "IGW40014", "rsp_msg": "…"}, 500),
        ({"rsp_cd": "IGW50008", "rsp_msg": "…"}, 500),
        ({}, 200),
    ],
)
def test_every_doubt_about_an_order_is_an_unknown_outcome(body: dict[str, Any], status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        codec.judge(answer("CSPAT00601", body, status), True)


def test_an_unreadable_answer_is_a_wire_error_on_an_order_and_a_wait_on_a_read() -> None:
    with pytest.raises(WireError):
        codec.judge(answer("CSPAT00601", b"<html>"), True)
    with pytest.raises(BrokerUnavailable):
        codec.judge(answer("t0425", b"<html>"), False)


def test_the_gateways_type_check_ran_before_the_order() -> None:
    with pytest.raises(Refused):
        codec.judge(answer("CSPAT00601", {"rsp_cd": "IGW40011", "rsp_msg": "…"}, 500), True)


@given(st.text(max_size=6), st.integers(0, 600), st.one_of(st.integers(), st.none(), st.text(max_size=3)))
def test_an_order_is_accepted_only_with_200_a_number_and_a_code_of_zeroes(code: str, status: int, number: Any) -> None:
    try:
        codec.judge(answer("CSPAT00601", refusal(code, number), status), True)
    except (Refused, OutcomeUnknown):
        return
    assert status == 200
    assert isinstance(number, int)
    assert number > 0
    assert code.startswith("00")


@pytest.mark.parametrize("code", sorted(set(RESPONSES) & set(tr.TRS)))
def test_every_documented_answer_of_a_read_is_a_success_of_its_own_tr(code: str) -> None:
    codec.judge(answer(code, RESPONSES[code]), code in {"CSPAT00601", "CSPAT00701", "CSPAT00801"})


@pytest.mark.parametrize(
    ("code", "body", "status", "error"),
    [
        ("t0425", {"rsp_cd": "IGW00201"}, 500, RateLimited),
        ("t0425", {"rsp_cd": "IGW00121"}, 500, AuthExpired),
        ("t0425", {"rsp_cd": "IGW00123"}, 401, AuthExpired),
        ("t0425", {"rsp_cd": "IGW40013"}, 500, Refused),
        ("t0425", {"rsp_cd": "IGW50008"}, 500, BrokerUnavailable),
        ("t0425", {"rsp_cd": "00136"}, 200, Refused),  # a success of other TRs, not of this one
        ("CSPAQ12200", {"rsp_cd": "00707"}, 200, Refused),  # "nothing" is no cash balance
        ("CSPAQ12200", {"rsp_cd": "405"}, 200, AuthRefused),
        ("token", {"error_code": "IGW00105"}, 403, AuthRefused),
        ("token", {"rsp_cd": "IGW00103"}, 403, AuthRefused),
        ("token", {"error_code": "IGW00201"}, 403, RateLimited),
        ("token", {}, 403, BrokerUnavailable),
    ],
)
def test_reads_and_tokens_are_judged_by_code(code: str, body: Any, status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        codec.judge(answer(code, body, status), False)
    assert type(raised.value) is error


def test_a_broker_order_of_history_and_of_today_agree_on_what_they_share() -> None:
    today = account.decode_today(RESPONSES["t0425"]["t0425OutBlock1"][1], TODAY)
    dated = account.decode_history(RESPONSES["CSPAQ13700"]["CSPAQ13700OutBlock3"][0])

    def shared(order: BrokerOrder) -> tuple[Any, ...]:
        return (order.broker_order_id, order.symbol, order.side, order.quantity, order.price, order.filled_quantity)

    assert shared(today) == shared(dated)


@pytest.mark.parametrize(
    ("timeframe", "day"), [(Timeframe.M1, 10), (Timeframe.M15, 11), (Timeframe.H1, 11), (Timeframe.D1, 10)]
)
def test_a_bar_that_ends_at_midnight_is_labelled_with_the_next_day(timeframe: Timeframe, day: int) -> None:
    session = codec.Session(codec.KST, time(9, 0), time(15, 30))
    at = datetime(2026, 3, 10, 14, 50, tzinfo=UTC)  # ten to midnight in Seoul
    assert session.label_day(at, timeframe) == date(2026, 3, day)
