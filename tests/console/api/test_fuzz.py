"""schemathesis reads our own OpenAPI description and tries what it allows; `make fuzz` much more, and what it does not.

The endless event stream is left out (tests/console/api/test_stream.py holds it), and so is the clock of the rate limit.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from console.api.app import api_routes
from console.gate import Gate
from console.services import tokens
from console.services.tokens import Scope
from shared.clock import SystemClock
from shared.models import Role
from tests.console.desks import Desk
from tests.console.served import free_port

BESIDE_US = Path(sys.executable).with_name("schemathesis")
TOOL = os.environ.get("SCHEMATHESIS") or (str(BESIDE_US) if BESIDE_US.exists() else shutil.which("schemathesis"))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))


class FastClock(SystemClock):
    """A thousand times as fast, so that the rate limit never stands in the way."""

    def monotonic(self) -> float:
        return super().monotonic() * 1000


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    wiring = replace(desk.wiring, clock=FastClock())
    app = Gate(Starlette(routes=api_routes(wiring)), wiring)
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    try:
        yield f"http://127.0.0.1:{server.config.port}"
    finally:
        server.should_exit = True
        thread.join(120)


def problems(desk: Desk, folder: Path, *how: str) -> str:
    """What schemathesis says when it finds anything; "" when it finds nothing."""
    token = tokens.add(desk.wiring, desk.actor(Role.ADMIN), desk.users[Role.ADMIN], "fuzz", list(Scope), days=1)[1]
    with serving(desk) as url:
        done = subprocess.run(
            [str(TOOL), "run", f"{url}/api/openapi.json", "--url", f"{url}/api", "-H", f"Authorization: Bearer {token}",
             "--exclude-path", "/v1/stream", "--seed", "8", "--continue-on-failure", "--suppress-health-check", "all", *how],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
    return "" if done.returncode == 0 else re.sub(re.escape(token), "***", done.stdout + done.stderr)[-12_000:]


@pytest.mark.skipif(TOOL is None, reason="no schemathesis: pip install -r requirements-dev.txt")
def test_a_short_look_finds_nothing(desk: Desk, tmp_path: Path) -> None:
    """Every route with a value that its description allows, and with one that it does not."""
    told = problems(desk, tmp_path, "-n", "1", "--phases", "fuzzing")
    assert not told, told


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.skipif(TOOL is None, reason="no schemathesis: pip install -r requirements-dev.txt")
def test_a_long_look_finds_nothing(desk: Desk, tmp_path: Path) -> None:
    told = problems(desk, tmp_path, "-n", str(EXAMPLES), "--phases", "examples,coverage,fuzzing,stateful")
    assert not told, told
