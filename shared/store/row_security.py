"""Row-level security of a Supabase project: who may touch which table with which key. Everything not named is closed.

The desk's own programs connect as the owner of the tables and are not bound by this; people and Edge Functions come
through PostgREST as `anon`, `authenticated` (a user of Supabase Auth, linked by `users.auth_uid`) or `service_role`.
Configuration is never written by that road: rules, limits and keys have one door each, with its checks and its audit.

A change here needs a revision of its own in shared/migrations (it may be empty): that is how a project in use learns of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

ROLES = ("anon", "authenticated", "service_role")
FUNCTIONS = Path(__file__).with_name("row_security.sql")

_ACTS = "(select desk.my_role()) in ('Trader', 'Admin')"
_ADMIN = "(select desk.my_role()) = 'Admin'"
_SIGNED_IN = "(select desk.my_role()) is not null"
_GRANTED = "account_id in (select desk.my_accounts())"
_GRANTED_OR_DESK = f"{_SIGNED_IN} and (account_id is null or {_GRANTED})"
_GRANTED_OR_ZERO = f"{_SIGNED_IN} and (account_id = 0 or {_GRANTED})"  # 0 is the desk itself, where jobs are meant


@dataclass(frozen=True, slots=True)
class Access:
    """What the keys of a project may do with one table; None: nothing at all."""

    reads: str | None  # which rows a signed-in user sees
    columns: str = ""  # only these, for any key; "": all
    writes: tuple[tuple[str, str, str], ...] = ()  # a signed-in user: (INSERT | UPDATE, columns, which rows)
    service: tuple[str, ...] = ("SELECT",)  # privileges of the service key


CLOSED = Access(None, service=())

TABLES: dict[str, Access] = {
    "account_grants": Access(f"user_id = (select desk.my_id()) or {_ADMIN}"),
    "alembic_version": CLOSED,
    "alert_deliveries": Access(_ADMIN, service=("SELECT", "INSERT")),
    "alerts": Access(
        _GRANTED_OR_DESK,
        writes=(("UPDATE", "acknowledged_at", f"{_ACTS} and ({_GRANTED_OR_DESK})"),),
        service=("SELECT", "UPDATE (claimed_by, claimed_at, delivered_at)"),
    ),
    "api_credentials": CLOSED,
    "api_tokens": CLOSED,
    "audit_logs": Access(_ADMIN),
    "backtest_runs": Access(f"requested_by = 'user:' || (select desk.my_id()) or {_ADMIN}"),
    "bot_vitals": Access(_GRANTED),
    "broker_tokens": CLOSED,
    "brokerage_accounts": Access("id in (select desk.my_accounts())"),
    "cash_balances": Access(_GRANTED),
    "cash_flows": Access(_GRANTED),
    "commands": Access(_GRANTED, writes=(("INSERT", "account_id, kind, key", f"{_ACTS} and {_GRANTED}"),)),
    "decisions": Access(_GRANTED),
    "equity_snapshots": Access(_GRANTED),
    "execution_logs": Access(_GRANTED),
    "fee_contracts": Access(_GRANTED),
    "fills": Access(_GRANTED),
    "fx_rates": Access(_SIGNED_IN),
    "group_grants": Access(f"user_id = (select desk.my_id()) or {_ADMIN}"),
    "heartbeats": Access(_GRANTED),
    "hosts": Access(_ADMIN),
    "instruments": Access(_SIGNED_IN),
    "job_runs": Access(_GRANTED_OR_DESK),
    "kill_switches": Access(
        _GRANTED_OR_DESK,
        writes=(
            ("INSERT", "scope, account_id, level, reason", f"{_ACTS} and ({_GRANTED_OR_DESK})"),
            ("UPDATE", "level, reason", f"{_ACTS} and ({_GRANTED_OR_DESK})"),
        ),
    ),
    "leases": Access(_ADMIN),
    "meta": CLOSED,
    "order_events": Access(_GRANTED),
    "orders": Access(_GRANTED),
    "owners": Access("id in (select desk.my_owners())"),
    "paused_jobs": Access(_GRANTED_OR_ZERO),
    "period_profits": Access(_GRANTED),
    "positions": Access(_GRANTED),
    "price_bars": Access(_SIGNED_IN),
    "profit_rollups": Access(_GRANTED),
    "proposals": Access(_GRANTED),
    "quotes": Access(_SIGNED_IN),
    "readiness": Access(_GRANTED),
    "recovery_codes": CLOSED,
    "rule_versions": Access("rule_id in (select desk.my_rules())"),
    "scheduled_jobs": Access(_GRANTED_OR_ZERO),
    "second_looks": Access(_ADMIN),
    "sessions": CLOSED,
    "strategy_signals": Access(_GRANTED),
    "telegram_links": CLOSED,
    "trade_rules": Access(_GRANTED),
    "users": Access(
        f"id = (select desk.my_id()) or {_ADMIN}",
        columns="id, email, name, role, lang, auth_uid, disabled_at, created_at",
    ),
    "webhooks": CLOSED,
}


def statements(tables: list[str]) -> Iterator[str]:
    """Everything that puts these tables under row-level security; run again, it changes nothing.

    Functions come first, then each table is emptied of policies and grants and given its own.
    """
    yield from split(FUNCTIONS.read_text(encoding="utf-8"))
    for table in sorted(tables):
        yield from close(table)
        yield from _open(table, TABLES.get(table, CLOSED))


def close(table: str) -> Iterator[str]:
    """No key of the project reaches the table any more."""
    yield f"alter table public.{table} enable row level security"
    yield f"revoke all on table public.{table} from {', '.join(ROLES)}"


def _open(table: str, access: Access) -> Iterator[str]:
    if access.reads is not None:
        shown = f" ({access.columns})" if access.columns else ""
        yield f"grant select{shown} on table public.{table} to authenticated"
        yield from _policy(table, "read", f"for select to authenticated using ({access.reads})")
    for verb, columns, rows in access.writes:
        yield f"grant {verb.lower()} ({columns}) on table public.{table} to authenticated"
        check = f"with check ({rows})"
        using = f"using ({rows}) {check}" if verb == "UPDATE" else check
        yield from _policy(table, verb.lower(), f"for {verb.lower()} to authenticated {using}")
    for privilege in access.service:
        shown = f" ({access.columns})" if access.columns and privilege == "SELECT" else ""
        yield f"grant {privilege.lower()}{shown} on table public.{table} to service_role"
    if access.service:
        yield from _policy(table, "service", "for all to service_role using (true) with check (true)")
    takers = ["authenticated"] * any(verb == "INSERT" for verb, _, _ in access.writes)
    takers += ["service_role"] * ("INSERT" in access.service)
    if takers:
        yield f"grant usage on sequence public.{table}_id_seq to {', '.join(takers)}"


def _policy(table: str, name: str, text: str) -> Iterator[str]:
    yield f"drop policy if exists desk_{name} on public.{table}"
    yield f"create policy desk_{name} on public.{table} {text}"


def split(script: str) -> list[str]:
    """Statements of a script without comments; `;` inside $$ … $$ does not end one."""
    bare = re.sub(r"(?m)^--.*\n", "", script)
    parts = re.findall(r"(?:\$\$.*?\$\$|[^;$])+", bare, re.S)
    return [part.strip() for part in parts if part.strip()]


def is_supabase(connection: Connection) -> bool:
    """Tell whether the database has Supabase's roles and `auth.uid()`."""
    if connection.dialect.name != "postgresql":
        return False
    names = ", ".join(f"'{role}'" for role in ROLES)
    found = connection.exec_driver_sql(
        f"select count(*) = {len(ROLES)} and to_regprocedure('auth.uid()') is not null "
        f"from pg_roles where rolname in ({names})"
    )
    return bool(found.scalar())


