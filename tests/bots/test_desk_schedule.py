"""The desk's own jobs: once over two hosts, missed turns by their rule, readiness before both opens, copies that can be read."""

from __future__ import annotations

import time as real_time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from bots.desk_jobs import DeskJobs
from bots.desk_schedule import LEASE, TTL_S, DeskJob, DeskSchedule
from bots.schedule import Missed
from shared.calendars import load
from shared.clock import SystemClock
from shared.config import Settings, load_settings
from shared.crypto import write_keys
from shared.db import open_engine, reading, writing
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.turns import at_clock, from_open, sessions_of
from shared.models import Alert, ApiCredential, BrokerageAccount, FeeContract, Heartbeat, JobRun, Owner, Readiness
from shared.store import backup, commands, fx, heartbeats, schedule
from shared.store.commands import CommandKind
from tests.fakes import FakeClock

SESSIONS = {market: sessions_of(market, load()) for market in Market}
WEDNESDAY = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)  # 16:00 in Seoul, the day before 수능


class Host:
    """One fleet's scheduler over a store that several may share; time moves when the test says so."""

    def __init__(self, store: Engine, clock: FakeClock, name: str, **job: object) -> None:
        self.runs: list[datetime] = []
        self.fail = 0
        fields = {"name": "job", "when": from_open(Market.KRX, -30), "missed": Missed.RUN, "run": self.count} | job
        self.store, self.clock = store, clock
        self.desk = DeskSchedule(store, clock, f"host/{name}", (DeskJob(**fields),), SESSIONS)  # type: ignore[arg-type]

    def count(self, due: datetime) -> str:
        if self.fail:
            self.fail -= 1
            raise ConfigError("no", "the disk is full", "")
        self.runs.append(due)
        return "done"

    def rows(self) -> list[JobRun]:
        with reading(self.store) as session:
            return list(session.exec(select(JobRun).order_by(JobRun.id)))  # type: ignore[arg-type]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(WEDNESDAY)


def walk(clock: FakeClock, *hosts: Host, **by: float) -> None:
    """Let the time pass in steps of twenty minutes, every host tending in turn."""
    end = clock.now + timedelta(**by)
    while clock.now < end:
        clock.pass_s(min(1200.0, (end - clock.now).total_seconds()))
        for host in hosts:
            host.desk.tend()


def test_of_two_hosts_one_runs_each_turn_and_the_late_opening_moves_it(store: Engine, clock: FakeClock) -> None:
    one, other = Host(store, clock, "a"), Host(store, clock, "b")
    for host in (one, other):
        host.desk.tend()
    walk(clock, one, other, days=2)
    assert one.desk.acts and not other.desk.acts and other.runs == []
    assert one.runs == [
        datetime(2026, 11, 19, 0, 30, tzinfo=UTC),  # 09:30 in Seoul: 수능일 opens at 10:00
        datetime(2026, 11, 19, 23, 30, tzinfo=UTC),  # 08:30 on Friday
    ]
    assert [row.outcome for row in one.rows()] == ["ok", "ok"]


@pytest.mark.usefixtures("shared_clock")
def test_another_host_takes_over_when_the_first_is_gone_and_repeats_nothing(store: Engine, clock: FakeClock) -> None:
    one, other = Host(store, clock, "a"), Host(store, clock, "b")
    one.desk.tend()
    walk(clock, one, hours=18)
    assert len(one.runs) == 1
    clock.pass_s(TTL_S + 1)
    other.desk.tend()
    assert other.desk.acts and other.runs == []
    one.desk.tend()
    assert not one.desk.acts, "the first came back: it is another's now"
    walk(clock, other, one, hours=24)
    assert len(one.runs) == 1 and len(other.runs) == 1


def test_a_lease_given_back_is_taken_at_once(store: Engine, clock: FakeClock) -> None:
    one, other = Host(store, clock, "a"), Host(store, clock, "b")
    one.desk.tend()
    one.desk.close()
    clock.pass_s(1)
    other.desk.tend()
    assert other.desk.acts
    with reading(store) as session:
        lease = heartbeats.lease_of(session, LEASE)
        assert lease is not None and lease.epoch == 2


