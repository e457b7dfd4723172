"""Portfolio: what an account has, what is locked, and what it may still order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from brokers.paper.accounts import AccountId, CashView, ExEnv, Holding
from brokers.paper.ledger import EventType, Ledger, LedgerEvent, cash_unit, holder_of, share_unit
from brokers.paper.orderlist import OrderList
from brokers.paper.orders import ExOrder
from brokers.paper.tape import Tape
from shared.domain.account import BrokerName, Market
from shared.domain.money import Currency
from shared.domain.order import Side


@dataclass(frozen=True, slots=True)
class RealizedRow:
    """The sales of one symbol on one trade date against the moving average of its buys."""

    trade_date: date
    symbol: str
    quantity: int  # sold
    bought: Decimal  # average price × quantity sold, without fees
    sold: Decimal  # what the sales brought, before fees and taxes
    realized: Decimal  # sold − bought − fee − tax
    fee: Decimal  # of the day's sales
    tax: Decimal


class Portfolio:
    """Balances are the ledger's; average prices are kept here, from the ledger's events in order.

    Nothing is charged: the exchange takes no commission and no tax, so cash moves by price × quantity alone.
    """

    def __init__(self, ledger: Ledger, orders: OrderList, tape: Tape) -> None:
        self._ledger, self._orders, self._tape = ledger, orders, tape
        self._average: dict[tuple[AccountId, str], Decimal] = {}
        self._held: dict[tuple[AccountId, str], int] = {}
        for event in ledger.events():
            self.follow(event)

    def follow(self, event: LedgerEvent) -> None:
        """Take over the shares that a FILL or CASH event moved."""
        shares = event.type == EventType.FILL or (event.type == EventType.CASH and event.quantity is not None)
        if shares and event.account and event.symbol and event.quantity and event.price:
            account = AccountId(BrokerName(event.broker or ""), ExEnv(event.env or ""), event.account)
            self.moved(account, event.symbol, Side(event.side or Side.BUY), event.quantity, Decimal(event.price))

    def moved(self, account: AccountId, symbol: str, side: Side, quantity: int, price: Decimal) -> None:
        """Follow one execution: buys move the average price, sells do not (markets.md §9)."""
        key = (account, symbol)
        held = self._held.get(key, 0)
        if side is Side.BUY:
            cost = self._average.get(key, Decimal(0)) * held + price * quantity
            self._average[key] = cost / (held + quantity)
        self._held[key] = held + (quantity if side is Side.BUY else -quantity)
        if not self._held[key]:
            del self._held[key], self._average[key]

    def holdings(self, account: AccountId, market: Market) -> list[Holding]:
        found = []
        for owner, symbol in list(self._held):
            listing = self._tape.listings.get(symbol)
            if owner == account and listing is not None and listing.market is market:
                found.append(self._holding(account, market, symbol))
        return sorted(found, key=lambda one: one.symbol)

    def _holding(self, account: AccountId, market: Market, symbol: str) -> Holding:
        quantity, average = self._held[account, symbol], self._average[account, symbol]
        today = [
            (order.side, execution.quantity)
            for order, execution in self._orders.day(account, self._tape.trade_date(market))
            if order.symbol == symbol
        ]
        return Holding(
            symbol,
            quantity,
            self.sellable(account, symbol),
            average,
            average * quantity,
            bought_today=sum(q for side, q in today if side is Side.BUY),
            sold_today=sum(q for side, q in today if side is Side.SELL),
        )

    def sellable(self, account: AccountId, symbol: str) -> int:
        held = int(self._ledger.balance(holder_of(account), share_unit(symbol)))
        selling = (o.leaves for o in self._orders.open(account) if o.side is Side.SELL and o.symbol == symbol)
        return held - sum(selling)

    def cash(self, account: AccountId, currency: Currency) -> CashView:
        market = Market.US if currency is Currency.USD else Market.KRX
        today = self._orders.day(account, self._tape.trade_date(market))
        amounts = [(order.side, e.price * e.quantity) for order, e in today if order.market is market]
        return CashView(
            currency,
            self._ledger.balance(holder_of(account), cash_unit(currency)),
            sum((self.reserve(o) for o in self._orders.open(account) if o.market is market), Decimal(0)),
            bought_today=sum((amount for side, amount in amounts if side is Side.BUY), Decimal(0)),
            sold_today=sum((amount for side, amount in amounts if side is Side.SELL), Decimal(0)),
        )

    def realized(self, account: AccountId, market: Market, since: date, until: date) -> list[RealizedRow]:
        return []

    def reserve(self, order: ExOrder) -> Decimal:
        """The cash an open buy locks; an order at market locks the upper limit price (markets.md §7)."""
        if order.side is Side.SELL or not order.leaves:
            return Decimal(0)
        return self.needed(order.symbol, order.leaves, order.price)

    def needed(self, symbol: str, quantity: int, price: Decimal | None) -> Decimal:
        return quantity * (self.worst_price(symbol) if price is None else price)

    def worst_price(self, symbol: str) -> Decimal:
        limits = self._tape.limits(symbol)
        return self._tape.quote(symbol).price if limits is None else limits[1]

    def buying_power(
        self, account: AccountId, currency: Currency, symbol: str, price: Decimal | None
    ) -> tuple[Decimal, int]:
        """(orderable cash, shares of `symbol` it buys at `price`)."""
        orderable = max(self.cash(account, currency).orderable, Decimal(0))
        unit = self.worst_price(symbol) if price is None or price <= 0 else price
        return orderable, int(orderable // unit)
