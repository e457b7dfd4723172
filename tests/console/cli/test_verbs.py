"""Every verb of design.md §9 exists, and the verbs of people, tokens, audit, reports and the store do what they say."""

from __future__ import annotations

import json
import subprocess
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from console.cli import db
from shared import schema
from shared.clock import SystemClock
from shared.config import read_env_file
from shared.db import open_engine, reading, writing
from shared.domain.account import Environment
from shared.models import AuditLog, Role, User
from shared.store import heartbeats
from shared.store.people import user_by_email
from tests.conftest import of_a_file
from tests.console.cli.terminal import Terminal
from tests.references import cli_verbs
from tests.supabase import make_project

DESIGN = """
setup · doctor · db upgrade|check|move|backup|restore · keys rotate · token add|list|revoke · user add|list|role|disable ·
account add|list|show|enable|disable|arm|disarm|archive · credential set · rule
validate|add|list|show|enable|disable|import|explain|archive · bot status|start|stop|restart|logs · kill
raise|lower|status · schedule list|run|enable|disable · alerts list|ack · audit verify|export · quote · balance ·
positions · order buy|sell|amend|cancel|list · fills list · backtest run|sweep|check|parity · data import|list ·
market check · strategy check · report daily|tax · exchange serve|ledger|fault · support-bundle
"""
# What the product has beyond the contract, by name.
BESIDE = """
account limits|move · alerts timeline · backtest cancel|job|jobs|queue · backup create|verify|restore · cloud status|upload|alerts ·
completion · schema · rule diff|revert · inbox list|resolve|lift|settle|approve|decline · keys rotate-kek · kill cancel-all|flatten · telegram setup|test ·
user enable|password|factor-reset|link · webhook add|list|revoke
"""
KEYS = "secrets/master.key"


def promised(text: str = DESIGN) -> set[str]:
    found = set()
    for part in " ".join(text.split()).split(" · "):
        noun, _, verbs = part.partition(" ")
        found |= {f"{noun} {verb}" for verb in verbs.split("|")} if verbs else {noun}
    return found


def test_the_verbs_are_those_of_the_contract_and_those_named_here() -> None:
    nouns = {verb.split(" ")[0] for verb in cli_verbs() if " " in verb}
    verbs = cli_verbs() - nouns
    assert verbs == promised() | promised(BESIDE)


def test_a_user_gets_a_password_once_and_must_change_it(terminal: Terminal) -> None:
    account = terminal.add("A1")
    made = terminal.json("user", "add", "Kim@Desk.local", "--role", "trader", "--account", "A1")
    assert made["email"] and len(made["password"]) >= 12 and made["accounts"] == [account]
    with reading(terminal.engine) as session:
        row = user_by_email(session, "kim@desk.local")
        assert row is not None and row.must_change_password and made["password"] not in str(row.password_hash)
    assert terminal.json("user", "role", "kim@desk.local", "Viewer")["role"] == "Viewer"
    assert terminal.json("user", "disable", "kim@desk.local", "--reason", "left")["disabled_at"]
    assert [one["email"] for one in terminal.json("user", "list")["items"]] == ["kim@desk.local"]
    assert terminal.run("user", "add", "kim@desk.local", "--json").json["error"]["code"] == "email_taken"


def test_the_last_admin_stays(terminal: Terminal) -> None:
    terminal.json("user", "add", "one@desk.local", "--role", "Admin")
    for words in (("role", "one@desk.local", "Viewer"), ("disable", "one@desk.local")):
        said = terminal.run("user", *words, "--json")
        assert (said.code, said.json["error"]["code"]) == (1, "last_admin")


def test_a_token_opens_until_it_is_revoked(terminal: Terminal) -> None:
    terminal.json("user", "add", "bot@desk.local", "--service", "--role", "Admin")
    made = terminal.json("token", "add", "bot@desk.local", "--scope", "read", "--scope", "trade", "--days", "1")
    assert made["token"] not in terminal.run("token", "list", "--json").out
    key = terminal.home / KEYS
    hidden = key.rename(key.with_name("hidden"))
    assert terminal.run("account", "list", "--json", LETSTRADE_TOKEN=made["token"]).code == 0
    hidden.rename(key)
    assert terminal.json("token", "revoke", str(made["id"]))["revoked"] is True
    key.rename(hidden)
    assert terminal.run("account", "list", "--json", LETSTRADE_TOKEN=made["token"]).code == 1


