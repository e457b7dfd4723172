"""One's own password in the console: signed again, throttled, other sign-ins end, this one stays."""

from __future__ import annotations

import pytest
from sqlmodel import select

from console.passwords import check_password
from console.services import own_password, proof
from shared.db import reading, writing
from shared.domain.errors import Conflict, Forbidden
from shared.models import AuditLog, Role, User
from shared.store.sessions import find_session, start_session
from tests.console.desks import PASSWORDS, Desk

OLD, NEW = PASSWORDS[Role.TRADER], "a long one of mine"


@pytest.fixture(autouse=True)
def nobody_was_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_wrong", [])


def session_of(desk: Desk) -> str:
    with writing(desk.wiring.engine) as session:
        return start_session(session, desk.users[Role.TRADER], desk.wiring.clock.wall_now(), ip="", user_agent="")


def test_it_is_changed_and_every_other_sign_in_ends(desk: Desk) -> None:
    mine, other = session_of(desk), session_of(desk)
    own_password.change(desk.wiring, desk.actor(Role.TRADER), OLD, NEW, NEW, token=mine)
    now = desk.wiring.clock.wall_now()
    with reading(desk.wiring.engine) as session:
        user = session.get_one(User, desk.users[Role.TRADER])
        assert check_password(NEW, user.password_hash or "")
        assert find_session(session, mine, now) is not None and find_session(session, other, now) is None
        told = session.exec(select(AuditLog).where(AuditLog.action == "user.password")).one()
        assert told.after is None or NEW not in str(told.after)


@pytest.mark.parametrize(("new", "again"), [("short", "short"), (NEW, NEW + "!"), (OLD, OLD), ("x" * 80, "x" * 80)])
def test_one_that_cannot_be_used_is_refused_before_anything_is_checked(desk: Desk, new: str, again: str) -> None:
    with pytest.raises(Conflict):
        own_password.change(desk.wiring, desk.actor(Role.TRADER), OLD, new, again, token=session_of(desk))


def test_guessing_the_present_one_is_throttled(desk: Desk) -> None:
    mine, trader = session_of(desk), desk.actor(Role.TRADER)
    for _ in range(proof.WRONG_LIMIT):
        with pytest.raises(Forbidden):
            own_password.change(desk.wiring, trader, "guess", NEW, NEW, token=mine)
    with pytest.raises(Forbidden) as refused:
        own_password.change(desk.wiring, trader, OLD, NEW, NEW, token=mine)
    assert refused.value.code == "reauth_throttled"
