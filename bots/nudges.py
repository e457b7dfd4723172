"""The bot's door for nudges: an empty datagram on its unix socket means "look into the store now"."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


async def listen(path: Path, heard: Callable[[], None]) -> None:
    """Call `heard` for each datagram until cancelled; a lost one costs one poll."""
    loop = asyncio.get_running_loop()
    with _door(path) as door:
        while True:
            await loop.sock_recv(door, 64)
            heard()


@contextmanager
def _door(path: Path) -> Iterator[socket.socket]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.setblocking(False)
        door.bind(str(path))
        path.chmod(0o600)
        try:
            yield door
        finally:
            path.unlink(missing_ok=True)