def test_live_approval_has_an_end_and_can_be_taken_back(terminal: Terminal) -> None:
    terminal.add("L1", Environment.LIVE)
    bare = terminal.run("account", "arm", "L1", "--json")
    assert (bare.code, bare.json["error"]["code"]) == (1, "confirm_live")
    armed = terminal.json("account", "arm", "L1", "--hours", "2", "--confirm", "L1", "--reason", "open")
    assert armed["armed_until"]
    assert terminal.json("account", "disarm", "L1")["armed_until"] is None
    terminal.json("account", "archive", "L1", "--confirm", "L1", "--reason", "closed")
    assert terminal.json("account", "list")["items"] == []


def test_limits_change_by_name_with_a_reason_and_what_is_not_named_stays(terminal: Terminal) -> None:
    account = terminal.add("A1")
    before = terminal.json("account", "show", "A1")
    bare = terminal.run("account", "limits", "A1", "--max-daily-buy", "1234.5", "--json")
    assert (bare.code, bare.json["error"]["code"]) == (1, "reason_missing")
    assert terminal.run("account", "limits", "A1", "--reason", "x", "--json").code == 2, "nothing named"
    assert terminal.run("account", "limits", "A1", "--max-daily-buy", "-1", "--reason", "x", "--json").code == 1
    said = terminal.run("account", "limits", "A1", "--max-daily-buy", "1234.5", "--reason", "small", "--json")
    after, changed = said.json, {"max_daily_buy": "1234.5", "config_version": before["config_version"] + 1}
    assert {**after, "max_daily_buy": str(Decimal(after["max_daily_buy"]))} == {**before, **changed}
    assert "max_daily_buy" in said.err and "1,234.5" in said.err  # now and afterwards
    with reading(terminal.engine) as session:
        row = session.exec(select(AuditLog).where(AuditLog.action == "account.limits")).one()
        assert (row.account_id, row.reason, row.after and row.after["max_daily_buy"]) == (account, "small", "1234.5")


