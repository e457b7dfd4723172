"""What an order left alone needs: reprice or cancel when unfilled, ask again for a cancel nobody confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from bots.clearance import WITHIN_COLLAR, Clearance
from bots.config import AtClose
from bots.desk import Desk
from bots.executions import LIVE
from bots.feed import Feed
from bots.orders import DeskOrder
from bots.own_orders import OwnOrders
from bots.pricing import kept_price, limit_price
from bots.trading_hours import TradingHours
from shared.clock import Clock
from shared.domain.account import Market
from shared.domain.errors import NotSupported, Refused
from shared.domain.order import PRICED, OrderType, Side
from shared.domain.rule.model import Execution, Rule, UnfilledAction

EXIT_REPRICE_S = 5.0  # a resting exit protects nobody: it follows the price even where the rule says keep
ASK_CANCEL_AGAIN = timedelta(seconds=10)
AT_THE_CLOSE = frozenset({OrderType.LOC, OrderType.MOC})


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
    at_close: AtClose = AtClose.KEEP
    at_close_minutes: int = 10
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
        if order.sent_at is None:
            return
        rule = self.rule_of(order)
        if self.at_close is not AtClose.KEEP and await self._near_close(order, rule):
            return
        if rule is None:
            return
        age_s = (now - order.sent_at).total_seconds()
        unfilled = rule.execution.unfilled
        if unfilled.action is UnfilledAction.CANCEL and age_s >= unfilled.after_sec:
            await self.desk.cancel(order.id, f"{age_s:.0f}초 미체결")
        elif (unfilled.action is UnfilledAction.REPRICE and age_s >= unfilled.after_sec) or (
            order.request.reduces and age_s >= EXIT_REPRICE_S
        ):
            await self._reprice(order, rule)

    async def _near_close(self, order: DeskOrder, rule: Rule | None) -> bool:
        """What the account wants of an order that the close would leave unfilled; True when that was seen to.

        An order for the closing auction itself is left to it. What closes a position is never cancelled for the hour.
        """
        left = self.hours.minutes_to_close(self.clock.market_now())
        if left is None or left > self.at_close_minutes or order.request.order_type in AT_THE_CLOSE:
            return False
        if self.at_close is AtClose.CANCEL and not order.request.reduces:
            await self.desk.cancel(order.id, f"마감 {left:.0f}분 전 미체결")
            return True
        if self.at_close is AtClose.CONVERT:
            await self._amend(order, self._through_the_book(order), EXIT_REPRICE_S, "마감 전 시장가에 가깝게")
            return True
        execution = rule.execution if rule is not None else Execution()
        await self._amend(order, self._price_now(order, execution), EXIT_REPRICE_S, "마감 전 재호가")
        return True

    async def _reprice(self, order: DeskOrder, rule: Rule) -> None:
        """Move an order that the market has left to the price of now; cancel it where it cannot be amended."""
        pause_s = max(float(rule.execution.unfilled.after_sec), EXIT_REPRICE_S)
        await self._amend(order, self._price_now(order, rule.execution), pause_s, "재호가")

    async def _amend(self, order: DeskOrder, price: Decimal | None, pause_s: float, why: str) -> None:
        now = self.clock.monotonic()
        if price is None or price == order.price or now - self._repriced.get(order.id, -pause_s) < pause_s:
            return
        self._repriced[order.id] = now
        try:
            await self.desk.amend(order.id, order.leaves, price, f"{why}: {order.price} → {price}")
        except NotSupported:
            await self.desk.cancel(order.id, f"{why}를 위해 취소: {order.price} → {price}")

    def _through_the_book(self, order: DeskOrder) -> Decimal | None:
        """A limit that fills like a market order: the last price moved by the account's collar, within the day's limits."""
        instrument, last = self.clearance.instruments.get(order.symbol), self.feed.price(order.symbol)
        if instrument is None or last is None or order.request.order_type not in PRICED:
            return None
        if order.side is Side.SELL:
            lowest = self.clearance.sale_price(instrument, Decimal(0))
            return lowest if order.price is None else min(order.price, lowest)  # it may reach as far already
        reach = self.clearance.limits.price_collar_pct * WITHIN_COLLAR / 100
        price = kept_price(self.market, instrument, order.side, last * (1 + reach), self._today())
        quote = self.feed.quotes.get(order.symbol)
        if quote is not None and quote.upper_limit is not None:
            price = min(price, quote.upper_limit)
        return price if order.price is None else max(order.price, price)

    def _today(self) -> date:
        return self.hours.trade_date(self.clock.market_now())

    def _price_now(self, order: DeskOrder, execution: Execution) -> Decimal | None:
        instrument = self.clearance.instruments.get(order.symbol)
        best = self.feed.best_opposite(order.symbol, order.side) or self.feed.price(order.symbol)
        if instrument is None or best is None or order.request.order_type not in PRICED:
            return None
        price = limit_price(self.market, instrument, execution, order.side, best, self._today())
        if price is None or not order.request.reduces:
            return price
        return self.clearance.sale_price(instrument, price)
