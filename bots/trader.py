"""Rules at work: a price or a closed bar → evaluate → decision → guards → desk.

A rule that raises is parked with an alert; the account's other rules and all their exits go on. A position keeps the
rule version it was opened with.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import structs

from bots.approvals import Approvals
from bots.chart import Chart, SeriesKey
from bots.clearance import Clearance
from bots.config import RuleConfig
from bots.decisions import DecisionLog
from bots.deferred import Deferred
from bots.desk import Desk
from bots.executions import LIVE
from bots.feed import Feed
from bots.held_exits import HeldExits
from bots.journal import Changes, Duplicate, Journal, Outgoing
from bots.lots import LotBook
from bots.orders import DeskOrder, RuleLot
from bots.own_orders import OwnOrders
from bots.parking import Parking
from bots.portfolio import Portfolio
from bots.pricing import entry_quantity, kept_price, limit_price
from bots.python_rules import PythonRules
from bots.rules.evaluate import evaluate, risk_distance
from bots.rules.plan import plan_of
from bots.rules.series import BarWindow, FillTold, Holding, MarketView
from bots.splits import SplitWatch
from bots.trading_hours import TradingHours
from shared.clock import Clock
from shared.domain.account import Market
from shared.domain.errors import Refused
from shared.domain.market import Bar, Timeframe
from shared.domain.order import PRICED, OrderRequest, Side
from shared.domain.rule.model import EvaluateOn, Rule
from shared.domain.signal import Allowed, Decision, Denied, Verdict
from shared.store.exposure import OpenElsewhere

TICK_EVERY_S = 0.2  # a rule is judged this often at most between bar closes; the last price is never skipped
MOST_TOLD = 1_000  # orders whose fills a rule's code was told of
ASKS_CODE = "asks_code"  # the stops of a Python rule say nothing; its code is to be asked

Spawn = Callable[[Coroutine[Any, Any, None]], None]
ClearWay = Callable[[tuple[OpenElsewhere, ...]], Coroutine[Any, Any, None]]
Key = tuple[int, str]  # rule id, symbol


@dataclass(slots=True)
class Trader:
    market: Market
    desk: Desk
    orders: OwnOrders
    portfolio: Portfolio
    feed: Feed
    chart: Chart
    clearance: Clearance
    hours: TradingHours
    journal: Journal
    clock: Clock
    spawn: Spawn
    decisions: DecisionLog
    clear_way: ClearWay | None = None  # asks the owner's other bots to cancel what an exit would meet
    rules: dict[int, RuleConfig] = field(default_factory=dict)
    pinned: dict[int, Rule] = field(default_factory=dict)
    stops_checked: dict[Key, datetime] = field(default_factory=dict)  # wall time a position was last judged
    _judged: dict[Key, float] = field(default_factory=dict)  # monotonic time of the last evaluation on a tick
    _dirty: dict[Key, bool] = field(default_factory=dict)  # to be judged as soon as may be; True: at the bar's close
    _stops: dict[int, Rule] = field(default_factory=dict)  # version id → the rule with its stops only
    _told: dict[str, int] = field(default_factory=dict)  # order id → shares that the rule's code was told of
    splits: SplitWatch = field(kw_only=True)  # whether a price may be a corporate action's
    python: PythonRules = field(init=False)
    approvals: Approvals = field(init=False)  # where entries of semi-automatic rules wait for a person
    deferred: Deferred = field(init=False)  # where a bar's decisions wait for the market
    parking: Parking = field(init=False)  # rules that raised
    held_exits: HeldExits = field(init=False)  # exits that do not get out

    def __post_init__(self) -> None:
        self.python = PythonRules(self, self.clock, self.spawn)
        self.approvals = Approvals(self, self.journal, self.clock)
        self.deferred = Deferred(self, self.journal, self.clock)
        self.parking = Parking(self, self.clock)
        self.held_exits = HeldExits(self.clock, self.write)

    @property
    def lots(self) -> LotBook:
        return self.orders.lots

    def configure(self, rules: tuple[RuleConfig, ...], pinned: dict[int, Rule]) -> None:
        """Put a configuration in force. A rule saved anew is no longer parked."""
        before = {rule_id: config.rule.version_id for rule_id, config in self.rules.items()}
        self.rules, self.pinned = {one.rule.rule_id: one for one in rules}, pinned
        self.parking.keep(before)
        self.decisions.forget(set(self.rules))
        self.python.keep([*(one.rule for one in rules), *pinned.values()])

    def wanted(self) -> set[SeriesKey]:
        """The series that rules and positions need; one-minute bars of every symbol are kept for the screen."""
        keys: set[SeriesKey] = set()
        for config in self.rules.values():
            for symbol in config.symbols:
                keys |= {(symbol, config.rule.timeframe), (symbol, Timeframe.M1)}
        for lot in self.lots.all():
            rule = self.rule_for(lot.rule_id, lot)
            if rule is not None:
                keys |= {(lot.symbol, rule.timeframe), (lot.symbol, Timeframe.M1)}
        return keys

    def on_price(self, symbol: str) -> None:
        """Judge every rule that looks at each price of `symbol`: those with shares, and those that say so."""
        price = self.feed.price(symbol)
        if price is None:
            return
        self.lots.marked(symbol, price)
        for rule_id, config in self.rules.items():
            lot = self.lots.get(rule_id, symbol)
            if lot is None and (symbol not in config.symbols or config.rule.evaluate is not EvaluateOn.TICK):
                continue
            key = (rule_id, symbol)
            if self.clock.monotonic() - self._judged.get(key, -1.0) < TICK_EVERY_S:
                self._dirty.setdefault(key, False)
            else:
                self._judge(key, bar_closed=False)

    def on_bar(self, bar: Bar) -> None:
        """Judge the rules of this timeframe at the close of `bar`."""
        for rule_id, config in self.rules.items():
            lot = self.lots.get(rule_id, bar.symbol)
            rule = self.rule_for(rule_id, lot)
            if rule is None or rule.timeframe is not bar.timeframe:
                continue
            if lot is None and bar.symbol not in config.symbols:
                continue
            self._judge((rule_id, bar.symbol), bar_closed=True)
            self.lots.bar_closed(rule_id, bar.symbol)

    def seeded(self, symbol: str, timeframe: Timeframe) -> None:
        """The broker's bars of a series are here: make good for what is held what an absence hid.

        Bars that closed and the day's highs count. A bar that has just closed unseen is judged now: it closes once.
        """
        for lot in self.lots.all():
            rule = self.rule_for(lot.rule_id, lot)
            if lot.symbol != symbol or rule is None or timeframe not in (rule.timeframe, Timeframe.M1):
                continue
            bars = self.chart.since(symbol, timeframe, lot.opened_at)
            # Today's only, and none that began before the entry: what is older may have been adjusted since.
            later = (bar for bar in bars if bar.start >= lot.opened_at and bar.timeframe is Timeframe.M1)
            highs = [bar.high for bar in later if self.hours.trade_date(bar.start) == self.today()]
            unseen = timeframe is rule.timeframe and len(bars) > lot.bars_held
            self.lots.caught_up(lot, len(bars) - 1 if unseen else 0, max(highs, default=lot.highest))
            if unseen:
                if self.clock.market_now() < self.chart.next_end(bars[-1]):
                    self._judge((lot.rule_id, symbol), bar_closed=True)
                self.lots.bar_closed(lot.rule_id, symbol)

    def judge_late(self) -> None:
        """Judge what was skipped because prices came too fast."""
        dirty, self._dirty = self._dirty, {}
        for key, bar_closed in dirty.items():
            self._judge(key, bar_closed=bar_closed)

    def _judge(self, key: Key, *, bar_closed: bool) -> None:
        parked = key in self.parking.why
        if key[0] not in self.rules or (parked and (bar_closed or not self.parking.guards(key))):
            return
        price = self.feed.price(key[1])
        if price is not None and self.lots.get(*key) is not None and self.splits.waits(key[1], price):
            if key[1] not in self.splits.suspected:  # else a person decides first
                self._dirty[key] = bar_closed or self._dirty.get(key, False)
            return
        self._judged[key] = self.clock.monotonic()
        try:
            decision = self.decide(key, bar_closed=bar_closed)
        except Exception as e:  # noqa: BLE001  a rule is a stranger's work: it must not take the account down
            self.parking.raised(key, e)
            return
        if decision is None or decision.reason == "waiting_for_bar_close":
            return
        if decision.reason == ASKS_CODE:
            self.python.ask(key, decision.version_id, bar_closed=bar_closed)
        else:
            self.conclude(decision)

    def conclude(self, decision: Decision) -> None:
        """Record a HOLD, act on anything else."""
        if decision.verdict is Verdict.HOLD:
            self.held_exits.content(decision, self.deferred.waiting)
            self.write(self.decisions.take(decision, None, self.today()))
        else:
            self.spawn(self._act(decision))

    def decide(self, key: Key, *, bar_closed: bool) -> Decision | None:
        """Evaluate one rule on one symbol now; None until its bars are here. Python code is not asked here."""
        found = self.view(key, bar_closed=bar_closed)
        if found is None:
            return None
        rule, view = found
        decision = evaluate(rule, view)
        if rule.python and decision.verdict is Verdict.HOLD and decision.reason != "waiting_for_bar_close":
            reason = "quarantined" if self.python.quarantine_of(rule) else ASKS_CODE
            return structs.replace(decision, reason=reason)
        return decision

    def view(self, key: Key, *, bar_closed: bool) -> tuple[Rule, MarketView] | None:
        """The rule in force for the key and what it may look at now; None until its bars are here."""
        rule_id, symbol = key
        lot = self.lots.get(rule_id, symbol)
        rule = self.rule_for(rule_id, lot)
        if rule is None:
            return None
        window = None if key in self.parking.why else self.chart.window(symbol, rule.timeframe)
        if window is None:
            if lot is None or bar_closed:
                return None
            # A position's stops are alive from the first price; conditions wait for their bars, or for who mends them.
            rule, window = self._stops_of(rule), BarWindow()
        now = self.clock.market_now()
        price = self.feed.price(symbol)
        if lot is not None and price is not None:
            self.stops_checked[lot.rule_id, symbol] = self.clock.wall_now()
        view = MarketView(
            symbol, now, window, bar_closed, None if price is None else float(price), None if lot is None else _holding(lot),
            minutes_to_close=self.hours.minutes_to_close(now) if rule.python or plan_of(rule).has_facts else None,
            equity=self._equity(rule),
        )  # fmt: skip
        return rule, view

    def on_order(self, order: DeskOrder) -> None:
        """Follow an order of ours that changed."""
        self.deferred.on_order(order)
        if order.filled_quantity:
            self._on_fill(order)

    def _on_fill(self, order: DeskOrder) -> None:
        """Tell a Python rule what its order has filled since it was last told."""
        rule_id = order.request.rule_id
        rule = None if rule_id is None else self.rule_for(rule_id, self.lots.get(rule_id, order.symbol))
        grown = order.filled_quantity - self._told.get(order.id, 0)
        if rule is None or not rule.python or grown <= 0 or order.average_fill_price is None:
            return
        self._told[order.id] = order.filled_quantity
        if len(self._told) > MOST_TOLD:
            del self._told[next(iter(self._told))]
        at, price = self.clock.market_now(), float(order.average_fill_price)
        self.python.told(rule, FillTold(order.symbol, order.side, grown, price, at))

    def _equity(self, rule: Rule) -> float | None:
        """The account's worth, asked only for rules that weigh against it."""
        equity = None if rule.rebalance is None else self.portfolio.equity()
        return None if equity is None else float(equity)

    async def propose(self, rule_id: int, symbol: str, verdict: Verdict, key: str) -> Denied | None:
        """Take a decision from outside for a rule of this account; None when it became an order or was one already."""
        config, lot = self.rules.get(rule_id), self.lots.get(rule_id, symbol)
        rule = self.rule_for(rule_id, lot)
        if config is None or rule is None or symbol not in config.symbols:
            return Denied("rule_off", "이 계좌에서 돌고 있는 규칙이 아님")
        if (rule_id, symbol) in self.parking.why:
            return Denied("rule_off", f"규칙이 멈춤: {self.parking.why[rule_id, symbol]}")
        if (verdict is Verdict.BUY) is not (lot is None):
            return Denied("no_position" if lot is None else "holding", "보유 상태와 맞지 않는 제안")
        now = self.clock.market_now()
        return await self.order(Decision(rule_id, rule.version_id, symbol, verdict, "proposed", now, signal_key=key))

    async def _act(self, decision: Decision) -> None:
        at_bar = _at_bar(decision)
        if at_bar and (closed := self.hours.closed_reason(self.clock.market_now())) is not None:
            await self.deferred.keep(decision)
            waits = Denied("waits_for_open", f"{closed}: 다음 개장을 기다림")
            self.write(self.decisions.take(decision, waits, self.today()))
            return
        denied = await self.order(decision)
        if denied is None:
            await self.deferred.done(decision)
        elif at_bar and decision.verdict is Verdict.SELL:
            await self.deferred.refused(decision, denied)

    async def order(self, decision: Decision, *, approved: bool = False) -> Denied | None:
        """Turn a BUY or SELL into an order, or into a refusal with its reason, which is returned."""
        waits = None if approved else self.approvals.held(decision)
        outcome = waits or self._order_of(decision)
        if not approved and not isinstance(outcome, Denied) and self.approvals.asks(decision, outcome[0]):
            outcome = await self.approvals.ask(decision, outcome[0])
        if decision.verdict is Verdict.SELL:
            self.held_exits.judged(decision, outcome if isinstance(outcome, Denied) else None)
        if isinstance(outcome, Denied):
            self.write(self.decisions.take(decision, outcome, self.today()))
            return outcome
        request, allowed = outcome
        rows = self.decisions.take(decision, allowed, self.today())
        lot = self.lots.get(decision.rule_id, decision.symbol)
        version = lot.version_id if lot is not None else decision.version_id
        # No await between the guards and this call: the order counts for the next guard at once.
        try:
            await self.desk.place(request, self.today(), version_id=version, decision=decision)
        except Duplicate as e:
            rows = self.decisions.amend(decision, Denied("duplicate_signal", str(e)), self.today())
        self.write(rows)
        return None

    def _order_of(self, decision: Decision) -> tuple[OrderRequest, Allowed] | Denied:
        config = self.rules.get(decision.rule_id)
        instrument = self.clearance.instruments.get(decision.symbol)
        if config is None or instrument is None:
            return Denied("instrument_unknown", f"{decision.symbol}의 종목 정보를 아직 모름")
        entry = decision.verdict is Verdict.BUY
        if entry and not config.entries:
            return Denied("rule_off", "규칙이 꺼져 있어 진입하지 않음")
        side = Side.BUY if entry else Side.SELL
        lot = self.lots.get(decision.rule_id, decision.symbol)
        rule = self.rule_for(decision.rule_id, lot) or config.rule
        best = self.feed.best_opposite(decision.symbol, side) or self.feed.price(decision.symbol)
        if best is None:
            return Denied("no_price", "현재가를 모름")
        order_type = decision.order_type or rule.execution.order_type
        if decision.limit_price is not None and order_type in PRICED:
            price: Decimal | None = kept_price(self.market, instrument, side, decision.limit_price, self.today())
        else:
            execution = replace(rule.execution, order_type=order_type)
            price = limit_price(self.market, instrument, execution, side, best, self.today())
            price = price if entry or price is None else self.clearance.sale_price(instrument, price)
        quantity = self._quantity(rule, side, decision, lot, price, best)
        if isinstance(quantity, Denied):
            return quantity
        request = OrderRequest(
            symbol=decision.symbol, side=side, quantity=quantity, price=price, venue=instrument.venue,
            currency=instrument.currency, client_order_id=self.orders.next_id(), order_type=order_type,
            time_in_force=rule.execution.time_in_force, rule_id=decision.rule_id,
            signal_key=self._signal_key(decision, side), reduces=not entry, reason=decision.reason,
        )  # fmt: skip
        in_force = config.rule.version_id
        allowed = self.clearance.check(
            request, rule_max_shares=config.max_shares, cooldown_s=rule.execution.cooldown_sec if entry else 0,
            version_doubt=None if decision.version_id == in_force else f"버전 {decision.version_id}의 판단, 지금은 {in_force}",
        )  # fmt: skip
        if isinstance(allowed, Denied):
            if allowed.code == "self_cross" and not entry:
                self.spawn(self._cancel_entries(decision.symbol))
            if allowed.code == "opposite_order" and not entry and self.clear_way is not None:
                self.spawn(self.clear_way(self.clearance.in_the_way(request)))
            return allowed
        return request, allowed

    def _quantity(
        self, rule: Rule, side: Side, decision: Decision, lot: RuleLot | None, price: Decimal | None, best: Decimal
    ) -> int | Denied:
        if side is Side.BUY:
            if decision.quantity is not None:
                most = None if rule.rebalance is None else self.clearance.affordable(decision.symbol, price)
                return min(decision.quantity, most or decision.quantity)  # the last weight takes the cash that is left
            wanted = entry_quantity(rule, price or best, self.portfolio.equity(), self._risk_of(rule, decision))
            return wanted if wanted > 0 else Denied("sizing", "수량 설정으로 살 수 있는 주식이 없음")
        if lot is None:
            return Denied("no_position", "팔 주식이 없음")
        free = self.portfolio.free_to_sell(decision.symbol)
        if not free:
            return Denied("sellable", "매도가능 수량이 없음")
        return min(lot.quantity, free, decision.quantity or lot.quantity)

    def _risk_of(self, rule: Rule, decision: Decision) -> Decimal | None:
        """What a share risks where the rule's sizing says it by ATR, on the bar that closed last."""
        if rule.sizing is None or rule.sizing.atr_period is None:
            return None
        found = self.view((decision.rule_id, decision.symbol), bar_closed=True)
        return None if found is None else risk_distance(*found)

    def _signal_key(self, decision: Decision, side: Side) -> str | None:
        """One signal, one entry. An exit may be tried again after its order ended without selling everything."""
        key = decision.signal_key
        if key is None or side is Side.BUY:
            return key
        tries = sum(1 for one in self.orders.all() if (one.request.signal_key or "").split("#")[0] == key)
        return key if tries == 0 else f"{key}#{tries + 1}"

    async def _cancel_entries(self, symbol: str) -> None:
        """Our own resting buys stand in the way of an exit: they go first."""
        for order in self.orders.open():
            resting = order.status in LIVE and order.cancel_requested_at is None
            if resting and order.symbol == symbol and order.side is Side.BUY:
                with suppress(Refused):  # it ended meanwhile, or the next price asks again
                    await self.desk.cancel(order.id, "청산을 위해 진입 주문 취소")

    def rule_for(self, rule_id: int, lot: RuleLot | None) -> Rule | None:
        """The version a position was opened with, else the one in force."""
        if lot is not None and lot.version_id in self.pinned:
            return self.pinned[lot.version_id]
        config = self.rules.get(rule_id)
        return None if config is None else config.rule

    def _stops_of(self, rule: Rule) -> Rule:
        """The rule with its conditions left to bar closes: between them only stops are judged."""
        if rule.evaluate is EvaluateOn.BAR_CLOSE:
            return rule
        if rule.version_id not in self._stops:
            self._stops[rule.version_id] = replace(rule, evaluate=EvaluateOn.BAR_CLOSE)
        return self._stops[rule.version_id]

    def today(self) -> Any:
        return self.hours.trade_date(self.clock.market_now())

    def write(self, rows: tuple[Outgoing, ...]) -> None:
        if rows:
            self.spawn(self._save(rows))

    async def _save(self, rows: tuple[Outgoing, ...]) -> None:
        await self.journal.write(Changes(outbox=rows))


def _holding(lot: RuleLot) -> Holding:
    return Holding(lot.quantity, float(lot.average_price), lot.bars_held, float(lot.highest))


def _at_bar(decision: Decision) -> bool:
    """A stop on a tick is not kept for the next open: the next price decides afresh."""
    return decision.reason in ("entry", "exit", "time_stop") or decision.quantity is not None
