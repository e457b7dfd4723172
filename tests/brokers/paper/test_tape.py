"""The tape: legal, lively, the same every time, and its bars are its trades."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper.listings import LISTINGS
from brokers.paper.prints import MINUTE, bar_of, merge
from brokers.paper.synthetic import SyntheticSource
from brokers.paper.tape import Trade
from shared.domain.account import Market
from shared.domain.errors import NotFound
from shared.domain.market import RULE_TIMEFRAMES, Timeframe
from shared.domain.venue_rules import on_tick
from tests.brokers.paper.floor_rig import SUNDAY_NIGHT, Rig

GOLDEN = Path(__file__).parent / "golden"
EVERYTHING = sorted(LISTINGS)
instants = st.integers(0, 4 * 365 * 24 * 60).map(lambda n: datetime(2024, 1, 1, tzinfo=UTC) + n * MINUTE)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVERYTHING), instants, st.sampled_from(["1", "7", "x"]))
def test_every_print_is_on_its_tick_near_its_anchor_and_in_time_order(symbol: str, minute: datetime, seed: str) -> None:
    listing = LISTINGS[symbol]
    prints = SyntheticSource(seed).prints(symbol, minute)
    for one in prints:
        assert on_tick(
            listing.market, one.price, minute.date(), instrument_type=listing.type, board=listing.board or "KOSPI"
        )
        assert abs(one.price / listing.anchor - 1) < Decimal("0.03")
        assert one.quantity > 0
    assert list(prints) == sorted(prints, key=lambda one: one.at)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(EVERYTHING), instants)
def test_every_second_of_every_minute_has_a_trade(symbol: str, minute: datetime) -> None:
    seconds = Counter((one.at - minute) // timedelta(seconds=1) for one in SyntheticSource("3").prints(symbol, minute))
    assert set(seconds) == set(range(60))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(EVERYTHING), instants)
def test_bars_of_every_size_add_up_to_the_prints(symbol: str, at: datetime) -> None:
    source = SyntheticSource("5")
    assert source.bar(symbol, Timeframe.M1, at) == bar_of(source.prints(symbol, at))
    hour = at.replace(minute=0)
    minutes = [hour + i * MINUTE for i in range(60)]
    whole = source.bar(symbol, Timeframe.H1, hour)
    assert whole == merge(source.bar(symbol, Timeframe.M1, minute) for minute in minutes)
    day = next(source.starts_back(symbol, Timeframe.D1, at))
    after = next(source.starts_back(symbol, Timeframe.D1, day + timedelta(hours=36)))
    hours = [day + timedelta(hours=i) for i in range((after - day) // timedelta(hours=1))]
    assert source.bar(symbol, Timeframe.D1, day) == merge(source.bar(symbol, Timeframe.H1, at) for at in hours)


def test_the_same_seed_gives_the_same_prints_and_another_seed_others() -> None:
    one, same, other = SyntheticSource("1"), SyntheticSource("1"), SyntheticSource("2")
    assert one.prints("AAPL", SUNDAY_NIGHT) == same.prints("AAPL", SUNDAY_NIGHT)
    assert one.prints("AAPL", SUNDAY_NIGHT) != other.prints("AAPL", SUNDAY_NIGHT)


def test_the_committed_golden_prints_are_still_what_seed_7_gives() -> None:
    source = SyntheticSource("7")
    now = {
        symbol: [
            [one.at.isoformat(), str(one.price), one.quantity, one.side.value]
            for one in source.prints(symbol, SUNDAY_NIGHT)[:25]
        ]
        for symbol in EVERYTHING
    }
    golden = json.loads((GOLDEN / "prints_seed7.json").read_text(encoding="utf-8"))
    assert {symbol: now[symbol] for symbol in golden} == golden


@pytest.mark.parametrize("symbol", EVERYTHING)
def test_a_fast_average_crosses_a_slow_one_within_minutes_on_ticks(symbol: str) -> None:
    """The demo's rules: what makes something happen on the screen within a minute or two."""
    source, closes, crosses = SyntheticSource("1"), [], []
    before: Decimal | None = None
    for i in range(180):
        prints = source.prints(symbol, SUNDAY_NIGHT + i * MINUTE)
        for one in prints:
            window = [*closes, one.price][-8:]
            if len(window) == 8:
                gap = sum(window[-3:]) / 3 - sum(window) / 8
                if before is not None and before <= 0 < gap:
                    crosses.append(one.at)
                before = gap
        closes.append(prints[-1].price)
    waits = sorted(b - a for a, b in pairwise(crosses))
    assert len(crosses) > 180  # one a minute
    assert waits[-1] < timedelta(minutes=10)


def collected(rig: Rig, seconds: float) -> list[Trade]:
    seen: list[Trade] = []
    rig.exchange.subscribe_trades(seen.append)
    rig.run(seconds)
    return seen


def test_ten_seconds_bring_at_least_ten_trades_of_every_symbol(rig: Rig) -> None:
    counts = Counter(trade.symbol for trade in collected(rig, 10))
    assert set(counts) == set(EVERYTHING)
    assert min(counts.values()) >= 10


def test_the_bar_served_for_a_minute_is_the_sum_of_the_trades_sent_in_it(rig: Rig) -> None:
    rig.run(17)
    start = rig.hand.at.replace(second=0) + MINUTE
    rig.run((start - rig.hand.at).total_seconds())
    seen = collected(rig, 75)
    for symbol in EVERYTHING:
        mine = [t for t in seen if t.symbol == symbol and start <= t.at < start + MINUTE]
        bar = next(b for b in rig.exchange.bars(symbol, Timeframe.M1, 3) if b.start == start)
        assert bar.closed
        assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (
            mine[0].price,
            max(t.price for t in mine),
            min(t.price for t in mine),
            mine[-1].price,
            sum(t.quantity for t in mine),
        )


