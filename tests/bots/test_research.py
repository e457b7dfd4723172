"""The research worker does what was queued, once, in a process of its own, and can be stopped."""

import threading
from datetime import UTC, datetime

import pytest

from bots.backtest import library
from bots.research import Research, work
from shared.clock import SystemClock
from shared.db import reading, writing
from shared.domain.account import Market
from shared.models import BrokerageAccount, Owner, User
from shared.store import backtests
from shared.store.backtests import RunStatus
from tests.bots.backtest.test_sweep import RULE
from tests.fakes import FakeClock

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ASKED = {
    "kind": "sweep",
    "market": "KRX",
    "symbols": ["005930"],
    "cash": 1e8,
    "param": {"fast": [5, 10], "slow": [30, 60]},
}


@pytest.fixture
def home(store, tmp_path, monkeypatch):
    monkeypatch.setenv("LETSTRADE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", store.url.render_as_string(hide_password=False))  # a child opens it too
    lines = ["timestamp,open,high,low,close,volume"]
    for place in range(400):
        price = 50_000 + 500 * (place % 40) - 250 * (place % 17)
        lines.append(
            f"{1_700_000_000 // 60 * 60 + 60 * place},{price},{price + 500},{price - 500},{price + 100},100000"
        )
    file = tmp_path / "bars.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    library.keep(tmp_path, Market.KRX, "005930", file)
    return tmp_path


def queued(engine, asked=ASKED, text=RULE):
    with writing(engine) as session:
        return backtests.ask(session, NOW, rule_text=text, params=asked, requested_by="t").id


def row(engine, run_id):
    with reading(engine) as session:
        found = backtests.one(session, run_id)
        return found.status, found.result, found.progress


def test_a_queued_sweep_is_done_by_a_child_and_its_result_kept(store, home):
    run_id = queued(store)
    research = Research(store, SystemClock())
    assert research.turn(threading.Event()) and not research.turn(threading.Event())
    status, result, progress = row(store, run_id)
    assert (status, progress) == ("DONE", 1.0)
    assert result["combinations"] == 4 and {one["params"]["fast"] for one in result["items"]} == {5, 10}


@pytest.mark.parametrize("kind", ["run", "check"])
def test_runs_and_checks_end_in_a_document(store, home, kind):
    run_id = queued(store, ASKED | {"kind": kind, "param": {}})
    with writing(store) as session:
        backtests.take(session)
    work(store, SystemClock(), run_id)
    status, result, _ = row(store, run_id)
    assert status == "DONE" and (result["equity"] if kind == "run" else result["checks"])


@pytest.mark.parametrize("wrong", [{"symbols": ["000660"]}, {"kind": "guess"}, {"market": "MOON"}, {"cash": 0}])
def test_what_cannot_be_done_fails_with_a_reason(store, home, wrong):
    run_id = queued(store, ASKED | wrong)
    with writing(store) as session:
        backtests.take(session)
    work(store, SystemClock(), run_id)
    status, result, _ = row(store, run_id)
    assert status == "FAILED" and result["error"]["why"] and result["error"]["now"]


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_by_its_worker(store, home):
    waiting, running = queued(store), queued(store, ASKED | {"kind": "check"})
    with writing(store) as session:
        assert backtests.cancel(session, NOW, waiting) is RunStatus.CANCELED
        assert backtests.take(session).id == running and backtests.take(session) is None
        assert backtests.cancel(session, NOW, running) is RunStatus.CANCELING
        assert backtests.cancel(session, NOW, 999) is None
    Research(store, SystemClock()).recover()
    assert row(store, running)[0] == "FAILED" and row(store, waiting)[0] == "CANCELED"


def test_a_stopping_worker_ends_its_child_and_says_so(store, home):
    run_id, stop = queued(store), threading.Event()
    stop.set()
    Research(store, SystemClock()).turn(stop)
    status, result, _ = row(store, run_id)
    assert (status, result.get("error", {}).get("code")) == ("FAILED", "interrupted") or status == "DONE"


def test_the_night_owes_each_enabled_account_one_parity_whenever_the_worker_comes(store):
    before = datetime(2026, 11, 1, tzinfo=UTC)
    with writing(store) as session:
        session.add(User(id=1, email="a@b.c", role="ADMIN", created_at=before, password_hash="x"))
        session.add(Owner(id=1, name="o", created_at=before))
        session.flush()
        for number, (market, enabled) in enumerate((("US", True), ("KRX", True), ("KRX", False)), 1):
            session.add(
                BrokerageAccount(
                    id=number, owner_id=1, user_id=1, nickname=str(number), broker="KIS", market=market,
                    environment="SIM", enabled=enabled, created_at=before,
                )
            )  # fmt: skip
    clock = FakeClock(datetime(2026, 11, 20, 23, 0, tzinfo=UTC))  # Saturday morning in Seoul
    research = Research(store, clock)
    research.ask_parity()
    research.ask_parity()
    with reading(store) as session:
        asked = [one.params for one in backtests.listed(session, 9)]
    assert sorted((one["account"], one["day"]) for one in asked) == [(1, "2026-11-20"), (2, "2026-11-20")]
    clock.pass_s(86_400)
    research.ask_parity()
    with reading(store) as session:
        assert len(backtests.listed(session, 9)) == 4
