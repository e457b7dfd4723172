"""Korean prices, charts and calendar: asked as KIS documents, read for what they mean."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.kis.codec import KST, calendar_day
from brokers.kis.quotes_krx import SPANS, KrxQuotes
from shared.domain.errors import NotSupported, WireError
from shared.domain.instrument import Venue
from shared.domain.market import Timeframe
from shared.domain.order import OrderSession
from tests.brokers.kis.payload import answer, request

LIVE, MOCK = KrxQuotes(mock=False), KrxQuotes(mock=True)
REGULAR = OrderSession.REGULAR
NOW = datetime(2026, 7, 9, 1, 15, 30, tzinfo=UTC)  # 10:15:30 in Seoul


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
    newest, older = LIVE.read_bars("005930", Venue.KRX, Timeframe.M1, answer("FHKST03010200"), NOW)
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
    (today,) = LIVE.read_bars("005930", Venue.KRX, Timeframe.D1, body, NOW)
    assert today.start == datetime(2026, 7, 9, 0, 0, tzinfo=UTC) and not today.closed


def test_the_day_of_another_venue_ends_when_its_last_session_does() -> None:
    body, evening = answer("FHKST03010100"), datetime(2026, 7, 9, 9, 0, tzinfo=UTC)  # 18:00 in Seoul
    assert LIVE.read_bars("005930", Venue.KRX, Timeframe.D1, body, evening)[0].closed
    assert not LIVE.read_bars("005930", Venue.SOR, Timeframe.D1, body, evening)[0].closed


def test_the_last_trades_are_asked_by_venue_and_dated_by_the_clock() -> None:
    asked = LIVE.trades("005930", Venue.NXT)
    assert (asked.tr.live, asked.fields["FID_COND_MRKT_DIV_CODE"]) == ("FHKST01010300", "NX")
    row = {"stck_cntg_hour": "101529", "stck_prpr": "71200", "cntg_vol": "12"}
    (trade,) = LIVE.read_trades("005930", {"output": [row]}, NOW, NOW)
    assert (trade.price, trade.quantity, trade.at) == (Decimal(71200), 12, datetime(2026, 7, 9, 1, 15, 29, tzinfo=UTC))
    with pytest.raises(WireError):
        LIVE.read_trades("005930", {"output": [{**row, "cntg_vol": "x"}]}, NOW, NOW)


@pytest.mark.parametrize(("venue", "code"), [(Venue.KRX, "J"), (Venue.NXT, "NX"), (Venue.SOR, "UN")])
def test_prices_are_asked_by_venue(venue: Venue, code: str) -> None:
    assert LIVE.quote("005930", Venue.KRX, REGULAR).fields == request("FHKST01010100")
    assert LIVE.quote("005930", venue, REGULAR).fields["FID_COND_MRKT_DIV_CODE"] == code
    assert LIVE.book("005930", venue, REGULAR).fields["FID_COND_MRKT_DIV_CODE"] == code
    with pytest.raises(NotSupported):
        LIVE.quote("005930", venue, OrderSession.DAY_MARKET)


def test_the_detail_tells_tick_halt_and_warnings() -> None:
    detail = LIVE.read_detail("005930", answer("FHKST01010100"))
    assert detail is not None
    assert (detail.tick_size, detail.lot, detail.tradable, detail.warning) == (Decimal(100), 1, True, "")
    assert (detail.open, detail.high_52w, detail.listed_shares) == (Decimal(71000), Decimal(78900), 5919637922)
    changed = {"output": {**answer("FHKST01010100")["output"], "iscd_stat_cls_code": "58", "mrkt_warn_cls_code": "02"}}
    halted = LIVE.read_detail("005930", changed)
    assert halted is not None and (halted.tradable, halted.warning) == (False, "투자경고")


@pytest.mark.parametrize(("timeframe", "code"), [(Timeframe.D1, "D"), (Timeframe.W1, "W"), (Timeframe.MN1, "M")])
def test_a_period_chart_never_asks_more_than_a_page_holds(timeframe: Timeframe, code: str) -> None:
    fields = LIVE.bars("005930", Venue.KRX, timeframe, NOW, NOW).fields
    assert fields["FID_PERIOD_DIV_CODE"] == code
    days = (date(2026, 7, 9) - calendar_day(fields["FID_INPUT_DATE_1"])).days + 1
    most = {"D": days * 5 / 7 + 1.5, "W": days / 7 + 1, "M": days / 30.4 + 1}[code]
    assert most <= 101 and days >= SPANS[timeframe].days


def test_the_calendar_is_asked_from_a_day_on() -> None:
    assert LIVE.open_days(date(2026, 7, 9)).fields == request("CTCA0903R")
    days = LIVE.read_open_days(date(2026, 7, 9), [answer("CTCA0903R")])
    assert days == {date(2026, 7, 9): True, date(2026, 7, 11): False}
    with pytest.raises(WireError):
        LIVE.read_open_days(date(2026, 7, 9), [{"output": [{"bass_dt": "20260709"}]}])


@pytest.mark.parametrize(
    ("venue", "book", "code"),
    [
        (Venue.KRX, False, "H0STCNT0"),
        (Venue.SOR, False, "H0UNCNT0"),
        (Venue.NXT, False, "H0NXCNT0"),
        (Venue.KRX, True, "H0STASP0"),
        (Venue.SOR, True, "H0UNASP0"),
        (Venue.NXT, True, "H0NXASP0"),
    ],
)
def test_every_feed_has_its_code_and_mock_trading_has_krx_only(venue: Venue, book: bool, code: str) -> None:
    assert LIVE.feed("005930", venue, book, REGULAR) == (code, "005930")
    if venue is Venue.KRX:
        assert MOCK.feed("005930", venue, book, REGULAR) == (code, "005930")
    else:
        with pytest.raises(NotSupported):
            MOCK.feed("005930", venue, book, REGULAR)


def test_korean_shares_are_not_listed_by_a_call() -> None:
    with pytest.raises(NotSupported, match="마스터"):
        LIVE.listed(Venue.KRX, Decimal(1), Decimal(2))


@given(st.integers(26_300_000, 31_000_000))
def test_a_minute_survives_the_wire(minutes: int) -> None:
    minute = datetime.fromtimestamp(minutes * 60, KST)
    body = answer("FHKST03010200")
    body["output2"] = [
        {**body["output2"][0], "stck_bsop_date": f"{minute:%Y%m%d}", "stck_cntg_hour": f"{minute:%H%M%S}"}
    ]
    (bar,) = LIVE.read_bars("005930", Venue.KRX, Timeframe.M1, body, NOW)
    assert bar.start == minute.astimezone(UTC)
