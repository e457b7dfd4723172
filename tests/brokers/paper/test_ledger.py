"""The ledger: append-only, balanced, the same after a restart."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.paper.accounts import AccountId, ExEnv
from brokers.paper.ledger import EventType, Ledger, Leg
from brokers.paper.state import LATER, State
from shared.domain.account import BrokerName
from shared.domain.errors import ConfigError
from shared.domain.order import OrderSession
from tests.brokers.paper.floor_rig import SUNDAY_NIGHT, Rig

ACCOUNT = AccountId(BrokerName.KIS, ExEnv.LIVE, "12345678-01")
amounts = st.decimals(min_value="-1000000", max_value="1000000", places=2, allow_nan=False)


def append(ledger: Ledger, *legs: Leg) -> int:
    return ledger.append(EventType.CASH, at=SUNDAY_NIGHT, market_at=SUNDAY_NIGHT, account=ACCOUNT, legs=legs).seq


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["cash:USD", "share:AAPL"]), amounts), max_size=12))
def test_balances_are_the_sum_of_the_legs_also_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, Decimal]]
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    state = State(folder)
    ledger = Ledger(state)
    for unit, amount in moves:
        with state.transaction():
            append(ledger, Leg("someone", unit, amount), Leg("market", unit, -amount))
    state.close()
    state = State(folder)
    again = Ledger(state)
    for unit in ("cash:USD", "share:AAPL"):
        wanted = sum((amount for one, amount in moves if one == unit), Decimal(0))
        assert again.balance("someone", unit) == ledger.balance("someone", unit) == wanted
    assert again.seq == len(moves)
    assert again.check() == []
    state.close()


def test_legs_that_do_not_balance_are_refused_and_leave_no_trace(tmp_path: Path) -> None:
    state = State(tmp_path)
    ledger = Ledger(state)
    with pytest.raises(ValueError, match="balance"):
        append(ledger, Leg("someone", "cash:USD", Decimal(5)), Leg("market", "cash:USD", Decimal(-4)))
    assert (ledger.seq, ledger.events()) == (0, [])
    state.close()


def test_the_proof_finds_a_tampered_book_and_a_debt(tmp_path: Path) -> None:
    state = State(tmp_path)
    ledger = Ledger(state)
    append(ledger, Leg("KIS/live/1", "cash:USD", Decimal(-5)), Leg("market", "cash:USD", Decimal(5)))
    assert any("owes" in text for text in ledger.check())
    state.db.execute("UPDATE postings SET amount = '6' WHERE holder = 'market'")
    assert any("does not balance" in text for text in ledger.check())
    state.close()


def test_events_are_numbered_without_gaps_and_read_from_any_point(tmp_path: Path) -> None:
    state = State(tmp_path)
    ledger = Ledger(state)
    assert [append(ledger) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert [event.seq for event in ledger.events(after=3)] == [4, 5]
    assert ledger.events(kind="FILL") == []
    assert len(ledger.events(accounts=("12345678-01",), kind="CASH")) == 5
    assert ledger.events(accounts=("1",)) == []
    state.close()


def test_what_fails_half_way_is_not_written(tmp_path: Path) -> None:
    state = State(tmp_path)
    ledger = Ledger(state)
    with pytest.raises(KeyError), state.transaction():
        append(ledger)
        raise KeyError
    assert Ledger(state).seq == 0
    assert state.failed
    state.close()


async def test_transactions_of_one_turn_share_a_commit_and_nobody_answers_before_it(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.group(asyncio.get_running_loop().call_soon)
    ledger, done = Ledger(state), []

    async def serve(number: int) -> None:
        with state.transaction():
            append(ledger)
        state.after_commit(lambda: done.append(("after", number, state.db.in_transaction)))
        await state.committed()
        done.append(("answered", number, state.db.in_transaction))

    commits: list[str] = []
    state.db.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    await asyncio.gather(*(serve(number) for number in range(5)))
    assert commits == ["COMMIT"]
    assert sorted(done) == sorted((kind, number, False) for kind in ("after", "answered") for number in range(5))
    assert Ledger(state).seq == 5
    state.close()


async def test_what_fails_in_a_shared_commit_leaves_everyone_of_it_without_an_answer(tmp_path: Path) -> None:
    state, turns = State(tmp_path), []
    state.group(turns.append)  # the turn ends later
    ledger = Ledger(state)
    with state.transaction():
        append(ledger)
    waiting = asyncio.ensure_future(state.committed())
    await asyncio.sleep(0)
    with pytest.raises(KeyError), state.transaction():
        append(ledger)
        raise KeyError
    with pytest.raises(ConnectionAbortedError):
        await waiting
    assert Ledger(state).seq == 0
    state.close()


def test_a_state_file_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    order = rig.buy("AAPL", 3, 230)
    rig.run(2)
    for table, column, _ in LATER:
        rig.state.db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    rig.again()
    known = rig.exchange.order(rig.kis, order.order_no)
    assert known is not None and known.session is OrderSession.REGULAR
    assert rig.exchange.executions(rig.kis, order.order_no)[0].fee == 0
    rig.buy("AAPL", 1, 230)
    rig.run(2)
    rig.again()
    assert rig.exchange.ledger.check() == []
    rig.close()


def test_a_second_exchange_on_the_same_state_is_refused_by_name(tmp_path: Path) -> None:
    first = State(tmp_path)
    with pytest.raises(ConfigError) as refused:
        State(tmp_path)
    assert "other exchange" in refused.value.now
    first.close()
    State(tmp_path).close()


def test_a_damaged_state_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "exchange.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConfigError) as refused:
        State(tmp_path)
    assert "damaged" in refused.value.what