@pytest.mark.parametrize(
    ("missed", "outcome", "ran", "told"),
    [(Missed.RUN, "ok", 1, 0), (Missed.SKIP, "skipped", 0, 0), (Missed.ALERT, "skipped", 0, 1)],
)
def test_a_turn_missed_by_a_restart_in_between_meets_its_rule(
    store: Engine, clock: FakeClock, missed: Missed, outcome: str, ran: int, told: int
) -> None:
    before = Host(store, clock, "a", missed=missed)
    before.desk.tend()  # the desk knows the job now
    clock.pass_s(3 * 86400)  # the desk is off over Thursday's and Friday's turn
    after = Host(store, clock, "a", missed=missed)
    after.desk.tend()
    after.desk.tend()
    assert before.runs == [] and len(after.runs) == ran
    assert [row.outcome for row in after.rows()] == [outcome], "the latest turn only"
    with reading(store) as session:
        assert len(session.exec(select(Alert).where(Alert.kind == "JOB_MISSED")).all()) == told


def test_a_desk_that_never_knew_the_job_owes_no_turn_of_before(store: Engine, clock: FakeClock) -> None:
    host = Host(store, clock, "a")
    walk(clock, host, minutes=30)
    assert host.runs == [] and host.rows() == []


def test_a_failed_turn_is_told_tried_again_and_the_alert_ends_when_it_worked(store: Engine, clock: FakeClock) -> None:
    host = Host(store, clock, "a")
    host.desk.tend()
    host.fail = 2
    walk(clock, host, hours=20)
    assert len(host.runs) == 1 and [row.outcome for row in host.rows()] == ["ok"]
    with reading(store) as session:
        alert = session.exec(select(Alert).where(Alert.kind == "JOB_FAILED")).one()
        assert alert.count == 2 and alert.acknowledged_by == "auto"


def test_what_a_killed_host_had_begun_is_ended_and_run_again(store: Engine, clock: FakeClock) -> None:
    with writing(store) as session:
        schedule.begin(session, clock.now, "job", clock.now - timedelta(minutes=1))
    host = Host(store, clock, "a")
    host.desk.tend()
    assert len(host.runs) == 1 and [row.outcome for row in host.rows()] == ["ok"]


def test_a_paused_job_passes_and_a_person_may_run_it_all_the_same(store: Engine, clock: FakeClock) -> None:
    host = Host(store, clock, "a")
    with writing(store) as session:
        schedule.pause(session, clock.now, 0, "job", "user:1")
    host.desk.tend()
    walk(clock, host, hours=18)
    assert host.runs == [] and [row.outcome for row in host.rows()] == ["paused"]
    with writing(store) as session:
        row, _ = commands.request(
            session, clock.now, account_id=None, kind=CommandKind.RUN_JOB, key="k", requested_by="user:1",
            payload={"job": "job"},
        )  # fmt: skip
        command_id = row.id
    walk(clock, host, minutes=5)
    assert len(host.runs) == 1
    with reading(store) as session:
        done = commands.recent(session, None, kind=CommandKind.RUN_JOB)[0]  # type: ignore[arg-type]
        assert done.id == command_id and done.status == "DONE" and done.result == {"job": "job", "note": "done"}


def test_apscheduler_wakes_a_job_at_its_turn(store: Engine) -> None:
    """The real clock and the real scheduler: a turn a few seconds from now runs without anybody tending."""
    clock = SystemClock()
    soon = (clock.wall_now() + timedelta(seconds=4)).astimezone(SESSIONS_ZONE)
    host = Host(store, clock, "a", when=at_clock(Market.KRX, soon.time(), trading_days=False))  # type: ignore[arg-type]
    host.desk.tend()
    host.desk.start()
    try:
        deadline = real_time.monotonic() + 120
        while not host.runs and real_time.monotonic() < deadline:
            real_time.sleep(0.05)
        assert len(host.runs) == 1
    finally:
        host.desk.close()


SESSIONS_ZONE = at_clock(Market.KRX, time(0)).zone


# --- what the jobs do ---------------------------------------------------------------------------------------------


