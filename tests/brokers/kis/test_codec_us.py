"""US shares: our orders say what KIS documents, and its rows say what they mean."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.kis.codec import decode_ack, rows
from brokers.kis.codec_us import UsDialect, collared, price_text
from brokers.kis.dialect import Ticket
from shared.domain.account import AccountNumber, Market
from shared.domain.errors import BadPrice, NotSupported, WireError
from shared.domain.instrument import Venue
from shared.domain.market import Timeframe
from shared.domain.order import OrderType, Side, TimeInForce
from shared.domain.venue_rules import on_tick
from tests.brokers.kis.payload import answer, request

LIVE = UsDialect(AccountNumber("12345678", "01"), mock=False)
MOCK = UsDialect(AccountNumber("50001234", "01"), mock=True)
NOW = datetime(2026, 7, 9, 14, 17, tzinfo=UTC)  # 23:17 in Seoul, 10:17 in New York


def ticket(side: Side = Side.BUY, price: str | None = "211.50", kind: OrderType = OrderType.LIMIT) -> Ticket:
    limit = None if price is None else Decimal(price)
    return Ticket("AAPL", side, 10, limit, kind, Venue.NASDAQ, TimeInForce.DAY)


def test_a_buy_is_written_as_documented() -> None:
    ask = LIVE.order(ticket())
    assert (ask.tr.id(False), ask.fields) == ("TTTT1002U", request("TTTT1002U"))


def test_a_mock_sell_has_the_id_that_is_not_t_to_v() -> None:
    ask = MOCK.order(Ticket("AAPL", Side.SELL, 3, Decimal("215"), OrderType.LIMIT, Venue.NASDAQ, TimeInForce.DAY))
    assert (ask.tr.id(True), ask.fields) == ("VTTT1001U", request("VTTT1001U"))


def test_a_cancel_is_written_as_documented() -> None:
    (row,) = rows(answer("TTTS3018R"), "output")
    ask = LIVE.change(LIVE.read_order(row, NOW), 7, None, "")
    assert (ask.tr.id(False), ask.fields) == ("TTTT1004U", request("TTTT1004U"))


def test_a_mock_order_number_goes_back_unpadded() -> None:
    (row,) = rows(answer("TTTS3018R"), "output")
    ask = MOCK.change(MOCK.read_order({**row, "odno": "37508"}, NOW), 7, Decimal("210.00"), "")
    assert (ask.fields["ORGN_ODNO"], ask.fields["RVSE_CNCL_DVSN_CD"]) == ("37508", "01")


@pytest.mark.parametrize(
    ("dialect", "side", "kind", "price"),
    [
        (LIVE, Side.BUY, OrderType.MOC, None),
        (LIVE, Side.BUY, OrderType.MARKET, None),
        (MOCK, Side.SELL, OrderType.LOC, "211.50"),
    ],
)
def test_what_kis_does_not_offer_is_refused_here(
    dialect: UsDialect, side: Side, kind: OrderType, price: str | None
) -> None:
    with pytest.raises(NotSupported):
        dialect.order(ticket(side, price, kind))


@pytest.mark.parametrize("price", ["211.50505", "0.12345", "0", "-1"])
def test_a_price_kis_cannot_read_never_leaves(price: str) -> None:
    with pytest.raises(BadPrice):
        LIVE.order(ticket(price=price))


@pytest.mark.parametrize(
    ("price", "text"), [("211.5", "211.50"), ("211.5000", "211.50"), ("0.5", "0.50"), ("0.1234", "0.1234")]
)
def test_a_price_is_written_with_two_to_four_decimals(price: str, text: str) -> None:
    assert price_text(Decimal(price)) == text


@given(st.decimals("0.01", "100000", places=4), st.sampled_from(Side))
def test_a_collared_price_is_on_the_tick_and_inside_the_collar(last: Decimal, side: Side) -> None:
    limit = collared(last, side, Decimal(5), NOW.date())
    assert on_tick(Market.US, limit, NOW.date())
    away = (limit / last - 1) * 100 if side is Side.BUY else (1 - limit / last) * 100
    assert away <= 5
    assert abs(limit - last * (Decimal("1.05") if side is Side.BUY else Decimal("0.95"))) <= Decimal("0.01")


def test_an_answer_names_the_order_and_its_time() -> None:
    ack = decode_ack(answer("TTTT1002U"), NOW)
    assert (ack.broker_order_id, ack.org_no) == ("0030001234", "01790")
    assert ack.acknowledged_at == datetime(2026, 7, 9, 14, 15, 2, tzinfo=UTC)
    assert decode_ack(answer("VTTT1001U"), NOW).broker_order_id == "0000037508"


@pytest.mark.parametrize("output", [None, {}, {"ODNO": ""}, {"ODNO": "abc"}, [], {"KRX_FWDG_ORD_ORGNO": "1"}])
def test_an_answer_without_an_order_number_proves_nothing(output: object) -> None:
    with pytest.raises(WireError):
        decode_ack({"rt_cd": "0", "output": output}, NOW)


def test_an_open_order_is_read() -> None:
    (row,) = rows(answer("TTTS3018R"), "output")
    order = LIVE.read_order(row, NOW)
    assert (order.broker_order_id, order.side, order.quantity) == ("0030001234", Side.BUY, 10)
    assert (order.filled_quantity, order.leaves_quantity) == (3, 7)
    assert (order.price, order.average_fill_price, order.venue) == (Decimal("211.5"), Decimal("211.5"), Venue.NASDAQ)
    assert order.ordered_at == datetime(2026, 7, 9, 14, 15, 2, tzinfo=UTC)
    assert not order.canceled and not order.rejected and order.orig_order_id is None


def executed(**changes: str) -> dict[str, str]:
    (row,) = rows(answer("TTTS3035R"), "output")
    return {**row, **changes}


def test_an_order_after_korean_midnight_keeps_its_instant() -> None:
    row = executed(ord_dt="20260708", dmst_ord_dt="20260709", ord_tmd="054648", thco_ord_tmd="054648")
    at = datetime(2026, 7, 8, 20, 46, 48, tzinfo=UTC)
    assert LIVE.read_order(row, NOW).ordered_at == at
    del row["dmst_ord_dt"]  # as in the list of open orders
    assert LIVE.read_order(row, at + timedelta(hours=1)).ordered_at == at


def test_what_is_left_of_a_cancelled_order_is_nothing() -> None:
    order = LIVE.read_order(executed(nccs_qty="0"), NOW)
    assert order.canceled and order.filled_quantity == 3 and not order.rejected


def test_a_rejected_order_is_not_a_cancelled_one() -> None:
    row = executed(ft_ccld_qty="0", nccs_qty="10", prcs_stat_name="거부", rjct_rson="0012", rjct_rson_name="한도 초과")
    order = LIVE.read_order(row, NOW)
    assert order.rejected and not order.canceled and order.leaves_quantity == 0
    assert order.reject_reason == "한도 초과"


def test_a_row_that_stands_for_a_cancel_says_so() -> None:
    order = LIVE.read_order(executed(rvse_cncl_dvsn="02", orgn_odno="0030001234", nccs_qty="0"), NOW)
    assert order.is_cancel and not order.canceled and order.orig_order_id == "0030001234"


@pytest.mark.parametrize("field", ["odno", "pdno", "ft_ord_qty", "ft_ccld_qty", "nccs_qty", "sll_buy_dvsn_cd"])
def test_a_blank_where_a_value_must_stand_is_an_error_not_a_zero(field: str) -> None:
    with pytest.raises(WireError):
        LIVE.read_order(executed(**{field: "  "}), NOW)


def test_positions_count_executed_shares() -> None:
    (position,) = LIVE.read_positions([answer("CTRP6504R")])
    assert (position.symbol, position.quantity, position.sellable) == ("AAPL", 13, 13)
    assert (position.average_price, position.unrealized_pnl) == (Decimal("207.6538"), Decimal("55.59"))


def test_blank_and_sold_out_rows_are_no_positions() -> None:
    body = answer("CTRP6504R")
    (row,) = body["output1"]
    body["output1"] = [dict.fromkeys(row, ""), {**row, "ccld_qty_smtl1": "0.00000000"}]
    assert LIVE.read_positions([body]) == []
    assert LIVE.read_positions([{"output1": dict.fromkeys(row, "")}]) == []


def test_cash_is_what_is_free_and_what_open_buys_hold_back() -> None:
    cash = LIVE.read_cash([answer("CTRP6504R")], None, NOW)
    assert (cash.total, cash.buying_power) == (Decimal("9177.84"), Decimal("7697.34"))
    assert cash.equity == Decimal("9177.84") + Decimal("2755.09")


def test_buying_power_is_in_foreign_cash_only() -> None:
    assert LIVE.power("AAPL", Decimal("211.50"), Venue.NASDAQ).fields == request("TTTS3007R")
    assert LIVE.read_power(answer("TTTS3007R")) == (Decimal("7678.15"), 36)


def test_a_quote_is_read_and_an_unknown_symbol_is_none() -> None:
    quote = LIVE.read_quote("AAPL", answer("HHDFS00000300"), NOW, NOW)
    assert quote is not None
    assert (quote.last, quote.prev_close, quote.volume) == (Decimal("211.93"), Decimal("210.5"), 12034567)
    assert quote.bid is None and quote.upper_limit is None
    assert LIVE.read_quote("ZZZZZ", answer("HHDFS00000300-unknown"), NOW, NOW) is None


def test_the_book_has_ten_levels_best_first() -> None:
    book = LIVE.read_book("AAPL", answer("HHDFS76200100"), NOW, NOW)
    assert len(book.bids) == len(book.asks) == 10
    assert (book.bids[0].price, book.bids[0].quantity, book.asks[0].price) == (
        Decimal("211.92"),
        100,
        Decimal("211.94"),
    )
    assert book.at == datetime(2026, 7, 9, 14, 15, 30, tzinfo=UTC)


def test_minute_bars_are_in_new_york_time_and_the_forming_one_is_open() -> None:
    now = datetime(2026, 7, 9, 14, 15, 30, tzinfo=UTC)
    newest, older = LIVE.read_bars("AAPL", Timeframe.M1, answer("HHDFS76950200"), now)
    assert newest.start == datetime(2026, 7, 9, 14, 15, tzinfo=UTC) and not newest.closed
    assert older.closed and older.volume == 48022
    before = LIVE.earlier(Timeframe.M1, now, [newest, older], now)
    assert before is not None
    assert LIVE.bars("AAPL", Venue.NASDAQ, Timeframe.M1, before, now).fields["KEYB"] == "20260709101300"


def test_daily_bars_page_by_the_day_before_the_oldest() -> None:
    today, yesterday = LIVE.read_bars("AAPL", Timeframe.D1, answer("HHDFS76240000"), NOW)
    assert (today.closed, yesterday.closed) == (False, True)
    assert today.start == datetime(2026, 7, 9, 13, 30, tzinfo=UTC)
    before = LIVE.earlier(Timeframe.D1, NOW, [today, yesterday], NOW)
    assert before is not None
    assert LIVE.bars("AAPL", Venue.NASDAQ, Timeframe.D1, before, NOW).fields["BYMD"] == "20260707"


def test_executions_are_asked_by_us_dates() -> None:
    asked = LIVE.executions(date(2026, 7, 8), date(2026, 7, 9)).fields
    documented = request("TTTS3035R")
    assert asked == {name: value for name, value in documented.items() if not name.startswith("CTX")}
    assert MOCK.executions(date(2026, 7, 8), date(2026, 7, 9)).fields["PDNO"] == ""


def test_mock_trading_has_no_book_minutes_or_ticks() -> None:
    assert MOCK.stream_tr is None
    for ask in (MOCK.book("AAPL", Venue.NASDAQ), MOCK.bars("AAPL", Venue.NASDAQ, Timeframe.M1, NOW, NOW)):
        with pytest.raises(NotSupported):
            ask.tr.id(True)
