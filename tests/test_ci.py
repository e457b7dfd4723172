"""CI proves what a clean clone proves here: the workflow installs what `.ci/run` installs, then runs the same target."""

from __future__ import annotations

import re

from tests.references import ROOT

OF_THE_RELEASE = r"postgresql-(?:\d+|\$major)-"  # which PostgreSQL the distribution has
HERE_ONLY = {"npm"}  # the hosted machine has it


def installed(text: str) -> set[str]:
    """Packages of apt and npm, whatever the release calls them."""
    named = re.findall(r"apt-get install -y -qq ([^>&\n]+)", text)
    named += re.findall(r"npm install .*?--prefix \S+ (\S+@[\d.]+)", text)
    words = {word.strip('"') for one in named for word in one.split() if not word.startswith("--")}
    return {re.sub(OF_THE_RELEASE, "", word).replace("chromium-browser", "chromium") for word in words} - HERE_ONLY


def test_the_workflow_installs_what_ci_run_installs_and_runs_the_same_tests() -> None:
    ours = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (workflow,) = (ROOT / ".github" / "workflows").glob("*.yml")
    theirs = workflow.read_text(encoding="utf-8")
    assert len(installed(ours)) > 8 and installed(ours) == installed(theirs)
    assert "make test" in ours and "run: make test" in theirs
    assert ("LETSTRADE_DENO=" in ours) and ("LETSTRADE_DENO=" in theirs)
