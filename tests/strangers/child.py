"""Runs a piece of code beside a stranger's client in a process of its own, so that nothing of it meets ours.

The code prints one JSON object per line for what it found out; every other line is the client's own talk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.strangers.contract import Json

MARK = "@@"


def run_child(script: Path, given: Json, *, path: list[Path], cwd: Path, timeout_s: float = 180) -> list[Json]:
    """Run `script` with `given` as JSON in argv[1]; return the objects it reported, `{"error": …}` last if it died."""
    cwd.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONUNBUFFERED": "1", "HOME": str(cwd)}
    env["TZ"] = "Asia/Seoul"  # where their users are: several take the machine's day for the broker's
    command = [sys.executable, str(script), json.dumps(given)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=timeout_s, cwd=cwd, env=env)
        out, err, code = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as e:
        out, err, code = e.stdout or b"", e.stderr or b"", -1
    (cwd / f"{script.stem}.log").write_bytes(out + b"\n--- stderr\n" + err)
    lines = [line for line in out.decode(errors="replace").splitlines() if line.startswith(MARK)]
    found = [json.loads(line.removeprefix(MARK)) for line in lines]
    if code != 0:
        last = err.decode(errors="replace").strip().splitlines()[-1:] or ["timed out" if code == -1 else "no output"]
        found.append({"error": last[0]})
    return found
