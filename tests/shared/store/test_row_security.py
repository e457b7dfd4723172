"""Each table × key × verb of a Supabase project, against the table in docs/supabase.md, on a real PostgreSQL."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy import Boolean, Engine, Float, Integer, Table, insert, select, text
from sqlmodel import Session, SQLModel

from shared import schema
from shared.columns import ExactDecimal, Instant, Json
from shared.config import ROOT
from shared.db import open_engine
from shared.models import AuditLog
from shared.store import audit, row_security
from tests.supabase import for_the_store, make_project, new_database

pytestmark = pytest.mark.postgres

AT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
DENIED = "permission denied"
TABLES = {table.name: table for table in SQLModel.metadata.sorted_tables}
NAMES = sorted([*TABLES, "alembic_version"])


@dataclass(frozen=True, slots=True)
class Key:
    """Who comes: the database role his key has, and the user of the desk he is."""

    name: str
    role: str
    user_id: int | None = None

    @property
    def uid(self) -> str | None:
        return None if self.user_id is None else str(uuid.UUID(int=self.user_id))


ADMIN, VIEWER, TRADER = (Key(name, "authenticated", n) for n, name in ((1, "Admin"), (2, "Viewer"), (3, "Trader")))
SERVICE, ANON = Key("service_role", "service_role"), Key("anon", "anon")
DISABLED = Key("disabled", "authenticated", 4)
UNLINKED = Key("unlinked", "authenticated", 99)
NOBODY = Key("no claims", "authenticated")
KEYS = (ADMIN, VIEWER, TRADER, SERVICE, ANON, DISABLED, UNLINKED, NOBODY)
STRANGERS = (DISABLED, UNLINKED, NOBODY)
WRITES: dict[str, dict[str, Any]] = {  # what the road lets a key write; elsewhere one column is tried, and refused
    "alerts": {"acknowledged_at": AT},
    "commands": {"account_id": 1, "kind": "FLATTEN", "key": "k"},
    "kill_switches": {"account_id": 1, "scope": "all", "level": 3, "reason": "x"},
    "alert_deliveries": {"alert_id": 1, "recipient": 7, "outcome": "sent", "at": AT},
}


def planned() -> dict[tuple[str, str], dict[str, str]]:
    """(table, key) → verb → "" for granted rows, "*" for every row; as the page promises."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for line in (ROOT / "docs" / "supabase.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and re.fullmatch(r"[a-z_]+", cells[0]) and cells[0] != "table":
            for key, cell in zip((VIEWER, TRADER, ADMIN, SERVICE), cells[1:], strict=True):
                found[cells[0], key.name] = {word[0]: word[1:] for word in cell.split()}
    return found


PLAN = planned()


def made_up(table: Table, side: int) -> dict[str, Any]:
    """A row that the table takes; it belongs to account `side`."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if (
            column.foreign_keys
            or (column.primary_key and isinstance(column.type, Integer))
            or column.name == "account_id"
        ):
            row[column.name] = side
        elif isinstance(column.type, Instant):
            row[column.name] = AT if not column.nullable else None
        elif isinstance(column.type, ExactDecimal):
            row[column.name] = Decimal(side)
        elif isinstance(column.type, Json):
            row[column.name] = {}
        elif isinstance(column.type, Boolean):
            row[column.name] = False
        elif isinstance(column.type, (Integer, Float)):
            row[column.name] = side
        else:
            row[column.name] = f"{column.name}{side}"
    return row


def seed(engine: Engine) -> None:
    """Two accounts of two owners, one of everything for each; viewer and trader are granted the first."""
    with engine.begin() as connection:
        for table in SQLModel.metadata.sorted_tables:
            rows = [made_up(table, side) for side in (1, 2)]
            if table.name == "users":
                rows = [{**made_up(table, key.user_id or 0), "role": key.name, "auth_uid": key.uid} for key in KEYS[:3]]
                rows.append(
                    {**rows[1], "id": 4, "email": "gone", "subject": None, "auth_uid": DISABLED.uid, "disabled_at": AT}
                )
            elif table.name == "account_grants":
                rows = [{**made_up(table, n), "user_id": n + 1, "account_id": 1} for n in (1, 2, 3)]
            elif table.name == "group_grants":
                rows = [{**made_up(table, n), "user_id": n + 1, "scope": "owner:1"} for n in (1, 2)]
            elif table.name == "backtest_runs":
                rows = [{**made_up(table, n), "requested_by": f"user:{n}"} for n in (1, 2, 3)]
            elif table.name in {"alerts", "job_runs", "kill_switches"}:
                rows.append({**made_up(table, 3), "account_id": None})
            if table.name == "kill_switches":
                rows = [{**row, "level": 1} for row in rows]
            connection.execute(insert(table), rows)
            if "id" in table.columns:
                connection.execute(text(f"select setval('{table.name}_id_seq', 100)"))


def is_mine(table: str, row: dict[str, Any], key: Key) -> bool:
    """Whether a plain cell means this row for a viewer or trader; said here once more, in other words than SQL's."""
    if table == "users":
        return bool(row["id"] == key.user_id)
    if table in {"account_grants", "group_grants"}:
        return bool(row["user_id"] == key.user_id)
    if table == "backtest_runs":
        return bool(row["requested_by"] == f"user:{key.user_id}")
    if table in {"owners", "brokerage_accounts"}:
        return bool(row["id"] == 1)
    if table == "rule_versions":
        return bool(row["rule_id"] == 1)
    return row["account_id"] in (1, None)


