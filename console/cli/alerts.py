"""`alerts`: what waits for a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from console.cli import output
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import alert_timeline, alerts
from shared.words import alert_advice, alert_text

app = typer.Typer(help="알림 · alerts", no_args_is_help=True)


@app.command("list")
def list_(
    acknowledged: Annotated[bool, typer.Option("--acknowledged", help="이미 확인한 것 · those already seen")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """확인을 기다리는 알림, 급한 것부터 · Open alerts, gravest first."""
    desk = open_desk()
    lines = alerts.inbox(desk.wiring, desk.actor, acknowledged=acknowledged, limit=limit)
    lang = desk.actor.lang
    rows = [
        {**asdict(one), "text": alert_text(one.kind, lang, one.params), "now": alert_advice(one.kind, lang)}
        for one in lines
    ]
    if not as_json:
        shown = ("id", "severity", "account", "text", "now", "count", "last_at")
        rows = [{name: row[name] for name in shown} for row in rows]
    output.show(output.listing(rows, desk.now), as_json)


@app.command()
def ack(alert_id: Annotated[int, typer.Argument(metavar="ALERT")], as_json: AsJson = False) -> None:
    """확인했다고 적습니다 · Mark one as seen."""
    desk = open_desk()
    alerts.acknowledge(desk.wiring, desk.actor, alert_id)
    output.show({"id": alert_id, "acknowledged": True}, as_json)


@app.command()
def timeline(alert_id: Annotated[int, typer.Argument(metavar="ALERT")], as_json: AsJson = False) -> None:
    """알림 앞뒤로 있었던 일 · What happened around one: orders, log lines, commands, audit."""
    desk = open_desk()
    found = alert_timeline.around(desk.wiring, desk.actor, alert_id)
    output.show(output.listing([asdict(one) for one in found], desk.now), as_json)
