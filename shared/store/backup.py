"""A desk in a folder: the store, the keys under a passphrase, the few files beside them; proven before it is trusted.

    store.db | store.pgdump | store.jsonl.gz    SQLite's online backup · pg_dump · our own dump where there is no pg_dump
    keys.box                                    the key files and .env, AES-256-GCM under scrypt of a passphrase
    files.json                                  kill files and calendar overrides
    manifest.json                               what stands above: sizes, SHA-256, rows per table, schema, moment

Journals are not in it: a live one is its bot's alone, and a bot rebuilds from the store and from its broker.
`backup create` and the desk's job of each morning write the same thing, under LETSTRADE_HOME/backups.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, func, inspect, select, text
from sqlmodel import SQLModel

from shared import schema
from shared.config import ROOT, Settings
from shared.domain.errors import ConfigError, Conflict
from shared.secret_files import write_secret_file
from shared.store import transfer

FORMAT = "letstrade-desk-1"
STORES = {"sqlite": "store.db", "pg_dump": "store.pgdump", "rows": "store.jsonl.gz"}
KEYS, FILES, MANIFEST = "keys.box", "files.json", "manifest.json"
_SALT, _NONCE = 16, 12
_SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 2**20, "dklen": 32}
SCHEMAS = ("public", "desk", "letstrade")  # the tables; what policies ask; urgent alerts (supabase/migrations)
KEPT = ("kill", "calendar_overrides.csv")  # of LETSTRADE_HOME; and each account's kill file
PASSPHRASE = "LETSTRADE_BACKUP_PASSPHRASE"  # pragma: allowlist secret
PLACE = "backups"  # folder under LETSTRADE_HOME
_NIGHTLY, _OF_BEFORE = "nightly-", "letstrade-"  # the latter: single files, as earlier versions copied the store


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    format: str
    at: str
    kind: str  # a key of STORES
    dialect: str
    revision: str
    rows: dict[str, int]
    files: dict[str, str] = field(default_factory=dict)  # name → SHA-256
    keys: bool = False

    @property
    def store(self) -> str:
        return STORES[self.kind]


def create(settings: Settings, engine: Engine, folder: Path, now: datetime, passphrase: str | None) -> Manifest:
    """Write a backup beside a running desk into a new folder (mode 0700); without a passphrase the keys are left out.

    Raises:
        Conflict: the folder is there and not empty.
    """
    schema.require_current(engine)
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty", "a backup is never mixed with another", "name a new folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kind, rows = _dump(engine, folder)
    write_secret_file(folder / FILES, json.dumps(_files(settings.home)))
    if passphrase:
        write_secret_file(folder / KEYS, _close(json.dumps(_key_files(settings)).encode(), passphrase))
    names = [STORES[kind], FILES, *([KEYS] if passphrase else [])]
    for name in names:
        (folder / name).chmod(0o600)
    hashes = {name: _hash(folder / name) for name in names}
    made = Manifest(
        FORMAT, now.isoformat(), kind, engine.dialect.name, schema.head(), rows, hashes, passphrase is not None
    )
    write_secret_file(folder / MANIFEST, json.dumps(asdict(made), indent=1) + "\n")  # last: without it there is none
    return made


def by_hand(home: Path, now: datetime) -> Path:
    """Where a backup goes that a person asks for; such a one is never removed by the desk."""
    return home / PLACE / now.strftime("%Y%m%dT%H%M%SZ")


def nightly(home: Path, now: datetime) -> Path:
    """Where the desk's own backup goes."""
    return home / PLACE / now.strftime(f"{_NIGHTLY}%Y%m%dT%H%M%SZ")


