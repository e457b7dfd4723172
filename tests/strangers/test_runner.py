"""The strangers' runner itself, without a stranger: what counts as exercised and as passed, and how a client is skipped."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.strangers import __main__ as runner
from tests.strangers import sources
from tests.strangers.child import run_child
from tests.strangers.contract import CallResult, Unavailable
from tests.strangers.truth import is_, judge


def test_a_call_that_did_not_raise_is_exercised_and_one_that_is_true_is_passed() -> None:
    reports = [{"call": "a", "got": 1}, {"call": "b", "got": 2}, {"call": "c", "error": "ValueError: no"}]
    found = judge(reports, {name: is_(1) for name in "abcd"})
    assert [(one.call, one.exercised, one.passed) for one in found] == [
        ("a", True, True),
        ("b", True, False),
        ("c", False, False),
        ("d", False, False),
    ]
    assert found[3].detail == "it was never reported"


def test_what_nobody_checks_is_exercised_at_best() -> None:
    assert judge([{"call": "a", "got": 1}], {}) == [CallResult("a", True, False, "nothing to compare with")]


def test_a_check_that_cannot_read_the_answer_fails_the_call() -> None:
    (one,) = judge([{"call": "a", "got": "x"}], {"a": lambda got: str(int(got))})
    assert (one.exercised, one.passed) == (True, False)


def test_a_childs_reports_are_read_between_its_own_talk(tmp_path: Path) -> None:
    script = tmp_path / "talks.py"
    script.write_text('import sys\nprint("hello")\nprint("@@" + sys.argv[1])\nraise SystemExit("broken")')
    found = run_child(script, {"call": "a", "got": 3}, path=[], cwd=tmp_path / "home")
    assert found == [{"call": "a", "got": 3}, {"error": "broken"}]


def test_without_network_and_cache_a_client_is_unavailable_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("STRANGERS_SOURCE", str(tmp_path))
    (tmp_path / "nothing").mkdir()  # a source folder without wheels: the index is not asked
    with pytest.raises(Unavailable, match="nothing: neither network nor cache"):
        sources.package("nothing", "no-such-package-here")
    with pytest.raises(Unavailable, match="clone"):
        sources.repository("clone", str(tmp_path / "not-a-repository"))


async def test_a_skipped_client_does_not_fail_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def results(module: Any, home: Path, used: object) -> list[CallResult]:
        if module.NAME == "away":
            raise Unavailable("neither network nor cache")
        return [CallResult("a", True, module.NAME == "good")]

    monkeypatch.setattr(runner, "run_one", results)
    for names, code in ((["good", "away"], 0), (["good", "bad"], 1)):
        monkeypatch.setattr(runner, "modules", lambda _, names=names: [SimpleNamespace(NAME=name) for name in names])
        assert await runner.main([]) == code
    assert "skipped: neither network nor cache" in capsys.readouterr().out


def test_every_client_module_keeps_the_interface() -> None:
    found = runner.modules([])
    assert {"tests.strangers.kis_mojito", "tests.strangers.kis_official"} <= {module.__name__ for module in found}
    for module in found:
        assert isinstance(module.NAME, str) and callable(module.run)
    assert json.dumps([module.NAME for module in found])
