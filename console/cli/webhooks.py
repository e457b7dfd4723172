"""`webhook`: addresses where TradingView may propose trades of a rule."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from console.cli import output
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import tokens
from shared.models import Webhook

app = typer.Typer(help="웹훅 · webhooks", no_args_is_help=True)
PATH = "/api/v1/webhook/tradingview/"
MESSAGE = (
    '{{"secret":"{secret}","ticker":"{{{{ticker}}}}","exchange":"{{{{exchange}}}}",'
    '"action":"{{{{strategy.order.action}}}}","time":"{{{{time}}}}","timenow":"{{{{timenow}}}}",'
    '"id":"{{{{strategy.order.id}}}}"}}'
)


@app.command()
def add(
    rule: Annotated[int, typer.Argument(metavar="RULE", help="규칙 번호 · rule id")],
    name: Annotated[str, typer.Option(help="이름 · name")] = "tradingview",
    as_json: AsJson = False,
) -> None:
    """주소와 비밀을 만듭니다. 비밀은 한 번만 보입니다 · Open an address; its secret is shown this once."""
    desk = open_desk()
    row, secret = tokens.add_webhook(desk.wiring, desk.actor, rule, name)
    message = MESSAGE.format(secret=secret)
    output.show({**_row(row), "path": PATH + row.path_id, "secret": secret, "message": message}, as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """모든 웹훅 · Every webhook."""
    desk = open_desk()
    output.show(output.listing([_row(one) for one in tokens.webhooks(desk.wiring, desk.actor)], desk.now), as_json)


@app.command()
def revoke(
    webhook: Annotated[int, typer.Argument(metavar="WEBHOOK", help="번호 · id")], as_json: AsJson = False
) -> None:
    """웹훅을 닫습니다 · Close one."""
    desk = open_desk()
    tokens.revoke_webhook(desk.wiring, desk.actor, webhook)
    output.show({"id": webhook, "revoked": True}, as_json)


def _row(one: Webhook) -> dict[str, Any]:
    names = ("id", "name", "rule_id", "account_id", "created_at", "revoked_at", "last_used_at")
    return {name: getattr(one, name) for name in names}
