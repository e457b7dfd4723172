"""Four eyes: what adds risk waits for another Admin, who signs; nothing of it is in force before."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlmodel import col, select

from console.passwords import hash_password
from console.services import accounts, approvals, arming, four_eyes, kill, people, policies, proof, users
from console.services.permissions import Actor
from shared.db import reading, writing
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict, Forbidden, NotFound
from shared.models import AuditLog, Command, LoginSession, Proposal, Role, SecondLook, User
from shared.store.people import granted_accounts
from shared.store.sessions import start_session
from tests.console.desks import PASSWORDS, Desk
from tests.console.door import stopped_clock
from tests.console.services.test_permissions import LIMITS, US, _entry

OTHER = "second admin 99"


@pytest.fixture
def eyes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, Actor, Actor]:
    """A desk that wants four eyes, its Admin, and another one."""
    monkeypatch.setattr(proof, "_wrong", [])
    admin = desk.actor(Role.ADMIN)
    with pytest.raises(Conflict) as alone:
        policies.demand_four_eyes(desk.wiring, admin, True, reason="정책", password=PASSWORDS[Role.ADMIN])
    assert alone.value.code == "one_admin"
    with writing(desk.wiring.engine) as session:
        now = desk.wiring.clock.wall_now()
        row = User(email="b@desk.local", role="Admin", password_hash=hash_password(OTHER), created_at=now)
        session.add(row)
        session.flush()
        other = Actor(row.id, Role.ADMIN, "console", "b@desk.local")
    policies.demand_four_eyes(desk.wiring, admin, True, reason="정책", password=PASSWORDS[Role.ADMIN])
    return desk, admin, other


def arm(desk: Desk, admin: Actor) -> None:
    arming.arm(desk.wiring, admin, desk.accounts["본계좌"], hours=8, confirm="본계좌", reason="장 시작")


def is_armed(desk: Desk, admin: Actor) -> bool:
    return accounts.detail(desk.wiring, admin, desk.accounts["본계좌"]).armed_until is not None


def test_arming_waits_for_another_admin_and_is_in_force_with_his_yes(eyes: tuple[Desk, Actor, Actor]) -> None:
    desk, admin, other = eyes
    for _ in range(2):
        with pytest.raises(Conflict) as waits:
            arm(desk, admin)
        assert waits.value.code == "second_admin" and not is_armed(desk, admin)
    (look,) = four_eyes.waiting(desk.wiring, other)  # asked twice, waits once
    assert not look.mine and four_eyes.waiting(desk.wiring, admin)[0].mine
    for who, password, error in (
        (admin, PASSWORDS[Role.ADMIN], "own_wish"),
        (replace(other, user_id=None, source="cli"), "", "own_wish"),
        (other, "wrong", "reauth"),
        (desk.actor(Role.TRADER), PASSWORDS[Role.TRADER], "forbidden"),
    ):
        with pytest.raises(Forbidden) as refused:
            four_eyes.agree(desk.wiring, who, look.id, password=password)
        assert refused.value.code == error and not is_armed(desk, admin)
    four_eyes.agree(desk.wiring, other, look.id, password=OTHER)
    assert is_armed(desk, admin)
    with pytest.raises(Conflict):
        four_eyes.agree(desk.wiring, other, look.id, password=OTHER)
    with reading(desk.wiring.engine) as session:
        both = col(AuditLog.action).in_(["account.arm", "second.look"])
        rows = session.exec(select(AuditLog).where(both).order_by(col(AuditLog.id))).all()
    assert [(row.action, row.actor_user_id) for row in rows] == [
        ("second.look", admin.user_id), ("account.arm", admin.user_id), ("second.look", other.user_id)
    ]  # fmt: skip


def test_less_risk_never_waits_and_more_does(eyes: tuple[Desk, Actor, Actor]) -> None:
    desk, admin, other = eyes
    us = desk.accounts[US]
    accounts.set_limits(desk.wiring, admin, us, LIMITS, reason="줄임")
    with pytest.raises(Conflict):
        accounts.set_limits(desk.wiring, admin, us, replace(LIMITS, max_daily_buy=Decimal(9_999)), reason="늘림")
    assert accounts.detail(desk.wiring, admin, us).max_daily_buy == LIMITS.max_daily_buy
    kill.raise_level(desk.wiring, admin, KillLevel.HALT)
    with pytest.raises(Conflict):
        kill.lower_level(desk.wiring, admin, KillLevel.RUN, reason="끝", typed="RUN", password=PASSWORDS[Role.ADMIN])
    with pytest.raises(Conflict):
        policies.demand_four_eyes(desk.wiring, admin, False, reason="귀찮음", password=PASSWORDS[Role.ADMIN])
    asked = {one.action: one.id for one in four_eyes.waiting(desk.wiring, other)}
    assert set(asked) == {"account.limits", "kill.lower", "policy.set"}
    for look in asked.values():
        four_eyes.agree(desk.wiring, other, look, password=OTHER)
    assert accounts.detail(desk.wiring, admin, us).max_daily_buy == Decimal(9_999)
    assert kill.level_now(desk.wiring, admin, kill.Scope()) is KillLevel.RUN
    assert not policies.standing(desk.wiring, admin).four_eyes
    arm(desk, admin)
    assert is_armed(desk, admin)


def test_a_wish_ends_by_time_by_a_no_and_with_the_role_of_who_asked(eyes: tuple[Desk, Actor, Actor]) -> None:
    desk, admin, other = eyes
    desk, clock = stopped_clock(desk)
    for end in ("declined", "late", "demoted"):
        with pytest.raises(Conflict):
            arm(desk, admin)
        (look,) = four_eyes.waiting(desk.wiring, other)
        if end == "declined":
            four_eyes.decline(desk.wiring, admin, look.id)  # takes it back himself
        elif end == "late":
            clock.pass_s(15 * 60)
            assert four_eyes.waiting(desk.wiring, other) == []
        else:
            users.set_scope(desk.wiring, other, admin.user_id or 0, Role.TRADER, [], [], reason="강등")
        with pytest.raises(Forbidden if end == "demoted" else Conflict):
            four_eyes.agree(desk.wiring, other, look.id, password=OTHER)
    with reading(desk.wiring.engine) as session:
        assert "DONE" not in session.exec(select(SecondLook.status)).all()


def test_an_answer_to_an_entry_is_one_command_and_the_first_answer_counts(desk: Desk) -> None:
    trader, wiring = desk.actor(Role.TRADER), desk.wiring
    entry = _entry(desk, US)
    first = approvals.approve(wiring, trader, entry)
    assert approvals.approve(wiring, desk.actor(Role.ADMIN), entry).id == first.id
    with pytest.raises(Conflict) as late:
        approvals.decline(wiring, trader, entry)
    assert late.value.code == "proposal_over"
    assert approvals.waiting(wiring, trader)[0].command.id == first.id  # type: ignore[union-attr]
    with writing(wiring.engine) as session:
        row = session.get_one(Proposal, _entry(desk, "본계좌"))
        live = row.id or 0
    for typed in ("", "본계"):
        with pytest.raises(Conflict):
            approvals.approve(wiring, trader, live, confirm=typed)
    approvals.approve(wiring, trader, live, confirm="본계좌")
    with writing(wiring.engine) as session:
        row = session.get_one(Proposal, _entry(desk, "모의 검증"))
        row.expires_at = row.asked_at
        session.add(row)
        over = row.id or 0
    with pytest.raises(NotFound):
        approvals.decline(wiring, trader, over)  # not his account
    with pytest.raises(Conflict):
        approvals.decline(wiring, desk.actor(Role.ADMIN), over)
    with reading(wiring.engine) as session:
        assert len(session.exec(select(Command).where(Command.kind == "APPROVE")).all()) == 2


def test_scope_by_group_holds_for_accounts_to_come_and_ends_with_the_grant(desk: Desk) -> None:
    admin, viewer = desk.actor(Role.ADMIN), desk.users[Role.VIEWER]
    users.set_scope(desk.wiring, admin, viewer, Role.VIEWER, [], ["env:MOCK"], reason="모의만")
    assert set(accounts.names(desk.wiring, desk.actor(Role.VIEWER))) == {desk.accounts["모의 검증"]}
    users.set_scope(desk.wiring, admin, viewer, Role.VIEWER, [desk.accounts[US]], ["owner:1"], reason="전부")
    with reading(desk.wiring.engine) as session:
        assert granted_accounts(session, viewer) == set(desk.accounts.values())
    users.set_scope(desk.wiring, admin, viewer, Role.VIEWER, [], [], reason="없음")
    assert not accounts.names(desk.wiring, desk.actor(Role.VIEWER))
    for group in ("all", "env:NONE", "owner:0", "account:1"):
        with pytest.raises(Conflict):
            users.set_scope(desk.wiring, admin, viewer, Role.VIEWER, [], [group], reason="x")


def test_a_reset_password_ends_every_session_and_must_be_changed(desk: Desk) -> None:
    admin, wiring, viewer = desk.actor(Role.ADMIN), desk.wiring, desk.users[Role.VIEWER]
    with writing(wiring.engine) as session:
        token = start_session(session, viewer, wiring.clock.wall_now(), ip="", user_agent="")
    assert people.actor_of(wiring, token) is not None
    with pytest.raises(Conflict):
        users.reset_password(wiring, admin, viewer, reason=" ")
    password = users.reset_password(wiring, admin, viewer, reason="잊음")
    assert people.actor_of(wiring, token) is None
    with reading(wiring.engine) as session:
        user = session.get_one(User, viewer)
        kept = str([row.model_dump() for row in session.exec(select(AuditLog))])
        assert user.must_change_password and password not in kept and password not in str(user.password_hash)


def test_everywhere_means_every_session_of_that_person_only(desk: Desk) -> None:
    wiring, trader = desk.wiring, desk.actor(Role.TRADER)
    now = wiring.clock.wall_now()
    with writing(wiring.engine) as session:
        for role in (Role.TRADER, Role.TRADER, Role.VIEWER):
            start_session(session, desk.users[role], now, ip="", user_agent="")
    with pytest.raises(NotFound):
        users.sign_out(wiring, trader, desk.users[Role.VIEWER])
    users.sign_out(wiring, trader, desk.users[Role.TRADER])
    with reading(wiring.engine) as session:
        left = session.exec(select(LoginSession.user_id).where(LoginSession.revoked_at == None)).all()  # noqa: E711
    assert left == [desk.users[Role.VIEWER]]
