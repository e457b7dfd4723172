"""Call auctions: openings, closings, volatility interruptions, circuit breakers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from brokers.paper.accounts import Profile
from brokers.paper.orders import ExOrder, ExStatus, Reject, RejectReason
from shared.domain.account import Market
from shared.domain.order import OrderType, Side, TimeInForce
from tests.brokers.paper.floor_rig import SUNDAY_NIGHT, Rig

# A Tuesday: KRX opens at 00:00 UTC (09:00), closes 06:30; New York opens 14:30 and closes 21:00 (EST).
TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)


def at(hour: float, minute: float = 0, second: float = 0) -> datetime:
    return TUESDAY + timedelta(hours=hour, minutes=minute, seconds=second)


def strict(folder: Path, when: datetime) -> Rig:
    return Rig(folder, profile=Profile.STRICT, at=when)


def fills(order: ExOrder, rig: Rig) -> list[tuple[int, Decimal, datetime]]:
    return [(e.quantity, e.price, e.at) for e in rig.exchange.executions(rig.kis, order.order_no)]


@pytest.mark.parametrize("kind", [OrderType.LOC, OrderType.LOO])
def test_where_nothing_closes_auction_orders_meet_every_five_minutes(rig: Rig, kind: OrderType) -> None:
    order = rig.order(Side.BUY, "AAPL", 5, 230, order_type=kind)
    rig.run(60)
    assert order.filled == 0  # far above the market, and still it waits
    assert rig.exchange.next_auction(Market.US) == SUNDAY_NIGHT + timedelta(minutes=5)
    rig.run(239)
    last = rig.exchange.quote("AAPL")
    rig.run(1.1)
    assert fills(order, rig)[0][2] == SUNDAY_NIGHT + timedelta(minutes=5)
    assert abs(fills(order, rig)[0][1] - last.price) < 2


def test_an_auction_order_whose_limit_the_price_misses_dies_with_the_auction(rig: Rig) -> None:
    order = rig.order(Side.BUY, "AAPL", 5, 150, order_type=OrderType.LOC)
    rig.run(301)
    assert (order.status, order.filled) == (ExStatus.EXPIRED, 0)
    assert rig.ledger("EXPIRE")[-1][-1] == "AUCTION"


def test_an_auction_order_cannot_be_filled_by_the_market_between_auctions(rig: Rig) -> None:
    order = rig.order(Side.BUY, "AAPL", 5, 230, order_type=OrderType.LOC)
    rig.exchange.move("AAPL", price=Decimal(150))
    rig.run(120)
    assert order.filled == 0


REPLAY = """ts_utc,open,high,low,close,volume
2026-03-10T13:30:00Z,200.00,201.00,199.00,200.50,4000
2026-03-10T13:31:00Z,200.50,202.00,200.00,201.50,4000
2026-03-10T13:32:00Z,201.50,203.00,201.00,202.75,4000
"""


@pytest.fixture
def day(tmp_path: Path) -> Rig:
    file = tmp_path / "aapl.csv"
    file.write_text(REPLAY, encoding="utf-8")
    made = Rig(tmp_path / "state", f"replay:AAPL={file}")
    made.exchange.clock.shift(datetime(2026, 3, 10, 13, 20, tzinfo=UTC), 1.0)
    made.exchange.tape.load(made.exchange.tape.source)
    return made


def test_a_replayed_day_opens_with_an_auction_at_its_first_price(day: Rig) -> None:
    order = day.order(Side.BUY, "AAPL", 10, 210, order_type=OrderType.LOO)
    missed = day.order(Side.BUY, "AAPL", 10, 190, order_type=OrderType.LOO)
    with pytest.raises(Reject) as refused:
        day.buy("AAPL", 1, 210)
    assert refused.value.reason is RejectReason.MARKET_CLOSED
    day.run(620)
    assert fills(order, day) == [(10, Decimal("200.00"), datetime(2026, 3, 10, 13, 30, tzinfo=UTC))]
    assert missed.status is ExStatus.EXPIRED


def test_a_replayed_day_closes_with_an_auction_at_its_last_price(day: Rig) -> None:
    day.exchange.clock.shift(datetime(2026, 3, 10, 13, 30, 5, tzinfo=UTC), 1.0)
    order = day.order(Side.BUY, "AAPL", 10, 210, order_type=OrderType.LOC)
    day.run(240)
    assert fills(order, day) == [(10, Decimal("202.75"), datetime(2026, 3, 10, 13, 33, tzinfo=UTC))]


def test_it_is_too_late_for_an_auction_after_its_cut_off(day: Rig) -> None:
    for minute, kind in ((29, OrderType.LOO), (31, OrderType.LOC)):
        day.exchange.clock.shift(datetime(2026, 3, 10, 13, minute, tzinfo=UTC), 1.0)
        with pytest.raises(Reject) as refused:
            day.order(Side.BUY, "AAPL", 1, 210, order_type=kind)
        assert refused.value.reason is RejectReason.NOT_IN_SESSION


def test_korean_orders_collect_before_the_open_and_trade_at_one_price(tmp_path: Path) -> None:
    rig = strict(tmp_path, at(-0.25))  # 08:45 in Seoul
    high, market = rig.buy("005930", 10, 80_000), rig.buy("005930", 5)
    rig.run(600)
    assert (high.filled, market.filled) == (0, 0)
    expected = rig.exchange.expected("005930")
    assert expected is not None and expected[1] >= 15
    rig.run(302)
    assert len(fills(high, rig)) == len(fills(market, rig)) == 1
    assert fills(high, rig)[0][1] == fills(market, rig)[0][1]
    assert fills(high, rig)[0][2] >= at(0)
    assert rig.exchange.expected("005930") is None
    rig.close()


def test_korean_orders_left_at_the_close_trade_in_the_closing_auction_or_die(tmp_path: Path) -> None:
    rig = strict(tmp_path, at(6, 21))  # 15:21: the closing auction collects
    high, low = rig.buy("005930", 10, 80_000), rig.buy("005930", 10, 60_000)
    with pytest.raises(Reject) as refused:
        rig.order(Side.BUY, "005930", 1, 80_000, time_in_force=TimeInForce.IOC)
    assert refused.value.reason is RejectReason.NOT_IN_SESSION
    rig.run(520)
    assert high.filled == 0
    rig.run(60)
    assert [(q, when) for q, _, when in fills(high, rig)] == [(10, at(6, 30, 30))]
    assert (low.status, low.filled) == (ExStatus.EXPIRED, 0)
    rig.close()


def test_a_closing_order_in_new_york_trades_at_four(tmp_path: Path) -> None:
    rig = strict(tmp_path, at(20, 57))
    order = rig.order(Side.BUY, "AAPL", 3, 230, order_type=OrderType.LOC)
    plain = rig.buy("AAPL", 3, 150)
    with pytest.raises(Reject) as refused:
        rig.order(Side.BUY, "BRK/B", 1, 500, order_type=OrderType.LOC)  # NYSE: 15:50
    assert refused.value.reason is RejectReason.NOT_IN_SESSION
    rig.run(179)
    assert order.filled == 0
    rig.run(2)
    assert [(q, when) for q, _, when in fills(order, rig)] == [(3, at(21))]
    assert plain.status is ExStatus.EXPIRED
    rig.close()


def test_an_interruption_stops_trading_takes_orders_and_ends_in_an_auction(rig: Rig) -> None:
    resting = rig.buy("005930", 10, rig.exchange.quote("005930").bid - 300)
    rig.run(1)
    rig.exchange.interrupt("005930")
    assert not rig.exchange.halted("005930")
    new = rig.buy("005930", 10, 80_000)
    with pytest.raises(Reject) as refused:
        rig.order(Side.BUY, "005930", 1, 80_000, time_in_force=TimeInForce.IOC)
    assert refused.value.reason is RejectReason.HALTED
    rig.run(118)
    assert new.filled == 0 and rig.exchange.expected("005930") is not None
    rig.run(6)
    assert len(fills(new, rig)) == 1 and fills(new, rig)[0][2] >= SUNDAY_NIGHT + timedelta(seconds=121)
    assert rig.exchange.order(rig.kis, resting.order_no) is resting


def test_an_interruption_survives_a_restart_and_a_price_set_meanwhile(rig: Rig) -> None:
    rig.exchange.interrupt("005930")
    rig.run(30)
    rig.exchange.move("005930", price=Decimal(72_000))
    rig.again()
    assert rig.exchange.tape.calling("005930")
    rig.run(95)
    assert not rig.exchange.tape.resting("005930")
    assert abs(rig.exchange.quote("005930").price - 72_000) < 1_500


def test_a_circuit_breaker_stops_the_whole_market_and_leaves_the_other_alone(rig: Rig) -> None:
    rig.exchange.break_circuit(Market.KRX, True)
    for symbol in ("005930", "247540"):
        with pytest.raises(Reject) as refused:
            rig.buy(symbol, 1, rig.exchange.quote(symbol).price)
        assert refused.value.reason is RejectReason.HALTED
    assert rig.buy("AAPL", 1, 230).leaves == 1
    rig.until(SUNDAY_NIGHT + timedelta(minutes=21))
    order = rig.buy("005930", 1, 80_000)
    rig.run(5)
    assert order.filled == 0
    rig.until(SUNDAY_NIGHT + timedelta(minutes=29, seconds=58))
    rig.run(5)
    assert order.filled == 1


def test_a_circuit_breaker_can_be_lifted(rig: Rig) -> None:
    rig.exchange.break_circuit(Market.KRX, True)
    rig.exchange.break_circuit(Market.KRX, False)
    order = rig.buy("005930", 1, 80_000)
    rig.run(3)
    assert order.filled == 1
