"""Talk to supervisord: XML-RPC over its unix socket, and the program file of each bot."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from shared.config import ROOT
from shared.domain.errors import TradingError

# supervisord.conf includes this folder; it belongs to the checkout, whatever LETSTRADE_HOME says.
PROGRAMS = ROOT / "var" / "supervisor.d"
SOCKET = ROOT / "var" / "run" / "supervisor.sock"

STARTSECS = 10  # an exit before this is a failed start, whatever its code
STOP_WAIT_S = 15  # a bot's own drain takes less

# What a bot need not carry: docstrings (-OO, 7 MB; its bytecode is kept, or each start would compile anew), a heap for
# each thread, idle threads for matrices that it never multiplies (2 MB).
LEAN_PYTHON = ("-OO", "-X", "no_debug_ranges")
LEAN_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}
_PROGRAM = """\
[program:{name}]
command="{python}" {lean} -m bots --account {account_id}
environment={environment}
autostart=false
startsecs={startsecs}
startretries=3
autorestart=unexpected
exitcodes=0,78
stopsignal=TERM
stopwaitsecs={stopwait}
stopasgroup=true
killasgroup=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
redirect_stderr=true
"""


class SupervisorAway(TradingError):
    """supervisord cannot be asked now: it is starting, stopping or gone."""

    code = "supervisor_away"


@dataclass(frozen=True, slots=True)
class Program:
    """One program as supervisord reports it. `started_at` is 0 for one never started since supervisord's own start."""

    name: str
    state: str  # STOPPED STARTING RUNNING BACKOFF STOPPING EXITED FATAL UNKNOWN
    pid: int
    started_at: int
    exit_status: int
    description: str

    @property
    def alive(self) -> bool:
        return self.state in {"STARTING", "RUNNING", "BACKOFF"}


def program_name(account_id: int) -> str:
    return f"bot-{account_id}"


def account_of(name: str) -> int | None:
    """The account id in a bot's program name; None for other programs."""
    number = name.removeprefix("bot-")
    return int(number) if name.startswith("bot-") and number.isdigit() else None


class Supervisor:
    """supervisord on this host. Every call raises SupervisorAway when it cannot answer."""

    def __init__(self, url: str | None = None) -> None:
        socket = url or os.environ.get("SUPERVISOR_SERVER_URL") or f"unix://{SOCKET}"
        self._rpc: Any = ServerProxy("http://127.0.0.1", transport=SupervisorTransport(None, None, socket))

    def programs(self) -> dict[str, Program]:
        """All programs, by name."""
        if self._call("getState")["statename"] != "RUNNING":
            raise SupervisorAway("supervisord is stopping")
        found = {}
        for info in self._call("getAllProcessInfo"):
            found[info["name"]] = Program(
                info["name"], info["statename"], info["pid"], info["start"], info["exitstatus"], info["description"]
            )
        # A program seen STOPPED while supervisord stops was not stopped by a person.
        if self._call("getState")["statename"] != "RUNNING":
            raise SupervisorAway("supervisord is stopping")
        return found

    def add(self, account_id: int) -> None:
        """Make the bot's program known; it does not start by this."""
        name = program_name(account_id)
        PROGRAMS.mkdir(parents=True, exist_ok=True)
        text = _PROGRAM.format(
            name=name,
            python=sys.executable.replace("%", "%%"),
            lean=" ".join(LEAN_PYTHON),
            environment=",".join(f'{key}="{value}"' for key, value in LEAN_ENVIRONMENT.items()),
            account_id=account_id,
            startsecs=STARTSECS,
            stopwait=STOP_WAIT_S,
            logs="var/log",
        )
        (PROGRAMS / f"{name}.conf").write_text(text, encoding="utf-8")
        self._call("reloadConfig")
        self._call("addProcessGroup", name, allowed=(Faults.ALREADY_ADDED,))

    def start(self, account_id: int) -> None:
        name = program_name(account_id)
        self._call("startProcess", f"{name}:{name}", False, allowed=(Faults.ALREADY_STARTED,))

    def stop(self, account_id: int) -> None:
        name = program_name(account_id)
        self._call("stopProcess", f"{name}:{name}", True, allowed=(Faults.NOT_RUNNING, Faults.BAD_NAME))

    def remove(self, account_id: int) -> None:
        """Stop the bot and forget its program."""
        name = program_name(account_id)
        self.stop(account_id)
        self._call("removeProcessGroup", name, allowed=(Faults.BAD_NAME,))
        (PROGRAMS / f"{name}.conf").unlink(missing_ok=True)
        self._call("reloadConfig")

    def kill(self, account_id: int) -> None:
        """SIGKILL a bot that no longer answers; supervisord restarts it."""
        name = program_name(account_id)
        self._call("signalProcess", f"{name}:{name}", "KILL", allowed=(Faults.NOT_RUNNING, Faults.BAD_NAME))

    def kill_program(self, name: str) -> None:
        """SIGKILL a program that is no bot; supervisord restarts it."""
        self._call("signalProcess", name, "KILL", allowed=(Faults.NOT_RUNNING, Faults.BAD_NAME))

    def stop_everything(self) -> None:
        """Stop all programs at once, then supervisord itself (a plain SIGTERM stops them one by one)."""
        self._call("stopAllProcesses", True)
        self._call("shutdown")

    def _call(self, method: str, *arguments: object, allowed: tuple[int, ...] = ()) -> Any:
        try:
            return getattr(self._rpc.supervisor, method)(*arguments)
        except Fault as fault:
            if fault.faultCode in allowed:
                return None
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise SupervisorAway("supervisord is stopping") from fault
            raise SupervisorAway(f"supervisord refused {method}", fault.faultString) from fault
        except (OSError, ValueError) as error:
            raise SupervisorAway("supervisord does not answer", str(error), "start the desk with `make run`") from error


def program_files() -> list[Path]:
    """The bots' program files, for `doctor`."""
    return sorted(PROGRAMS.glob("bot-*.conf"))


def main(arguments: list[str]) -> int:
    """`down`: stop the desk that runs from this checkout, bots first and all at once."""
    if arguments != ["down"]:
        sys.stderr.write("usage: python -m bots.supervision down\n")
        return 2
    try:
        Supervisor().stop_everything()
    except SupervisorAway as error:
        sys.stderr.write(f"{error.what}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
