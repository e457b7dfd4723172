"""GET /metrics (bearer): the desk as Prometheus text, read from the store at the moment of the scrape."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.services import measures
from console.services.permissions import Actor
from console.services.tokens import Scope, bearer
from console.wiring import Wiring
from shared.models import Role

TEXT = "text/plain; version=0.0.4; charset=utf-8"


def route(wiring: Wiring) -> Route:
    async def metrics(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        who = await asyncio.to_thread(bearer, wiring, token) if scheme.lower() == "bearer" and token else None
        if who is None:
            return JSONResponse({"error": {"code": "unauthorized"}}, 401, {"www-authenticate": "Bearer"})
        if not who.scopes & {Scope.METRICS, Scope.READ}:
            return JSONResponse({"error": {"code": "scope"}}, 403)
        actor = Actor(who.user_id, Role(who.role), "api", who.email)
        return Response(await asyncio.to_thread(_text, wiring, actor), media_type=TEXT)

    return Route("/metrics", metrics)


def _text(wiring: Wiring, actor: Actor) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Desk(wiring, actor))  # type: ignore[arg-type]
    return generate_latest(registry)


class _Desk:
    def __init__(self, wiring: Wiring, actor: Actor) -> None:
        self._wiring, self._actor = wiring, actor

    def collect(self) -> Iterator[Metric]:
        for one in measures.measured(self._wiring, self._actor):
            family = GaugeMetricFamily(one.name, one.about, labels=one.labels)
            for labels, value in one.samples:
                family.add_metric(labels, value)
            yield family
