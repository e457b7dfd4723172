"""Exits that a rule wants and that do not get out: a stop that does nothing is said aloud.

A stop is judged at every price and refused at every price for as long as something stands in its way: shares that another
order offers, a price too far from the last, an order brake, a broker that said no three times. Each refusal is a decision on
the rule's page; that alone nobody sees in the night.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import dataclass, field

from bots import outgoing
from bots.decisions import STOPS
from bots.deferred import NOT_YET
from bots.journal import Outgoing
from bots.orders import DeskOrder
from shared.clock import Clock
from shared.domain.signal import Decision, Denied

GRACE_S = 15.0  # our own order and an owner's other account's are moved out of the way sooner than this
UNFILLED_S = 60.0  # a stop's order, however often it followed the price
QUIET_GRACE_S = 60.0  # for want of a price, or of a look at the broker: thinly traded shares have such minutes
# The market is closed, a sale is on its way, or somebody said that nothing may be sold: known, and told elsewhere.
EXPECTED = frozenset({
    "session", "waits_for_open", "in_flight", "duplicate_signal", "no_position", "rule_off", "kill_halt", "fenced",
})  # fmt: skip
KEY = "held:"

Key = tuple[int, str]  # rule id, symbol


@dataclass(slots=True)
class _Held:
    since: float  # monotonic
    code: str
    why: str


@dataclass(slots=True)
class HeldExits:
    clock: Clock
    tell: Callable[[tuple[Outgoing, ...]], None]
    _held: dict[Key, _Held] = field(default_factory=dict)
    _told: set[Key] = field(default_factory=set)
    _resting: set[Key] = field(default_factory=set)  # a stop's order that nobody buys from
    _begun: bool = False

    def judged(self, decision: Decision, denied: Denied | None) -> None:
        """Take note of what became of a rule's wish to sell."""
        key = (decision.rule_id, decision.symbol)
        if denied is None or denied.code in EXPECTED:
            self._held.pop(key, None)  # what was told stands until the shares are gone: a sent order may be refused yet
            return
        since = self._held[key].since if key in self._held else self.clock.monotonic()
        self._held[key] = _Held(since, denied.code, denied.text)

    def content(self, decision: Decision, waiting: Container[Key]) -> None:
        """The rule keeps its shares at this price; a sale decided at a close that still waits is wanted all the same."""
        key = (decision.rule_id, decision.symbol)
        if key not in waiting and key not in self._resting:
            self._over(key)

    def _over(self, key: Key) -> None:
        self._held.pop(key, None)
        if key in self._told:
            self._told.discard(key)
            self.tell((outgoing.alert_over(_name(key), self.clock.wall_now()),))

    def look(self, lots: Collection[Key], orders: Iterable[DeskOrder] = ()) -> None:
        """Tell what has been held back for too long, once; take it back when the shares are gone.

        A stop's order (of the open `orders`) that nobody buys from is held back as well: it follows the price and waits.
        """
        if not self._begun:
            self._begun = True  # what the last process told may be over; what is not is told again
            self.tell((outgoing.alert_over(f"{KEY}*", self.clock.wall_now()),))
        self._watch(orders)
        now = self.clock.monotonic()
        for key in (self._held.keys() | self._told) - set(lots):
            self._over(key)
        for key, one in self._held.items():
            grace_s = QUIET_GRACE_S if one.code in NOT_YET else GRACE_S
            if key not in self._told and now - one.since >= grace_s:
                self._told.add(key)
                self.tell((self._alert(key, one, round(now - one.since)),))

    def told(self) -> dict[str, str]:
        """What people were told and what still holds it back, by rule and symbol."""
        return {f"{key[0]}:{key[1]}": one.why for key, one in self._held.items() if key in self._told}

    def _watch(self, orders: Iterable[DeskOrder]) -> None:
        now, mono = self.clock.wall_now(), self.clock.monotonic()
        self._resting = set()
        for order in orders:
            age_s = 0.0 if order.sent_at is None else (now - order.sent_at).total_seconds()
            if order.request.reason in STOPS and order.request.rule_id is not None and age_s >= UNFILLED_S:
                key = (order.request.rule_id, order.symbol)
                self._resting.add(key)
                self._held[key] = _Held(mono - age_s, "unfilled", f"{order.leaves}주가 {order.price}에 미체결")

    def _alert(self, key: Key, one: _Held, held_s: int) -> Outgoing:
        return outgoing.alert(
            "EXIT_HELD", "critical", _name(key), self.clock.wall_now(), rule=key[0], symbol=key[1], reason=one.why,
            code=one.code, seconds=held_s,
        )  # fmt: skip


def _name(key: Key) -> str:
    return f"{KEY}{key[0]}:{key[1]}"
