"""What an order left alone needs: reprice or cancel when unfilled, ask again for a cancel nobody confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from bots.clearance import Clearance
from bots.desk import Desk
from bots.executions import LIVE
from bots.feed import Feed
from bots.orders import DeskOrder
from bots.own_orders import OwnOrders
from bots.pricing import limit_price
from bots.trading_hours import TradingHours
from shared.clock import Clock
from shared.domain.account import Market
from shared.domain.errors import NotSupported, Refused
from shared.domain.order import PRICED
from shared.domain.rule.model import Rule, UnfilledAction

EXIT_REPRICE_S = 5.0  # a resting exit protects nobody: it follows the price even where the rule says keep
ASK_CANCEL_AGAIN = timedelta(seconds=10)


@dataclass(slots=True)
class Housekeeping:
    market: Market
    desk: Desk
    orders: OwnOrders
    feed: Feed
    clearance: Clearance
    hours: TradingHours
    clock: Clock
    rule_of: Callable[[DeskOrder], Rule | None]
    _repriced: dict[str, float] = field(default_factory=dict)  # order → monotonic time of the last new price

    async def tend(self) -> None:
        """Look after every open order once. A refusal leaves the order as it is: reconcile tells what became of it."""
        if self.hours.closed_reason(self.clock.market_now()) is not None:
            return
        for order in self.orders.open():
            if order.status not in LIVE or order.is_unproven:
                continue
            try:
                await self._tend_one(order)
            except Refused:
                continue

    async def _tend_one(self, order: DeskOrder) -> None:
        now = self.clock.wall_now()
        if order.cancel_requested_at is not None:
            if now - order.cancel_requested_at > ASK_CANCEL_AGAIN:
                await self.desk.cancel(order.id, "취소 확인이 없어 다시 요청")
            return
        rule = self.rule_of(order)
        if rule is None or order.sent_at is None:
            return
        age_s = (now - order.sent_at).total_seconds()
        unfilled = rule.execution.unfilled
        if unfilled.action is UnfilledAction.CANCEL and age_s >= unfilled.after_sec:
            await self.desk.cancel(order.id, f"{age_s:.0f}초 미체결")
        elif (unfilled.action is UnfilledAction.REPRICE and age_s >= unfilled.after_sec) or (
            order.request.reduces and age_s >= EXIT_REPRICE_S
        ):
            await self._reprice(order, rule)

    async def _reprice(self, order: DeskOrder, rule: Rule) -> None:
        """Move an order that the market has left to the price of now; cancel it where it cannot be amended."""
        now = self.clock.monotonic()
        price = self._price_now(order, rule)
        pause_s = max(float(rule.execution.unfilled.after_sec), EXIT_REPRICE_S)
        if price is None or price == order.price or now - self._repriced.get(order.id, -pause_s) < pause_s:
            return
        self._repriced[order.id] = now
        try:
            await self.desk.amend(order.id, order.leaves, price, f"재호가: {order.price} → {price}")
        except NotSupported:
            await self.desk.cancel(order.id, f"재호가를 위해 취소: {order.price} → {price}")

    def _price_now(self, order: DeskOrder, rule: Rule) -> Decimal | None:
        instrument = self.clearance.instruments.get(order.symbol)
        best = self.feed.best_opposite(order.symbol, order.side) or self.feed.price(order.symbol)
        if instrument is None or best is None or order.request.order_type not in PRICED:
            return None
        today = self.hours.trade_date(self.clock.market_now())
        return limit_price(self.market, instrument, rule.execution, order.side, best, today)
