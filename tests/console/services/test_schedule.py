"""The schedule by service and by command line: what is seen, who may pause, a request that the desk's scheduler carries out."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from bots.desk_jobs import DeskJobs
from bots.desk_schedule import DeskSchedule
from console.cli import desk as cli_desk
from console.cli.__main__ import main
from console.services import schedule
from shared.calendars import load
from shared.db import reading, writing
from shared.domain.account import Market
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.domain.turns import sessions_of
from shared.models import AuditLog, BrokerageAccount, Role
from shared.store import sync
from tests.console.desks import Desk

US = "미국 주식 1호"


def fleet_of(desk: Desk) -> DeskSchedule:
    """The desk's scheduler as fleet has it, driven by the test."""
    known = load()
    jobs = DeskJobs(desk.wiring.engine, desk.wiring.clock, desk.wiring.settings, known)
    sessions = {market: sessions_of(market, known) for market in Market}
    return DeskSchedule(desk.wiring.engine, desk.wiring.clock, "host/a", jobs.all(), sessions)


def bot_shows(desk: Desk, job: str = "day_bars") -> int:
    """What the bot of the account would put there."""
    account, now = desk.accounts[US], desk.wiring.clock.wall_now()
    with writing(desk.wiring.engine) as session:
        at = (now + timedelta(hours=3)).isoformat()
        row = {"job": job, "next_at": at, "missed": "run", "paused": False, "updated_at": now.isoformat()}
        sync.apply(session, account, "schedule", row)
    return account


def test_the_schedule_shows_the_desks_jobs_and_the_accounts_soonest_first(desk: Desk) -> None:
    fleet_of(desk).tend()
    account = bot_shows(desk)
    lines = schedule.listed(desk.wiring, desk.actor(Role.ADMIN))
    assert {(line.account_id, line.job) for line in lines} == {
        *((0, name) for name in ("ready_krx", "ready_us", "tidy", "backup", "dates")), (account, "day_bars"),
    }  # fmt: skip
    turns = [line.next_at for line in lines]
    assert None not in turns and turns == sorted(turns)  # type: ignore[type-var]


def test_pausing_is_an_admins_is_audited_and_reaches_the_bot_by_its_configuration(desk: Desk) -> None:
    account = bot_shows(desk)
    with pytest.raises(Forbidden):
        schedule.switch(desk.wiring, desk.actor(Role.TRADER), account, "day_bars", on=False)
    with reading(desk.wiring.engine) as session:
        before = session.get(BrokerageAccount, account)
        assert before is not None
        version = before.config_version
    schedule.switch(desk.wiring, desk.actor(Role.ADMIN), account, "day_bars", on=False)
    schedule.switch(desk.wiring, desk.actor(Role.ADMIN), account, "day_bars", on=False)
    (line,) = schedule.listed(desk.wiring, desk.actor(Role.ADMIN), account_id=account)
    assert line.paused
    with reading(desk.wiring.engine) as session:
        after = session.get(BrokerageAccount, account)
        assert after is not None and after.config_version == version + 1
        assert len(session.exec(select(AuditLog).where(AuditLog.action == "job.switch")).all()) == 1
    schedule.switch(desk.wiring, desk.actor(Role.ADMIN), account, "day_bars", on=True)
    assert not schedule.listed(desk.wiring, desk.actor(Role.ADMIN), account_id=account)[0].paused
    with pytest.raises(NotFound):
        schedule.switch(desk.wiring, desk.actor(Role.ADMIN), account, "no_such", on=False)


def test_the_policy_before_the_close_is_checked_kept_and_counted(desk: Desk) -> None:
    account = desk.accounts[US]
    schedule.set_at_close(desk.wiring, desk.actor(Role.ADMIN), account, "cancel", 5)
    assert schedule.at_close(desk.wiring, desk.actor(Role.ADMIN))[account] == ("cancel", 5)
    for action, minutes in (("burn", 5), ("cancel", 0), ("cancel", 121)):
        with pytest.raises(Conflict):
            schedule.set_at_close(desk.wiring, desk.actor(Role.ADMIN), account, action, minutes)
    with pytest.raises(Forbidden):
        schedule.set_at_close(desk.wiring, desk.actor(Role.TRADER), account, "keep", 5)


def test_a_run_asked_by_command_line_is_done_by_the_desks_scheduler(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = desk.actor(Role.ADMIN)
    monkeypatch.setattr("console.cli.schedule.open_desk", lambda: cli_desk.Desk(desk.wiring, admin))
    fleet, stop = fleet_of(desk), threading.Event()
    fleet.tend()

    def turn() -> None:
        while not stop.wait(0.05):
            fleet.tend()

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        assert main(["schedule", "run", "backup", "--json"]) == 0
    finally:
        stop.set()
        thread.join()
    assert "확인함" in json.loads(capsys.readouterr().out)["note"]
    assert len(list((desk.wiring.settings.home / "backups").iterdir())) == 1
    assert main(["schedule", "list", "--runs", "--json"]) == 0
    assert [row["job"] for row in json.loads(capsys.readouterr().out)["items"]] == ["backup"]
    assert main(["schedule", "disable", "backup", "--json"]) == 0
    assert main(["schedule", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["items"]
    assert {row["job"] for row in rows if row["paused"]} == {"backup"}
    assert main(["schedule", "enable", "backup"]) == 0
    assert main(["schedule", "run", "no_such", "--json"]) == 1