@pytest.fixture(scope="module")
def project(postgres_server: str) -> Iterator[str]:
    """A Supabase project with a seeded desk in it; each test rolls back."""
    with new_database(postgres_server) as address:
        make_project(address)
        engine = open_engine(for_the_store(address))
        schema.upgrade(engine)
        seed(engine)
        engine.dispose()
        yield address


@pytest.fixture
def database(project: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(project) as connection:
        yield connection
        connection.rollback()


def come_as(database: psycopg.Connection[Any], key: Key) -> None:
    """As PostgREST does for each request: the key's role and the claims of its token, for one transaction."""
    claims = {"role": key.role, **({"sub": key.uid} if key.uid else {})}
    database.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
    database.execute(f"set local role {key.role}")


def tried(database: psycopg.Connection[Any], key: Key, sql: str, values: Any = None) -> list[Any] | str:
    """Rows that the statement returned or touched, or why it was refused; then as if it had not been."""
    database.execute("savepoint before")
    try:
        come_as(database, key)
        return database.execute(sql, values).fetchall()
    except psycopg.errors.InsufficientPrivilege as error:
        return str(error)
    finally:
        database.execute("rollback to savepoint before")


def everything(database: psycopg.Connection[Any], table: str) -> list[dict[str, Any]]:
    with database.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(f"select * from {table}").fetchall()


def first_key(table: str) -> str:
    return next(iter(TABLES[table].primary_key.columns)).name if table in TABLES else "version_num"


def meant(table: str, key: Key, verb: str, rows: list[dict[str, Any]]) -> set[Any] | None:
    """Keys of the rows that the verb should reach; None: refused altogether."""
    if key.role == "anon":
        return None
    granted = PLAN[table, "Admin" if key in STRANGERS else key.name].get(verb)
    if granted is None:
        return None
    if key in STRANGERS:
        return set()
    name = first_key(table)
    return {row[name] for row in rows if granted == "*" or is_mine(table, row, key)}


def check_reach(found: list[Any] | str, reach: set[Any] | None) -> None:
    """Exactly these rows; for nothing at all, a refusal is as good as no row."""
    if reach is None:
        assert found == [] or DENIED in found or "row-level security policy" in found
    else:
        assert not isinstance(found, str), found
        assert {row[0] for row in found} == reach


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
@pytest.mark.parametrize("table", NAMES)
def test_a_key_reaches_what_the_page_says_and_nothing_else(
    database: psycopg.Connection[Any], table: str, key: Key
) -> None:
    rows, name = everything(database, table), first_key(table)
    assert rows, "an empty table proves nothing"

    seen = tried(database, key, f"select {name} from {table}")
    check_reach(seen, meant(table, key, "S", rows))

    column, value = next(iter(WRITES.get(table, {name: None}).items()))
    if table == "kill_switches":
        column, value = "level", 3
    if table == "alerts" and key is SERVICE:
        column, value = "claimed_by", "edge"
    touched = tried(database, key, f"update {table} set {column} = %s returning {name}", [value])
    check_reach(touched, meant(table, key, "U", rows))

    reach = meant(table, key, "I", rows)
    given = WRITES.get(table, {name: rows[0][name]})
    sql = f"insert into {table} ({', '.join(given)}) values ({', '.join(['%s'] * len(given))}) returning {name}"
    if table in {"commands", "kill_switches"}:
        for account in (1, 2):
            taken = tried(database, key, sql, list({**given, "account_id": account, "level": 3}.values())[: len(given)])
            allowed = reach is not None and (account in reach or key is ADMIN)
            if allowed:
                assert len(taken) == 1
            else:
                check_reach(taken, None)
    elif reach is None:
        assert str(tried(database, key, sql, list(given.values()))).startswith(DENIED)
    else:
        assert len(tried(database, key, sql, list(given.values()))) == 1

    assert str(tried(database, key, f"delete from {table} returning 1")).startswith(DENIED)
    assert str(tried(database, key, f"truncate {table} cascade")).startswith(DENIED)


SEALED = {
    "recovery_codes",
    "api_credentials",
    "broker_tokens",
    "sessions",
    "api_tokens",
    "webhooks",
    "telegram_links",
    "meta",
}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_no_key_of_the_project_reads_a_secret(database: psycopg.Connection[Any], key: Key) -> None:
    for table in SEALED:
        assert str(tried(database, key, f"select 1 from {table}")).startswith(DENIED)
    for column in ("password_hash", "totp_secret"):
        assert str(tried(database, key, f"select {column} from users")).startswith(DENIED)


def test_every_table_stands_in_the_plan_and_on_the_page() -> None:
    assert set(row_security.TABLES) == set(NAMES)
    assert {table for table, _ in PLAN} == set(NAMES)


def test_a_new_table_without_row_security_shows_as_a_gap(project: str) -> None:
    engine = open_engine(for_the_store(project))
    with engine.connect() as connection:
        assert row_security.gaps(connection) == []
        connection.exec_driver_sql("create table forgotten (id int)")
        connection.exec_driver_sql("grant select on orders to anon")
        connection.exec_driver_sql("alter table fills disable row level security")
        connection.exec_driver_sql("drop policy desk_read on positions")
        connection.exec_driver_sql("create policy mine on fills for select to anon using (true)")
        assert row_security.gaps(connection) == [
            "fills: no row-level security", "forgotten: no row-level security", "orders: anon holds SELECT",
            "fills: the policy mine is not ours", "positions: no policy lets its readers in",
        ]  # fmt: skip
        connection.rollback()
    engine.dispose()


def test_what_a_trader_does_by_key_is_in_the_audit_chain(project: str) -> None:
    """With the hash that the desk itself computes, so that `audit verify` holds."""
    engine = open_engine(for_the_store(project))
    with engine.connect() as connection:
        connection.exec_driver_sql("alter table audit_logs disable trigger user")
        connection.exec_driver_sql("delete from audit_logs")
        connection.exec_driver_sql("alter table audit_logs enable trigger user")
        with Session(bind=connection) as session:
            audit.record(session, AT, actor="setup:x", action="setup", source="setup", after={"한글": ["a", 1]})
            claims = json.dumps({"sub": TRADER.uid})
            session.execute(text("select set_config('request.jwt.claims', :claims, true)"), {"claims": claims})
            session.execute(text("set local role authenticated"))
            session.execute(text("update alerts set acknowledged_at = '2020-01-01' where id = 1"))
            session.execute(text("update alerts set acknowledged_at = '2021-01-01' where id = 1"))  # seen already
            reason = 'too "fast"\n급락\t\\'
            session.execute(text("update kill_switches set level = 2, reason = :why where id = 1"), {"why": reason})
            session.execute(text("insert into commands (account_id, kind, key) values (1, 'FLATTEN', 'k')"))
            session.execute(text("reset role"))
            rows = list(session.exec(select(AuditLog).order_by(AuditLog.id)).scalars())  # type: ignore[arg-type]
            assert [row.action for row in rows] == ["setup", "alert.ack", "kill.raise", "order.cancel_all"]
            for before, row in itertools.pairwise(rows):
                assert row.previous_hash == before.row_hash
                assert row.row_hash == audit.row_hash(row)
                assert (row.actor, row.source) == ("user:3", "supabase")
            seen = session.execute(text("select acknowledged_by, acknowledged_at from alerts where id = 1")).one()
            assert seen[0] == "user:3" and seen[1] > AT
            asked = session.execute(
                text("select kind, status, key, requested_by from commands order by id desc limit 1")
            ).one()
            assert tuple(asked) == ("CANCEL_ALL", "REQUESTED", "supabase:3:k", "user:3")
        connection.rollback()
    engine.dispose()


def test_a_kill_switch_is_not_lowered_by_key_not_even_by_an_admin(database: psycopg.Connection[Any]) -> None:
    said = tried(database, ADMIN, "update kill_switches set level = 0 where id = 1 returning id")
    assert "only raised" in str(said)


def test_nobody_rewrites_the_audit_trail_not_even_its_owner(database: psycopg.Connection[Any]) -> None:
    for statement in ("update audit_logs set reason = ''", "delete from audit_logs", "truncate audit_logs"):
        with pytest.raises(psycopg.errors.IntegrityError, match="only grows"), database.transaction():
            database.execute(statement)


def test_an_account_granted_by_its_group_is_seen_like_one_granted_by_itself(database: psycopg.Connection[Any]) -> None:
    database.execute("delete from account_grants")
    database.execute("update group_grants set scope = 'owner:2'")
    seen = tried(database, VIEWER, "select id from brokerage_accounts")
    assert seen == [(2,)]
    database.execute(
        "update group_grants set scope = 'env:' || (select environment from brokerage_accounts where id = 1)"
    )
    assert tried(database, TRADER, "select distinct account_id from fills") == [(1,)]
