"""`kill`: the kill switch. Raising is easy; lowering needs an Admin and a reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from console.cli import output
from console.cli.desk import Desk, open_desk
from console.cli.output import AsJson
from console.services import kill, overview
from shared.domain.bot_state import KillLevel
from shared.store.commands import CommandKind

app = typer.Typer(help="긴급정지 · kill switch", no_args_is_help=True)


class Level(StrEnum):
    RUN = "RUN"
    NO_NEW = "NO_NEW"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALT = "HALT"


LevelWord = Annotated[Level, typer.Argument(case_sensitive=False)]
OneAccount = Annotated[str | None, typer.Option("--account", help="한 계좌만; 없으면 모두 · one account, else all")]

Group = Annotated[str, typer.Option("--group", help="env:LIVE · owner:3", metavar="GROUP")]


@app.command("raise")
def raise_(level: LevelWord, account: OneAccount = None, group: Group = "", as_json: AsJson = False) -> None:
    """올립니다 · Raise to NO_NEW, REDUCE_ONLY or HALT; never lowers. Without the store: this host's kill file."""
    desk = open_desk()
    try:
        account_id = desk.account_or_all(account)
        kill.raise_level(desk.wiring, desk.actor, KillLevel[level], account_id=account_id, group=group)
    except SQLAlchemyError as away:
        _without_store(desk, KillLevel[level], account, type(away).__name__, as_json)
        return
    _show(desk, as_json)


def _without_store(desk: Desk, level: KillLevel, account: str | None, why: str, as_json: bool) -> None:
    """A group is not known without the store: the whole host stops, which is on the safe side."""
    account_id = int(account) if account is not None and account.isdigit() else None
    kill.raise_without_store(desk.wiring.settings, level, account_id=account_id, by=desk.actor.label)
    output.tell(
        f"저장소에 닿지 않아 이 호스트의 파일로 올렸습니다 ({why}) · the store is away: raised by this host's kill file"
    )
    scope = "host" if account_id is None else f"account:{account_id}"
    output.show({"scope": scope, "level": level, "effective": level, "by": "file"}, as_json)


@app.command()
def lower(
    level: LevelWord,
    reason: Annotated[str, typer.Option(help="사유 · why")] = "",
    account: OneAccount = None,
    group: Group = "",
    as_json: AsJson = False,
) -> None:
    """내립니다. 마스터 키를 읽을 수 있는 관리자와 사유 · Lower; an Admin who can read the key file, and a reason."""
    desk = open_desk()
    account_id = desk.account_or_all(account)
    kill.lower_level(
        desk.wiring, desk.actor, KillLevel[level], reason=reason, typed=level.value, account_id=account_id, group=group
    )
    _show(desk, as_json)


@app.command("cancel-all")
def cancel_all(account: OneAccount = None, group: Group = "", as_json: AsJson = False) -> None:
    """미체결을 모두 취소합니다 · Ask every bot to cancel all open orders."""
    _everywhere(CommandKind.CANCEL_ALL, account, group, as_json)


@app.command()
def flatten(account: OneAccount = None, group: Group = "", as_json: AsJson = False) -> None:
    """모두 팔고 멈춥니다 · Sell everything, then HALT."""
    _everywhere(CommandKind.FLATTEN, account, group, as_json)


def _everywhere(kind: CommandKind, account: str | None, group: str, as_json: bool) -> None:
    desk = open_desk()
    asked = kill.order_everywhere(
        desk.wiring, desk.actor, kind, key=f"cli:{kind}:{desk.now.isoformat()}", group=group,
        account_id=desk.account_or_all(account),
    )  # fmt: skip
    output.show({"action": kind, "asked": asked}, as_json)


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
