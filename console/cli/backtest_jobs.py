"""`backtest queue|jobs|job|cancel`: backtests that the research worker of a running desk does on kept bars."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from console.cli import output
from console.cli.output import FAILED, AsJson, listing
from shared.config import ROOT
from shared.domain.account import Market
from shared.domain.errors import ConfigError

RunId = Annotated[int, typer.Argument(metavar="ID", help="`backtest jobs`의 번호 · id of `backtest jobs`")]
_SHOWN = ("id", "rule", "status", "progress", "requested_by", "created_at", "finished_at")


def queue(
    kind: Annotated[str, typer.Argument(metavar="run|sweep|check")],
    rule: Annotated[Path, typer.Option(metavar="RULE", help="규칙 파일 · rule file")],
    symbol: Annotated[list[str], typer.Option(help="`data import`한 종목 · symbols that `data import` keeps")],
    market: Annotated[Market, typer.Option(case_sensitive=False, help="시장 · market")],
    cash: Annotated[float, typer.Option(help="시작 현금 · cash at the start")],
    param: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUES", help="5 | 5,10 | 5:25:1")] = None,
    random: Annotated[int | None, typer.Option(min=1, help="무작위 조합 수 · so many at random")] = None,
    bayes: Annotated[
        int | None, typer.Option(min=1, help="베이즈 탐색 조합 수 · so many, chosen by what was found")
    ] = None,
    seed: Annotated[int, typer.Option(help="무작위의 씨앗 · seed")] = 7,
    as_json: AsJson = False,
) -> None:
    """책상의 연구 일꾼에게 맡깁니다 · Hand a backtest to the desk's research worker."""
    from console.cli.backtest import choices_of
    from console.cli.desk import open_desk
    from console.services import backtests

    if kind not in ("run", "sweep", "check"):
        raise ConfigError(kind, "없는 종류입니다 · no such kind", "run, sweep, check")
    try:
        text = (ROOT / rule).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(rule), str(error), "파일을 확인하십시오 (check the file)") from error
    asked = {"kind": kind, "market": market.value, "symbols": symbol, "cash": cash, "param": choices_of(param)}
    if (random or bayes) and (kind != "sweep" or (random and bayes)):
        raise ConfigError(
            "--random, --bayes", "sweep에만, 하나만 · for a sweep, one of them", "sweep --random N, sweep --bayes N"
        )
    asked |= {name: many for name, many in (("random", random), ("bayes", bayes)) if many} | {"seed": seed}
    desk = open_desk()
    output.show(_row(asdict(backtests.ask(desk.wiring, desk.actor, text, asked))), as_json)


def jobs(limit: Annotated[int, typer.Option(min=1, max=500)] = 20, as_json: AsJson = False) -> None:
    """맡긴 백테스트, 최근 것부터 · What was handed over, newest first."""
    from console.cli.desk import open_desk
    from console.services import backtests

    desk = open_desk()
    rows = [_row(asdict(one)) for one in backtests.listed(desk.wiring, desk.actor, limit)]
    output.show(listing(rows, desk.now), as_json)


def job(run_id: RunId, as_json: AsJson = False) -> None:
    """맡긴 백테스트 하나와 결과 · One of them with its result."""
    from console.cli.desk import open_desk
    from console.services import backtests

    desk = open_desk()
    output.show(asdict(backtests.one(desk.wiring, desk.actor, run_id)), as_json)


def cancel(run_id: RunId, as_json: AsJson = False) -> None:
    """멈춥니다 · Stop one."""
    from console.cli.desk import open_desk
    from console.services import backtests

    desk = open_desk()
    output.show({"id": run_id, "status": backtests.cancel(desk.wiring, desk.actor, run_id)}, as_json)


def _row(line: dict[str, object]) -> dict[str, object]:
    return {name: line[name] for name in _SHOWN}


def parity(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="계좌 번호나 별명 · account id or nickname")],
    day: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="거래일, 없으면 마지막 · trade date, else the last")
    ] = "",
    as_json: AsJson = False,
) -> int:
    """기록된 하루를 같은 규칙으로 다시 판단합니다 · Judge a recorded day again by the same rules. Exit 1 on a difference."""
    from bots.backtest.parity import compare
    from console.cli.desk import open_desk

    desk = open_desk()
    account_id = desk.account(account)
    try:
        wanted = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise ConfigError("--day", str(error), "2026-03-10") from error
    found = compare(desk.wiring.engine, desk.wiring.settings.home, account_id, wanted).as_json()
    if not as_json:
        rows = found.pop("differences")
        output.show({"items": rows}, False)
        output.show({key: value for key, value in found.items() if key != "causes"} | {"differences": len(rows)}, False)
        return FAILED if rows else 0
    output.show(found, True)
    return FAILED if found["differences"] else 0
