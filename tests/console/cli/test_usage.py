"""What the edge of the program promises: exit codes, one document, no traceback."""

import hashlib
import secrets
from datetime import datetime

import pytest

from shared.db import writing
from shared.models import ApiToken, Role, User
from shared.store.people import grant
from tests.console.cli.terminal import Terminal


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["market", "check"],
        ["market", "check", "x.csv", "--nope"],
        ["account", "add", "A", "--broker", "KIWOOM", "--market", "US", "--env", "SIM"],
        ["account", "add", "A"],
        ["order", "buy", "A", "AAPL", "0", "--price", "1"],
        ["order", "buy", "A", "AAPL", "1", "--price", "NaN"],
        ["order", "buy", "A", "AAPL", "1"],
        ["kill", "raise", "PANIC"],
    ],
)
def test_a_command_that_cannot_be_read_is_usage_and_says_why(terminal: Terminal, words: list[str]) -> None:
    said = terminal.run(*words, "--json")
    assert said.code == 2
    assert said.json["error"]["code"] == "usage"
    assert said.json["error"]["what"]
    assert "Traceback" not in said.err


def test_help_lists_every_noun_and_a_bare_call_is_usage(nowhere: Terminal) -> None:
    said = nowhere.spawn("--help")
    assert said.code == 0
    for noun in ("account", "rule", "bot", "order", "kill", "market", "exchange", "doctor", "quote"):
        assert noun in said.out
    assert nowhere.spawn().code == 2


@pytest.mark.parametrize(
    "noun", ["account", "credential", "rule", "bot", "order", "fills", "kill", "alerts", "market", "exchange"]
)
def test_every_noun_loads_and_offers_its_verbs(nowhere: Terminal, noun: str) -> None:
    said = nowhere.spawn(noun, "--help")
    assert said.code == 0
    assert "Commands" in said.out


@pytest.mark.parametrize("words", [["account", "list"], ["bot", "status"], ["kill", "status"], ["alerts", "list"]])
def test_without_setup_the_person_is_told_to_run_it(nowhere: Terminal, words: list[str]) -> None:
    said = nowhere.run(*words, "--json")
    assert said.code == 1
    assert "setup" in said.json["error"]["now"]


def test_without_the_key_file_a_token_is_asked_for(terminal: Terminal) -> None:
    (terminal.home / "secrets" / "master.key").unlink()
    said = terminal.run("account", "list", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "forbidden"
    refused = terminal.run("account", "list", "--json", LETSTRADE_TOKEN="wrong")
    assert (refused.code, refused.json["error"]["code"]) == (1, "forbidden")


@pytest.mark.parametrize(
    ("role", "may_list", "may_raise", "may_add"),
    [(Role.ADMIN, True, True, True), (Role.TRADER, True, True, False), (Role.VIEWER, True, False, False)],
)
def test_a_token_stands_for_its_user_with_his_role_and_accounts(
    terminal: Terminal, role: Role, may_list: bool, may_raise: bool, may_add: bool
) -> None:
    granted, other = terminal.add("A1"), terminal.add("B1", number=2)
    token = token_for(terminal, role, granted)
    (terminal.home / "secrets" / "master.key").unlink()

    def may(*words: str, stdin: str = "") -> bool:
        said = terminal.spawn(*words, "--json", stdin=stdin, LETSTRADE_TOKEN=token)
        assert said.code == 0 or (said.code, said.json["error"]["code"]) == (1, "forbidden"), said
        return said.code == 0

    assert may("account", "list") is may_list
    seen = terminal.json("account", "list", LETSTRADE_TOKEN=token)["items"]
    assert [one["id"] for one in seen] == ([granted, other] if role is Role.ADMIN else [granted])
    assert may("kill", "raise", "NO_NEW", "--account", "A1") is may_raise
    words = ["account", "add", "C1", "--broker", "KIS", "--market", "US", "--env", "SIM"]
    assert (
        may(*words, stdin="app_key=PSTHIRDKEY000001\napp_secret=thirdsecret00001\naccount_no=33333333-01\n") is may_add
    )
    assert not any(secret in str(seen) for secret in ("PSCANARY", token))


def test_a_token_that_ended_or_whose_user_was_disabled_opens_nothing(terminal: Terminal) -> None:
    now = terminal.wiring().clock.wall_now()
    tokens = [
        token_for(terminal, Role.ADMIN, None, revoked_at=now),
        token_for(terminal, Role.ADMIN, None, expires_at=now),
        token_for(terminal, Role.ADMIN, None, disabled_at=now),
    ]
    (terminal.home / "secrets" / "master.key").unlink()
    for token in tokens:
        said = terminal.run("account", "list", "--json", LETSTRADE_TOKEN=token)
        assert (said.code, said.json["error"]["code"]) == (1, "forbidden")


def token_for(
    terminal: Terminal, role: Role, account_id: int | None, *, disabled_at: datetime | None = None, **ends: datetime
) -> str:
    """A user of `role`, granted one account, and his token."""
    token, now = secrets.token_urlsafe(32), terminal.wiring().clock.wall_now()
    with writing(terminal.engine) as session:
        user = User(email=f"{token[:8]}@desk.local", role=role.value, created_at=now, disabled_at=disabled_at)
        session.add(user)
        session.flush()
        if account_id is not None:
            grant(session, user.id or 0, account_id, now)
        digest = hashlib.sha256(token.encode()).hexdigest()
        session.add(ApiToken(user_id=user.id or 0, name="test", token_hash=digest, created_at=now, **ends))
    return token


def test_an_exchange_that_is_away_is_named_with_its_port(nowhere: Terminal) -> None:
    said = nowhere.run("exchange", "ledger", "--port-offset", "5000", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "exchange_away"
    assert "23900" in said.json["error"]["why"]
