"""Decisions of a bar's close that are no order yet: kept in the journal, made as soon as they may be.

A bar closes once. What it decided while the market was closed waits for the open (design.md §7). An exit that was refused, by
a guard or by the broker, is owed: it is tried again until the shares are gone, for so long as it still means this market; then
a person is told. A refused entry is over, the next bar decides afresh; so is a stop's, whose next price does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from bots import kept_decisions, outgoing
from bots.journal import Changes, Journal
from bots.orders import DeskOrder, RuleLot
from shared.clock import Clock
from shared.domain.order import Side
from shared.domain.order_state import OrderStatus
from shared.domain.rule.model import EvaluateOn
from shared.domain.signal import Decision, Denied, Verdict

if TYPE_CHECKING:
    from bots.trader import Trader

FACT = "deferred:"  # facts of the journal: what waits, by rule and symbol
PATIENCE_S = 600.0  # what cannot be done so long while the market is open is dropped
NOT_YET = frozenset({
    "stale_data", "fallback_data", "no_price", "instrument_unknown", "pnl_unknown", "cash_unknown", "holdings_unknown",
    "bot_state",
})  # fmt: skip
OVER = frozenset({"no_position", "duplicate_signal"})  # refusals that no time changes
EXITS = frozenset({"exit", "time_stop"})  # of all the rule's shares, decided once: a stop is judged at every price
REFUSED = frozenset({OrderStatus.REJECTED, OrderStatus.DENIED, OrderStatus.NOT_ACCEPTED})

Key = tuple[int, str]  # rule id, symbol


class Deferred:
    """What waits of one account's rules: at most one decision for each rule and symbol."""

    def __init__(self, trader: Trader, journal: Journal, clock: Clock) -> None:
        self._trader, self._journal, self._clock = trader, journal, clock
        self.waiting: dict[Key, Decision] = {}
        self._opened: dict[Key, float] = {}  # monotonic time at which it first met an open market

    async def keep(self, decision: Decision) -> None:
        """Let a decision wait; a later one takes its place."""
        key = (decision.rule_id, decision.symbol)
        self.waiting[key] = decision
        await self._write(key, kept_decisions.keep(decision))

    async def refused(self, decision: Decision, denied: Denied) -> None:
        """Keep an exit that a guard refused, unless it is over or will be judged anew without us."""
        if denied.code in NOT_YET or (self._owed(decision) and denied.code not in OVER):
            await self.keep(decision)

    async def done(self, decision: Decision) -> None:
        """It became an order: whatever waited for the same shares is superseded."""
        await self._drop((decision.rule_id, decision.symbol))

    def on_order(self, order: DeskOrder) -> None:
        """Take an exit back that was sent and never arrived: refused at the last look, by the broker, or lost on the way."""
        asked = order.request
        if order.status not in REFUSED or order.side is not Side.SELL or asked.rule_id is None:
            return
        key = None if asked.signal_key is None else asked.signal_key.split("#")[0]
        decision = Decision(
            asked.rule_id, order.version_id or 0, order.symbol, Verdict.SELL, asked.reason, order.market_at, signal_key=key
        )  # fmt: skip
        if self._owed(decision):
            self._trader.spawn(self.keep(decision))

    def recall(self, facts: dict[str, str]) -> None:
        """Take back what waited when the last process ended."""
        for name, body in facts.items():
            if name.startswith(FACT) and body:
                rule_id, _, symbol = name.removeprefix(FACT).partition(":")
                found = kept_decisions.read(int(rule_id), symbol, body)[0]
                self.waiting.setdefault((int(rule_id), symbol), found)  # recovery may have added a later one

    async def act(self) -> None:
        """Make orders of what waits, where the market is open and every guard lets it pass."""
        if not self.waiting:
            return
        if self._trader.hours.closed_reason(self._clock.market_now()) is not None:
            self._opened.clear()  # patience is of the open market
            return
        for key, decision in list(self.waiting.items()):
            since = self._opened.setdefault(key, self._clock.monotonic())
            denied = None
            if key[0] in self._trader.rules and self._fits(decision, self._lot(key)):
                denied = await self._trader.order(structs.replace(decision, at=self._clock.market_now()))
            if denied is not None and self._clock.monotonic() - since < PATIENCE_S and self._stays(decision, denied):
                continue
            if denied is not None and self._owed(decision):
                self._give_up(decision, denied)
            await self._drop(key)

    def _stays(self, decision: Decision, denied: Denied) -> bool:
        return denied.code in NOT_YET or (self._owed(decision) and denied.code not in OVER)

    def _owed(self, decision: Decision) -> bool:
        """An exit of everything the rule holds, decided at a close; one judged at every price is said again there."""
        lot = self._lot((decision.rule_id, decision.symbol))
        rule = self._trader.rule_for(decision.rule_id, lot)
        whole = decision.verdict is Verdict.SELL and decision.reason in EXITS and decision.quantity is None
        return whole and lot is not None and rule is not None and rule.evaluate is EvaluateOn.BAR_CLOSE

    def _lot(self, key: Key) -> RuleLot | None:
        return self._trader.lots.get(*key)

    def _fits(self, decision: Decision, lot: RuleLot | None) -> bool:
        return (decision.verdict is Verdict.BUY) == (lot is None) or decision.quantity is not None

    def _give_up(self, decision: Decision, denied: Denied) -> None:
        """The shares are still there and nothing sells them: a person must know."""
        now = self._clock.wall_now()
        alert = outgoing.alert(
            "EXIT_UNDONE", "critical", f"exit:{decision.rule_id}:{decision.symbol}", now, rule=decision.rule_id,
            symbol=decision.symbol, reason=denied.text, minutes=round(PATIENCE_S / 60),
        )  # fmt: skip
        self._trader.write((alert,))

    async def _drop(self, key: Key) -> None:
        self._opened.pop(key, None)
        if self.waiting.pop(key, None) is not None:
            await self._write(key, "")

    async def _write(self, key: Key, body: str) -> None:
        await self._journal.write(Changes(facts=((f"{FACT}{key[0]}:{key[1]}", body),)))