def prune(home: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` of the desk's own backups; return those that went. A person's stay."""
    place = home / PLACE
    found = [*sorted(place.glob(f"{_OF_BEFORE}*")), *sorted(place.glob(f"{_NIGHTLY}*"))]
    gone = found[: max(len(found) - keep, 0)]
    for one in gone:
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()
    return gone


def verify(folder: Path, passphrase: str | None = None) -> Manifest:
    """Prove that a backup can be used: every byte as written, the store readable with the rows it should have.

    With the passphrase the keys are opened too.

    Raises:
        ConfigError: what is wrong, by file.
    """
    made = _read_manifest(folder)
    for name, wanted in made.files.items():
        if not (folder / name).exists() or _hash(folder / name) != wanted:
            raise _broken(name, "missing or not as it was written")
    if made.kind == "sqlite":
        found = _sqlite_rows(folder / made.store, made.rows)
    elif made.kind == "rows":
        found = transfer.count(folder / made.store)
    else:
        listed = _run(["pg_restore", "--list", str(folder / made.store)], {})
        found = {name: made.rows[name] for name in made.rows if f" TABLE DATA public {name} " in listed}
    if {n: c for n, c in found.items() if c} != {n: c for n, c in made.rows.items() if c}:
        raise _broken(made.store, "its tables do not hold the rows that were counted")
    if passphrase is not None and made.keys:
        _open_keys(folder, passphrase)
    return made


def restore(settings: Settings, engine: Engine, folder: Path, passphrase: str | None) -> Manifest:
    """Fill this empty machine: keys, store, files; a store of an earlier schema is brought to this program's.

    Raises:
        Conflict: this home or its database is in use. ConfigError: the backup cannot be used here.
    """
    made = verify(folder, passphrase)
    if engine.dialect.name != made.dialect and made.kind != "rows":
        raise ConfigError(
            "the backup is of another kind of database", f"{made.dialect}, here {engine.dialect.name}",
            "set DATABASE_URL accordingly, restore, then `letstrade db move`",
        )  # fmt: skip
    _require_empty(settings, engine)
    if made.keys and passphrase:
        _write_keys(settings, _open_keys(folder, passphrase))
    elif not settings.master_key_file.exists() and settings.master_key is None:
        raise ConfigError(
            "the keys are missing",
            "without them no sealed key opens",
            "give the passphrase, or put secrets/ here first",
        )
    if made.kind == "sqlite":
        _place_sqlite(engine, folder / made.store)
    elif made.kind == "pg_dump":
        _pg_restore(engine, folder / made.store)
    else:
        schema.upgrade(engine)
        transfer.load(engine, folder / made.store)
    schema.upgrade(engine)
    for name, body in json.loads((folder / FILES).read_text(encoding="utf-8")).items():
        write_secret_file(settings.home / name, body)
    return made


def _dump(engine: Engine, folder: Path) -> tuple[str, dict[str, int]]:
    """Write the store; returns how, and its rows per table as of the same moment."""
    if engine.dialect.name == "sqlite":
        target = folder / STORES["sqlite"]
        target.touch(mode=0o600)
        source = sqlite3.connect(str(engine.url.database), timeout=30)
        with closing(source), closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=-1)  # one read transaction: writers wait for it, a few milliseconds per MB
        return "sqlite", _sqlite_rows(target, dict.fromkeys(SQLModel.metadata.tables, 0))
    if shutil.which("pg_dump") is not None:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            rows = {
                table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
                for table in SQLModel.metadata.sorted_tables
            }
            named = [word for name in SCHEMAS for word in ("-n", name)]
            options = ["-Fc", "--no-owner", *named, f"--snapshot={snapshot}"]
            try:
                _run(["pg_dump", *options, "-f", str(folder / STORES["pg_dump"])], _libpq(engine))
                return "pg_dump", rows
            except ConfigError:  # an older pg_dump than the server, or a pooler between: our own dump goes through both
                (folder / STORES["pg_dump"]).unlink(missing_ok=True)
    return "rows", transfer.dump(engine, folder / STORES["rows"])


def _pg_restore(engine: Engine, dump: Path) -> None:
    """All or nothing. The schema public is there; the grants need the roles of a Supabase project."""
    with engine.connect() as connection:
        roles = connection.execute(text("SELECT count(*) FROM pg_roles WHERE rolname = 'authenticated'")).scalar_one()
    listed = _run(["pg_restore", "--list", str(dump)], {}).splitlines()
    wanted = [line for line in listed if not re.search(r" (SCHEMA|ACL|COMMENT) - (SCHEMA )?public ", line)]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as file:
        file.write("\n".join(wanted) + "\n")
        file.flush()
        options = ["--no-owner", "--exit-on-error", "--single-transaction", *([] if roles else ["--no-privileges"])]
        words = ["pg_restore", *options, "-L", file.name, "-d", str(engine.url.database), str(dump)]
        _run(words, _libpq(engine))


def _place_sqlite(engine: Engine, source: Path) -> None:
    target = Path(str(engine.url.database))
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine.dispose()
    partial = target.with_name(target.name + ".part")
    shutil.copyfile(source, partial)
    partial.chmod(0o600)
    partial.replace(target)


def _sqlite_rows(path: Path, tables: Mapping[str, int]) -> dict[str, int]:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            state = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if state != "ok":
                raise _broken(path.name, str(state))
            return {
                name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in sorted(tables)
            }
    except sqlite3.DatabaseError as error:
        raise _broken(path.name, str(error)) from error


def _require_empty(settings: Settings, engine: Engine) -> None:
    journals = list((settings.home / "accounts").glob("*/journal.db"))
    if journals:
        raise Conflict(
            "this home has traded", f"{len(journals)} journals in it", "restore into an empty LETSTRADE_HOME"
        )
    sqlite_file = engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists()
    if not sqlite_file and inspect(engine).get_table_names():
        raise Conflict("the database is not empty", "it has tables", "name an empty one in DATABASE_URL")


def _key_files(settings: Settings) -> dict[str, str]:
    found = {
        "master.key": settings.master_key_file,
        **{name: settings.home / "secrets" / name for name in ("lookup.key", "public.key")},
        ".env": ROOT / ".env",
    }
    return {name: path.read_text(encoding="utf-8") for name, path in found.items() if path.exists()}


def _write_keys(settings: Settings, files: Mapping[str, str]) -> None:
    targets = {"master.key": settings.master_key_file, ".env": settings.home / "restored.env"}
    for name, body in files.items():
        path = targets.get(name, settings.home / "secrets" / name)
        if path.exists() and path.read_text(encoding="utf-8").split() != body.split():
            raise Conflict(f"{path.name} is already here", "another desk's key stands there", "use an empty home")
        write_secret_file(path, body)


def _files(home: Path) -> dict[str, str]:
    paths = [home / name for name in KEPT] + list((home / "accounts").glob("*/kill"))
    return {str(one.relative_to(home)): one.read_text(encoding="utf-8") for one in paths if one.is_file()}


def _close(body: bytes, passphrase: str) -> str:
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    return base64.b64encode(
        salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, body, FORMAT.encode())
    ).decode()


def _open_keys(folder: Path, passphrase: str) -> dict[str, str]:
    try:
        raw = base64.b64decode((folder / KEYS).read_text(encoding="utf-8"))
        salt, nonce, box = raw[:_SALT], raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
        found: dict[str, str] = json.loads(AESGCM(_key(passphrase, salt)).decrypt(nonce, box, FORMAT.encode()))
    except (InvalidTag, ValueError) as error:
        raise ConfigError("the keys of the backup do not open", "another passphrase", "try the right one") from error
    return found


def _key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, **_SCRYPT)


def _read_manifest(folder: Path) -> Manifest:
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        made = Manifest(**told)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{folder} is not a backup", "its manifest.json is missing or damaged", "name another"
        ) from error
    if made.format != FORMAT or made.kind not in STORES:
        raise ConfigError(f"{folder} is not a backup we know", made.format, "restore with the version that wrote it")
    return made


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _libpq(engine: Engine) -> dict[str, str]:
    """The address as environment of PostgreSQL's own tools: a password in their arguments could be read by anyone."""
    url = engine.url
    given = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    options = {f"PG{name.upper()}": value for name, value in url.query.items() if name in ("sslmode", "sslrootcert")}
    named = {**given, "PGDATABASE": url.database, **options}
    return {name: str(value) for name, value in named.items() if value is not None}


def _run(words: list[str], env: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(words, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{words[0]} is missing", "this backup was made with it", "install postgresql-client"
        ) from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise ConfigError(f"{words[0]} failed", said[:300], "check the database and the tool's version")
    return done.stdout


def _broken(name: str, why: str) -> ConfigError:
    return ConfigError(f"the backup is damaged: {name}", why, "use another backup")
