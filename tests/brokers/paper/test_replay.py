"""Replay: real bars walked as trades, in the tape's own time, closed after its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.paper.accounts import Profile
from brokers.paper.clock import ExchangeClock, Sessions
from brokers.paper.exchange import Exchange
from brokers.paper.orders import ExStatus, Reject, RejectReason
from brokers.paper.replay import ReplaySource, read_bars
from brokers.paper.state import State
from brokers.paper.tape import Trade, open_source
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.market import Timeframe
from tests.brokers.paper.floor_rig import SUNDAY_NIGHT, HandClock, Rig

REAL = Path(__file__).resolve().parents[4] / "shared" / "data"
OPEN = datetime(2016, 4, 15, 13, 30, tzinfo=UTC)
BARS = """ts_utc,extra,open,high,low,close,volume
2016-04-15T13:30:00Z,x,112.11,112.50,112.00,112.06,400
2016-04-15T13:31:00Z,x,112.04,112.10,112.00,112.085,100
2016-04-15T13:32:00Z,x,112.10,112.30,112.07,112.25,3
2016-04-18T13:30:00Z,x,113.00,113.00,113.00,113.00,40
"""


def tape_file(tmp_path: Path, text: str = BARS) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def spec(tmp_path: Path) -> str:
    return f"replay:AAPL={tape_file(tmp_path)}"


def test_each_bar_is_walked_open_extremes_close(tmp_path: Path) -> None:
    source = ReplaySource({"AAPL": tape_file(tmp_path)})
    prints = [source.prints("AAPL", OPEN + timedelta(minutes=i)) for i in range(3)]
    assert [[str(p.price) for p in minute] for minute in prints] == [
        ["112.11", "112.50", "112.00", "112.06"],  # falling: the high first
        ["112.04", "112.00", "112.10", "112.085"],  # rising: the low first
        ["112.10", "112.07", "112.30", "112.25"],
    ]
    assert [sum(p.quantity for p in minute) for minute in prints] == [400, 100, 4]  # at least one share a print


def test_market_time_is_the_tapes_and_runs_at_its_speed(tmp_path: Path, spec: str) -> None:
    rig = Rig(tmp_path / "x", spec, speed=60)
    assert rig.exchange.clock.market_now() == OPEN
    assert rig.exchange.sessions is Sessions.CALENDAR
    rig.run(1)
    assert rig.exchange.clock.market_now() == OPEN + timedelta(minutes=1)
    assert rig.exchange.clock.wall_now() == SUNDAY_NIGHT + timedelta(seconds=1)
    rig.close()


def test_trades_bars_and_the_day_agree_with_the_file(tmp_path: Path, spec: str) -> None:
    rig = Rig(tmp_path / "x", spec, speed=60)
    seen: list[Trade] = []
    rig.exchange.subscribe_trades(seen.append)
    rig.run(3)
    assert len(seen) == 12 - 1  # the very first print is out when the exchange opens
    bars = rig.exchange.bars("AAPL", Timeframe.M1, 10)
    assert [(str(b.open), str(b.high), str(b.low), str(b.close)) for b in bars] == [
        ("112.11", "112.50", "112.00", "112.06"),
        ("112.04", "112.10", "112.00", "112.085"),
        ("112.10", "112.30", "112.07", "112.25"),
    ]
    quote = rig.exchange.quote("AAPL")
    assert (quote.open, quote.high, quote.low, quote.price, quote.cum_volume) == (
        Decimal("112.11"),
        Decimal("112.50"),
        Decimal("112.00"),
        Decimal("112.25"),
        504,
    )
    assert quote.bid % Decimal("0.01") == quote.ask % Decimal("0.01") == 0
    assert rig.exchange.bars("AAPL", Timeframe.M5, 1)[0].volume == 504
    rig.close()


def test_an_order_fills_from_the_replayed_trades_and_dies_with_the_session(tmp_path: Path, spec: str) -> None:
    rig = Rig(tmp_path / "x", spec, speed=60)
    filled, waiting = rig.buy("AAPL", 5, "112.60"), rig.buy("AAPL", 5, "100")
    rig.run(1)
    assert filled.status is ExStatus.FILLED
    rig.run(5)
    assert waiting.status is ExStatus.EXPIRED
    with pytest.raises(Reject) as refused:
        rig.buy("AAPL", 1, 112)
    assert refused.value.reason is RejectReason.MARKET_CLOSED
    assert rig.exchange.quote("AAPL").price == Decimal("112.25")
    rig.close()


def test_the_next_day_knows_the_close_before_it(tmp_path: Path, spec: str) -> None:
    rig = Rig(tmp_path / "x", spec, speed=3600)
    rig.run(72 + 1, step_s=1)
    quote = rig.exchange.quote("AAPL")
    assert (quote.price, quote.prev_close, quote.cum_volume) == (113, Decimal("112.25"), 40)
    assert [b.volume for b in rig.exchange.bars("AAPL", Timeframe.D1, 5)] == [504, 40]
    rig.run(24, step_s=1)
    assert not rig.exchange.session_open("AAPL")
    assert rig.exchange.quote("AAPL").price == 113  # after the end the last price stays
    rig.close()


def test_a_restart_goes_on_where_the_replay_stood(tmp_path: Path, spec: str) -> None:
    rig = Rig(tmp_path / "x", spec, speed=60)
    rig.run(1.5)
    rig.exchange.keep_tape()
    stood, quote = rig.exchange.clock.market_now(), rig.exchange.quote("AAPL")
    rig.hand.at += timedelta(hours=5)
    rig.again()
    assert rig.exchange.clock.market_now() == stood
    assert rig.exchange.quote("AAPL") == quote
    rig.tape, rig.speed = None, None  # started without --tape and --speed: as last time
    rig.again()
    assert (rig.exchange.clock.market_now(), rig.exchange.clock.speed) == (stood, 60)
    rig.run(0.5)
    rig.buy("AAPL", 1, 100)  # written after the market time was
    traded = rig.exchange.clock.market_now()
    rig.again()
    assert rig.exchange.clock.market_now() == traded
    rig.close()


def test_another_tape_can_be_put_on_while_running(tmp_path: Path, spec: str, rig: Rig) -> None:
    waiting = rig.buy("MSFT", 1, 300)
    rig.exchange.load_tape(open_source(spec), 60)
    assert waiting.status is ExStatus.EXPIRED
    assert rig.exchange.clock.market_now() == OPEN
    with pytest.raises(Reject) as refused:
        rig.buy("MSFT", 1, 300)  # listed, but this tape does not move it
    assert refused.value.reason is RejectReason.MARKET_CLOSED
    assert rig.exchange.quote("MSFT").price > 0
    rig.exchange.load_tape(open_source("synthetic:7"), 1)
    assert rig.exchange.clock.market_now() == rig.hand.at
    rig.run(2)
    assert rig.exchange.trades("MSFT", 5)


def test_a_symbol_only_the_file_knows_is_listed_in_its_market(tmp_path: Path) -> None:
    path = tape_file(tmp_path)
    source = ReplaySource({"YHOO": path, "068270": path})
    assert (source.listings["YHOO"].market, source.listings["068270"].market) == (Market.US, Market.KRX)


def test_daily_bars_fill_the_regular_hours_of_their_day(tmp_path: Path) -> None:
    daily = "date,open,high,low,close,volume\n2018-04-30,53380,53900,52000,53000,0\n2018-05-02,0,0,0,53000,0\n"
    bars = read_bars("005930", tape_file(tmp_path, daily + "2018-05-04,53000,53900,51800,51900,39565391\n"))
    assert [(b.start, b.end) for b in bars] == [
        (datetime(2018, 4, 30, 0, 0, tzinfo=UTC), datetime(2018, 4, 30, 6, 30, tzinfo=UTC)),
        (datetime(2018, 5, 4, 0, 0, tzinfo=UTC), datetime(2018, 5, 4, 6, 30, tzinfo=UTC)),
    ]  # the halted day is no bar


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "lacks a column"),
        ("date,open,high,low,close\n2020-01-02,1,1,1,1\n", "lacks a column"),
        ("date,open,high,low,close,volume\n", "lacks a column"),
        ("date,open,high,low,close,volume\n2020-01-02,1,x,1,1,5\n", "line 2"),
        ("date,open,high,low,close,volume\n2020-13-02,1,1,1,1,5\n", "line 2"),
        ("date,open,high,low,close,volume\n2020-01-02,1,1,-1,1,5\n", "not positive"),
        ("date,open,high,low,close,volume\n2020-01-02,1,1,NaN,1,5\n", "not positive"),
        ("date,open,high,low,close,volume\n2020-01-03,1,1,1,1,5\n2020-01-02,1,1,1,1,5\n", "does not come after"),
        ("date,open,high,low,close,volume\n2020-01-02,1,1,1,1,5\n2020-01-02,1,1,1,1,5\n", "does not come after"),
    ],
)
def test_a_file_that_cannot_be_a_tape_is_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_bars("AAPL", tape_file(tmp_path, text))


@pytest.mark.parametrize("spec", ["", "replay:", "replay:AAPL", "replay:=x.csv", "random:1", "replay:AAPL=/no/such"])
def test_a_tape_that_cannot_be_understood_is_refused_by_name(spec: str) -> None:
    with pytest.raises(ConfigError, match="tape"):
        open_source(spec)


@pytest.mark.realdata
def test_a_recorded_session_is_played_to_the_share(tmp_path: Path) -> None:
    path = REAL / "us_minute" / "AAPL_2016.csv"
    if not path.exists():
        pytest.skip(f"no recorded prices at {path}")
    rig = Rig(tmp_path / "x", f"replay:AAPL={path}", speed=600)
    rig.run(40, step_s=1)
    session = [bar for bar in read_bars("AAPL", path) if bar.start.date() == OPEN.date()]
    day = rig.exchange.bars("AAPL", Timeframe.D1, 1)[0]
    quote = rig.exchange.quote("AAPL")
    assert len(session) == 391
    assert (day.open, day.close, day.volume) == (
        session[0].bar.open,
        session[-1].bar.close,
        sum(bar.bar.volume for bar in session),
    )
    assert (quote.high, quote.low, quote.cum_volume) == (day.high, day.low, day.volume)
    rig.close()


def test_a_replay_may_begin_before_its_first_print_and_shows_the_tapes_own_price(tmp_path: Path, spec: str) -> None:
    state = State(tmp_path / "lead")
    exchange = Exchange.open(state, ExchangeClock(HandClock()), spec, 60, Profile.COMPAT, {}, lead_s=10)
    assert exchange.clock.market_now() == OPEN - timedelta(minutes=10)
    assert not exchange.session_open("AAPL")
    assert exchange.quote("AAPL").price == Decimal("112.11")  # not the listing's of today
    state.close()
