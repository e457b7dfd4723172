"""Accounts and keys by command line: sealed, confirmed, never shown."""

import json

import pytest

from tests.conftest import of_a_file
from tests.console.cli.terminal import KEYS, Terminal


@of_a_file
def test_an_account_is_registered_listed_shown_and_its_keys_are_nowhere(terminal: Terminal) -> None:
    words = ["account", "add", "미국 1호", "--broker", "KIS", "--market", "US", "--env", "SIM"]
    limits = ["--max-order-amount", "5000", "--max-daily-loss", "1000.50"]
    account_id = terminal.json(*words, *limits, stdin=KEYS.format(number="12345678-01"))["items"][0]["id"]
    listed = terminal.run("account", "list", "--json")
    row = listed.json["items"][0]
    assert (row["id"], row["nickname"], row["last4"], row["enabled"]) == (account_id, "미국 1호", "5678", False)
    assert listed.json["as_of"].endswith("+00:00")
    shown = terminal.json("account", "show", "미국 1호")
    assert (shown["max_order_amount"], shown["max_daily_loss"]) == ("5000", "1000.5")
    stored = (terminal.home / "letstrade.db").read_bytes()
    for secret in ("PSCANARYAPPKEY", "CANARYAPPSECRET", "12345678-01"):
        assert secret.encode() not in stored
        assert secret not in json.dumps([row, shown])


def test_keys_come_as_json_too_and_may_be_replaced(terminal: Terminal) -> None:
    account_id = terminal.add("A1")
    keys = {"app_key": "PSANOTHERKEY00001", "app_secret": "anothersecret00001", "account_no": "87654321-01"}
    told = terminal.json("credential", "set", str(account_id), stdin=json.dumps(keys))
    assert told == {"account_id": account_id, "nickname": "A1", "last4": "4321"}


@pytest.mark.parametrize(
    ("stdin", "named"),
    [
        ("", "app_key"),
        ("app_key=x\n", "app_secret"),
        ("app_key=PSCANARYAPPKEY0001\napp_secrt=s\n", "app_secrt"),
        ("nonsense", "line 1"),
        ("{broken", "JSON"),
    ],
)
def test_keys_that_cannot_be_read_are_refused_without_repeating_them(
    terminal: Terminal, stdin: str, named: str
) -> None:
    account_id = terminal.add("A1")
    said = terminal.run("credential", "set", str(account_id), "--json", stdin=stdin)
    assert said.code == 1
    assert said.json["error"]["code"] == "bad_keys"
    assert named in said.json["error"]["why"]
    assert "PSCANARY" not in said.out + said.err


def test_a_missing_product_code_is_a_named_refusal(terminal: Terminal) -> None:
    words = ["account", "add", "A1", "--broker", "KIS", "--market", "US", "--env", "SIM", "--json"]
    said = terminal.run(*words, stdin=KEYS.format(number="12345678"))
    assert (said.code, said.json["error"]["code"]) == (1, "bad_account_no")
    assert terminal.json("account", "list")["items"] == []


def test_from_env_imports_each_broker_once_and_never_live_by_default(terminal: Terminal) -> None:
    env = {
        "KIS_APP_KEY": "PSENVKEY000000001",
        "KIS_APP_SECRET": "envsecret000000001",
        "KIS_ACCOUNT_NO": "50001234-01",
        "LS_APP_KEY": "PLENVKEY000000001",
        "LS_APP_SECRET": "envsecret000000002",
        "LS_ACCOUNT_NO": "20212345601",
    }
    made = terminal.json("account", "add", "--from-env", **env)["items"]
    assert [(one["broker"], one["market"], one["environment"]) for one in made] == [
        ("KIS", "US", "MOCK"),
        ("LS", "KRX", "MOCK"),
    ]
    again = terminal.run("account", "add", "--from-env", "--json", **env)
    assert again.code == 1
    assert len(terminal.json("account", "list")["items"]) == 2
    nothing = terminal.run("account", "add", "--from-env", "--json")
    assert (nothing.code, nothing.json["error"]["code"]) == (1, "bad_keys")


def test_a_live_account_asks_for_its_name_to_be_added_and_to_run(terminal: Terminal) -> None:
    words = ["account", "add", "본계좌", "--broker", "KIS", "--market", "US", "--env", "LIVE", "--json"]
    said = terminal.run(*words, stdin=KEYS.format(number="12345678-01"))
    assert (said.code, said.json["error"]["code"]) == (1, "confirm_live")
    made = terminal.run(*words, "--confirm", "본계좌", stdin=KEYS.format(number="12345678-01"))
    assert made.code == 0
    for extra, code in ([], "confirm_live"), (["--confirm", "본계좌"], "reason_missing"):
        refused = terminal.run("account", "enable", "본계좌", *extra, "--json")
        assert (refused.code, refused.json["error"]["code"]) == (1, code)
    on = terminal.json("account", "enable", "본계좌", "--confirm", "본계좌", "--reason", "first day")
    assert on["enabled"] is True


def test_enabling_and_disabling_write_the_desired_state_only(terminal: Terminal) -> None:
    terminal.add("A1")
    assert terminal.json("account", "enable", "A1")["status"] == "WAITING"
    assert terminal.json("bot", "stop", "A1")["status"] == "OFF"
    assert terminal.json("bot", "start", "A1")["enabled"] is True
    assert terminal.json("account", "show", "A1")["desired_generation"] == 3


def test_an_account_that_does_not_exist_is_named_with_those_that_do(terminal: Terminal) -> None:
    terminal.add("A1")
    said = terminal.run("account", "show", "B2", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "not_found")
    assert "A1" in said.json["error"]["why"]
