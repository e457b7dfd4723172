"""`support-bundle`: what somebody who helps needs to see, masked, in one file."""

from __future__ import annotations

import json
import platform
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import output
from console.cli.desk import Desk, open_desk
from console.cli.output import AsJson
from console.services import alerts, logs, overview
from shared import schema
from shared.config import ROOT
from shared.redact import masked
from shared.store.panels import LogFilter

TAIL = 200_000  # bytes of each log file


def support_bundle(
    to: Annotated[Path, typer.Option("--to", help="파일 · the zip file to write")] = Path("support-bundle.zip"),
    upload: Annotated[bool, typer.Option("--upload", help="Supabase Storage에 · into Supabase Storage too")] = False,
    as_json: AsJson = False,
) -> None:
    """상태와 기록을 가려서 한 파일로 · State and logs, masked, in one file."""
    desk = open_desk()
    files = {"about.json": _about(desk), "desk.json": _desk(desk)}
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, document in files.items():
            bundle.writestr(
                name, masked(json.dumps(output.to_plain(document), ensure_ascii=False, indent=1), strict=True)
            )
        for path in sorted((ROOT / "var" / "log").glob("*.log")):
            bundle.writestr(
                f"log/{path.name}", masked(path.read_bytes()[-TAIL:].decode("utf-8", "replace"), strict=True)
            )
        count = len(bundle.namelist())
    to.chmod(0o600)
    if upload:
        from console.cli.cloud import show_upload  # loads supabase: only who asks for it
        from console.cloud.files import BUNDLES

        show_upload(desk.wiring.settings, BUNDLES, to, as_json)
        return
    output.show({"file": str(to), "files": count, "bytes": to.stat().st_size}, as_json)


def _about(desk: Desk) -> dict[str, Any]:
    settings = desk.wiring.settings
    return {
        "at": desk.now,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": sorted(f"{one.name}=={one.version}" for one in distributions()),
        "database": settings.database_url.split(":", 1)[0],
        "schema": schema.current(desk.wiring.engine),
        "needed": schema.head(),
        "lang": settings.lang,
        "port": settings.port,
        "telegram": settings.telegram_token is not None,
    }


def _desk(desk: Desk) -> dict[str, Any]:
    view = overview.overview(desk.wiring, desk.actor)
    return {
        "kill": view.kill,
        "accounts": view.lines,
        "alerts": alerts.inbox(desk.wiring, desk.actor),
        "logs": logs.newest(desk.wiring, desk.actor, LogFilter()),
    }
