"""`report`: the day, and a year's realised gains."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from console.cli import output
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import daily, gains, holdings
from shared.clock import SystemClock

app = typer.Typer(help="보고 · reports", no_args_is_help=True)


@app.command("daily")
def daily_(
    picture: Annotated[Path | None, typer.Option(help="평가액 그림을 PNG로 · the equity curves as PNG")] = None,
    as_json: AsJson = False,
) -> None:
    """오늘의 손익, 체결, 거부, 미확인 · Today per account, in its own currency."""
    desk = open_desk()
    made = daily.report(desk.wiring, desk.actor)
    if picture is not None:
        curves = holdings.equity_curves(desk.wiring, desk.actor, daily.ONE_DAY)
        drawn = daily.picture(curves)
        if drawn is None:
            output.tell("그릴 평가액이 없습니다 · no equity to draw")
        else:
            picture.write_bytes(drawn)
    output.show({**output.listing([asdict(line) for line in made.lines], made.as_of), "day": made.day}, as_json)


@app.command()
def tax(
    year: Annotated[int | None, typer.Option(min=2000, max=2100, help="없으면 올해 · this year when absent")] = None,
    as_json: AsJson = False,
) -> None:
    """실현손익을 이동평균으로, 계좌와 종목별로 · Realised gains by moving average; an estimate, not a tax return."""
    desk = open_desk()
    asked = year or SystemClock().wall_now().year
    lines = gains.of_year(desk.wiring, desk.actor, asked)
    output.tell("이동평균 기준 추정. 결제일·환율·증권사 신고자료와 다를 수 있습니다 · an estimate by moving average")
    document = output.listing([asdict(line) for line in lines], desk.now)
    output.show({**document, "year": asked, "method": "moving_average"}, as_json)
