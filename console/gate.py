"""The gate: pure ASGI in front of HTTP and WebSocket. Without a live session nothing of Streamlit is reached.

Open without a session: /login, /healthz, the webhook. A bearer token opens /readyz, /metrics and /api. Who must change his password sees /password only. Everything else needs the session cookie, the
WebSocket included, and the socket is closed when its session ends.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import streamlit
from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from console.login_page import login_page
from console.password_page import password_page
from console.services.people import note_activity, sign_out, signed_in
from console.signin import Doorkeeper
from console.wiring import Wiring
from shared.store.sessions import ABSOLUTE, SignedIn
from shared.words import say

OPEN_PATHS = frozenset({"/healthz"})
BEARER_PATHS = frozenset({"/readyz", "/metrics"})  # the route itself checks the token
BEARER_PREFIX = "/api/"
WEBHOOK_PREFIX = "/api/v1/webhook/"  # POST only; the secret is in the body
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_FORM_BYTES = 4096
RECHECK_S = 5.0  # how often an open socket's session is read again
GRACE_S = 10.0  # an ended session's page has this long to say so before its socket closes


def _inline_scripts() -> str:
    """Hashes of the scripts inside Streamlit's own page: those run, no other inline script does."""
    page = Path(str(streamlit.__file__)).with_name("static").joinpath("index.html").read_text(encoding="utf-8")
    digests = (hashlib.sha256(one.encode()).digest() for one in re.findall(r"<script>(.*?)</script>", page, re.S))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


