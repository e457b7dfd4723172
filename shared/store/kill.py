"""Kill switch rows: one for all accounts, one per group (an environment, an owner), one per account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, cast, func, insert, or_, select, update

from shared import tables
from shared.db import Record, Store
from shared.domain.bot_state import KillLevel

_k, _a = tables.kill_switches.c, tables.accounts.c
_OVER = or_(
    _k.scope == "all",
    _k.scope == "env:" + _a.environment,
    _k.scope == "owner:" + cast(_a.owner_id, String),
    _k.scope == "account:" + cast(_a.id, String),
)
HIGHEST = select(func.coalesce(func.max(_k.level), 0)).where(_OVER).correlate(tables.accounts).scalar_subquery()
_OF_ACCOUNT = select(HIGHEST).select_from(tables.accounts).where(_a.id == bindparam("account"))
_OF_ALL = select(func.coalesce(func.max(_k.level), 0)).where(_k.scope == "all")


def scope_of(account_id: int | None, group: str = "") -> str:
    """The scope's name: one account, a group ("env:LIVE", "owner:3"), or all."""
    return f"account:{account_id}" if account_id is not None else group or "all"


def scopes_over(account: Any) -> tuple[str, ...]:
    """Every scope whose level holds for the account, a row of accounts."""
    return ("all", f"env:{account.environment}", f"owner:{account.owner_id}", f"account:{account.id}")


def level_over(store: Store, account_id: int) -> KillLevel:
    """The highest level that the store sets for the account, by any scope; of an account that is not there, for all."""
    level = store.execute(_OF_ACCOUNT, {"account": account_id}).scalar()
    return KillLevel(store.execute(_OF_ALL).scalar_one() if level is None else level)


def switches(store: Store) -> list[Record]:
    return list(store.execute(select(tables.kill_switches)))


def level_of(store: Store, account_id: int | None, group: str = "") -> KillLevel:
    """The level set for exactly this scope; RUN when nothing was ever set."""
    row = _row(store, scope_of(account_id, group))
    return KillLevel(row.level) if row is not None else KillLevel.RUN


def set_level(
    store: Store, now: datetime, *, account_id: int | None, level: KillLevel, reason: str, by: str, group: str = ""
) -> None:
    scope = scope_of(account_id, group)
    told = {"level": int(level), "reason": reason, "changed_by": by, "changed_at": now}
    if _row(store, scope) is None:
        store.execute(insert(tables.kill_switches).values({"scope": scope, "account_id": account_id, **told}))
    else:
        store.execute(update(tables.kill_switches).where(_k.scope == scope).values(told))


def raise_level(store: Store, now: datetime, *, account_id: int | None, level: KillLevel, reason: str, by: str) -> None:
    """Raise the scope to `level`; one that stands higher stays."""
    if level_of(store, account_id) < level:
        set_level(store, now, account_id=account_id, level=level, reason=reason, by=by)


def _row(store: Store, scope: str) -> Record | None:
    # Locked until commit: two people raising at once end at the higher level, not at the later one.
    return store.execute(select(tables.kill_switches).where(_k.scope == scope).with_for_update()).first()
