"""Kill files: the level of a host or an account as a file, which works with console, database and network down.

`echo HALT > $LETSTRADE_HOME/kill` stops every bot of the host; a bare `touch` does too.
"""

from __future__ import annotations

from pathlib import Path

from shared.domain.bot_state import KillLevel


def level_in(path: Path) -> KillLevel:
    """Read a kill file. No file is RUN; one that cannot be read or understood is HALT: somebody meant to stop us."""
    try:
        text = path.read_text(encoding="utf-8").strip().upper()
    except FileNotFoundError:
        return KillLevel.RUN
    except (OSError, UnicodeDecodeError):
        return KillLevel.HALT
    word = text.split()[0] if text else ""
    return KillLevel[word] if word in KillLevel.__members__ else KillLevel.HALT


def raise_file(path: Path, level: KillLevel, why: str) -> None:
    """Raise the file to `level`; one that stands higher stays. It survives restarts and only a person lowers it."""
    if level > level_in(path):
        _write(path, level, why)


def lower_file(path: Path, level: KillLevel, why: str) -> None:
    """Lower the file to `level`; RUN removes it."""
    if level_in(path) <= level:
        return
    if level is KillLevel.RUN:
        path.unlink(missing_ok=True)
    else:
        _write(path, level, why)


def _write(path: Path, level: KillLevel, why: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(f"{level.name} {why}\n", encoding="utf-8")
    fresh.replace(path)
