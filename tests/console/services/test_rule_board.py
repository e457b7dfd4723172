"""The list of rules tells what each earned and guards, and says so where nobody knows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from sqlmodel import select

from console.services import profit, rule_board, rules
from console.services.rule_board import BoardLine, Guarding
from shared.db import writing
from shared.models import FillRow, Heartbeat, OrderRow, PositionRow, ProfitRollup, Role, StrategySignal
from tests.console.desks import Desk

US, HIDDEN = "미국 주식 1호", "모의 검증"
RULE = 1


def line(desk: Desk, rule: int = RULE) -> BoardLine:
    return next(one for one in rule_board.board(desk.wiring, desk.actor(Role.ADMIN)) if one.line.id == rule)


def trade(desk: Desk, number: int, side: str, qty: int, price: str, realized: str | None, rule: int = RULE) -> None:
    at = desk.wiring.clock.wall_now() + timedelta(seconds=number)
    with writing(desk.wiring.engine) as session:
        order = OrderRow(
            account_id=desk.accounts[US], rule_id=rule, client_order_id=f"b{number}", symbol="IBM", side=side, qty=qty,
            status="FILLED", placed_at=at, updated_at=at,
        )  # fmt: skip
        session.add(order)
        session.flush()
        session.add(
            FillRow(
                order_id=order.id or 0, account_id=desk.accounts[US], execution_id=f"b{number}", symbol="IBM", side=side,
                qty=qty, price=D(price), currency="USD", commission=D("0.5"), tax=D(0), filled_at=at, recorded_at=at,
                realized_pnl=None if realized is None else D(realized),
            )
        )  # fmt: skip


def test_what_a_rule_earned_is_its_own_sales_less_its_costs(desk: Desk) -> None:
    """Two rules of one symbol: first-in-first-out over the account would give the second one the first one's gain."""
    other = rules.add_rule(
        desk.wiring, desk.actor(Role.ADMIN), desk.accounts[US], rules.opened(desk.wiring, desk.actor(Role.ADMIN), 1).version.text
    )  # fmt: skip
    assert line(desk, other).earned is None
    before = line(desk).earned
    assert before is None or before.unknown == 0
    trade(desk, 1, "BUY", 10, "100", None)
    trade(desk, 2, "BUY", 10, "200", None, other)
    trade(desk, 3, "SELL", 10, "210", "100", other)
    earned = line(desk, other).earned
    assert earned is not None and (earned.net, earned.currency, earned.sold) == (D(99), "USD", D(2100))
    assert earned.on_cost == D(99) / 2000


def test_a_sale_nobody_knows_the_cost_of_makes_the_sum_unknown_and_so_it_stays_after_a_restart(
    desk: Desk, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(profit, "SAVED_EVERY", 1)
    monkeypatch.setattr(profit, "_ledgers", {})
    trade(desk, 1, "SELL", 1, "10", "3")
    trade(desk, 2, "SELL", 1, "10", None)
    earned = line(desk).earned
    assert earned is not None and earned.net is None and earned.on_cost is None and earned.unknown >= 1
    profit.keep(desk.wiring)
    profit._ledgers.clear()  # another process
    assert line(desk).earned == earned


def test_figures_kept_by_an_older_program_are_reckoned_anew(desk: Desk, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(profit, "SAVED_EVERY", 1)
    monkeypatch.setattr(profit, "_ledgers", {})
    trade(desk, 1, "SELL", 1, "10", "3")
    before = line(desk).earned
    profit.keep(desk.wiring)
    with writing(desk.wiring.engine) as session:
        for row in session.exec(select(ProfitRollup)):
            row.basis, row.days = row.basis.removeprefix(profit._KEPT), [["2026-01-05", 1, "USD"]]
            session.add(row)
    profit._ledgers.clear()
    assert line(desk).earned == before


def test_the_guard_tells_the_worst_first(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        for row in session.exec(select(PositionRow)):
            row.stop_checked_at = now + timedelta(minutes=5)  # however long the test takes
    assert (line(desk).guard.state, line(desk).guard.symbols) == (Guarding.WATCHED, ("AAPL", "MSFT"))
    with writing(desk.wiring.engine) as session:
        position = next(row for row in session.exec(select(PositionRow)) if row.symbol == "MSFT")
        position.guarded_qty = 2
    assert (line(desk).guard.state, line(desk).guard.symbols) == (Guarding.PARTLY, ("MSFT",))
    with writing(desk.wiring.engine) as session:
        for row in session.exec(select(PositionRow)):
            row.stop_checked_at = now - timedelta(minutes=9)
    assert line(desk).guard.state is Guarding.STALE
    for detail, state, why in (
        ({"frozen": {"AAPL": "증권사 주문 77"}}, Guarding.FROZEN, "증권사 주문 77"),
        ({"frozen": {"AAPL": "증권사 주문 77"}, "parked": {"1:AAPL": "0으로 나눔"}}, Guarding.PARKED, "0으로 나눔"),
    ):
        with writing(desk.wiring.engine) as session:
            session.get_one(Heartbeat, desk.accounts[US]).detail = detail
        assert (line(desk).guard.state, line(desk).guard.why) == (state, why)


def test_the_newest_signal_is_shown_and_hidden_accounts_are_not(desk: Desk) -> None:
    now = desk.wiring.clock.wall_now()
    assert line(desk).signal is None
    with writing(desk.wiring.engine) as session:
        for number, kind in enumerate(("ENTRY", "EXIT")):
            session.add(
                StrategySignal(
                    account_id=desk.accounts[US], rule_id=RULE, type=kind, signal_key=f"s{number}", created_at=now,
                    payload={"symbol": "AAPL", "reason": "exit"},
                )
            )  # fmt: skip
    found = line(desk).signal
    assert found is not None and found.type == "EXIT"
    hidden = rules.add_rule(
        desk.wiring, desk.actor(Role.ADMIN), desk.accounts[HIDDEN],
        rules.opened(desk.wiring, desk.actor(Role.ADMIN), 2).version.text,
    )  # fmt: skip
    seen = {one.line.id for one in rule_board.board(desk.wiring, desk.actor(Role.VIEWER))}
    assert RULE in seen and hidden not in seen
