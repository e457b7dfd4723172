"""Korean shares: our orders say what KIS documents, and its rows say what they mean."""

import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.kis.codec import calendar_day, decode_ack, rows
from brokers.kis.codec_krx import KrxDialect
from brokers.kis.dialect import Ticket
from brokers.kis.lookup import krx_type
from shared.domain.account import AccountNumber
from shared.domain.errors import BadPrice, NotSupported, WireError
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce
from tests.brokers.kis.payload import answer, request

LIVE = KrxDialect(AccountNumber("12345678", "01"), mock=False)
MOCK = KrxDialect(AccountNumber("50001234", "01"), mock=True)
NOW = datetime(2026, 7, 9, 1, 15, 30, tzinfo=UTC)  # 10:15:30 in Seoul


def ticket(
    price: str | None = "71200",
    kind: OrderType = OrderType.LIMIT,
    venue: Venue = Venue.KRX,
    until: TimeInForce = TimeInForce.DAY,
) -> Ticket:
    return Ticket("005930", Side.BUY, 10, None if price is None else Decimal(price), kind, venue, until)


def executed(**changes: str) -> dict[str, str]:
    (row,) = rows(answer("TTTC0081R"), "output1")
    return {**row, **changes}


def test_a_buy_is_written_as_documented() -> None:
    ask = LIVE.order(ticket())
    assert (ask.tr.id(False), ask.tr.id(True)) == ("TTTC0012U", "VTTC0012U")
    assert ask.fields == request("TTTC0012U")


@pytest.mark.parametrize(
    ("kind", "price", "until", "code"),
    [
        (OrderType.MARKET, None, TimeInForce.DAY, "01"),
        (OrderType.LIMIT, "71200", TimeInForce.IOC, "11"),
        (OrderType.LIMIT, "71200", TimeInForce.FOK, "12"),
        (OrderType.MARKET, None, TimeInForce.IOC, "13"),
        (OrderType.MARKET, None, TimeInForce.FOK, "14"),
    ],
)
def test_order_kinds_have_their_codes(kind: OrderType, price: str | None, until: TimeInForce, code: str) -> None:
    fields = LIVE.order(ticket(price, kind, until=until)).fields
    assert (fields["ORD_DVSN"], fields["ORD_UNPR"]) == (code, price or "0")


@pytest.mark.parametrize(
    ("dialect", "wanted"),
    [
        (LIVE, ticket(kind=OrderType.LOC)),
        (LIVE, ticket(None, OrderType.MARKET, Venue.NXT)),
        (LIVE, ticket(venue=Venue.NASDAQ)),
        (MOCK, ticket(venue=Venue.NXT)),
    ],
)
def test_what_kis_does_not_offer_is_refused_here(dialect: KrxDialect, wanted: Ticket) -> None:
    with pytest.raises(NotSupported):
        dialect.order(wanted)


def test_a_fraction_of_a_won_never_leaves() -> None:
    with pytest.raises(BadPrice):
        LIVE.order(ticket("71200.5"))


def test_cancelling_the_whole_rest_is_written_as_documented() -> None:
    order = LIVE.read_order(executed(), NOW)
    ask = LIVE.change(order, 7, None, "91252")
    assert (ask.tr.id(False), ask.fields) == ("TTTC0013U", {**request("TTTC0013U"), "CNDT_PRIC": ""})
    part = LIVE.change(order, 5, None, "91252").fields
    assert (part["QTY_ALL_ORD_YN"], part["ORD_QTY"]) == ("N", "5")


def test_executions_and_open_orders_agree_about_one_order() -> None:
    (row,) = rows(answer("TTTC0084R"), "output")
    listed, still_open = LIVE.read_order(executed(), NOW), LIVE.read_order(row, NOW)
    assert listed == still_open
    assert (listed.broker_order_id, listed.filled_quantity, listed.leaves_quantity) == ("0000117057", 3, 7)
    assert listed.ordered_at == datetime(2026, 7, 9, 1, 15, 2, tzinfo=UTC)
    assert listed.average_fill_price == Decimal(71200)


