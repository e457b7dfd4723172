"""The inbox shows what only a person can settle; what he says becomes one command, with its audit row."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from console.services import inbox, kill, overview, proof, watch
from shared.db import reading, writing
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict, Forbidden
from shared.kill_files import level_in
from shared.models import AuditLog, Command, Role
from shared.store import heartbeats
from shared.store.commands import CommandKind
from tests.console.desks import LAST_WORDS, PASSWORDS, Desk, degraded_desk, normal_desk

US, MOCK = "미국 주식 1호", "모의 검증"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return degraded_desk(tmp_path)


def commands(desk: Desk) -> list[Command]:
    with reading(desk.wiring.engine) as session:
        return list(session.exec(select(Command)))


def test_everything_that_waits_is_listed_with_its_evidence(desk: Desk) -> None:
    view = inbox.matters(desk.wiring, desk.actor(Role.ADMIN))
    assert {one.status for one in view.down} >= {"PARKED", "SILENT"}
    parked = next(one for one in view.down if one.whose.account.startswith(MOCK))
    assert list(parked.log) == LAST_WORDS
    assert [(one.symbol, one.status) for one in view.unproven] == [("NVDA", "UNKNOWN")]
    assert [(one.symbol, one.ours, one.theirs) for one in view.drifts] == [("AAPL", 10, 15)]
    assert [one.symbol for one in view.stopped] == ["MSFT"]
    assert view.unguarded
    (stuck,) = view.held_exits
    assert (stuck.rule_id, stuck.symbol, stuck.why) == (1, "AAPL", "매도가능 수량이 없음")
    parts = (view.down, view.held_exits, view.unproven, view.drifts, view.stopped, view.unguarded)
    assert view.count == sum(map(len, parts))


def test_a_calm_desk_has_an_empty_inbox(tmp_path: Path) -> None:
    desk = normal_desk(tmp_path)
    view = inbox.matters(desk.wiring, desk.actor(Role.ADMIN))
    assert (view.down, view.unproven, view.drifts, view.stopped) == ((), (), (), ())


def test_two_clicks_are_one_command_and_one_audit_row(desk: Desk) -> None:
    trader, account = desk.actor(Role.TRADER), desk.accounts[US]
    for _ in range(2):
        inbox.accept_holding(desk.wiring, trader, account, "AAPL", None, key="k")
    asked = [one for one in commands(desk) if one.kind == CommandKind.ACCEPT_HOLDING]
    assert [one.payload for one in asked] == [{"symbol": "AAPL", "rule_id": None}]
    with reading(desk.wiring.engine) as session:
        told = session.exec(select(AuditLog).where(AuditLog.action == "matter.settle")).all()
    assert len(told) == 1


def test_only_an_unproven_order_can_be_judged(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    order = inbox.matters(desk.wiring, admin).unproven[0]
    inbox.resolve_order(desk.wiring, admin, order.id, "0042", key="r")
    asked = next(one for one in commands(desk) if one.kind == CommandKind.RESOLVE_ORDER)
    assert asked.payload["broker_order_id"] == "0042"
    with pytest.raises(Conflict):
        inbox.resolve_order(desk.wiring, admin, order.id - 1, None, key="s")


def test_a_fallen_bot_starts_with_entries_blocked(desk: Desk) -> None:
    account = desk.accounts[MOCK]
    inbox.start_exits_only(desk.wiring, desk.actor(Role.ADMIN), account)
    line = overview.overview(desk.wiring, desk.actor(Role.ADMIN), only=account).lines[0]
    assert (line.kill, line.enabled) == (KillLevel.NO_NEW, True)


def test_lowering_asks_for_word_password_and_reason(desk: Desk) -> None:
    admin, wiring = desk.actor(Role.ADMIN), desk.wiring
    good = {"reason": "끝", "typed": "RUN", "password": PASSWORDS[Role.ADMIN]}
    for missing, error in (("reason", Conflict), ("typed", Conflict), ("password", Forbidden)):
        with pytest.raises(error):
            kill.lower_level(wiring, admin, KillLevel.RUN, **{**good, missing: ""})
    assert overview.overview(wiring, admin).kill is KillLevel.NO_NEW
    kill.lower_level(wiring, admin, KillLevel.RUN, **good)
    assert overview.overview(wiring, admin).kill is KillLevel.RUN


def test_guessing_the_password_ends_after_five(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_wrong", [])
    admin = desk.actor(Role.ADMIN)
    for _ in range(proof.WRONG_LIMIT):
        with pytest.raises(Forbidden, match="비밀번호"):
            kill.lower_level(desk.wiring, admin, KillLevel.RUN, reason="끝", typed="RUN", password="no")
    with pytest.raises(Forbidden, match="지금은"):
        kill.lower_level(desk.wiring, admin, KillLevel.RUN, reason="끝", typed="RUN", password=PASSWORDS[Role.ADMIN])
    monkeypatch.setattr(proof, "_wrong", [])


def test_a_group_is_raised_alone_and_its_bots_are_asked_once(desk: Desk) -> None:
    admin, wiring = desk.actor(Role.ADMIN), desk.wiring
    assert kill.groups(wiring, admin)[0] == "env:LIVE"
    kill.raise_level(wiring, admin, KillLevel.HALT, group="env:LIVE")
    assert [one.scope for one in kill.raised_groups(wiring, admin)] == ["env:LIVE"]
    assert overview.overview(wiring, admin).kill is KillLevel.NO_NEW  # everything: as before
    for _ in range(2):
        assert kill.order_everywhere(wiring, admin, CommandKind.CANCEL_ALL, key="c", group="env:SIM") == 2
    assert len([one for one in commands(desk) if one.kind == CommandKind.CANCEL_ALL]) == 2


def test_a_file_raised_without_the_store_shows_and_is_lowered_with_it(desk: Desk) -> None:
    settings, admin = desk.wiring.settings, desk.actor(Role.ADMIN)
    kill.raise_without_store(settings, KillLevel.HALT, account_id=None, by="cli:me")
    assert kill.host_level(settings) is KillLevel.HALT
    assert kill.level_now(desk.wiring, admin, kill.Scope()) is KillLevel.HALT
    kill.lower_level(desk.wiring, admin, KillLevel.RUN, reason="끝", typed="RUN", password=PASSWORDS[Role.ADMIN])
    assert level_in(settings.home / "kill") is KillLevel.RUN


def test_silence_of_those_who_watch_is_an_alarm(desk: Desk) -> None:
    now, host = desk.wiring.clock.wall_now(), "box/1"
    assert watch.silent_programs(desk.wiring) == []
    with writing(desk.wiring.engine) as session:
        telegram = {"telegram": {"state": "FATAL"}, "bot-1": {"state": "FATAL"}}
        heartbeats.see_host(session, now, name=host, group="", programs=telegram)
        heartbeats.say_alive(session, now - timedelta(seconds=31), "watchdog", host)
    assert watch.silent_programs(desk.wiring) == ["watchdog@box", "telegram@box"]
    with writing(desk.wiring.engine) as session:
        heartbeats.see_host(session, now - timedelta(seconds=31), name=host, group="", programs={})
        heartbeats.say_alive(session, now, "watchdog", host)
    assert watch.silent_programs(desk.wiring) == ["fleet@box"]
