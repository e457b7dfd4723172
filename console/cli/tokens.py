"""`token`: bearer tokens for the REST interface and for this command line elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from console.cli import output
from console.cli.desk import open_desk
from console.cli.output import AsJson
from console.services import tokens, users
from console.services.tokens import Scope
from shared.models import ApiToken

app = typer.Typer(help="API 토큰 · API tokens", no_args_is_help=True)


@app.command()
def add(
    user: Annotated[str, typer.Argument(help="누구의 토큰 · whose: id or email")],
    name: Annotated[str, typer.Option(help="쓰임새 · what it is for")] = "",
    scope: Annotated[list[Scope] | None, typer.Option(help="여러 번 · repeat; read when absent")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="유효 기간 · valid for")] = 90,
    as_json: AsJson = False,
) -> None:
    """토큰을 만듭니다. 한 번만 보입니다 · Make a token; it is shown this once."""
    desk = open_desk()
    user_id = users.by_name(desk.wiring, desk.actor, user)
    scopes = scope or [Scope.READ]
    token_id, token = tokens.add(desk.wiring, desk.actor, user_id, name, scopes, days=days)
    output.show({"id": token_id, "user_id": user_id, "scopes": scopes, "days": days, "token": token}, as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """모든 토큰. 토큰 자체는 보이지 않습니다 · Every token, never the token itself."""
    desk = open_desk()
    rows = [_row(one) for one in tokens.listed(desk.wiring, desk.actor)]
    output.show(output.listing(rows, desk.now), as_json)


@app.command()
def revoke(token: Annotated[int, typer.Argument(metavar="TOKEN", help="번호 · id")], as_json: AsJson = False) -> None:
    """토큰을 바로 끝냅니다 · End a token at once."""
    desk = open_desk()
    tokens.revoke(desk.wiring, desk.actor, token)
    output.show({"id": token, "revoked": True}, as_json)


def _row(one: ApiToken) -> dict[str, Any]:
    names = ("id", "user_id", "name", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    return {name: getattr(one, name) for name in names}
