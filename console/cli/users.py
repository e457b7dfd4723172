"""`user`: the people of the desk."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from console.cli import output
from console.cli.accounts import Reason
from console.cli.desk import Desk, open_desk
from console.cli.output import AsJson
from console.services import factors, users
from shared.models import Role

app = typer.Typer(help="사용자 · users", no_args_is_help=True)

User = Annotated[str, typer.Argument(metavar="USER", help="번호(id)나 이메일 · id or email")]
Granted = Annotated[
    list[str] | None, typer.Option("--account", help="볼 수 있는 계좌, 여러 번 · an account to grant; repeat")
]


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="이메일 · email")],
    role: Annotated[Role, typer.Option(case_sensitive=False)] = Role.VIEWER,
    name: Annotated[str, typer.Option(help="이름 · name")] = "",
    service: Annotated[bool, typer.Option("--service", help="토큰으로만 · signs in with tokens only")] = False,
    account: Granted = None,
    as_json: AsJson = False,
) -> None:
    """사용자를 만듭니다. 비밀번호는 한 번만 보이고 첫 로그인에서 바꿉니다 · Add a user; the password is shown once."""
    desk = open_desk()
    granted = _accounts(desk, account)
    user_id, password = users.add(desk.wiring, desk.actor, email, role, name=name, service=service, granted=granted)
    output.show({"id": user_id, "email": email, "role": role, "password": password, "accounts": granted}, as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """모든 사용자 · Everybody, the disabled ones included."""
    desk = open_desk()
    lines = users.listed(desk.wiring, desk.actor)
    output.show(output.listing([asdict(line) for line in lines], desk.now), as_json)


@app.command()
def role(
    user: User,
    role: Annotated[Role | None, typer.Argument(case_sensitive=False, help="없으면 그대로 · kept when absent")] = None,
    account: Granted = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """역할을 바꾸고 계좌를 더 보여 줍니다 · Give a role, grant more accounts."""
    desk = open_desk()
    user_id = users.by_name(desk.wiring, desk.actor, user)
    users.set_role(desk.wiring, desk.actor, user_id, role, granted=_accounts(desk, account), reason=reason)
    _show(desk, user_id, as_json)


@app.command()
def disable(user: User, reason: Reason = "", as_json: AsJson = False) -> None:
    """사용자를 막습니다. 로그인·토큰·텔레그램이 바로 끊깁니다 · Shut a user out at once."""
    desk = open_desk()
    user_id = users.by_name(desk.wiring, desk.actor, user)
    users.disable(desk.wiring, desk.actor, user_id, reason=reason)
    _show(desk, user_id, as_json)


@app.command()
def link(
    user: User,
    uid: Annotated[
        str | None, typer.Argument(help="Supabase Auth의 UID, 없으면 끊기 · of Supabase Auth; unlinked when absent")
    ] = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Supabase 사용자를 이 사람으로 잇습니다 · Let a user of Supabase Auth be this person (docs/supabase.md)."""
    desk = open_desk()
    user_id = users.by_name(desk.wiring, desk.actor, user)
    users.link_auth(desk.wiring, desk.actor, user_id, uid, reason=reason)
    _show(desk, user_id, as_json)


@app.command()
def enable(user: User, reason: Reason = "", as_json: AsJson = False) -> None:
    """막은 사용자를 다시 들입니다 · Let a disabled user in again."""
    desk = open_desk()
    user_id = users.by_name(desk.wiring, desk.actor, user)
    users.enable(desk.wiring, desk.actor, user_id, reason=reason)
    _show(desk, user_id, as_json)


@app.command()
def password(user: User, reason: Reason = "", as_json: AsJson = False) -> None:
    """한 번 쓰는 새 비밀번호를 줍니다. 로그인이 모두 끊깁니다 · A one-time password; every session ends."""
    desk = open_desk()
    user_id = users.by_name(desk.wiring, desk.actor, user)
    output.show(
        {"id": user_id, "password": users.reset_password(desk.wiring, desk.actor, user_id, reason=reason)}, as_json
    )


@app.command("factor-reset")
def factor_reset(user: User, reason: Reason = "", as_json: AsJson = False) -> None:
    """잃어버린 두 번째 확인을 지웁니다 · Take a lost second factor away."""
    desk = open_desk()
    user_id = users.by_name(desk.wiring, desk.actor, user)
    factors.reset(desk.wiring, desk.actor, user_id, reason=reason)
    _show(desk, user_id, as_json)


def _accounts(desk: Desk, named: list[str] | None) -> list[int]:
    return [desk.account(one) for one in named or ()]


def _show(desk: Desk, user_id: int, as_json: bool) -> None:
    line = next(one for one in users.listed(desk.wiring, desk.actor) if one.id == user_id)
    output.show(asdict(line), as_json)
