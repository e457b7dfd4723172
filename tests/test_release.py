"""`make release` in a repository of its own: the tag carries the changelog, and every doubt is refused by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.config import ROOT

CHANGELOG = "# Changes\n\n## Unreleased\n- later\n\n## 0.2.0\n- one thing\n- another\n\n## 0.1.0\n- first\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "release.py").write_bytes((ROOT / "tools" / "release.py").read_bytes())
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG, encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.email", "t@desk.local")
    git(tmp_path, "config", "user.name", "t")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "all")
    return tmp_path


def git(where: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=where, check=True, capture_output=True, text=True).stdout


def run(repo: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "tools/release.py"], cwd=repo, capture_output=True, text=True)


def test_the_tag_is_annotated_with_the_section_of_its_version(repo: Path) -> None:
    assert run(repo).returncode == 0
    assert git(repo, "cat-file", "-t", "v0.2.0").strip() == "tag"
    told = git(repo, "tag", "-l", "--format=%(contents)", "v0.2.0")
    assert told.startswith("LetsTrade 0.2.0\n\n- one thing\n- another") and "later" not in told and "first" not in told


def test_a_doubt_is_refused_and_leaves_no_tag(repo: Path) -> None:
    (repo / "CHANGELOG.md").write_text(CHANGELOG.replace("## 0.2.0", "## 0.3.0"), encoding="utf-8")
    dirty = run(repo)
    assert dirty.returncode == 1 and "not committed" in dirty.stderr
    git(repo, "commit", "-qam", "other")
    missing = run(repo)
    assert missing.returncode == 1 and "0.2.0" in missing.stderr and git(repo, "tag") == ""
    git(repo, "revert", "--no-edit", "HEAD")
    assert (run(repo).returncode, run(repo).returncode) == (0, 1)
