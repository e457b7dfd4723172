"""What the account has: the broker's last picture, plus what our own orders did since it was taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bots.absence import Before, name_of, orderable, state_of
from bots.daybook import PriceOf
from bots.orders import DeskOrder, RecordedFill
from bots.own_orders import OwnOrders
from shared.domain.money import Currency
from shared.domain.order import BrokerOrder, Cash, Position, Side

MARKET_ORDER_MARGIN = Decimal("1.3")  # a price-less order may reserve up to the day's upper limit

AHEAD = timedelta(seconds=30)  # so long a fill may be in the holdings and not yet told as one; then it is a difference
BEHIND = timedelta(
    seconds=30
)  # so long a fill may be told and not yet be in the holdings: brokers book after they tell


@dataclass(frozen=True, slots=True)
class Ahead:
    """Shares that a picture has and our fills have not: an order of ours filled while the broker was asked."""

    quantity: int  # bought, or sold if negative
    since: datetime  # wall


class Portfolio:
    def __init__(self, orders: OwnOrders, price_of: PriceOf) -> None:
        self._orders, self._price_of = orders, price_of
        self._positions: dict[str, Position] = {}
        self.cash: Cash | None = None
        self._foreign: dict[str, list[int]] = {}
        self._asked_at: datetime | None = None  # wall, before the question
        self._fill_seq = 0  # fills up to here are inside the picture
        self._offered: dict[str, int] = {}  # our order id → shares that the picture's sellable quantity lacks for it
        self.ahead: dict[str, Ahead] = {}  # symbol → fills that are inside the picture already and will come as fills
        self._explained: dict[str, Ahead] = {}  # what an open order could explain at the last picture, and since when
        self.drift: dict[str, tuple[int, int]] = {}  # symbol → (ours, theirs): no entries until explained

    def take(
        self, positions: tuple[Position, ...], cash: Cash, asked_at: datetime, foreign: Sequence[BrokerOrder] = ()
    ) -> None:
        """Replace the picture by a complete answer, asked for at `asked_at`; `foreign` are orders that are not ours."""
        self._foreign = {name_of(one): state_of(one) for one in foreign if any(state_of(one))}
        self._positions = {one.symbol: one for one in positions if one.quantity}
        self.cash, self._asked_at, self._fill_seq = cash, asked_at, self._orders.fill_seq
        self.ahead = {}
        self._offered = {
            one.id: one.leaves for one in self._orders.open() if one.side is Side.SELL and not self._unseen(one)
        }

    def lacks(
        self, positions: Sequence[Position], expected: Callable[[str], int | None], since: datetime
    ) -> frozenset[str]:
        """Symbols whose holding is short of nothing but fills of ours from `since` (market time) on: not booked yet."""
        told = {one.symbol: one.quantity for one in positions}
        bought, sold = Counter[str](), Counter[str]()
        for fill in self._orders.fills:
            if fill.filled_at >= since:
                (bought if fill.side is Side.BUY else sold)[fill.symbol] += fill.quantity
        found = set[str]()
        for symbol in {*bought, *sold} - self.drift.keys():
            ours, theirs = expected(symbol), told.get(symbol, 0)
            if ours is not None and ours != theirs and ours - bought[symbol] <= theirs <= ours + sold[symbol]:
                found.add(symbol)
        return frozenset(found)

    def before(self, symbol: str) -> Before | None:
        """The last picture's cash and holding of `symbol`, to be kept with an order that is sent now."""
        if self.cash is None or self._asked_at is None:
            return None
        held = self._positions.get(symbol)
        quantity, sellable = (held.quantity, held.sellable) if held is not None else (0, 0)
        last, left = self._price_of(symbol), str(orderable(self.cash))
        ahead = self.ahead.get(symbol)
        quantity -= ahead.quantity if ahead is not None else 0  # they come as fills
        return Before(
            self._asked_at.isoformat(), self._fill_seq, quantity, sellable, left, None if last is None else str(last),
            dict(self._foreign),
        )  # fmt: skip

    def known(self) -> bool:
        return self._asked_at is not None

    def symbols(self) -> set[str]:
        return {position.symbol for position in self.positions()}

    def positions(self) -> list[Position]:
        """Holdings now, at last known prices."""
        names = {*self._positions, *(fill.symbol for fill in self._orders.fills if fill.seq > self._fill_seq)}
        found = (self.position(symbol) for symbol in sorted(names))
        return [one for one in found if one is not None]

    def position(self, symbol: str) -> Position | None:
        """The holding of `symbol` with our fills since the picture; None when there is none."""
        base = self._positions.get(symbol)
        quantity = base.quantity if base else 0
        cost = base.average_price * base.quantity if base else Decimal(0)
        currency = base.currency if base else None
        for fill, shares in self._since(symbol):
            if fill.side is Side.BUY:
                quantity, cost = quantity + shares, cost + fill.price * shares
            elif quantity:
                cost -= cost / quantity * min(shares, quantity)
                quantity -= shares
        if quantity <= 0 or (currency is None and self.cash is None):
            return None
        average, last = cost / quantity, self._price_of(symbol) or (base.last_price if base else None)
        return Position(
            symbol=symbol, quantity=quantity, sellable=self.free_to_sell(symbol), average_price=average,
            currency=currency or self._cash_currency(), last_price=last,
            unrealized_pnl=None if last is None else (last - average) * quantity, name=base.name if base else "",
        )  # fmt: skip

    def held(self, symbol: str) -> int:
        base = self._positions.get(symbol)
        return (base.quantity if base else 0) + self._net_since(symbol)

    def free_to_sell(self, symbol: str) -> int | None:
        """Shares we may still offer: of the holding less all our open sales, and of the broker's sellable quantity less
        the sales it had not seen. None before the first picture."""
        if self._asked_at is None:
            return None
        sales = [one for one in self._orders.open() if one.symbol == symbol and one.side is Side.SELL]
        free = self.held(symbol) - sum(one.leaves for one in sales)
        base = self._positions.get(symbol)
        if base is not None and base.sellable is not None:
            free = min(free, base.sellable + self._sellable_since(symbol))
        return max(free, 0)

    def buying_power(self) -> Decimal | None:
        """The broker's orderable cash less every buy it may not have counted yet; sales since are not added."""
        if self.cash is None or self.cash.buying_power is None:
            return None
        unseen = Decimal(0)
        for order in self._orders.all():
            if order.side is Side.BUY and (order.is_open or order.filled_quantity) and self._unseen(order):
                unseen += order.filled_amount + self.reserve(order)
        return self.cash.buying_power - unseen

    def reserve(self, order: DeskOrder) -> Decimal:
        """What the open part of an order may still cost."""
        price = order.price or (self._price_of(order.symbol) or Decimal(0)) * MARKET_ORDER_MARGIN
        return price * order.leaves

    def equity(self) -> Decimal | None:
        """Cash plus holdings at last prices; the broker's own figure until something of ours filled since."""
        if self.cash is None:
            return None
        if self.cash.equity is not None and self._orders.fill_seq == self._fill_seq:
            return self.cash.equity
        total = self.cash.total
        for fill in self._orders.fills:
            if fill.seq > self._fill_seq and fill.symbol not in self.ahead:  # money of those is in the picture as well
                total += fill.amount if fill.side is Side.SELL else -fill.amount
        for position in self.positions():
            total += (position.last_price or position.average_price) * position.quantity
        return total

    def differences(self, expected: Callable[[str], int | None]) -> dict[str, tuple[int, int]]:
        """Symbols whose broker holding is not `expected`: symbol → (ours, theirs). Right after `take` only.

        What an open order of ours explains is no difference yet: it filled while we asked, and its fill is still to
        come. It is in this picture, so that it will not be counted again.
        """
        assert self._asked_at is not None
        before, self._explained = self._explained, {}
        names = {*self._positions, *(fill.symbol for fill in self._orders.fills)}
        found: dict[str, tuple[int, int]] = {}
        for symbol in sorted(names):
            ours, theirs = expected(symbol), self.held(symbol)
            if ours is None or ours == theirs:
                continue
            one, was = Ahead(theirs - ours, self._asked_at), before.get(symbol)
            one = was if was is not None and was.quantity == one.quantity else one
            explained = self._may_be_filled(symbol, one.quantity)
            if explained:
                self._explained[symbol] = one
            if explained and self._asked_at - one.since < AHEAD:
                self.ahead[symbol] = one
            else:
                found[symbol] = (ours, theirs)
        return found

    def _may_be_filled(self, symbol: str, shares: int) -> bool:
        """Whether what is left of our open orders may have become `shares` more (fewer, if negative)."""
        side = Side.BUY if shares > 0 else Side.SELL
        left = sum(one.leaves for one in self._orders.open() if one.symbol == symbol and one.side is side)
        return abs(shares) <= left

    def _since(self, symbol: str) -> Iterator[tuple[RecordedFill, int]]:
        """Our fills after the picture, each with those of its shares that the picture has not."""
        ahead = self.ahead.get(symbol)
        skip = ahead.quantity if ahead is not None else 0
        for fill in self._orders.fills:
            if fill.seq <= self._fill_seq or fill.symbol != symbol:
                continue
            inside = min(max(skip if fill.side is Side.BUY else -skip, 0), fill.quantity)
            skip -= inside if fill.side is Side.BUY else -inside
            if fill.quantity > inside:
                yield fill, fill.quantity - inside

    def _net_since(self, symbol: str) -> int:
        return sum(shares if fill.side is Side.BUY else -shares for fill, shares in self._since(symbol))

    def _sellable_since(self, symbol: str) -> int:
        """How the picture's sellable quantity has changed by what we know: bought, sold, offered, and taken back.

        What was on offer when it was taken is out of it already: that sale's fill takes nothing off, its end gives back.
        """
        offered, change = dict(self._offered), 0
        for fill, shares in self._since(symbol):
            inside = 0 if fill.side is Side.BUY else min(offered.get(fill.client_order_id, 0), shares)
            if inside:
                offered[fill.client_order_id] -= inside
            change += shares if fill.side is Side.BUY else inside - shares
        seen = (self._orders.get(order_id) for order_id in offered)
        known = {one.id: one for one in (*seen, *self._orders.open()) if one is not None and one.side is Side.SELL}
        return change + sum(offered.get(one.id, 0) - one.leaves for one in known.values() if one.symbol == symbol)

    def _unseen(self, order: DeskOrder) -> bool:
        """The picture may lack this order: sent after the question, or not proven to have arrived."""
        return order.is_unproven or order.sent_at is None or self._asked_at is None or order.sent_at >= self._asked_at

    def _cash_currency(self) -> Currency:
        assert self.cash is not None
        return self.cash.currency
