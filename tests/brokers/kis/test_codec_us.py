"""US shares: our orders say what KIS documents, and its rows say what they mean."""

import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.kis.codec import KST, decode_ack, rows
from brokers.kis.codec_us import UsDialect, collared, price_text
from brokers.kis.dialect import Ticket
from shared.domain.account import AccountNumber, Market
from shared.domain.errors import BadPrice, NotSupported, WireError
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce
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


def one_list(dialect: UsDialect, since: date, until: date) -> dict[str, str]:
    (ask,) = dialect.executions(since, until, NOW.date())
    return ask.fields


def test_executions_are_asked_by_us_dates() -> None:
    asked = one_list(LIVE, date(2026, 7, 8), date(2026, 7, 9))
    documented = request("TTTS3035R")
    assert asked == {name: value for name, value in documented.items() if not name.startswith("CTX")}
    assert one_list(MOCK, date(2026, 7, 8), date(2026, 7, 9))["PDNO"] == ""


def sent(kind: OrderType = OrderType.LIMIT, side: Side = Side.BUY, **changes: object) -> Ticket:
    return replace(ticket(side, None if kind in {OrderType.MOO, OrderType.MOC} else "211.50", kind), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("side", "kind", "code"),
    [
        (Side.BUY, OrderType.LIMIT, "00"),
        (Side.SELL, OrderType.MOO, "31"),
        (Side.BUY, OrderType.LOO, "32"),
        (Side.SELL, OrderType.LOO, "32"),
        (Side.SELL, OrderType.MOC, "33"),
        (Side.BUY, OrderType.LOC, "34"),
        (Side.SELL, OrderType.LOC, "34"),
    ],
)
def test_every_us_order_type_has_its_code(side: Side, kind: OrderType, code: str) -> None:
    fields = LIVE.order(sent(kind, side)).fields
    assert fields["ORD_DVSN"] == code
    assert fields["OVRS_ORD_UNPR"] == ("0" if kind in {OrderType.MOO, OrderType.MOC} else "211.50")


@pytest.mark.parametrize(("venue", "code"), [(Venue.NASDAQ, "NASD"), (Venue.NYSE, "NYSE"), (Venue.AMEX, "AMEX")])
def test_every_us_exchange_has_its_code(venue: Venue, code: str) -> None:
    assert LIVE.order(sent(venue=venue)).fields["OVRS_EXCG_CD"] == code
    with pytest.raises(NotSupported):
        LIVE.order(sent(venue=Venue.KRX))


def test_a_day_market_order_is_written_as_documented() -> None:
    ask = LIVE.order(sent(session=OrderSession.DAY_MARKET, quantity=1, price=Decimal("210")))
    assert (ask.tr.id(False), ask.fields) == ("TTTS6036U", request("TTTS6036U"))
    sale = LIVE.order(sent(side=Side.SELL, session=OrderSession.DAY_MARKET))
    assert sale.tr.id(False) == "TTTS6037U" and "SLL_TYPE" not in sale.fields
    with pytest.raises(NotSupported):
        LIVE.order(sent(OrderType.LOC, session=OrderSession.DAY_MARKET))


def test_a_reserved_order_is_written_as_documented() -> None:
    ask = LIVE.order(sent(session=OrderSession.RESERVED, quantity=1, price=Decimal("205")))
    assert (ask.tr.id(False), ask.tr.id(True), ask.fields) == ("TTTT3014U", "VTTT3014U", request("TTTT3014U"))
    at_open = LIVE.order(sent(OrderType.MOO, Side.SELL, session=OrderSession.RESERVED))
    assert (at_open.tr.id(False), at_open.fields["ORD_DVSN"], at_open.fields["FT_ORD_UNPR3"]) == (
        "TTTT3016U",
        "31",
        "0",
    )
    with pytest.raises(NotSupported):
        LIVE.order(sent(OrderType.LOC, session=OrderSession.RESERVED))
    assert decode_ack(answer("TTTT3014U"), NOW).broker_order_id == "0030135009"


def test_a_reservation_is_listed_and_cancelled_whole_as_documented() -> None:
    listed = LIVE.reserved_orders(date(2026, 7, 1), date(2026, 7, 9))
    asked = request("TTTT3039R")
    assert listed.fields == {name: value for name, value in asked.items() if not name.startswith("CTX")}
    (row,) = rows(answer("TTTT3039R"), "output")
    order = LIVE.read_reserved(row)
    assert (order.broker_order_id, order.leaves_quantity, order.session) == ("0030135009", 1, OrderSession.RESERVED)
    assert order.ordered_at == datetime(2026, 7, 9, 1, 15, tzinfo=UTC)
    ask = LIVE.change(order, 1, None, "")
    assert (ask.tr.id(False), ask.fields) == ("TTTT3017U", request("TTTT3017U"))
    assert decode_ack(answer("TTTT3017U"), NOW).broker_order_id == "0030135009"
    with pytest.raises(NotSupported):
        LIVE.change(order, 1, Decimal("204.00"), "")


@pytest.mark.parametrize(
    ("changes", "canceled", "rejected"),
    [
        ({"cncl_yn": "Y"}, True, False),
        ({"nprc_rson_text": "잔고부족"}, False, True),
        ({"odno": "0030001234"}, False, False),
    ],
)
def test_a_reservation_that_ended_waits_no_longer(changes: dict[str, str], canceled: bool, rejected: bool) -> None:
    (row,) = rows(answer("TTTT3039R"), "output")
    order = LIVE.read_reserved({**row, **changes})
    assert (order.leaves_quantity, order.canceled, order.rejected) == (0, canceled, rejected)


