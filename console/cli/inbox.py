"""`inbox`: what only a person can settle, and his answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from console.cli import output
from console.cli.accounts import Account
from console.cli.desk import open_desk
from console.cli.orders import Key, OrderId, Symbol, answered
from console.cli.output import AsJson
from console.services import accounts, approvals, inbox

EntryId = Annotated[int, typer.Argument(min=1, metavar="N", help="inbox list의 진입 번호 · an entry's number")]
app = typer.Typer(help="확인 필요 · what waits for a person", no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """사람만 판단할 수 있는 일 · Everything that waits for a person, gravest first."""
    desk = open_desk()
    view = inbox.matters(desk.wiring, desk.actor)
    down = [{"kind": "down", **asdict(one.whose), "status": one.status, "reason": one.reason} for one in view.down]
    unproven = [{"kind": "order", **asdict(one)} for one in view.unproven]
    drifts = [
        {"kind": "drift", **asdict(one.whose), "symbol": one.symbol, "ours": one.ours, "theirs": one.theirs}
        for one in view.drifts
    ]
    held = [
        {"kind": "held_exit", **asdict(one.whose), "rule_id": one.rule_id, "symbol": one.symbol, "why": one.why}
        for one in view.held_exits
    ]
    stopped = [{"kind": "stopped", **asdict(one.whose), "symbol": one.symbol, "why": one.why} for one in view.stopped]
    bare = [{"kind": "unguarded", **asdict(one)} for one in view.unguarded]
    entries = [{"kind": "entry", **one.told} for one in view.proposals]
    looks = [{"kind": "second_look", **asdict(one)} for one in view.looks]
    output.show(
        output.listing([*down, *held, *unproven, *drifts, *stopped, *bare, *entries, *looks], desk.now), as_json
    )


@app.command()
def approve(
    entry: EntryId,
    confirm: Annotated[str, typer.Option(help="실전: 계좌 이름 · LIVE: the account's name")] = "",
    as_json: AsJson = False,
) -> None:
    """규칙이 원하는 진입을 승인합니다. 봇이 모든 안전장치를 다시 묻고 보냅니다 · Send an entry that a rule wants, if every guard agrees."""
    desk = open_desk()
    answered(desk, approvals.approve(desk.wiring, desk.actor, entry, confirm=confirm), as_json)


@app.command()
def decline(entry: EntryId, as_json: AsJson = False) -> None:
    """규칙이 원하는 진입을 거절합니다. 아무것도 보내지 않습니다 · Drop an entry that a rule wants; nothing is sent."""
    desk = open_desk()
    answered(desk, approvals.decline(desk.wiring, desk.actor, entry), as_json)


@app.command()
def settle(
    account: Account,
    symbol: Symbol,
    rule: Annotated[
        int | None, typer.Option(help="주인 없는 주식을 모두 맡을 규칙 · the rule that takes them all")
    ] = None,
    share: Annotated[
        list[str] | None, typer.Option(metavar="RULE=N", help="나눔, 여러 번 · a split, repeat it")
    ] = None,
    rescale: Annotated[bool, typer.Option(help="분할·병합·무상증자 · a corporate action")] = False,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """증권사 잔고를 인정합니다. 맡기지 않은 주식은 내가 관리 · The broker's holding is right; what no rule takes stays mine."""
    if sum((rule is not None, bool(share), rescale)) > 1:
        raise typer.BadParameter("--rule, --share, --rescale: 하나만 · only one of them")
    desk = open_desk()
    shares = dict(_part(one) for one in share or ())
    asked = inbox.accept_holding(
        desk.wiring, desk.actor, desk.account(account), symbol.upper(), rule, key=key or accounts.new_key(),
        shares=shares, rescale=rescale,
    )  # fmt: skip
    answered(desk, asked, as_json)


@app.command()
def lift(account: Account, symbol: Symbol, key: Key = "", as_json: AsJson = False) -> None:
    """멈춘 종목을 다시 거래합니다 · Trade a stopped symbol again."""
    desk = open_desk()
    account_id = desk.account(account)
    asked = inbox.lift_symbol(desk.wiring, desk.actor, account_id, symbol.upper(), key=key or accounts.new_key())
    answered(desk, asked, as_json)


@app.command()
def resolve(
    order_id: OrderId,
    number: Annotated[str, typer.Option(help="증권사 주문번호 · the broker's number of it")] = "",
    absent: Annotated[
        bool, typer.Option(help="증권사에 없음을 확인함 · I looked: the broker has no such order")
    ] = False,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """확인중인 주문이 어떻게 되었는지 말합니다 · Say what became of an unproven order."""
    if bool(number) is absent:
        raise typer.BadParameter("--number 또는 --absent · either of them")
    desk = open_desk()
    asked = inbox.resolve_order(desk.wiring, desk.actor, order_id, number or None, key=key or accounts.new_key())
    answered(desk, asked, as_json)


def _part(text: str) -> tuple[int, int]:
    rule, _, number = text.partition("=")
    if not (rule.isdigit() and number.isdigit()):
        raise typer.BadParameter(f"{text!r}: RULE=N")
    return int(rule), int(number)
