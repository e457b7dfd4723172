"""Realised gains of a calendar year from our fills: per symbol, per sale and lot, and the overseas tax per owner.

An estimate to look at before the broker's own statement. The year is that of the sale's settlement date; each leg is in
won at the base rate of its own settlement date, fees are deducted (markets.md §8). Lots are kept per account. Shares
bought elsewhere have no cost here and are counted, not guessed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlmodel import Session

from console.services import won
from console.services.costs import CostBook
from console.services.permissions import Actor, visible_accounts
from console.services.won import History
from console.wiring import Wiring
from shared.calendars import load
from shared.db import reading
from shared.domain.account import Environment, Market
from shared.domain.gains import Leg, LotMethod, Sale, YearTax, realise, year_tax
from shared.domain.money import Currency
from shared.domain.order import Side
from shared.domain.trading_days import ZONES, OutsideCalendar
from shared.models import BrokerageAccount
from shared.store import fees, trades

ZERO = Decimal(0)
Unseen = tuple[int, str, int, date]  # account, symbol, shares sold whose purchase nobody saw, settlement


@dataclass(frozen=True, slots=True)
class GainLine:
    """One symbol of one account in one year."""

    account_id: int
    account: str
    environment: str
    owner: str
    symbol: str
    currency: str
    sold: int  # shares
    proceeds: Decimal
    cost: Decimal
    fees: Decimal  # of sales and of the purchases they sold
    gain: Decimal  # proceeds - cost - fees
    gain_won: Decimal | None  # None: a rate is missing
    without_cost: int  # shares sold that we never saw bought; not in proceeds, cost and gain


@dataclass(frozen=True, slots=True)
class SaleLine:
    """One sale of one lot, with whose it is."""

    owner: str
    account: str
    environment: str
    market: str
    sale: Sale


@dataclass(frozen=True, slots=True)
class OwnerTax:
    """The overseas gains of one person over all his accounts of one environment."""

    owner: str
    environment: str
    accounts: int
    tax: YearTax


@dataclass(frozen=True, slots=True)
class Gains:
    year: int
    method: LotMethod
    lines: tuple[GainLine, ...]
    sales: tuple[SaleLine, ...]  # oldest first
    owners: tuple[OwnerTax, ...]  # overseas only: Korean shares of ordinary holders are not taxed
    estimated: bool  # some fees are by contract or published rate, not the broker's word


@dataclass(frozen=True, slots=True)
class _Matched:
    """What one account sold in one year."""

    sales: tuple[Sale, ...]
    without_cost: tuple[Unseen, ...]
    estimated: bool


_Key = tuple[str, int, int, LotMethod]  # store, account, year, method
_matched: OrderedDict[_Key, tuple[object, _Matched]] = OrderedDict()  # → what it was reckoned from, the result
_lock = threading.Lock()
MOST_MATCHED = 200  # accounts and years; the least lately asked goes first


def of_year(wiring: Wiring, actor: Actor, year: int, method: LotMethod = LotMethod.MOVING_AVERAGE) -> Gains:
    """Everything sold that settled in `year`, of the accounts this person may see.

    An account is reckoned anew when it traded, or fees, instruments or a day's rate changed; else the figures are kept.
    """
    with reading(wiring.engine, portions=True) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        owners = trades.owners(session)
        found = _years(session, known, year, method)
    named = {key: owners.get(row.owner_id, "") for key, row in known.items()}
    sales = sorted((sale for one in found.values() for sale in one.sales), key=lambda sale: sale.sold_on)
    bare = [unseen for one in found.values() for unseen in one.without_cost]
    rows = tuple(
        SaleLine(named[one.account_id], known[one.account_id].nickname, known[one.account_id].environment,
                 known[one.account_id].market, one)
        for one in sales
    )  # fmt: skip
    return Gains(
        year,
        method,
        tuple(_lines(sales, bare, known, named)),
        rows,
        tuple(_owners(rows, bare, known, named)),
        any(one.estimated for one in found.values()),
    )


def _years(session: Session, known: dict[int, BrokerageAccount], year: int, method: LotMethod) -> dict[int, _Matched]:
    """The year of each account, reckoned or kept."""
    store, versions, basis = str(session.get_bind().engine.url), trades.versions(session), fees.version(session)
    rates, costs = won.history(session), CostBook(session)
    found = {}
    for account_id, account in known.items():
        if account_id not in versions:
            continue
        foreign = Market(account.market).currency is not Currency.KRW
        version = (versions[account_id], basis, (rates.days, rates.last) if foreign else None)
        key = (store, account_id, year, method)
        kept = _matched.get(key)
        if kept is None or kept[0] != version:
            kept = (version, _match(session, account, costs, rates, year, method))
        with _lock:
            _matched[key] = kept
            _matched.move_to_end(key)
            while len(_matched) > MOST_MATCHED:
                _matched.popitem(last=False)
        found[account_id] = kept[1]
    return found


def _match(
    session: Session, account: BrokerageAccount, costs: CostBook, rates: History, year: int, method: LotMethod
) -> _Matched:
    market, days, estimated = Market(account.market), load().days(Market(account.market)), False

    def legs() -> Iterator[Leg]:
        nonlocal estimated
        for trade in trades.of_account(session, account.id or 0):
            on = trade.filled_at.astimezone(ZONES[market]).date()
            try:
                settles = days.settle_date(on)
            except OutsideCalendar:
                settles = on
            cost = costs.of(trade, account, on)
            estimated = estimated or cost.estimated
            rate = Decimal(1) if market.currency is Currency.KRW else rates.on(settles)
            yield Leg(
                trade.account_id, trade.symbol, trade.currency or market.currency, Side(trade.side), trade.qty,
                trade.price, cost.total, settles, rate,
            )  # fmt: skip

    all_years = realise(legs(), method)
    return _Matched(
        tuple(one for one in all_years.sales if one.sold_on.year == year),
        tuple(one for one in all_years.without_cost if one[3].year == year),
        estimated,
    )


def _lines(
    sales: Iterable[Sale],
    bare: list[Unseen],
    known: dict[int, BrokerageAccount],
    named: dict[int, str],
) -> list[GainLine]:
    grouped: dict[tuple[int, str], list[Sale]] = defaultdict(list)
    orphans: dict[tuple[int, str], int] = defaultdict(int)
    for one in sales:
        grouped[one.account_id, one.symbol].append(one)
    for account_id, symbol, shares, _ in bare:
        orphans[account_id, symbol] += shares
    lines = []
    for key in sorted({*grouped, *orphans}):
        mine, account = grouped.get(key, []), known[key[0]]
        won = [one.gain_won for one in mine]
        lines.append(
            GainLine(
                account_id=key[0],
                account=account.nickname,
                environment=account.environment,
                owner=named[key[0]],
                symbol=key[1],
                currency=Market(account.market).currency.value,
                sold=sum(one.quantity for one in mine) + orphans.get(key, 0),
                proceeds=sum((one.proceeds for one in mine), ZERO),
                cost=sum((one.cost for one in mine), ZERO),
                fees=sum((one.fees for one in mine), ZERO),
                gain=sum((one.gain for one in mine), ZERO),
                gain_won=None if None in won else sum((one for one in won if one is not None), ZERO),
                without_cost=orphans.get(key, 0),
            )
        )
    return lines


def _owners(
    rows: tuple[SaleLine, ...],
    bare: list[Unseen],
    known: dict[int, BrokerageAccount],
    named: dict[int, str],
) -> list[OwnerTax]:
    """Overseas shares only; money of another environment is no money of this one."""
    overseas = {key: row for key, row in known.items() if row.market == Market.US}
    groups = sorted({(named[key], row.environment) for key, row in overseas.items()})
    found = []
    for owner, environment in groups:
        mine = {key for key, row in overseas.items() if (named[key], row.environment) == (owner, environment)}
        sold = [row.sale for row in rows if row.sale.account_id in mine]
        orphans = sum(shares for account_id, _, shares, _ in bare if account_id in mine)
        found.append(OwnerTax(owner, environment, len(mine), year_tax(sold, orphans)))
    return sorted(found, key=lambda one: (one.environment != Environment.LIVE, one.owner))


COLUMNS = (
    "owner", "account", "environment", "market", "symbol", "quantity", "bought_settles", "sold_settles", "currency",
    "cost", "proceeds", "fees", "gain", "cost_krw", "proceeds_krw", "fees_krw", "gain_krw",
)  # fmt: skip


def export_rows(gains: Gains) -> list[list[str | int | Decimal | None]]:
    """One row per sale and lot, for a spreadsheet or a tax adviser; the first row names the columns."""
    rows: list[list[str | int | Decimal | None]] = [list(COLUMNS)]
    for line in gains.sales:
        one = line.sale
        rows.append(
            [
                line.owner, line.account, line.environment, line.market, one.symbol, one.quantity,
                one.bought_on.isoformat() if one.bought_on else "", one.sold_on.isoformat(), one.currency, _told(one.cost),
                _told(one.proceeds), _told(one.fees), _told(one.gain), _told(one.cost_won), _told(one.proceeds_won),
                _told(one.fees_won), _told(one.gain_won),
            ]
        )  # fmt: skip
    return rows


def _told(value: Decimal | None) -> Decimal | None:
    """To four places: a part of a lot is a quotient without end."""
    return None if value is None else round(value, 4)
