"""A wire that can be spoiled: a TCP proxy on loopback between a bot and whatever it talks to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["pass", "hold answers", "hold"]
LINGER_0 = struct.pack("ii", 1, 0)  # close sends RST


@dataclass
class Wire:
    """Listens on `port`, forwards to `target`. `mode` may change while connections live."""

    target: tuple[str, int]
    port: int = 0
    mode: Mode = "pass"
    delay_s: float = 0.0
    _lines: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Close every connection, as a fallen line does in the end."""
        self._end(b"")

    def reset(self) -> None:
        """Reset every connection."""
        self._end(LINGER_0)

    def close(self) -> None:
        self._door.close()
        self.cut()

    def _end(self, linger: bytes) -> None:
        lines, self._lines = self._lines, []
        for near, far in lines:
            for one in (near, far):
                with contextlib.suppress(OSError):
                    if linger:
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        one.close()
                    else:
                        one.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
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
