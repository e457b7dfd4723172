"""Korean shares beyond the order path: venues, batches, details, settled holdings, the journal, longer bars."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.ls import account_krx as account
from brokers.ls import codec, codec_krx, tr
from shared.domain.errors import NotSupported, WireError
from shared.domain.instrument import Venue
from shared.domain.market import Timeframe
from tests.brokers.ls.documented import FRAMES, FURTHER_FRAMES, FURTHER_REQUESTS, FURTHER_RESPONSES, REQUESTS, RESPONSES

NOW = datetime(2026, 3, 10, 1, 43, 30, tzinfo=UTC)  # 10:43:30 in Seoul
DAY = date(2026, 3, 10)


# -- prices


def test_the_documented_batch_is_read_and_written() -> None:
    (quote,) = codec_krx.decode_quotes(RESPONSES["t8407"]["t8407OutBlock1"], NOW, NOW)
    assert (quote.symbol, quote.last, quote.bid, quote.ask) == ("005930", *map(Decimal, (71300, 71300, 71400)))
    assert (quote.prev_close, quote.upper_limit, quote.lower_limit) == tuple(map(Decimal, (70900, 92100, 49700)))
    assert {"t8407InBlock": codec_krx.encode_quotes(["005930", "000660"])} == REQUESTS["t8407"]


def test_a_symbol_without_a_price_is_left_out_of_a_batch() -> None:
    row = RESPONSES["t8407"]["t8407OutBlock1"][0]
    assert codec_krx.decode_quotes([{**row, "price": 0}], NOW, NOW) == []


def test_the_documented_detail_is_read() -> None:
    detail = codec_krx.decode_detail("005930", RESPONSES["t1102"])
    assert detail is not None
    assert (detail.last, detail.prev_close, detail.lot, detail.per) == (
        Decimal(71300),
        Decimal(70900),
        1,
        Decimal("13.42"),
    )
    assert (detail.high_52w, detail.low_52w, detail.listed_shares) == (Decimal(88800), Decimal(52900), 5919637000)
    assert (detail.warning, detail.tradable) == ("", None)


def test_every_caution_of_the_broker_is_repeated() -> None:
    block = {**RESPONSES["t1102"]["t1102OutBlock"], "shterm_text": "단기과열", "ty_text": "투자유의"}
    detail = codec_krx.decode_detail("005930", {"t1102OutBlock": block})
    assert detail is not None and detail.warning == "단기과열, 투자유의"


def venue_book(**changed: int) -> dict[str, Any]:
    sizes = {f"{venue}{side}rem{i}": 0 for i in range(1, 11) for venue in ("", "nxt_", "unx_") for side in SIDES}
    prices = {f"{side}ho{i}": 0 for i in range(1, 11) for side in SIDES}
    return {**sizes, **prices, "bidho1": 71300, "bidho2": 71200, "hotime": "10421733", **changed}


SIDES = ("bid", "offer")


@pytest.mark.parametrize(
    ("venue", "bids"),
    [(Venue.NXT, [(Decimal(71200), 7)]), (Venue.SOR, [(Decimal(71300), 5), (Decimal(71200), 9)])],
)
def test_a_venue_has_its_own_sizes_on_the_shared_ladder(venue: Venue, bids: list[tuple[Decimal, int]]) -> None:
    block = venue_book(bidrem1=5, bidrem2=2, nxt_bidrem2=7, unx_bidrem1=5, unx_bidrem2=9)
    book = codec_krx.decode_book("005930", block, codec_krx.VENUE_SIZES[venue], NOW, NOW)
    assert [(level.price, level.quantity) for level in book.bids] == bids


def test_the_documented_question_about_a_venue_is_written() -> None:
    asked = {"shcode": "005930", "exchgubun": tr.VENUE_CODE[Venue.SOR]}
    assert {"t8450InBlock": asked} == FURTHER_REQUESTS["t8450"]


@pytest.mark.parametrize("board", ["KOSPI", "KOSDAQ", Venue.NXT, Venue.SOR])
def test_each_board_and_venue_has_a_channel_of_its_own(board: str) -> None:
    others = [code for name, code in tr.TICKS.items() if name != board]
    assert tr.TICKS[board] not in others and tr.BOOKS[board] not in tr.TICKS.values()


def test_the_documented_unified_trade_is_read_and_asked_for() -> None:
    tick = codec_krx.decode_tick(FURTHER_FRAMES["US3"]["body"], NOW, NOW)
    assert (tick.symbol, tick.price) == ("005930", Decimal(71300))
    assert codec_krx.stream_key("005930", Venue.SOR) == FURTHER_FRAMES["US3"]["header"]["tr_key"]
    assert codec_krx.stream_key("005930", None) == "005930"


def test_the_documented_pushed_book_is_read_and_the_unified_one_by_its_own_sizes() -> None:
    book = codec_krx.decode_pushed_book(FRAMES["H1_"]["body"], "", NOW, NOW)
    assert (book.symbol, len(book.bids), len(book.asks)) == ("005930", 10, 10)
    assert (book.bids[0].price, book.bids[0].quantity) == (Decimal(71300), 8312)
    body = {f"unt_{name}" if "rem" in name else name: value for name, value in FRAMES["H1_"]["body"].items()}
    assert codec_krx.decode_pushed_book(body, "unt_", NOW, NOW) == book


# -- bars


def days(timeframe: Timeframe, day: str, now: datetime = NOW) -> Any:
    row = {**RESPONSES["t8410"]["t8410OutBlock1"][1], "date": day}
    (bar,) = codec.decode_days("005930", timeframe, [row], "jdiff_vol", codec_krx.SESSION, now)
    return bar


@pytest.mark.parametrize("day", ["20260309", "20260311", "20260313"])
def test_a_week_begins_on_monday_whichever_of_its_days_ls_names(day: str) -> None:
    assert days(Timeframe.W1, day).start == datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
    assert not days(Timeframe.W1, day).closed
    assert days(Timeframe.W1, day, datetime(2026, 3, 13, 6, 30, tzinfo=UTC)).closed


@pytest.mark.parametrize("day", ["20260201", "20260227"])
def test_a_month_begins_on_its_first_day_and_ends_with_its_last(day: str) -> None:
    bar = days(Timeframe.MN1, day)
    assert (bar.start, bar.closed) == (datetime(2026, 2, 1, 0, 0, tzinfo=UTC), True)
    assert not days(Timeframe.MN1, day, datetime(2026, 2, 28, 6, 29, tzinfo=UTC)).closed


def test_the_documented_bars_are_asked_for_and_older_ones_by_their_last_day() -> None:
    asked, block = codec_krx.encode_bars("005930", Timeframe.D1, 2, None)
    assert {f"{asked.code}InBlock": block} == REQUESTS["t8410"]
    asked, block = codec_krx.encode_bars("005930", Timeframe.M1, 2, None)
    assert {f"{asked.code}InBlock": block} == REQUESTS["t8412"]
    periods = {one: codec_krx.encode_bars("005930", one, 2, DAY)[1] for one in codec_krx.PERIODS}
    assert [block["gubun"] for block in periods.values()] == ["2", "3", "4"]
    assert {block["edate"] for block in periods.values()} == {"20260310"}


# -- holdings and the journal


def test_the_documented_settled_holding_is_read() -> None:
    (held,) = account.decode_settled(RESPONSES["CSPAQ12300"]["CSPAQ12300OutBlock3"])
    assert (held.symbol, held.quantity, held.sellable, held.average_price) == ("005930", 25, 25, Decimal(69800))
    assert (held.last_price, held.unrealized_pnl) == (Decimal(71300), Decimal(37500))
    row = {**RESPONSES["CSPAQ12300"]["CSPAQ12300OutBlock3"][0], "BalQty": 0}
    assert account.decode_settled([row]) == []
    asked = REQUESTS["CSPAQ12300"]["CSPAQ12300InBlock1"]
    assert set(account.SETTLED_HOLDINGS) == set(asked)


def test_the_documented_journal_has_costs_and_no_sale() -> None:
    journal = FURTHER_RESPONSES["t0151"]
    assert account.decode_costs(journal, "t0151") == (Decimal(106), Decimal(0))
    assert account.decode_sales(journal["t0151OutBlock1"], DAY) == []
    assert {"t0150InBlock": account.encode_journal(None, "")} == FURTHER_REQUESTS["t0150"]
    assert {"t0151InBlock": account.encode_journal(date(2026, 3, 9), "")} == FURTHER_REQUESTS["t0151"]


def test_a_day_without_trades_has_no_totals_and_no_costs() -> None:
    assert account.decode_costs({"rsp_cd": "00000"}, "t0150") == (0, 0)
    with pytest.raises(WireError):
        account.decode_costs({"t0150OutBlock": []}, "t0150")


def test_a_cursor_of_the_journal_fills_its_four_fields() -> None:
    block = account.encode_journal(None, "1|005930|71300|40")
    assert list(block.values()) == ["1", "005930", "71300", "40"]


def test_sales_of_one_symbol_are_one_row_and_subtotals_none() -> None:
    row = FURTHER_RESPONSES["t0151"]["t0151OutBlock1"][0]
    sold = {**row, "medosu": "매도", "qty": 4, "amt": 286000}
    subtotal = {**sold, "medosu": "종목소계", "expcode": ""}
    (one,) = account.decode_sales([sold, row, {**sold, "qty": 1, "amt": 71600}, subtotal], DAY)
    assert (one.symbol, one.quantity, one.sold) == ("005930", 5, Decimal(357600))
    assert (one.bought, one.realized) == (None, None)


def test_what_was_realised_today_comes_with_the_holdings() -> None:
    body = {"t0424OutBlock": {**RESPONSES["t0424"]["t0424OutBlock"], "dtsunik": -1200}}
    assert account.decode_realized(body) == Decimal(-1200)


# -- numbers and broken bodies


@given(st.decimals(-(10**12), 10**12, places=6), st.integers(0, 12), st.sampled_from(["", " ", "  "]))
def test_a_number_is_the_same_with_zeros_and_blanks_around_it(value: Decimal, zeros: int, blank: str) -> None:
    sign, digits = ("-", f"{-value:f}") if value < 0 else ("", f"{value:f}")
    assert codec.amount({"x": f"{blank}{sign}{'0' * zeros}{digits}{blank}"}, "x") == value


@given(st.integers(-(10**15), 10**15))
def test_a_whole_number_may_come_as_number_text_or_decimal(value: int) -> None:
    assert {codec.whole({"x": written}, "x") for written in (value, str(value), f"{value}.00")} == {value}


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.floats(allow_nan=True),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["t0424OutBlock1", "a"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(SHAPES)
def test_a_body_of_the_wrong_types_is_a_wire_error_or_empty(value: Any) -> None:
    try:
        found = codec.rows({"t0424OutBlock1": value}, "t0424OutBlock1")
        account.decode_positions(found)
    except WireError:
        return
    assert found == [] or all(isinstance(row, dict) for row in found)


@given(st.dictionaries(st.sampled_from(sorted(RESPONSES["t0425"]["t0425OutBlock1"][0])), SHAPES, min_size=1))
def test_a_row_with_any_wrong_field_is_read_or_a_wire_error(changed: dict[str, Any]) -> None:
    row = {**RESPONSES["t0425"]["t0425OutBlock1"][0], **changed}
    try:
        order = account.decode_today(row, DAY)
    except WireError:
        return
    assert order.filled_quantity == codec.whole(row, "cheqty")


@pytest.mark.parametrize(("venue", "code"), [(Venue.NXT, "N"), (Venue.SOR, "U")])
def test_another_venue_has_transactions_of_its_own(venue: Venue, code: str) -> None:
    days, block = codec_krx.encode_bars("005930", Timeframe.D1, 2, None, venue)
    assert (days.code, block["exchgubun"]) == ("t8451", code)
    minutes, block = codec_krx.encode_bars("005930", Timeframe.M1, 2, None, venue)
    assert (minutes.code, block["exchgubun"]) == ("t8452", code)
    trades, block = codec_krx.encode_trades("005930", venue)
    assert (trades.code, block["exchgubun"]) == ("t8454", code)
    with pytest.raises(NotSupported):
        codec_krx.encode_bars("005930", Timeframe.D1, 2, None, Venue.NASDAQ)


def test_the_documented_trade_is_read() -> None:
    asked, block = codec_krx.encode_trades("005930", None)
    assert {f"{asked.code}InBlock": block} == REQUESTS["t1301"]
    (row,) = RESPONSES["t1301"]["t1301OutBlock1"]
    now = datetime(2026, 7, 9, 1, 43, tzinfo=UTC)
    trade = codec_krx.decode_trade("005930", row, now, now)
    assert (trade.price, trade.quantity, trade.at) == (71300, 12, datetime(2026, 7, 9, 1, 42, 17, tzinfo=UTC))
