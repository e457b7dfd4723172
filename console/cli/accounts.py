"""`account`: register, look at, switch on and off."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from console.cli import output, typed
from console.cli.desk import Desk, open_desk
from console.cli.output import AsJson
from console.services import accounts, arming, hosts, overview
from console.services.accounts import Limits, NewAccount
from console.services.overview import AccountLine
from shared.config import environment
from shared.domain.account import BrokerName, Environment, Market
from shared.domain.errors import ConfigError
from shared.models import BrokerageAccount

app = typer.Typer(help="계좌 · accounts", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="계좌 번호(id)나 이름 · id or nickname", metavar="ACCOUNT")]
Confirm = Annotated[str, typer.Option(help="실전: 계좌 이름을 그대로 · LIVE: the account's name, typed")]
Reason = Annotated[str, typer.Option(help="사유 · why")]

_SHOWN = (
    *("id", "nickname", "broker", "market", "environment", "wire", "last4", "enabled", "desired_generation"),
    *("config_version", "health_status", "health_reason", "last_heartbeat", "armed_until", "max_order_amount"),
    *("max_symbol_amount", "max_daily_buy", "max_daily_loss", "max_trades_per_day", "price_collar_pct"),
    *("max_data_age_s", "entries_on_fallback", "failover", "host_group", "created_at"),
)


def amount(text: str) -> Decimal:
    """Read an exact number from the command line."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not a number") from None
    if not number.is_finite():
        raise typer.BadParameter(f"{text!r} is not a number")
    return number


Amount = Annotated[Decimal | None, typer.Option(parser=amount, metavar="AMOUNT", help="계좌 통화 · account currency")]


