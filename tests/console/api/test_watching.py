"""What watches the desk from outside: the figures, their names in the dashboard, and a collector that receives them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from console.api.otlp import Exporter, document
from console.services import measures
from shared.config import ROOT
from shared.models import Role
from tests.console.desks import Desk

US = "미국 주식 1호"
PROMISED = {  # the list of the watching contract → what it is called
    "order success": "letstrade_order_success_ratio",
    "ack latency": "letstrade_order_ack_seconds",
    "fill latency": "letstrade_order_fill_seconds",
    "P&L by rule": "letstrade_rule_pnl",
    "error rate": "letstrade_errors_24h",
    "loop lag": "letstrade_loop_lag_ms",
    "feed age": "letstrade_feed_age_seconds",
    "rate budget": "letstrade_rate_used",
    "outbox depth": "letstrade_outbox_depth",
}


def of(desk: Desk, name: str) -> dict[tuple[str, ...], float]:
    found = measures.measured(desk.wiring, desk.actor(Role.ADMIN))
    return dict(next(one.samples for one in found if one.name == name))


def test_every_promised_figure_is_measured(desk: Desk) -> None:
    names = {one.name for one in measures.measured(desk.wiring, desk.actor(Role.ADMIN))}
    assert not set(PROMISED.values()) - names


def test_answers_are_timed_from_the_send_and_what_never_left_is_no_failure(desk: Desk) -> None:
    us = str(desk.accounts[US])
    acks = of(desk, "letstrade_order_ack_seconds")
    assert round(acks[us, "0.5"], 3) == 0.057  # sent at 4 ms, answered at 61 ms
    assert of(desk, "letstrade_order_success_ratio")[(us,)] == 1.0  # a DENIED order is ours, not the broker's


def test_a_person_sees_only_the_figures_of_his_accounts(desk: Desk) -> None:
    found = measures.measured(desk.wiring, desk.actor(Role.VIEWER))
    hidden = str(desk.accounts["모의 검증"])
    for one in found:
        if "account" in one.labels:
            at = one.labels.index("account")
            assert hidden not in {labels[at] for labels, _ in one.samples}, one.name


def test_the_dashboard_asks_only_for_what_is_measured_and_for_all_of_it(desk: Desk) -> None:
    text = (ROOT / "docs" / "grafana-dashboard.json").read_text(encoding="utf-8")
    asked = {name for panel in json.loads(text)["panels"] for one in panel["targets"]
             for name in re.findall(r"letstrade_\w+", one["expr"])}  # fmt: skip
    measured = {one.name for one in measures.measured(desk.wiring, desk.actor(Role.ADMIN))}
    assert asked == measured


@contextmanager
def collector() -> Iterator[tuple[str, list[dict[str, object]], threading.Event]]:
    received: list[dict[str, object]] = []
    came = threading.Event()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/metrics" and self.headers["content-type"] == "application/json":
                received.append(json.loads(body))
                came.set()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received, came
    finally:
        server.shutdown()
        server.server_close()


def test_a_collector_receives_the_same_figures(desk: Desk) -> None:
    with collector() as (url, received, came):
        exporter = Exporter(desk.wiring, url, every_s=0.05)
        exporter.start()
        assert came.wait(120)
        exporter.stop()
    (resource,) = received[0]["resourceMetrics"]  # type: ignore[misc]
    assert {"key": "service.name", "value": {"stringValue": "letstrade"}} in resource["resource"]["attributes"]
    gauges = {one["name"]: one["gauge"]["dataPoints"] for one in resource["scopeMetrics"][0]["metrics"]}
    assert {"letstrade_order_ack_seconds", "letstrade_outbox_depth"} <= set(gauges)
    assert not gauges.keys() - {one.name for one in measures.measured(desk.wiring, desk.actor(Role.ADMIN))}
    point = gauges["letstrade_bot_ready"][0]
    assert point["asDouble"] == 1.0 and point["timeUnixNano"].isdigit()
    assert {one["key"] for one in point["attributes"]} == {"account", "environment", "broker"}


def test_the_documents_of_otlp_leave_out_what_is_unknown(desk: Desk) -> None:
    empty = measures.Measure("letstrade_x", "", ("account",), ())
    sent = document([empty], desk.wiring.clock.wall_now())
    assert sent["resourceMetrics"][0]["scopeMetrics"][0]["metrics"] == []


def test_a_bot_loads_no_exporter() -> None:
    loaded = "import sys, bots.__main__; print([m for m in sys.modules if m.startswith(('prometheus', 'opentelemetry', 'console'))])"
    told = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
