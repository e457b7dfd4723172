"""Would a test notice? One small change at a time to the desk, the state tables and the risk checks, and their tests run.

python -m tests.chaos.mutants --count 40        # a sample; the seed decides which, so that it can be made again
python -m tests.chaos.mutants --file bots/desk.py --all

Changes are made in a copy of the code, never here. What lives is printed with its line: either a test is missing, or the
change means the same.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from random import Random

from tests.chaos.faults import ROOT

SEED, COUNT = 20261121, 150
TOO_LONG_S = 90.0  # a change that makes a loop endless was noticed
COPIED = ("bots", "brokers", "shared", "tests", "console", "bench", "tools", "pyproject.toml", "alembic.ini")
RISK = ("tests/bots/risk", "tests/bots/test_clearance.py")
STATES = ("tests/domain/test_order_state.py", "tests/domain/test_bot_state.py")
PATH = (
    "tests/bots/test_absence.py", "tests/bots/test_desk.py", "tests/bots/test_reconcile.py", "tests/bots/test_resolver.py",
    "tests/bots/test_numbers_of_days.py", "tests/bots/test_reserved.py", "tests/bots/test_order_path_machine.py",
)  # fmt: skip
TARGETS: dict[str, tuple[str, ...]] = {  # file → the tests that must notice
    "bots/desk.py": PATH,
    "bots/own_orders.py": (*PATH, "tests/bots/test_journal.py", "tests/bots/test_drift.py"),
    "bots/executions.py": PATH,
    "bots/reconcile.py": PATH,
    "bots/absence.py": PATH,
    "shared/domain/order_state.py": STATES,
    "shared/domain/bot_state.py": STATES,
    "bots/risk/guards.py": RISK,
    "bots/risk/snapshot.py": RISK,
    "bots/risk/sizing.py": RISK,
    "bots/risk/kill_switch.py": RISK,
}
UNSEEN = frozenset(
    {"reach", "freeze", "alert"}
)  # failpoints do nothing in a test; the words of an alert are not judged
SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
ENUMS = frozenset({"OrderStatus", "OrderEventKind", "BotState", "BotEventKind", "KillLevel", "Side", "JournalKind"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the n-th that can be made to a file."""

    file: str
    number: int
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.what}"


Change = tuple[ast.AST, str, Callable[[], None]]  # where, in words, and how


def changes(tree: ast.Module) -> Iterator[Change]:
    """Every change that can be made to the tree, always in the same order."""
    for node in _judged(tree):
        yield from _operators(node)
        yield from _values(node)
        yield from _statements(node)


def _judged(node: ast.AST) -> Iterator[ast.AST]:
    """The parts that decide something: no annotations, texts, defaults or docstrings."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "args") and not isinstance(node, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _words(child):
                yield from _judged(child)


def _words(node: ast.AST) -> bool:
    """What only tells people something, or brings names in."""
    told = isinstance(node, ast.Call) and _called(node) in UNSEEN
    return told or isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _operators(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for at, one in enumerate(node.ops):
            if type(one) in SWAPS:
                yield node, f"{type(one).__name__} → {SWAPS[type(one)].__name__}", lambda at=at: _put(node.ops, at)
    if isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in SWAPS:
        fresh = SWAPS[type(node.op)]
        yield node, f"{type(node.op).__name__} → {fresh.__name__}", lambda: setattr(node, "op", fresh())
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        test = node.test
        yield test, "condition turned round", lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), test))


def _put(ops: list[ast.cmpop], at: int) -> None:
    ops[at] = SWAPS[type(ops[at])]()


def _values(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, f"{node.value} → {not node.value}", lambda: setattr(node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield node, f"{node.value} → {node.value + 1}", lambda: setattr(node, "value", node.value + 1)
    elif isinstance(node, ast.Name) and node.id in ("max", "min"):
        other = "min" if node.id == "max" else "max"
        yield node, f"{node.id} → {other}", lambda: setattr(node, "id", other)
    elif isinstance(node, ast.Dict) and any(isinstance(key, ast.Tuple) for key in node.keys):
        for at, key in enumerate(node.keys):
            if key is not None:
                yield key, f"without {ast.unparse(key)}", lambda at=at: _drop(node, at)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ENUMS:
        other = _next(node.value.id, node.attr)
        if other:
            yield node, f"{node.attr} → {other}", lambda: setattr(node, "attr", other)


def _drop(node: ast.Dict, at: int) -> None:
    del node.keys[at], node.values[at]


def _next(enum: str, member: str) -> str | None:
    """Another member of the same enumeration; None when this is no member."""
    from bots import orders
    from shared.domain import bot_state, order, order_state

    kind = next((getattr(one, enum) for one in (order_state, bot_state, order, orders) if hasattr(one, enum)), None)
    names = [] if kind is None else list(kind.__members__)
    return names[(names.index(member) + 1) % len(names)] if member in names and len(names) > 1 else None


def _statements(node: ast.AST) -> Iterator[Change]:
    for block in ("body", "orelse", "finalbody"):
        statements = getattr(node, block, None)
        if not isinstance(statements, list):
            continue
        for at, one in enumerate(statements):
            if isinstance(one, ast.Expr) and not isinstance(one.value, ast.Constant) and not _unseen(one.value):
                yield one, f"without {ast.unparse(one)[:60]}", lambda s=statements, at=at: _pass(s, at)
            elif isinstance(one, ast.Return) and one.value is not None and not _nothing(one.value):
                yield one, "returns None", lambda one=one: setattr(one, "value", ast.Constant(None))
            elif isinstance(one, ast.Raise):
                yield one, "raises nothing", lambda s=statements, at=at: _pass(s, at)


def _unseen(value: ast.expr) -> bool:
    inner = value.value if isinstance(value, ast.Await) else value
    return isinstance(inner, ast.Call) and _called(inner) in UNSEEN


def _nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _pass(statements: list[ast.stmt], at: int) -> None:
    statements[at] = ast.Pass()


def mutants(file: str) -> list[Mutant]:
    """Every change that can be made to one file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return [
        Mutant(file, number, getattr(where, "lineno", 0), what) for number, (where, what, _) in enumerate(changes(tree))
    ]


