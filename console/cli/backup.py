"""`backup`: the whole desk in a folder, proof that the folder is good, and a new machine from it."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import delete

from console.cli.output import AsJson, show, tell
from console.services.permissions import Actor
from shared.clock import SystemClock
from shared.config import Settings, load_settings
from shared.crypto import check_canary, load_private
from shared.db import open_engine, reading, writing
from shared.domain.bot_state import KillLevel
from shared.domain.errors import ConfigError
from shared.models import LoginSession, Role
from shared.store import audit, backup, heartbeats, kill
from shared.store import secrets as sealed

app = typer.Typer(
    help="백업과 복구 · Back the desk up beside running bots; restore it on a new machine.", no_args_is_help=True
)
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="백업 폴더 · the backup's folder")]


@app.command()
def create(
    to: Annotated[
        Path | None, typer.Option("--to", help="새 폴더 · a new folder; default: backups/<time> in LETSTRADE_HOME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """저장소와 키를 폴더 하나로 (봇이 도는 중에도) · Store and keys into one folder, beside running bots.

    The keys are sealed under the passphrase in LETSTRADE_BACKUP_PASSPHRASE; without one they are left out.
    """
    settings, now = load_settings(), SystemClock().wall_now()
    load_private(settings)  # who cannot read the key file is not the operator of this machine
    folder = to or backup.by_hand(settings.home, now)
    engine = open_engine(settings.database_url)
    passphrase = settings.env.get(backup.PASSPHRASE)
    made = backup.create(settings, engine, folder, now, passphrase)
    backup.verify(folder, passphrase)
    with writing(engine) as session:
        audit.record(
            session, now, actor=_me(settings).label, action="backup.create", source="cli",
            after={"folder": folder.name, "keys": made.keys, "rows": sum(made.rows.values())},
        )  # fmt: skip
    if not made.keys:
        tell(
            f"키는 들어 있지 않습니다 · the keys are not in it: set {backup.PASSPHRASE}, or copy {settings.home / 'secrets'}"
        )
    size = sum(one.stat().st_size for one in folder.iterdir())
    show({"folder": str(folder), "kind": made.kind, "rows": sum(made.rows.values()), "keys": made.keys, "bytes": size,
          "verified": True}, as_json)  # fmt: skip


@app.command()
def verify(folder: Folder, as_json: AsJson = False) -> None:
    """백업이 온전한지 확인 · Prove that a backup can be used; with the passphrase set, that its keys open."""
    passphrase = load_settings().env.get(backup.PASSPHRASE)
    made = backup.verify(folder, passphrase)
    opened = made.keys and passphrase is not None
    show({"ok": True, "at": made.at, "kind": made.kind, "revision": made.revision, "rows": sum(made.rows.values()),
          "keys": made.keys, "keys_opened": opened}, as_json)  # fmt: skip


@app.command()
def restore(
    folder: Folder,
    old_desk_is_off: Annotated[
        bool,
        typer.Option("--old-desk-is-off", help="옛 데스크가 꺼졌음을 확인 · you are sure that the old desk is off"),
    ] = False,
    trade: Annotated[
        bool, typer.Option("--trade", help="바로 거래 · trade at once; without it exits only, until `kill lower`")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """새 기기에 데스크를 되살립니다 · Bring a desk back on a new machine, in an empty LETSTRADE_HOME.

    Two desks on one account would both trade: say that the old one is off. Everybody signs in again.
    """
    settings, now = load_settings(), SystemClock().wall_now()
    if not old_desk_is_off:
        raise ConfigError(
            "옛 데스크가 꺼졌는지 모릅니다 · the old desk may still trade",
            "한 계좌를 두 데스크가 거래하면 주문이 겹칩니다 · two desks on one account double its orders",
            "letstrade backup restore … --old-desk-is-off",
        )
    made = backup.restore(settings, open_engine(settings.database_url), folder, settings.env.get(backup.PASSPHRASE))
    engine = open_engine(settings.database_url)
    with reading(engine) as session:
        planted = sealed.canary(session)
    if planted is not None:
        check_canary(load_private(settings), planted)
    actor = _me(settings)
    with writing(engine) as session:
        for name in heartbeats.leases(session, "account:"):
            heartbeats.give_up_lease(session, name)
        session.execute(delete(LoginSession))
        if not trade and kill.level_of(session, None) < KillLevel.NO_NEW:
            kill.set_level(
                session, now, account_id=None, level=KillLevel.NO_NEW, reason="backup restore", by=actor.label
            )
        audit.record(
            session, now, actor=actor.label, action="backup.restore", source="cli",
            after={"of": made.at, "trade": trade}, reason="old desk is off",
        )  # fmt: skip
    if (settings.home / "restored.env").exists():
        tell(f"옛 .env · the old .env: {settings.home / 'restored.env'}")
    tell("이제 · now: make run" + ("" if trade else ", 확인한 뒤 · then, once checked: letstrade kill lower"))
    show({"rows": sum(made.rows.values()), "of": made.at, "entries": trade}, as_json)


def _me(settings: Settings) -> Actor:
    return Actor(None, Role.ADMIN, "cli", getpass.getuser(), settings.lang)
