"""What fleet does, decided from rows and program states alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from bots.fleet import HOST_EVERY, Fleet, Step, Wish, may_run, plan
from bots.lease import holds, host_name
from bots.supervision import Program, Supervisor
from bots.watchdog import LOOP_EXITS, LOOP_WINDOW_S, ExitCounter, last_lines
from shared import schema
from shared.config import load_settings
from shared.db import reading, writing
from shared.models import Alert, BrokerageAccount, Lease
from shared.store import heartbeats
from tests.fakes import START, FakeClock


def wish(*, enabled: bool = True, generation: int = 1, health: str = "READY") -> Wish:
    return Wish(1, "US", enabled, generation, health)


def program(state: str, started_at: int = 100, name: str = "bot-1") -> dict[str, Program]:
    return {name: Program(name, state, 0, started_at, 0, "")}


def test_an_enabled_account_without_a_program_is_started() -> None:
    assert plan([wish()], {}, {}) == [Step(1, "start", 1)]


def test_a_running_bot_is_left_alone() -> None:
    assert plan([wish()], program("RUNNING"), {1: 1}) == []


def test_a_dead_bot_is_left_to_supervisord() -> None:
    for state in ("BACKOFF", "EXITED", "STARTING"):
        assert plan([wish()], program(state), {1: 1}) == []


def test_a_bot_stopped_by_hand_is_held_once_and_not_started_again() -> None:
    assert plan([wish()], program("STOPPED"), {1: 1}) == [Step(1, "hold", 1)]
    assert plan([wish(health="HELD")], program("STOPPED"), {1: 1}) == []


def test_a_hold_survives_a_restart_of_the_desk() -> None:
    assert plan([wish(health="HELD")], program("STOPPED", started_at=0), {1: 1}) == []


def test_after_a_restart_of_the_desk_enabled_bots_start() -> None:
    assert plan([wish(health="STOPPED")], program("STOPPED", started_at=0), {1: 1}) == [Step(1, "start", 1)]


def test_a_person_pressing_start_ends_a_hold_and_a_parking() -> None:
    for health in ("HELD", "PARKED", "FATAL"):
        assert plan([wish(health=health, generation=2)], program("STOPPED"), {1: 1}) == [Step(1, "start", 2)]


def test_a_parked_bot_stays_down() -> None:
    assert plan([wish(health="PARKED")], program("STOPPED"), {1: 1}) == []
    assert plan([wish(health="FATAL")], program("FATAL"), {1: 1}) == []


def test_a_disabled_or_vanished_account_loses_its_program() -> None:
    assert plan([wish(enabled=False, generation=2)], program("RUNNING"), {1: 1}) == [Step(1, "stop", 2)]
    assert plan([], program("RUNNING", name="bot-9"), {}) == [Step(9, "stop", 0)]


def test_other_programs_are_nobodys_bots() -> None:
    assert plan([], program("RUNNING", name="console"), {}) == []


def test_five_exits_in_ten_minutes_are_a_loop_and_slower_ones_are_not() -> None:
    counter = ExitCounter()
    assert [counter.add(1, float(second)) for second in range(LOOP_EXITS)] == [False] * (LOOP_EXITS - 1) + [True]
    slow = ExitCounter()
    assert not any(slow.add(1, turn * LOOP_WINDOW_S / 3) for turn in range(20))


NOW = START
OURS, THEIRS = "here/aaaa", "there/bbbb"


def account(failover: str = "pinned", group: str = "") -> BrokerageAccount:
    return BrokerageAccount(
        id=1, owner_id=1, nickname="US", broker="KIS", market="US", environment="SIM", failover=failover,
        host_group=group, created_at=NOW,
    )  # fmt: skip


def lease(holder: str, age_s: float = 0.0) -> Lease:
    at = NOW - timedelta(seconds=age_s)
    return Lease(name="account:1", holder=holder, epoch=3, acquired_at=at, renewed_at=at, ttl_s=30)


@pytest.mark.parametrize(
    ("held_by", "failover", "may"),
    [
        (None, "pinned", True),  # nobody ever acted
        (lease(""), "pinned", True),  # a person let it go
        (lease(f"{OURS}:7"), "pinned", True),
        (lease("renamed/aaaa:7"), "pinned", True),  # the machine's name changed, the home did not
        (lease(f"{THEIRS}:7", 3600), "pinned", False),  # only a person moves a pinned account
        (lease(f"{THEIRS}:", 3600), "pinned", False),
        (lease(f"{THEIRS}:7", 29), "auto", False),
        (lease(f"{THEIRS}:7", 31), "auto", True),
        (lease(f"{THEIRS}:", 31), "auto", False),  # given back: its own host comes first
        (lease(f"{THEIRS}:", 36), "auto", True),
        (lease("here/bbbb:7", 3600), "pinned", False),  # two homes on one machine are two hosts
    ],
)
def test_whose_an_account_is_says_its_lease(held_by: Lease | None, failover: str, may: bool) -> None:
    assert may_run(account(failover), held_by, OURS, "", NOW) is may


def test_a_host_that_does_not_claim_keeps_what_it_has_and_takes_nothing_over() -> None:
    """It runs older programs than another host, or its clock is off."""
    assert may_run(account("auto"), lease(f"{OURS}:7"), OURS, "", NOW, claims=False)
    assert may_run(account("auto"), None, OURS, "", NOW, claims=False)
    assert not may_run(account("auto"), lease(f"{THEIRS}:7", 3600), OURS, "", NOW, claims=False)


class Quiet(Supervisor):
    """A supervisord without programs."""

    def __init__(self) -> None: ...

    def programs(self) -> dict[str, Program]:
        return {}


@pytest.mark.parametrize(("off_s", "claims"), [(0.0, True), (30.0, False), (-30.0, False)])
def test_a_host_whose_clock_is_off_takes_nothing_over_and_says_so(
    store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off_s: float, claims: bool
) -> None:
    clock = FakeClock()
    monkeypatch.setattr(heartbeats, "store_time", lambda session, own: own - timedelta(seconds=off_s))
    fleet = Fleet(load_settings({"LETSTRADE_HOME": str(tmp_path)}), store, clock, Quiet())
    fleet.turn()
    assert fleet._claims() is claims
    with reading(store) as session:
        assert [row.kind for row in session.exec(select(Alert))] == ([] if claims else ["CLOCK_SKEW"])
        host = heartbeats.hosts(session)[0]
        assert (host.skew_s, host.revision) == (off_s, schema.head())


@pytest.mark.usefixtures("shared_clock")
def test_a_host_of_older_programs_leaves_accounts_to_one_that_was_upgraded(
    store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(load_settings({"LETSTRADE_HOME": str(tmp_path)}), store, FakeClock(), Quiet())
    newest = schema.head()
    monkeypatch.setattr(schema, "head", lambda: "older")
    fleet.turn()
    assert fleet._claims()  # nobody else could take them
    with writing(store) as session:
        heartbeats.see_host(session, FakeClock().wall_now(), name="there/bbbb", group="", programs={}, revision=newest)
    for _ in range(HOST_EVERY):
        fleet.turn()
    assert not fleet._claims()


def test_an_account_of_a_group_runs_on_its_hosts_only() -> None:
    assert may_run(account(group="seoul"), None, OURS, "seoul", NOW)
    assert not may_run(account(group="seoul"), None, OURS, "", NOW)
    assert may_run(account(), None, OURS, "seoul", NOW)


def test_an_account_in_other_hands_is_not_started_and_its_ended_program_goes() -> None:
    elsewhere = replace(wish(), here=False)
    assert plan([elsewhere], {}, {}) == []
    assert plan([elsewhere], program("EXITED"), {1: 1}) == [Step(1, "leave", 1)]
    assert plan([elsewhere], program("RUNNING"), {1: 1}) == []  # it finds out by its lease


def test_a_home_keeps_its_name(tmp_path: Path) -> None:
    first = host_name(tmp_path)
    assert host_name(tmp_path) == first
    (tmp_path / "other").mkdir()
    assert not holds(first, f"{host_name(tmp_path / 'other')}:1")
    assert holds(first, f"{first}:1") and holds(first, f"{first}:")


def test_the_end_of_a_bots_log_is_kept(tmp_path: Path) -> None:
    assert last_lines(1, tmp_path) == []
    (tmp_path / "bot-1.log").write_text("".join(f"line {n}\n" for n in range(5000)), encoding="utf-8")
    kept = last_lines(1, tmp_path)
    assert len(kept) == 25 and kept[-1] == "line 4999"
