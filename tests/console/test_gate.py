"""The gate over real sockets: nothing of Streamlit without a session, and a session that ends, ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import websockets
from sqlmodel import select
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import InvalidStatus

from console.asgi import _send_at_once
from console.doorway import cookie_name, safe_target
from console.gate import is_by_hand, same_origin
from shared.db import reading, writing
from shared.models import ApiToken, AuditLog, LoginSession, Role, User
from shared.store.sessions import find_session, token_hash
from tests.console import desks
from tests.console.desks import Desk
from tests.console.served import console_on, free_port, start_console


@dataclass(frozen=True, slots=True)
class Served:
    desk: Desk
    url: str
    port: int

    @property
    def cookie(self) -> str:
        return cookie_name(self.port, secure=False)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=60)

    @contextmanager
    def signed_in(self, role: Role = Role.ADMIN) -> Iterator[httpx.Client]:
        form = {"email": f"{role.lower()}@desk.local", "password": desks.PASSWORDS[role]}
        with self.client() as client:
            assert client.post("/login", data=form).status_code == 303
            yield client

    def sockets(self, token: str | None, origin: str | None = None) -> object:
        headers = {"Cookie": f"{self.cookie}={token}"} if token else {}
        return websockets.connect(
            self.url.replace("http", "ws") + "/_stcore/stream",
            additional_headers=headers,
            origin=origin or self.url,
            subprotocols=["streamlit"],
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    desk = desks.normal_desk(tmp_path_factory.mktemp("gate"), free_port())
    with console_on(desk, beating=False) as url:
        yield Served(desk, url, desk.wiring.settings.port)


def test_what_the_console_writes_leaves_at_once() -> None:
    """A page's end waited up to 40 ms for the browser's word on its beginning (console.asgi)."""
    with socket.socket(socket.AF_INET) as door, socket.socket(socket.AF_INET) as other:
        for one in (door, other):
            one.bind(("127.0.0.1", 0))
            one.listen()
        _send_at_once(door.getsockname()[1])
        for one, at_once in ((door, True), (other, False)):
            with socket.create_connection(one.getsockname()), one.accept()[0] as accepted:
                assert bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) is at_once


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/orders",
        "/_stcore/health",
        "/_stcore/host-config",
        "/static/index.html",
        "/readyz",
        "/media/x",
        "/nothing",
    ],
)
def test_without_a_session_every_path_but_login_and_health_is_refused(served: Served, path: str) -> None:
    with served.client() as client:
        assert client.get(path).status_code == 401
        answer = client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")


def test_login_and_health_are_open_and_say_nothing_of_the_desk(served: Served) -> None:
    with served.client() as client:
        assert client.get("/healthz").json() == {"ok": True}
        page = client.get("/login")
        assert page.status_code == 200 and "desk.local" not in page.text
        assert "이메일" in page.text and "Email" in client.get("/login?lang=en").text


def test_the_cookie_is_for_the_server_only_and_its_id_is_stored_hashed(served: Served) -> None:
    with served.client() as client:
        answer = client.post("/login", data={"email": "admin@desk.local", "password": desks.PASSWORDS[Role.ADMIN]})
        shown = answer.headers["set-cookie"].lower()
        assert "httponly" in shown and "samesite=strict" in shown and "path=/" in shown
        token = client.cookies[served.cookie]
        assert len(token) >= 43  # 256 bits in base64
        assert client.get("/", headers={"accept": "text/html"}).status_code == 200
    with reading(served.desk.wiring.engine) as session:
        rows = session.exec(select(LoginSession)).all()
        assert token_hash(token) in {row.token_hash for row in rows}
        assert all(token not in str(row.model_dump()) for row in rows)


def test_every_answer_carries_the_security_headers(served: Served) -> None:
    with served.client() as client:
        for path in ("/login", "/healthz", "/orders"):
            headers = client.get(path).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("admin@desk.local", "wrong"),
        ("nobody@desk.local", "wrong"),
        ("admin@desk.local", ""),
        ("admin@desk.local", desks.PASSWORDS[Role.ADMIN] + "x" * 80),
    ],
)
def test_a_wrong_name_or_password_gets_the_same_answer(served: Served, email: str, password: str) -> None:
    with served.client() as client:
        answer = client.post("/login", data={"email": email, "password": password})
        assert answer.status_code in {401, 429}
        assert served.cookie not in client.cookies


def test_guessing_is_throttled_and_audited(served: Served) -> None:
    with served.client() as client:
        codes = [
            client.post("/login", data={"email": "guess@desk.local", "password": str(n)}).status_code for n in range(7)
        ]
        assert codes[:5] == [401] * 5 and codes[5:] == [429, 429]
    with reading(served.desk.wiring.engine) as session:
        refused = session.exec(select(AuditLog).where(AuditLog.target == "guess@desk.local")).all()
        assert len(refused) == 5


def test_guesses_sent_at_once_do_not_slip_past_the_limit(served: Served) -> None:
    def guess(n: int) -> int:
        with served.client() as client:
            return client.post("/login", data={"email": "burst@desk.local", "password": str(n)}).status_code

    with ThreadPoolExecutor(10) as many:
        codes = list(many.map(guess, range(10)))
    assert codes.count(401) == 5 and codes.count(429) == 5


def test_a_form_from_another_site_is_refused(served: Served) -> None:
    body = {"email": "admin@desk.local", "password": desks.PASSWORDS[Role.ADMIN]}
    with served.client() as client:
        assert client.post("/login", data=body, headers={"origin": "https://evil.example"}).status_code == 403
        assert client.post("/login", data=body, headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert client.get("/login", headers={"host": "evil.example"}).status_code == 400
        assert client.post("/login", content=b"a" * 5000).status_code == 413


async def test_the_socket_opens_only_with_a_live_session_from_our_own_page(served: Served) -> None:
    with served.signed_in() as client:
        token = client.cookies[served.cookie]
    for cookie, origin in ((None, None), ("made-up", None), (token, "https://evil.example")):
        with pytest.raises(InvalidStatus) as refused:
            async with served.sockets(cookie, origin):  # type: ignore[attr-defined]
                pass
        assert refused.value.response.status_code == 403
    async with served.sockets(token) as open_socket:  # type: ignore[attr-defined]
        await open_socket.send(_rerun())
        assert await open_socket.recv()


def test_logout_revokes_on_the_server(served: Served) -> None:
    with served.signed_in() as client:
        token = client.cookies[served.cookie]
        assert client.post("/logout").status_code == 303
        assert served.cookie not in client.cookies
    with served.client() as stolen:
        stolen.cookies.set(served.cookie, token)
        assert stolen.get("/").status_code == 401


def test_a_disabled_user_is_out_at_once(served: Served) -> None:
    with served.signed_in(Role.VIEWER) as client:
        assert client.get("/", headers={"accept": "text/html"}).status_code == 200
        _disable(served.desk, Role.VIEWER, True)
        try:
            assert client.get("/").status_code == 401
            again = client.post("/login", data={"email": "viewer@desk.local", "password": desks.PASSWORDS[Role.VIEWER]})
            assert again.status_code == 401
        finally:
            _disable(served.desk, Role.VIEWER, False)


def test_readyz_answers_a_session_or_a_bearer_token_with_reasons(served: Served) -> None:
    wiring = served.desk.wiring
    with writing(wiring.engine) as session:
        session.add(
            ApiToken(
                user_id=served.desk.users[Role.VIEWER],
                name="probe",
                token_hash=token_hash("probe-token"),
                created_at=wiring.clock.wall_now(),
            )
        )
    with served.client() as client:
        assert client.get("/readyz", headers={"authorization": "Bearer wrong"}).status_code == 401
        answer = client.get("/readyz", headers={"authorization": "Bearer probe-token"})
        assert answer.status_code in {200, 503}
        assert answer.json()["ready"] is (answer.json()["reasons"] == [])


def test_an_idle_or_old_session_is_not_found(served: Served) -> None:
    wiring, now = served.desk.wiring, served.desk.wiring.clock.wall_now()
    with served.signed_in() as client:
        token = client.cookies[served.cookie]
    with reading(wiring.engine) as session:
        assert find_session(session, token, now + timedelta(minutes=29))
        assert find_session(session, token, now + timedelta(minutes=31)) is None
    with writing(wiring.engine) as session:
        row = session.exec(select(LoginSession).where(LoginSession.token_hash == token_hash(token))).one()
        row.last_seen_at = now + timedelta(hours=12)
        session.add(row)
    with reading(wiring.engine) as session:
        assert find_session(session, token, now + timedelta(hours=12, minutes=1)) is None


def test_clockwork_of_the_page_does_not_keep_a_session_alive() -> None:
    by_hand, clockwork = BackMsg(), BackMsg()
    by_hand.rerun_script.query_string = "a"
    clockwork.rerun_script.is_auto_rerun = True
    assert is_by_hand(by_hand.SerializeToString())
    assert not is_by_hand(clockwork.SerializeToString())
    assert not is_by_hand(b"\xff\xff not a message")


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil", "/login", "/a\nb", ""])
def test_after_sign_in_one_stays_on_this_host(target: str) -> None:
    assert safe_target(target) == "/"


def test_same_origin_compares_host_and_port() -> None:
    assert same_origin({"origin": "http://localhost:8501", "host": "localhost:8501"})  # type: ignore[arg-type]
    assert not same_origin({"origin": "http://localhost:9999", "host": "localhost:8501"})  # type: ignore[arg-type]


@pytest.mark.parametrize("spoilt", ["public.key", "lookup.key", "letstrade.db"])
def test_the_console_refuses_to_start_without_keys_or_tables(tmp_path: Path, spoilt: str) -> None:
    desk = desks.empty_desk(tmp_path, free_port())
    desk.wiring.engine.dispose()
    (tmp_path / spoilt if spoilt.endswith(".db") else tmp_path / "secrets" / spoilt).unlink()
    process = start_console(desk)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 78
    assert (
        len([line for line in said.decode().splitlines() if line and "streamlit" not in line and "Thread" not in line])
        >= 3
    )


def _disable(desk: Desk, role: Role, off: bool) -> None:
    with writing(desk.wiring.engine) as session:
        user = session.get(User, desk.users[role])
        assert user is not None
        user.disabled_at = desk.wiring.clock.wall_now() if off else None
        session.add(user)


def _rerun() -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = ""
    return message.SerializeToString()
