"""Fleet: make the programs that run be the programs that people want. `python -m bots.fleet`, one per host.

Acts when an account's `desired_generation` has grown or an enabled account has no program; supervisord restarts the
dead, watchdog parks the looping. A bot stopped by hand is a hold: it is shown and announced, never fought.

Several hosts may share a store. Whose an account is says its lease: it stays with the host that acted last (`pinned`)
until a person gives it up, or goes to another host of its group once the lease has run out (`auto`).
"""

from __future__ import annotations

import contextlib
import json
import signal
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bots import wakes
from bots.desk_jobs import DeskJobs
from bots.desk_schedule import DeskSchedule
from bots.key_testers import KeyTesters
from bots.lease import holds, host_name
from bots.supervision import Program, Supervisor, SupervisorAway, account_of, program_name
from shared import calendars, schema
from shared.clock import Clock, SystemClock
from shared.config import Settings, load_settings
from shared.db import Record, open_engine, reading, writing
from shared.domain.account import Market
from shared.domain.errors import ConfigError
from shared.domain.turns import sessions_of
from shared.logs import configure, log
from shared.models import BrokerageAccount
from shared.store import accounts, alerts, commands, heartbeats
from shared.store.commands import CommandKind

POLL_S = 1.0
CLAIM_AFTER_S = 5.0
WATCHDOG_SILENT_S = 30.0
HOST_SILENT_S, HOST_FORGOTTEN_S = 40.0, 7 * 86400.0
HOST_EVERY = 5  # polls between two host rows
SKEW_S = 2.0  # this host's clock against the store's, past which it takes no account over
STAYS_DOWN = frozenset({"HELD", "PARKED", "FATAL"})  # until a person acts


@dataclass(frozen=True, slots=True)
class Wish:
    """One account as people want it, and what is known of it."""

    account_id: int
    nickname: str
    enabled: bool
    generation: int
    health: str
    here: bool = True  # this host may run it: by lease and by host group


@dataclass(frozen=True, slots=True)
class Step:
    """What fleet does next for one account."""

    account_id: int
    action: str  # start | stop | hold | leave
    generation: int


def plan(wishes: list[Wish], programs: dict[str, Program], acted: dict[int, int]) -> list[Step]:
    """Decide, without acting: `acted` maps account → the last generation carried out on this host."""
    steps = []
    for wish in wishes:
        program = programs.get(program_name(wish.account_id))
        if not wish.here:
            if program is not None and not program.alive:
                steps.append(Step(wish.account_id, "leave", wish.generation))
            continue  # one that still runs here finds out by its lease, and ends by itself
        grown = wish.generation != acted.get(wish.account_id)
        if not wish.enabled:
            if program is not None:
                steps.append(Step(wish.account_id, "stop", wish.generation))
            continue
        never_started = program is None or (program.state == "STOPPED" and program.started_at == 0)
        stays_down = wish.health in STAYS_DOWN
        if grown or (never_started and not stays_down):
            steps.append(Step(wish.account_id, "start", wish.generation))
        elif program is not None and program.state == "STOPPED" and program.started_at > 0 and not stays_down:
            steps.append(Step(wish.account_id, "hold", wish.generation))
    wanted = {program_name(wish.account_id) for wish in wishes}
    for name in programs:
        account_id = account_of(name)
        if account_id is not None and name not in wanted:
            steps.append(Step(account_id, "stop", 0))
    return steps


def may_run(
    row: BrokerageAccount, lease: Record | None, host: str, group: str, now: datetime, claims: bool = True
) -> bool:
    """Tell whether this host may run the account: its own lease, a free one, or one that ran out (`auto`).

    A host that does not claim keeps what it has and takes nothing from another.
    """
    if row.host_group and row.host_group != group:
        return False
    if lease is None or not lease.holder or holds(host, lease.holder):
        return True
    if row.failover != "auto" or not claims:
        return False
    # Given back by another host: that one comes first, a bot stopped there by hand must not come up here.
    waits = timedelta(seconds=CLAIM_AFTER_S if lease.holder.endswith(":") else 0)
    return bool(now > lease.renewed_at + timedelta(seconds=lease.ttl_s) + waits)


