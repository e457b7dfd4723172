"""What a person decides about holdings that are not what our fills say: take the broker's figure, and who owns it.

A trade by hand in the broker's own app, a corporate action, a fill that never reached us: the broker's holding is the
truth, and only a person knows whose shares they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from bots import outgoing
from bots.daybook import DayBook
from bots.feed import Feed
from bots.journal import Changes, Journal
from bots.orders import RuleLot
from bots.own_orders import OwnOrders
from bots.portfolio import Portfolio
from bots.trader import Trader
from shared.clock import Clock
from shared.domain.errors import NotFound, TradingError


class NoDrift(TradingError):
    """Nothing to decide: our figure and the broker's agree."""

    code = "no_drift"


@dataclass(slots=True)
class DriftDesk:
    portfolio: Portfolio
    daybook: DayBook
    orders: OwnOrders
    trader: Trader
    feed: Feed
    journal: Journal
    clock: Clock
    today: Callable[[], date]

    async def accept(self, symbol: str, rule_id: int | None) -> dict[str, Any]:
        """Count from the broker's holding on; the shares that no rule owns go to `rule_id`, or stay a person's own.

        Raises:
            NoDrift: there is nothing to decide. NotFound: the rule does not run here.
        """
        if symbol not in self.portfolio.drift:
            raise NoDrift(
                "판단할 차이가 없습니다", f"{symbol}: 우리 기록과 증권사 잔고가 같습니다", "화면을 새로 고치십시오"
            )
        ours, theirs = self.portfolio.drift[symbol]
        price = self.feed.price(symbol) or self._cost(symbol)
        lots = () if rule_id is None else self._adopted(symbol, rule_id, theirs, price)
        mark = self.daybook.corrected(self.today(), symbol, theirs - ours, price)
        owner = "사람의 보유로 둠" if rule_id is None else f"규칙 {rule_id}이 맡음"
        text = f"{symbol} 잔고 {ours}주 → 증권사 {theirs}주로 인정, {owner}"
        row = outgoing.log("WARNING", text, self.clock.wall_now(), rule_id)
        await self.journal.write(Changes(lots=lots, marks=(mark,), outbox=(row,)))
        self.orders.lots.keep(lots)
        self.daybook.keep((mark,))
        self.portfolio.drift.pop(symbol, None)
        return {"symbol": symbol, "ours": ours, "theirs": theirs, "rule_id": rule_id}

    def _adopted(self, symbol: str, rule_id: int, theirs: int, price: Decimal) -> tuple[RuleLot, ...]:
        config = self.trader.rules.get(rule_id)
        if config is None or symbol not in config.symbols:
            raise NotFound(
                f"규칙 {rule_id}은(는) {symbol}을(를) 맡을 수 없습니다", "", "그 종목의 규칙을 켜십시오", "no_rule"
            )
        free = theirs - self.orders.lots.held(symbol)
        if free <= 0:
            return ()
        had = self.orders.lots.get(rule_id, symbol)
        held, cost = (had.quantity, had.cost) if had is not None else (0, Decimal(0))
        opened = had.opened_at if had is not None else self.clock.market_now()
        version = had.version_id if had is not None else config.rule.version_id
        return (RuleLot(rule_id, symbol, held + free, cost + price * free, opened, version, price),)

    def _cost(self, symbol: str) -> Decimal:
        return next((one.average_price for one in self.portfolio.positions() if one.symbol == symbol), Decimal(0))
