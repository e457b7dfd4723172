"""Many parameter combinations of one rule: here, on all cores, or on a Dask cluster, in chunks that survive a Ctrl-C.

Results go to a file of JSON lines as chunks finish: a first line saying what was asked, then one line per combination. The
same sweep started again goes on where the file ends.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bots.backtest import Setting, kernel, resting
from bots.backtest.data import PriceData
from bots.backtest.family import Combination, Family, grid
from bots.backtest.fast import Walked
from bots.backtest.kernel import Walker
from bots.backtest.metrics import SHARPE_FACTOR, max_drawdown_pct, sharpe
from bots.backtest.report import Report
from bots.rules.plan import plan_of
from shared.domain.errors import ConfigError, TradingError
from shared.domain.rule.model import Number, Rule
from shared.domain.rule.params import bind
from shared.domain.rule.write import to_json

DASK_ADDRESS = "DASK_SCHEDULER_ADDRESS"
_CHUNK = 250  # combinations per call of the compiled walk: progress and cancel every few hundredths of a second
_MOST = 1_000_000
SEED = 7


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one combination; percentages as in a report. None where there is too little to compute from.

    `error` says why a combination could not be walked at all.
    """

    params: dict[str, Number]
    final_equity: float
    return_pct: float
    max_drawdown_pct: float
    sharpe: float | None
    trades: int
    win_rate_pct: float | None
    profit_factor: float | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Everything a worker needs, here or elsewhere."""

    rule: Rule
    symbol: str
    data: PriceData
    setting: Setting

    def key(self, asked: object) -> str:
        """Name a sweep: the same rule, bars, setting and combinations (or what chooses them) have the same key."""
        digest = hashlib.sha256()
        digest.update((to_json(self.rule) + self.rule.python).encode())
        one = self.data.bars
        for column in (one.starts, one.open, one.high, one.low, one.close, one.volume):
            digest.update(np.ascontiguousarray(column).tobytes())
        digest.update(repr((self.symbol, self.setting, asked)).encode())
        return digest.hexdigest()[:16]


Progress = Callable[[int, int], None]  # finished, of
Chunk = Sequence[Combination]
Run = Callable[[Sequence[Chunk]], Iterator[list[Outcome]]]  # chunks as they are finished, in any order


def sampled(choices: Mapping[str, Sequence[Number]], count: int, seed: int = SEED) -> list[dict[str, Number]]:
    """Return `count` different combinations drawn at random, all of them when there are no more."""
    total = math.prod(len(values) for values in choices.values())
    if total <= count:
        return grid(choices)
    drawn = random.Random(seed).sample(range(total), count)
    return [numbered(choices, one) for one in sorted(drawn)]


def numbered(choices: Mapping[str, Sequence[Number]], number: int) -> dict[str, Number]:
    """Return one combination by its place in the grid."""
    found: dict[str, Number] = {}
    for name in reversed(list(choices)):
        number, place = divmod(number, len(choices[name]))
        found[name] = choices[name][place]
    return dict(reversed(found.items()))


def sweep(
    task: Task,
    combinations: Sequence[Combination],
    *,
    out: Path | None = None,
    progress: Progress = lambda done, total: None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> list[Outcome]:
    """Return the figures of every combination, in the order given.

    `scheduler` (else DASK_SCHEDULER_ADDRESS) sends the chunks to that Dask cluster. A KeyboardInterrupt passes through
    after the finished chunks are in `out`.

    Raises:
        ConfigError: no or too many combinations, a file of another sweep, or a cluster that does not answer.
        RuleInvalid: a parameter that the rule does not have, or a value out of bounds.
    """
    check_count(len(combinations))
    bind(task.rule, dict(combinations[0]))  # unknown names are refused before anything starts
    results = Results(task.key([sorted(each.items()) for each in combinations]), out)
    missing = [one for one in combinations if results.get(one) is None]
    total, done = len(combinations), len(combinations) - len(missing)
    chunks: list[Chunk] = [missing[begin : begin + _CHUNK] for begin in range(0, len(missing), _CHUNK)]
    progress(done, total)
    with results, pool(task, len(missing), len(chunks), workers, scheduler) as run:
        for chunk in run(chunks):
            results.add(chunk)
            done += len(chunk)
            progress(done, total)
    return [found for one in combinations if (found := results.get(one)) is not None]


def check_count(combinations: int) -> None:
    """Raise ConfigError where there are none, or too many."""
    if not 0 < combinations <= _MOST:
        why = f"{combinations:,}개 · combinations (1 … {_MOST:,})"
        raise ConfigError("조합 수 (combinations)", why, "범위나 간격을 고치십시오 (change ranges or steps)")


def is_compiled(task: Task) -> bool:
    """Whether the compiled walk does this sweep."""
    return task.setting.engine == "fast" and kernel.usable(plan_of(bind(task.rule)))


def work(task: Task, combinations: Sequence[Combination], family: Family | None = None) -> list[Outcome]:
    """Walk one chunk. Runs in a thread, a process or a Dask worker; one combination that cannot be walked is told so."""
    if not is_compiled(task):
        return [_slow(task, one) for one in combinations]
    family = family or Family(task.rule, task.data)
    walker = Walker((task.data,), task.setting.terms)
    ready: list[tuple[Combination, Any, Any]] = []
    found: dict[int, Outcome] = {}
    for place, one in enumerate(combinations):
        try:
            ready.append((one, *family.member(one)))
        except TradingError as e:
            found[place] = _failed(one, e)
    figures = walker.figures([one[1] for one in ready], [one[2] for one in ready]) if ready else np.zeros(0)
    rows = iter(zip(ready, figures, strict=True))
    return [
        found[place] if place in found else _outcome(*_named(next(rows)), task.setting.cash)
        for place in range(len(combinations))
    ]


def _named(row: tuple[tuple[Combination, Any, Any], NDArray[Any]]) -> tuple[Combination, NDArray[Any]]:
    return row[0][0], row[1]


def _outcome(one: Combination, figures: NDArray[Any], cash: float) -> Outcome:
    final, fall, total, squares, won, lost, count, closed, wins, _, _, _, _ = figures.item()
    ratio = None
    if count > 1:
        mean = total / count
        spread = math.sqrt(max(squares - count * mean * mean, 0.0) / (count - 1))
        ratio = mean / spread * math.sqrt(SHARPE_FACTOR) if spread > 1e-15 else None
    return Outcome(
        dict(one), final, (final / cash - 1.0) * 100.0, fall * 100.0, ratio, closed,
        wins / closed * 100.0 if closed else None, won / lost if lost else None,
    )  # fmt: skip


def _slow(task: Task, one: Combination) -> Outcome:
    try:
        rule = bind(task.rule, dict(one))
        walked: Walked = resting.walk(rule, {task.symbol: task.data}, task.setting.terms, task.setting.limits)
    except TradingError as e:
        return _failed(one, e)
    report = Report("replay", {task.symbol: task.data}, 0.0, task.setting.cash, walked, ())
    daily = report.daily()[1]
    pnl = walked.trades.closed["pnl"]
    won, lost = float(pnl[pnl > 0].sum()), float(-pnl[pnl <= 0].sum())
    return Outcome(
        dict(one), report.final_equity, report.return_pct,
        max_drawdown_pct(np.concatenate(([task.setting.cash], daily))), sharpe(daily), len(pnl),
        float((pnl > 0).mean()) * 100.0 if len(pnl) else None, won / lost if lost else None,
    )  # fmt: skip


def _failed(one: Combination, error: TradingError) -> Outcome:
    return Outcome(dict(one), math.nan, math.nan, math.nan, None, 0, None, None, str(error))


# -- where the chunks go -----------------------------------------------------------------------------------------------


@contextmanager
def pool(task: Task, combinations: int, chunks: int, workers: int | None, scheduler: str | None) -> Iterator[Run]:
    """Yield what walks chunks where it is best done; `combinations` in `chunks` are to come, in one call or in several."""
    scheduler = scheduler or os.environ.get(DASK_ADDRESS)
    if scheduler:
        with _dask(task, scheduler) as run:
            yield run
        return
    cores, compiled = workers or os.cpu_count() or 1, is_compiled(task)
    family = Family(task.rule, task.data) if compiled else None
    if cores == 1 or chunks < 2:
        yield lambda parts: (work(task, part, family) for part in parts)
    elif compiled and len(task.data.bars) * combinations < _WORTH_PROCESSES:  # the compiled walk lets other threads run
        with _ended(ThreadPoolExecutor(cores)) as threads:
            yield lambda parts: _finished([threads.submit(work, task, part, family) for part in parts])
    else:
        made = ProcessPoolExecutor(cores, get_context("spawn"), initializer=_receive, initargs=(task,))
        with _ended(made) as processes:
            yield lambda parts: _finished([processes.submit(_work_received, part) for part in parts])


_WORTH_PROCESSES = 2_000_000_000  # bars to walk that take longer than starting processes


@contextmanager
def _ended(executor: Executor) -> Iterator[Executor]:
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _finished(futures: list[Future[list[Outcome]]]) -> Iterator[list[Outcome]]:
    return (future.result() for future in as_completed(futures))


_RECEIVED: list[Task] = []


def _receive(task: Task) -> None:
    _RECEIVED[:] = [task]


def _work_received(chunk: Chunk) -> list[Outcome]:
    return work(_RECEIVED[0], chunk)


@contextmanager
def _dask(task: Task, address: str) -> Iterator[Run]:
    try:
        from distributed import Client
        from distributed import as_completed as completed
    except ImportError as e:
        raise ConfigError(
            f"{DASK_ADDRESS}={address}", "distributed가 없습니다 · the package distributed is missing",
            "pip install distributed", code="no_dask",
        ) from e  # fmt: skip
    try:
        client = Client(address, timeout=5)
    except (OSError, TimeoutError) as e:
        raise ConfigError(
            f"{DASK_ADDRESS}={address}", f"스케줄러가 대답하지 않습니다 · the scheduler does not answer: {e}",
            "주소를 확인하거나 지우십시오 (check or unset it)", code="no_cluster",
        ) from e  # fmt: skip
    with client:
        sent = client.scatter(task, broadcast=True)

        def run(chunks: Sequence[Chunk]) -> Iterator[list[Outcome]]:
            futures = [client.submit(work, sent, chunk, pure=False) for chunk in chunks]
            try:
                yield from (one.result() for one in completed(futures))
            finally:
                client.cancel(futures)

        yield run


# -- what is kept ------------------------------------------------------------------------------------------------------


class Results:
    """Outcomes by combination, in memory and in the file."""

    def __init__(self, key: str, path: Path | None) -> None:
        self._path, self._key = path, key
        self._found: dict[tuple[tuple[str, Number], ...], Outcome] = {}
        self._file: Any = None
        if path is not None and path.exists():
            self._read(path)

    def __enter__(self) -> Results:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = not self._path.exists() or self._path.stat().st_size == 0
            self._file = self._path.open("a", encoding="utf-8")
            if new:
                self._write({"sweep": self._key})
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def get(self, one: Combination) -> Outcome | None:
        return self._found.get(tuple(sorted(one.items())))

    def add(self, chunk: list[Outcome]) -> None:
        for one in chunk:
            self._found[tuple(sorted(one.params.items()))] = one
        if self._file is not None:
            for one in chunk:
                self._write({key: _plain(value) for key, value in asdict(one).items()})
            self._file.flush()

    def _write(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _read(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8").split("\n")
        whole = lines[:-1]  # a last line without its end was cut off by a crash
        if not whole:
            path.write_text("", encoding="utf-8")
            return
        if json.loads(whole[0]).get("sweep") != self._key:
            raise ConfigError(
                str(path),
                "다른 탐색의 결과입니다 · this file holds another sweep",
                "다른 --out (another --out)",
                code="other_sweep",
            )
        for line in whole[1:]:
            row: dict[str, Any] = json.loads(line)
            row |= {name: math.nan for name in _NUMBERS if row[name] is None}
            one = Outcome(**row)
            self._found[tuple(sorted(one.params.items()))] = one
        if lines[-1]:
            path.write_text("\n".join(whole) + "\n", encoding="utf-8")


_NUMBERS = frozenset({"final_equity", "return_pct", "max_drawdown_pct"})


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