class Fleet:
    def __init__(self, settings: Settings, engine: Engine, clock: Clock, supervisor: Supervisor) -> None:
        self._engine, self._clock, self._supervisor = engine, clock, supervisor
        self._host, self._group = host_name(settings.home), settings.host_group
        self._memory = settings.run_dir / "fleet.json"
        self._acted = _remembered(self._memory)  # account id → generation carried out
        self._testers = KeyTesters(clock)
        self._stopped: set[int] = set()  # seen stopped by no wish of ours, one turn ago
        self._turn = 0
        self._skew_s = 0.0  # this host's clock less the store's
        self._behind = False  # another host runs newer programs: accounts move there, never back here

    def turn(self) -> None:
        """Look once at store and supervisord, and act on the difference."""
        with reading(self._engine) as session:
            now = self._store_time(session)
            leases = heartbeats.leases(session, "account:")
            wishes = [
                _wish(row, may_run(row, leases.get(f"account:{row.id}"), self._host, self._group, now, self._claims()))
                for row in accounts.live_accounts(session)
            ]
            asking = commands.accounts_asking(session, CommandKind.TEST_KEY)
        programs = self._supervisor.programs()
        known = {wish.account_id for wish in wishes if wish.here}
        self._testers.tend(one for one in sorted(asking & known) if not _alive(programs, one))
        steps = plan(wishes, programs, self._acted)
        stopped = {step.account_id for step in steps if step.action == "hold"}
        for step in steps:
            if step.action == "hold" and step.account_id not in self._stopped:
                continue  # watchdog may just have stopped it and be about to say why
            self._carry_out(step, {wish.account_id: wish for wish in wishes}.get(step.account_id), programs)
        self._stopped = stopped
        if self._turn % HOST_EVERY == 0:
            states = {
                name: {"state": one.state, "pid": one.pid, "exit": one.exit_status, "text": one.description}
                for name, one in programs.items()
            }
            with writing(self._engine) as session:
                heartbeats.see_host(
                    session, now, name=self._host, group=self._group, programs=states, revision=schema.head(),
                    skew_s=round(self._skew_s, 3),
                )  # fmt: skip
                self._watch_the_watchdog(session)
                self._watch_other_hosts(session, now, wishes, leases)
                self._watch_the_clock(session)
            self._behind = self._newer_host(now)
        self._turn += 1

    def _store_time(self, session: Session) -> datetime:
        """The clock that all hosts share, and how far ours is from it; a slow answer tells nothing of that."""
        before, asked = self._clock.wall_now(), self._clock.monotonic()
        now = heartbeats.store_time(session, before)
        took_s = self._clock.monotonic() - asked
        if took_s < SKEW_S / 2:
            self._skew_s = (before - now).total_seconds() + took_s / 2
        return now

    def _claims(self) -> bool:
        return not self._behind and abs(self._skew_s) <= SKEW_S

    def _newer_host(self, now: datetime) -> bool:
        """Whether the store was upgraded past this program, and a host that was upgraded too is there."""
        found = schema.current(self._engine)
        if found == schema.head():
            return False
        with reading(self._engine) as session:
            newer = [
                host.name
                for host in heartbeats.hosts(session)
                if host.revision == found
                and host.host_group == self._group
                and (now - host.seen_at).total_seconds() <= HOST_SILENT_S
            ]
        if newer and not self._behind:
            log("fleet", "newer programs elsewhere: no account is taken over here", hosts=", ".join(newer))
        return bool(newer)

    def _watch_the_clock(self, session: Session) -> None:
        """A host whose clock is off claims nothing, and says so until it is mended."""
        key = f"CLOCK_SKEW:{self._host}"
        if abs(self._skew_s) > SKEW_S:
            alerts.raise_alert(
                session, self._clock.wall_now(), kind="CLOCK_SKEW", severity="critical", dedup_key=key,
                params={"skew_s": round(self._skew_s, 1), "source": self._host},
            )  # fmt: skip
        elif self._turn:
            alerts.end(session, self._clock.wall_now(), dedup_key=key)

    def _carry_out(self, step: Step, wish: Wish | None, programs: dict[str, Program]) -> None:
        if step.action == "start" and self._testers.busy(step.account_id):
            return  # its key is being tested, under the lock the bot needs: next turn
        log("fleet", step.action, account_id=step.account_id, generation=step.generation)
        if step.action == "leave":
            self._supervisor.remove(step.account_id)
            self._acted.pop(step.account_id, None)
            _remember(self._memory, self._acted)
            return
        if step.action == "stop":
            self._supervisor.remove(step.account_id)
            self._health(step.account_id, "STOPPED", "")
        elif step.action == "hold":
            self._hold(step.account_id, wish.nickname if wish else "")
            return
        else:
            if program_name(step.account_id) not in programs:
                self._supervisor.add(step.account_id)
            self._health(step.account_id, "STARTING", "")
            self._supervisor.start(step.account_id)
        self._acted[step.account_id] = step.generation
        _remember(self._memory, self._acted)

    def _watch_the_watchdog(self, session: Session) -> None:
        """Whoever kills the silent may fall silent himself."""
        said, now = heartbeats.alive_at(session, "watchdog", self._host), self._clock.wall_now()
        if said is None or (now - said).total_seconds() <= WATCHDOG_SILENT_S:
            return
        silent_s = round((now - said).total_seconds())
        log("fleet", "kill silent watchdog", level="error", silent_s=silent_s)
        self._supervisor.kill_program("watchdog")
        alerts.raise_alert(
            session, now, kind="PROGRAM_SILENT", severity="critical", dedup_key=f"PROGRAM_SILENT:watchdog@{self._host}",
            params={"program": "watchdog", "host": self._host, "silent_s": silent_s},
        )  # fmt: skip
        heartbeats.say_alive(session, now, "watchdog", self._host)  # its next silence counts from now

    def _watch_other_hosts(
        self, session: Session, now: datetime, wishes: list[Wish], leases: dict[str, Record]
    ) -> None:
        """A host that says nothing more while accounts are its own: pinned ones wait for a person."""
        for host in heartbeats.hosts(session):
            silent_s = (now - host.seen_at).total_seconds()
            if host.name == self._host or not HOST_SILENT_S < silent_s < HOST_FORGOTTEN_S:
                continue
            theirs = [
                wish.nickname
                for wish in wishes
                if wish.enabled and (row := leases.get(f"account:{wish.account_id}")) and holds(host.name, row.holder)
            ]
            key = f"HOST_SILENT:{host.name}:{host.seen_at.isoformat()}"
            if theirs and not alerts.raised_before(session, key):
                alerts.raise_alert(
                    session, now, kind="HOST_SILENT", severity="critical", dedup_key=key,
                    params={"host": host.name, "silent_s": round(silent_s), "accounts": ", ".join(theirs)},
                )  # fmt: skip

    def close(self) -> None:
        """Stop what fleet itself runs."""
        self._testers.stop()

    def _health(self, account_id: int, status: str, reason: str) -> None:
        with writing(self._engine) as session:
            heartbeats.set_health(session, account_id, status, reason)

    def _hold(self, account_id: int, nickname: str) -> None:
        now = self._clock.wall_now()
        with writing(self._engine) as session:
            account = accounts.find(session, account_id)
            if account is not None and account.health_status in STAYS_DOWN:
                return
            heartbeats.set_health(session, account_id, "HELD", "stopped_by_hand")
            alerts.raise_alert(
                session,
                now,
                kind="BOT_HELD",
                severity="warning",
                dedup_key=f"BOT_HELD:{account_id}",
                account_id=account_id,
                params={"nickname": nickname},
            )