_CSP = (
    f"default-src 'self'; script-src 'self' 'wasm-unsafe-eval' {_inline_scripts()}; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws://localhost:* ws://127.0.0.1:*; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_NOT_KEPT = {"cache-control": "no-store"}
SECURITY_HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


def cookie_name(port: int, *, secure: bool) -> str:
    """Cookies do not know ports: the port is in the name, so that two desks on one host do not sign each other out."""
    return f"__Host-letstrade-{port}" if secure else f"letstrade-{port}"


class Gate:
    """ASGI middleware; holds no state but the throttle."""

    def __init__(self, app: ASGIApp, wiring: Wiring) -> None:
        self._app, self._wiring = app, wiring
        self._doorkeeper = Doorkeeper(wiring.engine, wiring.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, _with_security_headers(send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        await (response or self._app)(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        """The gate's own answer, or None when the request may pass."""
        path = request.url.path
        if path in OPEN_PATHS or (request.method == "POST" and path.startswith(WEBHOOK_PREFIX)):
            return None
        if not host_allowed(request.headers, self._wiring.settings.public_host):
            return PlainTextResponse("this host name is not served", 400)
        if request.method not in {"GET", "HEAD", "OPTIONS"} and not same_origin(request.headers):
            return PlainTextResponse("request from another site", 403)
        if path == "/login":
            return await self._login(request)
        if path.startswith(BEARER_PREFIX):  # programs only: a cookie opens nothing here
            return None if request.headers.get("authorization") else _ask_for_bearer()
        who = await self.who(request.headers, request.scope)
        if path == "/logout" and request.method == "POST":
            return await self._logout(request)
        if who is not None and path == "/password":
            return await self._password(request, who)
        if who is not None and who.must_change_password:
            return self._password_first(request, who)
        if who is not None:
            request.scope["letstrade.user"] = who
            return None
        if path in BEARER_PATHS and request.headers.get("authorization"):
            return None
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"/login?next={quote(path)}", 303)
        return PlainTextResponse("sign in first", 401)

    async def _login(self, request: Request) -> Response:
        lang = request.query_params.get("lang") or self._wiring.settings.lang
        target = safe_target(request.query_params.get("next", "/"))
        if request.method != "POST":
            return HTMLResponse(login_page(lang, target), headers={"cache-control": "no-store"})
        form = await _read_form(request)
        if form is None:
            return PlainTextResponse("form too large", 413)
        target = safe_target(form.get("next", "/"))
        lang = form.get("lang", lang)
        email = form.get("email", "")[:254]
        attempt = await self._doorkeeper.sign_in(
            email,
            form.get("password", ""),
            ip=_address(request.scope),
            user_agent=request.headers.get("user-agent", ""),
            lang=lang,
        )
        if attempt.token is None:
            page = login_page(lang, target, attempt.problem, email=email, wait_s=attempt.wait_s)
            headers = {"cache-control": "no-store"}
            if attempt.wait_s:
                headers["retry-after"] = str(attempt.wait_s)
            return HTMLResponse(page, 429 if attempt.wait_s else 401, headers)
        response = RedirectResponse(target, 303)
        self._set_cookie(response, request, attempt.token, int(ABSOLUTE.total_seconds()))
        return response

    async def _password(self, request: Request, who: SignedIn) -> Response:
        lang = who.lang or self._wiring.settings.lang
        target, must = safe_target(request.query_params.get("next", "/")), who.must_change_password
        if request.method != "POST":
            return HTMLResponse(password_page(lang, target, must=must), headers=_NOT_KEPT)
        form = await _read_form(request)
        if form is None:
            return PlainTextResponse("form too large", 413)
        target = safe_target(form.get("next", "/"))
        attempt = await self._doorkeeper.change_password(
            who,
            form.get("current", ""),
            form.get("new", ""),
            form.get("repeat", ""),
            ip=_address(request.scope),
            user_agent=request.headers.get("user-agent", ""),
        )
        if attempt.token is None:
            page = password_page(lang, target, must=must, problem=attempt.problem, wait_s=attempt.wait_s)
            return HTMLResponse(page, 429 if attempt.wait_s else 400, _NOT_KEPT)
        response = RedirectResponse(target, 303)
        self._set_cookie(response, request, attempt.token, int(ABSOLUTE.total_seconds()))
        return response

    def _password_first(self, request: Request, who: SignedIn) -> Response:
        """A password that somebody else knows opens nothing but the page where it is changed."""
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"/password?next={quote(request.url.path)}", 303)
        return PlainTextResponse(say("password.first", who.lang or self._wiring.settings.lang), 403)

    async def _logout(self, request: Request) -> Response:
        token = self._token(request.headers)
        if token:
            await asyncio.to_thread(sign_out, self._wiring.engine, self._wiring.clock, token)
        response = RedirectResponse("/login", 303)
        self._set_cookie(response, request, "", 0)
        return response

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        who = await self.who(headers, scope)
        # A browser always sends Origin with a WebSocket; without the same one it is another site or not a browser.
        allowed = who is not None and not who.must_change_password
        known_host = host_allowed(headers, self._wiring.settings.public_host)
        if not allowed or not known_host or not (headers.get("origin") and same_origin(headers)):
            await receive()
            await send({"type": "websocket.close", "code": 4401, "reason": "sign in first"})
            return
        await self._app(scope, _Watched(self, headers, scope, receive, send), send)

    async def who(self, headers: Headers, scope: Scope) -> SignedIn | None:
        return await asyncio.to_thread(signed_in, self._wiring.engine, self._wiring.clock, self._token(headers))

    async def note_activity(self, who: SignedIn) -> None:
        await asyncio.to_thread(note_activity, self._wiring.engine, self._wiring.clock, who)

    def monotonic(self) -> float:
        return self._wiring.clock.monotonic()

    def _token(self, headers: Headers) -> str | None:
        return session_token(headers.get("cookie", ""), self._wiring.settings.port)

    def _set_cookie(self, response: Response, request: Request, token: str, max_age: int) -> None:
        secure = request.url.scheme == "https"
        response.set_cookie(
            cookie_name(self._wiring.settings.port, secure=secure),
            token,
            max_age=max_age,
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )


class _Watched:
    """`receive` of an open socket: notes what the person does and ends the socket with its session."""

    def __init__(self, gate: Gate, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        self._gate, self._headers, self._scope = gate, headers, scope
        self._receive, self._send = receive, send
        self._checked_at = gate.monotonic()
        self._gone_at: float | None = None  # when the session was first seen ended

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        now = self._gate.monotonic()
        by_hand = is_by_hand(message.get("bytes") or b"")
        if by_hand or now - self._checked_at >= RECHECK_S:
            self._checked_at = now
            who = await self._gate.who(self._headers, self._scope)
            self._gone_at = None if who else (self._gone_at or now)
            if who is not None and by_hand:
                await self._gate.note_activity(who)
        if self._gone_at is not None and now - self._gone_at >= GRACE_S:
            await self._send({"type": "websocket.close", "code": 4401, "reason": "signed out"})
            return {"type": "websocket.disconnect", "code": 4401}
        return message


def is_by_hand(frame: bytes) -> bool:
    """True when a Streamlit message comes from the person, False for the clockwork of refreshing fragments."""
    message = BackMsg()
    try:
        message.ParseFromString(frame)
    except DecodeError:
        return False
    return message.WhichOneof("type") == "rerun_script" and not message.rerun_script.is_auto_rerun


def session_token(cookie_header: str, port: int) -> str | None:
    """Read our cookie; the Secure one wins."""
    try:
        jar = SimpleCookie(cookie_header)
    except CookieError:
        return None
    for secure in (True, False):
        found = jar.get(cookie_name(port, secure=secure))
        if found is not None and found.value:
            return found.value
    return None


def host_allowed(headers: Headers, public: str = "") -> bool:
    """Only loopback names and the host's own public one: a foreign name pointed at us (DNS rebinding) is refused."""
    host = urlsplit("//" + headers.get("host", "")).hostname
    return host in LOCAL_HOSTS or (public != "" and host == public)


def same_origin(headers: Headers) -> bool:
    """True when the request was made by a page of ours, or by something that is not a browser."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
    return urlsplit(origin).netloc == headers.get("host", "")


def safe_target(path: str) -> str:
    """A path of ours to go to after sign-in; anything else becomes the first page."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and not path.startswith(("/login", "/logout", "/password")) else "/"


def _ask_for_bearer() -> Response:
    return JSONResponse({"error": {"code": "unauthorized"}}, 401, {"www-authenticate": "Bearer"})


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


async def _read_form(request: Request) -> dict[str, str] | None:
    """The fields of a small urlencoded form; None when it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _with_security_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped
