"""`quote`, `balance`, `positions`: what the bots last knew, each with its time."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from console.cli import output
from console.cli.accounts import Account
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import holdings, quotes


def positions(account: Account, as_json: AsJson = False) -> None:
    """보유 종목 · The holdings of an account."""
    desk = open_desk()
    lines = holdings.positions(desk.wiring, desk.actor, account_id=desk.account(account))
    output.show(output.listing([asdict(line) for line in lines], desk.now), as_json)


def balance(account: Account, as_json: AsJson = False) -> None:
    """예수금과 주문가능금액 · Cash and buying power of an account."""
    desk = open_desk()
    lines = holdings.cash(desk.wiring, desk.actor, account_id=desk.account(account))
    output.show(output.listing([asdict(line) for line in lines], desk.now), as_json)


def quote(
    account: Account, symbol: Annotated[str, typer.Argument(help="종목코드 · symbol")], as_json: AsJson = False
) -> None:
    """봇이 보고 있는 종목의 시세 · The last price of a symbol the account's bot watches."""
    desk = open_desk()
    line = quotes.last(desk.wiring, desk.actor, desk.account(account), symbol)
    output.show(asdict(line), as_json)
