"""The gate alone, without Streamlit behind it: what it lets through answers "inside"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pyotp
from sqlmodel import select
from starlette.responses import PlainTextResponse

from console.gate import Gate
from console.services import factors
from console.wiring import Wiring
from shared.db import reading
from shared.models import Role, User
from tests.console.desks import PASSWORDS, Desk
from tests.fakes import FakeClock

HTML = {"accept": "text/html"}


@asynccontextmanager
async def at_the_door(wiring: Wiring) -> AsyncIterator[httpx.AsyncClient]:
    """A browser (it keeps cookies) in front of a gate of its own."""
    gate = Gate(PlainTextResponse("inside"), wiring)
    base = f"http://127.0.0.1:{wiring.settings.port}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url=base) as client:
        yield client


def stopped_clock(desk: Desk) -> tuple[Desk, FakeClock]:
    """The desk with a clock that only the test moves."""
    clock = FakeClock(desk.wiring.clock.wall_now())
    return replace(desk, wiring=replace(desk.wiring, clock=clock)), clock


async def password(client: httpx.AsyncClient, role: Role = Role.ADMIN, **more: str) -> httpx.Response:
    form = {"email": f"{role.lower()}@desk.local", "password": PASSWORDS[role], **more}
    return await client.post("/login", data=form)


async def is_inside(client: httpx.AsyncClient) -> bool:
    return (await client.get("/orders", headers=HTML)).text == "inside"


def code_at(secret: str, moment: datetime, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(moment + timedelta(seconds=30 * steps))


def enrol(desk: Desk, role: Role) -> tuple[str, tuple[str, ...]]:
    """Give the role's user a second factor; returns its secret and the recovery codes."""
    actor = desk.actor(role)
    secret = factors.begin(desk.wiring, actor).secret
    return secret, factors.prove(desk.wiring, actor, code_at(secret, desk.wiring.clock.wall_now(), -1))


def user_of(desk: Desk, role: Role) -> User:
    with reading(desk.wiring.engine) as session:
        found = session.exec(select(User).where(User.id == desk.users[role])).one()
        session.expunge(found)
    return found
