"""What the broker knows beside our own orders reaches the store: whole bots against the real exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from brokers import open_broker
from brokers.contract import Broker, Credentials
from shared.clock import SystemClock
from shared.db import reading
from shared.domain.account import AccountKey, BrokerName, Environment, Market
from shared.domain.order import Side
from shared.models import FillRow, InstrumentRow, JobRun, OrderRow, PeriodProfit, PositionRow
from shared.store.commands import CommandKind
from tests.bots.stage import Stage, open_stage, wait_until
from tests.bots.test_process import RULE
from tests.brokers.rig import MemoryTokens


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = open_stage(tmp_path_factory.mktemp("broker_side"))
    yield opened
    opened.close()


def app_of(stage: Stage, number: int) -> Broker:
    """The broker's own app: another program on the same account."""
    return open_broker(
        AccountKey(number, BrokerName.KIS, Market.US, Environment.SIM, 1),
        Credentials(f"OTHER{number:08d}", "s" * 20, f"{20000000 + number}-01", f"APP{number:05d}"),
        clock=SystemClock(),
        token_store=MemoryTokens(),
        call_log=None,
        exchange_port_offset=stage.settings.exchange_port_offset,
    )


def by_hand(stage: Stage, number: int, *given: tuple[Side, int, str]) -> None:
    async def give() -> None:
        broker = app_of(stage, number)
        try:
            for side, quantity, price in given:
                await broker.place_order("AAPL", side, quantity, Decimal(price))
        finally:
            await broker.close()

    asyncio.run(give())


def held(stage: Stage, account_id: int) -> set[int]:
    with reading(stage.engine) as session:
        return set(session.exec(select(PositionRow.qty).where(PositionRow.account_id == account_id)))


async def quote_of(stage: Stage, number: int) -> Decimal:
    broker = app_of(stage, number)
    try:
        return (await broker.get_quote("AAPL")).last
    finally:
        await broker.close()


def rows(stage: Stage, model: Any, account_id: int) -> list[Any]:
    with reading(stage.engine) as session:
        return list(session.exec(select(model).where(model.account_id == account_id)))


def test_orders_given_in_the_brokers_app_are_shown_once_and_follow_their_fills(stage: Stage) -> None:
    account_id = stage.add_account(1)
    by_hand(stage, 1, (Side.BUY, 7, "300.00"), (Side.BUY, 3, "150.00"))  # one fills, one rests
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    stage_orders = lambda: {row.qty: row for row in rows(stage, OrderRow, account_id)}  # noqa: E731
    wait_until("both are shown", lambda: len(stage_orders()) == 2)
    wait_until("the fill too", lambda: rows(stage, FillRow, account_id))
    found = stage_orders()
    assert {row.origin for row in found.values()} == {"broker"}
    assert (found[7].status, found[3].status) == ("FILLED", "ACCEPTED")
    fills = rows(stage, FillRow, account_id)
    assert [(fill.side, fill.qty) for fill in fills] == [("BUY", 7)]
    truth = stage.ledger(1, "FILL")
    assert fills[0].price == Decimal(str(truth[-1]["price"]))

    assert bot.terminate() == 0
    by_hand(stage, 1, (Side.SELL, 2, "100.00"))  # while the bot is away
    again = stage.start_bot(account_id)
    stage.wait_ready(again)
    wait_until("what happened meanwhile is shown", lambda: len(rows(stage, FillRow, account_id)) == 2)
    wait_until("the look back ran", lambda: "back_fill" in {run.job for run in rows(stage, JobRun, account_id)})
    assert len(rows(stage, OrderRow, account_id)) == 3, "each order once, however often it was looked at"
    assert again.terminate() == 0


def test_an_order_of_ours_is_never_shown_a_second_time_as_somebody_elses(stage: Stage) -> None:
    account_id = stage.add_account(2)
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    stage.outcome(stage.buy(account_id, "a", quantity=2, price=None))
    wait_until("it filled", lambda: [row.status for row in stage.orders(account_id)] == ["FILLED"])
    assert bot.terminate() == 0
    (stage.settings.account_dir(account_id) / "journal.db").unlink()  # the bot forgets what was its own
    again = stage.start_bot(account_id)
    stage.wait_ready(again)
    wait_until("the look back ran", lambda: len([r for r in rows(stage, JobRun, account_id) if r.job == "back_fill"]))
    wait_until("nothing waits", lambda: stage.heartbeat(account_id).outbox_depth == 0)  # type: ignore[union-attr]
    assert [row.origin for row in rows(stage, OrderRow, account_id)] == ["operator"]
    assert sum(fill.qty for fill in rows(stage, FillRow, account_id)) == 2
    assert again.terminate() == 0