def changed(mutant: Mutant) -> str:
    """The text of the file with the change made."""
    tree = ast.parse((ROOT / mutant.file).read_text(encoding="utf-8"))
    for number, (_, _, make) in enumerate(changes(tree)):
        if number == mutant.number:
            make()
            break
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class Copy:
    """A copy of the code in which one file at a time is changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            ignored = shutil.ignore_patterns("__pycache__", "payloads", "strangers")
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=ignored)
            elif source.exists():
                shutil.copy(source, folder / name)

    def notices(self, mutant: Mutant | None, tests: tuple[str, ...]) -> bool:
        """Whether a test fails with the change."""
        if mutant is not None:
            (self.folder / mutant.file).write_text(changed(mutant), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", *tests, "-x", "-q", "--no-header", "--tb=no"]
        try:
            done = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=TOO_LONG_S).returncode
        except subprocess.TimeoutExpired:
            return True
        finally:
            if mutant is not None:
                shutil.copy(ROOT / mutant.file, self.folder / mutant.file)
        return done != 0


def judge(chosen: list[Mutant], processes: int) -> list[Mutant]:
    """Return those that no test notices.

    Raises:
        RuntimeError: the tests fail without any change.
    """
    with tempfile.TemporaryDirectory(dir=_memory()) as folder, ThreadPoolExecutor(processes) as pool:
        free: Queue[Copy] = Queue()
        for number in range(processes):
            free.put(Copy(Path(folder) / str(number)))

        def lives(mutant: Mutant | None, tests: tuple[str, ...]) -> bool:
            copy = free.get()
            try:
                return not copy.notices(mutant, tests)
            finally:
                free.put(copy)

        for tests in {TARGETS[one.file] for one in chosen}:
            if not lives(None, tests):
                raise RuntimeError(f"{' '.join(tests)} fail without any change")
        answers = list(pool.map(lambda one: lives(one, TARGETS[one.file]), chosen))
    return [one for one, lived in zip(chosen, answers, strict=True) if lived]


def _memory() -> Path | None:
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


def sample(count: int, seed: int = SEED, files: tuple[str, ...] = tuple(TARGETS)) -> list[Mutant]:
    """`count` of all changes, the same for the same seed and code."""
    every = [one for file in files for one in mutants(file)]
    return sorted(Random(seed).sample(every, min(count, len(every))), key=lambda one: (one.file, one.number))


def main() -> int:
    parser = argparse.ArgumentParser(description="would a test notice?")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--file", choices=list(TARGETS), action="append")
    parser.add_argument("--all", action="store_true", help="every change of these files, not a sample")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    files = tuple(asked.file or TARGETS)
    chosen = sample(10**9 if asked.all else asked.count, asked.seed, files)
    lived = judge(chosen, asked.processes)
    print(*lived, sep="\n")
    killed = len(chosen) - len(lived)
    print(f"{killed} of {len(chosen)} noticed: {killed / len(chosen):.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
