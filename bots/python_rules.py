"""The account's Python rules while the bot's loop goes on: one child each, one question at a time, a deadline for each.

A price or a bar only leaves a note here; the question is made from what stands when it can be asked. A late answer is
dropped with its child. Three faults within an hour, or a text that cannot run, and the strategy is not asked any more: an
alert says so. Its stops and every other rule do not pass through here and go on.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bots.rules.sandbox.faults import FenceMissing, StrategyFault
from bots.rules.series import FillTold, MarketView
from shared.clock import Clock
from shared.domain.rule.model import Rule
from shared.domain.signal import Decision

if TYPE_CHECKING:
    from bots.parking import Parking
    from bots.rules.python_strategy import PythonStrategy

MOST_FILLS = 100  # untold fills kept for a strategy that is starting

log = logging.getLogger("bots")

Key = tuple[int, str]  # rule id, symbol


class Asker(Protocol):
    """What the trader offers: the market as it stands, and what becomes of a decision."""

    def view(self, key: Key, *, bar_closed: bool) -> tuple[Rule, MarketView] | None:
        """The rule in force for the key and what it may look at now."""
        ...

    def conclude(self, decision: Decision) -> None: ...

    @property
    def parking(self) -> Parking:
        """Where people are told that a rule's code is not asked any more."""
        ...


@dataclass(slots=True)
class _Desk:
    """One version of one rule: its strategy and what it still is to be asked."""

    strategy: PythonStrategy
    wanted: dict[Key, bool] = field(default_factory=dict)  # key → whether a bar closed
    fills: deque[FillTold] = field(default_factory=lambda: deque(maxlen=MOST_FILLS))
    working: bool = False


@dataclass(slots=True)
class PythonRules:
    asker: Asker
    clock: Clock
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    _desks: dict[tuple[int, int], _Desk] = field(default_factory=dict)  # rule id, version id

    def keep(self, rules: list[Rule]) -> None:
        """Start a child for each Python rule in force, end those of versions that are not."""
        wanted = {(one.rule_id, one.version_id): one for one in rules if one.python}
        for key in self._desks.keys() - wanted.keys():
            desk = self._desks.pop(key)
            if not desk.working:  # else it ends with the answer it waits for: the loop still watches its pipe
                desk.strategy.end()
        for key, rule in wanted.items():
            if key not in self._desks:
                self._desks[key] = _Desk(_strategy(rule))
                self._work(self._desks[key])

    def ask(self, key: Key, version_id: int, *, bar_closed: bool) -> None:
        """Ask the code of this version about `key` as soon as its child is free; returns at once."""
        desk = self._desks.get((key[0], version_id))
        if desk is not None and not desk.strategy.quarantined:
            desk.wanted[key] = bar_closed or desk.wanted.get(key, False)
            self._work(desk)

    def told(self, rule: Rule, fill: FillTold) -> None:
        """Tell the rule's code of a fill, after what it is doing now."""
        desk = self._desks.get((rule.rule_id, rule.version_id))
        if desk is not None and not desk.strategy.quarantined:
            desk.fills.append(fill)
            self._work(desk)

    def quarantine_of(self, rule: Rule) -> str:
        """Why the rule's code is not asked, empty while it is."""
        desk = self._desks.get((rule.rule_id, rule.version_id))
        return "" if desk is None else desk.strategy.quarantined

    def _work(self, desk: _Desk) -> None:
        if not desk.working:
            desk.working = True
            self.spawn(self._serve(desk))

    async def _serve(self, desk: _Desk) -> None:
        """Do what is wanted of one strategy until nothing is."""
        strategy = desk.strategy
        try:
            while not strategy.quarantined and self._desks.get(_name(strategy.rule)) is desk:
                try:
                    if not strategy.running:
                        await strategy.start_soon()
                    elif desk.fills:
                        await strategy.tell_fill_soon(desk.fills.popleft())
                    elif desk.wanted:
                        await self._ask_one(desk)
                    else:
                        return
                except StrategyFault as fault:
                    log.warning("규칙 %s: %s", strategy.rule.rule_id, fault)
                    if strategy.struck(fault, self.clock.monotonic()):
                        self.asker.parking.quarantined(strategy.rule, str(fault))
                except (FenceMissing, OSError) as missing:
                    strategy.quarantined = str(missing)
                    self.asker.parking.quarantined(strategy.rule, str(missing))
        finally:
            desk.working = False
            if self._desks.get(_name(strategy.rule)) is not desk:
                strategy.end()

    async def _ask_one(self, desk: _Desk) -> None:
        """Ask about the key that waits longest; what the market did meanwhile decides whether the answer still counts."""
        key = next(iter(desk.wanted))
        bar_closed = desk.wanted.pop(key)
        found = self.asker.view(key, bar_closed=bar_closed)
        if found is None or _name(found[0]) != _name(desk.strategy.rule):
            return
        asked = found[1]
        decision = await desk.strategy.decide_soon(asked)
        now = self.asker.view(key, bar_closed=bar_closed)
        if now is not None and _name(now[0]) == _name(desk.strategy.rule) and _held(now[1]) == _held(asked):
            self.asker.conclude(decision)


def _strategy(rule: Rule) -> PythonStrategy:
    from bots.rules.python_strategy import PythonStrategy  # an account without such rules does not carry it

    return PythonStrategy(rule)


def _name(rule: Rule) -> tuple[int, int]:
    return rule.rule_id, rule.version_id


def _held(view: MarketView) -> int:
    return 0 if view.holding is None else view.holding.quantity
