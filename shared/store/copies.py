"""Safe copies of the whole store: a SQLite file by its online backup, anything else as a dump; proven before it counts."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from shared import schema
from shared.domain.errors import ConfigError
from shared.store import transfer

PREFIX = "letstrade-"
PAGES, PAUSE_S = 500, 0.02  # a copy leaves room for those who write


@dataclass(frozen=True, slots=True)
class Made:
    path: Path
    bytes: int
    rows: int


def make(engine: Engine, folder: Path, now: datetime) -> Made:
    """Copy the store into `folder` (0700, the file 0600) and prove that the copy can be read.

    Raises:
        ConfigError: the copy is not whole. It is removed.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sqlite = engine.url.get_backend_name() == "sqlite"
    path = folder / f"{PREFIX}{now:%Y%m%d-%H%M%S}{'.db' if sqlite else '.json.gz'}"
    copied = (
        _online(Path(engine.url.database or ""), path) if sqlite else _proven_dump(path, transfer.dump(engine, path))
    )
    return Made(path, path.stat().st_size, copied)


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` copies; return those that went."""
    old = sorted(folder.glob(f"{PREFIX}*"), reverse=True)[keep:]
    for path in old:
        path.unlink()
    return old


def newest(folder: Path) -> Path | None:
    return max(folder.glob(f"{PREFIX}*"), default=None)


def _online(source: Path, path: Path) -> int:
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as theirs,
        closing(sqlite3.connect(partial)) as ours,
    ):
        theirs.backup(ours, pages=PAGES, sleep=PAUSE_S)
    try:
        rows = _prove(partial)
    except ConfigError:
        partial.unlink()
        raise
    partial.replace(path)
    return rows


def _prove(path: Path) -> int:
    """Read the copy as a restore would: whole, of this schema, nothing pointing nowhere. Returns its rows."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            found = [row[0] for row in copy.execute("PRAGMA integrity_check")]
            loose = copy.execute("PRAGMA foreign_key_check").fetchone()
            revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()
            names = [row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = sum(int(copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names)
    except sqlite3.DatabaseError as error:
        raise _broken(path, str(error)) from error
    if found != ["ok"] or loose is not None or revision != (schema.head(),):
        raise _broken(path, f"integrity {found[:1]}, loose rows {loose}, schema {revision}")
    return rows


def _proven_dump(path: Path, counts: dict[str, int]) -> int:
    seen = dict.fromkeys(counts, 0)
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for name, _ in _lines(file):
                seen[name] += 1
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise _broken(path, str(error)) from error
    if seen != counts:
        raise _broken(path, "rows are missing")
    return sum(seen.values())


def _lines(file: Iterable[str]) -> Iterable[tuple[str, object]]:
    lines = iter(file)
    next(lines)  # the header
    return (tuple(json.loads(line)) for line in lines)


def _broken(path: Path, why: str) -> ConfigError:
    return ConfigError(
        "백업을 읽을 수 없습니다 · the backup cannot be read", f"{path.name}: {why}", "디스크를 보십시오"
    )
