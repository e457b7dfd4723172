"""The child process: fence first, then the strategy's source, then one answer per question until the parent closes.

Started by process.py with an empty environment and fds 0 (questions), 1 (answers), 2 (nowhere). Everything a strategy may use
is imported before the fence stands: nothing can be opened afterwards.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite
from types import FrameType, TracebackType
from typing import Any

from bots.rules.sandbox import offered
from bots.rules.sandbox.fence import NoFence, raise_fence
from bots.rules.sandbox.frames import ANSWER_LIMIT, HEAD, pack
from bots.rules.sandbox.lint import first_finding

FILE = "<strategy>"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Events of the interpreter that an honest strategy never causes: told with their line, where the kernel only kills.
_TOLD = (
    "open", "os.", "socket.", "subprocess.", "ctypes.", "shutil.", "fcntl.", "mmap.", "signal.", "gc.", "tempfile.",
    "glob.", "pathlib.", "resource.", "sys.addaudithook", "sys.settrace", "sys.setprofile", "sys._current_frames",
    "syslog.", "pty.", "marshal.", "pickle.", "_thread.", "import", "code.__new__", "cpython.",
)  # fmt: skip
_HIDDEN = ("eval", "exec", "compile", "open", "input", "breakpoint", "exit", "quit", "help", "memoryview")


class Refused(Exception):
    """Something that is not offered was tried."""


class Strategy:
    """The person's code, its context per symbol, and what it tried without leave."""

    def __init__(self) -> None:
        self.tried: list[tuple[str, int | None]] = []
        self._calls: dict[str, Callable[..., object]] = {}
        self._contexts: dict[str, offered.Context] = {}
        self._histories: dict[str, offered.History] = {}
        self._params: dict[str, float] = {}

    def load(self, source: str, params: dict[str, float]) -> list[str]:
        """Compile and run the module; return the names of the calls it answers."""
        self._params = params
        tree = ast.parse(source, FILE)
        found = first_finding(tree)
        if found is not None:
            self.tried.append(("refused_name", found))
            return []
        code = compile(tree, FILE, "exec", dont_inherit=True)
        known = {name: value for name, value in vars(builtins).items() if name not in _HIDDEN}
        module: dict[str, Any] = {"__builtins__": known | {"__import__": self._import}, "__name__": "strategy"}
        module |= {"Signal": offered.Signal}
        self._watch()
        exec(code, module)
        holder: Any = module
        if isinstance(module.get("Strategy"), type):
            made = module["Strategy"]()
            holder = {name: getattr(made, name) for name in ("on_bar", "on_tick", "on_fill") if hasattr(made, name)}
        self._calls = {name: holder[name] for name in ("on_bar", "on_tick", "on_fill") if callable(holder.get(name))}
        return list(self._calls)

    def answer(self, question: dict[str, Any]) -> tuple[object, dict[str, float]]:
        """Bring the context up to date and ask the strategy."""
        symbol = question["symbol"]
        if question.get("fresh") or symbol not in self._contexts:
            self._histories[symbol] = offered.History()
            self._contexts[symbol] = offered.Context(symbol, self._params, self._histories[symbol])
        ctx = self._contexts[symbol]
        self._histories[symbol].take(question.get("bars", []))
        call = self._calls.get(question["call"])
        if call is None:
            return None, {}
        ctx.now = EPOCH + timedelta(seconds=question["at"])
        ctx.price = question["price"] if question.get("price") is not None else float("nan")
        ctx.minutes_to_close = question.get("minutes_to_close")
        held = question.get("position")
        ctx.position = None if held is None else offered.Position(*held)
        ctx.seen = {}
        if question["call"] == "on_fill":
            return call(ctx, offered.Fill(*question["fill"])), {}
        said = call(ctx)
        return said, ctx.seen

    def _import(self, name: str, globals_: Any = None, locals_: Any = None, names: Any = (), level: int = 0) -> object:
        if level or name.split(".")[0] not in offered.MODULES:
            self.tried.append(("import_refused", _line()))
            raise ImportError(f"{name} is not offered to strategies")
        return __import__(name, globals_, locals_, names, 0)

    def _watch(self) -> None:
        tried, told = self.tried, _TOLD

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event.startswith(told) and event != "os.putenv":
                tried.append(("forbidden", _line()))
                raise Refused(event)

        sys.addaudithook(hook)


def _line() -> int | None:
    """The strategy's own line that led here."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == FILE:
            return frame.f_lineno
        frame = frame.f_back
    return None


def _line_of(trace: TracebackType | None) -> int | None:
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def _proposal(said: object) -> Any:
    """The answer as JSON can say it; what cannot be said is left for the parent to refuse."""
    if said is None or type(said) is str:
        return said if said is None or len(said) <= 8 else "?"
    if type(said) is not offered.Signal:
        return {"not": "a signal"}
    if not all(one is None or (type(one) in (int, float) and isfinite(one)) for one in (said.quantity, said.score)):
        return {"not": "finite"}
    side = said.side if type(said.side) is str and len(said.side) <= 8 else "?"
    return {"side": side, "quantity": said.quantity, "score": said.score}


class Quiet:
    """Where prints go: nowhere. The answers' pipe is not a screen."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None


def main(parent: int) -> None:
    for name in (*offered.MODULES, "collections.abc", "_strptime"):  # strptime imports the last when first used
        importlib.import_module(name)
    sys.stdin = None
    sys.stdout = sys.stderr = Quiet()
    os.environ.clear()
    try:
        _say({"fence": raise_fence(parent)})
    except NoFence as missing:
        _say({"missing": missing.layer})
        os._exit(0)
    strategy = Strategy()
    while True:
        question = json.loads(_read(int.from_bytes(_read(HEAD), "big")))
        _say({"id": question["id"]} | _tell(strategy, question))


def _tell(strategy: Strategy, question: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any]
    try:
        if question["call"] == "load":
            told = {"calls": strategy.load(question["source"], question["params"])}
        else:
            said, seen = strategy.answer(question)
            told = {"said": _proposal(said), "seen": [[name, value] for name, value in seen.items() if isfinite(value)]}
    except SyntaxError as error:
        told = {"fault": "syntax", "line": error.lineno}
    except MemoryError as error:
        told = {"fault": "memory", "line": _line_of(error.__traceback__)}
    except BaseException as error:  # noqa: BLE001  (the edge of the process: SystemExit is an answer too)
        told = {"fault": "raised", "line": _line_of(error.__traceback__), "kind": type(error).__name__[:60]}
    if strategy.tried:
        fault, line = strategy.tried[0]
        told = {"fault": fault, "line": line}
    return told


def _read(count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = os.read(0, min(count - len(found), 1 << 20))
        if not part:
            os._exit(0)
        found += part
    return found


def _say(message: dict[str, Any]) -> None:
    frame = pack(message)
    if len(frame) > ANSWER_LIMIT:
        frame = pack({"id": message.get("id"), "fault": "answer_too_big", "line": None})
    os.write(1, frame)
