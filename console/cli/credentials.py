"""`credential set`: replace the keys of an account."""

from __future__ import annotations

import typer

from console.cli import output, typed
from console.cli.accounts import Account, Confirm
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import accounts

app = typer.Typer(help="키 · keys", no_args_is_help=True)
app.callback()(lambda: None)


@app.command("set")
def set_(account: Account, confirm: Confirm = "", as_json: AsJson = False) -> None:
    """키를 표준입력에서 읽어 봉인합니다 · Read keys from stdin (JSON or NAME=VALUE lines) and seal them."""
    desk = open_desk()
    account_id = desk.account(account)
    accounts.set_credentials(desk.wiring, desk.actor, account_id, typed.keys_from_stdin(), confirm=confirm)
    row = accounts.detail(desk.wiring, desk.actor, account_id)
    output.show({"account_id": account_id, "nickname": row.nickname, "last4": row.last4}, as_json)
