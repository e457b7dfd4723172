"""Korean shares: our orders say what KIS documents, and its rows say what they mean."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from brokers.kis.bars import merged
from brokers.kis.codec import KST, rows
from brokers.kis.codec_krx import KrxDialect
from brokers.kis.dialect import Ticket
from brokers.kis.lookup import krx_type
from shared.domain.account import AccountNumber
from shared.domain.errors import BadPrice, NotSupported
from shared.domain.instrument import InstrumentType, Venue
from shared.domain.market import Bar, Timeframe
from shared.domain.order import OrderType, Side, TimeInForce
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


def test_executions_older_than_three_months_are_refused_not_cut() -> None:
    asked = LIVE.executions(date(2026, 7, 9), date(2026, 7, 9)).fields
    assert (asked["INQR_STRT_DT"], asked["EXCG_ID_DVSN_CD"]) == ("20260709", "ALL")
    with pytest.raises(NotSupported):
        LIVE.executions(date(2026, 1, 1), date(2026, 7, 9))


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


def test_a_quote_has_its_limits_and_price_zero_is_an_unknown_code() -> None:
    body = answer("FHKST01010100")
    quote = LIVE.read_quote("005930", body, NOW, NOW)
    assert quote is not None
    assert (quote.last, quote.upper_limit, quote.lower_limit) == (Decimal(71200), Decimal(92100), Decimal(49700))
    body["output"] = {"stck_prpr": "0"}
    assert LIVE.read_quote("AAPL", body, NOW, NOW) is None


def test_the_book_has_ten_levels_best_first() -> None:
    book = LIVE.read_book("005930", answer("FHKST01010200"), NOW, NOW)
    assert (len(book.bids), len(book.asks)) == (10, 10)
    assert book.bids[0].price < book.asks[0].price
    assert book.at == datetime(2026, 7, 9, 1, 15, 3, tzinfo=UTC)


def test_minute_bars_of_today_and_of_earlier_days_are_two_transactions() -> None:
    first = LIVE.bars("005930", Venue.KRX, Timeframe.M1, NOW, NOW)
    assert (first.tr.live, first.fields["FID_INPUT_HOUR_1"]) == ("FHKST03010200", "101530")
    newest, older = LIVE.read_bars("005930", Timeframe.M1, answer("FHKST03010200"), NOW)
    assert (newest.closed, older.closed) == (False, True)
    yesterday = LIVE.earlier(Timeframe.M1, NOW, [], NOW)
    assert yesterday is not None
    past = LIVE.bars("005930", Venue.KRX, Timeframe.M1, yesterday, NOW)
    assert (past.tr.live, past.fields["FID_INPUT_DATE_1"]) == ("FHKST03010230", "20260708")
    assert MOCK.earlier(Timeframe.M1, NOW, [], NOW) is None


def test_daily_bars_are_asked_adjusted_and_a_halted_day_has_none() -> None:
    assert LIVE.bars("005930", Venue.KRX, Timeframe.D1, NOW, NOW).fields["FID_ORG_ADJ_PRC"] == "0"
    body = answer("FHKST03010100")
    body["output2"].append({**body["output2"][0], "stck_bsop_date": "20260708", "stck_oprc": "0", "acml_vol": "0"})
    (today,) = LIVE.read_bars("005930", Timeframe.D1, body, NOW)
    assert today.start == datetime(2026, 7, 9, 0, 0, tzinfo=UTC) and not today.closed


def test_minutes_merge_into_fives_and_a_half_seen_bucket_is_left_out() -> None:
    minutes = [
        Bar("A", Timeframe.M1, datetime(2026, 7, 9, 0, minute, tzinfo=UTC), *map(Decimal, (m, m + 1, m - 1, m)), 10)
        for m, minute in enumerate(range(3, 12), 100)
    ]
    five, forming = merged(minutes, Timeframe.M5, datetime(2026, 7, 9, 0, 11, 30, tzinfo=UTC), KST)
    assert five.start == datetime(2026, 7, 9, 0, 5, tzinfo=UTC)
    assert (five.open, five.high, five.low, five.close, five.volume) == (102, 107, 101, 106, 50)
    assert five.closed and not forming.closed and forming.volume == 20


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
