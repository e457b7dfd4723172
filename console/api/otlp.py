"""Send the desk's figures to an OpenTelemetry collector (OTLP over HTTP, JSON), when OTEL_EXPORTER_OTLP_ENDPOINT is set.

Runs as a thread of the console, so that bots carry nothing of it. A collector that is away costs one log line.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy.exc import SQLAlchemyError

from console.services import measures
from console.services.measures import Measure
from console.services.permissions import Actor
from console.wiring import Wiring
from shared.logs import log
from shared.models import Role

EVERY_S = 15.0
TIMEOUT_S = 5.0
_US = Actor(None, Role.ADMIN, "cli", "otlp")  # the operator of this machine set the address


class Exporter:
    """Sends all measures every `every_s` until stopped."""

    def __init__(self, wiring: Wiring, endpoint: str, *, every_s: float = EVERY_S) -> None:
        self._wiring, self._every_s = wiring, every_s
        self._url = endpoint.rstrip("/") + "/v1/metrics"  # OTLP/HTTP: the base address gets the signal's path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._away = False

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(TIMEOUT_S * 2)

    def _run(self) -> None:
        with httpx.Client(timeout=TIMEOUT_S) as client:
            while not self._stop.wait(self._every_s):
                why = self._send(client)
                if bool(why) is not self._away:
                    self._away = bool(why)
                    said = "collector away" if why else "collector is back"
                    log("console", said, level="warning" if why else "info", url=self._url, why=why)

    def _send(self, client: httpx.Client) -> str:
        """Send once; why it did not go, or ""."""
        try:
            found = measures.measured(self._wiring, _US)
            answer = client.post(self._url, json=document(found, self._wiring.clock.wall_now()))
        except (httpx.HTTPError, SQLAlchemyError) as error:
            return type(error).__name__
        return "" if answer.is_success else f"HTTP {answer.status_code}"


def document(found: Iterable[Measure], at: datetime) -> dict[str, Any]:
    """ExportMetricsServiceRequest as OTLP's JSON: every measure a gauge, 64-bit numbers as text."""
    nanos = str(int(at.timestamp() * 1_000_000) * 1000)
    gauges = [
        {
            "name": one.name,
            "description": one.about,
            "gauge": {
                "dataPoints": [
                    {
                        "timeUnixNano": nanos,
                        "asDouble": value,
                        "attributes": _attributes(zip(one.labels, labels, strict=True)),
                    }
                    for labels, value in one.samples
                ]
            },
        }
        for one in found
        if one.samples
    ]
    resource = _attributes([("service.name", "letstrade"), ("host.name", socket.gethostname())])
    scope = {"scope": {"name": "letstrade"}, "metrics": gauges}
    return {"resourceMetrics": [{"resource": {"attributes": resource}, "scopeMetrics": [scope]}]}


def _attributes(pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs]
