"""Watchdog: supervisord's event listener. Kills the silent, parks the looping; starts nothing. `python -m bots.watchdog`

A bot touches `run/bot-<id>.alive` with each heartbeat, store or no store. One that runs and has been silent is killed
(supervisord restarts it). Five unexpected exits in ten minutes, or supervisord's own FATAL, park the account: it stays
down until a person acts. While all this can be done and nothing is silent, a service outside may be told so.
"""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from supervisor import childutils

from bots.lease import host_name
from bots.outside_alarm import OutsideAlarm
from bots.supervision import Supervisor, SupervisorAway, account_of, program_name
from shared.clock import Clock, SystemClock
from shared.config import ROOT, load_settings
from shared.db import open_engine, writing
from shared.logs import configure, log, readable
from shared.store import accounts, alerts, heartbeats

LOOP_EXITS, LOOP_WINDOW_S = 5, 600.0
SILENT_S = 15.0
LOGS = ROOT / "var" / "log"  # where supervisord keeps them (bots/supervision.py)
TAIL_LINES, TAIL_WIDTH, TAIL_BYTES = 25, 300, 16_384
FLEET_SILENT_S = 30.0
GRACE_S = 25.0  # after a start, before silence counts: recovery reads the broker first


class ExitCounter:
    """Unexpected exits per account, over a sliding window of monotonic time."""

    def __init__(self) -> None:
        self._times: defaultdict[int, deque[float]] = defaultdict(deque)

    def add(self, account_id: int, at: float) -> bool:
        """Count one exit; True when the account loops."""
        times = self._times[account_id]
        times.append(at)
        while times and times[0] < at - LOOP_WINDOW_S:
            times.popleft()
        if len(times) < LOOP_EXITS:
            return False
        times.clear()
        return True


def last_lines(account_id: int, folder: Path = LOGS) -> list[str]:
    """The end of the bot's log, for the post-mortem; [] when there is none."""
    try:
        with (folder / f"{program_name(account_id)}.log").open("rb") as file:
            file.seek(max(file.seek(0, 2) - TAIL_BYTES, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    lines = [part for line in text.splitlines()[-TAIL_LINES:] for part in readable(line)]
    return [line[:TAIL_WIDTH] for line in lines[-TAIL_LINES:]]


class Watchdog:
    def __init__(
        self, engine: Engine, clock: Clock, supervisor: Supervisor, home: Path, outside: OutsideAlarm | None = None
    ) -> None:
        self._engine, self._clock, self._supervisor, self._run = engine, clock, supervisor, home / "run"
        self._outside = outside
        self._host = host_name(home)
        self._exits = ExitCounter()
        self._untold: dict[int, tuple[str, str]] = {}  # account → status and reason the store does not have yet

    def on_event(self, name: str, payload: str) -> None:
        """React to one supervisord event."""
        if name.startswith("TICK"):
            silent = self._kill_silent()
            self._tell_parked()
            alive = self._watch_fleet()
            if self._outside is not None and alive and not silent:
                self._outside.all_well()
            return
        fields = dict(pair.split(":", 1) for pair in payload.split() if ":" in pair)
        account_id = account_of(fields.get("processname", ""))
        if account_id is None:
            return
        if name == "PROCESS_STATE_FATAL":
            self._park(account_id, "FATAL", "failed_starts")
        elif (
            name == "PROCESS_STATE_EXITED"
            and fields.get("expected") == "0"
            and self._exits.add(account_id, self._clock.monotonic())
        ):
            self._supervisor.stop(account_id)
            self._park(account_id, "PARKED", "crash_loop")

    def _kill_silent(self) -> bool:
        """Kill bots that run and say nothing; says whether there was one."""
        found = False
        now = self._clock.wall_now().timestamp()
        for program in self._supervisor.programs().values():
            account_id = account_of(program.name)
            if account_id is None or program.state != "RUNNING" or now - program.started_at < GRACE_S:
                continue
            silent_s = now - max(self._last_sign(account_id), program.started_at)
            if silent_s > SILENT_S:
                log("watchdog", "kill silent", level="error", account_id=account_id, silent_s=round(silent_s))
                self._supervisor.kill(account_id)
                self._tell(account_id, "BOT_SILENT", {"silent_s": round(silent_s)})
                found = True
        return found

    def _watch_fleet(self) -> bool:
        """Say that we are alive, and restart a fleet that is not: each watches the other, the console watches both.

        Says whether the fleet is alive.
        """
        now = self._clock.wall_now()
        with writing(self._engine) as session:
            heartbeats.say_alive(session, now, "watchdog", self._host)
            mine = next((one for one in heartbeats.hosts(session) if one.name == self._host), None)
            silent_s = 0.0 if mine is None else (now - mine.seen_at).total_seconds()
            if silent_s <= FLEET_SILENT_S:
                return True
            alerts.raise_alert(
                session, now, kind="PROGRAM_SILENT", severity="critical", dedup_key=f"PROGRAM_SILENT:fleet@{self._host}",
                params={"program": "fleet", "host": self._host, "silent_s": round(silent_s)},
            )  # fmt: skip
        fleet = self._supervisor.programs().get("fleet")
        if fleet is not None and fleet.state == "RUNNING" and now.timestamp() - fleet.started_at > FLEET_SILENT_S:
            log("watchdog", "kill silent fleet", level="error", silent_s=round(silent_s))
            self._supervisor.kill_program("fleet")
        return False

    def _last_sign(self, account_id: int) -> float:
        try:
            return (self._run / f"bot-{account_id}.alive").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _park(self, account_id: int, status: str, reason: str) -> None:
        log("watchdog", "park", level="error", account_id=account_id, status=status, reason=reason)
        self._untold[account_id] = (status, reason)
        self._tell_parked()

    def _tell_parked(self) -> None:
        """Write what is parked; what a missing store does not take is written at a later tick."""
        for account_id, (status, reason) in list(self._untold.items()):
            with writing(self._engine) as session:
                heartbeats.set_health(session, account_id, status, reason)
                kind = "BOT_FATAL" if status == "FATAL" else "BOT_PARKED"
                self._alert(session, account_id, kind, {"reason": reason, "log": last_lines(account_id)})
            del self._untold[account_id]

    def _tell(self, account_id: int, kind: str, params: dict[str, object]) -> None:
        with writing(self._engine) as session:
            self._alert(session, account_id, kind, params)

    def _alert(self, session: Session, account_id: int, kind: str, params: dict[str, object]) -> None:
        account = accounts.find(session, account_id)
        alerts.raise_alert(
            session,
            self._clock.wall_now(),
            kind=kind,
            severity="critical",
            dedup_key=f"{kind}:{account_id}",
            account_id=account_id,
            params={"nickname": account.nickname if account else str(account_id), **params},
        )


def events() -> Iterable[tuple[str, str]]:
    """supervisord's events, each acknowledged when the loop asks for the next."""
    while True:
        headers, payload = childutils.listener.wait(sys.stdin, sys.stdout)
        yield headers["eventname"], payload
        childutils.listener.ok(sys.stdout)


def main() -> int:
    configure("watchdog")
    settings = load_settings()
    engine = open_engine(settings.database_url, pool_size=1)
    clock, address = SystemClock(), settings.outside_alarm
    outside = None if address is None else OutsideAlarm(address, clock)
    watchdog = Watchdog(engine, clock, Supervisor(), settings.home, outside)
    for name, payload in events():
        try:
            watchdog.on_event(name, payload)
        except (SupervisorAway, SQLAlchemyError) as error:
            # An event lost to a missing store must not cost the next one.
            log("watchdog", "could not act", level="error", about=name, why=str(error)[:200])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