def test_a_change_goes_to_the_book_of_its_order() -> None:
    by_night, by_day = LIVE.read_order(executed(), NOW), LIVE.read_order(executed(thco_ord_tmd="110501"), NOW)
    assert (by_night.session, by_day.session) == (OrderSession.REGULAR, OrderSession.DAY_MARKET)
    assert MOCK.read_order(executed(thco_ord_tmd="110501"), NOW).session is OrderSession.REGULAR
    assert LIVE.change(by_night, 7, None, "").tr.live == "TTTT1004U"
    assert LIVE.change(by_day, 7, Decimal("211.00"), "").tr.live == "TTTS6038U"


def test_a_class_share_is_spelled_with_a_slash_on_the_wire_and_a_dot_here() -> None:
    ask = LIVE.order(sent(symbol="BRK.B", venue=Venue.NYSE))
    assert ask.fields["PDNO"] == "BRK/B"
    order = LIVE.read_order(executed(pdno="BRK/B"), NOW)
    assert order.symbol == "BRK.B"
    assert LIVE.change(order, 1, None, "").fields["PDNO"] == "BRK/B"
    body = answer("CTRP6504R")
    body["output1"][0]["pdno"] = "BRK/B"
    assert [position.symbol for position in LIVE.read_positions([body])] == ["BRK.B"]


def test_settled_holdings_are_asked_whole_and_counted_once() -> None:
    (whole_us,) = LIVE.settled()
    assert whole_us.fields == {k: v for k, v in request("TTTS3012R").items() if not k.startswith("CTX")}
    assert [ask.fields["OVRS_EXCG_CD"] for ask in MOCK.settled()] == ["NASD", "NYSE", "AMEX"]
    page = answer("TTTS3012R")
    (position,) = LIVE.read_settled([page, page])
    assert (position.symbol, position.quantity, position.sellable) == ("AAPL", 10, 10)
    assert (position.average_price, position.last_price) == (Decimal("206.5"), Decimal("211.93"))


def test_period_profit_is_in_dollars_and_its_summary_is_the_last_pages() -> None:
    asked = LIVE.profit(date(2026, 6, 1), date(2026, 7, 9))
    assert asked.fields == {k: v for k, v in request("TTTS3039R").items() if not k.startswith("CTX")}
    profit = LIVE.read_profit([answer("TTTS3039R")])
    assert (profit.currency, profit.realized, profit.fees, profit.taxes) == (
        "USD",
        Decimal("21.92"),
        Decimal("2.48"),
        None,
    )
    (row,) = profit.rows
    assert (row.trade_date, row.symbol, row.quantity) == (date(2026, 7, 2), "MSFT", 2)
    assert (row.bought, row.sold, row.realized) == (Decimal("960.20"), Decimal("984.60"), Decimal("21.92"))
    assert LIVE.read_profit([{"output1": [], "output2": {}}]).realized == 0


@pytest.mark.parametrize("make", ["reserved_orders", "profit"])
def test_what_mock_trading_has_not_is_refused_in_both_languages(make: str) -> None:
    ask = getattr(MOCK, make)(date(2026, 7, 1), date(2026, 7, 9))
    with pytest.raises(NotSupported) as refused:
        ask.tr.id(True)
    assert "모의투자" in refused.value.message and "mock trading" in refused.value.message


@given(st.decimals("0.0001", "99999.9999", places=4))
def test_a_price_survives_the_wire(price: Decimal) -> None:
    assert Decimal(price_text(price)) == price


@given(st.integers(1_578_000_000, 1_860_000_000))
def test_an_order_time_survives_the_wire(seconds: int) -> None:
    kst = datetime.fromtimestamp(seconds, KST)
    row = executed(dmst_ord_dt=f"{kst:%Y%m%d}", thco_ord_tmd=f"{kst:%H%M%S}")
    assert LIVE.read_order(row, NOW).ordered_at == kst.astimezone(UTC)


WRONG = st.one_of(st.none(), st.text(max_size=4), st.integers(), st.lists(st.integers(), max_size=1), st.just({}))


@given(st.data())
def test_a_wrong_typed_or_cut_row_is_read_or_is_a_wire_error(data: st.DataObject) -> None:
    row: dict[str, object] = dict(executed())
    for name in data.draw(st.lists(st.sampled_from(sorted(row)), min_size=1, unique=True)):
        if data.draw(st.booleans()):
            row[name] = data.draw(WRONG)
        else:
            del row[name]
    with contextlib.suppress(WireError):
        LIVE.read_order(row, NOW)


def test_lists_are_asked_as_documented() -> None:
    assert LIVE.balance().fields == request("CTRP6504R")
    assert LIVE.open_orders(NOW.date()).fields == {k: v for k, v in request("TTTS3018R").items() if k[:3] != "CTX"}
    assert MOCK.open_orders(NOW.date()).tr.id(True) == "VTTS3035R"


@pytest.mark.parametrize(
    ("name", "number"), [("TTTT1004U", "0030001301"), ("TTTS6036U", "0030000045"), ("TTTT3014U", "0030135009")]
)
def test_every_order_answer_names_its_order(name: str, number: str) -> None:
    assert decode_ack(answer(name), NOW).broker_order_id == number
