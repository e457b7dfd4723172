"""Bayesian search: combinations in batches, each chosen by what the batches before have shown (Optuna's TPE).

A batch has one size whatever the machine, and Optuna is told figures in the order it asked: the same seed tries the same
combinations here, on other cores, and where a stopped search goes on from its file. Every try counts in what is made of the
result (checks.py deflated_sharpe), as those of a grid do.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from bots.backtest.family import grid
from bots.backtest.sweep import SEED, Outcome, Progress, Results, Task, check_count, is_compiled, numbered, pool, sweep
from shared.domain.errors import ConfigError
from shared.domain.rule.model import Number
from shared.domain.rule.params import bind

BATCH = 16  # asked before any of them is told
_PATIENCE = 30  # times that a batch may be proposed what is known already, before a new combination is drawn

Choices = Mapping[str, Sequence[Number]]


def search(
    task: Task,
    choices: Choices,
    tries: int,
    *,
    seed: int = SEED,
    figure: str = "return_pct",
    out: Path | None = None,
    progress: Progress = lambda done, total: None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> list[Outcome]:
    """Return the figures of `tries` different combinations that went after a high `figure`, in the order tried.

    All of them where there are no more. Where and how they are walked, `out`, and a KeyboardInterrupt: as in `sweep`. The
    same search asked for more tries goes on from its file.

    Raises:
        ConfigError: no or too many tries, a file of another search, a cluster that does not answer, or no Optuna.
        RuleInvalid: a parameter that the rule does not have, or a value out of bounds.
    """
    check_count(tries)
    if math.prod(len(values) for values in choices.values()) <= tries:
        return sweep(task, grid(choices), out=out, progress=progress, workers=workers, scheduler=scheduler)
    bind(task.rule, numbered(choices, 0))  # unknown names are refused before anything starts
    hunt, together = _Hunt(choices, seed, figure), is_compiled(task)
    results = Results(
        task.key(("bayes", [(name, list(values)) for name, values in choices.items()], seed, figure)), out
    )
    progress(0, tries)
    with results, pool(task, tries, 1 if together else BATCH, workers, scheduler) as run:
        while len(hunt.tried) < tries:
            asked = hunt.ask(min(BATCH, tries - len(hunt.tried)))
            missing = [one for one in asked if results.get(one) is None]
            for chunk in run(([missing] if together else [[one] for one in missing]) if missing else []):
                results.add(chunk)
            hunt.tell([found for one in asked if (found := results.get(one)) is not None])
            progress(len(hunt.tried), tries)
    return hunt.tried


class _Hunt:
    """What was tried, and what is to be tried next. Parameters are places in their lists of values, so that order tells."""

    def __init__(self, choices: Choices, seed: int, figure: str) -> None:
        optuna = _optuna()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=BATCH, multivariate=True, constant_liar=True
            )
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._places = {
            name: optuna.distributions.IntDistribution(0, len(values) - 1) for name, values in choices.items()
        }
        self._failed = optuna.trial.TrialState.FAIL
        self._made = optuna.trial.create_trial
        self._choices, self._figure = choices, figure
        self._noise, self._all = Random(seed), math.prod(len(values) for values in choices.values())
        self._known: dict[tuple[int, ...], float] = {}  # places -> what Optuna was told of them
        self._open: list[tuple[tuple[int, ...], Any]] = []  # asked and not told yet; None: drawn, not proposed
        self.tried: list[Outcome] = []

    def ask(self, count: int) -> list[dict[str, Number]]:
        """Return combinations never asked before."""
        fruitless = 0
        while len(self._open) < count:
            if fruitless >= _PATIENCE:
                self._open.append((self._drawn(), None))
                continue
            trial = self._study.ask(self._places)
            places = tuple(trial.params[name] for name in self._choices)
            if not self._is_old(places):
                self._open.append((places, trial))
                continue
            fruitless += 1
            if places in self._known:
                self._study.tell(trial, self._known[places])
            else:
                self._study.tell(trial, state=self._failed)
        return [self._named(places) for places, _ in self._open]

    def tell(self, found: Sequence[Outcome]) -> None:
        """Take the figures of what was asked, in that order. What has none counts as the worst seen."""
        for (places, trial), one in zip(self._open, found, strict=True):
            value = getattr(one, self._figure)
            if value is None or not math.isfinite(value):
                value = min(self._known.values(), default=0.0)
            self._known[places] = value
            if trial is not None:
                self._study.tell(trial, value)
            else:
                params = dict(zip(self._choices, places, strict=True))
                self._study.add_trial(self._made(params=params, distributions=self._places, value=value))
        self.tried += found
        self._open = []

    def _is_old(self, places: tuple[int, ...]) -> bool:
        return places in self._known or any(places == one for one, _ in self._open)

    def _drawn(self) -> tuple[int, ...]:
        """A combination at random that was not asked yet: the next in the grid where the drawn one was."""
        number = self._noise.randrange(self._all)
        while self._is_old(places := self._placed(number)):
            number = (number + 1) % self._all
        return places

    def _placed(self, number: int) -> tuple[int, ...]:
        places = []
        for values in reversed(list(self._choices.values())):
            number, place = divmod(number, len(values))
            places.append(place)
        return tuple(reversed(places))

    def _named(self, places: tuple[int, ...]) -> dict[str, Number]:
        return {name: values[place] for (name, values), place in zip(self._choices.items(), places, strict=True)}


def _optuna() -> Any:
    """Optuna, loaded by who searches only."""
    try:
        import optuna
    except ImportError as e:
        raise ConfigError(
            "optuna", "optuna가 없습니다 · the package optuna is missing", "pip install optuna", code="no_optuna"
        ) from e
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
