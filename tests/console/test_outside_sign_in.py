"""Others may vouch for who stands at the door; a row of ours says whether he may enter, and as what."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from sqlmodel import select

from console.services.people import actor_of
from console.services.users import disable
from shared.config import load_settings
from shared.db import reading, writing
from shared.domain.errors import ConfigError
from shared.models import AuditLog, LoginSession, Role, User
from tests.console.desks import PASSWORDS, Desk
from tests.console.door import HTML, at_the_door, code_at, enrol, is_inside, stopped_clock

CLIENT, SECRET = "desk-client", "desk-secret"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class OpenId:
    """A provider on a socket of this machine. What it says of people is the test's to spoil."""

    port: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = KEY
    issuer_said: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)  # what came to the token endpoint
    nonce: str = ""
    supabase: tuple[int, dict[str, Any]] = (400, {})  # the answer of /auth/v1/token

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self) -> str:
        now = datetime.now(UTC)
        said = {
            "iss": self.issuer, "aud": CLIENT, "sub": "person-1", "iat": now, "exp": now + timedelta(minutes=5),
            "nonce": self.nonce, "email": "trader@desk.local", "email_verified": True,
        }  # fmt: skip
        return jwt.encode({**said, **self.claims}, self.key, algorithm="RS256", headers={"kid": "k1"})

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer_said or self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            }  # fmt: skip
        if path == "/keys":
            return 200, {"keys": [{**RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1", "alg": "RS256"}]}
        if path == "/token":
            self.forms.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
            return 200, {"id_token": self.token(), "access_token": "at", "token_type": "Bearer"}
        return self.supabase if path == "/auth/v1/token" else (404, {})


@pytest.fixture
def provider() -> Iterator[OpenId]:
    known = OpenId()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, told = known.answer(
                urlsplit(self.path).path, self.rfile.read(int(self.headers["content-length"] or 0))
            )
            raw = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    known.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def outside(desk: Desk, provider: OpenId) -> Desk:
    settings = replace(
        desk.wiring.settings, oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET,
        oidc_name="회사 계정", supabase_sign_in=True, supabase_project_url=provider.issuer, supabase_anon_key="anon",
    )  # fmt: skip
    return replace(desk, wiring=replace(desk.wiring, settings=settings))


async def go(client: Any, provider: OpenId, state: str | None = None) -> Any:
    """To the provider and back, as a browser does."""
    sent = await client.get("/login/oidc?next=/orders")
    assert sent.status_code == 303 and sent.headers["location"].startswith(f"{provider.issuer}/authorize?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    provider.nonce = asked["nonce"]
    assert asked["code_challenge_method"] == "S256" and asked["scope"] == "openid email"
    back = f"/login/oidc/callback?code=c1&state={asked['state'] if state is None else state}"
    return await client.get(back, headers=HTML)


async def test_a_vouched_person_enters_with_the_role_of_his_own_row(outside: Desk, provider: OpenId) -> None:
    async with at_the_door(outside.wiring) as client:
        assert "회사 계정" in (await client.get("/login")).text
        done = await go(client, provider)
        assert done.status_code == 200 and 'content="0;url=/orders"' in done.text and await is_inside(client)
        token = next(
            value for name, value in client.cookies.items() if name.endswith(str(outside.wiring.settings.port))
        )
    actor = actor_of(outside.wiring, token)
    assert actor is not None and (actor.user_id, actor.role) == (outside.users[Role.TRADER], Role.TRADER)
    assert provider.forms[0]["code_verifier"] and provider.forms[0]["grant_type"] == "authorization_code"
    with reading(outside.wiring.engine) as session:
        assert session.exec(select(LoginSession.method).where(LoginSession.user_id == actor.user_id)).all() == ["oidc"]
        assert session.get_one(User, actor.user_id).subject == f"{provider.issuer}|person-1"


@pytest.mark.parametrize(
    "spoilt",
    [
        {"email_verified": False}, {"email_verified": None}, {"email": "stranger@desk.local"}, {"aud": "another-client"},
        {"iss": "https://evil.example"}, {"nonce": "of another sign-in"}, {"azp": "another-client"},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)}, {"email": ""},
    ],
    ids=str,
)  # fmt: skip
async def test_anything_less_than_whole_opens_nothing(outside: Desk, provider: OpenId, spoilt: dict[str, Any]) -> None:
    provider.claims = spoilt
    async with at_the_door(outside.wiring) as client:
        assert (await go(client, provider)).status_code == 401
        assert not await is_inside(client)
    with reading(outside.wiring.engine) as session:
        assert not session.exec(select(LoginSession)).all()
        assert len(session.exec(select(User)).all()) == 3  # nobody was made


async def test_a_token_of_another_key_and_a_provider_of_another_name_are_refused(
    outside: Desk, provider: OpenId
) -> None:
    provider.key = OTHER_KEY
    async with at_the_door(outside.wiring) as client:
        assert (await go(client, provider)).status_code == 401
    provider.key, provider.issuer_said = KEY, "https://evil.example"
    async with at_the_door(outside.wiring) as client:
        assert "답하지 않습니다" in (await client.get("/login/oidc")).text


async def test_a_state_that_was_not_given_to_this_browser_or_was_used_is_refused(
    outside: Desk, provider: OpenId
) -> None:
    async with at_the_door(outside.wiring) as client, at_the_door(outside.wiring) as other:
        assert (await go(client, provider, state="made-up")).status_code == 401
        sent = await other.get("/login/oidc")
        state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
        assert (await client.get(f"/login/oidc/callback?code=c&state={state}")).status_code == 401
        assert not provider.forms and not await is_inside(client)


async def test_an_email_that_changed_hands_a_disabled_and_a_service_user_stay_out(
    outside: Desk, provider: OpenId
) -> None:
    trader = outside.users[Role.TRADER]
    async with at_the_door(outside.wiring) as client:
        await go(client, provider)
        provider.claims = {"sub": "person-2"}
        assert (await go(client, provider)).status_code == 401
    provider.claims = {}
    disable(outside.wiring, outside.actor(Role.ADMIN), trader)
    async with at_the_door(outside.wiring) as client:
        assert (await go(client, provider)).status_code == 401
    with writing(outside.wiring.engine) as session:
        user = session.get_one(User, trader)
        user.disabled_at, user.password_hash = None, None
        session.add(user)
    async with at_the_door(outside.wiring) as client:
        assert (await go(client, provider)).status_code == 401


async def test_a_vouched_person_with_a_second_factor_is_asked_for_it(outside: Desk, provider: OpenId) -> None:
    outside, clock = stopped_clock(outside)
    secret, _ = enrol(outside, Role.TRADER)
    async with at_the_door(outside.wiring) as client:
        done = await go(client, provider)
        assert "/login/code" in done.text and not await is_inside(client)
        await client.post("/login/code", data={"code": code_at(secret, clock.now)})
        assert await is_inside(client)


def _supabase_user(email: str, confirmed: bool = True) -> dict[str, Any]:
    now = "2026-11-20T00:00:00Z"
    user = {
        "id": "5f1c", "aud": "authenticated", "role": "authenticated", "email": email, "created_at": now,
        "app_metadata": {}, "user_metadata": {}, "email_confirmed_at": now if confirmed else None,
    }  # fmt: skip
    return {"access_token": "a.b.c", "token_type": "bearer", "expires_in": 3600, "refresh_token": "r", "user": user}


@pytest.mark.parametrize(
    ("answer", "entered"),
    [
        ((200, _supabase_user("viewer@desk.local")), True),
        ((200, _supabase_user("viewer@desk.local", confirmed=False)), False),
        ((200, _supabase_user("stranger@desk.local")), False),
        ((400, {"error": "invalid_grant", "error_description": "Invalid login credentials"}), False),
        ((500, {"message": "down"}), False),
        ((200, {"nonsense": True}), False),
    ],
)
async def test_a_supabase_password_opens_the_row_of_its_confirmed_email(
    outside: Desk, provider: OpenId, answer: tuple[int, dict[str, Any]], entered: bool
) -> None:
    provider.supabase = answer
    async with at_the_door(outside.wiring) as client:
        assert "Supabase 계정으로 로그인" in (await client.get("/login")).text
        form = {"email": "viewer@desk.local", "password": "the project's own", "way": "supabase"}
        done = await client.post("/login", data=form)
        assert (done.status_code == 303) is entered and await is_inside(client) is entered
    with reading(outside.wiring.engine) as session:
        assert not [row for row in session.exec(select(AuditLog)) if "the project's own" in str(row.model_dump())]


async def test_guessing_a_supabase_password_is_throttled_too(outside: Desk) -> None:
    async with at_the_door(outside.wiring) as client:
        form = {"email": "viewer@desk.local", "password": "x", "way": "supabase"}
        codes = [(await client.post("/login", data=form)).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]


async def test_where_nothing_is_configured_nothing_of_it_is_there(desk: Desk) -> None:
    async with at_the_door(desk.wiring) as client:
        page = (await client.get("/login")).text
        assert "OpenID" not in page and "Supabase" not in page
        assert (await client.get("/login/oidc")).status_code == 401
        form = {"email": "admin@desk.local", "password": PASSWORDS[Role.ADMIN], "way": "supabase"}
        assert (await client.post("/login", data=form)).status_code == 303  # the word means nothing here


@pytest.mark.parametrize(
    "half", [{"OIDC_ISSUER": "https://a.example"}, {"OIDC_CLIENT_SECRET": "s"}, {"SUPABASE_SIGN_IN": "true"}]
)
def test_a_half_configured_way_is_refused_by_name(half: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(half)
    assert "missing" in refused.value.why
