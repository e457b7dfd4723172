"""What only a terminal has: --watch until Ctrl-C, progress bars, questions without echo, and the TAB key of three shells."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from shared.config import ROOT
from tests.console.cli.pseudo import Screen, screen
from tests.console.cli.terminal import OURS, Terminal

CLEAR, CTRL_C, ERASE = "\x1b[2J", "\x03", "\x15"
RULE = "bots/rules/presets/ma_cross.yaml"


def surroundings(terminal: Terminal) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**clean, **terminal.env, "PYTHONPATH": str(ROOT)}


@contextmanager
def typed(terminal: Terminal, *words: str, stdout: int | None = None) -> Iterator[Screen]:
    command = [sys.executable, "-m", "console.cli", *words]
    with screen(command, surroundings(terminal), ROOT, stdout=stdout) as one:
        yield one


def test_watching_shows_what_changed_again_and_again_until_ctrl_c(terminal: Terminal) -> None:
    with typed(terminal, "kill", "status", "--watch") as seen:
        seen.until(CLEAR, times=2)
        assert "RUN" in seen.text
        before = len(seen.text)
        terminal.json("kill", "raise", "HALT")
        seen.until("HALT", after=before)
        seen.press(CTRL_C)
        assert seen.end() == 0
    assert "Traceback" not in seen.text


def test_watching_into_a_pipe_is_one_document_a_line(terminal: Terminal) -> None:
    process = terminal.start("kill", "status", "--watch", "--json")
    assert process.stdout is not None
    try:
        found = [json.loads(process.stdout.readline()) for _ in range(2)]
    finally:
        process.terminate()
        process.communicate()
    assert [one["items"][0]["level"] for one in found] == ["RUN", "RUN"] and found[0]["as_of"] < found[1]["as_of"]


def bars(path: Path) -> str:
    rows = (f"{date(2025, 1, 1) + timedelta(days=n)},{100 + n % 9},{103 + n % 9},{98 + n % 9},{101 + n % 7},1000\n"
            for n in range(160))  # fmt: skip
    path.write_text("date,open,high,low,close,volume\n" + "".join(rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("verb", "said"), [("sweep", "combinations"), ("check", "checks")])
def test_long_work_tells_how_far_it_is_where_somebody_watches(
    verb: str, said: str, nowhere: Terminal, tmp_path: Path
) -> None:
    asked = ("backtest", verb, "--rule", RULE, "--symbol", "AAPL", "--market", "US", "--cash", "10000", "--data",
             bars(tmp_path / "bars.csv"))  # fmt: skip
    answer = tmp_path / "answer"
    with answer.open("wb") as file, typed(nowhere, *asked, stdout=file.fileno()) as seen:
        code = seen.end()
    assert code in {0, 1} and said in seen.text and "/" in seen.text  # a bar, "12/49"
    assert "━" in seen.text and "━" not in answer.read_text(), "the bar is a message, no part of the answer"
    with answer.open("wb") as file, typed(nowhere, *asked, "--json", stdout=file.fileno()) as quiet:
        quiet.end()
    assert quiet.text == "" and json.loads(answer.read_text())


def test_keys_are_asked_for_without_showing_them(terminal: Terminal) -> None:
    terminal.add("A1")
    with typed(terminal, "credential", "set", "A1", "--json") as seen:
        for field, value in (("app_key", "PSTYPEDAPPKEY0007"), ("app_secret", "TYPEDAPPSECRET0007zzzz"),
                             ("account_no", "77776666-01"), ("hts_id", "")):  # fmt: skip
            seen.until(f"{field}: ")
            seen.press(value + "\r")
        assert seen.end() == 0
    assert '"last4": "6666"' in seen.text
    assert not [word for word in ("PSTYPED", "TYPEDAPP", "77776666") if word in seen.text]


SHELLS = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_completes_nouns_verbs_and_options(shell: str, terminal: Terminal, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell}: apt install {shell}")
    script = tmp_path / "completion"
    script.write_text(terminal.run("completion", shell).out)
    at_home = {**surroundings(terminal), "HOME": str(tmp_path), "PS1": "$ ", "INPUTRC": "/dev/null"}
    with screen([program, *SHELLS[shell]], at_home, tmp_path) as seen:
        seen.press(f"source {shlex.quote(str(script))}; echo rea''dy\r")
        seen.until("ready")
        for keys, line in (
            ("letstrade cred\t", "letstrade credential "),
            ("letstrade kill low\t", "letstrade kill lower "),
            ("letstrade order list --wa\t", "letstrade order list --watch"),
            ("letstrade support-bundle --t\t", "letstrade support-bundle --to"),
        ):
            before = len(seen.text)
            seen.press(keys)
            seen.until(line.removeprefix(keys.rstrip("\t")), after=before)
            seen.press(ERASE)
        before = len(seen.text)
        seen.press("letstrade kill status --json\r")  # the script made it a command
        assert '"level": "RUN"' in seen.until("as_of", after=before)
