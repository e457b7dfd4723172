"""GET /metrics (bearer): the desk as Prometheus text, read from the store at the moment of the scrape."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.services import alerts, overview
from console.services.overview import AccountLine
from console.services.permissions import Actor
from console.services.tokens import Scope, bearer
from console.wiring import Wiring
from shared.db import reading
from shared.models import Role
from shared.store import panels

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


def _equity(line: AccountLine) -> float | None:
    return None if line.equity is None else float(line.equity.amount)


def _pnl(line: AccountLine) -> float | None:
    return None if line.pnl_today is None else float(line.pnl_today.amount)


class _Desk:
    """A collector that asks the services; what is unknown is left out, never zero."""

    def __init__(self, wiring: Wiring, actor: Actor) -> None:
        self._wiring, self._actor = wiring, actor

    def collect(self) -> Iterator[Metric]:
        view = overview.overview(self._wiring, self._actor)
        labels = ["account", "environment", "broker"]
        wanted = {
            "letstrade_bot_wanted": ("1 when the account's bot should run", lambda line: float(line.enabled)),
            "letstrade_bot_ready": ("1 when the bot trades", lambda line: float(line.status == "READY")),
            "letstrade_heartbeat_age_seconds": ("age of the last sign of life", lambda line: line.heartbeat_age_s),
            "letstrade_feed_age_seconds": ("age of the last market data", lambda line: line.feed_age_s),
            "letstrade_open_orders": ("orders that may still be live", lambda line: float(line.open_orders)),
            "letstrade_positions": ("symbols held", lambda line: float(line.positions)),
            "letstrade_unguarded_positions": ("held without a stop", lambda line: float(line.unguarded)),
            "letstrade_kill_level": ("0 RUN … 3 HALT", lambda line: float(max(line.kill, view.kill))),
            "letstrade_equity": ("in the account's currency", _equity),
            "letstrade_pnl_today": ("since midnight", _pnl),
        }
        for name, (about, of) in wanted.items():
            family = GaugeMetricFamily(name, about, labels=labels)
            for line in view.lines:
                value = of(line)
                if value is not None:
                    family.add_metric([str(line.id), line.environment, line.broker], value)
            yield family
        yield from self._vitals([line.id for line in view.lines])
        waiting = GaugeMetricFamily("letstrade_open_alerts", "alerts nobody has seen", labels=["severity"])
        lines = alerts.inbox(self._wiring, self._actor, limit=500)
        for severity in alerts.SEVERITIES:
            waiting.add_metric([severity], sum(one.severity == severity for one in lines))
        yield waiting

    def _vitals(self, ids: list[int]) -> Iterator[Metric]:
        columns = {
            "letstrade_loop_lag_ms": "loop_lag_ms",
            "letstrade_outbox_depth": "outbox_depth",
            "letstrade_rate_used": "rate_used",
            "letstrade_rate_limit": "rate_limit",
            "letstrade_rss_mb": "rss_mb",
        }
        with reading(self._wiring.engine) as session:
            beats = panels.heartbeats(session, ids)
            statuses = panels.order_counts(session, ids)
        for name, column in columns.items():
            family = GaugeMetricFamily(name, f"{column} of the bot", labels=["account"])
            for account, beat in beats.items():
                family.add_metric([str(account)], float(getattr(beat, column)))
            yield family
        family = GaugeMetricFamily("letstrade_orders", "orders by status", labels=["account", "status"])
        for (account, status), count in statuses.items():
            family.add_metric([str(account), status], count)
        yield family
