"""A Supabase project on loopback: GoTrue, PostgREST, Realtime, Storage and Functions, as far as their wire goes.

Written from the services' own protocols (and read by the real client), not from our calls: a wrong key, an unknown
bucket or a malformed join is refused as the service refuses it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import WSMsgType, web

from shared.store import realtime
from shared.store.row_security import TABLES

JWT_SECRET = "the-jwt-secret-of-the-test-project-32b"  # pragma: allowlist secret
NOW = "2026-11-21T01:00:00Z"


def key_of(role: str) -> str:
    return jwt.encode({"iss": "supabase", "role": role, "exp": int(time.time()) + 3600}, JWT_SECRET, "HS256")


@dataclass
class Person:
    id: str
    password: str
    confirmed: bool = True
    banned: bool = False
    aal: str = "aal1"


@dataclass
class FakeProject:
    """One project. `down` makes every part answer 503; `mute` makes Realtime refuse joins; `published` are its tables."""

    url: str = ""
    anon: str = field(default_factory=lambda: key_of("anon"))
    service: str = field(default_factory=lambda: key_of("service_role"))
    people: dict[str, Person] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)  # access tokens signed out
    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {"brokerage_accounts": [{"id": 1}], "meta": [{"name": "canary"}]}
    )
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    called: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    functions: set[str] = field(default_factory=lambda: {"urgent-alerts"})
    down: bool = False
    mute: bool = False
    published: set[str] = field(default_factory=lambda: set(realtime.TABLES))
    silent: bool = False  # joins are answered, and then nothing is said
    joins: int = 0
    _lines: dict[web.WebSocketResponse, dict[str, tuple[str, int]]] = field(default_factory=dict)
    _loop: asyncio.AbstractEventLoop | None = None

    @property
    def env(self) -> dict[str, str]:
        return {
            "SUPABASE_PROJECT_URL": self.url,
            "SUPABASE_ANON_KEY": self.anon,
            "SUPABASE_SERVICE_ROLE_KEY": self.service,
        }

    def token(self, email: str) -> str:
        person = self.people[email]
        claims = {"sub": person.id, "aud": "authenticated", "exp": int(time.time()) + 3600, "aal": person.aal}
        return jwt.encode({**claims, "email": email, "jti": str(len(self.ended))}, JWT_SECRET, "HS256")

    def changed(self, table: str, kind: str = "INSERT") -> None:
        """A row of `table` changed: every line that subscribed hears of it."""
        self._call(self._tell(table, kind))

    def cut(self) -> None:
        """Every Realtime line is dropped without a goodbye."""
        self._call(self._drop())

    def _call(self, work: Any) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _tell(self, table: str, kind: str) -> None:
        data = {"schema": "public", "table": table, "commit_timestamp": NOW, "type": kind, "errors": None,
                "columns": [{"name": "id", "type": "int4"}], "record": {"id": 1}}  # fmt: skip
        for line, tables in list(self._lines.items()):
            if table in tables:
                topic, number = tables[table]
                body = {
                    "event": "postgres_changes",
                    "topic": topic,
                    "ref": None,
                    "payload": {"ids": [number], "data": data},
                }
                await line.send_str(json.dumps(body))

    async def _drop(self) -> None:
        for line in list(self._lines):
            assert line._req is not None and line._req.transport is not None
            line._req.transport.abort()

    def role(self, request: web.Request) -> str:
        """The role of the apikey, as Supabase's gateway sees it; 401 for a key that is not the project's."""
        try:
            found = jwt.decode(request.headers.get("apikey") or request.query.get("apikey", ""), JWT_SECRET, ["HS256"])
        except jwt.PyJWTError as error:
            raise web.HTTPUnauthorized(text='{"message":"Invalid API key"}', content_type="application/json") from error
        return str(found["role"])

    # GoTrue

    async def sign_in(self, request: web.Request) -> web.Response:
        self.role(request)
        told = await request.json()
        person = self.people.get(told.get("email", ""))
        if request.query.get("grant_type") != "password" or person is None or person.password != told.get("password"):
            return _gotrue(400, "invalid_credentials", "Invalid login credentials")
        if not person.confirmed:
            return _gotrue(400, "email_not_confirmed", "Email not confirmed")
        if person.banned:
            return _gotrue(400, "user_banned", "User is banned")
        body = {"access_token": self.token(told["email"]), "token_type": "bearer", "expires_in": 3600,
                "expires_at": int(time.time()) + 3600, "refresh_token": "r", "user": self._user(told["email"])}  # fmt: skip
        return web.json_response(body)

    async def user(self, request: web.Request) -> web.Response:
        self.role(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, JWT_SECRET, ["HS256"], audience="authenticated")
        except jwt.PyJWTError:
            return _gotrue(403, "bad_jwt", "invalid JWT")
        if token in self.ended or self.people[claims["email"]].banned:
            return _gotrue(403, "session_not_found", "Session from session_id claim in JWT does not exist")
        return web.json_response(self._user(claims["email"]))

    async def sign_out(self, request: web.Request) -> web.Response:
        self.ended.add(request.headers.get("Authorization", "").removeprefix("Bearer "))
        return web.Response(status=204)

    def _user(self, email: str) -> dict[str, Any]:
        person = self.people[email]
        confirmed = NOW if person.confirmed else None
        return {"id": person.id, "aud": "authenticated", "role": "authenticated", "email": email, "app_metadata": {},
                "user_metadata": {}, "created_at": NOW, "email_confirmed_at": confirmed, "is_anonymous": False}  # fmt: skip

    # PostgREST

    async def select(self, request: web.Request) -> web.Response:
        table = request.match_info["table"]
        if table not in self.rows:
            body = {"code": "PGRST205", "details": None, "hint": None, "message": f"Could not find the table {table}"}
            return web.json_response(body, status=404)
        if self.role(request) != "service_role" or "SELECT" not in TABLES[table].service:
            body = {"code": "42501", "details": None, "hint": None, "message": f"permission denied for table {table}"}
            return web.json_response(body, status=401 if self.role(request) == "anon" else 403)
        rows = self.rows[table]
        return web.json_response(rows[: int(request.query.get("limit", "1000"))])

    # Storage

    async def list_buckets(self, request: web.Request) -> web.Response:
        return web.json_response(list(self.buckets.values()) if self.role(request) == "service_role" else [])

    async def make_bucket(self, request: web.Request) -> web.Response:
        if self.role(request) != "service_role":
            return _storage(400, "403", "Unauthorized", "new row violates row-level security policy")
        told = await request.json()
        self.buckets[told["id"]] = {"id": told["id"], "name": told.get("name", told["id"]), "owner": "", "public": told.get("public", False),
                                    "created_at": NOW, "updated_at": NOW, "file_size_limit": None, "allowed_mime_types": None}  # fmt: skip
        return web.json_response({"name": told["id"]})

    async def put(self, request: web.Request) -> web.Response:
        bucket, path = request.match_info["bucket"], request.match_info["path"]
        if bucket not in self.buckets:
            return _storage(400, "404", "Bucket not found", "Bucket not found")
        if self.role(request) != "service_role":
            return _storage(400, "403", "Unauthorized", "new row violates row-level security policy")
        if f"{bucket}/{path}" in self.objects and request.headers.get("x-upsert") != "true":
            return _storage(400, "409", "Duplicate", "The resource already exists")
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        self.objects[f"{bucket}/{path}"] = file.file.read()
        return web.json_response({"Key": f"{bucket}/{path}", "Id": "1"})

    async def link(self, request: web.Request) -> web.Response:
        where = f"{request.match_info['bucket']}/{request.match_info['path']}"
        if where not in self.objects:
            return _storage(400, "404", "not_found", "Object not found")
        told = await request.json()
        token = jwt.encode({"url": where, "exp": int(time.time()) + int(told["expiresIn"])}, JWT_SECRET, "HS256")
        return web.json_response({"signedURL": f"/object/sign/{where}?token={token}"})

    async def get_linked(self, request: web.Request) -> web.Response:
        where = f"{request.match_info['bucket']}/{request.match_info['path']}"
        try:
            claims = jwt.decode(request.query.get("token", ""), JWT_SECRET, ["HS256"])
        except jwt.PyJWTError:
            return _storage(400, "400", "InvalidJWT", "jwt expired")
        return web.Response(body=self.objects[where]) if claims["url"] == where else web.Response(status=400)

    # Functions

    async def function(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.functions:
            return web.json_response({"code": "NOT_FOUND", "message": "Requested function was not found"}, status=404)
        if request.method != "POST":
            return web.json_response({"error": "POST only"}, status=405)
        self.called.append((name, await request.read(), dict(request.headers)))
        return web.json_response({"claimed": 0, "sent": 0, "again": 0})

    # Realtime (Phoenix, protocol 1.0.0)

    async def realtime(self, request: web.Request) -> web.StreamResponse:
        role = self.role(request)
        line = web.WebSocketResponse()
        await line.prepare(request)
        self._lines[line] = {}
        try:
            async for message in line:
                if message.type is WSMsgType.TEXT:
                    await self._hear(line, json.loads(message.data), role)
        finally:
            self._lines.pop(line, None)
        return line

    async def _hear(self, line: web.WebSocketResponse, told: dict[str, Any], role: str) -> None:
        topic, ref = told["topic"], told["ref"]

        async def reply(status: str, response: dict[str, Any]) -> None:
            body = {
                "event": "phx_reply",
                "topic": topic,
                "ref": ref,
                "payload": {"status": status, "response": response},
            }
            await line.send_str(json.dumps(body))

        if told["event"] == "heartbeat" and topic == "phoenix":
            await reply("ok", {})
        elif told["event"] == "phx_leave":
            self._lines[line] = {}
            await reply("ok", {})
        elif told["event"] == "phx_join":
            wanted = told["payload"]["config"]["postgres_changes"]
            if self.mute or role != "service_role" or not topic.startswith("realtime:"):
                await reply(
                    "error", {"reason": "Unauthorized: You do not have permissions to read from this Channel topic"}
                )
                return
            self.joins += 1
            unknown = {one["table"] for one in wanted} - self.published
            bound = [{"id": 100 + number, **one} for number, one in enumerate(wanted)]
            await reply("ok", {"postgres_changes": bound})
            if self.silent:
                return
            said = {
                "channel": topic,
                "extension": "postgres_changes",
                "message": "Subscribed to PostgreSQL",
                "status": "ok",
            }
            if unknown:  # all or nothing, and only after the join was answered
                why = "Unable to subscribe to changes with given parameters. Please check Realtime is enabled"
                said |= {"message": f"{why} for the given connect parameters: {sorted(unknown)}", "status": "error"}
            else:
                self._lines[line] = {one["table"]: (topic, one["id"]) for one in bound}
            await line.send_str(json.dumps({"event": "system", "topic": topic, "ref": None, "payload": said}))


def _gotrue(status: int, code: str, message: str) -> web.Response:
    body = {"code": status, "error_code": code, "msg": message}
    return web.json_response(
        body, status=status, headers={"x-supabase-api-version": "2024-01-01", "x-sb-error-code": code}
    )


def _storage(status: int, code: str, error: str, message: str) -> web.Response:
    return web.json_response({"statusCode": code, "error": error, "message": message}, status=status)


@contextmanager
def project() -> Iterator[FakeProject]:
    """Serve a project in a thread of its own, as another machine would."""
    made, started, loop = FakeProject(), threading.Event(), asyncio.new_event_loop()

    @web.middleware
    async def outage(request: web.Request, handler: Any) -> web.StreamResponse:
        if made.down:
            return web.Response(status=503, text="<html>upstream connect error</html>", content_type="text/html")
        return await handler(request)

    async def health(_: web.Request) -> web.Response:
        return web.json_response(
            {"name": "GoTrue", "version": "v2.180.0", "description": "GoTrue is a user registration"}
        )

    async def serve() -> None:
        app = web.Application(middlewares=[outage], client_max_size=50 * 2**20)  # Storage's limit
        app.add_routes(
            [
                web.post("/auth/v1/token", made.sign_in),
                web.get("/auth/v1/user", made.user),
                web.post("/auth/v1/logout", made.sign_out),
                web.get("/auth/v1/health", health),
                web.get("/rest/v1/{table}", made.select),
                web.get("/storage/v1/bucket", made.list_buckets),
                web.post("/storage/v1/bucket", made.make_bucket),
                web.post("/storage/v1/object/sign/{bucket}/{path:.+}", made.link),
                web.get("/storage/v1/object/sign/{bucket}/{path:.+}", made.get_linked),
                web.post("/storage/v1/object/{bucket}/{path:.+}", made.put),
                web.route("*", "/functions/v1/{name}", made.function),
                web.get("/realtime/v1/websocket", made.realtime),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url, made._loop = f"http://127.0.0.1:{runner.addresses[0][1]}", loop
        started.set()
        await stopped.wait()
        await runner.cleanup()

    stopped = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(120)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(120)
        loop.close()