def _alive(programs: dict[str, Program], account_id: int) -> bool:
    program = programs.get(program_name(account_id))
    return program is not None and program.alive


def _wish(row: BrokerageAccount, here: bool) -> Wish:
    return Wish(row.id or 0, row.nickname, row.enabled, row.desired_generation, row.health_status, here)


def _remembered(path: Path) -> dict[int, int]:
    try:
        return {int(key): int(value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


def _remember(path: Path, acted: dict[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(acted), encoding="utf-8")
    fresh.replace(path)


def _desk_schedule(settings: Settings, engine: Engine, clock: Clock) -> DeskSchedule:
    overrides = settings.home / calendars.OVERRIDES_NAME
    known = calendars.load(overrides if overrides.exists() else None)
    jobs = DeskJobs(engine, clock, settings, known)
    sessions = {market: sessions_of(market, known) for market in Market}
    return DeskSchedule(engine, clock, host_name(settings.home), jobs.all(), sessions)


def main() -> int:
    """Run until SIGTERM; 78 when the database is not this program's."""
    configure("fleet")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings()
        engine = open_engine(settings.database_url, pool_size=3)
        schema.require_current(engine)
        schema.tell_served(engine)
        clock = SystemClock()
        fleet = Fleet(settings, engine, clock, Supervisor())
        desk = _desk_schedule(settings, engine, clock)  # an override file that cannot be read is a refusal by name
    except ConfigError as error:
        log("fleet", "refused", level="error", what=error.what, why=error.why, now=error.now)
        return 78
    desk.start()
    heard_at = wakes.address(settings)
    ear = wakes.Ear(heard_at, settings.run_dir) if heard_at is not None else None
    if ear is not None:
        ear.start()
    while not stop.wait(POLL_S):
        try:
            desk.tend()
            fleet.turn()
        except SupervisorAway as error:
            log("fleet", "supervisor away", level="warning", why=str(error))
        except SQLAlchemyError as error:
            # The bots go on by themselves; wishes wait until the store answers again.
            log("fleet", "store away", level="warning", why=type(error).__name__)
    if ear is not None:
        ear.close()
    fleet.close()
    with contextlib.suppress(SQLAlchemyError):  # the lease runs out by itself
        desk.close()
    engine.dispose()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
