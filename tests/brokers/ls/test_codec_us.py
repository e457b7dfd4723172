"""US shares: the documented answers are read, the documented requests written, one spelling for class shares."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.ls import account_us as account
from brokers.ls import codec, codec_us
from brokers.ls.codec import KST
from brokers.ls.codec_us import NEW_YORK
from shared.domain.errors import BadPrice, NotSupported, OrderRejected, WireError
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.market import Timeframe
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, OrderType, Side, TimeInForce
from tests.brokers.ls.documented import FURTHER_FRAMES, FURTHER_REQUESTS, FURTHER_RESPONSES

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)  # 11:00 in New York, midnight in Seoul
DAY = date(2026, 3, 10)
TSLA = codec_us.Key("82", "TSLA")
ROW = FURTHER_RESPONSES["COSAQ00102"]["COSAQ00102OutBlock3"][0]


def order_of(**changed: Any) -> BrokerOrder:
    return account.decode_order({**ROW, **changed}, DAY, NOW)


# -- names


@pytest.mark.parametrize(
    ("symbol", "tried"),
    [
        ("TSLA", ["82TSLA", "81TSLA"]),
        ("BRK.B", ["82BRK/B", "81BRK/B", "82BRK.B", "81BRK.B", "82BRK-B", "81BRK-B"]),
    ],
)
def test_a_symbol_is_looked_for_at_both_exchange_codes_and_in_every_spelling(symbol: str, tried: list[str]) -> None:
    assert [key.joined for key in codec_us.candidates(symbol)] == tried


@given(st.from_regex(r"[A-Z]{1,5}", fullmatch=True), st.sampled_from("ABC"), st.sampled_from("/.-"), st.integers(0, 5))
def test_a_class_share_has_one_spelling_whatever_ls_writes(stem: str, letter: str, mark: str, padding: int) -> None:
    ours = codec_us.our_symbol(f"{stem}{mark}{letter}" + " " * padding)
    assert ours == f"{stem}.{letter}"
    assert codec_us.our_symbol(ours) == ours
    assert f"{stem}{mark}{letter}" in [key.ticker for key in codec_us.candidates(ours)]


def test_a_stream_key_is_eighteen_long() -> None:
    assert TSLA.padded == FURTHER_FRAMES["GSC"]["header"]["tr_key"]


# -- market data


def test_the_documented_price_is_read_with_its_tradability() -> None:
    assert codec_us.decode_price(FURTHER_RESPONSES["g3101"]) == (Decimal("251.6700"), "")
    for field, value, why in (("suspend", "Y", "halted"), ("sellonly", 1, "sell only"), ("sellonly", "2", "tradable")):
        block = {**FURTHER_RESPONSES["g3101"]["g3101OutBlock"], field: value}
        assert why in codec_us.decode_price({"g3101OutBlock": block})[1]


LISTING = {
    "g3104OutBlock": {
        "exchcd": "82", "symbol": "TSLA", "korname": "테슬라", "engname": "TESLA INC", "exchange_name": "나스닥",
        "instname": "주식", "untprc": "0.0100", "bidlotsize2": "1", "pcls": "250.1000", "share": 3216520000,
    }
}  # fmt: skip


def listing(**changed: str) -> dict[str, Any]:
    return {"g3104OutBlock": {**LISTING["g3104OutBlock"], **changed}}


@pytest.mark.parametrize(
    ("changed", "venue", "kind"),
    [
        ({}, Venue.NASDAQ, InstrumentType.STOCK),
        ({"exchcd": "81", "exchange_name": "뉴욕"}, Venue.NYSE, InstrumentType.STOCK),
        ({"exchcd": "81", "exchange_name": "아멕스", "instname": "ETF"}, Venue.AMEX, InstrumentType.ETF),
        ({"exchcd": "81", "exchange_name": "NYSE ARCA", "instname": "etn"}, Venue.AMEX, InstrumentType.ETN),
    ],
)
def test_an_instrument_has_its_exchange_and_kind(changed: dict[str, str], venue: Venue, kind: InstrumentType) -> None:
    found = codec_us.decode_instrument("TSLA", listing(**changed))
    assert (found.venue, found.type, found.currency) == (venue, kind, Currency.USD)
    assert (found.name, found.name_en) == ("테슬라", "TESLA INC")


def test_price_and_listing_make_a_detail() -> None:
    detail = codec_us.decode_detail("TSLA", FURTHER_RESPONSES["g3101"], LISTING)
    assert detail is not None
    assert (detail.last, detail.prev_close, detail.tick_size) == (
        Decimal("251.67"),
        Decimal("250.10"),
        Decimal("0.01"),
    )
    assert (detail.lot, detail.tradable, detail.eps, detail.listed_shares) == (1, True, Decimal("2.09"), 3216520000)


@pytest.mark.parametrize("body", [{}, {"g3104OutBlock": {}}, {"g3104OutBlock": {"symbol": " "}}, {"g3104OutBlock": []}])
def test_an_answer_without_its_block_is_about_no_symbol(body: dict[str, Any]) -> None:
    assert not codec_us.known(body, "g3104")
    assert codec_us.known(LISTING, "g3104")


def book(**changed: Any) -> dict[str, Any]:
    numbered = {f"{name}{i}": value for i in range(1, 11) for name, value in _LEVEL.items()}
    head = {"price": "283.0200", "jnilclose": "284.9500", "volume": 431173, "hotime": "235959"}
    return {"g3106OutBlock": {**numbered, **head, **changed}}


_LEVEL = {"offerho": "0.0000", "bidho": "0.0000", "offerrem": 0, "bidrem": 0}


def test_a_book_leaves_out_empty_levels_and_is_of_the_nearest_korean_time() -> None:
    body = book(offerho1="283.1100", offerrem1=40, bidho1="283.0200", bidrem1=30)
    found = codec_us.decode_book("TSLA", body, NOW, NOW)
    assert [(level.price, level.quantity) for level in (*found.bids, *found.asks)] == [
        (Decimal("283.02"), 30),
        (Decimal("283.11"), 40),
    ]
    quote = codec_us.decode_quote("TSLA", body, NOW, NOW)
    assert quote is not None
    assert (quote.last, quote.bid, quote.ask, quote.prev_close) == (
        Decimal("283.02"),
        Decimal("283.02"),
        Decimal("283.11"),
        Decimal("284.95"),
    )
    assert (quote.upper_limit, quote.lower_limit, quote.volume) == (None, None, 431173)
    assert quote.at == datetime(2026, 3, 10, 14, 59, 59, tzinfo=UTC)
    assert codec_us.decode_quote("TSLA", book(price="0.0000"), NOW, NOW) is None


def test_the_documented_minute_bar_is_of_new_york_and_labelled_by_its_end() -> None:
    rows = FURTHER_RESPONSES["g3203"]["g3203OutBlock1"]
    (bar,) = codec.decode_minutes("TSLA", Timeframe.M5, rows, ("loctime", "exevol"), codec_us.NEW_YORK, NOW)
    assert bar.start == datetime(2026, 3, 10, 13, 35, tzinfo=UTC)  # 09:35, summer time
    assert (bar.close, bar.volume, bar.closed) == (Decimal("251.2"), 180224, True)


def test_midnight_may_be_called_twenty_four() -> None:
    at = codec.instant(date(2026, 3, 9), "240000", codec_us.NEW_YORK)
    assert at == datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


def test_the_documented_daily_bar_is_open_until_the_close_in_new_york() -> None:
    rows = FURTHER_RESPONSES["g3204"]["g3204OutBlock1"]

    def bar(timeframe: Timeframe) -> Any:
        (one,) = codec.decode_days("TSLA", timeframe, rows, "volume", codec_us.SESSION, NOW)
        return one.start, one.closed

    assert bar(Timeframe.D1) == (datetime(2026, 3, 10, 13, 30, tzinfo=UTC), False)
    assert bar(Timeframe.W1) == (datetime(2026, 3, 9, 13, 30, tzinfo=UTC), False)  # Monday
    assert bar(Timeframe.MN1) == (datetime(2026, 3, 1, 14, 30, tzinfo=UTC), False)  # before summer time


@pytest.mark.parametrize(
    ("timeframe", "code"), [(Timeframe.M1, "g3203"), (Timeframe.D1, "g3204"), (Timeframe.MN1, "g3204")]
)
def test_bars_are_asked_for_in_the_documented_form(timeframe: Timeframe, code: str) -> None:
    asked, block = codec_us.encode_bars(TSLA, timeframe, 100, DAY)
    assert asked.code == code
    documented = FURTHER_REQUESTS[code][f"{code}InBlock"]
    assert {name: type(value) for name, value in block.items()} == {n: type(v) for n, v in documented.items()}
    assert block["edate"] == "20260310" and str(block["sdate"]) < "20260301"


def test_the_documented_trade_is_read_by_its_korean_time() -> None:
    tick = codec_us.decode_tick(FURTHER_FRAMES["GSC"]["body"], NOW)
    assert (tick.symbol, tick.price, tick.quantity) == ("TSLA", Decimal("251.6700"), 15)
    assert tick.at == datetime(2026, 3, 10, 14, 15, 12, tzinfo=UTC)


def test_a_pushed_book_is_read() -> None:
    body = {**{f"{n}{i}": "0" for i in range(1, 11) for n in _LEVEL}, "symbol": "BRK.B", "kortime": "235500"}
    found = codec_us.decode_pushed_book({**body, "bidho1": "12.2000", "bidrem1": "12760"}, NOW, NOW)
    assert (found.symbol, [level.quantity for level in found.bids], found.asks) == ("BRK.B", [12760], ())


# -- orders


def test_the_documented_order_is_written() -> None:
    block = account.encode_order(TSLA, Side.BUY, 3, Decimal("241.5"), OrderType.LIMIT, TimeInForce.DAY)
    assert {"COSAT00301InBlock1": block} == FURTHER_REQUESTS["COSAT00301"]


@pytest.mark.parametrize(
    ("side", "kind", "code"),
    [
        (Side.BUY, OrderType.LIMIT, "00"),
        (Side.BUY, OrderType.LOO, "M1"),
        (Side.BUY, OrderType.LOC, "M2"),
        (Side.SELL, OrderType.LOC, "M2"),
        (Side.SELL, OrderType.MARKET, "03"),
        (Side.SELL, OrderType.MOO, "M3"),
        (Side.SELL, OrderType.MOC, "M4"),
    ],
)
def test_each_order_type_has_its_code(side: Side, kind: OrderType, code: str) -> None:
    price = None if kind in {OrderType.MARKET, OrderType.MOO, OrderType.MOC} else Decimal("10.01")
    block = account.encode_order(TSLA, side, 1, price, kind, TimeInForce.DAY)
    assert (block["OrdprcPtnCode"], block["OvrsOrdPrc"]) == (code, 0 if price is None else 10.01)


@pytest.mark.parametrize(
    ("side", "kind", "price", "time_in_force", "error"),
    [
        (Side.BUY, OrderType.MARKET, None, TimeInForce.DAY, NotSupported),
        (Side.BUY, OrderType.MOO, None, TimeInForce.DAY, NotSupported),
        (Side.BUY, OrderType.MOC, None, TimeInForce.DAY, NotSupported),
        (Side.BUY, OrderType.LIMIT, Decimal(10), TimeInForce.IOC, NotSupported),
        (Side.SELL, OrderType.LIMIT, Decimal(10), TimeInForce.FOK, NotSupported),
        (Side.BUY, OrderType.LIMIT, None, TimeInForce.DAY, BadPrice),
        (Side.BUY, OrderType.LIMIT, Decimal("10.00001"), TimeInForce.DAY, BadPrice),
        (Side.BUY, OrderType.LIMIT, Decimal("NaN"), TimeInForce.DAY, BadPrice),
        (Side.SELL, OrderType.MOC, Decimal(10), TimeInForce.DAY, BadPrice),
    ],
)
def test_what_ls_cannot_take_is_refused_in_both_languages_before_it_is_sent(
    side: Side, kind: OrderType, price: Decimal | None, time_in_force: TimeInForce, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        account.encode_order(TSLA, side, 1, price, kind, time_in_force)
    if error is NotSupported:
        assert "미국주식" in str(raised.value) and "LS takes no" in str(raised.value)


def test_no_shares_are_no_order() -> None:
    with pytest.raises(OrderRejected):
        account.encode_order(TSLA, Side.BUY, 0, Decimal(10), OrderType.LIMIT, TimeInForce.DAY)


@given(st.decimals(Decimal("0.0001"), Decimal(999_999), places=4))
def test_a_price_goes_over_the_wire_unchanged(price: Decimal) -> None:
    assert Decimal(str(account.dollars(price))) == price


def test_the_documented_amend_is_written_and_changes_the_price_only() -> None:
    original = order_of(OrdNo=212, UnercQty=3, ExecQty=0, AllExecQty=0)
    block = account.encode_amend(TSLA, original, 3, Decimal(240))
    assert {"COSAT00311InBlock1": block} == FURTHER_REQUESTS["COSAT00311"]
    with pytest.raises(NotSupported, match="가격만"):
        account.encode_amend(TSLA, original, 2, Decimal(240))


def test_a_cancel_is_an_order_of_its_own_kind() -> None:
    block = account.encode_cancel(TSLA, order_of(), 3)
    assert (block["OrdPtnCode"], block["OrgOrdNo"], block["OrdQty"], block["OvrsOrdPrc"]) == ("08", 212, 3, 0)


# -- account


def test_the_documented_questions_are_written() -> None:
    asked = account.encode_orders("82", DAY, False)
    assert {"COSAQ00102InBlock1": asked} == FURTHER_REQUESTS["COSAQ00102"]
    assert {"COSOQ00201InBlock1": account.encode_balance(DAY)} == FURTHER_REQUESTS["COSOQ00201"]
    assert FURTHER_REQUESTS["COSOQ02701"] == {"COSOQ02701InBlock1": account.ASK_CASH}


def test_the_documented_fill_is_read() -> None:
    order = order_of()
    assert (order.broker_order_id, order.symbol, order.side, order.venue) == ("212", "TSLA", Side.BUY, Venue.NASDAQ)
    assert (order.filled_quantity, order.leaves_quantity, order.average_fill_price) == (3, 0, Decimal("241.5"))
    assert (order.canceled, order.rejected, order.is_cancel, order.orig_order_id) == (False, False, False, None)
    assert order.ordered_at == datetime(2026, 3, 10, 14, 31, 5, 412_000, tzinfo=UTC)


OPEN = {"ExecQty": 0, "AllExecQty": 0, "OvrsExecPrc": "0.0000000", "OrdTrxPtnNm": "접수완료"}


@pytest.mark.parametrize(
    ("changed", "leaves", "canceled", "rejected", "is_cancel"),
    [
        ({"UnercQty": 3}, 3, False, False, False),
        ({"UnercQty": 0}, 0, True, False, False),  # amended: the child lives on, and the word has not changed
        ({"UnercQty": 0, "OrdTrxPtnNm": "취소완료"}, 0, True, False, False),
        ({"UnercQty": 3, "OrdTrxPtnNm": "주문거부"}, 0, False, True, False),
        ({"UnercQty": 3, "OrdPtnCode": "08", "OrgOrdNo": 211}, 0, False, False, True),
        ({"UnercQty": 3, "OrdPtnCode": "07", "OrgOrdNo": 211}, 3, False, False, False),
    ],
)
def test_what_became_of_an_order_is_told_by_what_is_left(
    changed: dict[str, Any], leaves: int, canceled: bool, rejected: bool, is_cancel: bool
) -> None:
    order = order_of(**{**OPEN, **changed})
    found = (order.leaves_quantity, order.canceled, order.rejected, order.is_cancel)
    assert found == (leaves, canceled, rejected, is_cancel)
    assert order.orig_order_id == ("211" if "OrgOrdNo" in changed else None)
    assert order.average_fill_price is None


@pytest.mark.parametrize(
    ("clock", "now", "at"),
    [
        ("233105412", datetime(2026, 3, 12, tzinfo=UTC), datetime(2026, 3, 10, 14, 31, 5, 412_000, tzinfo=UTC)),
        ("020000000", datetime(2026, 3, 12, tzinfo=UTC), datetime(2026, 3, 10, 17, tzinfo=UTC)),
        ("020000000", datetime(2026, 3, 9, 18, tzinfo=UTC), datetime(2026, 3, 9, 17, tzinfo=UTC)),
        # our clock is two seconds behind the stamp of an order of this moment
        ("020000000", datetime(2026, 3, 10, 16, 59, 58, tzinfo=UTC), datetime(2026, 3, 10, 17, tzinfo=UTC)),
    ],
)
def test_a_time_after_midnight_is_of_the_next_morning_unless_that_is_still_to_come(
    clock: str, now: datetime, at: datetime
) -> None:
    assert account.decode_order({**ROW, "OrdTime": clock}, DAY, now).ordered_at == at


@pytest.mark.parametrize("hour", range(24))
def test_where_trade_never_ends_every_hour_is_of_the_new_york_day_that_was_asked_for(hour: int) -> None:
    at = datetime(2026, 3, 10, hour, 30, tzinfo=NEW_YORK)
    row = {**ROW, "OrdTime": f"{at.astimezone(KST):%H%M%S}000"}
    assert account.decode_order(row, at.date(), at, never_closes=True).ordered_at == at


@pytest.mark.parametrize(
    "changed",
    [{"BnsTpCode": ""}, {"OrdNo": None}, {"OrdQty": "x"}, {"OrdQty": 1.5}, {"ShtnIsuNo": " "}, {"OrdTime": ""}],
)
def test_a_row_that_is_not_as_documented_is_a_wire_error(changed: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        order_of(**changed)


HOLDING = FURTHER_RESPONSES["COSOQ00201"]["COSOQ00201OutBlock4"][0]


def test_the_documented_holding_is_read_by_execution_and_by_settlement() -> None:
    (held,) = account.decode_positions([{**HOLDING, "AstkSettQty": "1.000000"}], settled=False)
    assert (held.symbol, held.quantity, held.sellable, held.currency) == ("TSLA", 3, 3, Currency.USD)
    assert (held.average_price, held.last_price, held.name) == (Decimal("241.5"), Decimal("251.67"), "테슬라")
    (settled,) = account.decode_positions([{**HOLDING, "AstkSettQty": "1.000000"}], settled=True)
    assert settled.quantity == 1


def test_fractions_and_other_currencies_are_no_position_and_balance_kinds_are_one() -> None:
    rows = [{**HOLDING, "AstkBalQty": "0.700000"}, {**HOLDING, "CrcyCode": "HKD"}]
    assert account.decode_positions(rows, settled=False) == []
    (both,) = account.decode_positions([HOLDING, {**HOLDING, "FcstckUprc": "251.5"}], settled=False)
    assert (both.quantity, both.average_price) == (6, Decimal("246.5"))


def test_cash_is_what_is_there_after_every_settlement() -> None:
    row = {"CrcyCode": "USD", "T4FcurrDps": "775.5000", "FcurrDps": "1500.0000", "FcurrOrdAbleAmt": "700.00"}
    cash = account.decode_cash({"COSOQ02701OutBlock3": [{"CrcyCode": "HKD"}, row]}, NOW)
    assert (cash.total, cash.buying_power, cash.currency) == (Decimal("775.5"), Decimal(700), Currency.USD)
    assert account.decode_cash({"COSOQ02701OutBlock3": []}, NOW).total == 0


@given(st.decimals(0, 10**6, places=2), st.decimals(Decimal("0.01"), 10**4, places=2))
def test_what_cash_affords_can_be_paid_with_the_fee_and_one_more_could_not(cash: Decimal, price: Decimal) -> None:
    shares, each = account.affordable(cash, price, Decimal("0.25")), price * Decimal("1.0025")
    assert shares * each <= cash < (shares + 1) * each


def test_the_last_trades_carry_korean_dates_and_times() -> None:
    assert codec_us.encode_trades(TSLA, 5)["keysymbol"] == TSLA.joined
    row = {"kordate": "20260709", "kortime": "231500", "price": "211.93", "exevol": "40"}
    now = datetime(2026, 7, 9, 14, 15, 30, tzinfo=UTC)
    trade = codec_us.decode_trade("TSLA", row, now)
    assert (trade.price, trade.quantity, trade.at) == (Decimal("211.93"), 40, datetime(2026, 7, 9, 14, 15, tzinfo=UTC))


def test_a_table_of_days_that_do_not_follow_one_another_is_refused() -> None:
    day = {"open": "10", "high": "12", "low": "9", "volume": 5}
    newest = {**day, "chedate": "20260310", "price": "11.0000", "sign": "2", "diff": "1.0000"}
    older = {**day, "chedate": "20260309", "price": "10.0000", "sign": "5", "diff": "0.5000"}
    now = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
    first, second = codec_us.decode_table("TSLA", Timeframe.D1, [newest, older], now)
    assert (first.close, second.close, second.closed) == (Decimal(10), Decimal(11), True)
    split = {**older, "price": "20.0000"}
    with pytest.raises(WireError, match="not adjusted"):
        codec_us.decode_table("TSLA", Timeframe.D1, [newest, split], now)
