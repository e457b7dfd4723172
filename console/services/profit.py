"""What trading earned, in won: price, exchange rate, fees and taxes apart. First bought is first sold, per account.

A sale earns its price gain at the rate of the sale, and its cost moved by the rate between purchase and sale. Fees and
taxes that the broker did not tell are estimated by the published rates and marked so. A sale of shares whose purchase we
never saw, or of a day without a rate, is counted as unknown and kept out of the sums.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session

from console.services.costs import CostBook, Running
from console.services.permissions import Actor, visible_accounts
from console.services.won import Rate
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import Environment, Market
from shared.domain.money import Currency
from shared.domain.order import Side
from shared.domain.trading_days import ZONES
from shared.models import BrokerageAccount
from shared.store import accounts, fees, fx, trades
from shared.store.trades import Trade

_ZERO = Decimal(0)


@dataclass(slots=True)
class Day:
    """One account's and rule's earnings of one exchange-local day, in the account's currency and in won."""

    day: date
    account_id: int
    rule_id: int | None
    currency: str
    trades: int = 0
    bought: Decimal = _ZERO
    sold: Decimal = _ZERO
    gain: Decimal = _ZERO  # of sales whose purchase we know, before fees
    fees: Decimal = _ZERO
    sell_fees: Decimal = _ZERO  # of `fees`, those of the sales
    taxes: Decimal = _ZERO
    price_won: Decimal = _ZERO
    fx_won: Decimal = _ZERO
    fees_won: Decimal = _ZERO
    taxes_won: Decimal = _ZERO
    unknown: int = 0  # sales left out of the gains: purchase not seen
    rateless: int = 0  # trades left out of the won figures: no rate
    estimated: bool = False  # fees or taxes by published rates, not by the broker's word

    @property
    def net(self) -> Decimal:
        return self.gain - self.fees - self.taxes

    @property
    def net_won(self) -> Decimal:
        return self.price_won + self.fx_won - self.fees_won - self.taxes_won


@dataclass(frozen=True, slots=True)
class Statement:
    """Rows of what was asked for, and what they are called."""

    days: tuple[Day, ...]
    accounts: dict[int, str]
    environments: dict[int, str]
    owners: dict[int, str]  # account → owner
    rate: Rate | None


@dataclass(slots=True)
class _Ledger:
    """Grows with each fill; rebuilt when a rate was recorded or a fee contract written."""

    last_id: int = 0
    version: tuple[object, ...] = ()  # of rates and fee contracts
    running: Running = field(default_factory=Running)
    lots: dict[tuple[int, str], deque[list[Decimal]]] = field(default_factory=lambda: defaultdict(deque))
    days: dict[tuple[date, int, int | None], Day] = field(default_factory=dict)


_ledgers: dict[str, _Ledger] = {}
_lock = threading.Lock()


def statement(
    wiring: Wiring, actor: Actor, since: date, until: date, *, environment: Environment | None = None, owner: str = ""
) -> Statement:
    """The days `since`..`until` of the accounts this person may see."""
    with reading(wiring.engine) as session:
        mine = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        rates = fx.series(session, "USD", "KRW")
        days = _grown(session, str(wiring.engine.url), rates)
        named = trades.owners(session)
    owners = {key: named.get(row.owner_id, "") for key, row in mine.items()}
    wanted = {
        key
        for key, row in mine.items()
        if (environment is None or row.environment == environment) and (not owner or owners[key] == owner)
    }
    chosen = sorted(
        (day for day in days if day.account_id in wanted and since <= day.day <= until),
        key=lambda day: (day.day, day.account_id),
        reverse=True,
    )
    newest = rates[-1] if rates else None
    return Statement(
        tuple(chosen),
        {key: row.nickname for key, row in mine.items()},
        {key: row.environment for key, row in mine.items()},
        owners,
        Rate(newest.rate, newest.at, newest.source) if newest else None,
    )


