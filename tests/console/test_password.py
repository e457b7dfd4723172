"""A password that somebody else handed out opens nothing but the page where it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import websockets
from sqlmodel import select

from console.doorway import cookie_name
from shared.db import reading, writing
from shared.models import AuditLog, Role, User
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import console_on, free_port

OLD, NEW = desks.PASSWORDS[Role.VIEWER], "nobody else knows this"


@dataclass(frozen=True)
class Served:
    desk: Desk
    url: str

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=60)

    def sign_in(self, client: httpx.Client, password: str) -> httpx.Response:
        return client.post("/login", data={"email": "viewer@desk.local", "password": password})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    desk = desks.empty_desk(tmp_path_factory.mktemp("password"), free_port())
    with writing(desk.wiring.engine) as session:
        user = session.exec(select(User).where(User.email == "viewer@desk.local")).one()
        user.must_change_password = True
        session.add(user)
    with console_on(desk, beating=False) as url:
        yield Served(desk, url)


def change(client: httpx.Client, current: str, new: str, repeat: str | None = None) -> httpx.Response:
    form = {"current": current, "new": new, "repeat": new if repeat is None else repeat, "next": "/orders"}
    return client.post("/password", data=form)


async def test_until_it_is_changed_pages_and_socket_are_refused(served: Served) -> None:
    with served.client() as client:
        assert served.sign_in(client, OLD).status_code == 303
        page = client.get("/orders", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/password?next=/orders")
        for path in ("/", "/_stcore/health", "/static/index.html", "/readyz"):
            assert client.get(path).status_code == 403
        shown = client.get("/password?next=/orders")
        assert (
            shown.status_code == 200 and 'name="repeat"' in shown.text and "no-store" in shown.headers["cache-control"]
        )
        cookie = f"{cookie_name(served.desk.wiring.settings.port, secure=False)}={next(iter(client.cookies.values()))}"
    with pytest.raises((websockets.InvalidStatus, websockets.ConnectionClosed)):
        async with websockets.connect(
            served.url.replace("http", "ws") + "/_stcore/stream",
            additional_headers={"Cookie": cookie},
            origin=served.url,
            subprotocols=["streamlit"],
        ) as socket:
            await socket.recv()


@pytest.mark.parametrize(
    ("current", "new", "repeat", "said"),
    [
        ("not the one", NEW, NEW, "지금 비밀번호가"),
        (OLD, NEW, NEW + "x", "두 개가 다릅니다"),
        (OLD, "short", "short", "10자 이상"),
        (OLD, "가" * 30, "가" * 30, "72바이트"),
        (OLD, OLD, OLD, "다른 비밀번호"),
    ],
)
def test_a_password_that_cannot_be_is_refused_by_name(
    served: Served, current: str, new: str, repeat: str, said: str
) -> None:
    with served.client() as client:
        served.sign_in(client, OLD)
        answer = change(client, current, new, repeat)
        assert answer.status_code == 400 and said in answer.text
        assert client.get("/").status_code == 403


def test_without_a_session_there_is_nothing_to_change(served: Served) -> None:
    with served.client() as client:
        assert change(client, OLD, NEW).status_code == 401


def test_once_changed_the_desk_opens_and_every_other_session_has_ended(served: Served) -> None:
    with served.client() as other, served.client() as client:
        served.sign_in(other, OLD)
        served.sign_in(client, OLD)
        done = change(client, OLD, NEW)
        assert (done.status_code, done.headers["location"]) == (303, "/orders")
        assert client.get("/", headers={"accept": "text/html"}).status_code == 200
        assert other.get("/").status_code == 401
        assert served.sign_in(other, OLD).status_code == 401
        assert served.sign_in(other, NEW).status_code == 303
        assert other.get("/", headers={"accept": "text/html"}).status_code == 200
    with reading(served.desk.wiring.engine) as session:
        assert session.exec(select(AuditLog).where(AuditLog.action == "user.password")).one()
        stored = session.exec(select(User.password_hash).where(User.email == "viewer@desk.local")).one()
    assert stored is not None and NEW not in stored
