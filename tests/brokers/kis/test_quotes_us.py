"""US prices, charts and calendar: asked as KIS documents, read for what they mean."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.kis.quotes_us import NEW_YORK, UsQuotes
from shared.domain.errors import NotSupported, WireError
from shared.domain.instrument import Venue
from shared.domain.market import Timeframe
from shared.domain.order import OrderSession
from tests.brokers.kis.payload import answer, request

LIVE, MOCK = UsQuotes(mock=False), UsQuotes(mock=True)
REGULAR, DAY = OrderSession.REGULAR, OrderSession.DAY_MARKET
NOW = datetime(2026, 7, 9, 14, 17, tzinfo=UTC)  # 23:17 in Seoul, 10:17 in New York


def test_a_quote_is_read_and_an_unknown_symbol_is_none() -> None:
    quote = LIVE.read_quote("AAPL", answer("HHDFS00000300"), NOW, NOW)
    assert quote is not None
    assert (quote.last, quote.prev_close, quote.volume) == (Decimal("211.93"), Decimal("210.5"), 12034567)
    assert quote.bid is None and quote.upper_limit is None
    assert LIVE.read_quote("ZZZZZ", answer("HHDFS00000300-unknown"), NOW, NOW) is None


def test_several_quotes_are_told_by_exchange_and_symbol_whatever_their_order() -> None:
    places = [("AAPL", Venue.NASDAQ), ("BRK.B", Venue.NYSE), ("ZZZZZ", Venue.AMEX)]
    asked = LIVE.quotes(places).fields
    assert (asked["NREC"], asked["EXCD_02"], asked["SYMB_02"], asked["SYMB_04"]) == ("3", "NYS", "BRK/B", "")
    assert len(asked) == 22
    price = answer("HHDFS00000300")["output"]
    body = {
        "output2": [
            {**price, "excd": "NYS", "symb": "BRK/B", "last": "470.10"},
            {**price, "excd": "NYS", "symb": "AAPL", "last": "1.00"},  # not where AAPL was asked for
            {**price, "excd": "AMS", "symb": "ZZZZZ", "last": ""},
            {**price, "excd": "NAS", "symb": "AAPL"},
        ]
    }
    found = {one.symbol: one.last for one in LIVE.read_quotes(places, body, NOW, NOW)}
    assert found == {"BRK.B": Decimal("470.10"), "AAPL": Decimal("211.93")}
    assert (LIVE.together, MOCK.together) == (10, 1)


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
    newest, older = LIVE.read_bars("AAPL", Venue.NASDAQ, Timeframe.M1, answer("HHDFS76950200"), now)
    assert newest.start == datetime(2026, 7, 9, 14, 15, tzinfo=UTC) and not newest.closed
    assert older.closed and older.volume == 48022
    before = LIVE.earlier(Timeframe.M1, now, [newest, older], now)
    assert before is not None
    assert LIVE.bars("AAPL", Venue.NASDAQ, Timeframe.M1, before, now).fields["KEYB"] == "20260709101300"


def test_daily_bars_page_by_the_day_before_the_oldest() -> None:
    today, yesterday = LIVE.read_bars("AAPL", Venue.NASDAQ, Timeframe.D1, answer("HHDFS76240000"), NOW)
    assert (today.closed, yesterday.closed) == (False, True)
    assert today.start == datetime(2026, 7, 9, 13, 30, tzinfo=UTC)
    before = LIVE.earlier(Timeframe.D1, NOW, [today, yesterday], NOW)
    assert before is not None
    assert LIVE.bars("AAPL", Venue.NASDAQ, Timeframe.D1, before, NOW).fields["BYMD"] == "20260707"


def test_mock_trading_has_no_book_minutes_or_ticks() -> None:
    with pytest.raises(NotSupported):
        MOCK.feed("AAPL", Venue.NASDAQ, False, REGULAR)
    for ask in (
        MOCK.detail("AAPL", Venue.NASDAQ),
        MOCK.book("AAPL", Venue.NASDAQ, REGULAR),
        MOCK.bars("AAPL", Venue.NASDAQ, Timeframe.M1, NOW, NOW),
    ):
        with pytest.raises(NotSupported):
            ask.tr.id(True)


def test_prices_are_asked_as_documented_by_session() -> None:
    assert LIVE.quote("AAPL", Venue.NASDAQ, REGULAR).fields == request("HHDFS00000300")
    assert LIVE.detail("AAPL", Venue.NASDAQ).fields == request("HHDFS76200200")
    assert LIVE.book("AAPL", Venue.NASDAQ, REGULAR).fields == request("HHDFS76200100")
    assert LIVE.quote("AAPL", Venue.NASDAQ, DAY).fields["EXCD"] == "BAQ"
    assert LIVE.quote("BRK.B", Venue.NYSE, DAY).fields == {"AUTH": "", "EXCD": "BAY", "SYMB": "BRK/B"}
    with pytest.raises(NotSupported):
        LIVE.quote("AAPL", Venue.KRX, REGULAR)


def test_charts_are_asked_as_documented() -> None:
    assert LIVE.bars("AAPL", Venue.NASDAQ, Timeframe.D1, NOW, NOW).fields == request("HHDFS76240000")
    assert LIVE.bars("AAPL", Venue.NASDAQ, Timeframe.M1, NOW, NOW).fields == request("HHDFS76950200")
    weeks, months = (LIVE.bars("AAPL", Venue.NASDAQ, one, NOW, NOW) for one in (Timeframe.W1, Timeframe.MN1))
    assert (weeks.fields["GUBN"], months.fields["GUBN"]) == ("1", "2")


def test_the_detail_tells_tick_lot_and_tradability() -> None:
    detail = LIVE.read_detail("AAPL", answer("HHDFS76200200"))
    assert detail is not None
    assert (detail.last, detail.tick_size, detail.lot) == (Decimal("211.93"), Decimal("0.01"), 1)
    assert (detail.tradable, detail.warning, detail.listed_shares) == (True, "", 14935826000)
    halted = {"output": {**answer("HHDFS76200200")["output"], "e_ordyn": "거래정지"}}
    stopped = LIVE.read_detail("AAPL", halted)
    assert stopped is not None and (stopped.tradable, stopped.warning) == (False, "거래정지")
    assert LIVE.read_detail("ZZZZ", {"output": {"last": ""}}) is None


def test_a_week_and_a_month_begin_with_their_first_day_and_page_before_it() -> None:
    body = answer("HHDFS76240000")
    week = LIVE.read_bars("AAPL", Venue.NASDAQ, Timeframe.W1, body, NOW)[0]
    month = LIVE.read_bars("AAPL", Venue.NASDAQ, Timeframe.MN1, body, NOW)[0]
    assert week.start.astimezone(NEW_YORK) == datetime(2026, 7, 6, 9, 30, tzinfo=NEW_YORK) and not week.closed
    assert month.start.astimezone(NEW_YORK) == datetime(2026, 7, 1, 9, 30, tzinfo=NEW_YORK) and not month.closed
    assert LIVE.read_bars("AAPL", Venue.NASDAQ, Timeframe.W1, body, NOW + timedelta(days=2))[0].closed
    before = LIVE.earlier(Timeframe.W1, NOW, [week], NOW)
    assert before is not None
    assert LIVE.bars("AAPL", Venue.NASDAQ, Timeframe.W1, before, NOW).fields["BYMD"] == "20260705"
    before = LIVE.earlier(Timeframe.MN1, NOW, [month], NOW)
    assert before is not None
    assert LIVE.bars("AAPL", Venue.NASDAQ, Timeframe.MN1, before, NOW).fields["BYMD"] == "20260630"


def test_a_search_is_written_as_documented_and_read() -> None:
    assert LIVE.listed(Venue.NASDAQ, Decimal(200), Decimal(220)).fields == request("HHDFS76410000")
    (found,), total = LIVE.read_listed(Venue.NASDAQ, answer("HHDFS76410000"))
    assert (found.symbol, found.name, found.venue, total) == ("AAPL", "애플", Venue.NASDAQ, 1)
    assert LIVE.read_listed(Venue.NASDAQ, {"output1": {}, "output2": []}) == ([], 0)
    with pytest.raises(WireError):
        LIVE.read_listed(Venue.NASDAQ, {"output1": {"trec": ""}, "output2": answer("HHDFS76410000")["output2"]})


def test_a_us_market_that_does_not_settle_is_closed() -> None:
    day = date(2026, 7, 9)
    assert LIVE.open_days(day).fields == request("CTOS5011R")
    assert LIVE.read_open_days(day, [answer("CTOS5011R")]) == {day: True}
    assert LIVE.read_open_days(day, [{"output": [{"tr_natn_cd": "392"}]}]) == {day: False}


@pytest.mark.parametrize(
    ("venue", "session", "book", "registration"),
    [
        (Venue.NASDAQ, REGULAR, False, ("HDFSCNT0", "DNASAAPL")),
        (Venue.NYSE, REGULAR, True, ("HDFSASP0", "DNYSAAPL")),
        (Venue.AMEX, REGULAR, False, ("HDFSCNT0", "DAMSAAPL")),
        (Venue.NASDAQ, DAY, False, ("HDFSCNT0", "RBAQAAPL")),
        (Venue.NYSE, DAY, False, ("HDFSCNT0", "RBAYAAPL")),
        (Venue.AMEX, DAY, True, ("HDFSASP0", "RBAAAAPL")),
    ],
)
def test_stream_keys_name_market_and_session(
    venue: Venue, session: OrderSession, book: bool, registration: tuple[str, str]
) -> None:
    assert LIVE.feed("AAPL", venue, book, session) == registration


def test_a_class_share_has_a_slash_in_its_stream_key() -> None:
    assert LIVE.feed("BRK.B", Venue.NYSE, False, REGULAR) == ("HDFSCNT0", "DNYSBRK/B")


@given(st.data(), st.sampled_from([Timeframe.M1, Timeframe.D1, Timeframe.W1]))
def test_a_wrong_chart_row_is_read_left_out_or_a_wire_error(data: st.DataObject, timeframe: Timeframe) -> None:
    body = answer("HHDFS76950200" if timeframe is Timeframe.M1 else "HHDFS76240000")
    row = body["output2"][0]
    for name in data.draw(st.lists(st.sampled_from(sorted(row)), min_size=1, unique=True)):
        row[name] = data.draw(st.one_of(st.none(), st.text(max_size=6), st.integers()))
    with contextlib.suppress(WireError):
        LIVE.read_bars("AAPL", Venue.NASDAQ, timeframe, body, NOW)


def test_the_last_trades_carry_korean_times() -> None:
    asked = LIVE.trades("AAPL", Venue.NASDAQ)
    assert (asked.tr.live, asked.fields["EXCD"], asked.fields["TDAY"]) == ("HHDFS76200300", "NAS", "1")
    row = {"khms": "231500", "last": "211.9300", "evol": "40"}
    now = datetime(2026, 7, 9, 14, 15, 30, tzinfo=UTC)
    about = {"rsym": "DNASAAPL", "zdiv": "4", "nrec": "1"}
    assert LIVE.read_trades("AAPL", {"output1": about, "output2": []}, now, now) == []
    assert LIVE.read_trades("AAPL", {"output1": [row], "output2": [row]}, now, now) == LIVE.read_trades(
        "AAPL", {"output1": about, "output2": [row]}, now, now
    )
    (trade,) = LIVE.read_trades("AAPL", {"output1": [row]}, now, now)
    assert (trade.price, trade.quantity, trade.at) == (
        Decimal("211.9300"),
        40,
        datetime(2026, 7, 9, 14, 15, tzinfo=UTC),
    )
    with pytest.raises(NotSupported):
        asked.tr.id(mock=True)
