"""The replay of rules whose orders wait or come in steps: ladders, grids, target weights, LOC and MOC, passive limits.

An order decided at a close waits from the next bar on. LOO looks at the next open, LOC and MOC at the close of the last bar of
a session (for daily bars: the next close), a limit at each bar until its session ends or its rule withdraws it, a ladder's as
well. A waiting limit fills at the open where that is better, else at the limit when the bar touches it. Before
its own level a stop counts; a target counts only from the bar after a limit that filled within one. An exit withdraws
waiting purchases (the exchange refuses to cross oneself), and a rule proposes nothing while its order waits.
"""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, inf

from bots.backtest.costs import as_decimal
from bots.backtest.data import PriceData
from bots.backtest.desks import Desk, Position
from bots.backtest.fast import Execution, Trades, Walked
from bots.backtest.kernel import Terms, waits
from bots.backtest.replay import Replay
from bots.pricing import kept_price, limit_price
from bots.risk.snapshot import Limits
from bots.rules.evaluate import stop_level, target_level
from bots.rules.plan import Plan, has_target, plan_of
from bots.rules.series import Holding
from bots.rules.targets import Standing, step_towards
from brokers.paper.adapter import PLENTY, Filled
from shared.domain.order import PRICED, OrderType, Side, TimeInForce
from shared.domain.rule.model import Rule, UnfilledAction
from shared.domain.signal import Verdict

AT_CLOSE = frozenset({OrderType.LOC, OrderType.MOC})


def walk(rule: Rule, data: dict[str, PriceData], terms: Terms, limits: Limits | None = None) -> Walked:
    """Return what the rule trades on the symbols' bars, sharing the cash. Raises StrategyFault, FenceMissing: Python."""
    plan = plan_of(rule)
    replayed = (Resting if waits(plan.rule) else Replay)(plan, data, terms, limits)
    with nullcontext() if replayed.code is None else closing(replayed.code):
        return replayed.run()


@dataclass(slots=True)
class Waiting:
    """An order between its decision and its end. `limit` None trades at any price; `quantity` None is all that is held."""

    side: Side
    quantity: int | None
    kind: OrderType
    limit: Decimal | None
    reason: str
    last: int  # the last bar on which it may fill
    reprice: bool = False

    def takes(self, price: float) -> bool:
        if self.limit is None:
            return True
        asked = as_decimal(price)
        return asked <= self.limit if self.side is Side.BUY else asked >= self.limit