def test_the_forming_bar_and_the_day_agree_with_the_last_trade(rig: Rig) -> None:
    rig.run(33)
    for symbol in EVERYTHING:
        quote = rig.exchange.quote(symbol)
        for timeframe in RULE_TIMEFRAMES:
            forming = rig.exchange.bars(symbol, timeframe, 1)[-1]
            assert not forming.closed
            assert forming.close == quote.price
        assert (forming.open, forming.high, forming.low, forming.volume) == (
            quote.open,
            quote.high,
            quote.low,
            quote.cum_volume,
        )


def test_three_hundred_minutes_and_two_hundred_fifty_days_are_there_at_once(rig: Rig) -> None:
    for symbol in EVERYTHING:
        minutes = rig.exchange.bars(symbol, Timeframe.M1, 300)
        days = rig.exchange.bars(symbol, Timeframe.D1, 251)
        assert [b.start for b in minutes] == [minutes[0].start + i * MINUTE for i in range(300)]
        assert len(days) == 251
        assert days[-2].close == rig.exchange.quote(symbol).prev_close
        assert all(after.open == before.close for before, after in pairwise(days))


def test_a_day_of_trading_keeps_its_figures_across_a_restart(rig: Rig) -> None:
    rig.run(130)
    before = {symbol: rig.exchange.quote(symbol) for symbol in EVERYTHING}
    rig.again()
    for symbol, trade in before.items():
        after = rig.exchange.quote(symbol)
        assert (after.price, after.at, after.open, after.high, after.low, after.cum_volume, after.prev_close) == (
            trade.price,
            trade.at,
            trade.open,
            trade.high,
            trade.low,
            trade.cum_volume,
            trade.prev_close,
        )


def test_a_book_has_ten_legal_levels_around_the_last_trade(rig: Rig) -> None:
    for symbol in EVERYTHING:
        book, quote, listing = rig.exchange.book(symbol), rig.exchange.quote(symbol), LISTINGS[symbol]
        assert [len(book.bids), len(book.asks)] == [10, 10]
        prices = [level.price for level in (*reversed(book.bids), *book.asks)]
        assert prices == sorted(set(prices))
        assert quote.price in (book.bids[0].price, book.asks[0].price)
        assert (quote.bid, quote.ask) == (book.bids[0].price, book.asks[0].price)
        assert all(price % rig.exchange.tick_size(symbol, price) == 0 for price in prices)
        assert all(level.quantity > 0 for level in (*book.bids, *book.asks))
        limits = rig.exchange.price_limits(symbol)
        assert (limits is None) is (listing.market is Market.US)


def test_a_set_price_holds_at_once_and_the_bars_know_it(rig: Rig) -> None:
    rig.run(20)
    rig.exchange.move("AAPL", price=Decimal("190.00"))
    assert rig.exchange.quote("AAPL").price == Decimal("190.00")
    seen = [t for t in collected(rig, 60) if t.symbol == "AAPL"]
    assert all(abs(t.price / 190 - 1) < Decimal("0.02") for t in seen)
    bar = rig.exchange.bars("AAPL", Timeframe.M1, 2)[0]
    assert bar.low < 191 < 205 < bar.high
    assert rig.exchange.bars("AAPL", Timeframe.D1, 1)[0].low == rig.exchange.quote("AAPL").low
    assert rig.exchange.quote("MSFT").price > 400


def test_a_jump_survives_a_restart(rig: Rig) -> None:
    rig.run(5)
    rig.exchange.move("TSLA", price=Decimal(250))
    rig.run(90)
    before = rig.exchange.bars("TSLA", Timeframe.M5, 20)
    price = rig.exchange.quote("TSLA").price
    rig.again()
    assert rig.exchange.quote("TSLA").price == price < 260
    assert rig.exchange.bars("TSLA", Timeframe.M5, 20) == before


def test_a_korean_price_cannot_be_set_beyond_the_daily_limit(rig: Rig) -> None:
    rig.run(2)
    limits = rig.exchange.price_limits("005930")
    assert limits is not None
    rig.exchange.move("005930", price=Decimal(500_000))
    assert rig.exchange.quote("005930").price == limits[1]


def test_a_halted_symbol_is_silent_until_it_resumes(rig: Rig) -> None:
    rig.run(3)
    rig.exchange.move("NVDA", halted=True)
    last = rig.exchange.quote("NVDA")
    assert [t for t in collected(rig, 150) if t.symbol == "NVDA"] == []
    assert rig.exchange.quote("NVDA") == last
    rig.again()
    assert rig.exchange.quote("NVDA").price == last.price
    rig.exchange.move("NVDA", halted=False)
    assert [t for t in collected(rig, 5) if t.symbol == "NVDA"]
    minutes = rig.exchange.bars("NVDA", Timeframe.M1, 5)
    assert minutes[-1].start - minutes[-2].start > MINUTE  # nothing traded, so there is no bar


def test_a_symbol_that_is_not_on_the_tape_cannot_be_moved(rig: Rig) -> None:
    with pytest.raises(NotFound):
        rig.exchange.move("GOOG", price=Decimal(1))


def test_after_a_long_sleep_of_the_machine_the_tape_goes_on_from_now(rig: Rig) -> None:
    rig.hand.at += timedelta(hours=9)
    rig.exchange.advance()
    quote = rig.exchange.quote("AAPL")
    assert rig.hand.at - quote.at < timedelta(seconds=2)
    assert quote.cum_volume == rig.exchange.bars("AAPL", Timeframe.D1, 1)[0].volume
