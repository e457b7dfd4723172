"""A real pseudo-terminal with a program in it: what is on the screen, and keys to press."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 180.0  # a bound for what hangs, no measure of speed
_STYLED = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """What a program wrote to its terminal, and its keyboard."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process, self._terminal, self.text = process, terminal, ""

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def until(self, seen: str, *, times: int = 1, after: int = 0) -> str:
        """Read until `seen` stands `times` in what was written since `after`, colours apart; return that."""
        limit = time.monotonic() + PATIENCE_S
        while max(self.text.count(seen, after), _STYLED.sub("", self.text[after:]).count(seen)) < times:
            assert time.monotonic() < limit and self._read(), f"no {seen!r} ×{times} in {self.text[after:]!r}"
        return self.text[after:]

    def end(self) -> int:
        """Read to the program's end; return its exit code."""
        limit = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < limit, self.text
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        if not select.select([self._terminal], [], [], PATIENCE_S)[0]:
            return False
        try:
            more = os.read(self._terminal, 65536)
        except OSError:  # Linux says so when nobody holds the other side any more
            return False
        self.text += more.decode("utf-8", "replace")
        return bool(more)


def _at_the_terminal() -> None:
    """Ctrl-C reaches who runs here, also where these tests themselves were started to ignore it (in the background)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def screen(command: Sequence[str], env: Mapping[str, str], cwd: Path, *, stdout: int | None = None) -> Iterator[Screen]:
    """Run `command` in a terminal of 200 × 50; with `stdout`, only its messages go there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    process = subprocess.Popen(
        list(command), cwd=cwd, env={**env, "TERM": "xterm"}, stdin=theirs, stdout=theirs if stdout is None else stdout,
        stderr=theirs, start_new_session=True, preexec_fn=_at_the_terminal,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Screen(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
