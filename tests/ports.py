"""Ports nobody else takes: every worker and every checkout that tests at the same time asks here."""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from shared.config import EXCHANGE_PORTS

_DOORS = Path(tempfile.gettempdir()) / "letstrade-test-ports"
_CONSOLE = 8501
_LOW, _HIGH = range(211, 3_320, 7), range(3_327, 28_000, 23)  # low: no port that the system gives to a caller's end
_KEPT_S = 120  # until the server that was started there has them
_held: list[tuple[float, ExitStack]] = []
_next = itertools.count(os.getpid())


def take_offset() -> int:
    """An offset at which the console's and every exchange port is free and stays ours for two minutes."""
    _DOORS.mkdir(exist_ok=True)
    now = time.monotonic()
    while _held and _held[0][0] < now - _KEPT_S:
        _held.pop(0)[1].close()
    first = next(_next)
    for offset in itertools.chain(*(_shuffled(one, first) for one in (_LOW, _HIGH))):
        taken = _take([port + offset for port in (_CONSOLE, *EXCHANGE_PORTS.values())])
        if taken is not None:
            _held.append((now, taken))
            return offset
    raise AssertionError("no free ports for a local exchange")


def _shuffled(offsets: range, first: int) -> list[int]:
    """Each once, from another one at each call and far from the one before."""
    return [offsets[(first + number) * 131 % len(offsets)] for number in range(len(offsets))]


def _take(ports: list[int]) -> ExitStack | None:
    """Locks on `ports`, none of which anybody listens on; None when one is another's."""
    with ExitStack() as held:
        for port in ports:
            door = held.enter_context((_DOORS / str(port)).open("w"))
            try:
                fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except OSError:
                return None
        return held.pop_all()