def summed(days: Iterable[Day], key: str) -> list[tuple[object, Day]]:
    """Added up by `key`: day, month, account or rule; currencies never meet in one row."""
    groups: dict[tuple[object, str], Day] = {}
    for day in days:
        group = {"day": day.day, "month": f"{day.day:%Y-%m}", "account": day.account_id, "rule": day.rule_id}[key]
        at = (group, day.currency)
        groups[at] = _plus(groups[at], day) if at in groups else replace(day)
    return [(group, total) for (group, _), total in groups.items()]


def _plus(one: Day, other: Day) -> Day:
    for name in (
        "trades",
        "bought",
        "sold",
        "gain",
        "fees",
        "sell_fees",
        "taxes",
        "price_won",
        "fx_won",
        "fees_won",
        "taxes_won",
    ):
        setattr(one, name, getattr(one, name) + getattr(other, name))
    one.unknown, one.rateless = one.unknown + other.unknown, one.rateless + other.rateless
    one.estimated = one.estimated or other.estimated
    return one


def _grown(session: Session, store: str, rates: list[fx.FxRate]) -> list[Day]:
    """The ledger of this store up to now: only fills that came since are read."""
    version = (rates[-1].at if rates else None, len(rates), fees.version(session))
    with _lock:
        ledger = _ledgers.get(store)
        if ledger is None or ledger.version != version:
            ledger = _ledgers[store] = _Ledger(version=version)
        fresh = trades.after(session, ledger.last_id)
        if fresh:
            known = {row.id: row for row in accounts.every(session) if row.id is not None}
            costs = CostBook(session, ledger.running)
            book = _Book(ledger, known, [row.at for row in rates], [row.rate for row in rates], costs)
            for trade in fresh:
                book.take(trade)
            ledger.last_id = fresh[-1].id
        return list(ledger.days.values())


@dataclass(slots=True)
class _Book:
    ledger: _Ledger
    accounts: dict[int, BrokerageAccount]
    rate_times: list[datetime]
    rate_values: list[Decimal]
    costs: CostBook

    def take(self, trade: Trade) -> None:
        account = self.accounts.get(trade.account_id)
        if account is None:
            return
        market = Market(account.market)
        local = trade.filled_at.astimezone(ZONES[market]).date()
        key = (local, trade.account_id, trade.rule_id)
        day = self.ledger.days.get(key)
        if day is None:
            day = self.ledger.days[key] = Day(local, trade.account_id, trade.rule_id, trade.currency or market.currency)
        rate = self._rate(market, trade.filled_at)
        day.trades += 1
        day.rateless += rate is None
        self._costs(day, trade, account, local, rate)
        lots = self.ledger.lots[(trade.account_id, trade.symbol)]
        if trade.side == Side.BUY:
            day.bought += trade.price * trade.qty
            lots.append([Decimal(trade.qty), trade.price, rate if rate is not None else Decimal(-1)])
            return
        day.sold += trade.price * trade.qty
        self._sell(day, trade, lots, rate)

    def _sell(self, day: Day, trade: Trade, lots: deque[list[Decimal]], rate: Decimal | None) -> None:
        left = Decimal(trade.qty)
        while left > 0 and lots:
            lot = lots[0]
            taken = min(left, lot[0])
            gain = (trade.price - lot[1]) * taken
            day.gain += gain
            if rate is not None and lot[2] > 0:
                day.price_won += gain * rate
                day.fx_won += lot[1] * taken * (rate - lot[2])
            elif rate is not None:
                day.rateless += 1
            left -= taken
            lot[0] -= taken
            if not lot[0]:
                lots.popleft()
        day.unknown += left > 0

    def _costs(self, day: Day, trade: Trade, account: BrokerageAccount, local: date, rate: Decimal | None) -> None:
        cost = self.costs.of(trade, account, local)
        day.estimated = day.estimated or cost.estimated
        fee, tax = cost.commission, cost.tax
        day.fees += fee
        day.sell_fees += fee if trade.side == Side.SELL else _ZERO
        day.taxes += tax
        if rate is not None:
            day.fees_won += fee * rate
            day.taxes_won += tax * rate

    def _rate(self, market: Market, at: datetime) -> Decimal | None:
        """Won for one unit of the market's currency at `at`."""
        if market.currency is Currency.KRW:
            return Decimal(1)
        index = bisect_right(self.rate_times, at)
        return self.rate_values[index - 1] if index else None
