"""Put the kernel's fence around this very process, and try it. Runs in the child, before a person's code arrives.

In order: limits, die with the parent, no new privileges, Landlock without a single rule, seccomp. Each layer is tried on
its own; what is missing is a refusal, never a lower fence.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from bots.rules.sandbox.filter import ERRNO, KILL, MACHINES, Machine, program
from bots.rules.sandbox.frames import FIRST_CPU_S

MEMORY_BYTES = 256 * 1024 * 1024
_PDEATHSIG, _DUMPABLE, _NO_NEW_PRIVS, _SECCOMP = 1, 4, 38, 22
_FILTER = 2
_RULESET_CREATE, _RESTRICT_SELF = 444, 446  # the same numbers on every processor
_LANDLOCK_VERSION = 1
_FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15}  # rights by ABI; ABI 5 and later: 16


class NoFence(Exception):
    """A layer is missing or does not hold: `layer` names it."""

    def __init__(self, layer: str) -> None:
        super().__init__(layer)
        self.layer = layer


def raise_fence(parent: int) -> str:
    """Fence this process in for good and return the fence's name, e.g. `landlock-7+seccomp`.

    Raises:
        NoFence: nothing a person wrote may run here.
    """
    machine = MACHINES.get(platform.machine())
    if sys.platform != "linux":
        raise NoFence("linux")
    if machine is None:
        raise NoFence("processor")
    libc = ctypes.CDLL(None, use_errno=True)
    _die_with(libc, parent)
    _set_limits()
    abi = _landlock(libc)
    _holds("landlock", {"open": lambda: os.open(__file__, os.O_RDONLY), "list": lambda: next(Path("/").iterdir())})
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # not before: a Landlock ruleset is a descriptor for a moment
    _seccomp(libc, machine, program(machine, ERRNO | errno.EPERM, may_tighten=True))
    _holds("seccomp", _forbidden(libc, parent))
    _seccomp(libc, machine, program(machine, KILL))
    return f"landlock-{abi}+seccomp"


def _die_with(libc: ctypes.CDLL, parent: int) -> None:
    for option, value in ((_PDEATHSIG, signal.SIGKILL), (_DUMPABLE, 0), (_NO_NEW_PRIVS, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise NoFence("no_new_privs")
    if os.getppid() != parent:  # it died before the kernel knew
        os._exit(0)


def _set_limits() -> None:
    """Hard limits; of processor time only the soft one, which the parent alone can move."""
    resource.setrlimit(resource.RLIMIT_CPU, (FIRST_CPU_S, resource.RLIM_INFINITY))
    for name in ("CORE", "FSIZE", "NPROC", "MEMLOCK", "MSGQUEUE", "SIGPENDING"):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _landlock(libc: ctypes.CDLL) -> int:
    """Handle every right that this kernel knows and grant none."""
    abi = int(libc.syscall(_RULESET_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_VERSION))
    if abi < 1:
        raise NoFence("landlock")
    rights = (1 << _FS_BITS.get(abi, 16)) - 1
    attributes = struct.pack("<Q", rights)
    if abi >= 4:
        attributes += struct.pack("<Q", 0b11)  # bind and connect TCP
    if abi >= 6:
        attributes += struct.pack("<Q", 0b11)  # abstract sockets and signals beyond this process
    ruleset = int(libc.syscall(_RULESET_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0))
    if ruleset < 0:
        raise NoFence("landlock")
    if libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
        raise NoFence("landlock")
    os.close(ruleset)
    return abi


def _seccomp(libc: ctypes.CDLL, machine: Machine, code: bytes) -> None:
    held = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: an unsigned short, padding, a pointer
    described = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(held)))
    if libc.syscall(machine.seccomp, 1, 0, described) != 0 and libc.prctl(_SECCOMP, _FILTER, described, 0, 0) != 0:
        raise NoFence("seccomp")


def _forbidden(libc: ctypes.CDLL, parent: int) -> dict[str, Callable[[], object]]:
    """What must fail once the filter stands; each is harmless where it does not."""
    return {
        "open": lambda: os.open("/dev/null", os.O_RDONLY),
        "stat": lambda: Path("/").stat(),
        "pipe": os.pipe,
        "dup": lambda: os.dup(0),
        "tcp": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "unix": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
        "signal": lambda: os.kill(parent, 0),
        "fork": _fork,
        "exec": lambda: os.execve("/nonexistent", ["-"], {}),
        "limits": lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE),
        "memory file": lambda: os.memfd_create("-"),
    }


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _holds(layer: str, forbidden: dict[str, Callable[[], object]]) -> None:
    for attempt in forbidden.values():
        try:
            attempt()
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                continue
        raise NoFence(layer)
