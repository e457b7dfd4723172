"""Every command that a document shows is executed: here on a desk of its own, or by the test that is named for it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from shared.domain.account import Environment
from tests.console.cli.terminal import Said, Terminal
from tests.test_docs import DOCUMENTS, commands

ROOT = Path(__file__).resolve().parent.parent
BY_OTHERS = {  # the beginning of a command → what executes it, or why nothing can here
    "make run": "tests/e2e/test_first_light.py: setup and supervisord as the target starts them",
    "make test": "this run",
    "make test-mock": "needs keys of a broker: tests/mock_hosts",
    "make down": "tests/e2e/test_supervision.py",
    "make doctor": "`doctor`, tests/console/cli/test_verbs.py",
    "make lint": "the commit hook",
    "make bench": "half an hour of the whole machine",
    "make chaos": "tests/chaos, its own hour",
    "make strangers": "fetches other people's clients",
    "make fuzz": "tests/console/api/test_fuzz.py",
    "make release": "tests/test_release.py",
    "python -m console.cli exchange": "tests/e2e/test_every_verb.py",
    "python -m console.cli telegram test": "tests/console/telegram/test_notifier.py: needs a Bot API server",
    "python -m console.cli account add": "tests/console/cli/test_accounts.py: keys from a file and the environment",
    "python -m console.cli account arm": "tests/console/cli/test_verbs.py",
    "python -m console.cli backup verify": "tests/console/cli/test_backup.py",
    "python -m console.cli backup restore": "tests/console/cli/test_backup.py",
    "python -m console.cli cloud": "tests/cloud/test_project.py",
    **{
        f"python -m console.cli {verb}": "tests/test_docs_research.py"
        for verb in ("rule list --presets", "rule validate", "data", "backtest")
    },
    "python -m console.cli db move": "tests/console/cli/test_verbs.py: to PostgreSQL",
}
AFTER = {  # the beginning of a command → of the one that makes what it speaks of
    "python -m console.cli token add reports@": "python -m console.cli user add reports@",
}
ALL = list(dict.fromkeys(line.removeprefix(".venv/bin/") for path in DOCUMENTS for line in commands(path)))
EXECUTED = [line for line in ALL if not any(line.startswith(head) for head in BY_OTHERS)]


def test_every_excuse_is_needed_and_names_a_test_that_is_there() -> None:
    unused = [head for head in BY_OTHERS if not any(line.startswith(head) for line in ALL)]
    named = [file for why in BY_OTHERS.values() for file in re.findall(r"tests/[\w/]+(?:\.py)?", why)]
    assert all((ROOT / file).exists() for file in named)
    assert not [head for head in unused if not head.startswith("make ")]


SHELL = {  # other first words of a line to copy → what executes the like, or why nothing can here
    "curl": "tests/console/api/test_rest.py and test_stream.py ask the same routes",
    "cp": "a file of the repository is copied for the reader to mend",
    "export": "the reader's own secret",
    "sudo": "needs root; unit and proxy files: tests/console/test_proxy.py",
    "cd": "needs root",
    "journalctl": "needs systemd",
    "docker": "no engine here; every step of the image: tests/test_image.py",
    "echo": "the reader's own host",
}


def shell_lines(path: Path) -> list[str]:
    """Lines of fenced blocks without a language, or of sh."""
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md", "CONTRIBUTING.md", "docs/api.md", "docs/deploy.md",
                                  "docs/operations.md", "docs/security.md", "docs/telegram.md", "docs/supabase.md", "docs/scale.md",
                                  "docs/wire.md", "docs/adding-a-broker.md", "docs/cli.md", "docs/research.md"])  # fmt: skip
def test_every_line_to_copy_is_known(name: str) -> None:
    known = {*SHELL, "make", "python", ".venv/bin/python"}
    assert not [line for line in shell_lines(ROOT / name) if line.split()[0] not in known]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A desk with what the documents speak of: their account, person, rule, alert."""
    home = tmp_path_factory.mktemp("documents") / "home"
    terminal = Terminal(home)
    terminal.set_up()
    terminal.add("데모 미국주식 KIS", Environment.SIM)
    terminal.json("user", "add", "admin@localhost", "--role", "Admin")
    terminal.json("rule", "add", "bots/rules/presets/demo_us_rsi.yaml", "--account", "1", "--symbols", "AAPL")
    from shared.db import writing
    from shared.store.alerts import raise_alert

    with writing(terminal.engine) as session:
        now = terminal.wiring().clock.wall_now()
        raise_alert(session, now, kind="FILL", severity="info", dedup_key="x", params={})
    return terminal


@pytest.fixture(scope="module")
def done() -> dict[str, Said]:
    """What was run on the desk of this module, and what it said."""
    return {}


@pytest.mark.parametrize("line", EXECUTED)
def test_a_command_of_the_documents_does_what_it_says(
    shown: Terminal, done: dict[str, Said], line: str, tmp_path: Path
) -> None:
    for head, before in AFTER.items():  # whatever the order, and whichever worker has the other one
        if line.startswith(head):
            _run(shown, done, next(one for one in EXECUTED if one.startswith(before)), tmp_path)
    said = _run(shown, done, line, tmp_path)
    assert said.code == 0, said


def _run(shown: Terminal, done: dict[str, Said], line: str, tmp_path: Path) -> Said:
    if line in done:
        return done[line]
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "console.cli"], "execute it here or name in BY_OTHERS what does"
    verb = [str(tmp_path / word) if word in {"FILE", "audit.jsonl"} else word for word in words[3:]]
    if verb == ["support-bundle"]:
        verb += ["--to", str(tmp_path / "bundle.zip")]
    done[line] = shown.run(*verb, "--json")
    return done[line]


def test_the_documents_are_really_read() -> None:
    assert len(ALL) > 20 and len(EXECUTED) > 10
