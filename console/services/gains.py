"""Realised gains of a calendar year from our fills: per symbol, per sale and lot, and the overseas tax per owner.

An estimate to look at before the broker's own statement. The year is that of the sale's settlement date; each leg is in
won at the base rate of its own settlement date, fees are deducted (markets.md §8). Lots are kept per account. Shares
bought elsewhere have no cost here and are counted, not guessed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlmodel import Session

from console.services.costs import CostBook
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.calendars import load
from shared.db import reading
from shared.domain.account import Environment, Market
from shared.domain.gains import Leg, LotMethod, Sale, YearTax, realise, year_tax
from shared.domain.money import Currency
from shared.domain.order import Side
from shared.domain.sessions import KST
from shared.domain.trading_days import ZONES, OutsideCalendar
from shared.models import BrokerageAccount
from shared.store import fx, trades
from shared.store.trades import Trade

RATE_HOLDS = timedelta(days=7)  # over a long holiday the last base rate holds; an older one is no rate of that day
ZERO = Decimal(0)


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


def of_year(wiring: Wiring, actor: Actor, year: int, method: LotMethod = LotMethod.MOVING_AVERAGE) -> Gains:
    """Everything sold that settled in `year`, of the accounts this person may see."""
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        owners = trades.owners(session)
        legs, estimated = _legs(session, known)
    named = {key: owners.get(row.owner_id, "") for key, row in known.items()}
    found = realise(legs, method)
    sales = [one for one in found.sales if one.sold_on.year == year]
    bare = [one for one in found.without_cost if one[3].year == year]
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
        estimated,
    )


def _legs(session: Session, known: dict[int, BrokerageAccount]) -> tuple[list[Leg], bool]:
    rates = fx.series(session, Currency.USD, Currency.KRW)
    days = [row.at.astimezone(KST).date() for row in rates]
    costs, calendars, estimated, legs = CostBook(session), load(), False, []
    for trade in sorted(trades.after(session, 0), key=lambda one: (one.filled_at, one.id)):
        account = known.get(trade.account_id)
        if account is None:
            continue
        market = Market(account.market)
        on = trade.filled_at.astimezone(ZONES[market]).date()
        try:
            settles = calendars.days(market).settle_date(on)
        except OutsideCalendar:
            settles = on
        cost = costs.of(trade, account, on)
        estimated = estimated or cost.estimated
        rate = Decimal(1) if market.currency is Currency.KRW else _rate(days, [row.rate for row in rates], settles)
        legs.append(_leg(trade, market, cost.total, settles, rate))
    return legs, estimated


def _leg(trade: Trade, market: Market, fees: Decimal, settles: date, rate: Decimal | None) -> Leg:
    return Leg(
        trade.account_id, trade.symbol, trade.currency or market.currency, Side(trade.side), trade.qty, trade.price,
        fees, settles, rate,
    )  # fmt: skip


def _rate(days: list[date], values: list[Decimal], on: date) -> Decimal | None:
    """The last base rate told by the end of the Korean day; None when it is too old to be that day's."""
    index = bisect_right(days, on)
    return None if not index or on - days[index - 1] > RATE_HOLDS else values[index - 1]


def _lines(
    sales: Iterable[Sale],
    bare: list[tuple[int, str, int, date]],
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
    bare: list[tuple[int, str, int, date]],
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
