"""Which boards and keys tell a trade, by the hour (kis.md §5.3 to §5.8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.kis.frames import Frame, decode_books, decode_ticks
from brokers.paper.accounts import Frames, Profile
from brokers.paper.kis_wire import feeds, frames
from tests.brokers.paper.kis_wire.desk import Desk, open_desk


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, profile=Profile.STRICT) as opened:
        yield opened


def told(desk: Desk, symbol: str, at: datetime) -> dict[str, str]:
    """TR id -> tr_key of the feeds that tell a trade at this time."""
    listing = desk.exchange.listing(symbol)
    assert listing is not None
    trade = desk.exchange.quote(symbol)
    moved = type(trade)(**{name: getattr(trade, name) for name in trade.__slots__} | {"at": at})
    return {one.tr_id: one.tr_key for one in feeds.of_trade(desk.exchange, listing, moved)}


def kst(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 7, 9, (hour - 9) % 24, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "boards"),
    [
        (kst(10), {"H0STCNT0", "H0NXCNT0", "H0UNCNT0"}),
        (kst(18, 30), {"H0NXCNT0", "H0UNCNT0"}),
        (kst(16, 30), {"H0NXCNT0", "H0UNCNT0", "H0STOUP0"}),
        (kst(21), set()),
    ],
)
async def test_a_korean_trade_goes_to_the_boards_that_are_open(strict: Desk, at: datetime, boards: set[str]) -> None:
    assert set(told(strict, "005930", at)) == boards


async def test_nxt_tells_no_fund(strict: Desk) -> None:
    assert set(told(strict, "069500", kst(10))) == {"H0STCNT0", "H0UNCNT0"}


@pytest.mark.parametrize(("hour", "key"), [(11, "RBAQAAPL"), (23, "DNASAAPL"), (18, "DNASAAPL")])
async def test_a_us_trade_has_its_day_market_key_by_day(strict: Desk, hour: int, key: str) -> None:
    assert told(strict, "AAPL", kst(hour)) == {"HDFSCNT0": key}


async def test_where_it_is_always_open_both_keys_and_every_board_tell(desk: Desk) -> None:
    listing = desk.exchange.listing("AAPL")
    assert listing is not None
    assert feeds.us_keys(desk.exchange, listing, kst(11)) == ["DNASAAPL", "RBAQAAPL"]
    assert set(told(desk, "005930", kst(21))) == {"H0STCNT0", "H0NXCNT0", "H0UNCNT0", "H0STOUP0"}


async def test_the_session_is_named_in_the_us_frame(strict: Desk) -> None:
    trade = strict.exchange.quote("AAPL")
    assert frames.us_trade("DNASAAPL", trade, feeds.MTYP[feeds.SessionState.PRE])[-1] == "2"
    assert frames.us_trade("DNASAAPL", trade)[-1] == "1"


async def test_an_auction_shows_its_expected_price_and_only_then(desk: Desk) -> None:
    trade, book = desk.exchange.quote("005930"), desk.exchange.book("005930")
    outside = frames.krx_book(book, trade)
    during = frames.krx_book(book, trade, (Decimal(72000), 1234))
    assert len(outside) == len(during) == 59
    assert outside[47:53] == ["0", "0", "0", "0", "3", "0.00"]
    assert during[47:50] == ["72000", "1234", "1234"]
    assert Decimal(during[50]) == Decimal(72000) - trade.prev_close
    expected = frames.krx_expected(trade, Decimal(72000), 1234)
    assert (len(expected), expected[2], expected[12]) == (45, "72000", "1234")


@pytest.mark.parametrize(
    ("layout", "trade_fields", "book_fields"),
    [
        (Frames.DOCUMENTED, 46, {"H0STASP0": 59, "H0NXASP0": 65, "H0UNASP0": 65}),
        (Frames.EXTENDED, 47, {"H0STASP0": 63, "H0NXASP0": 62, "H0UNASP0": 66}),
    ],
)
async def test_our_client_reads_korean_frames_of_either_length(
    desk: Desk, layout: Frames, trade_fields: int, book_fields: dict[str, int]
) -> None:
    desk.exchange.frames = layout
    listing = desk.exchange.listing("005930")
    assert listing is not None
    trade, book = desk.exchange.quote("005930"), desk.exchange.book("005930")
    trades = {one.tr_id: one.write() for one in feeds.of_trade(desk.exchange, listing, trade)}
    books = {one.tr_id: one.write() for one in feeds.of_book(desk.exchange, listing, book)}
    lengths = {tr: len(fields) for tr, fields in trades.items()}
    assert lengths == {**dict.fromkeys(("H0STCNT0", "H0NXCNT0", "H0UNCNT0"), trade_fields), "H0STOUP0": 43}
    assert {tr: len(books[tr]) for tr in book_fields} == book_fields
    for tr in ("H0STCNT0", "H0NXCNT0", "H0UNCNT0"):
        (tick,) = decode_ticks(Frame(False, tr, 1, "^".join(trades[tr])), trade.at)
        assert (tick.symbol, tick.price, tick.quantity) == ("005930", trade.price, trade.quantity)
    for tr in book_fields:
        (read,) = decode_books(Frame(False, tr, 1, "^".join(books[tr])), book.at)
        assert (read.bids, read.asks) == (book.bids, book.asks)