def test_cancelled_rejected_and_cancel_rows_are_told_apart() -> None:
    canceled = LIVE.read_order(executed(rmn_qty="0", cnc_cfrm_qty="7"), NOW)
    rejected = LIVE.read_order(executed(tot_ccld_qty="0", rjct_qty="10"), NOW)
    request_row = LIVE.read_order(executed(cncl_yn="Y", orgn_odno="0000117057", rmn_qty="0", tot_ccld_qty="0"), NOW)
    assert (canceled.canceled, canceled.rejected, canceled.is_cancel) == (True, False, False)
    assert (rejected.canceled, rejected.rejected, rejected.leaves_quantity) == (False, True, 0)
    assert (request_row.canceled, request_row.is_cancel) == (False, True)


def spans(since: date, until: date, today: date = date(2026, 7, 9)) -> list[tuple[str, str, str]]:
    asks = LIVE.executions(since, until, today)
    return [(ask.tr.live, ask.fields["INQR_STRT_DT"], ask.fields["INQR_END_DT"]) for ask in asks]


def test_executions_before_three_months_are_another_transaction() -> None:
    assert spans(date(2026, 7, 9), date(2026, 7, 9)) == [("TTTC0081R", "20260709", "20260709")]
    assert spans(date(2026, 1, 1), date(2026, 7, 9)) == [
        ("CTSC9215R", "20260101", "20260408"),
        ("TTTC0081R", "20260409", "20260709"),
    ]
    assert spans(date(2026, 1, 1), date(2026, 2, 1)) == [("CTSC9215R", "20260101", "20260201")]
    assert spans(date(2026, 2, 1), date(2026, 5, 31), date(2026, 5, 31))[1][1] == "20260228"


@given(st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.integers(0, 400), st.dates(date(2024, 1, 1), date(2027, 1, 1)))
def test_the_lists_of_executions_cover_every_day_once(since: date, length: int, today: date) -> None:
    until = since + timedelta(days=length)
    covered: list[date] = []
    for _, first, last in spans(since, until, today):
        start, end = (calendar_day(day) for day in (first, last))
        covered += [start + timedelta(days=n) for n in range((end - start).days + 1)]
    assert covered == [since + timedelta(days=n) for n in range(length + 1)]


def test_executions_are_asked_as_documented() -> None:
    (ask,) = LIVE.executions(date(2026, 7, 9), date(2026, 7, 9), date(2026, 7, 9))
    documented = {k: v for k, v in request("TTTC0081R").items() if not k.startswith("CTX")}
    assert ask.fields == {**documented, "INQR_DVSN": "01", "EXCG_ID_DVSN_CD": "ALL"}
    (ask,) = MOCK.executions(date(2026, 7, 9), date(2026, 7, 9), date(2026, 7, 9))
    assert (ask.tr.id(True), ask.fields["EXCG_ID_DVSN_CD"]) == ("VTTC0081R", "KRX")


def test_positions_and_d2_cash() -> None:
    body = answer("TTTC8434R")
    (position,) = LIVE.read_positions([body])
    assert (position.symbol, position.quantity, position.sellable) == ("005930", 13, 13)
    cash = LIVE.read_cash([body], answer("TTTC8908R"), NOW)
    assert (cash.total, cash.equity, cash.buying_power) == (Decimal(4786370), Decimal(5711970), Decimal(4786370))
    body["output1"][0]["hldg_qty"] = "0"
    assert LIVE.read_positions([body]) == []


def test_buying_power_is_without_margin() -> None:
    assert LIVE.read_power(answer("TTTC8908R")) == (Decimal(4785650), 51)


@pytest.mark.parametrize(
    ("words", "last", "unit", "kind"),
    [
        ("삼성전자보통주 국내주식 KOSPI200", 71200, 100, InstrumentType.STOCK),
        ("삼성KODEX200증권상장지수투자신탁[주식]", 36000, 5, InstrumentType.ETF),
        ("신한 레버리지 WTI원유 상장지수증권", 9000, 5, InstrumentType.ETN),
        ("KODEX 200", 36000, 5, InstrumentType.ETF),
        ("싼 주식", 3000, 5, InstrumentType.STOCK),
    ],
)
def test_a_fund_is_told_by_its_legal_name_or_by_its_price_unit(
    words: str, last: int, unit: int, kind: InstrumentType
) -> None:
    assert krx_type(words, Decimal(last), Decimal(unit), NOW.date()) is kind


