"""What a bot runs by, as rows: its account, the rules in force and the versions that its positions keep."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from shared import tables
from shared.db import Record, Store
from shared.domain.order_state import OrderStatus

NEVER_SENT = (OrderStatus.PENDING, OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)

_rule, _version, _order = tables.rules.c, tables.rule_versions.c, tables.orders.c


def account(store: Store, account_id: int) -> Record | None:
    return store.execute(select(tables.accounts).where(tables.accounts.c.id == account_id)).first()


def key_stamp(store: Store, account_id: int) -> str:
    """Changes when the account's keys are entered anew; empty without keys."""
    key = tables.credentials.c
    row = store.execute(select(key.key_hash, key.updated_at).where(key.account_id == account_id)).first()
    return "" if row is None else f"{row.key_hash}:{row.updated_at.isoformat()}"


def live_rules(store: Store, account_id: int) -> list[Record]:
    """The account's rules that are not archived."""
    own = select(tables.rules).where(_rule.account_id == account_id, _rule.archived_at.is_(None))
    return list(store.execute(own.order_by(_rule.id)))


def rule(store: Store, rule_id: int) -> Record | None:
    return store.execute(select(tables.rules).where(_rule.id == rule_id)).first()


def version(store: Store, version_id: int) -> Record | None:
    return store.execute(select(tables.rule_versions).where(_version.id == version_id)).first()


def governing(store: Store, rule_id: int, version_id: int) -> Record | None:
    """The version that judges a position opened with `version_id`: its own, or the newest later one saved for it too."""
    opened = version(store, version_id)
    if opened is None:
        return None
    later = select(tables.rule_versions).where(
        _version.rule_id == rule_id, _version.number > opened.number, _version.also_open
    )
    return store.execute(later.order_by(_version.number.desc()).limit(1)).first() or opened


def first_trade_date(store: Store, account_id: int) -> str | None:
    """The ISO trade date of the first order that reached the broker, or may have; None when there was none."""
    never = [one.value for one in NEVER_SENT]
    query = select(func.min(_order.trade_date)).where(
        _order.account_id == account_id, _order.trade_date != "", _order.status.not_in(never)
    )
    first: str | None = store.execute(query).scalar_one()
    return first


def paused_jobs_of(store: Store, account_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """The same for several accounts, those without one too."""
    paused, found = tables.paused_jobs.c, {one: set[str]() for one in account_ids}
    for account_id, job in store.execute(select(paused.account_id, paused.job).where(paused.account_id.in_(found))):
        found[account_id].add(job)
    return {one: frozenset(jobs) for one, jobs in found.items()}


def paused_jobs(store: Store, account_id: int) -> frozenset[str]:
    """Jobs that a person lets pass; account 0 is the desk."""
    paused = tables.paused_jobs.c
    return frozenset(store.execute(select(paused.job).where(paused.account_id == account_id)).scalars())
