"""Signs of life, leases and the facts of a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, delete, func, select, update

from shared.models import BotVitals, BrokerageAccount, Heartbeat, Host, Lease, Meta
from shared.store.sync import insert_of

IDLE_IN_TRANSACTION_MS = 5000
_BEAT = "beat:"  # facts: the last sign of life of a program of a host


@dataclass(frozen=True, slots=True)
class Desired:
    """What the console wants of an account, in one cheap row."""

    enabled: bool
    config_version: int
    desired_generation: int
    armed_until: datetime | None
    archived: bool


def desired(session: Session, account_id: int) -> Desired | None:
    """The account's versioned row, polled by its bot each second; None when there is no such account."""
    row = session.exec(
        select(  # type: ignore[call-overload]
            BrokerageAccount.enabled,
            BrokerageAccount.config_version,
            BrokerageAccount.desired_generation,
            BrokerageAccount.armed_until,
            col(BrokerageAccount.archived_at).is_not(None),
        ).where(BrokerageAccount.id == account_id)
    ).first()
    return None if row is None else Desired(*row)


def beat(session: Session, heartbeat: Heartbeat) -> None:
    """Write the bot's heartbeat and repeat its state on the account row."""
    row = {name: getattr(heartbeat, name) for name in Heartbeat.model_fields}
    statement = insert_of(session)(Heartbeat.__table__).values(row)  # type: ignore[attr-defined]
    session.execute(statement.on_conflict_do_update(index_elements=["account_id"], set_=row))
    told = {"last_heartbeat": heartbeat.at, "health_status": heartbeat.state, "health_reason": heartbeat.reason}
    session.execute(update(BrokerageAccount).where(col(BrokerageAccount.id) == heartbeat.account_id).values(told))


def change_number(session: Session, account_id: int) -> int:
    """The last change number the account's bot wrote; the next process goes on from it."""
    row = session.get(Heartbeat, account_id)
    return 0 if row is None else row.change_number


def moved(session: Session, account_id: int, number: int) -> None:
    """Say in the rows' own transaction that something changed; the next heartbeat is up to two seconds away."""
    session.execute(update(Heartbeat).where(col(Heartbeat.account_id) == account_id).values(change_number=number))


def forget_vitals(session: Session, account_id: int, before: datetime) -> None:
    """Remove a bot's five-minute rows of long ago."""
    session.execute(delete(BotVitals).where(col(BotVitals.account_id) == account_id, col(BotVitals.at) < before))


def set_health(session: Session, account_id: int, status: str, reason: str) -> None:
    """Record a state that no heartbeat will tell: parked, held, fatal, blocked before start."""
    account = session.get(BrokerageAccount, account_id)
    if account is not None:
        account.health_status, account.health_reason = status, reason


def beat_of(session: Session, account_id: int) -> Heartbeat | None:
    return session.get(Heartbeat, account_id)


def all_beats(session: Session) -> list[Heartbeat]:
    return list(session.exec(select(Heartbeat)))


def take_lease(session: Session, now: datetime, *, name: str, holder: str, ttl_s: int, force: bool) -> Lease | None:
    """Take or renew a lease; a new holder gets a higher epoch. None: another holder's lease still runs.

    `force` takes a running lease over: for `failover: pinned`, where the host's file lock is the fence.
    """
    lease = session.exec(select(Lease).where(Lease.name == name).with_for_update()).first()
    if lease is None:
        lease = Lease(name=name, holder=holder, epoch=1, acquired_at=now, renewed_at=now, ttl_s=ttl_s)
    elif lease.holder == holder:
        lease.renewed_at = now
    elif force or lease.renewed_at + timedelta(seconds=lease.ttl_s) < now:
        lease.holder, lease.epoch, lease.acquired_at, lease.renewed_at = holder, lease.epoch + 1, now, now
        lease.ttl_s = ttl_s
    else:
        return None
    session.add(lease)
    session.flush()
    return lease


def renew_lease(session: Session, now: datetime, *, name: str, holder: str, epoch: int) -> bool:
    """Renew; False when another holder or epoch has it now."""
    lease = session.exec(select(Lease).where(Lease.name == name).with_for_update()).first()
    if lease is None or lease.holder != holder or lease.epoch != epoch:
        return False
    lease.renewed_at = now
    return True


def release_lease(session: Session, *, name: str, holder: str, epoch: int) -> None:
    """Give a lease back; it keeps the name of the host ("host:", no process), and the epoch still grows."""
    lease = session.get(Lease, name)
    if lease is not None and lease.holder == holder and lease.epoch == epoch:
        lease.holder = holder.rsplit(":", 1)[0] + ":"


def give_up_lease(session: Session, name: str) -> Lease | None:
    """Let any host take the lease: a person says that the last one no longer acts. The epoch still grows."""
    lease = session.exec(select(Lease).where(Lease.name == name).with_for_update()).first()
    if lease is not None:
        lease.holder = ""
    return lease


def leases(session: Session, prefix: str) -> dict[str, Lease]:
    """All leases whose name begins with `prefix`, by name."""
    return {row.name: row for row in session.exec(select(Lease).where(col(Lease.name).startswith(prefix)))}


def store_time(session: Session, own: datetime) -> datetime:
    """The store's clock, which all hosts share; a store without one (a file of this machine) has ours.

    The server also ends this transaction should its client stand still: a frozen host must not keep the lease's row.
    """
    if session.get_bind().dialect.name != "postgresql":
        return own
    quiet = func.set_config("idle_in_transaction_session_timeout", str(IDLE_IN_TRANSACTION_MS), True)
    found: datetime = session.execute(select(func.clock_timestamp(), quiet)).one()[0]
    return found


def lease_of(session: Session, name: str) -> Lease | None:
    return session.get(Lease, name)


def see_host(
    session: Session, now: datetime, *, name: str, group: str, programs: dict[str, Any], revision: str = "",
    skew_s: float = 0.0,
) -> None:  # fmt: skip
    """Record that fleet of this host is alive, what supervisord says of its programs, and for which schema they were made."""
    session.merge(Host(name=name, seen_at=now, host_group=group, programs=programs, revision=revision, skew_s=skew_s))


def hosts(session: Session) -> list[Host]:
    return list(session.exec(select(Host).order_by(col(Host.name))))


def say_alive(session: Session, now: datetime, program: str, host: str) -> None:
    """The sign of life of a program that is no bot."""
    set_fact(session, f"{_BEAT}{program}@{host}", now.isoformat())


def alive_at(session: Session, program: str, host: str) -> datetime | None:
    """When `program` of `host` gave its last sign of life; None: never."""
    said = fact(session, f"{_BEAT}{program}@{host}")
    return None if said is None else datetime.fromisoformat(said)


def fact(session: Session, name: str) -> str | None:
    row = session.get(Meta, name)
    return row.value if row is not None else None


def set_fact(session: Session, name: str, value: str) -> None:
    session.merge(Meta(name=name, value=value))