@pytest.fixture
def office(store: Engine, clock: FakeClock, tmp_path: Path) -> Iterator[DeskJobs]:
    settings = replace(load_settings({"LETSTRADE_HOME": str(tmp_path)}), home=tmp_path)
    with writing(store) as session:
        session.add(Owner(id=1, name="o", created_at=clock.now))
        session.flush()
    yield DeskJobs(store, clock, settings, load())


def account(store: Engine, clock: FakeClock, one: int, market: str = "US", **more: object) -> None:
    limits = dict.fromkeys(("max_order_amount", "max_symbol_amount", "max_daily_buy", "max_daily_loss"), Decimal(1000))
    fields = {"broker": "KIS", "environment": "MOCK", "enabled": True, "max_trades_per_day": 5, **limits} | more
    with writing(store) as session:
        session.add(
            BrokerageAccount(id=one, owner_id=1, nickname=f"a{one}", market=market, created_at=clock.now, **fields)  # type: ignore[arg-type]
        )
        session.flush()
        session.add(
            ApiCredential(
                account_id=one, app_key="x", app_secret="x", account_no="x", sandbox=True, key_hash=str(one),
                updated_at=clock.now,
            )
        )  # fmt: skip


def beat(store: Engine, clock: FakeClock, one: int, **more: object) -> None:
    fields = {
        "at": clock.now, "state": "READY", "started_at": clock.now, "detail": {"stream": True, "no_entries": ""},
        "token_expires_at": clock.now + timedelta(hours=20),
    } | more  # fmt: skip
    with writing(store) as session:
        session.merge(Heartbeat(account_id=one, **fields))  # type: ignore[arg-type]


def test_readiness_is_kept_per_account_and_told_in_one_alert(store: Engine, clock: FakeClock, office: DeskJobs) -> None:
    account(store, clock, 1)
    account(store, clock, 2, max_daily_loss=None)
    account(store, clock, 3, market="KRX")
    account(store, clock, 4)  # its bot is dead
    beat(store, clock, 1)
    beat(store, clock, 2)
    due = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)  # 23:00 in Seoul
    assert office.ready_us(due) == "계좌 3개, 준비 안 됨 2개"
    with reading(store) as session:
        kept = {row.account_id: row for row in session.exec(select(Readiness))}
        alert = session.exec(select(Alert)).one()
    assert {one: row.ready for one, row in kept.items()} == {1: True, 2: False, 4: False}
    assert kept[1].opens_at == datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
    failed = {check["name"] for check in kept[4].checks if not check["ok"]}
    assert failed == {"bot", "token", "stream", "calendar"}
    assert [check["told"] for check in kept[2].checks if not check["ok"]] == ["max_daily_loss"]
    assert alert.kind == "READY_NOT" and alert.params["short"] == 2 and "a2: limits" in alert.params["which"]


def test_all_is_well_is_told_too(store: Engine, clock: FakeClock, office: DeskJobs) -> None:
    account(store, clock, 1)
    beat(store, clock, 1)
    office.ready_us(datetime(2026, 11, 18, 14, 0, tzinfo=UTC))
    with reading(store) as session:
        assert session.exec(select(Alert)).one().kind == "READY"


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"state": "BLOCKED"}, "bot"),
        ({"at": WEDNESDAY - timedelta(minutes=5)}, "bot"),
        ({"token_expires_at": WEDNESDAY}, "token"),
        ({"detail": {"stream": False}}, "stream"),
        ({"detail": {"stream": True, "no_entries": "differs"}}, "calendar"),
    ],
)
def test_each_lack_of_a_bot_is_named(
    store: Engine, clock: FakeClock, office: DeskJobs, change: dict[str, object], failed: str
) -> None:
    account(store, clock, 1)
    beat(store, clock, 1, **change)
    office.ready_us(datetime(2026, 11, 18, 14, 0, tzinfo=UTC))
    with reading(store) as session:
        row = session.exec(select(Readiness)).one()
    assert failed in {check["name"] for check in row.checks if not check["ok"]}