def apply(connection: Connection) -> None:
    """Put every table of `public` that is ours under row-level security, in the caller's transaction."""
    found = connection.exec_driver_sql("select tablename from pg_tables where schemaname = 'public'").scalars()
    for statement in statements([name for name in found if name in TABLES]):
        connection.exec_driver_sql(statement)


def lift_policies(connection: Connection) -> None:
    """Remove the policies: the tables stay shut to every key, and their columns may change."""
    found = connection.exec_driver_sql(
        "select policyname, tablename from pg_policies where schemaname = 'public' and starts_with(policyname, 'desk_')"
    )
    for name, table in list(found):
        connection.exec_driver_sql(f"drop policy {name} on public.{table}")


def gaps(connection: Connection) -> list[str]:
    """What keeps a project from being ready, in words: tables without row-level security, grants that nobody meant."""
    found = [
        f"{table}: no row-level security"
        for table in connection.exec_driver_sql(
            "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace "
            "and c.relkind in ('r', 'p') and not c.relrowsecurity order by 1"
        ).scalars()
    ]
    held = connection.exec_driver_sql(
        "select table_name, grantee, privilege_type from information_schema.role_table_grants "
        "where table_schema = 'public' and grantee in ('anon', 'authenticated', 'service_role') order by 1, 2, 3"
    )
    for table, grantee, privilege in held:
        if table in TABLES and privilege not in _meant(TABLES[table], grantee):
            found.append(f"{table}: {grantee} holds {privilege}")
    policies = {
        (table, name)
        for table, name in connection.exec_driver_sql(
            "select tablename, policyname from pg_policies where schemaname = 'public'"
        )
    }
    found += [
        f"{table}: the policy {name} is not ours" for table, name in sorted(policies) if not name.startswith("desk_")
    ]
    found += [
        f"{table}: no policy lets its readers in"
        for table, access in TABLES.items()
        if access.reads is not None and (table, "desk_read") not in policies
    ]
    return found


def _meant(access: Access, grantee: str) -> set[str]:
    """Privileges on the whole table that a role is given by plan (column grants stand elsewhere)."""
    if access.columns or grantee == "anon":
        return set()
    if grantee == "authenticated":
        return {"SELECT"} if access.reads is not None else set()
    return set(access.service)
