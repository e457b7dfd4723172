"""`cloud`: a Supabase project beside its database: what of it answers, files into it, its functions."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import typer

from console.cli.desk import open_desk
from console.cli.output import FAILED, AsJson, show
from console.cloud import files, functions
from console.cloud.changes import CONFIRMED_S, CONSOLE_TABLES, Changes, Line
from console.cloud.project import TIMEOUT_S, Project, asking, client, project_of
from shared.clock import SystemClock
from shared.config import Settings
from shared.domain.errors import ConfigError, TradingError

app = typer.Typer(help="Supabase 프로젝트 · A Supabase project: what answers, files, functions.", no_args_is_help=True)
_INSTEAD = "the desk goes on without it"


@app.command()
def status(as_json: AsJson = False) -> int:
    """무엇이 응답하나 · What of the project answers; with what stands in for each part that does not."""
    settings = open_desk().wiring.settings
    project = project_of(settings)
    rows = [
        _part("Auth", "the desk's own passwords", lambda: _auth(project)),
        _part("REST", "not needed: the desk reads the database itself", lambda: _rest(project)),
        _part("Realtime", "polling every second or two", lambda: _realtime(settings)),
        _part("Storage", "files stay on this machine", lambda: _storage(project)),
        _part("Functions", "the desk's own notifier", lambda: _function(project)),
    ]
    show({"items": rows, "as_of": SystemClock().wall_now()}, as_json)
    return 0 if all(row["ok"] for row in rows) else FAILED


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="파일 · the file")], as_json: AsJson = False
) -> None:
    """파일을 Storage에 · Put a file into the project's private bucket; prints a link for a week."""
    settings = open_desk().wiring.settings
    show_upload(settings, files.REPORTS, file, as_json)


@app.command()
def alerts(as_json: AsJson = False) -> None:
    """긴급 알림 함수에게 지금 확인하게 · Ask the urgent-alerts function to look now."""
    settings = open_desk().wiring.settings
    name = "LETSTRADE_WEBHOOK_SECRET"
    secret = settings.env.get(name, "")
    if not secret:
        raise ConfigError(f"{name} is not set", "the function takes signed calls only", "write it into .env")
    show(functions.look_now(settings, secret, SystemClock().wall_now()), as_json)


def show_upload(settings: Settings, folder: str, file: Path, as_json: bool) -> None:
    """Upload and tell where it is; the file stays on this machine whatever happens."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    done = files.upload(settings, folder, file.name, file.read_bytes(), kind)
    show({"file": str(file), "path": done.path, "bytes": done.bytes, "url": done.url}, as_json)


def _part(name: str, instead: str, ask: Callable[[], str]) -> dict[str, object]:
    try:
        return {"part": name, "ok": True, "text": ask(), "instead": ""}
    except TradingError as error:
        return {"part": name, "ok": False, "text": f"{error.what}: {error.why}", "instead": instead}


def _get(project: Project, part: str, path: str, key: str) -> httpx.Response:
    with asking(part, instead=_INSTEAD):
        answer = httpx.get(f"{project.url}{path}", headers={"apikey": key}, timeout=TIMEOUT_S)
        if answer.status_code >= 500:
            raise httpx.HTTPStatusError("failed", request=answer.request, response=answer)
    return answer


def _auth(project: Project) -> str:
    told = _get(project, "Auth", "/auth/v1/health", project.anon_key).json()
    return f"{told.get('name', 'Auth')} {told.get('version', '')}".strip()


def _rest(project: Project) -> str:
    with asking("REST", instead=_INSTEAD):
        rows = client(project, project.server_key).table("brokerage_accounts").select("id").limit(1).execute().data
    return f"answers, {len(rows)} row read"


def _storage(project: Project) -> str:
    with asking("Storage", instead=_INSTEAD):
        found = {one.id for one in client(project, project.server_key).storage.list_buckets()}
    return "bucket ready" if files.BUCKET in found else "no bucket yet: made with the first upload"


def _function(project: Project) -> str:
    answer = _get(project, "Functions", f"/functions/v1/{functions.URGENT}", project.anon_key)
    if answer.status_code == 404:
        raise ConfigError(f"{functions.URGENT} is not deployed", "404", "docs/supabase-proof.md says how")
    return "urgent-alerts answers"


def _realtime(settings: Settings) -> str:
    async def once() -> Changes:
        stop = asyncio.Event()
        changes = Changes(settings, CONSOLE_TABLES, stop.set)  # the first wake is the line itself
        task = asyncio.create_task(changes.run(stop))
        for _ in range(int((TIMEOUT_S + CONFIRMED_S) / 0.05)):
            if changes.line is not Line.OFF:
                break
            await asyncio.sleep(0.05)
        stop.set()
        await task
        return changes

    told = asyncio.run(once())
    if told.line is not Line.LIVE:
        raise ConfigError("Realtime tells nothing", told.why, _INSTEAD)
    return f"tells changes of {', '.join(CONSOLE_TABLES)}"
