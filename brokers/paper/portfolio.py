"""Portfolio: what an account has, what is locked, what it may still order, and what its sales brought."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.paper.accounts import AccountId, CashView, ExEnv, Holding
from brokers.paper.costs import Costs, settles_on
from brokers.paper.ledger import CashCode, EventType, Ledger, LedgerEvent, cash_unit, holder_of, share_unit
from brokers.paper.listings import Listing, infer_listing
from brokers.paper.orderlist import OrderList, trade_date
from brokers.paper.orders import Execution, ExOrder
from brokers.paper.tape import Tape
from shared.domain.account import BrokerName, Market
from shared.domain.money import Currency
from shared.domain.order import Side

LOOK_BACK = 12  # days: no trade takes longer to settle, holidays included


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


@dataclass(slots=True)
class _Sales:
    quantity: int = 0
    bought: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)


class Portfolio:
    """Balances are the ledger's; average prices and realized gains are kept here, from the ledger's events in order."""

    def __init__(self, ledger: Ledger, orders: OrderList, tape: Tape, costs: Costs) -> None:
        self._ledger, self._orders, self._tape, self._costs = ledger, orders, tape, costs
        self._average: dict[tuple[AccountId, str], Decimal] = {}
        self._held: dict[tuple[AccountId, str], int] = {}
        self._sales: defaultdict[AccountId, dict[tuple[date, str], _Sales]] = defaultdict(dict)
        self._latest: _Sales | None = None  # whose costs the next FEE and TAX rows are
        for event in ledger.events():
            self.follow(event)

    # -- following the ledger

    def follow(self, event: LedgerEvent) -> None:
        """Take over what a FILL or CASH event moved."""
        if event.type not in (EventType.FILL, EventType.CASH) or not event.account or event.price is None:
            return
        account, price = _account(event), Decimal(event.price)
        if event.quantity and event.symbol:
            self._latest = None
            side = Side(event.side or Side.BUY)
            if event.type == EventType.FILL and side is Side.SELL:
                self._sell(account, event.symbol, event.quantity, price, event.market_at)
            self._move(account, event.symbol, side, event.quantity, price, keep_cost=event.code == CashCode.SPLIT)
        elif self._latest is not None and event.code == CashCode.FEE:
            self._latest.fee -= price
        elif self._latest is not None and event.code == CashCode.TAX:
            self._latest.tax -= price

    def _move(
        self, account: AccountId, symbol: str, side: Side, quantity: int, price: Decimal, keep_cost: bool
    ) -> None:
        """Buys move the average price, sells do not (markets.md §9); a split keeps what all shares cost."""
        key = (account, symbol)
        held, average = self._held.get(key, 0), self._average.get(key, Decimal(0))
        left = held + (quantity if side is Side.BUY else -quantity)
        if not left:
            self._held.pop(key, None)
            self._average.pop(key, None)
            return
        if keep_cost:
            average = average * held / left
        elif side is Side.BUY:
            average = (average * held + price * quantity) / left
        self._held[key], self._average[key] = left, average

    def _sell(self, account: AccountId, symbol: str, quantity: int, price: Decimal, market_at: str) -> None:
        on = trade_date(self._listing(symbol).market, datetime.fromisoformat(market_at))
        sales = self._sales[account].setdefault((on, symbol), _Sales())
        sales.quantity += quantity
        sales.bought += self._average.get((account, symbol), Decimal(0)) * quantity
        sales.sold += price * quantity
        self._latest = sales

    # -- holdings and gains

    def holders(self, symbol: str) -> dict[AccountId, int]:
        """Who holds how many shares of a symbol."""
        return {account: held for (account, one), held in self._held.items() if one == symbol}

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

    def realized(self, account: AccountId, market: Market, since: date, until: date) -> list[RealizedRow]:
        rows = []
        for (on, symbol), sales in sorted(self._sales.get(account, {}).items()):
            if since <= on <= until and self._listing(symbol).market is market:
                gain = sales.sold - sales.bought - sales.fee - sales.tax
                rows.append(
                    RealizedRow(on, symbol, sales.quantity, sales.bought, sales.sold, gain, sales.fee, sales.tax)
                )
        return rows

    def sellable(self, account: AccountId, symbol: str) -> int:
        held = int(self._ledger.balance(holder_of(account), share_unit(symbol)))
        selling = (o.leaves for o in self._orders.open(account) if o.side is Side.SELL and o.symbol == symbol)
        return held - sum(selling)

    # -- cash

    def cash(self, account: AccountId, currency: Currency) -> CashView:
        market = Market.US if currency is Currency.USD else Market.KRX
        traded = self._traded(account, market, self._tape.trade_date(market))
        return CashView(
            currency,
            self._balance(account, currency),
            self._reserved(account, market),
            bought_today=sum((e.price * e.quantity for order, e in traded if order.side is Side.BUY), Decimal(0)),
            sold_today=sum((e.price * e.quantity for order, e in traded if order.side is Side.SELL), Decimal(0)),
            due=self._due(account, market),
        )

    def orderable(self, account: AccountId, currency: Currency) -> Decimal:
        market = Market.US if currency is Currency.USD else Market.KRX
        return self._balance(account, currency) - self._reserved(account, market)

    def reserve(self, order: ExOrder) -> Decimal:
        """The cash an open buy locks, commission included; an order at market locks the upper limit (markets.md §7)."""
        if order.side is Side.SELL or not order.leaves:
            return Decimal(0)
        return self.needed(order, order.leaves, order.filled_amount)

    def needed(self, order: ExOrder, quantity: int, traded: Decimal = Decimal(0)) -> Decimal:
        """What `quantity` more shares of a buy may cost, after `traded` (money) of it."""
        price = self.worst_price(order.symbol) if order.price is None else order.price
        return quantity * price + self.commission(order, traded, quantity * price)

    def commission(self, order: ExOrder, traded: Decimal, more: Decimal) -> Decimal:
        """The commission on `more` money of an order that traded `traded` before."""
        if self._costs.free:
            return Decimal(0)
        broker, listing = order.account.broker, self._listing(order.symbol)
        on = trade_date(order.market, order.ordered_at)
        before = self._costs.commission(broker, listing, traded, on)
        return self._costs.commission(broker, listing, traded + more, on) - before

    def tax(self, order: ExOrder, quantity: int, price: Decimal) -> Decimal:
        """The taxes on one execution of an order."""
        on = trade_date(order.market, order.ordered_at)
        listing = self._listing(order.symbol)
        return self._costs.tax(order.account.broker, listing, order.side, quantity, price, on)

    def worst_price(self, symbol: str) -> Decimal:
        limits = self._tape.limits(symbol)
        return self._tape.quote(symbol).price if limits is None else limits[1]

    def buying_power(
        self, account: AccountId, currency: Currency, symbol: str, price: Decimal | None
    ) -> tuple[Decimal, int]:
        """(orderable cash, shares of `symbol` it buys at `price`, commission included)."""
        orderable = max(self.orderable(account, currency), Decimal(0))
        unit = self.worst_price(symbol) if price is None or price <= 0 else price
        listing = self._listing(symbol)
        on = self._tape.trade_date(listing.market)
        return orderable, self._costs.affordable(account.broker, listing, orderable, unit, on)

    # -- inside

    def _balance(self, account: AccountId, currency: Currency) -> Decimal:
        return self._ledger.balance(holder_of(account), cash_unit(currency))

    def _reserved(self, account: AccountId, market: Market) -> Decimal:
        return sum((self.reserve(o) for o in self._orders.open(account) if o.market is market), Decimal(0))

    def _traded(self, account: AccountId, market: Market, on: date) -> list[tuple[ExOrder, Execution]]:
        return [(order, one) for order, one in self._orders.day(account, on) if order.market is market]

    def _due(self, account: AccountId, market: Market) -> tuple[tuple[date, Decimal], ...]:
        today = self._tape.trade_date(market)
        due: dict[date, Decimal] = {}
        for back in range(LOOK_BACK, -1, -1):
            on = today - timedelta(days=back)
            traded = self._traded(account, market, on)
            settles = settles_on(market, on) if traded else today
            if settles > today:
                net = sum((_net(order, one) for order, one in traded), Decimal(0))
                due[settles] = due.get(settles, Decimal(0)) + net
        return tuple(sorted(due.items()))

    def _listing(self, symbol: str) -> Listing:
        return self._tape.listings.get(symbol) or infer_listing(symbol, Decimal(1))


def _account(event: LedgerEvent) -> AccountId:
    return AccountId(BrokerName(event.broker or ""), ExEnv(event.env or ""), event.account or "")


def _net(order: ExOrder, one: Execution) -> Decimal:
    """What one execution moves in cash, costs included."""
    amount = one.price * one.quantity
    return (amount if order.side is Side.SELL else -amount) - one.fee - one.tax
