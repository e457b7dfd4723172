"""`db`: the schema of the store, its backup, and its way into another database."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlmodel import col, select

from console.cli.output import FAILED, AsJson, show, tell
from console.services.overview import SILENT_S
from shared import schema
from shared.clock import SystemClock
from shared.config import ROOT, database_url, load_settings, write_env_value
from shared.crypto import load_private
from shared.db import open_engine, reading
from shared.domain.bot_state import BotState
from shared.domain.errors import Conflict
from shared.models import Heartbeat, Host
from shared.store import transfer

app = typer.Typer(help="The store: upgrade and check its schema.", no_args_is_help=True)


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Run every missing migration."""
    engine = open_engine(load_settings().database_url)
    before = schema.current(engine)
    schema.upgrade(engine)
    schema.tell_served(engine)
    show({"before": before, "after": schema.current(engine)}, as_json)


@app.command()
def check(as_json: AsJson = False) -> int:
    """Compare the store with this program: revision and columns."""
    engine = open_engine(load_settings().database_url)
    found, wanted, drift = schema.current(engine), schema.head(), []
    if found == wanted:
        drift = schema.drift(engine)
    ok = found == wanted and not drift
    show({"ok": ok, "revision": found, "needed": wanted, "differences": drift}, as_json)
    return 0 if ok else FAILED


@app.command()
def backup(to: Annotated[Path, typer.Argument(help="파일 · the file to write")], as_json: AsJson = False) -> None:
    """모든 표를 파일 하나로. 키 파일은 따로 보관하십시오 · Every table into one file; keep the key files elsewhere."""
    settings = load_settings()
    load_private(settings)  # who cannot read the key file is not the operator of this machine
    counts = transfer.dump(open_engine(settings.database_url), to)
    tell(f"키는 들어 있지 않습니다 · the keys are not in it: {settings.home / 'secrets'}")
    show({"file": str(to), "rows": sum(counts.values()), "tables": len(counts), "bytes": to.stat().st_size}, as_json)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="db backup 파일")], as_json: AsJson = False
) -> None:
    """빈 저장소를 파일로 채웁니다 · Fill an empty store from a backup."""
    settings = load_settings()
    load_private(settings)
    engine = open_engine(settings.database_url)
    schema.upgrade(engine)
    counts = transfer.load(engine, source)
    show({"file": str(source), "rows": sum(counts.values()), "tables": len(counts)}, as_json)


@app.command()
def move(
    to: Annotated[
        str, typer.Argument(metavar="ENV_NAME", help="새 주소가 든 환경변수 · the variable with the address")
    ],
    switch: Annotated[
        bool, typer.Option("--switch", help=".env의 DATABASE_URL을 새 주소로 · write the new address into .env")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """다른 데이터베이스로 옮깁니다(주소는 환경변수로), 모든 행을 다시 읽어 견주며 · Copy into another database, every row compared."""
    settings = load_settings()
    load_private(settings)
    address = os.environ.get(to, "")
    if not address:
        raise typer.BadParameter(f"{to} is empty: put the new address into that variable; it may hold a password")
    target = database_url({"DATABASE_URL": address}, settings.home)
    if target == settings.database_url:
        raise Conflict(
            "지금 쓰는 저장소입니다 · that is the store in use",
            f"DATABASE_URL, SUPABASE_DB_URL: {to}",
            "옮긴 뒤에 적으십시오: .env에서 지우고 다시, --switch로 · take it out of .env, move, and let --switch write it",
        )
    source = open_engine(settings.database_url)
    _require_quiet(source)
    counts = transfer.move(source, open_engine(target))
    if switch:
        write_env_value(ROOT / ".env", "DATABASE_URL", address)
        if os.environ.get("DATABASE_URL", address) != address:
            tell(
                "이 셸의 DATABASE_URL이 .env보다 앞섭니다: 지우고 시작하십시오 · "
                "DATABASE_URL of this shell wins over .env: unset it before you start the desk"
            )
    else:
        tell("이제 .env의 DATABASE_URL을 바꾸십시오 · now change DATABASE_URL in .env")
    show({"rows": sum(counts.values()), "tables": len(counts), "compared": True, "switched": switch}, as_json)


def _require_quiet(engine: Engine) -> None:
    """Refuse while a desk runs: what bots and people write after the copy would be missing in the new store."""
    with reading(engine) as session:
        now = SystemClock().wall_now()

        def lately(at: datetime) -> bool:
            return (now - at).total_seconds() < SILENT_S

        beats = session.exec(select(Heartbeat).where(col(Heartbeat.state) != BotState.STOPPED)).all()
        alive = [f"bot-{one.account_id}" for one in beats if lately(one.at)]
        alive += [one.name for one in session.exec(select(Host)) if lately(one.seen_at)]
    if alive:
        raise Conflict(
            "데스크가 돌고 있습니다 · the desk is running",
            ", ".join(alive),
            f"make down, {SILENT_S:.0f}초 뒤에 다시 · and again {SILENT_S:.0f} s later",
        )
