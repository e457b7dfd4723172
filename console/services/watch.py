"""Who watches the watchers: signs of life of fleet, watchdog and notifier, so that silence is never taken for calm."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from console.services import changes
from console.wiring import Wiring
from shared.db import reading
from shared.models import Host
from shared.store import alerts, heartbeats

SILENT_S = 30.0
FORGOTTEN = timedelta(days=7)  # a host unseen for so long was taken away on purpose
LATE_DELIVERY = timedelta(seconds=60)
DOWN = frozenset({"FATAL", "BACKOFF"})


def silent_programs(wiring: Wiring) -> list[str]:
    """Programs that should watch or tell and do not: "fleet@host", …; empty when all is well, or none was ever seen."""
    return changes.briefly(wiring, "watch", lambda: _all_silent(wiring), at_most_s=1.0)


def _all_silent(wiring: Wiring) -> list[str]:
    now = wiring.clock.wall_now()
    with reading(wiring.engine) as session:
        hosts = [one for one in heartbeats.hosts(session) if now - one.seen_at < FORGOTTEN]
        return [name for host in hosts for name in _silent(session, host, now)]


def _silent(session: Session, host: Host, now: datetime) -> list[str]:
    place = host.name.split("/", 1)[0]
    said = heartbeats.alive_at(session, "watchdog", host.name)
    found = []
    if (now - host.seen_at).total_seconds() > SILENT_S:
        found.append(f"fleet@{place}")
    if said is not None and (now - said).total_seconds() > SILENT_S:
        found.append(f"watchdog@{place}")
    states = {name: str(one.get("state")) for name, one in host.programs.items()}
    found += [f"{name}@{place}" for name, state in states.items() if state in DOWN and not name.startswith("bot-")]
    late = alerts.undelivered(session, limit=1) if states.get("telegram") == "RUNNING" else []
    if late and now - late[0].created_at > LATE_DELIVERY:
        found.append(f"telegram@{place}")
    return found
