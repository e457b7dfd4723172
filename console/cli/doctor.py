"""`doctor`: what is right, what is not, and what to do about it."""

from __future__ import annotations

import getpass
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

import httpx
from sqlalchemy.exc import SQLAlchemyError

from console import wiring
from console.cli.output import FAILED, AsJson, show, tell
from console.services import trail_check
from console.services.permissions import Actor
from shared import crypto, schema
from shared.clock import SystemClock
from shared.config import EXCHANGE_PORTS, Settings, load_settings
from shared.db import open_engine, reading
from shared.domain.errors import ConfigError
from shared.models import Role
from shared.store import accounts, heartbeats
from shared.store import secrets as sealed

SILENT = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `ok`, or what is wrong and what to do now. `needed`: the desk cannot run without it."""

    check: str
    ok: bool
    text: str
    now: str = ""
    needed: bool = True


def doctor(as_json: AsJson = False) -> int:
    """Check this machine: Python, settings, keys, database, ports, programs, bots."""
    findings = list(examine())
    healthy = all(one.ok for one in findings if one.needed)
    if as_json:
        show({"ok": healthy, "items": [asdict(one) for one in findings], "as_of": SystemClock().wall_now()}, True)
    else:
        for one in findings:
            tell(
                f"{'✓' if one.ok else '✗' if one.needed else '–'} {one.check}: {one.text}"
                + (f"  → {one.now}" if one.now else "")
            )
    return 0 if healthy else FAILED


def examine() -> Iterator[Finding]:
    """Run every check that can run; one that fails does not hide the next."""
    yield Finding(
        "python",
        sys.version_info >= (3, 11),
        sys.version.split()[0],
        "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer",
    )
    try:
        settings = load_settings()
    except ConfigError as error:
        yield _failed("settings", error)
        return
    yield Finding("settings", True, f"home {settings.home}")
    free_gb = shutil.disk_usage(settings.home if settings.home.exists() else settings.home.parent).free / 1e9
    yield Finding(
        "disk",
        free_gb > 1,
        f"{free_gb:.1f} GB free",
        "" if free_gb > 1 else "free some space: journals must be writable",
    )
    yield _checked("keys", lambda: _keys(settings))
    yield _checked("database", lambda: _database(settings))
    yield _checked("audit trail", lambda: _trail(settings))
    yield from _ports(settings)
    yield from _bots(settings)
    yield from _row_security(settings)
    yield from _realtime(settings)
    yield from _supabase(settings)
    yield Finding(
        "telegram",
        settings.telegram_token is not None,
        "token set" if settings.telegram_token else "no TELEGRAM_BOT_TOKEN: alerts stay on the screen",
        needed=False,
    )
    outside = settings.outside_alarm is not None
    yield Finding(
        "outside alarm",
        outside,
        "told each minute that this machine lives" if outside else "nobody tells you when this machine itself stops",
        "" if outside else "set LETSTRADE_OUTSIDE_ALARM_URL (docs/operations.md)",
        needed=False,
    )


def _keys(settings: Settings) -> str:
    wrapped = settings.kek.partition(":")[0]
    told = f"wrapped by {wrapped}" if wrapped else "in its file as it is"
    return f"master key {crypto.load_private(settings).current().key_id.hex()}, {told}"


def _database(settings: Settings) -> str:
    engine = open_engine(settings.database_url)
    try:
        schema.require_current(engine)
        with reading(engine) as session:
            planted = sealed.canary(session)
            if planted is None:
                raise ConfigError("the store has no key canary", "setup has not finished", "run `letstrade setup`")
            ring = crypto.load_private(settings)
            crypto.check_canary(ring, planted)
            closed = sealed.unreadable(session, ring)
        if closed:
            raise ConfigError(
                f"{len(closed)} sealed fields do not open",
                ", ".join(closed[:5]),
                "restore the master key file from its backup, or enter the keys of these accounts again",
            )
    except SQLAlchemyError as error:
        raise ConfigError(
            "the database does not answer", type(error).__name__, "check DATABASE_URL or SUPABASE_DB_URL"
        ) from error
    return f"{engine.dialect.name} at revision {schema.head()}, canary and every sealed field open"


def _row_security(settings: Settings) -> Iterator[Finding]:
    """A project is not ready while one table of it is open to a key."""
    try:
        gaps = schema.row_security_gaps(open_engine(settings.database_url))
    except SQLAlchemyError:
        return  # said above by name
    if gaps is None:
        return
    text = "every table is under row-level security" if not gaps else "; ".join(gaps[:5])
    more = f" (+{len(gaps) - 5})" if len(gaps) > 5 else ""
    yield Finding("row security", not gaps, text + more, "run `letstrade db upgrade`" if gaps else "")


def _realtime(settings: Settings) -> Iterator[Finding]:
    """A project tells changes only of the tables in its publication; of the others everybody polls."""
    if settings.supabase_project_url is None:
        return
    try:
        untold = schema.untold_changes(open_engine(settings.database_url))
    except SQLAlchemyError:
        return  # said above by name
    if untold is not None:
        text = f"changes are not told: {', '.join(untold)}" if untold else "changes are told at once"
        yield Finding("realtime", not untold, text, "run `letstrade db upgrade`" if untold else "", needed=False)


def _trail(settings: Settings) -> str:
    """The chain of the audit trail, from its first row to its last."""
    try:
        wired = wiring.wire(settings)
        found = trail_check.verify(wired, Actor(None, Role.ADMIN, "cli", getpass.getuser()))
    except SQLAlchemyError as error:
        raise ConfigError("the audit trail cannot be read", type(error).__name__, "see the database above") from error
    if not found.ok:
        raise ConfigError(
            f"the audit trail is broken at row {found.broken_at}",
            "a row was changed, taken out or put in behind the desk's back",
            "letstrade audit export --to trail.jsonl, compare it with the last backup, and find out who had the database",
        )
    return f"{found.rows} rows, each follows from the one before"


def _supabase(settings: Settings) -> Iterator[Finding]:
    """A stranger with the public key must see nothing: a table he can read has no row-level security."""
    if settings.supabase_project_url is None or settings.supabase_anon_key is None:
        yield Finding("supabase", False, "no SUPABASE_PROJECT_URL and SUPABASE_ANON_KEY: not used", needed=False)
        return
    from supabase import PostgrestAPIError, create_client

    try:
        client = create_client(settings.supabase_project_url, settings.supabase_anon_key)
        rows = client.table("api_credentials").select("id").limit(1).execute().data
    except PostgrestAPIError as error:
        yield Finding("supabase", True, f"reached; the public key reads nothing ({error.code})")
    except (httpx.HTTPError, ValueError) as error:
        yield Finding(
            "supabase", False, f"cannot be reached: {type(error).__name__}", "check SUPABASE_PROJECT_URL and key"
        )
    else:
        mend = "enable row-level security on every table"
        yield Finding(
            "supabase",
            not rows,
            "the public key reads nothing" if not rows else "the public key reads credentials",
            "" if not rows else mend,
        )


def _ports(settings: Settings) -> Iterator[Finding]:
    for name, port in {"console": settings.port, **{n: settings.exchange_port(n) for n in EXCHANGE_PORTS}}.items():
        with socket.socket() as probe:
            probe.settimeout(0.3)
            up = probe.connect_ex(("127.0.0.1", port)) == 0
        yield Finding(
            f"port {port} ({name})",
            up,
            "answers" if up else "nothing listens",
            "" if up else "`make run`",
            needed=False,
        )


def _bots(settings: Settings) -> Iterator[Finding]:
    try:
        wired = wiring.wire(settings)
        with reading(wired.engine) as session:
            beats = {beat.account_id: beat for beat in heartbeats.all_beats(session)}
            rows = [
                (row.id or 0, row.nickname, row.enabled, row.health_status) for row in accounts.live_accounts(session)
            ]
    except (ConfigError, SQLAlchemyError):
        return  # said above by name
    now = SystemClock().wall_now()
    for account_id, nickname, enabled, health in rows:
        beat = beats.get(account_id)
        silent = beat is None or now - beat.at > SILENT
        text = (
            health
            if not enabled
            else "no heartbeat"
            if beat is None
            else f"{beat.state}, {(now - beat.at).total_seconds():.0f} s ago"
        )
        wrong = enabled and silent
        yield Finding(
            f"bot-{account_id} {nickname}", not wrong, text, "`make run`, then its log" if wrong else "", needed=False
        )


def _checked(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except ConfigError as error:
        return _failed(name, error)


def _failed(name: str, error: ConfigError) -> Finding:
    return Finding(name, False, f"{error.what}: {error.why}", error.now)
