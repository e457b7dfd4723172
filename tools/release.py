"""`make release`: tag what stands here. Refuses a dirty tree, a version without its changelog, a tag that exists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def notes(changelog: str, version: str) -> str:
    """The changelog's section of a version, without its heading; "" when there is none."""
    found = re.search(rf"^## {re.escape(version)}\b[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    return found.group(1).strip() if found else ""


def refusal(root: Path, version: str, told: str) -> str:
    """Why it cannot be released, with what to do; "" when it can."""
    if git(root, "status", "--porcelain"):
        return "the tree has changes that are not committed: commit or put them away"
    if not told:
        return f"CHANGELOG.md has no section `## {version}`: rename Unreleased, and begin a new one above"
    if f"v{version}" in git(root, "tag", "--list").split():
        return f"v{version} is tagged already: raise `version` in pyproject.toml"
    return ""


def release(root: Path) -> int:
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    told = notes((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    if why := refusal(root, version, told):
        sys.stderr.write(f"✗ {why}\n")
        return 1
    git(root, "tag", "--annotate", f"v{version}", "--message", f"LetsTrade {version}\n\n{told}", "--cleanup=verbatim")
    sys.stdout.write(f"v{version}\n{told}\n\ngit push origin v{version}\n")
    return 0


if __name__ == "__main__":
    sys.exit(release(Path(__file__).resolve().parent.parent))
