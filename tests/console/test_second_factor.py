"""The second factor: what a password alone opens once it is enrolled, and that no code counts twice."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlmodel import select

from console.services import factors, kill, policies
from shared.db import reading, writing
from shared.domain.bot_state import KillLevel
from shared.domain.errors import Conflict, Forbidden
from shared.factor_box import open_factor
from shared.models import AuditLog, LoginSession, RecoveryCode, Role, User
from shared.store.factors import require_of
from tests.console.desks import PASSWORDS, Desk
from tests.console.door import HTML, at_the_door, code_at, enrol, is_inside, password, stopped_clock, user_of


async def test_a_right_password_alone_opens_nothing_once_a_factor_is_enrolled(desk: Desk) -> None:
    desk, clock = stopped_clock(desk)
    secret, _ = enrol(desk, Role.ADMIN)
    async with at_the_door(desk.wiring) as client:
        answer = await password(client)
        assert answer.headers["location"].startswith("/login/code")
        assert not await is_inside(client)
        assert "6자리" in (await client.get("/login/code")).text
        wrong = await client.post("/login/code", data={"code": "000000", "next": "/orders"})
        assert wrong.status_code == 401 and "맞지 않습니다" in wrong.text and not await is_inside(client)
        done = await client.post("/login/code", data={"code": code_at(secret, clock.now), "next": "/orders"})
        assert (done.status_code, done.headers["location"]) == (303, "/orders")
        assert await is_inside(client)


async def test_a_code_that_was_used_is_refused_and_so_is_an_older_one(desk: Desk) -> None:
    desk, clock = stopped_clock(desk)
    secret, _ = enrol(desk, Role.ADMIN)
    async with at_the_door(desk.wiring) as first, at_the_door(desk.wiring) as second:
        for client in (first, second):
            await password(client)
        code = code_at(secret, clock.now)
        assert (await first.post("/login/code", data={"code": code})).status_code == 303
        for old in (code, code_at(secret, clock.now, -1)):
            assert (await second.post("/login/code", data={"code": old})).status_code == 401
        clock.pass_s(30)
        assert (await second.post("/login/code", data={"code": code_at(secret, clock.now)})).status_code == 303


async def test_the_same_code_sent_twice_at_once_opens_one_session(desk: Desk) -> None:
    desk, clock = stopped_clock(desk)
    secret, _ = enrol(desk, Role.ADMIN)
    async with at_the_door(desk.wiring) as first, at_the_door(desk.wiring) as second:
        for client in (first, second):
            await password(client)
        form = {"code": code_at(secret, clock.now)}
        answers = await asyncio.gather(*(one.post("/login/code", data=form) for one in (first, second)))
    assert sorted(answer.status_code for answer in answers) == [303, 401]


async def test_codes_are_throttled_per_person_and_a_ticket_ends(desk: Desk) -> None:
    desk, clock = stopped_clock(desk)
    secret, _ = enrol(desk, Role.TRADER)
    async with at_the_door(desk.wiring) as client:
        await password(client, Role.TRADER)
        codes = [(await client.post("/login/code", data={"code": f"{n:06d}"})).status_code for n in range(7)]
        assert codes == [401] * 5 + [429] * 2
        await password(client, Role.TRADER)  # a new ticket is the same person
        assert (await client.post("/login/code", data={"code": code_at(secret, clock.now)})).status_code == 429
        clock.pass_s(301)
        late = await client.post("/login/code", data={"code": code_at(secret, clock.now)})
        assert late.status_code == 401 and "시간이 지났습니다" in late.text
    with reading(desk.wiring.engine) as session:
        refused = session.exec(select(AuditLog).where(AuditLog.action == "session.refused")).all()
    assert len(refused) == 5 and all(row.after == {"ip": "127.0.0.1", "what": "second factor"} for row in refused)


async def test_a_recovery_code_works_once_and_is_kept_hashed(desk: Desk) -> None:
    desk, _ = stopped_clock(desk)
    secret, codes = enrol(desk, Role.ADMIN)
    assert len(set(codes)) == 10
    async with at_the_door(desk.wiring) as client:
        for expected in (303, 401):
            await password(client)
            answer = await client.post("/login/code", data={"code": codes[0].lower().replace("-", " ")})
            assert answer.status_code == expected
    with reading(desk.wiring.engine) as session:
        kept = str([row.model_dump() for row in session.exec(select(RecoveryCode))])
        sealed = session.exec(select(User.totp_secret).where(User.id == desk.users[Role.ADMIN])).one()
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]
    assert sealed and secret not in sealed
    assert open_factor(desk.wiring.lookup, desk.users[Role.ADMIN], sealed) == secret
    assert factors.standing(desk.wiring, desk.users[Role.ADMIN]).recovery_left == 9


async def test_where_the_desk_demands_it_nothing_opens_before_it_is_enrolled(desk: Desk) -> None:
    desk, clock = stopped_clock(desk)
    with writing(desk.wiring.engine) as session:
        require_of(session, [Role.ADMIN.value])
    async with at_the_door(desk.wiring) as client, at_the_door(desk.wiring) as viewer:
        await password(viewer, Role.VIEWER)
        assert await is_inside(viewer)
        await password(client)
        held = await client.get("/orders", headers=HTML)
        assert (held.status_code, held.headers["location"]) == (303, "/factor?next=/orders")
        assert (await client.get("/_stcore/health")).status_code == 403
        page = (await client.get("/factor")).text
        assert "<svg" in page and "지금 등록해야" in page
        secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
        assert secret is not None
        typed = secret[1].replace(" ", "")
        assert (await client.post("/factor", data={"do": "prove", "code": "123456"})).status_code == 400
        shown = await client.post("/factor", data={"do": "prove", "code": code_at(typed, clock.now)})
        assert shown.status_code == 200 and len(re.findall(r"<li>", shown.text)) == 10
        assert await is_inside(client)
        clock.pass_s(30)
        off = await client.post("/factor", data={"do": "off", "code": code_at(typed, clock.now)})
        assert off.status_code == 400 and user_of(desk, Role.ADMIN).totp_since is not None


async def test_ones_own_factor_is_changed_with_a_code_of_now(desk: Desk) -> None:
    desk, clock = stopped_clock(desk)
    secret, codes = enrol(desk, Role.TRADER)
    async with at_the_door(desk.wiring) as client:
        await password(client, Role.TRADER)
        await client.post("/login/code", data={"code": code_at(secret, clock.now)})
        page = (await client.get("/factor")).text
        assert "10개 남음" in page and secret not in page
        clock.pass_s(30)
        fresh = await client.post("/factor", data={"do": "codes", "code": code_at(secret, clock.now)})
        assert codes[0] not in fresh.text
        clock.pass_s(30)
        await client.post("/factor", data={"do": "off", "code": code_at(secret, clock.now)})
        assert user_of(desk, Role.TRADER).totp_secret is None
        await password(client, Role.TRADER)
        assert await is_inside(client)


def test_an_admin_resets_a_lost_factor_with_a_reason_and_its_sessions_end(desk: Desk) -> None:
    enrol(desk, Role.TRADER)
    admin, lost = desk.actor(Role.ADMIN), desk.users[Role.TRADER]
    with pytest.raises(Conflict):
        factors.reset(desk.wiring, admin, lost, reason=" ")
    factors.reset(desk.wiring, admin, lost, reason="휴대폰 분실")
    with reading(desk.wiring.engine) as session:
        row = session.exec(select(AuditLog).where(AuditLog.action == "factor.reset")).one()
        assert (row.reason, row.before, row.target) == ("휴대폰 분실", {"second_factor": True}, f"user:{lost}")
        assert not session.exec(select(RecoveryCode)).all()
        assert all(one.revoked_at for one in session.exec(select(LoginSession).where(LoginSession.user_id == lost)))


def test_lowering_the_kill_switch_asks_an_enrolled_admin_for_his_code(desk: Desk) -> None:
    desk, clock = stopped_clock(desk)
    secret, _ = enrol(desk, Role.ADMIN)
    admin = desk.actor(Role.ADMIN)
    kill.raise_level(desk.wiring, admin, KillLevel.HALT)

    def lower(code: str) -> None:
        kill.lower_level(
            desk.wiring, admin, KillLevel.RUN, reason="끝", typed="RUN", password=PASSWORDS[Role.ADMIN], code=code
        )

    for code in ("", "000000"):
        with pytest.raises(Forbidden) as refused:
            lower(code)
        assert refused.value.code == "factor_wrong"
    lower(code_at(secret, clock.now))
    assert kill.level_now(desk.wiring, admin, kill.Scope()) is KillLevel.RUN


def test_the_desk_may_demand_it_and_weakening_that_needs_the_admins_own_proof(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    roles = frozenset({Role.ADMIN, Role.TRADER})
    policies.demand_factor(desk.wiring, admin, roles, reason="정책", password=PASSWORDS[Role.ADMIN])
    assert policies.standing(desk.wiring, admin).factor_of == roles
    with pytest.raises(Forbidden):
        policies.demand_factor(desk.wiring, admin, frozenset(), reason="끔", password="wrong")
    with pytest.raises(Conflict):
        policies.demand_factor(desk.wiring, admin, frozenset(), reason="", password=PASSWORDS[Role.ADMIN])