@pytest.mark.parametrize("venue", [Venue.KRX, Venue.NXT, Venue.SOR])
def test_orders_and_changes_are_routed(venue: Venue) -> None:
    assert LIVE.order(ticket(venue=venue)).fields["EXCG_ID_DVSN_CD"] == venue
    order = LIVE.read_order(executed(excg_id_dvsn_cd=str(venue)), NOW)
    assert order.venue is venue
    assert LIVE.change(order, 7, None, "91252").fields["EXCG_ID_DVSN_CD"] == venue


@pytest.mark.parametrize("session", [OrderSession.DAY_MARKET, OrderSession.RESERVED])
def test_korean_shares_have_no_other_session(session: OrderSession) -> None:
    with pytest.raises(NotSupported):
        LIVE.order(replace(ticket(), session=session))
    with pytest.raises(NotSupported):
        LIVE.change(replace(LIVE.read_order(executed(), NOW), session=session), 1, None, "")


def test_what_kis_has_not_for_korean_shares_is_refused_in_both_languages() -> None:
    with pytest.raises(NotSupported, match=r"예약주문.*reserved"):
        LIVE.reserved_orders(date(2026, 7, 1), date(2026, 7, 9))
    with pytest.raises(NotSupported, match=r"체결 기준.*by execution"):
        LIVE.settled()
    with pytest.raises(NotSupported, match=r"모의투자.*mock trading"):
        MOCK.order(ticket(venue=Venue.NXT))
    with pytest.raises(NotSupported, match=r"모의투자.*mock trading"):
        MOCK.profit(date(2026, 7, 1), date(2026, 7, 9)).tr.id(True)


def test_period_profit_counts_sales_with_their_costs() -> None:
    asked = LIVE.profit(date(2026, 7, 1), date(2026, 7, 9))
    assert asked.fields == {k: v for k, v in request("TTTC8715R").items() if not k.startswith("CTX")}
    page = answer("TTTC8715R")
    page["output1"].append({**page["output1"][0], "sll_qty": "0", "buy_qty": "5"})
    profit = LIVE.read_profit([page])
    assert (profit.realized, profit.fees, profit.taxes) == (Decimal(1930), Decimal(20), Decimal(250))
    (row,) = profit.rows
    assert (row.trade_date, row.symbol, row.quantity) == (date(2026, 7, 3), "005930", 2)
    assert (row.bought, row.sold, row.realized) == (Decimal(139600), Decimal(141800), Decimal(1930))


@given(st.data(), st.sampled_from(["TTTC0081R", "TTTC0084R"]))
def test_a_wrong_typed_or_cut_row_is_read_or_is_a_wire_error(data: st.DataObject, name: str) -> None:
    row: dict[str, object] = dict(rows(answer(name), "output1" if name == "TTTC0081R" else "output")[0])
    for field in data.draw(st.lists(st.sampled_from(sorted(row)), min_size=1, unique=True)):
        row[field] = data.draw(st.one_of(st.none(), st.text(max_size=4), st.integers(), st.just({})))
    with contextlib.suppress(WireError):
        LIVE.read_order(row, NOW)


def test_lists_and_amounts_are_asked_as_documented() -> None:
    for ask, name in ((LIVE.open_orders(NOW.date()), "TTTC0084R"), (LIVE.balance(), "TTTC8434R")):
        assert ask.fields == {k: v for k, v in request(name).items() if not k.startswith("CTX")}
    power = LIVE.power("005930", Decimal(71200), Venue.KRX)
    # 00 asks at the price of the limit order; 01 would ask at the upper limit
    assert power.fields == {**request("TTTC8908R"), "ORD_DVSN": "00"}
    assert MOCK.open_orders(NOW.date()).tr.id(True) == "VTTC0081R"


def test_a_change_is_written_and_answered_as_documented() -> None:
    order = LIVE.read_order(executed(), NOW)
    fields = LIVE.change(order, 7, None, "91252").fields
    assert fields == {**request("TTTC0013U"), "CNDT_PRIC": ""}
    assert decode_ack(answer("TTTC0012U"), NOW).org_no == "91252"
    assert decode_ack(answer("TTTC0013U"), NOW).broker_order_id == "0000117102"