@of_a_file
def test_the_audit_chain_is_whole_and_a_changed_row_shows(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("A1")
    terminal.json("kill", "raise", "HALT")
    found = terminal.json("audit", "verify")
    assert found["ok"] and found["rows"] >= 2
    file = tmp_path / "audit.jsonl"
    assert terminal.json("audit", "export", "--to", str(file))["rows"] == found["rows"]
    assert [json.loads(line)["action"] for line in file.read_text().splitlines()][-1] == "kill.raise"
    for deed in ("UPDATE audit_logs SET reason = 'other' WHERE id = 1", "DELETE FROM audit_logs WHERE id = 1"):
        with pytest.raises(IntegrityError, match="only grows"), terminal.engine.begin() as connection:
            connection.exec_driver_sql(deed)
    with terminal.engine.begin() as connection:  # somebody who has the database itself
        connection.exec_driver_sql("DROP TRIGGER audit_logs_no_update")
        connection.exec_driver_sql("UPDATE audit_logs SET reason = 'other' WHERE id = 1")
    said = terminal.run("audit", "verify", "--json")
    assert (said.code, said.json["broken_at"]) == (1, 1)
    told = {one["check"]: one for one in terminal.run("doctor", "--json").json["items"]}
    assert told["audit trail"]["ok"] is False and "row 1" in told["audit trail"]["text"]


def test_a_backup_restores_to_the_same_rows(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("A1")
    terminal.json("user", "add", "kim@desk.local")
    file = tmp_path / "desk.backup"
    kept = terminal.json("db", "backup", str(file))
    assert file.stat().st_mode & 0o077 == 0
    before = terminal.json("audit", "verify")
    again = {"DATABASE_URL": f"sqlite:///{tmp_path / 'again.db'}"}
    assert terminal.json("db", "restore", str(file), **again)["rows"] == kept["rows"]
    assert terminal.json("audit", "verify", **again) == before
    assert terminal.json("account", "list", **again)["items"] == terminal.json("account", "list")["items"]
    twice = terminal.run("db", "restore", str(file), "--json", **again)
    assert twice.code == 1 and "not empty" in twice.json["error"]["what"]


@pytest.mark.postgres
def test_the_store_moves_to_postgresql_and_goes_on_counting(terminal: Terminal, postgres_url: str) -> None:
    terminal.add("A1")
    terminal.json("user", "add", "kim@desk.local")
    assert terminal.run("db", "move", "NEW_STORE", "--json").code == 2
    moved = terminal.json("db", "move", "NEW_STORE", NEW_STORE=postgres_url)
    assert moved["rows"] > 5
    assert schema.drift(open_engine(postgres_url)) == []
    assert terminal.json("audit", "verify", DATABASE_URL=postgres_url)["ok"]
    made = terminal.json("user", "add", "lee@desk.local", DATABASE_URL=postgres_url)
    assert made["id"] == 2


def test_a_move_may_switch_the_desk_to_the_new_store(
    terminal: Terminal, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "ROOT", tmp_path)
    (tmp_path / ".env").write_text("# mine\nDATABASE_URL=sqlite:///old.db\nLETSTRADE_LANG=en\n")
    moved = terminal.json("db", "move", "NEW_STORE", "--switch", NEW_STORE=postgres_url)
    assert moved["switched"] and moved["compared"]
    found = read_env_file(tmp_path / ".env")
    assert found == {"LETSTRADE_LANG": "en", "DATABASE_URL": postgres_url}
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_a_store_moves_neither_into_itself_nor_while_the_desk_runs(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("A1")
    new, now = f"sqlite:///{tmp_path / 'new.db'}", SystemClock().wall_now()
    itself = terminal.run("db", "move", "NEW_STORE", "--json", NEW_STORE=new, SUPABASE_DB_URL=new, DATABASE_URL="")
    assert itself.code == 1 and "--switch" in itself.json["error"]["now"]
    with writing(terminal.engine) as session:
        heartbeats.see_host(session, now, name="seoul-1", group="", programs={})
    running = terminal.run("db", "move", "NEW_STORE", "--json", NEW_STORE=new)
    assert running.code == 1 and "seoul-1" in running.json["error"]["why"]
    with writing(terminal.engine) as session:
        heartbeats.see_host(session, now - timedelta(minutes=1), name="seoul-1", group="", programs={})
    assert terminal.json("db", "move", "NEW_STORE", NEW_STORE=new)["compared"]


@pytest.mark.postgres
def test_doctor_refuses_a_project_that_is_open_to_a_key(terminal: Terminal, postgres_url: str) -> None:
    make_project(postgres_url.replace("+psycopg", ""))
    engine = open_engine(postgres_url)

    def said() -> dict[str, object]:
        items = terminal.run("doctor", "--json", DATABASE_URL=postgres_url).json["items"]
        return next(one for one in items if one["check"] == "row security")

    terminal.json("db", "upgrade", DATABASE_URL=postgres_url)
    assert said()["ok"]
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table positions disable row level security")
    found = said()
    assert not found["ok"] and found["needed"] and "positions" in str(found["text"])
    terminal.json("db", "upgrade", DATABASE_URL=postgres_url)  # what doctor says to do
    assert said()["ok"]
    engine.dispose()


@pytest.mark.postgres
def test_doctor_says_of_what_a_project_tells_no_changes(terminal: Terminal, postgres_url: str) -> None:
    make_project(postgres_url.replace("+psycopg", ""))
    engine = open_engine(postgres_url)

    def said() -> tuple[bool, str]:
        given = {"DATABASE_URL": postgres_url, "SUPABASE_PROJECT_URL": "http://127.0.0.1:9"}
        items = terminal.run("doctor", "--json", **given).json["items"]
        return next((one["ok"], one["text"]) for one in items if one["check"] == "realtime")

    terminal.json("db", "upgrade", DATABASE_URL=postgres_url)
    assert said() == (True, "changes are told at once")
    with engine.begin() as connection:
        connection.exec_driver_sql("alter publication supabase_realtime drop table orders")
    assert said() == (False, "changes are not told: orders")
    terminal.json("db", "upgrade", DATABASE_URL=postgres_url)
    assert said()[0]
    engine.dispose()


def test_a_supabase_user_is_one_person_and_no_other(terminal: Terminal) -> None:
    uid = "7b0c1f5e-8a34-4c55-9d3d-0a3a3c1b2a11"
    for name in ("kim", "lee"):
        terminal.json("user", "add", f"{name}@desk.local")
    assert terminal.json("user", "link", "kim@desk.local", uid.upper())["auth_uid"] == uid
    taken = terminal.run("user", "link", "lee@desk.local", uid, "--json")
    assert taken.code == 1 and "kim@desk.local" in taken.json["error"]["why"]
    assert terminal.run("user", "link", "lee@desk.local", "me", "--json").code == 1
    assert terminal.json("user", "link", "kim@desk.local")["auth_uid"] is None
    assert terminal.json("user", "link", "lee@desk.local", uid)["auth_uid"] == uid


def test_the_support_bundle_holds_no_secret(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("A1")
    file = tmp_path / "bundle.zip"
    terminal.json("support-bundle", "--to", str(file))
    with zipfile.ZipFile(file) as bundle:
        text = "".join(bundle.read(name).decode() for name in bundle.namelist())
    assert "A1" in text and "CANARY" not in text and "12345678" not in text


def test_reports_and_rule_archive_answer_on_a_quiet_desk(terminal: Terminal) -> None:
    terminal.add("A1")
    assert [one["account"] for one in terminal.json("report", "daily")["items"]] == ["A1"]
    assert terminal.json("report", "tax", "--year", "2026")["items"] == []
    rule = terminal.json(
        "rule", "add", "bots/rules/presets/demo_us_ma_cross.yaml", "--account", "A1", "--symbols", "AAPL"
    )["id"]
    assert terminal.json("rule", "archive", str(rule))["archived"] is True
    assert terminal.json("rule", "list")["items"] == []
    with reading(terminal.engine) as session:
        assert len(session.exec(select(AuditLog).where(AuditLog.action == "rule.archive")).all()) == 1


def test_a_webhook_shows_its_secret_once(terminal: Terminal) -> None:
    terminal.add("A1")
    rule = terminal.json(
        "rule", "add", "bots/rules/presets/demo_us_ma_cross.yaml", "--account", "A1", "--symbols", "AAPL"
    )["id"]
    made = terminal.json("webhook", "add", str(rule))
    assert made["secret"] in made["message"] and "{{ticker}}" in made["message"]
    assert made["secret"] not in terminal.run("webhook", "list", "--json").out
    assert terminal.json("webhook", "revoke", str(made["id"]))["revoked"]


def test_telegram_setup_says_the_steps_and_links_a_person(terminal: Terminal) -> None:
    terminal.json("user", "add", "kim@desk.local", "--role", "Admin")
    said = terminal.run("telegram", "setup")
    assert said.code == 0 and "BotFather" in said.err
    linked = terminal.json(
        "telegram",
        "setup",
        "--user",
        "kim@desk.local",
        "--id",
        "424242",
        "--quiet",
        "23:00-07:00",
        "--level",
        "FILL=off",
    )
    assert (linked["linked"], linked["people"]) == (424242, 1)
    assert terminal.run("telegram", "setup", "--user", "1", "--id", "5", "--quiet", "25:00-x", "--json").code == 1
    assert terminal.run("telegram", "test", "--json").code == 1


def test_only_an_admin_manages_people(terminal: Terminal) -> None:
    terminal.json("user", "add", "t@desk.local", "--service", "--role", "Trader")
    token = terminal.json("token", "add", "t@desk.local")["token"]
    (terminal.home / KEYS).unlink()
    for words in (["user", "list"], ["token", "list"], ["audit", "verify"], ["user", "add", "x@y.z"]):
        said = terminal.run(*words, "--json", LETSTRADE_TOKEN=token)
        assert (said.code, said.json["error"]["code"]) == (1, "forbidden"), words
    with reading(terminal.engine) as session:
        assert not session.exec(select(User).where(User.role == Role.ADMIN.value)).all()


def test_watching_is_for_verbs_that_only_look_and_ends_with_a_failure(terminal: Terminal, nowhere: Terminal) -> None:
    refused = terminal.run("kill", "raise", "HALT", "--watch", "--json")
    assert refused.code == 2 and terminal.json("kill", "status")["items"][0]["level"] == "RUN"
    assert Terminal(nowhere.home / "none").run("bot", "status", "--watch", "--json").code == 1


def test_the_shell_completes_every_noun_and_verb(terminal: Terminal) -> None:
    script = terminal.run("completion", "bash").out
    for noun, _, verb in (one.partition(" ") for one in promised() & cli_verbs()):
        assert noun in script and verb in script
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
