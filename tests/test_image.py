"""Dockerfile and compose.yaml: no container engine is here, so the file's own steps are executed in an empty folder.

The long one: python -m pytest -m soak tests/test_image.py
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import httpx
import pytest
import yaml

from shared.config import ROOT
from tests.console.served import free_port

LEFT_OUT = {  # steps that need root or a package mirror → why they are not executed here
    "apt-get": "the base system's packages",
    "useradd": "a user of the image",
}


@dataclass(frozen=True, slots=True)
class Step:
    word: str
    text: str


def steps(path: Path = ROOT / "Dockerfile") -> list[Step]:
    joined = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8"))
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [Step(*line.split(" ", 1)) for line in lines]


def copied() -> set[str]:
    return {part.rstrip("/") for step in steps() if step.word == "COPY" for part in step.text.split()[:-1]}


def test_the_image_holds_what_the_desk_needs_and_no_secret() -> None:
    assert {"shared", "brokers", "bots", "console", "supervisord.conf", "alembic.ini", "requirements.txt"} <= copied()
    assert all((ROOT / name).exists() for name in copied())
    hidden = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "var", ".git", ".venv"} <= set(hidden) and not copied() & {".env", "var", "."}


def test_the_image_runs_as_nobody_special_and_starts_what_make_run_starts() -> None:
    found = {step.word: step.text for step in steps()}
    assert found["USER"] == "desk" and found["VOLUME"] == "/desk/var"
    shell, flag, line = json.loads(found["CMD"])
    assert (shell, flag) == ("sh", "-c")
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    for part in line.replace("exec ", "").split(" && "):
        assert part.replace(".venv/bin/", "$(BIN)/") in make


def test_compose_asks_for_the_password_and_keeps_what_must_last() -> None:
    told = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    desk, store = told["services"]["desk"], told["services"]["store"]
    assert "DESK_DB_PASSWORD:?" in store["environment"]["POSTGRES_PASSWORD"]
    volumes = {one.split(":")[0]: one.split(":")[1] for service in (desk, store) for one in service["volumes"]}
    assert set(volumes) == set(told["volumes"]) and volumes["desk"] == "/desk/var"
    assert desk["depends_on"]["store"]["condition"] == "service_healthy" and desk["build"] == "."
    assert "127.0.0.1" in " ".join(store["command"])


def execute(step: Step, desk: Path) -> None:
    if step.word == "COPY":
        *names, _target = step.text.split()
        hidden = [one.removeprefix("**/") for one in (ROOT / ".dockerignore").read_text(encoding="utf-8").split()]
        for name in names:
            source, target = ROOT / name, desk / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=lambda _, inside: [n for n in inside if _matches(n, hidden)])
            else:
                shutil.copy2(source, target)
    elif step.word == "RUN" and not any(word in step.text for word in LEFT_OUT):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("LETSTRADE", "DATABASE"))}
        done = subprocess.run(["sh", "-c", step.text], cwd=desk, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, f"{step.text}\n{done.stderr[-2000:]}"


def _matches(name: str, hidden: list[str]) -> bool:
    return any(fnmatch(name, one) for one in hidden)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_steps_build_a_desk_that_serves_and_stops(tmp_path: Path) -> None:
    """Every COPY and RUN in an empty folder, with packages from the registry; then CMD, the health check, SIGTERM."""
    desk = tmp_path / "desk"
    desk.mkdir()
    made = steps()
    for step in made:
        execute(step, desk)
    (desk / "var").mkdir(exist_ok=True)
    command = json.loads(next(step.text for step in made if step.word == "CMD"))
    check = next(step.text for step in made if step.word == "HEALTHCHECK").split(" CMD ", 1)[1]
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LETSTRADE", "DATABASE"))}
    env = {**clean, "LETSTRADE_PORT": str(port), "LETSTRADE_EXCHANGE_PORT_OFFSET": "2850"}
    with (tmp_path / "run.log").open("wb") as log:
        running = subprocess.Popen(command, cwd=desk, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        _healthy(port, running)
        words = [part.replace("8501", str(port)) for part in json.loads(check)]
        assert subprocess.run(words, cwd=desk, env=env).returncode == 0
    finally:
        running.send_signal(signal.SIGTERM)
        code = running.wait(120)
    assert code == 0, (tmp_path / "run.log").read_text(errors="replace")[-2000:]


def _healthy(port: int, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        assert running.poll() is None, "the container's command ended"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise AssertionError("not healthy")


def test_what_is_not_executed_is_listed_with_its_reason() -> None:
    skipped = [step.text for step in steps() if step.word == "RUN" and any(word in step.text for word in LEFT_OUT)]
    assert len(skipped) == len(LEFT_OUT) and all(shlex.split(one) for one in skipped)
