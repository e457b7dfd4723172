"""Help leads somewhere: each page's guide exists, and the guides' links stay in the console or lead out of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from console.components.help import _GUIDE_OF, GUIDES
from shared.models import Role
from shared.words import WORDS
from tests.console.desks import Desk
from tests.console.test_pages import page_of

LINK = re.compile(r"\]\(([^)]+)\)")


def test_every_page_with_help_names_a_guide_that_has_a_name() -> None:
    assert set(_GUIDE_OF.values()) <= set(GUIDES)
    assert all(f"help.doc.{guide}" in WORDS for guide in GUIDES)
    assert all(f"help.{page}" in WORDS for page in _GUIDE_OF)


def test_no_link_of_a_guide_leads_nowhere(desk_in: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    app = page_of(desk_in("empty"), Role.VIEWER, "help", monkeypatch)
    for guide in GUIDES:
        app.selectbox(key="help_doc").set_value(guide).run()
        assert not app.exception, guide
        text = "\n".join(one.value for one in app.markdown)
        assert len(text) > 500, guide
        for target in LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)):
            kept = target.startswith(("http://", "https://", "#")) or target.removeprefix("/help?doc=") in GUIDES
            assert kept, f"{guide}: {target}"
