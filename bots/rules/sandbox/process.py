"""One strategy's child: start it, ask it, end it. Every wait has an end, and what comes back is read as a stranger's.

A question is answered in time or the whole process group is killed. Both forms, `ask` and `ask_soon`, mean the same; the
second leaves the loop free. Children are started from the thread that lives on: the kernel kills them with that thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bots.rules.sandbox import frames
from bots.rules.sandbox.answers import Proposal, read_calls, read_proposal
from bots.rules.sandbox.faults import FenceMissing, StrategyFault
from bots.rules.sandbox.frames import FIRST_CPU_S

ROOT = Path(__file__).resolve().parents[3]
START_S = 10.0  # a busy machine may take seconds to start an interpreter
LOAD_S = 2.0  # the module's own lines
_START = "import sys; sys.path.insert(0, {root!r}); from bots.rules.sandbox.child import main; main({parent})"
# What happens to a set's order must be the same live and in every backtest; the child clears even this.
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}


class Child:
    """A running strategy. One question at a time."""

    def __init__(self, source: str, params: dict[str, float]) -> None:
        self.source, self.params = source, params
        self.fence = ""
        self.calls: frozenset[str] = frozenset()
        self._lines = source.count("\n") + 1
        self._process: subprocess.Popen[bytes] | None = None
        self._read = self._write = -1
        self._asked = 0
        self._got = b""
        self._busy_s = 0.0
        self._cpu_s = FIRST_CPU_S

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    # -- waiting for the answer ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the child behind its fence and load the source. Raises FenceMissing, StrategyFault."""
        try:
            self._spawn()
            self._take_fence(self._exchange(b"", START_S))
            self._take_calls(self._exchange(self._load_question(), LOAD_S))
        except BaseException:
            self.end()
            raise

    def ask(self, question: dict[str, Any], deadline_s: float) -> Proposal:
        """Return what the strategy proposes. Raises StrategyFault; the child is gone then unless it merely raised."""
        try:
            return self._judged(self._exchange(self._question(question), deadline_s))
        except StrategyFault as fault:
            self._after(fault)
            raise

    # -- with a loop that goes on -------------------------------------------------------------------------------------

    async def start_soon(self) -> None:
        """As `start`, without holding the loop."""
        try:
            self._spawn()
            self._take_fence(await self._exchange_soon(b"", START_S))
            self._take_calls(await self._exchange_soon(self._load_question(), LOAD_S))
        except BaseException:
            self.end()
            raise

    async def ask_soon(self, question: dict[str, Any], deadline_s: float) -> Proposal:
        """As `ask`, without holding the loop."""
        try:
            return self._judged(await self._exchange_soon(self._question(question), deadline_s))
        except StrategyFault as fault:
            self._after(fault)
            raise
        except asyncio.CancelledError:
            self.end()  # a question is open: its answer would be read as the next one's
            raise

    def end(self) -> None:
        """Kill the child with its group; nothing of it stays. A child that the kernel is slow to bury is left to it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        os.close(self._read)
        os.close(self._write)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)

    # -- questions ----------------------------------------------------------------------------------------------------

    def _question(self, question: dict[str, Any]) -> bytes:
        self._asked += 1
        return frames.pack({"id": self._asked} | question)

    def _load_question(self) -> bytes:
        return self._question({"call": "load", "source": self.source, "params": self.params})

    def _take_fence(self, body: bytes) -> None:
        """The child is still ours here: its word counts, and the kernel's own is asked beside it."""
        told = frames.read(body)
        if "missing" in told:
            raise FenceMissing(str(told["missing"]))
        self.fence = str(told.get("fence", ""))
        if not self.fence or not _kernel_agrees(self.pid or 0):
            raise FenceMissing("seccomp")

    def _take_calls(self, body: bytes) -> None:
        self.calls = read_calls(body, self._asked, self._lines)
        if not self.calls & {"on_bar", "on_tick"}:
            raise StrategyFault("no_calls")

    def _judged(self, body: bytes) -> Proposal:
        return read_proposal(body, self._asked, self._lines)

    def _after(self, fault: StrategyFault) -> None:
        """A strategy that raised is asked again with the next bar; any other is gone."""
        if fault.code != "raised":
            self.end()

    # -- the pipe -----------------------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        if sys.platform != "linux":
            raise FenceMissing("Linux")
        theirs_in, ours_out = os.pipe2(os.O_CLOEXEC)
        ours_in, theirs_out = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(ours_in, False)
        os.set_blocking(ours_out, False)
        start = _START.format(root=str(ROOT), parent=os.getpid())
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-s", "-P", "-X", "utf8", "-c", start],
                stdin=theirs_in, stdout=theirs_out, stderr=subprocess.DEVNULL, env=_ENVIRONMENT, cwd="/",
                close_fds=True, start_new_session=True,
            )  # fmt: skip
        except OSError:
            os.close(ours_in)
            os.close(ours_out)
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._read, self._write, self._got = ours_in, ours_out, b""
        self._busy_s, self._cpu_s = 0.0, FIRST_CPU_S

    def _exchange(self, question: bytes, within_s: float) -> bytes:
        began = time.monotonic()
        until = began + within_s
        with selectors.DefaultSelector() as waiting:
            if question:
                waiting.register(self._write, selectors.EVENT_WRITE)
            waiting.register(self._read, selectors.EVENT_READ)
            body = self._take()
            while body is None:
                ready = waiting.select(max(until - time.monotonic(), 0.0))
                if not ready:
                    raise StrategyFault("deadline")
                for key, _ in ready:
                    if key.fd == self._write:
                        question = self._send(question)
                        if not question:
                            waiting.unregister(self._write)
                    else:
                        body = self._take()
        self._count(time.monotonic() - began)
        return body

    async def _exchange_soon(self, question: bytes, within_s: float) -> bytes:
        loop = asyncio.get_running_loop()
        began = loop.time()
        answered: asyncio.Future[bytes] = loop.create_future()
        left = question

        def send() -> None:
            nonlocal left
            left = self._step(answered, lambda: self._send(left)) or b""
            if not left:
                loop.remove_writer(write)

        def take() -> None:
            body = self._step(answered, self._take)
            if body is not None and not answered.done():
                answered.set_result(body)

        read, write = self._read, self._write
        loop.add_reader(read, take)
        if question:
            loop.add_writer(write, send)
        try:
            async with asyncio.timeout(within_s):
                body = await answered
        except TimeoutError:
            raise StrategyFault("deadline") from None
        finally:
            loop.remove_reader(read)
            loop.remove_writer(write)
        self._count(loop.time() - began)
        return body

    @staticmethod
    def _step(answered: asyncio.Future[bytes], work: Callable[[], bytes | None]) -> bytes | None:
        try:
            return work()
        except StrategyFault as fault:
            if not answered.done():
                answered.set_exception(fault)
            return None

    def _send(self, question: bytes) -> bytes:
        try:
            return question[os.write(self._write, question) :]
        except BlockingIOError:
            return question
        except OSError:
            raise self._ended() from None

    def _take(self) -> bytes | None:
        """Return the answer once it is all here; exactly one is due."""
        try:
            part = os.read(self._read, frames.ANSWER_LIMIT + 1)
        except BlockingIOError:
            return None
        if not part:
            raise self._ended()
        self._got += part
        if len(self._got) < frames.HEAD:
            return None
        length = int.from_bytes(self._got[: frames.HEAD], "big")
        if length > frames.ANSWER_LIMIT or len(self._got) > frames.HEAD + length:
            raise StrategyFault("answer_too_big")
        if len(self._got) < frames.HEAD + length:
            return None
        body, self._got = self._got[frames.HEAD :], b""
        return body

    def _ended(self) -> StrategyFault:
        """Why the pipe closed: the kernel stopped the child, or it left."""
        code = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(0.2)
        return StrategyFault("exited" if code is not None and code >= 0 else "stopped")

    def _count(self, busy_s: float) -> None:
        """Grant processor time for what was asked, and no more: between questions a strategy has nothing to do."""
        self._busy_s += busy_s
        granted = FIRST_CPU_S + int(self._busy_s)
        if granted != self._cpu_s and self._process is not None:
            self._cpu_s = granted
            with contextlib.suppress(OSError):
                resource.prlimit(self._process.pid, resource.RLIMIT_CPU, (granted, resource.RLIM_INFINITY))


def _kernel_agrees(pid: int) -> bool:
    """Whether the kernel says of this process that its filters stand."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    told = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return told.get("Seccomp", "").strip() == "2" and told.get("NoNewPrivs", "").strip() == "1"
