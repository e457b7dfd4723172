"""Won, profit, market and tickets: figures that a person trusts, on hand-reckoned cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import delete, select

from console.services import blocked, holdings, manual_orders, market, overview, profit, returns, sign_ins, tickets, won
from console.services.manual_orders import Ticket
from console.services.tickets import preview_of
from shared.db import reading, writing
from shared.domain.account import BrokerName, Environment, Market
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.domain.market import Timeframe
from shared.domain.money import Currency, Money
from shared.domain.order import Side
from shared.models import CashFlow, Command, EquitySnapshot, FillRow, FxRate, LoginSession, PriceBar, Role
from shared.store import fx
from shared.store.commands import CommandKind
from shared.store.sessions import find_session, start_session
from tests.console.desks import Desk

US, LIVE, HIDDEN = "미국 주식 1호", "본계좌", "모의 검증"


def test_dollars_and_won_meet_only_with_a_rate() -> None:
    rate = won.Rate(Decimal("1391.2"), datetime(2026, 11, 20, tzinfo=UTC), "desk")
    both = [Money(Decimal(100), Currency.USD), Money(Decimal(5_000), Currency.KRW)]
    assert won.sum_in_won(both, rate) == Decimal("144120.0")
    assert won.sum_in_won(both, None) is None
    assert won.sum_in_won(both[1:], None) == 5_000


def test_the_first_screen_tells_price_and_rate_apart(desk: Desk) -> None:
    view = overview.overview(desk.wiring, desk.actor(Role.ADMIN))
    sim = next(one for one in view.sums if one.environment is Environment.SIM)
    assert view.rate is not None and view.rate.won == Decimal("1391.2")
    dollars = next(one.amount for one in sim.equity if one.currency is Currency.USD)
    in_won = next(one.amount for one in sim.equity if one.currency is Currency.KRW)
    assert sim.equity_won == dollars * Decimal("1391.2") + in_won
    opened = next(line.equity_open for line in view.lines if line.id == desk.accounts[US])
    assert opened is not None and sim.fx_won is not None
    with reading(desk.wiring.engine) as session:
        moves = [row.rate for row in fx.series(session, "USD", "KRW")]
    assert sim.fx_won in {opened.amount * (Decimal("1391.2") - then) for then in moves}


def test_without_a_rate_nothing_is_added_up(desk: Desk) -> None:
    with writing(desk.wiring.engine) as session:
        session.execute(delete(FxRate))
    view = overview.overview(desk.wiring, desk.actor(Role.ADMIN))
    sim = next(one for one in view.sums if one.environment is Environment.SIM)
    assert (sim.equity_won, sim.price_won, sim.fx_won) == (None, None, None)
    assert len(sim.equity) == 2


def test_money_paid_in_or_out_is_no_profit_of_today(desk: Desk) -> None:
    """Only what moved between the two looks at the equity counts, and of this account alone."""
    admin, now = desk.actor(Role.ADMIN), desk.wiring.clock.wall_now()
    account = desk.accounts[US]
    midnight = blocked.midnight(Market.US, now)
    with writing(desk.wiring.engine) as session:
        session.execute(delete(EquitySnapshot))
        session.execute(delete(CashFlow))
        for at, dollars in ((midnight - timedelta(hours=3), "1000"), (now - timedelta(seconds=1), "6010")):
            row = EquitySnapshot(account_id=account, at=at, currency="USD", equity=Decimal(dollars), cash=Decimal(1))
            session.add(row)
    for at, paid in (
        (midnight - timedelta(hours=4), 77),  # in yesterday's equity already
        (midnight - timedelta(hours=1), 5_500),  # after the last look of yesterday
        (now - timedelta(seconds=1), -500),
        (now, 900),  # not in the newest equity yet
    ):
        returns.record_flow(desk.wiring, admin, account, Decimal(paid), at)
    returns.record_flow(desk.wiring, admin, desk.accounts["국내 단타"], Decimal(9), now - timedelta(seconds=1))
    line = next(one for one in overview.overview(desk.wiring, admin).lines if one.id == account)
    assert line.pnl_today == Money(Decimal(10), Currency.USD)
    unknown = next(one for one in overview.overview(desk.wiring, admin).lines if one.nickname == "국내 단타")
    assert unknown.pnl_today is None


def test_blocked_reasons_of_today_are_counted(desk: Desk) -> None:
    assert overview.overview(desk.wiring, desk.actor(Role.ADMIN)).blocked == (("cash", 37),)


def test_a_round_trip_is_told_in_won_with_its_costs(desk: Desk) -> None:
    """20 NVDA bought at 128.40 and sold at 131.90; the rate moved between."""
    today = desk.wiring.clock.wall_now().date()
    view = profit.statement(desk.wiring, desk.actor(Role.ADMIN), today - timedelta(days=7), today + timedelta(days=1))
    assert sum(day.gain for day in view.days) == Decimal("70.00")
    with reading(desk.wiring.engine) as session:
        nvda = session.exec(select(FillRow).where(FillRow.symbol == "NVDA")).all()
        sides = {one.side: fx.rate_at(session, "USD", "KRW", one.filled_at) for one in nvda}
    bought, sold = sides["BUY"], sides["SELL"]
    assert bought is not None and sold is not None
    assert sum(day.price_won for day in view.days) == 70 * sold.rate
    assert sum(day.fx_won for day in view.days) == Decimal("128.40") * 20 * (sold.rate - bought.rate)
    assert any(day.estimated for day in view.days) and not any(day.unknown for day in view.days)
    ((_, year),) = [(key, total) for key, total in profit.summed(view.days, "account") if total.gain]
    assert year.on_cost == (70 - year.fees - year.taxes) / (Decimal("128.40") * 20)


def test_a_sale_of_shares_we_never_saw_bought_is_unknown_not_profit(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        some = session.exec(select(FillRow).where(FillRow.symbol == "AAPL")).first()
        assert some is not None
        session.add(
            FillRow(
                order_id=some.order_id,
                account_id=some.account_id,
                execution_id="strange",
                symbol="TSLA",
                side="SELL",
                qty=5,
                price=Decimal(300),
                currency="USD",
                filled_at=now,
                recorded_at=now,
            )
        )
    view = profit.statement(
        desk.wiring, desk.actor(Role.ADMIN), now.date() - timedelta(days=7), now.date() + timedelta(days=1)
    )
    assert sum(day.unknown for day in view.days) == 1
    assert all(day.on_cost is None for day in view.days if day.unknown or not day.sold)
    assert sum(day.gain for day in view.days) == Decimal("70.00")


def test_profit_shows_granted_accounts_only(desk: Desk) -> None:
    today = desk.wiring.clock.wall_now().date()
    view = profit.statement(desk.wiring, desk.actor(Role.VIEWER), today - timedelta(days=7), today + timedelta(days=1))
    assert desk.accounts[HIDDEN] not in view.accounts


def test_a_rate_that_nobody_can_mean_is_refused(desk: Desk) -> None:
    with pytest.raises(Conflict):
        won.record_rate(desk.wiring, desk.actor(Role.ADMIN), Decimal("13.91"))


def test_minutes_gather_into_longer_candles() -> None:
    start = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
    rows = [
        PriceBar(
            environment="SIM",
            market="KRX",
            symbol="005930",
            timeframe="1m",
            start=start + timedelta(minutes=n),
            open=Decimal(100 + n),
            high=Decimal(110 + n),
            low=Decimal(90 + n),
            close=Decimal(101 + n),
            volume=10,
        )
        for n in range(7)
    ]
    five = market.gathered(rows, Timeframe.M5, Market.KRX)
    assert [(one.open, one.high, one.low, one.close, one.volume) for one in five] == [
        (100, 114, 90, 105, 50),
        (105, 116, 95, 107, 20),
    ]
    assert len(market.gathered(rows, Timeframe.D1, Market.KRX)) == 1


def test_candles_carry_our_trades_and_stops(desk: Desk) -> None:
    chart = market.chart(desk.wiring, desk.actor(Role.ADMIN), "SIM", "US", "AAPL", Timeframe.M5)
    assert len(chart.candles) in {48, 49}
    assert [(one.side, one.qty) for one in chart.trades] == [("BUY", 14)]
    assert [one.account for one in chart.stops] == [US]
    assert not market.chart(desk.wiring, desk.actor(Role.VIEWER), "MOCK", "KRX", "005930", Timeframe.M5).candles


def test_the_equity_curve_is_thinned_and_keeps_its_newest_point(desk: Desk) -> None:
    curve = holdings.equity_curves(desk.wiring, desk.actor(Role.ADMIN), timedelta(days=2))[0]
    assert 100 <= len(curve.points) <= 300
    assert curve.points == tuple(sorted(curve.points))


def test_prices_go_to_the_tick_without_exceeding_what_was_typed() -> None:
    on = datetime(2026, 11, 20, tzinfo=UTC).date()
    assert tickets.on_grid(Market.KRX, Decimal("71233"), Side.BUY, on, None) == (Decimal(71200), Decimal(100))
    assert tickets.on_grid(Market.KRX, Decimal("71233"), Side.SELL, on, None)[0] == Decimal(71300)
    assert tickets.on_grid(Market.US, Decimal("211.517"), Side.BUY, on, None)[0] == Decimal("211.51")
    told = tickets.cost(BrokerName.KIS, Market.US, Side.BUY, 10, Decimal(200), on)
    assert (told.amount, told.commission, told.tax) == (2_000, Decimal("5.00"), 0)


def test_a_preview_asks_the_bot_and_leaves_no_order(desk: Desk) -> None:
    trader, us = desk.actor(Role.TRADER), desk.accounts[US]
    ticket = Ticket("AAPL", Side.BUY, 3, Decimal("211.5"))
    command = manual_orders.preview(desk.wiring, trader, us, ticket, key="p1")
    assert command.kind == CommandKind.PREVIEW_ORDER and command.payload["quantity"] == 3
    with pytest.raises(Forbidden):
        manual_orders.preview(desk.wiring, desk.actor(Role.VIEWER), us, ticket, key="p2")
    assert preview_of(command) is None
    with writing(desk.wiring.engine) as session:
        row = session.get_one(Command, command.id)
        row.status, row.result = (
            "DONE",
            {
                "symbol": "AAPL",
                "name": "애플",
                "type": "stock",
                "board": "",
                "denied": {"code": "cash", "text": "부족"},
                "last": "211.5",
                "lower_limit": None,
                "upper_limit": None,
                "sellable": 14,
                "buying_power": "91010.02",
                "buyable": 430,
                "bids": [["211.49", 120]],
                "asks": [["211.51", 80]],
                "at": "2026-11-21T08:00:00+00:00",
            },
        )
        session.add(row)
    known = preview_of(manual_orders.answer(desk.wiring, trader, command.id or 0))
    assert known is not None and (known.denied, known.buyable, known.asks[0].price) == ("cash", 430, Decimal("211.51"))


def test_closing_needs_a_holding_and_on_live_the_name(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    with pytest.raises(NotFound):
        manual_orders.close(desk.wiring, admin, desk.accounts[US], "TSLA", key="k1")
    with pytest.raises(Conflict):
        manual_orders.close(desk.wiring, admin, desk.accounts[LIVE], "AAPL", key="k2", confirm="본계")
    asked = manual_orders.close(desk.wiring, admin, desk.accounts[US], "AAPL", key="k3")
    assert manual_orders.close(desk.wiring, admin, desk.accounts[US], "AAPL", key="k3").id == asked.id


def test_a_session_is_ended_by_its_owner_or_an_admin_only(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        token = start_session(session, desk.users[Role.TRADER], now, ip="10.0.0.9", user_agent="Test")
        session.flush()
        found = session.exec(select(LoginSession).where(LoginSession.ip == "10.0.0.9")).one()
        session_id = found.id or 0
    viewer, admin = desk.actor(Role.VIEWER), desk.actor(Role.ADMIN)
    assert all(line.user_id == viewer.user_id for line in sign_ins.listed(desk.wiring, viewer))
    with pytest.raises(NotFound):
        sign_ins.end(desk.wiring, viewer, session_id)
    assert session_id in {line.id for line in sign_ins.listed(desk.wiring, admin)}
    sign_ins.end(desk.wiring, admin, session_id)
    with reading(desk.wiring.engine) as session:
        assert find_session(session, token, now) is None
