"""The gate: pure ASGI in front of HTTP and WebSocket. Without a live session nothing of Streamlit is reached.

Open without a session: /login and what begins so, /healthz, the webhook. A bearer token opens /readyz, /metrics and
/api. Who must change his password sees /password only, who must enrol a second factor /factor. Everything else needs
the session cookie, the WebSocket included, and the socket is closed when its session ends.
"""

from __future__ import annotations

import asyncio
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from console.doorway import Doorway, cookie_name, held_back
from console.services.people import note_activity, signed_in
from console.shell import script_hashes
from console.wiring import Wiring
from shared.store.sessions import SignedIn

OPEN_PATHS = frozenset({"/healthz"})
BEARER_PATHS = frozenset({"/readyz", "/metrics"})  # the route itself checks the token
BEARER_PREFIX = "/api/"
WEBHOOK_PREFIX = "/api/v1/webhook/"  # POST only; the secret is in the body
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
RECHECK_S = 5.0  # how often an open socket's session is read again
GRACE_S = 10.0  # an ended session's page has this long to say so before its socket closes


_CSP = (
    f"default-src 'self'; script-src 'self' 'wasm-unsafe-eval' {script_hashes()}; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws://localhost:* ws://127.0.0.1:*; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


class Gate:
    """ASGI middleware: decides who passes; the forms at the door are the doorway's."""

    def __init__(self, app: ASGIApp, wiring: Wiring) -> None:
        self._app, self._wiring = app, wiring
        self._doorway = Doorway(wiring)

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
        path = request.scope["path"]  # as routes match it: a URL made of it ends at a "?" and loses line breaks
        if path in OPEN_PATHS or (request.method == "POST" and path.startswith(WEBHOOK_PREFIX)):
            return None
        if not host_allowed(request.headers, self._wiring.settings.public_host):
            return PlainTextResponse("this host name is not served", 400)
        if request.method not in {"GET", "HEAD", "OPTIONS"} and not same_origin(request.headers):
            return PlainTextResponse("request from another site", 403)
        opened = await self._doorway.open_to_all(request)
        if opened is not None:
            return opened
        if path.startswith(BEARER_PREFIX):  # programs only: a cookie opens nothing here
            return None if request.headers.get("authorization") else _ask_for_bearer()
        who = await self.who(request.headers, request.scope)
        if path == "/logout" and request.method == "POST":
            return await self._doorway.sign_out(request, self._token(request.headers))
        own = None if who is None else await self._doorway.own(request, who)
        if own is not None:
            return own
        if who is not None and who.held_at:
            return held_back(self._wiring, request, who)
        if who is not None:
            request.scope["letstrade.user"] = who
            return None
        if path in BEARER_PATHS and request.headers.get("authorization"):
            return None
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"/login?next={quote(path)}", 303)
        return PlainTextResponse("sign in first", 401)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        who = await self.who(headers, scope)
        # A browser always sends Origin with a WebSocket; without the same one it is another site or not a browser.
        allowed = who is not None and not who.held_at
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
            self._gone_at = None if who and not who.held_at else (self._gone_at or now)
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


def _ask_for_bearer() -> Response:
    return JSONResponse({"error": {"code": "unauthorized"}}, 401, {"www-authenticate": "Bearer"})


def _with_security_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped
