"""`schedule`: jobs in market time, what became of them, and running one now."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer

from console.cli import output
from console.cli.desk import Desk, open_desk
from console.cli.output import AsJson
from console.services import schedule
from console.services.accounts import new_key
from shared.db import reading
from shared.domain.errors import OutcomeUnknown, TradingError
from shared.models import Command
from shared.models.schedule import DESK
from shared.store.commands import CommandStatus
from shared.words import say

app = typer.Typer(help="일정 · jobs in market time", no_args_is_help=True)

Whose = Annotated[str | None, typer.Option("--account", help="계좌, 없으면 데스크의 작업 · absent: the desk's own")]
Job = Annotated[str, typer.Argument(metavar="JOB")]
WAIT_S, POLL_S = 60.0, 0.3
_OPEN = {CommandStatus.REQUESTED.value, CommandStatus.RUNNING.value}


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option("--account", help="없으면 모두 · all when absent")] = None,
    runs: Annotated[bool, typer.Option("--runs", help="지나간 차례 · what ran, newest first")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """다음 차례, 지난 결과, 놓쳤을 때의 규칙 · Next turn, last outcome, and the rule for missed turns."""
    desk = open_desk()
    whose = desk.account_or_all(account)
    if runs:
        rows = [asdict(one) for one in schedule.runs(desk.wiring, desk.actor, account_id=whose, limit=limit)]
    else:
        rows = [asdict(one) for one in schedule.listed(desk.wiring, desk.actor, account_id=whose)][:limit]
    if not as_json:
        rows = [{**row, "job": f"{row['job']} {say('job.' + row['job'], desk.actor.lang)}"} for row in rows]
    output.show(output.listing(rows, desk.now), as_json)


@app.command()
def run(job: Job, account: Whose = None, as_json: AsJson = False) -> None:
    """지금 한 번 실행 · Run a job once, now, beside its own turns."""
    desk = open_desk()
    whose = DESK if account is None else desk.account(account)
    command = schedule.run_now(desk.wiring, desk.actor, whose, job, key=new_key())
    output.show(_wait(desk, command.id or 0), as_json)


@app.command()
def enable(job: Job, account: Whose = None, as_json: AsJson = False) -> None:
    """다시 차례대로 · Let its turns happen again."""
    _switch(job, account, True, as_json)


@app.command()
def disable(job: Job, account: Whose = None, as_json: AsJson = False) -> None:
    """차례를 지나가게 · Let its turns pass until it is enabled."""
    _switch(job, account, False, as_json)


def _switch(job: str, account: str | None, on: bool, as_json: bool) -> None:
    desk = open_desk()
    whose = DESK if account is None else desk.account(account)
    schedule.switch(desk.wiring, desk.actor, whose, job, on=on)
    output.show({"job": job, "account_id": whose, "enabled": on}, as_json)


def _wait(desk: Desk, command_id: int) -> dict[str, object]:
    """Wait for the outcome.

    Raises:
        OutcomeUnknown: nobody said within a minute what became of it. TradingError: it failed.
    """
    until = desk.wiring.clock.monotonic() + WAIT_S
    while desk.wiring.clock.monotonic() < until:
        with reading(desk.wiring.engine) as session:
            row = session.get(Command, command_id)
        if row is not None and row.status not in _OPEN:
            told = row.result or {}
            if row.status == CommandStatus.DONE.value:
                return told
            error = told.get("error") or {}
            raise TradingError(
                str(error.get("what") or f"작업이 끝나지 않음 · {row.status}"), str(error.get("why") or ""),
                str(error.get("now") or "letstrade schedule list --runs"), code=str(error.get("code") or "job_failed"),
            )  # fmt: skip
        time.sleep(POLL_S)
    raise OutcomeUnknown(
        "schedule", "no_answer", "작업을 맡은 프로그램이 답하지 않습니다 · the program that runs it does not answer",
        "letstrade schedule list --runs",
    )  # fmt: skip