def test_a_copy_made_while_others_write_can_be_opened_and_old_ones_go(
    store: Engine, clock: FakeClock, office: DeskJobs, tmp_path: Path
) -> None:
    account(store, clock, 1)
    place = tmp_path / "backups"
    by_hand = backup.by_hand(tmp_path, clock.now)
    backup.create(office.settings, store, by_hand, clock.now, None)
    (place / "letstrade-20261101-071000.db").touch()  # of an earlier version
    for _ in range(16):
        office.back_up(clock.now)
        clock.pass_s(86400)
    kept = sorted(place.glob("nightly-*"))
    assert len(kept) == 14 and sorted(place.iterdir()) == sorted([*kept, by_hand])  # a person's own stays
    assert all(one.stat().st_mode & 0o077 == 0 for one in [*kept, *kept[-1].iterdir()])
    if store.dialect.name != "sqlite":
        assert backup.verify(kept[-1]).kind in {"pg_dump", "rows"}
        return
    assert backup.verify(kept[-1]).kind == "sqlite"
    copy = open_engine(f"sqlite:///{kept[-1] / 'store.db'}")
    with reading(copy) as session:
        assert session.exec(select(BrokerageAccount)).one().nickname == "a1"
    copy.dispose()


def test_a_copy_that_is_not_whole_is_refused_and_removed(
    store: Engine, clock: FakeClock, office: DeskJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = backup.create

    def broken(settings: Settings, engine: Engine, folder: Path, now: datetime, passphrase: str | None) -> object:
        made = real(settings, engine, folder, now, passphrase)
        written = next(one for one in folder.iterdir() if one.name in backup.STORES.values())
        written.write_bytes(b"SQLite format 3\x00" + b"x" * 8000)  # the disk gives back something else
        return made

    monkeypatch.setattr(backup, "create", broken)
    with pytest.raises(ConfigError):
        office.back_up(clock.now)
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_desk_seals_its_keys_into_its_own_backups_where_a_passphrase_is_set(
    store: Engine, clock: FakeClock, office: DeskJobs, tmp_path: Path
) -> None:
    write_keys(office.settings)
    assert "키 없음" in office.back_up(clock.now)
    clock.pass_s(86400)
    office.settings = replace(office.settings, env={backup.PASSPHRASE: "of the desk"})
    assert "키 포함" in office.back_up(clock.now)
    newest = max((tmp_path / "backups").iterdir())
    assert backup.verify(newest, "of the desk").keys
    with pytest.raises(ConfigError, match="do not open"):
        backup.verify(newest, "another")


def test_what_comes_near_is_told_once_while_there_is_time(store: Engine, clock: FakeClock, office: DeskJobs) -> None:
    account(store, clock, 1)
    with writing(store) as session:
        session.add(
            FeeContract(
                account_id=1, effective_from="2026-01-01", effective_to="2026-12-10", buy_pct=Decimal("0.07"),
                sell_pct=Decimal("0.07"),
            )
        )  # fmt: skip
        fx.record(session, base="USD", quote="KRW", rate=Decimal(1400), source="KIS", at=clock.now - timedelta(days=9))
    for _ in range(2):
        office.look_at_dates(clock.now)
    with reading(store) as session:
        told = {row.kind: row.params for row in session.exec(select(Alert))}
    assert told.keys() == {"FEE_CONTRACT_ENDS", "FX_STALE"} and told["FEE_CONTRACT_ENDS"]["days"] == 22
    with writing(store) as session:
        session.add(
            FeeContract(account_id=1, effective_from="2026-12-11", buy_pct=Decimal("0.1"), sell_pct=Decimal("0.1"))
        )
        fx.record(session, base="USD", quote="KRW", rate=Decimal(1400), source="KIS", at=clock.now)
    assert office.look_at_dates(clock.now) == "다가오는 것 없음", "another contract follows; the rate is fresh"


def test_the_table_of_jobs_has_unique_names_and_a_next_turn_each(office: DeskJobs) -> None:
    jobs = office.all()
    assert len({job.name for job in jobs}) == len(jobs)
    assert all(job.when.on(WEDNESDAY.date(), SESSIONS[job.when.market]) for job in jobs)
