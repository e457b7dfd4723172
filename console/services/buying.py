"""Where the buying power comes from, line by line: cash by settlement day, what open buys hold back, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from console.services.costs import contract_on
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import BrokerName, Market
from shared.domain.fees import default_contract
from shared.domain.order import Side
from shared.domain.order_state import OPEN
from shared.domain.trading_days import ZONES
from shared.models import BrokerageAccount, CashBalance, OrderRow
from shared.store import fees, panels
from shared.store.panels import OrderFilter

STAGES = ("d0", "d1", "d2", "d4")
_OPEN = frozenset(status.value for status in OPEN)


@dataclass(frozen=True, slots=True)
class BuyingLine:
    """One account's cash in its market's currency. None: not told, or not to be reckoned."""

    account_id: int
    account: str
    environment: str
    currency: str
    stages: tuple[tuple[str, Decimal], ...]  # cash once this day's settlements are through, as the broker told
    traded: Decimal  # everything traded so far settled
    locked: Decimal | None  # open buys with their fee, by our own orders; None: one has no price
    locked_told: Decimal | None  # the same as the broker told
    reckoned: Decimal | None  # traded - locked
    buying_power: Decimal | None  # the broker's word: this is what counts
    withdrawable: Decimal | None
    as_of: datetime

    @property
    def off(self) -> Decimal | None:
        """What the broker grants beyond our reckoning: credit, other programs' orders, its own margin rules."""
        return None if self.buying_power is None or self.reckoned is None else self.buying_power - self.reckoned


def listed(wiring: Wiring, actor: Actor) -> list[BuyingLine]:
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        cash = [row for row in panels.cash(session, known.keys()) if row.currency == _currency(known[row.account_id])]
        contracts = fees.by_account(session)
        open_orders = panels.orders(session, known.keys(), wanted=OrderFilter(statuses=_OPEN), limit=500)
    now, lines = wiring.clock.wall_now(), []
    for row in cash:
        account = known[row.account_id]
        today = now.astimezone(ZONES[Market(account.market)]).date()
        contract = contract_on(contracts.get(row.account_id, []), today) or default_contract(
            BrokerName(account.broker), Market(account.market)
        )
        mine = [one for one in open_orders if one.account_id == row.account_id]
        lines.append(_line(row, account, mine, 1 + contract.buy_pct / 100))
    return lines


def _currency(account: BrokerageAccount) -> str:
    return Market(account.market).currency.value


def _line(row: CashBalance, account: BrokerageAccount, orders: list[OrderRow], fee: Decimal) -> BuyingLine:
    told = {name: Decimal(value) for name, value in (row.stages or {}).items() if value is not None}
    buys = [one for one in orders if one.side == Side.BUY]
    locked = (
        None
        if any(one.price is None for one in buys)
        else sum((one.price * (one.qty - one.filled_qty) * fee for one in buys if one.price is not None), Decimal(0))
    )
    return BuyingLine(
        account_id=row.account_id,
        account=account.nickname,
        environment=account.environment,
        currency=row.currency,
        stages=tuple((name, told[name]) for name in STAGES if name in told),
        traded=row.total,
        locked=locked,
        locked_told=told.get("locked"),
        reckoned=None if locked is None else row.total - locked,
        buying_power=row.buying_power,
        withdrawable=told.get("withdrawable"),
        as_of=row.as_of,
    )