class Resting(Replay):
    def __init__(self, plan: Plan, data: dict[str, PriceData], terms: Terms, limits: Limits | None) -> None:
        super().__init__(plan, data, terms, limits)
        self.waiting: dict[int, Waiting] = {}  # by the desk's place
        self.fills: list[Execution] = []

    def run(self) -> Walked:
        walked = super().run()
        return Walked(Trades.of(self.trades), walked.equity, self.unaffordable, self.thin, tuple(self.fills))

    def _next_entry(self, desk: Desk, bar: int) -> int:
        return bar  # a flat symbol may have an order waiting, and a target is judged at every close

    def _hold(self, desk: Desk, bar: int, equity: object) -> int:
        return bar

    # -- one instant --------------------------------------------------------------------------------------------------

    def _instant(self, here: list[tuple[Desk, int]]) -> None:
        for desk, bar in here:
            desk.mark = desk.opens[bar]
            self._dividend(desk, bar)
            if desk.pending and desk.position is not None:
                self._sell(desk, bar, desk.opens[bar], desk.pending, bar, int(desk.data.bars.starts[bar]))
        for side in (Side.SELL, Side.BUY):
            for desk, bar in here:
                self._at_open(desk, bar, side)
        for desk, bar in here:
            self._within(desk, bar)
        for desk, bar in here:
            desk.mark = desk.closes[bar]
        for side in (Side.SELL, Side.BUY):
            for desk, bar in here:
                self._at_session_end(desk, bar, side)
        self._place([(desk, bar, self._decided(desk, bar)) for desk, bar in here])

    def _at_open(self, desk: Desk, bar: int, side: Side) -> None:
        order = self.waiting.get(desk.place)
        if order is None or order.side is not side or order.kind in AT_CLOSE:
            return
        if order.takes(desk.opens[bar]):
            self._fill(desk, bar, order, desk.opens[bar])
        elif order.kind is OrderType.LOO:
            del self.waiting[desk.place]

    def _within(self, desk: Desk, bar: int) -> None:
        order, before = self.waiting.get(desk.place), desk.position
        fresh = False
        if order is not None and order.side is Side.BUY and order.kind not in AT_CLOSE and order.limit is not None:
            gone = self.stops and before is not None and desk.opens[bar] >= before.target
            if not gone and order.takes(desk.lows[bar]):
                fresh = self._fill(desk, bar, order, float(order.limit))
        position = desk.position
        if self.stops and position is not None and not desk.pending:
            target = position.target
            if fresh:
                position.target = inf
            self._check_stops(desk, bar, position)
            position.target = target
        if desk.pending or (position is not None and desk.position is None):
            self.waiting.pop(desk.place, None)
        order = self.waiting.get(desk.place)
        if order is None or order.side is Side.BUY or order.kind in AT_CLOSE or order.limit is None:
            return
        if order.takes(desk.highs[bar]):
            self._fill(desk, bar, order, float(order.limit))

    def _at_session_end(self, desk: Desk, bar: int, side: Side) -> None:
        order = self.waiting.get(desk.place)
        if order is None or order.side is not side:
            return
        ends = bar + 1 == len(desk.closes) or desk.on(bar + 1) != desk.on(bar)
        if order.kind in AT_CLOSE and ends and order.takes(desk.closes[bar]):
            self._fill(desk, bar, order, desk.closes[bar])
        over = ends or bar >= order.last
        if over and self.waiting.get(desk.place) is order:
            del self.waiting[desk.place]
            if order.reprice and not ends:
                self._renew(desk, bar, order)

    def _renew(self, desk: Desk, bar: int, order: Waiting) -> None:
        """Ask again at the price of now, as `unfilled: reprice` does."""
        on, market = desk.on(bar), desk.instrument.market
        order.limit = limit_price(market, desk.instrument, self.execution, order.side, as_decimal(desk.closes[bar]), on)
        order.last = self._until(desk, bar)
        self.waiting[desk.place] = order

    # -- deciding ------------------------------------------------------------------------------------------------------

    def _decided(self, desk: Desk, bar: int) -> Waiting | None:
        """What the rule proposes at this close, as the bot's evaluate does: exits, then the target or an entry."""
        position, order = desk.position, self.waiting.get(desk.place)
        if desk.pending:
            return None
        if position is not None and not (self.at_close and position.entry == bar):
            reason = self._exit_reason(desk, bar, position)
            if reason:
                return (
                    None
                    if order is not None and order.side is Side.SELL
                    else self._order_at(desk, bar, Side.SELL, reason)
                )
        if order is not None:
            return None
        entry = bool(self.rule.entry.conditions) or (self.rule.composite is not None and not has_target(self.rule))
        enters = bar >= desk.free and (
            not entry or (desk.entries[bar] and self._judge(desk, self.plan.entry_test, bar))
        )
        if has_target(self.rule):
            return self._step(desk, bar, enters)
        if position is not None or not enters or not entry:
            return None
        self._look_at_risk(desk, bar)
        return self._order_at(desk, bar, Side.BUY, "entry")

    def _exit_reason(self, desk: Desk, bar: int, position: Position) -> str:
        limit = self.plan.time_stop_bars
        if limit is not None and bar - position.entry >= limit:
            return "time_stop"
        held = desk.exits is None or desk.exits[bar]
        return "exit" if held and self._judge(desk, self.plan.exit_test, bar) else ""

    def _step(self, desk: Desk, bar: int, enters: bool) -> Waiting | None:
        position, close = desk.position, desk.closes[bar]
        holding = None
        if position is not None:
            holding = Holding(position.quantity, position.price, bar - position.entry, position.high)
        elif not enters:
            return None
        equity = float(self._equity()) if self.rule.rebalance is not None else None
        proposal = step_towards(self.plan, Standing(desk.instrument.symbol, close, holding, equity), [])
        if proposal is None or (proposal.verdict is Verdict.BUY and not enters):
            return None
        side = Side.BUY if proposal.verdict is Verdict.BUY else Side.SELL
        kind = proposal.order_type or self.execution.order_type
        made = self._order_at(desk, bar, side, proposal.reason, kind)
        made.quantity = proposal.quantity
        if proposal.limit_price is not None and kind in PRICED:
            market = desk.instrument.market
            made.limit = kept_price(market, desk.instrument, side, proposal.limit_price, desk.on(bar))
        return made

    def _order_at(self, desk: Desk, bar: int, side: Side, reason: str, kind: OrderType | None = None) -> Waiting:
        """The rule's own order: passive limits, LOC and LOO carry a limit, what trades at once does not."""
        execution, limit = self.execution, None
        kind = kind or execution.order_type
        if kind in PRICED and (kind is not OrderType.LIMIT or execution.offset_ticks < 0):
            best = as_decimal(desk.closes[bar])
            limit = limit_price(desk.instrument.market, desk.instrument, execution, side, best, desk.on(bar))
        if kind is OrderType.LIMIT and limit is not None and execution.time_in_force is not TimeInForce.DAY:
            kind = OrderType.LOO  # filled at once or gone
        reprice = execution.unfilled.action is UnfilledAction.REPRICE
        return Waiting(side, None, kind, limit, reason, self._until(desk, bar), reprice)

    def _until(self, desk: Desk, bar: int) -> int:
        unfilled = self.execution.unfilled
        if unfilled.action is UnfilledAction.KEEP or not unfilled.after_sec:
            return len(desk.closes)
        return bar + ceil(unfilled.after_sec / desk.bar_seconds)

    def _place(self, decided: list[tuple[Desk, int, Waiting | None]]) -> None:
        """Let the orders wait for the next bar, or trade at this close where the backtest fills so; sales first."""
        for side in (Side.SELL, Side.BUY):
            for desk, bar, order in decided:
                if order is None or order.side is not side:
                    continue
                if self.at_close and order.limit is None and order.kind not in AT_CLOSE:
                    self.waiting.pop(desk.place, None)
                    self._fill(desk, bar, order, desk.closes[bar])
                elif bar + 1 < len(desk.closes):
                    self.waiting[desk.place] = order

    # -- filling -------------------------------------------------------------------------------------------------------

    def _fill(self, desk: Desk, bar: int, order: Waiting, price: float) -> bool:
        """Trade what the bar's volume gives; what a waiting limit did not get goes on waiting."""
        shown, on = as_decimal(price), desk.on(bar)
        if order.limit is None and order.kind not in AT_CLOSE:
            shown = self.costs.slipped(order.side, shown, on, self._base(desk, bar))
        if self.waiting.get(desk.place) is order:
            del self.waiting[desk.place]
        wanted = self._wanted(desk, bar, order, shown)
        quantity = self._size(desk, bar, order.side, wanted)
        if order.side is Side.BUY:
            quantity = self.costs.units(quantity, shown, on)
        self.thin += quantity < wanted
        filled = self._traded(desk, bar, order, quantity, shown)
        left = wanted - filled.quantity
        if (
            left
            and order.limit is not None
            and quantity < wanted
            and bar < order.last
            and order.kind is OrderType.LIMIT
        ):
            order.quantity = left
            self.waiting[desk.place] = order
        elif left and order.side is Side.SELL and order.quantity is None and order.limit is None:
            desk.pending = order.reason
        return filled.quantity > 0

    def _wanted(self, desk: Desk, bar: int, order: Waiting, shown: Decimal) -> int:
        position = desk.position
        if order.side is Side.SELL:
            held = 0 if position is None else position.quantity
            return held if order.quantity is None else min(held, order.quantity)
        if order.quantity is None:
            asked = None if self.code is None else self.code.shares(desk.instrument.symbol)
            wanted = self._affordable(desk, shown, desk.on(bar), asked)
        else:
            wanted = self.costs.units(order.quantity, shown, desk.on(bar))
            if self.rule.rebalance is not None:  # as the bot: the last to buy takes what is left
                wanted = self.costs.units(self._paid_for(wanted, shown, desk.on(bar)), shown, desk.on(bar))
            elif self._cost(wanted, shown, desk.on(bar)) > self.broker.cash:
                wanted = 0
        self.unaffordable += wanted <= 0
        return wanted

    def _traded(self, desk: Desk, bar: int, order: Waiting, quantity: int, shown: Decimal) -> Filled:
        filled = self._order(
            desk, order.side, quantity, shown, bar, order.reason, quantity,
            order.kind if order.kind in PRICED and order.limit is not None else OrderType.MARKET, order.limit,
        )  # fmt: skip
        if not filled.quantity:
            return filled
        if order.side is Side.BUY:
            self._add(desk, bar, filled)
        elif desk.position is not None:
            left_at = int(desk.data.bars.starts[bar]) + desk.bar_seconds
            self._sold(desk, desk.position, bar, filled, order.reason, bar + self.at_close, left_at)
        return filled

    def _add(self, desk: Desk, bar: int, filled: Filled) -> None:
        """Open the position or add to it; stops are measured from the average price."""
        held, price = desk.position, float(filled.price)
        if held is None:
            held = desk.position = Position(0, bar, price, price, Decimal(0), None, inf)
            desk.spent = Decimal(0)
        desk.spent += filled.amount
        held.quantity += filled.quantity
        held.paid += filled.amount + filled.fee
        held.price = float(desk.spent / held.quantity)
        held.loss = stop_level(held.price, self.plan.stop_loss_pct)
        target = target_level(held.price, self.plan.take_profit_pct)
        held.target = inf if target is None else target

    def _sold(
        self, desk: Desk, position: Position, bar: int, filled: Filled, reason: str, next_decision: int, left_at: int
    ) -> None:
        desk.spent -= desk.spent * filled.quantity / position.quantity  # at average cost, as the bot's lots
        super()._sold(desk, position, bar, filled, reason, next_decision, left_at)

    def _order(
        self, desk: Desk, side: Side, quantity: int, shown: Decimal, bar: int, reason: str, size: int = PLENTY,
        kind: OrderType | None = None, limit: Decimal | None = None,
    ) -> Filled:  # fmt: skip
        filled = super()._order(desk, side, quantity, shown, bar, reason, size, kind or OrderType.MARKET, limit)
        if filled.quantity:
            self.fills.append(Execution(bar, side, filled.quantity, float(filled.price), reason, desk.place))
        return filled
