"""Rules that raised: each is parked alone, with an alert, until it is saved anew.

A parked rule enters nothing and its conditions are not asked; the stops of what it holds go on, for they need a price and
the lot alone. Where those raise as well, nothing guards the shares any more, and they show as unguarded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots import outgoing
from bots.journal import Outgoing
from shared.clock import Clock
from shared.domain.rule.model import Rule

if TYPE_CHECKING:
    from bots.trader import Trader

Key = tuple[int, str]  # rule id, symbol


class Parking:
    def __init__(self, trader: Trader, clock: Clock) -> None:
        self._trader, self._clock = trader, clock
        self.why: dict[Key, str] = {}
        self._unguarded: set[Key] = set()  # whose stops raised too

    def keep(self, versions_before: dict[int, int]) -> None:
        """A configuration came into force: a rule saved anew, or gone, is no longer parked."""
        rules = self._trader.rules
        same = {rule_id for rule_id, config in rules.items() if versions_before.get(rule_id) == config.rule.version_id}
        self.why = {key: why for key, why in self.why.items() if key[0] in same}
        self._unguarded &= self.why.keys()

    def raised(self, key: Key, error: Exception) -> None:
        """Park the rule for this symbol; one that is parked already raised in its stops."""
        why = f"{type(error).__name__}: {error}"
        if key in self.why:
            self._unguarded.add(key)
            why = f"손절 판단도 실패: {why}"
        self.why[key] = why
        log = outgoing.log("ERROR", f"규칙 {key[0]} {key[1]} 멈춤: {why}", self._clock.wall_now(), key[0])
        self._trader.write((self._alert(key[0], key[1], why), log))

    def quarantined(self, rule: Rule, why: str) -> None:
        """A Python rule is not asked any more; its stops go on."""
        config = self._trader.rules.get(rule.rule_id)
        symbols = ", ".join(() if config is None else config.symbols)
        log = outgoing.log("ERROR", f"규칙 {rule.rule_id} 격리: {why}", self._clock.wall_now(), rule.rule_id)
        self._trader.write((self._alert(rule.rule_id, symbols, why), log))

    def guards(self, key: Key) -> bool:
        """Whether the stops of what the rule holds are judged."""
        return key not in self._unguarded

    def _alert(self, rule_id: int, symbol: str, why: str) -> Outgoing:
        return outgoing.alert(
            "RULE_PARKED", "critical", f"parked:{rule_id}:{symbol}", self._clock.wall_now(), rule=rule_id, symbol=symbol,
            reason=why,
        )  # fmt: skip
