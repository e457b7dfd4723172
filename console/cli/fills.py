"""`fills list`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from console.cli import output
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import orders

app = typer.Typer(help="체결 · fills", no_args_is_help=True)
app.callback()(lambda: None)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="계좌 · id or nickname")] = None,
    symbol: Annotated[str, typer.Option(help="종목코드 · symbol")] = "",
    limit: Annotated[int, typer.Option(min=1, max=orders.LIMIT)] = 100,
    as_json: AsJson = False,
) -> None:
    """체결, 최신부터 · Fills, newest first."""
    desk = open_desk()
    account_id = desk.account_or_all(account)
    lines = orders.fills(desk.wiring, desk.actor, account_id=account_id, symbol=symbol.upper(), limit=limit)
    output.show(output.listing([asdict(line) for line in lines], desk.now), as_json)
