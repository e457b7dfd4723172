"""Signs of life, leases and the facts of a store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, literal_column, select, update

from shared import tables
from shared.db import Record, Store, insert_of, on_postgresql

_account, _beat, _lease, _meta = tables.accounts.c, tables.heartbeats.c, tables.leases.c, tables.meta.c
IDLE_IN_TRANSACTION_MS = 5000
_BEAT = "beat:"  # facts: the last sign of life of a program of a host


_SAME_ON_THE_ACCOUNT = (
    update(tables.accounts)
    .where(_account.id == bindparam("of"))
    .values(last_heartbeat=bindparam("heard"), health_status=bindparam("state"), health_reason=bindparam("why"))
)
_RENEW = (
    update(tables.leases)
    .where(_lease.name == bindparam("of"), _lease.holder == bindparam("by"), _lease.epoch == bindparam("under"))
    .values(renewed_at=bindparam("now"))
    .returning(_lease.name)
)
# The server also ends this transaction should its client stand still: a frozen host must not keep the lease's row.
STORE_CLOCK = (
    func.clock_timestamp(),
    func.set_config("idle_in_transaction_session_timeout", str(IDLE_IN_TRANSACTION_MS), True),
)
_STORE_TIME = select(*STORE_CLOCK)
_MOVED = update(tables.heartbeats).where(_beat.account_id == bindparam("of")).values(change_number=bindparam("number"))


def beat(store: Store, row: Mapping[str, Any]) -> None:
    """Write the bot's heartbeat and repeat its state on the account row."""
    store.execute(_beating(insert_of(store)), row)
    told = {"of": row["account_id"], "heard": row["at"], "state": row["state"], "why": row["reason"]}
    store.execute(_SAME_ON_THE_ACCOUNT, told)


@cache
def _beating(insert_row: Any) -> Any:
    names = [column.name for column in tables.heartbeats.columns if column.name != "account_id"]
    changed: dict[str, Any] = {name: literal_column(f"excluded.{name}") for name in names}
    return insert_row(tables.heartbeats).on_conflict_do_update(index_elements=["account_id"], set_=changed)


def change_number(store: Store, account_id: int) -> int:
    """The last change number the account's bot wrote; the next process goes on from it."""
    told = store.execute(select(_beat.change_number).where(_beat.account_id == account_id)).scalars().first()
    return int(told or 0)


def moved(store: Store, account_id: int, number: int) -> None:
    """Say in the rows' own transaction that something changed; the next heartbeat is up to two seconds away."""
    store.execute(_MOVED, {"of": account_id, "number": number})


def forget_vitals(store: Store, account_id: int, before: datetime) -> None:
    """Remove a bot's five-minute rows of long ago."""
    known = tables.vitals.c
    store.execute(delete(tables.vitals).where(known.account_id == account_id, known.at < before))


def set_health(store: Store, account_id: int, status: str, reason: str) -> None:
    """Record a state that no heartbeat will tell: parked, held, fatal, blocked before start."""
    this = update(tables.accounts).where(_account.id == account_id)
    store.execute(this.values(health_status=str(status), health_reason=reason))


def beat_of(store: Store, account_id: int) -> Record | None:
    return store.execute(select(tables.heartbeats).where(_beat.account_id == account_id)).first()


def all_beats(store: Store) -> list[Record]:
    return list(store.execute(select(tables.heartbeats)))


def take_lease(store: Store, now: datetime, *, name: str, holder: str, ttl_s: int, force: bool) -> Record | None:
    """Take or renew a lease; a new holder gets a higher epoch. None: another holder's lease still runs.

    `force` takes a running lease over: for `failover: pinned`, where the host's file lock is the fence.
    """
    lease = store.execute(select(tables.leases).where(_lease.name == name).with_for_update()).first()
    taken: dict[str, Any] = {"holder": holder, "acquired_at": now, "renewed_at": now, "ttl_s": ttl_s}
    if lease is None:
        first = insert(tables.leases).values(name=name, epoch=1, **taken)
        return store.execute(first.returning(*_lease)).one()
    if lease.holder == holder:
        taken = {"renewed_at": now}
    elif force or lease.renewed_at + timedelta(seconds=lease.ttl_s) < now:
        taken["epoch"] = lease.epoch + 1
    else:
        return None
    return store.execute(update(tables.leases).where(_lease.name == name).values(taken).returning(*_lease)).one()


def renew_lease(store: Store, now: datetime, *, name: str, holder: str, epoch: int) -> bool:
    """Renew; False when another holder or epoch has it now."""
    ours = {"of": name, "by": holder, "under": epoch, "now": now}
    return store.execute(_RENEW, ours).first() is not None


def release_lease(store: Store, *, name: str, holder: str, epoch: int) -> None:
    """Give a lease back; it keeps the name of the host ("host:", no process), and the epoch still grows."""
    ours = update(tables.leases).where(_lease.name == name, _lease.holder == holder, _lease.epoch == epoch)
    store.execute(ours.values(holder=holder.rsplit(":", 1)[0] + ":"))


def give_up_lease(store: Store, name: str) -> Record | None:
    """Let any host take the lease: a person says that the last one no longer acts. The epoch still grows."""
    freed = update(tables.leases).where(_lease.name == name).values(holder="")
    return store.execute(freed.returning(*_lease)).first()


def leases(store: Store, prefix: str) -> dict[str, Record]:
    """All leases whose name begins with `prefix`, by name."""
    return {row.name: row for row in store.execute(select(tables.leases).where(_lease.name.startswith(prefix)))}


def store_time(store: Store, own: datetime) -> datetime:
    """The store's clock, which all hosts share; a store without one (a file of this machine) has ours."""
    if not on_postgresql(store):
        return own
    found: datetime = store.execute(_STORE_TIME).one()[0]
    return found


def lease_of(store: Store, name: str) -> Record | None:
    return store.execute(select(tables.leases).where(_lease.name == name)).first()


def see_host(
    store: Store, now: datetime, *, name: str, group: str, programs: dict[str, Any], revision: str = "",
    skew_s: float = 0.0,
) -> None:  # fmt: skip
    """Record that fleet of this host is alive, what supervisord says of its programs, and for which schema they were made."""
    row = {"seen_at": now, "host_group": group, "programs": programs, "revision": revision, "skew_s": skew_s}
    statement = insert_of(store)(tables.hosts).values(name=name, **row)
    store.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))


def hosts(store: Store) -> list[Record]:
    return list(store.execute(select(tables.hosts).order_by(tables.hosts.c.name)))


def say_alive(store: Store, now: datetime, program: str, host: str) -> None:
    """The sign of life of a program that is no bot."""
    set_fact(store, f"{_BEAT}{program}@{host}", now.isoformat())


def alive_at(store: Store, program: str, host: str) -> datetime | None:
    """When `program` of `host` gave its last sign of life; None: never."""
    said = fact(store, f"{_BEAT}{program}@{host}")
    return None if said is None else datetime.fromisoformat(said)


def fact(store: Store, name: str) -> str | None:
    return store.execute(select(_meta.value).where(_meta.name == name)).scalars().first()


def set_fact(store: Store, name: str, value: str) -> None:
    statement = insert_of(store)(tables.meta).values(name=name, value=value)
    store.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
