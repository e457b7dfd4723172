"""`kill`: the kill switch. Raising is easy; lowering needs an Admin and a reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from console.cli import output
from console.cli.desk import Desk, open_desk
from console.cli.output import AsJson
from console.services import kill, overview
from shared.domain.bot_state import KillLevel

app = typer.Typer(help="긴급정지 · kill switch", no_args_is_help=True)


class Level(StrEnum):
    RUN = "RUN"
    NO_NEW = "NO_NEW"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALT = "HALT"


LevelWord = Annotated[Level, typer.Argument(case_sensitive=False)]
OneAccount = Annotated[str | None, typer.Option("--account", help="한 계좌만; 없으면 모두 · one account, else all")]


@app.command("raise")
def raise_(level: LevelWord, account: OneAccount = None, as_json: AsJson = False) -> None:
    """올립니다 · Raise to NO_NEW, REDUCE_ONLY or HALT; never lowers."""
    desk = open_desk()
    kill.raise_level(desk.wiring, desk.actor, KillLevel[level], account_id=desk.account_or_all(account))
    _show(desk, as_json)


@app.command()
def lower(
    level: LevelWord,
    reason: Annotated[str, typer.Option(help="사유 · why")] = "",
    account: OneAccount = None,
    as_json: AsJson = False,
) -> None:
    """내립니다. 관리자와 사유가 필요합니다 · Lower; needs an Admin and a reason."""
    desk = open_desk()
    account_id = desk.account_or_all(account)
    kill.lower_level(desk.wiring, desk.actor, KillLevel[level], reason=reason, account_id=account_id)
    _show(desk, as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """모든 계좌와 계좌별 단계 · The level of all accounts and of each."""
    _show(open_desk(), as_json)


def _show(desk: Desk, as_json: bool) -> None:
    view = overview.overview(desk.wiring, desk.actor)
    everybody = {"scope": "all", "account": None, "level": view.kill, "effective": view.kill}
    each = [
        {
            "scope": f"account:{one.id}",
            "account": one.nickname,
            "level": one.kill,
            "effective": max(one.kill, view.kill),
        }
        for one in sorted(view.lines, key=lambda line: line.id)
    ]
    output.show(output.listing([everybody, *each], view.as_of), as_json)
