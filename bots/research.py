"""Research: does the backtests that people asked for, one after the other. `python -m bots.research`, one per host.

Each night it asks itself for the parity of every enabled account's last trade date (bots/backtest/parity.py). Each job is a child process of low priority with a memory limit, so that no rule and no sweep takes the desk down. No keys,
no broker: bars come from files. A job that its worker left behind is told so; it is not started again by itself.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from shared import calendars, schema
from shared.clock import Clock, SystemClock
from shared.config import load_settings
from shared.db import open_engine, reading, writing
from shared.domain.account import Environment, Market
from shared.domain.errors import ConfigError, TradingError
from shared.domain.trading_days import ZONES, OutsideCalendar
from shared.logs import configure, log
from shared.models import BrokerageAccount, JobRun
from shared.store import accounts, alerts, backtests, parity
from shared.store.backtests import RunStatus

POLL_S = 1.0
MEMORY_BYTES = 4 * 1024**3
NICE = 19
LONGEST_S = 3_600.0
_TELLS_EVERY_S = 0.5
PARITY = "parity"
PARITY_AT = time(7, 30)  # Seoul: both markets' sessions are over


def _last_due(now: datetime) -> datetime:
    """The newest moment, not after `now`, at which the night's parity is owed."""
    local = now.astimezone(ZONES[Market.KRX])
    due = datetime.combine(local.date(), PARITY_AT, local.tzinfo)
    return (due if due <= local else due - timedelta(days=1)).astimezone(UTC)


def _traded(account: BrokerageAccount, day: date) -> bool:
    """Whether the account's market was open; the local exchange's may always be."""
    if account.environment == Environment.SIM:
        return True
    known = calendars.load()
    days = known.krx if account.market == Market.KRX else known.us
    try:
        return days.is_trading_day(day)
    except OutsideCalendar:
        return True


class Research:
    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def recover(self) -> None:
        """End what a worker that is gone had begun."""
        with reading(self._engine) as session:
            left = backtests.left_running(session)
        for run_id in left:
            self._end(run_id, RunStatus.FAILED, _INTERRUPTED)

    def ask_parity(self) -> None:
        """Queue what the night owes: once per account and trade date, also when the worker was away at that hour."""
        due = _last_due(self._clock.wall_now())
        with writing(self._engine) as session:
            rows = [one for one in accounts.live_accounts(session) if one.enabled and one.id is not None]
            done = parity.begun(session, PARITY, [one.id for one in rows if one.id is not None], due)
            for account in rows:
                if account.id is None or account.id in done or account.created_at > due:
                    continue
                day = (due.astimezone(ZONES[Market(account.market)]) - timedelta(hours=12)).date()
                if not _traded(account, day):
                    continue
                asked = {"kind": PARITY, "account": account.id, "day": day.isoformat()}
                now = self._clock.wall_now()
                backtests.ask(session, now, rule_text="", params=asked, requested_by="schedule")
                session.add(JobRun(job=PARITY, account_id=account.id, due_at=due, started_at=now, outcome="queued"))

    def turn(self, stop: threading.Event) -> bool:
        """Do one job to its end; False when nothing waits."""
        with writing(self._engine) as session:
            row = backtests.take(session)
            run_id = None if row is None else row.id
        if run_id is None:
            return False
        log("research", "job", run_id=run_id)
        child = subprocess.Popen([sys.executable, "-m", "bots.research", "--job", str(run_id)])
        status, why = self._watch(child, run_id, stop)
        self._end(run_id, status, why)
        return True

    def _watch(
        self, child: subprocess.Popen[bytes], run_id: int, stop: threading.Event
    ) -> tuple[RunStatus, dict[str, object] | None]:
        """Wait for the child; it writes its own end unless it is stopped or dies."""
        began = self._clock.monotonic()
        while True:
            try:
                code = child.wait(POLL_S)
            except subprocess.TimeoutExpired:
                code = None
            if code is not None:
                died = _error(
                    "died", f"작업이 죽었습니다 (코드 {code}) · the job died", "메모리나 로그를 보십시오 (memory, log)"
                )
                return RunStatus.FAILED, died
            with reading(self._engine) as session:
                canceled = backtests.status_of(session, run_id) is RunStatus.CANCELING
            late = self._clock.monotonic() - began > LONGEST_S
            if canceled or late or stop.is_set():
                child.terminate()
                child.wait()
                if canceled:
                    return RunStatus.CANCELED, None
                return RunStatus.FAILED, _TOO_LONG if late else _INTERRUPTED

    def _end(self, run_id: int, status: RunStatus, result: dict[str, object] | None) -> None:
        with writing(self._engine) as session:
            backtests.finish(session, self._clock.wall_now(), run_id, status, result)
        log("research", "job ended", run_id=run_id, status=status.value)


