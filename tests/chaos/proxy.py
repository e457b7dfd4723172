"""A wire that can be spoiled: a TCP proxy on loopback between a bot and whatever it talks to."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["pass", "hold answers", "hold"]
NOBODY = bytes(16)  # a sockaddr of no family: connecting there drops the connection by RST, whoever waits on it


@dataclass
class Wire:
    """Listens on `port`, forwards to `target`. `mode` may change while connections live."""

    target: tuple[str, int]
    port: int = 0
    mode: Mode = "pass"
    delay_s: float = 0.0
    _lines: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Listen; after `shut`, on the same port again."""
        self._door = socket.create_server(("127.0.0.1", self.port))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._serve, args=(self._door,), daemon=True).start()

    def shut(self) -> None:
        """Nobody listens any more, and every connection is gone."""
        self._door.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._door.close()
        self.reset()

    def cut(self) -> None:
        """Close every connection, as a fallen line does in the end."""
        self._end(lambda one: one.shutdown(socket.SHUT_RDWR))

    def reset(self) -> None:
        """Reset every connection."""
        self._end(_reset)

    def close(self) -> None:
        self._door.close()
        self.cut()

    def _end(self, how: Callable[[socket.socket], object]) -> None:
        lines, self._lines = self._lines, []
        for near, far in lines:
            for one in (near, far):
                with contextlib.suppress(OSError):
                    how(one)

    def _serve(self, door: socket.socket) -> None:
        while True:
            try:
                near, _ = door.accept()
                far = socket.create_connection(self.target)
            except OSError:
                return
            self._lines.append((near, far))
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.delay_s:
                    time.sleep(self.delay_s)
                if self.mode == "hold" or (answers and self.mode == "hold answers"):
                    continue  # swallowed: both ends believe in the connection
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


def _reset(one: socket.socket) -> None:
    """Closing would not: a thread that waits in recv holds the socket open."""
    ctypes.CDLL(None).connect(one.fileno(), NOBODY, len(NOBODY))
