"""What a browser claims to have clicked counts for nothing: the service asks the database at the moment of effect."""

from __future__ import annotations

import pytest
from sqlmodel import select

from shared.db import reading, writing
from shared.models import AuditLog, Command, Role, User
from tests.console.desks import Desk, beat_again
from tests.console.services.test_permissions import US, _entry
from tests.console.test_pages import page_of

HARMLESS = {"signout", "dialog_back"}
ONES_OWN = ("session.",)


def effects(desk: Desk) -> tuple[list[str], int]:
    with reading(desk.wiring.engine) as session:
        told = [one for one in session.exec(select(AuditLog.action)) if not one.startswith(ONES_OWN)]
        return told, len(session.exec(select(Command.id)).all())


@pytest.mark.parametrize("page", ["account", "inbox", "orders", "risk", "people"])
def test_a_viewer_who_clicks_every_button_of_a_page_changes_nothing(
    page: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit runs the callback of a disabled button when a message says that it was clicked."""
    _entry(desk, US)
    app = page_of(desk, Role.VIEWER, page, monkeypatch)
    before = effects(desk)
    for button in app.button:
        if button.key not in HARMLESS:
            button.proto.disabled = False  # what a browser cannot do a made-up message can
            button.click()
    app.run()
    assert not app.exception and effects(desk) == before


def test_the_button_of_an_old_page_does_nothing_once_the_role_is_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _entry(desk, US)
    app = page_of(desk, Role.TRADER, "inbox", monkeypatch)
    before = effects(desk)
    with writing(desk.wiring.engine) as session:
        user = session.get_one(User, desk.users[Role.TRADER])
        user.role = Role.VIEWER.value
        session.add(user)
    app.button(key="approve").click()
    app.run()
    assert effects(desk) == before and "허용되지 않습니다" in app.error[0].value


def test_two_clicks_on_an_entry_are_one_command(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _entry(desk, US)
    first, second = (page_of(desk, Role.TRADER, "inbox", monkeypatch) for _ in range(2))
    for app in (first, second):
        beat_again(desk)
        app.button(key="approve").click()
        app.run()
        assert not app.exception
    assert effects(desk)[1] == 1
