"""Stop liveness: who watches each position, where its stop would sell, and when it was last judged.

A position that no stop watches raises UNGUARDED; the alert is taken back when one does, or when the shares are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from bots import outgoing
from bots.journal import Outgoing
from bots.orders import RuleLot
from bots.rules.evaluate import stop_level
from bots.rules.plan import plan_of
from bots.trader import Trader
from shared.clock import Clock
from shared.domain.order import Position

GRACE_S = 10.0  # an entry's lot and its first price need a moment
KEY = "unguarded:"


@dataclass(frozen=True, slots=True)
class Guard:
    """The stop nearest to the price, of all that watch the symbol, and how many shares stand under one."""

    rule_id: int
    version_id: int  # the version that judges: the one the position was opened with unless a later one took over
    kind: str  # stop_loss | trailing_stop
    level: Decimal
    quantity: int
    checked_at: datetime | None  # wall; the oldest judgement among them


def guard_of(trader: Trader, symbol: str) -> Guard | None:
    """Return who guards the holding of `symbol`; None: nobody. A parked rule's stops go on; of one that
    waits, or whose stops raise, nothing guards."""
    if symbol in trader.splits.suspected:
        return None
    found: list[Guard] = []
    for lot in trader.lots.all():
        if lot.symbol == symbol and lot.rule_id in trader.rules and trader.parking.guards((lot.rule_id, symbol)):
            one = _stop(trader, lot)
            if one is not None:
                found.append(one)
    if not found:
        return None
    nearest = max(found, key=lambda one: one.level)
    times = [one.checked_at for one in found]
    checked = None if None in times else min(at for at in times if at is not None)
    return Guard(
        nearest.rule_id, nearest.version_id, nearest.kind, nearest.level, sum(one.quantity for one in found), checked
    )


def _stop(trader: Trader, lot: RuleLot) -> Guard | None:
    rule = trader.rule_for(lot.rule_id, lot)
    if rule is None:
        return None
    plan = plan_of(rule)
    levels = [
        (level, kind)
        for kind, base, percent in (
            ("stop_loss", lot.average_price, plan.stop_loss_pct),
            ("trailing_stop", lot.highest, plan.trailing_stop_pct),
        )
        if (level := stop_level(float(base), percent)) is not None
    ]
    if not levels:
        return None
    level, kind = max(levels)
    checked = trader.stops_checked.get((lot.rule_id, lot.symbol)) or _entered(trader, lot)
    return Guard(lot.rule_id, rule.version_id, kind, Decimal(repr(level)), lot.quantity, checked)


def _entered(trader: Trader, lot: RuleLot) -> datetime | None:
    """Now, for an entry of just now: its own price is the first one its stop was held against."""
    young = trader.clock.market_now() - lot.opened_at < timedelta(seconds=GRACE_S)
    return trader.clock.wall_now() if young else None


@dataclass(slots=True)
class StopWatch:
    trader: Trader
    clock: Clock
    tell: Callable[[tuple[Outgoing, ...]], None]
    _since: dict[str, float] = field(
        default_factory=dict
    )  # symbol → since when (monotonic) shares stand without a stop
    _told: dict[str, int] = field(default_factory=dict)  # symbol → shares an open alert speaks of
    _begun: bool = False

    def look(self, positions: Iterable[Position]) -> dict[str, Guard]:
        """Return the guards of what is held, and keep the alerts true."""
        now = self.clock.monotonic()
        if not self._begun:
            self._begun = True  # what the last process said may be over; what is not is said again
            self.tell((outgoing.alert_over(f"{KEY}*", self.clock.wall_now()),))
        guards: dict[str, Guard] = {}
        bare: dict[str, int] = {}
        for one in positions:
            guard = guard_of(self.trader, one.symbol)
            if guard is not None:
                guards[one.symbol] = guard
            left = one.quantity - (guard.quantity if guard is not None else 0)
            if left > 0:
                bare[one.symbol] = left
        self._since = {symbol: self._since.get(symbol, now) for symbol in bare}
        for symbol, left in bare.items():
            if now - self._since[symbol] >= GRACE_S and self._told.get(symbol) != left:
                self._told[symbol] = left
                self.tell(
                    (
                        outgoing.alert(
                            "UNGUARDED",
                            "warning",
                            f"{KEY}{symbol}",
                            self.clock.wall_now(),
                            symbol=symbol,
                            quantity=left,
                        ),
                    )
                )
        for symbol in self._told.keys() - bare.keys():
            del self._told[symbol]
            self.tell((outgoing.alert_over(f"{KEY}{symbol}", self.clock.wall_now()),))
        return guards
