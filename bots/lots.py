"""Which rule holds how many shares of what: the base of exits, pinned versions and trailing stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from bots.orders import DeskOrder, RuleLot
from shared.domain.order import Side


class LotBook:
    """Lots by (rule, symbol). Changes are computed first, journalled with the fill, then kept."""

    def __init__(self, lots: tuple[RuleLot, ...]) -> None:
        self._lots = {(lot.rule_id, lot.symbol): lot for lot in lots}

    def get(self, rule_id: int, symbol: str) -> RuleLot | None:
        return self._lots.get((rule_id, symbol))

    def all(self) -> tuple[RuleLot, ...]:
        return tuple(self._lots.values())

    def opened_by(self) -> frozenset[tuple[int, int | None]]:
        """(rule, version) of everything held: versions that must stay readable."""
        return frozenset((lot.rule_id, lot.version_id) for lot in self._lots.values())

    def held(self, symbol: str) -> int:
        """Shares of `symbol` that belong to some rule."""
        return sum(lot.quantity for lot in self._lots.values() if lot.symbol == symbol)

    def keep(self, lots: tuple[RuleLot, ...]) -> None:
        """Put changed lots in place; a lot of no shares is gone."""
        for lot in lots:
            if lot.quantity > 0:
                self._lots[lot.rule_id, lot.symbol] = lot
            else:
                self._lots.pop((lot.rule_id, lot.symbol), None)

    def after_fill(self, order: DeskOrder, quantity: int, price: Decimal, at: datetime) -> tuple[RuleLot, ...]:
        """Return the lots that a fill of `order` changes. A sale by hand takes nothing here: reconcile finds it."""
        rule_id = order.request.rule_id
        if rule_id is None:
            return ()
        lot = self.get(rule_id, order.symbol)
        if order.side is Side.BUY:
            if lot is None:
                return (RuleLot(rule_id, order.symbol, quantity, price * quantity, at, order.version_id, price),)
            return (replace(lot, quantity=lot.quantity + quantity, cost=lot.cost + price * quantity),)
        return () if lot is None else (shrunk(lot, quantity),)

    def realized(self, order: DeskOrder, quantity: int, price: Decimal) -> Decimal | None:
        """Profit of a sale against the rule's own average price, fees excluded; None when no rule held the shares."""
        rule_id = order.request.rule_id
        lot = None if rule_id is None or order.side is Side.BUY else self.get(rule_id, order.symbol)
        return None if lot is None else (price - lot.average_price) * min(quantity, lot.quantity)

    def over(self, symbol: str, holding: int) -> tuple[RuleLot, ...]:
        """Return the lots to shrink when the broker holds fewer shares than our rules claim; the last rule first."""
        excess = self.held(symbol) - holding
        changed: list[RuleLot] = []
        for lot in sorted(self._lots.values(), key=lambda one: -one.rule_id):
            if excess <= 0 or lot.symbol != symbol:
                continue
            taken = min(lot.quantity, excess)
            changed.append(shrunk(lot, taken))
            excess -= taken
        return tuple(changed)

    def marked(self, symbol: str, price: Decimal) -> None:
        """Raise the high-water mark of every lot of `symbol`; memory only, saved with the minute's snapshot."""
        for key, lot in self._lots.items():
            if lot.symbol == symbol and price > lot.highest:
                self._lots[key] = replace(lot, highest=price)

    def bar_closed(self, rule_id: int, symbol: str) -> RuleLot | None:
        """Count one more bar held by the rule; returns the changed lot."""
        lot = self.get(rule_id, symbol)
        if lot is None:
            return None
        self._lots[rule_id, symbol] = replace(lot, bars_held=lot.bars_held + 1)
        return self._lots[rule_id, symbol]

    def caught_up(self, lot: RuleLot, bars_held: int, highest: Decimal) -> None:
        """Count what happened to a held lot while nobody looked; memory only, like the two before."""
        held, top = max(lot.bars_held, bars_held), max(lot.highest, highest)
        if (held, top) != (lot.bars_held, lot.highest):
            self._lots[lot.rule_id, lot.symbol] = replace(lot, bars_held=held, highest=top)


def shrunk(lot: RuleLot, quantity: int) -> RuleLot:
    """Take `quantity` shares out at average cost."""
    left = max(lot.quantity - quantity, 0)
    return replace(lot, quantity=left, cost=lot.average_price * left)
