"""`bot`: how the bots are, start, stop, what they said."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from console.cli import output
from console.cli.accounts import Account, Confirm, Reason, switch
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import accounts, logs, overview
from console.services.overview import AccountLine
from shared.domain.errors import OutcomeUnknown
from shared.store.panels import LogFilter

app = typer.Typer(help="봇 · bots", no_args_is_help=True)

AnyAccount = Annotated[str | None, typer.Argument(help="없으면 모두 · all when absent", metavar="[ACCOUNT]")]
POLL_S = 0.5


@app.command()
def status(account: AnyAccount = None, as_json: AsJson = False) -> None:
    """봇의 상태와 마지막 소식 · What each bot does and when it last said so."""
    desk = open_desk()
    view = overview.overview(desk.wiring, desk.actor, desk.account_or_all(account))
    output.show(output.listing([_row(line) for line in view.lines], view.as_of), as_json)


@app.command()
def start(account: Account, confirm: Confirm = "", reason: Reason = "", as_json: AsJson = False) -> None:
    """시작. 세워 두었거나 멈춘 봇도 다시 · Start; also releases a bot that was parked or held."""
    switch(account, True, confirm, reason, as_json)


@app.command()
def stop(account: Account, reason: Reason = "", as_json: AsJson = False) -> None:
    """정지. 보유와 낸 주문은 그대로 · Stop; holdings and resting orders stay."""
    switch(account, False, "", reason, as_json)


@app.command()
def restart(
    account: Account,
    confirm: Confirm = "",
    reason: Reason = "",
    wait_s: Annotated[
        float, typer.Option("--wait", min=1, help="멈추기를 기다리는 초 · seconds to wait for the stop")
    ] = 60,
    as_json: AsJson = False,
) -> None:
    """정지한 것을 확인하고 다시 시작 · Stop, see that it stopped, start again."""
    desk = open_desk()
    account_id = desk.account(account)
    accounts.stop(desk.wiring, desk.actor, account_id, reason=reason)
    deadline = time.monotonic() + wait_s
    while overview.overview(desk.wiring, desk.actor, account_id).lines[0].status != "OFF":
        if time.monotonic() > deadline:
            raise OutcomeUnknown(
                "bot",
                str(account_id),
                "아직 멈추지 않았습니다. 정지 요청은 그대로입니다 · it has not stopped yet; the request to stop stands",
                "letstrade bot status; letstrade bot start",
            )
        time.sleep(POLL_S)
    switch(account, True, confirm, reason, as_json)


@app.command("logs")
def logs_(
    account: AnyAccount = None,
    level: Annotated[list[str] | None, typer.Option(help=" · ".join(logs.LEVELS))] = None,
    text: Annotated[str, typer.Option(help="들어 있는 말 · words in the message")] = "",
    rule: Annotated[int | None, typer.Option(help="규칙 · rule id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=logs.LIMIT)] = 50,
    as_json: AsJson = False,
) -> None:
    """봇의 기록, 최신부터 · What the bots logged, newest first."""
    desk = open_desk()
    levels = frozenset(one.upper() for one in level or ())
    if unknown := levels - set(logs.LEVELS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: {' '.join(logs.LEVELS)}")
    wanted = LogFilter(levels, text, rule)
    account_id = desk.account_or_all(account)
    lines = logs.newest(desk.wiring, desk.actor, wanted, account_id=account_id, limit=limit)
    output.show(output.listing([asdict(line) for line in lines], desk.now), as_json)


def _row(line: AccountLine) -> dict[str, Any]:
    return {
        "account_id": line.id,
        "nickname": line.nickname,
        "environment": line.environment,
        "enabled": line.enabled,
        "status": line.status,
        "why": line.why,
        "heartbeat_age_s": _tenth(line.heartbeat_age_s),
        "feed_age_s": _tenth(line.feed_age_s),
        "feed_source": line.feed_source,
        "kill": line.kill,
        "positions": line.positions,
        "unguarded": line.unguarded,
        "open_orders": line.open_orders,
        "decision": f"{line.decision.symbol} {line.decision.verdict} {line.decision.text}" if line.decision else None,
    }


def _tenth(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
