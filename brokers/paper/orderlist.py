"""Order list: every order ever, by account, and the executions of each. Loaded once, kept beside the state file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from brokers.paper.accounts import AccountId, ExEnv
from brokers.paper.book import OrderKey
from brokers.paper.orders import Execution, ExKind, ExOrder, ExStatus
from brokers.paper.state import State
from brokers.paper.synthetic import ZONES
from shared.domain.account import BrokerName, Market

# Where a client's order numbers begin: KIS live has ten digits, KIS 모의 few, LS starts small (kis.md §3.2, ls.md §8).
FIRST = {(BrokerName.KIS, ExEnv.LIVE): 30_001_000, (BrokerName.KIS, ExEnv.MOCK): 37_500}


def key_of(order: ExOrder) -> OrderKey:
    return (order.account.broker, order.account.env, order.order_no)


def trade_date(market: Market, at: datetime) -> date:
    """The exchange-local date of a market instant."""
    return at.astimezone(ZONES[market]).date()


class OrderList:
    def __init__(self, state: State) -> None:
        self._state = state
        self._orders: dict[OrderKey, ExOrder] = {}
        self._of: defaultdict[AccountId, list[ExOrder]] = defaultdict(list)  # oldest first
        self._open: defaultdict[AccountId, dict[int, ExOrder]] = defaultdict(dict)
        self._executions: defaultdict[OrderKey, list[Execution]] = defaultdict(list)
        self._days: defaultdict[tuple[AccountId, date], list[tuple[ExOrder, Execution]]] = defaultdict(list)
        self._next: dict[tuple[BrokerName, ExEnv], int] = {}
        for order in state.load_orders():
            self._index(order)
        for broker, env, execution in state.load_executions():
            self._keep(self._orders[broker, env, execution.order_no], execution)

    def next_no(self, broker: BrokerName, env: ExEnv) -> int:
        return self._next.get((broker, env), FIRST.get((broker, env), 1))

    def add(self, order: ExOrder) -> None:
        self._state.save_order(order)
        self._index(order)

    def changed(self, order: ExOrder) -> None:
        """Write an order down again after it changed."""
        self._state.save_order(order)
        if order.status is not ExStatus.OPEN:
            self._open[order.account].pop(order.order_no, None)

    def execute(
        self, order: ExOrder, quantity: int, price: Decimal, at: datetime, fee: Decimal, tax: Decimal
    ) -> Execution:
        number = len(self._executions[key_of(order)]) + 1
        execution = Execution(number, order.order_no, quantity, price, at, fee, tax)
        self._state.save_execution(order.account, execution)
        self._keep(order, execution)
        return execution

    def get(self, key: OrderKey) -> ExOrder | None:
        return self._orders.get(key)

    def newest_first(self, account: AccountId) -> Iterator[ExOrder]:
        return reversed(self._of.get(account, []))

    def open(self, account: AccountId) -> list[ExOrder]:
        """Open orders, newest first."""
        return list(self._open.get(account, {}).values())[::-1]

    def all_open(self) -> list[ExOrder]:
        return [order for orders in self._open.values() for order in orders.values()]

    def executions(self, key: OrderKey) -> list[Execution]:
        return list(self._executions.get(key, ()))

    def day(self, account: AccountId, on: date) -> list[tuple[ExOrder, Execution]]:
        """Everything executed for the account on one exchange-local date."""
        return self._days.get((account, on), [])

    def _index(self, order: ExOrder) -> None:
        broker, env = order.account.broker, order.account.env
        self._orders[key_of(order)] = order
        self._of[order.account].append(order)
        if order.status is ExStatus.OPEN and order.kind is not ExKind.CANCEL:
            self._open[order.account][order.order_no] = order
        self._next[broker, env] = max(self.next_no(broker, env), order.order_no + 1)

    def _keep(self, order: ExOrder, execution: Execution) -> None:
        self._executions[key_of(order)].append(execution)
        self._days[order.account, trade_date(order.market, execution.at)].append((order, execution))
