"""`backup`: made beside a writer, proven, restored on a machine that has nothing; a damaged one is refused by name."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import uuid
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlmodel import Session, select

from shared import schema
from shared.config import load_settings
from shared.crypto import load_private
from shared.db import open_engine, reading
from shared.models import LoginSession
from shared.store import kill
from shared.store.secrets import open_credential
from shared.store.sessions import start_session
from tests.cloud.edge import install
from tests.conftest import of_a_file
from tests.console.cli.terminal import Terminal

PHRASE = {"LETSTRADE_BACKUP_PASSPHRASE": "correct horse"}  # pragma: allowlist secret


@pytest.fixture
def backed_up(terminal: Terminal, tmp_path: Path) -> Path:
    terminal.add("첫 계좌")
    (terminal.home / "calendar_overrides.csv").write_text("XKRX,2026-12-31,closed,\n")
    made = terminal.json("backup", "create", "--to", str(tmp_path / "b"), **PHRASE)
    assert made["verified"] and made["keys"] and made["kind"] == "sqlite"
    return tmp_path / "b"


@of_a_file
def test_a_desk_comes_back_on_an_empty_machine(terminal: Terminal, backed_up: Path, tmp_path: Path) -> None:
    new = Terminal(tmp_path / "new")
    refused = new.run("backup", "restore", str(backed_up), **PHRASE)
    assert refused.code == 1 and "--old-desk-is-off" in refused.err
    done = new.json("backup", "restore", str(backed_up), "--old-desk-is-off", **PHRASE)
    assert done["entries"] is False
    assert [row["nickname"] for row in new.json("account", "list")["items"]] == ["첫 계좌"]
    settings = load_settings(new.env)
    with reading(new.engine) as session:
        opened = open_credential(session, load_private(settings), 1)
        assert opened is not None and opened.app_key == "PSCANARYAPPKEY0001"
        assert kill.level_of(session, None).name == "NO_NEW"  # exits only until a person has looked
    assert (new.home / "calendar_overrides.csv").exists()
    assert (new.home / "letstrade.db").stat().st_mode & 0o777 == 0o600
    assert new.json("audit", "verify")["ok"]
    again = new.run("backup", "restore", str(backed_up), "--old-desk-is-off", **PHRASE)
    assert again.code == 1 and "not empty" in again.err


@of_a_file
def test_nothing_in_the_folder_shows_a_key_and_none_of_it_is_others_to_read(
    backed_up: Path, terminal: Terminal
) -> None:
    master = load_settings(terminal.env).master_key_file.read_text().strip()
    for one in backed_up.iterdir():
        assert one.stat().st_mode & 0o077 == 0
        body = one.read_bytes()
        assert master.encode() not in body and b"CANARYAPPSECRET" not in body


@of_a_file
def test_a_damaged_backup_is_refused_by_name(backed_up: Path, tmp_path: Path, terminal: Terminal) -> None:
    def broken(name: str) -> str:
        copy = tmp_path / f"broken-{name}"
        shutil.copytree(backed_up, copy)
        body = bytearray((copy / name).read_bytes())
        body[len(body) // 2] ^= 0xFF
        (copy / name).write_bytes(body)
        return terminal.run("backup", "verify", str(copy)).err

    for name in ("store.db", "keys.box", "files.json"):
        assert f"damaged: {name}" in broken(name)
    wrong = terminal.run("backup", "verify", str(backed_up), LETSTRADE_BACKUP_PASSPHRASE="wrong")
    assert wrong.code == 1 and "do not open" in wrong.err
    assert terminal.json("backup", "verify", str(backed_up), **PHRASE)["keys_opened"]
    (backed_up / "manifest.json").unlink()
    assert terminal.run("backup", "verify", str(backed_up)).code == 1


@of_a_file
def test_without_a_passphrase_the_keys_stay_where_they_are(terminal: Terminal, tmp_path: Path) -> None:
    terminal.add("첫 계좌")
    said = terminal.run("backup", "create", "--to", str(tmp_path / "b"))
    assert said.code == 0 and "not in it" in said.err
    new = Terminal(tmp_path / "new")
    lost = new.run("backup", "restore", str(tmp_path / "b"), "--old-desk-is-off")
    assert lost.code == 1 and "keys are missing" in lost.err
    shutil.copytree(terminal.home / "secrets", new.home / "secrets")
    new.json("backup", "restore", str(tmp_path / "b"), "--old-desk-is-off", "--trade")
    with reading(new.engine) as session:
        assert kill.level_of(session, None).name == "RUN"


@of_a_file
def test_signed_in_people_sign_in_again(terminal: Terminal, tmp_path: Path) -> None:
    terminal.json("user", "add", "a@b.kr", "--role", "Admin", stdin="a-long-password-1\n")
    with open_engine(terminal.env["DATABASE_URL"]).begin() as connection:
        session = Session(connection)
        start_session(session, 1, terminal.wiring().clock.wall_now(), ip="", user_agent="")
        session.flush()
    terminal.json("backup", "create", "--to", str(tmp_path / "b"), **PHRASE)
    new = Terminal(tmp_path / "new")
    new.json("backup", "restore", str(tmp_path / "b"), "--old-desk-is-off", **PHRASE)
    with reading(new.engine) as session:
        assert session.exec(select(LoginSession)).all() == []


@of_a_file
def test_a_backup_is_one_moment_beside_a_writer(terminal: Terminal, tmp_path: Path) -> None:
    """A writer that always puts two rows in one transaction; no backup may hold one without the other."""
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(terminal.home / "letstrade.db", timeout=30, isolation_level=None)) as writer:
            number = 0
            while not stop.wait(0.005):  # leaves the lock to others now and then, as bots do
                number += 1
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("INSERT INTO meta VALUES (?, '1')", (f"left:{number}",))
                writer.execute("INSERT INTO meta VALUES (?, '1')", (f"right:{number}",))
                writer.execute("COMMIT")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(3):
            terminal.json("backup", "create", "--to", str(tmp_path / f"b{number}"), **PHRASE)
    finally:
        stop.set()
        thread.join()
    for number in range(3):
        with closing(sqlite3.connect(tmp_path / f"b{number}" / "store.db")) as copy:
            left, right = (
                copy.execute("SELECT count(*) FROM meta WHERE name LIKE ?", (side,)).fetchone()[0]
                for side in ("left:%", "right:%")
            )
            assert left == right


@pytest.mark.postgres
@pytest.mark.parametrize("tool", ["pg_dump", "rows"])
def test_a_postgresql_desk_comes_back(
    tool: str,
    terminal: Terminal,
    tmp_path: Path,
    postgres_url: str,
    postgres_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if tool == "rows":  # a machine without PostgreSQL's tools
        bare = tmp_path / "bin"
        bare.mkdir()
        monkeypatch.setenv("PATH", str(bare))
    elif shutil.which("pg_dump") is None:
        pytest.skip("no pg_dump on this machine")
    schema.upgrade(open_engine(postgres_url))
    install(open_engine(postgres_url), None)  # a project's triggers and their schema come along
    there = {"DATABASE_URL": postgres_url}
    terminal.json("user", "add", "a@b.kr", "--role", "Admin", stdin="a-long-password-1\n", **there)
    made = terminal.json("backup", "create", "--to", str(tmp_path / "b"), **PHRASE, **there)
    assert made["kind"] == tool
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            head, _, query = postgres_url.partition("?")
            target = {"DATABASE_URL": head.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")}
            new = Terminal(tmp_path / "new")
            new.json("backup", "restore", str(tmp_path / "b"), "--old-desk-is-off", **PHRASE, **target)
            assert [one["email"] for one in new.json("user", "list", **target)["items"]] == ["a@b.kr"]
            trigger = "select count(*) from pg_trigger where tgname = 'urgent_alert'"
            with psycopg.connect(target["DATABASE_URL"].replace("+psycopg", "")) as restored:
                assert restored.execute(trigger).fetchone() == ((1,) if tool == "pg_dump" else (0,))
            assert new.json("db", "check", **target)["ok"] and new.json("audit", "verify", **target)["ok"]
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
