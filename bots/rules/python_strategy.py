"""A Python rule at work: what the market shows → a question for its child → a Decision.

Stops stand in the rule's settings and are judged here, before the strategy is asked and whatever became of it. The strategy
proposes; sizing, guards and orders are the rule's and the account's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import structs

from bots.rules.evaluate import LEVEL_DECIMALS, evaluate, judged_price, signal_key
from bots.rules.sandbox.answers import Proposal
from bots.rules.sandbox.faults import StrategyFault
from bots.rules.sandbox.process import Child
from bots.rules.series import Bars, FillTold, MarketView
from shared.domain.rule.model import Rule
from shared.domain.rule.params import bind
from shared.domain.signal import Decision, Step, Verdict

LIVE_DEADLINE_S = 0.25
RESEARCH_DEADLINE_S = 5.0
MOST_STRIKES = 3
STRIKES_LAST_S = 3600.0  # an old fault is forgiven: three within this time are too many
_AT_LOAD = frozenset({"syntax", "refused_name", "import_refused", "no_calls"})  # would be the same at the next start

WAITING = "waiting_for_bar_close"
_REASONS = {Verdict.BUY: "entry", Verdict.SELL: "exit"}

Row = tuple[int, float, float, float, float, float]


@dataclass(slots=True)
class PythonStrategy:
    """One version of a Python rule with its child. `decide` waits for the answer, `decide_soon` leaves the loop free."""

    rule: Rule
    deadline_s: float = LIVE_DEADLINE_S
    strikes: list[float] = field(default_factory=list)  # monotonic times of faults
    quarantined: str = ""  # why it is not asked any more
    _sent: dict[str, Row] = field(default_factory=dict)  # symbol → the newest bar the child has
    _child: Child = field(init=False)

    def __post_init__(self) -> None:
        params = {one.name: float(one.default) for one in bind(self.rule).params}
        self._child = Child(self.rule.python, params)

    @property
    def running(self) -> bool:
        return self._child.pid is not None

    @property
    def pid(self) -> int | None:
        return self._child.pid

    @property
    def fence(self) -> str:
        """The level of the fence, empty before the first start."""
        return self._child.fence

    @property
    def calls(self) -> frozenset[str]:
        """What the strategy answers: on_bar, on_tick, on_fill; known once it has been started."""
        return self._child.calls

    def start(self) -> None:
        """Start the child. Raises FenceMissing, StrategyFault."""
        self._sent.clear()
        self._child.start()

    async def start_soon(self) -> None:
        """As `start`, without holding the loop."""
        self._sent.clear()
        await self._child.start_soon()

    def end(self) -> None:
        self._child.end()

    def decide(self, market: MarketView) -> Decision:
        """Return what the rule says now; starts the child when there is none.

        Raises:
            StrategyFault: the strategy was stopped or misbehaved. FenceMissing: it cannot run on this machine.
        """
        if not self.running:
            self.start()
        asked = self._prepare(market)
        return asked if isinstance(asked, Decision) else _decision(asked, self._child.ask(asked.body, self.deadline_s))

    async def decide_soon(self, market: MarketView) -> Decision:
        """As `decide`, without holding the loop; the child must be running. `market` is read before the first wait."""
        asked = self._prepare(market)
        if isinstance(asked, Decision):
            return asked
        return _decision(asked, await self._child.ask_soon(asked.body, self.deadline_s))

    def tell_fill(self, fill: FillTold) -> None:
        """Tell a running strategy of shares bought or sold; what it answers is no proposal. Raises StrategyFault."""
        if "on_fill" in self.calls:
            self._child.ask(_fill_body(fill), self.deadline_s)

    async def tell_fill_soon(self, fill: FillTold) -> None:
        """As `tell_fill`, without holding the loop."""
        if "on_fill" in self.calls:
            await self._child.ask_soon(_fill_body(fill), self.deadline_s)

    def struck(self, fault: StrategyFault, now: float) -> bool:
        """Count a fault at monotonic time `now`; True when the strategy is not asked any more from here on."""
        self.strikes = [one for one in self.strikes if now - one < STRIKES_LAST_S] + [now]
        if fault.code in _AT_LOAD or len(self.strikes) >= MOST_STRIKES:
            self.quarantined = str(fault)
            self.end()
        return bool(self.quarantined)

    def _prepare(self, market: MarketView) -> _Asked | Decision:
        """Judge the stops, else make the question."""
        first = evaluate(self.rule, market)
        call = "on_bar" if market.bar_closed else "on_tick"
        if first.verdict is Verdict.SELL or first.reason == WAITING or call not in self.calls:
            return first
        bars = market.bars.closed()
        judged = judged_price(market)
        price = None if judged != judged else judged
        rows, fresh = self._new_rows(market.symbol, bars)
        body: dict[str, Any] = {"call": call, "symbol": market.symbol, "at": market.at.timestamp(), "price": price}
        body |= {"bars": rows, "fresh": fresh, "minutes_to_close": market.minutes_to_close}
        held = market.holding
        if held is not None and price is not None:
            pnl_pct = round((price / held.average_price - 1.0) * 100.0, LEVEL_DECIMALS)
            body["position"] = [held.quantity, held.average_price, held.bars_since_entry, held.high_water, pnl_pct]
        keys = {reason: signal_key(self.rule, market, verdict, reason) for verdict, reason in _REASONS.items()}
        return _Asked(body, first, keys, held is not None and held.quantity > 0)

    def _new_rows(self, symbol: str, bars: Bars) -> tuple[list[Row], bool]:
        """The bars that the child has not got; all of them when what it has is not what stands here."""
        last = self._sent.get(symbol)
        begin, fresh = 0, True
        if last is not None and len(bars):
            at = int(np.searchsorted(bars.starts, last[0]))
            if at < len(bars) and _row(bars, at) == last:
                begin, fresh = at + 1, False
        rows = [_row(bars, place) for place in range(begin, len(bars))]
        if len(bars):
            self._sent[symbol] = _row(bars, len(bars) - 1)
        return rows, fresh


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on its way, and all that its answer needs: the market's arrays go on changing."""

    body: dict[str, Any]
    held_back: Decision  # what is said when the strategy proposes nothing
    keys: dict[str, str]  # reason → signal key
    holds: bool


def _decision(asked: _Asked, said: Proposal) -> Decision:
    """One position a symbol: a BUY with shares in hand and a SELL without are no signals."""
    first = asked.held_back
    seen = (*first.steps, *(Step("python", label, repr(value), "", "", None) for label, value in said.seen))
    wanted = Verdict.SELL if asked.holds else Verdict.BUY
    if said.verdict is not wanted:
        return structs.replace(first, steps=seen)
    reason = _REASONS[wanted]
    return structs.replace(
        first, verdict=wanted, reason=reason, steps=seen, score=said.score, signal_key=asked.keys[reason],
        quantity=said.quantity,
    )  # fmt: skip


def _fill_body(fill: FillTold) -> dict[str, Any]:
    told = [fill.side.value, fill.quantity, fill.price]
    return {"call": "on_fill", "symbol": fill.symbol, "at": fill.at.timestamp(), "fill": told}


def _row(bars: Bars, place: int) -> Row:
    return (
        int(bars.starts[place]),
        float(bars.open[place]),
        float(bars.high[place]),
        float(bars.low[place]),
        float(bars.close[place]),
        float(bars.volume[place]),
    )
