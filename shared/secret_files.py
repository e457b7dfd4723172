"""Files that hold a secret: written whole or not at all, for their owner only; refused when others can read them."""

from __future__ import annotations

import os
from pathlib import Path

from shared.domain.errors import ConfigError


def write_secret_file(path: Path, text: str) -> None:
    """Write atomically with mode 0600 in a 0700 folder."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name survives a power cut before anything is sealed under the new key
    finally:
        os.close(folder)


def read_secret_file(path: Path) -> str:
    """The file's text without surrounding blanks.

    Raises:
        ConfigError: it is missing, or its mode lets others read it.
    """
    try:
        mode = path.stat().st_mode
        if mode & 0o077:
            raise ConfigError(
                f"{path.name} can be read by others",
                f"its mode is {mode & 0o777:o}",
                f"chmod 600 {path.name} and start again",
            )
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path.name} is missing", "setup has not run here", "run `make run` or `letstrade setup`"
        ) from error