def work(engine: Engine, clock: Clock, run_id: int) -> None:
    """Do one job in this process and write how it ended."""
    from bots.backtest.jobs import perform  # numpy and TA-Lib: the worker itself stays small

    with reading(engine) as session:
        row = backtests.one(session, run_id)
        if row is None:
            return
        rule_text, asked = row.rule_text, dict(row.params)
    told = [0.0]

    def progress(done: int, total: int) -> None:
        if clock.monotonic() - told[0] >= _TELLS_EVERY_S:
            told[0] = clock.monotonic()
            with writing(engine) as session:
                backtests.progressed(session, run_id, done / max(total, 1))

    try:
        result, status = perform(rule_text, asked, load_settings().home, progress, engine), RunStatus.DONE
    except TradingError as e:
        result, status = {"error": {"code": e.code, "what": e.what, "why": e.why, "now": e.now}}, RunStatus.FAILED
    except (ValueError, MemoryError) as e:
        result, status = (
            _error("failed", f"{type(e).__name__}: {e}", "요청을 확인하십시오 (check what was asked)"),
            RunStatus.FAILED,
        )
    with writing(engine) as session:
        backtests.finish(session, clock.wall_now(), run_id, status, result)
        if asked.get("kind") == PARITY and result.get("differences"):
            alerts.raise_alert(
                session, clock.wall_now(), kind="PARITY", severity="warning", account_id=int(asked["account"]),
                dedup_key=f"parity:{asked['account']}:{result['day']}",
                params={"day": result["day"], "n": len(result["differences"]), "run": run_id},
            )  # fmt: skip


def _error(code: str, why: str, now: str) -> dict[str, object]:
    return {"error": {"code": code, "what": "백테스트 · backtest", "why": why, "now": now}}


_AGAIN = "다시 요청하십시오 (ask again)"
_INTERRUPTED = _error("interrupted", "작업이 중단되었습니다 · the worker ended", _AGAIN)
_TOO_LONG = _error(
    "too_long", "한 시간을 넘었습니다 · over an hour", "조합이나 봉을 줄이십시오 (fewer combinations or bars)"
)


def main() -> int:
    """Run until SIGTERM; 78 when the database is not this program's."""
    configure("research")
    try:
        engine = open_engine(load_settings().database_url, pool_size=2)
        schema.require_current(engine)
    except ConfigError as error:
        log("research", "refused", level="error", what=error.what, why=error.why, now=error.now)
        return 78
    clock = SystemClock()
    if sys.argv[1:2] == ["--job"]:
        os.nice(NICE)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        work(engine, clock, int(sys.argv[2]))
        return 0
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _serve(Research(engine, clock), stop)
    engine.dispose()
    return 0


def _serve(research: Research, stop: threading.Event) -> None:
    recovered = False
    while not stop.is_set():
        try:
            if not recovered:
                research.recover()
                recovered = True
            research.ask_parity()
            if research.turn(stop):
                continue
        except SQLAlchemyError as error:
            log("research", "store away", level="warning", why=type(error).__name__)
        stop.wait(POLL_S)


if __name__ == "__main__":
    raise SystemExit(main())
