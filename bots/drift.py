"""What a person decides about holdings that are not what our fills say: take the broker's figure, and who owns it.

A trade by hand in the broker's own app, a corporate action, a fill that never reached us: the broker's holding is the
truth, and only a person knows whose shares they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from bots import outgoing
from bots.daybook import DayBook
from bots.feed import Feed
from bots.journal import Changes, Journal
from bots.orders import DayMark, RuleLot
from bots.own_orders import OwnOrders
from bots.portfolio import Portfolio
from bots.trader import Trader
from shared.clock import Clock
from shared.domain.errors import NotFound, TradingError


class TooManyShares(TradingError):
    """More shares are given away than nobody owns."""

    code = "too_many_shares"


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

    async def adopt(self, symbol: str, rule_id: int) -> dict[str, Any]:
        """Count from the broker's holding on; every share that no rule owns goes to `rule_id`.

        Raises:
            NoDrift: there is nothing to decide. NotFound: the rule does not run here.
        """
        free = self._drift(symbol)[1] - self.orders.lots.held(symbol)
        return await self.split(symbol, {rule_id: max(free, 0)})

    async def leave(self, symbol: str) -> dict[str, Any]:
        """Count from the broker's holding on; what no rule owns stays a person's own. Raises NoDrift."""
        return await self.split(symbol, {})

    async def split(self, symbol: str, shares: Mapping[int, int]) -> dict[str, Any]:
        """Count from the broker's holding on; `shares` (rule → number) of what no rule owns go to rules, the rest stays
        a person's own.

        Raises:
            NoDrift: there is nothing to decide. NotFound: a rule does not run here. TooManyShares: so many are not free.
        """
        theirs, free = self._drift(symbol)[1], self._drift(symbol)[1] - self.orders.lots.held(symbol)
        wrong = [number for number in shares.values() if number < 0]
        if wrong or sum(shares.values()) > max(free, 0):
            why = f"{symbol}: 주인 없는 주식은 {max(free, 0)}주, 맡기려는 것은 {sum(shares.values())}주"
            raise TooManyShares("그만큼 나눌 수 없습니다", why, "주식 수를 다시 정하십시오")
        price = self.feed.price(symbol) or self._cost(symbol)
        lots = tuple(self._adopted(symbol, rule_id, number, price) for rule_id, number in shares.items())
        owner = ", ".join(f"규칙 {rule_id} {number}주" for rule_id, number in shares.items())
        left = max(free, 0) - sum(shares.values())
        told = f"{owner}; {left}주는 사람의 보유로 둠" if owner else "사람의 보유로 둠"
        mark = self.daybook.corrected(self.today(), symbol, theirs - self._drift(symbol)[0], price)
        done = await self._count(symbol, tuple(one for one in lots if one.quantity), mark, told)
        return done | {"shares": dict(shares), "left": left, "theirs": theirs}

    async def rescale(self, symbol: str) -> dict[str, Any]:
        """A corporate action (분할, 병합, 무상증자) changed the number and not the owner: every rule's shares change alike.

        What a lot cost stays; its price a share and its high-water mark follow the new number. Raises NoDrift.
        """
        ours, theirs = self._drift(symbol)
        if not ours or not theirs:
            raise NoDrift(
                "늘거나 줄어든 것이 아닙니다", f"{symbol}: 우리 {ours}주, 증권사 {theirs}주", "다른 답을 고르십시오"
            )
        ratio = Decimal(theirs) / ours
        lots = tuple(_rescaled(lot, ratio) for lot in self.orders.lots.all() if lot.symbol == symbol)
        price = self.feed.price(symbol) or self._cost(symbol)
        mark = self.daybook.rescaled(self.today(), symbol, ours, theirs, price)
        return await self._count(symbol, lots, mark, f"권리 변동 {ours} → {theirs}주, 규칙의 몫도 같은 비율로")

    def _drift(self, symbol: str) -> tuple[int, int]:
        if symbol not in self.portfolio.drift:
            raise NoDrift(
                "판단할 차이가 없습니다", f"{symbol}: 우리 기록과 증권사 잔고가 같습니다", "화면을 새로 고치십시오"
            )
        return self.portfolio.drift[symbol]

    async def _count(self, symbol: str, lots: tuple[RuleLot, ...], mark: DayMark, owner: str) -> dict[str, Any]:
        """From here on the broker's holding is what we expect."""
        ours, theirs = self._drift(symbol)
        text = f"{symbol} 잔고 {ours}주 → 증권사 {theirs}주로 인정, {owner}"
        row = outgoing.log("WARNING", text, self.clock.wall_now(), lots[0].rule_id if len(lots) == 1 else None)
        await self.journal.write(Changes(lots=lots, marks=(mark,), outbox=(row,)))
        self.orders.lots.keep(lots)
        self.daybook.keep((mark,))
        self.portfolio.drift.pop(symbol, None)
        self.trader.splits.compared(self.portfolio.drift, self.clock.monotonic(), self.feed.price)
        return {"symbol": symbol, "ours": ours, "theirs": theirs}

    def _adopted(self, symbol: str, rule_id: int, free: int, price: Decimal) -> RuleLot:
        config = self.trader.rules.get(rule_id)
        if config is None or symbol not in config.symbols:
            raise NotFound(
                f"규칙 {rule_id}은(는) {symbol}을(를) 맡을 수 없습니다", "", "그 종목의 규칙을 켜십시오", "no_rule"
            )
        had = self.orders.lots.get(rule_id, symbol)
        held, cost = (had.quantity, had.cost) if had is not None else (0, Decimal(0))
        opened = had.opened_at if had is not None else self.clock.market_now()
        version = had.version_id if had is not None else config.rule.version_id
        highest = max(price, had.highest) if had is not None else price
        return RuleLot(rule_id, symbol, held + free, cost + price * free, opened, version, highest)

    def _cost(self, symbol: str) -> Decimal:
        return next((one.average_price for one in self.portfolio.positions() if one.symbol == symbol), Decimal(0))


def _rescaled(lot: RuleLot, ratio: Decimal) -> RuleLot:
    """More shares of the same cost; fewer were taken out of the lot at its old price when the difference was seen."""
    quantity = int(lot.quantity * ratio) if ratio > 1 else lot.quantity
    cost = lot.cost if ratio > 1 else lot.cost / ratio
    return replace(lot, quantity=quantity, cost=cost, highest=lot.highest / ratio)
