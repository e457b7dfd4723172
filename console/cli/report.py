"""`report`: the day, and a year's realised gains."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from console.cli import output
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import daily, gains, holdings, sheets
from shared.clock import SystemClock
from shared.domain.errors import ConfigError
from shared.domain.gains import LotMethod

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
    method: Annotated[
        LotMethod, typer.Option(help="이동평균 또는 선입선출 · how lots are matched")
    ] = LotMethod.MOVING_AVERAGE,
    lots: Annotated[bool, typer.Option("--lots", help="매도마다 한 줄 · one row per sale and lot")] = False,
    to: Annotated[Path | None, typer.Option(help="파일로: .csv 또는 .xlsx · per lot into a file")] = None,
    as_json: AsJson = False,
) -> None:
    """실현손익과 해외주식 양도세 추정, 결제일 기준 · Realised gains and the overseas tax by settlement date; an estimate."""
    desk = open_desk()
    asked = year or SystemClock().wall_now().year
    found = gains.of_year(desk.wiring, desk.actor, asked, method)
    if to is not None:
        _write(to, gains.export_rows(found))
    output.tell(f"{method.value} 기준 추정. 증권사 신고자료와 다를 수 있습니다 · an estimate, not a tax return")
    rows = [{**asdict(one.sale), "owner": one.owner, "account": one.account} for one in found.sales] if lots else [
        asdict(one) for one in found.lines
    ]  # fmt: skip
    owners = [{"owner": one.owner, "environment": one.environment, **asdict(one.tax)} for one in found.owners]
    if not as_json:
        output.show(output.listing(owners, desk.now), False)
    document = output.listing(rows, desk.now)
    output.show({**document, "year": asked, "method": method.value, "overseas": owners}, as_json)


def _write(path: Path, rows: list[list[str | int | Decimal | None]]) -> None:
    if path.suffix not in {".csv", ".xlsx"}:
        raise ConfigError(f"{path.name}", "neither .csv nor .xlsx", "--to gains.xlsx")
    path.write_bytes(sheets.as_xlsx(rows) if path.suffix == ".xlsx" else sheets.as_csv(rows))
    output.tell(f"{path}: {len(rows) - 1}줄 · rows")
