"""The REST interface under /api, and /metrics: programs with bearer tokens ask the same services as everybody else."""

from __future__ import annotations

import re

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Receive, Scope, Send

from console.api import accounts, metrics, records, rules, stream, webhook
from console.api.door import Door, admit
from console.wiring import Wiring
from shared.domain.errors import Conflict, Forbidden, NotFound, TradingError

STATUS: dict[type[TradingError], int] = {NotFound: 404, Forbidden: 403, Conflict: 409}
ABOUT = (
    "An operator's desk for many Korean brokerage accounts. Every answer of a list is {items, next, as_of}; money is "
    "text; times are ISO with offset; errors are {error: {code, what, why, now}}."
)


def api_routes(wiring: Wiring) -> list[BaseRoute]:
    """`/api` and `/metrics`, bound to this process's store."""
    return [metrics.route(wiring), Mount("/api", app=api_app(wiring)), Unroutable()]


class Unroutable(BaseRoute):
    """Answers below /api what no pattern of a path takes, a line break in it, as everything unknown is answered there."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        ours = scope["type"] == "http" and scope["path"].startswith("/api/")
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse({"error": {"code": "not_found"}}, 404)(scope, receive, send)


def api_app(wiring: Wiring) -> FastAPI:
    app = FastAPI(
        title="LetsTrade",
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        root_path_in_servers=False,
    )
    app.state.wiring, app.state.door = wiring, Door(wiring)
    for part in (accounts, rules, records, stream):
        app.include_router(part.router, prefix="/v1", dependencies=[Depends(admit)])
    app.include_router(webhook.router, prefix="/v1")

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(admit)])
    def openapi() -> JSONResponse:
        return JSONResponse({**app.openapi(), "servers": [{"url": "/api"}]})

    app.add_exception_handler(TradingError, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _plain)
    return app


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TradingError)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    said = {"code": error.code, "what": error.what, "why": error.why, "now": error.now}
    return JSONResponse({"error": said}, status)


async def _unreadable(_request: Request, error: Exception) -> JSONResponse:
    """422 names the fields; what was sent is not repeated, it may hold a secret."""
    assert isinstance(error, RequestValidationError)
    fields = [{"field": ".".join(str(part) for part in one["loc"]), "why": one["msg"]} for one in error.errors()]
    said = {"code": "unreadable", "what": "the request cannot be read", "why": fields, "now": "GET /api/openapi.json"}
    return JSONResponse({"error": said}, 422)


async def _plain(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # a body that is no text at all: the framework's word for what we call unreadable
        said = {"code": "unreadable", "what": "the request cannot be read", "now": "GET /api/openapi.json"}
        return JSONResponse({"error": said}, 422)
    if error.status_code == 405:
        error.headers = {"allow": ", ".join(sorted(_methods(request)))}
    said = error.detail if isinstance(error.detail, dict) else {"code": str(error.detail).lower().replace(" ", "_")}
    return JSONResponse({"error": said}, error.status_code, error.headers)


def _methods(request: Request) -> set[str]:
    """Every method of the path asked for: the framework tells those of the first route that has the path."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    found: set[str] = set()
    for known, verbs in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/:]+", known), path):
            found |= {verb.upper() for verb in verbs}
    return found