@app.command()
def add(
    nickname: Annotated[str | None, typer.Argument(help="이름 · name")] = None,
    broker: Annotated[BrokerName | None, typer.Option(help="증권사 · broker")] = None,
    market: Annotated[Market | None, typer.Option(help="시장 · market")] = None,
    env: Annotated[Environment | None, typer.Option("--env", "--environment", help="SIM · MOCK · LIVE")] = None,
    from_env: Annotated[
        bool, typer.Option("--from-env", help="KIS_*, LS_* 환경변수에서 · from the environment")
    ] = False,
    max_order_amount: Amount = None,
    max_symbol_amount: Amount = None,
    max_daily_buy: Amount = None,
    max_daily_loss: Amount = None,
    max_trades_per_day: Annotated[int | None, typer.Option(min=0)] = None,
    confirm: Confirm = "",
    as_json: AsJson = False,
) -> None:
    """계좌를 등록합니다. 키는 표준입력으로 · Register an account; its keys are read from stdin or the environment."""
    limits = Limits(max_order_amount, max_symbol_amount, max_daily_buy, max_daily_loss, max_trades_per_day)
    desk = open_desk()
    if from_env:
        added = [
            accounts.add_account(desk.wiring, desk.actor, new, keys, limits, confirm=confirm)
            for new, keys in _in_environment(nickname, broker, market, env)
        ]
    else:
        if nickname is None or broker is None or market is None or env is None:
            raise typer.BadParameter("NICKNAME --broker --market --env")
        new = NewAccount(nickname, broker, market, env)
        added = [accounts.add_account(desk.wiring, desk.actor, new, typed.keys_from_stdin(), limits, confirm=confirm)]
    output.show(output.listing([_row(line) for line in _lines(desk) if line.id in added], desk.now), as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """등록된 계좌 · The registered accounts."""
    desk = open_desk()
    output.show(output.listing([_row(line) for line in _lines(desk)], desk.now), as_json)


@app.command()
def show(account: Account, as_json: AsJson = False) -> None:
    """설정과 한도 · Settings and limits of one account; never its keys."""
    desk = open_desk()
    _show_settings(accounts.detail(desk.wiring, desk.actor, desk.account(account)), as_json)


@app.command("limits")
def limits_(
    account: Account,
    max_order_amount: Amount = None,
    max_symbol_amount: Amount = None,
    max_daily_buy: Amount = None,
    max_daily_loss: Amount = None,
    max_trades_per_day: Annotated[int | None, typer.Option(min=0)] = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """한도를 바꿉니다. 적지 않은 것은 그대로 · Change limits; what is not named stays."""
    asked = Limits(max_order_amount, max_symbol_amount, max_daily_buy, max_daily_loss, max_trades_per_day)
    named = {one.name: value for one in fields(Limits) if (value := getattr(asked, one.name)) is not None}
    if not named:
        raise typer.BadParameter("--max-order-amount --max-symbol-amount --max-daily-buy …")
    desk = open_desk()
    row = accounts.detail(desk.wiring, desk.actor, desk.account(account))
    _ask_twice(row, named)
    present = Limits(**{one.name: getattr(row, one.name) for one in fields(Limits)})
    accounts.set_limits(desk.wiring, desk.actor, row.id or 0, replace(present, **named), reason=reason)
    _show_settings(accounts.detail(desk.wiring, desk.actor, row.id or 0), as_json)


def _ask_twice(row: BrokerageAccount, named: dict[str, Any]) -> None:
    """Now and afterwards, to whoever sits there; a program has said it with its reason."""
    currency = Market(row.market).currency
    for name, wished in named.items():
        now = getattr(row, name)
        before, after = ("—" if one is None else f"{one:,} {currency}" for one in (now, wished))
        if name == "max_trades_per_day":
            before, after = ("—" if one is None else f"{one:,}" for one in (now, wished))
        typer.echo(f"{row.nickname} ({row.environment}) {name}: {before} → {after}", err=True)
    if sys.stdin.isatty():
        typer.confirm("바꿀까요 · change", abort=True, err=True)


def _show_settings(row: BrokerageAccount, as_json: bool) -> None:
    output.show({name: getattr(row, name) for name in _SHOWN}, as_json)


@app.command()
def enable(account: Account, confirm: Confirm = "", reason: Reason = "", as_json: AsJson = False) -> None:
    """가동을 요청합니다 · Ask for the account's bot to run."""
    switch(account, True, confirm, reason, as_json)


@app.command()
def disable(account: Account, reason: Reason = "", as_json: AsJson = False) -> None:
    """정지를 요청합니다. 보유와 낸 주문은 그대로 · Ask for its bot to stop; holdings and orders stay."""
    switch(account, False, "", reason, as_json)


@app.command()
def arm(
    account: Account,
    hours: Annotated[float, typer.Option(help="몇 시간 동안 · for how many hours")] = 8,
    confirm: Confirm = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """실전 계좌의 진입을 정한 시간 동안 허락합니다 · Let a LIVE account open positions for a while."""
    desk = open_desk()
    account_id = desk.account(account)
    arming.arm(desk.wiring, desk.actor, account_id, hours=hours, confirm=confirm, reason=reason)
    output.show(next(_row(line) for line in _lines(desk) if line.id == account_id), as_json)


@app.command()
def disarm(account: Account, reason: Reason = "", as_json: AsJson = False) -> None:
    """허락을 거둡니다. 청산은 계속됩니다 · End the approval; exits go on."""
    desk = open_desk()
    account_id = desk.account(account)
    arming.disarm(desk.wiring, desk.actor, account_id, reason=reason)
    output.show(next(_row(line) for line in _lines(desk) if line.id == account_id), as_json)


@app.command()
def archive(account: Account, confirm: Confirm = "", reason: Reason = "", as_json: AsJson = False) -> None:
    """계좌를 목록에서 내립니다. 기록은 남습니다 · Take an account off the desk; its records stay."""
    desk = open_desk()
    account_id = desk.account(account)
    arming.archive(desk.wiring, desk.actor, account_id, confirm=confirm, reason=reason)
    output.show({"id": account_id, "archived": True}, as_json)


def switch(account: str, on: bool, confirm: str, reason: str, as_json: bool) -> None:
    """Write the desired state and answer with the account as it stands."""
    desk = open_desk()
    account_id = desk.account(account)
    if on:
        accounts.start(desk.wiring, desk.actor, account_id, confirm=confirm, reason=reason)
    else:
        accounts.stop(desk.wiring, desk.actor, account_id, reason=reason)
    output.show(next(_row(line) for line in _lines(desk) if line.id == account_id), as_json)


def _in_environment(
    nickname: str | None, broker: BrokerName | None, market: Market | None, env: Environment | None
) -> list[tuple[NewAccount, accounts.Keys]]:
    """One account per broker whose keys are set: KIS trades the US and LS Korea unless --market says otherwise."""
    variables = environment()
    found = []
    for one in [broker] if broker else list(BrokerName):
        keys = typed.keys_from_environment(variables, one)
        if keys is not None:
            where = market or (Market.US if one is BrokerName.KIS else Market.KRX)
            name = nickname or f"{one} {where}"
            found.append((NewAccount(name, one, where, env or typed.environment_named(variables, one)), keys))
    if not found:
        raise ConfigError(
            "환경변수에 키가 없습니다 · no keys in the environment",
            "KIS_APP_KEY, LS_APP_KEY",
            "KIS_APP_KEY, KIS_APP_SECRET, KIS_ACCOUNT_NO → .env",
            code="bad_keys",
        )
    if nickname and len(found) > 1:
        raise typer.BadParameter("NICKNAME with keys of two brokers: add --broker")
    return found


def _lines(desk: Desk) -> tuple[AccountLine, ...]:
    return tuple(sorted(overview.overview(desk.wiring, desk.actor).lines, key=lambda line: line.id))


def _row(line: AccountLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "nickname": line.nickname,
        "broker": line.broker,
        "market": line.market,
        "environment": line.environment,
        "last4": line.last4,
        "enabled": line.enabled,
        "status": line.status,
        "why": line.why,
        "has_keys": line.has_keys,
        "armed_until": line.armed_until,
    }


@app.command()
def move(account: Account, reason: Reason = "", as_json: AsJson = False) -> None:
    """다른 호스트가 맡을 수 있게 놓아줍니다 (그 호스트가 꺼진 것을 먼저 확인) · Let another host take it over."""
    desk = open_desk()
    account_id = desk.account(account)
    before = hosts.holder_of(desk.wiring, desk.actor, account_id)
    hosts.let_go(desk.wiring, desk.actor, account_id, reason=reason)
    output.show({"id": account_id, "left": before.host, "epoch": before.epoch}, as_json)