def test_holdings_that_are_booked_after_the_fill_is_told_are_no_difference(stage: Stage) -> None:
    account_id = stage.add_account(5, owner="late")
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    stage.outcome(stage.buy(account_id, "first"))
    wait_until("the broker's holdings have it", lambda: held(stage, account_id) == {2})
    stage.fault(5, "CTRP6504R", "stale", count=6)
    stage.outcome(stage.buy(account_id, "second"))
    wait_until("the fill was told", lambda: sum(one.qty for one in stage.fills(account_id)) == 4)
    wait_until("the broker said the old holdings again and again", lambda: len(stage.ledger(5, "FAULT")) == 6)
    wait_until("all are shown", lambda: held(stage, account_id) == {4})
    assert "DRIFT" not in stage.alerts(account_id)
    sold = stage.command(
        account_id, CommandKind.PLACE_ORDER, "all", client_order_id=f"op-{account_id}-all", symbol="AAPL", side="SELL",
        quantity=4, price=None, order_type="MARKET", reduces=True,
    )  # fmt: skip
    done = stage.outcome(sold)
    assert done.status == "DONE", done.result
    wait_until("all are sold", lambda: sum(one.qty for one in stage.fills(account_id)) == 8)
    bot.terminate()


def test_a_stop_whose_shares_are_on_offer_by_hand_is_said_aloud(stage: Stage) -> None:
    account_id = stage.add_account(6, owner="busy hands")
    stage.add_rule(account_id, RULE.format(stop=2, above=1))
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    wait_until("the rule holds shares", lambda: held(stage, account_id) == {2})
    by_hand(stage, 6, (Side.SELL, 2, "400.00"))
    stage.admin("POST", "/tape", json={"symbol": "AAPL", "jump": -5})
    wait_until("a person hears of it", lambda: "EXIT_HELD" in stage.alerts(account_id))
    assert sum(one.qty for one in stage.fills(account_id)) == 2  # bought, not sold
    bot.terminate()


def test_the_days_jobs_leave_their_rows_and_what_they_brought(stage: Stage) -> None:
    account_id = stage.add_account(3)
    by_hand(stage, 3, (Side.BUY, 5, "300.00"))
    by_hand(stage, 3, (Side.SELL, 5, "100.00"))
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)
    wanted = {"open_day", "back_fill", "day_bars", "instruments", "period_profit", "balances_open", "balances_close"}
    wait_until("each had its turn", lambda: {run.job for run in rows(stage, JobRun, account_id)} >= wanted)
    outcome = {run.job: run.outcome for run in rows(stage, JobRun, account_id)}
    assert {outcome[name] for name in ("open_day", "back_fill", "day_bars", "period_profit", "instruments")} == {"ok"}
    with reading(stage.engine) as session:
        assert {row.symbol for row in session.exec(select(InstrumentRow))} >= {"AAPL", "MSFT", "NVDA"}
    profits = {row.symbol: row for row in rows(stage, PeriodProfit, account_id)}
    truth = {event["side"]: Decimal(str(event["price"])) for event in stage.ledger(3, "FILL")}
    assert profits["AAPL"].qty == 5
    assert profits["AAPL"].sold == 5 * truth["SELL"] and profits["AAPL"].bought == 5 * truth["BUY"]
    beat = stage.heartbeat(account_id)
    assert beat is not None and beat.rate_limit > 0 and (beat.rate_waiting, beat.rate_limited) == (0, 0)
    assert bot.terminate() == 0


def test_an_order_by_hand_goes_to_the_day_market_or_waits_as_a_reservation(stage: Stage) -> None:
    account_id = stage.add_account(4)
    bot = stage.start_bot(account_id)
    stage.wait_ready(bot)

    quoted = asyncio.run(quote_of(stage, 4))
    below = f"{quoted * Decimal('0.98'):.2f}"  # inside the collar, and not met

    def give(key: str, session: str, price: str) -> Any:
        asked = stage.command(
            account_id, CommandKind.PLACE_ORDER, key, client_order_id=f"op-{key}", symbol="AAPL", side="BUY",
            quantity=3, price=price, order_type="LIMIT", reduces=False, session=session,
        )  # fmt: skip
        return stage.outcome(asked).result

    given = give("day", "DAY_MARKET", below)
    assert given.get("status") == "ACCEPTED", given
    cancelled = stage.outcome(stage.command(account_id, CommandKind.CANCEL_ORDER, "c1", client_order_id="op-day"))
    assert cancelled.status == "DONE"
    wait_until("the day-market order is cancelled", lambda: stage.orders(account_id)[0].status == "CANCELED")

    kept = give("later", "RESERVED", below)
    assert kept.get("status") == "ACCEPTED" and kept["broker_order_id"].startswith("R"), kept
    bot.kill()
    again = stage.start_bot(account_id)
    stage.wait_ready(again)
    stage.command(account_id, CommandKind.CANCEL_ORDER, "c2", client_order_id="op-later")
    wait_until("the reservation is cancelled", lambda: stage.orders(account_id)[-1].status == "CANCELED")
    assert [row.session for row in stage.orders(account_id)] == ["DAY_MARKET", "RESERVED"]
    assert again.terminate() == 0
