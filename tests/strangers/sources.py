"""Where strangers' clients come from: fetched at test time into an ignored folder, never committed.

`STRANGERS_SOURCE` may name a folder that has them already: `<folder>/<name>` is a git repository for a cloned one, and
for a package a folder of wheels (`pip download`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.strangers.contract import ROOT, Unavailable

CACHE = ROOT / "var" / "strangers"
FETCH_S = 180


def package(name: str, *requirements: str) -> Path:
    """A folder for PYTHONPATH with a published package, and nothing else than what `requirements` names.

    Raises:
        Unavailable: neither cache, source folder nor package index has it.
    """
    target = CACHE / name
    if not (target / ".complete").exists():
        wheels = _source(name)
        where = ["--no-index", "--find-links", str(wheels)] if wheels else []
        _run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", *where,
              "--target", str(target), *requirements], name)  # fmt: skip
        (target / ".complete").touch()
    return target


def repository(name: str, url: str) -> Path:
    """A clone of a public git repository; `STRANGERS_SOURCE/<name>` stands for the url when it exists.

    Raises:
        Unavailable: it can be cloned from nowhere.
    """
    target = CACHE / name
    if not (target / ".git").exists():
        _run(["git", "clone", "-q", "--depth", "1", str(_source(name) or url), str(target)], name)
    return target


def _source(name: str) -> Path | None:
    folder = os.environ.get("STRANGERS_SOURCE")
    found = Path(folder) / name if folder else None
    return found if found is not None and found.exists() else None


def _run(command: list[str], name: str) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, timeout=FETCH_S, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Unavailable(f"{name}: {type(e).__name__}") from e
    if done.returncode != 0:
        last = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise Unavailable(f"{name}: neither network nor cache ({last[0][:160]})")
