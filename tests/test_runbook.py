"""The runbook knows every alert: what, why, now, in the operator's language and in English."""

from __future__ import annotations

import re

import pytest

from shared.config import ROOT
from shared.wording.alerts import ADVICE, TEXTS

RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^### ([A-Z_]+) · [^\n]+\n(.*?)(?=^#|\Z)", RUNBOOK, re.M | re.S))


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_every_alert_has_an_entry_that_says_what_why_and_now(kind: str) -> None:
    entry = ENTRIES[kind]
    for head in ("무엇", "왜", "지금", "Now"):
        assert re.search(rf"^- \*\*{head}\*\* \S.{{3,}}$", entry, re.M), head


def test_every_alert_that_needs_a_hand_says_so_itself() -> None:
    quiet = {"FILL", "READY", "SIGNAL", "STOP_HIT"}
    assert set(TEXTS) - set(ADVICE) - quiet == set()
