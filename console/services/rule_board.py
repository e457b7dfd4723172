"""Every rule with how it does: whether it runs, what it last judged and signalled, what it earned, what it guards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.services import parts, profit, rules
from console.services.changes import by_number
from console.services.holdings import PositionLine, positions
from console.services.permissions import Actor
from console.services.profit import RuleEarned
from console.services.rules import RuleLine
from console.wiring import Wiring
from shared.db import reading
from shared.models import Heartbeat, StrategySignal
from shared.store import panels


class Guarding(StrEnum):
    """How a rule's stops stand, worst first."""

    PARKED = "parked"  # it raised: its bot judges nothing of it until somebody saves it anew
    FROZEN = "frozen"  # a symbol of it waits for a person
    STALE = "stale"  # nobody has judged its stop for a while
    PARTLY = "partly"  # some shares of what it guards are under no stop
    WATCHED = "watched"
    NOTHING = "nothing"  # no position's stop is its


@dataclass(frozen=True, slots=True)
class RuleGuard:
    state: Guarding
    symbols: tuple[str, ...] = ()  # whom it is about
    why: str = ""


@dataclass(frozen=True, slots=True)
class BoardLine:
    """`signal` None: it never had one. `earned` None: it never traded."""

    line: RuleLine
    signal: StrategySignal | None
    earned: RuleEarned | None
    guard: RuleGuard


@by_number(at_most_s=4.0)
def board(wiring: Wiring, actor: Actor) -> list[BoardLine]:
    """Read the rules of the accounts this person may see, those that run first."""
    now = wiring.clock.wall_now()
    lines = rules.listed(wiring, actor)
    earned, held = profit.of_rules(wiring, actor), positions(wiring, actor)
    with reading(wiring.engine) as session:
        signals = panels.last_signal_of_rules(session, [line.id for line in lines])
    beats = parts.beats(wiring, actor)
    return [
        BoardLine(line, signals.get(line.id), earned.get((line.account_id, line.id)), _guard(line, held, beats, now))
        for line in lines
    ]


def _guard(line: RuleLine, held: Iterable[PositionLine], beats: Mapping[int, Heartbeat], now: datetime) -> RuleGuard:
    beat = beats.get(line.account_id)
    told = beat.detail if beat is not None else {}
    parked = {
        key.partition(":")[2]: why for key, why in told.get("parked", {}).items() if key.startswith(f"{line.id}:")
    }
    if parked:
        return RuleGuard(Guarding.PARKED, tuple(parked), next(iter(parked.values())))
    frozen = {symbol: why for symbol, why in told.get("frozen", {}).items() if symbol in line.symbol.split(",")}
    if frozen:
        return RuleGuard(Guarding.FROZEN, tuple(frozen), next(iter(frozen.values())))
    mine = [one for one in held if one.account_id == line.account_id and one.guarded_by == line.id]
    for state, found in (
        (Guarding.STALE, [one.symbol for one in mine if one.stale(now)]),
        (Guarding.PARTLY, [one.symbol for one in mine if one.bare_qty]),
        (Guarding.WATCHED, [one.symbol for one in mine]),
    ):
        if found:
            return RuleGuard(state, tuple(found))
    return RuleGuard(Guarding.NOTHING)
