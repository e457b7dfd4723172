"""Positions, cash and the equity curve."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from console.services import parts, won
from console.services.changes import by_number, desk_only
from console.services.permissions import Action, Actor, authorize, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import Market
from shared.domain.money import Currency, Money
from shared.models import BrokerageAccount, CashBalance, DecisionRow, PositionRow
from shared.store import panels
from shared.store.standings import Holding, Standing

STOP_STALE_S = 30.0  # a living bot judges each stop at every price, and asks for one when none comes


@dataclass(frozen=True, slots=True)
class PositionLine:
    account_id: int
    account: str
    environment: str
    symbol: str
    name: str
    qty: int
    sellable: int | None
    avg_price: Decimal
    last_price: Decimal | None
    value: Decimal | None  # at the last known price
    unrealized_pnl: Decimal | None
    pnl_pct: Decimal | None
    currency: str
    guarded_by: int | None
    stop_price: Decimal | None
    stop_checked_at: datetime | None
    stop_kind: str  # stop_loss | trailing_stop; "" when nobody guards it
    guard_version: int | None  # number of the rule version that judges it
    guarded_qty: int | None  # None: written by an older bot, which did not say
    priced_at: datetime | None
    updated_at: datetime

    @property
    def bare_qty(self) -> int:
        """Shares that no stop watches."""
        if self.guarded_by is None:
            return self.qty
        return 0 if self.guarded_qty is None else max(self.qty - self.guarded_qty, 0)

    def stale(self, now: datetime) -> bool:
        """A stop that nobody has judged for a while protects nothing, whatever its level says."""
        return self.guarded_by is not None and stop_is_stale(self.stop_checked_at, now)


@dataclass(frozen=True, slots=True)
class CashLine:
    account_id: int
    account: str
    environment: str
    currency: str
    total: Decimal
    buying_power: Decimal | None
    equity: Decimal | None
    as_of: datetime
    equity_at: datetime  # older than `as_of` when only the last snapshot tells it


@dataclass(frozen=True, slots=True)
class ExposurePart:
    environment: str
    symbol: str  # with its name
    account: str
    won: Decimal


@dataclass(frozen=True, slots=True)
class Exposure:
    parts: tuple[ExposurePart, ...]
    unknown: tuple[str, ...]  # symbols without a price, or without a rate


@dataclass(frozen=True, slots=True)
class EquityCurve:
    account_id: int
    account: str
    currency: str
    points: tuple[tuple[datetime, Decimal], ...]  # (moment, equity), oldest first


@by_number()
def positions(wiring: Wiring, actor: Actor, *, account_id: int | None = None) -> list[PositionLine]:
    """Every holding of the accounts this person may see."""
    with reading(wiring.engine) as session:
        known = _known(visible_accounts(session, actor), account_id)
    held = parts.holdings(wiring, actor)
    return [_position(one, known[one.row.account_id]) for one in held if one.row.account_id in known]


@by_number()
def exposure(wiring: Wiring, actor: Actor) -> Exposure:
    """What the holdings are worth in won, by symbol and account; play money and real money stay apart."""
    held = positions(wiring, actor)
    with reading(wiring.engine) as session:
        rate = won.history(session).at(wiring.clock.wall_now())
    parts, unknown = [], []
    for line in held:
        value = None if line.value is None else won.in_won(Money(line.value, Currency(line.currency)), rate)
        if value is None:
            unknown.append(line.symbol)
        else:
            shown = f"{line.symbol} {line.name}".strip()
            parts.append(ExposurePart(line.environment, shown, line.account, value))
    return Exposure(tuple(parts), tuple(dict.fromkeys(unknown)))


@by_number()
def cash(wiring: Wiring, actor: Actor, *, account_id: int | None = None) -> list[CashLine]:
    """Cash as the bots last knew it, one line per account and currency."""
    with reading(wiring.engine) as session:
        known = _known(visible_accounts(session, actor), account_id)
        rows = panels.cash(session, known.keys())
    stands = parts.accounts(wiring, actor, wiring.clock.wall_now().replace(minute=0, second=0, microsecond=0))
    held: dict[int, list[PositionRow]] = defaultdict(list)
    for one in parts.holdings(wiring, actor):
        held[one.row.account_id].append(one.row)
    return [_cash(row, known[row.account_id], held[row.account_id], stands.get(row.account_id)) for row in rows]


@by_number(of=desk_only)  # a point a minute: a fill more does not move it, and its panel asks every 20 s
def equity_curves(
    wiring: Wiring, actor: Actor, span: timedelta, *, account_id: int | None = None, most: int = 8
) -> list[EquityCurve]:
    """One curve per account, each in its own currency; `span` ends at the account's newest snapshot."""
    with reading(wiring.engine) as session:
        known = _known(visible_accounts(session, actor), account_id)
        stands = parts.accounts(wiring, actor, wiring.clock.wall_now().replace(minute=0, second=0, microsecond=0))
        newest = {key: one.equity.at for key, one in sorted(stands.items()) if key in known and one.equity is not None}
        points = panels.equity_series(session, {key: newest[key] - span for key in list(newest)[:most]})
    return [
        EquityCurve(key, known[key].nickname, Market(known[key].market).currency.value, tuple(found))
        for key, found in points.items()
    ]


@by_number()
def decisions(wiring: Wiring, actor: Actor, account_id: int, *, limit: int = 50) -> list[DecisionRow]:
    """What the account's rules decided and why, newest first; a row stands for a change of mind."""
    with reading(wiring.engine) as session:
        authorize(session, actor, Action.VIEW, account_id)
        return panels.decisions(session, account_id, limit=limit)


def _known(rows: list[BrokerageAccount], only: int | None) -> dict[int, BrokerageAccount]:
    return {row.id: row for row in rows if row.id is not None and only in (None, row.id)}


def stop_is_stale(checked_at: datetime | None, now: datetime) -> bool:
    return checked_at is None or (now - checked_at).total_seconds() > STOP_STALE_S


def _position(held: Holding, account: BrokerageAccount) -> PositionLine:
    row = held.row
    cost = row.avg_price * row.qty
    pnl = row.unrealized_pnl
    if pnl is None and row.last_price is not None:
        pnl = (row.last_price - row.avg_price) * row.qty
    return PositionLine(
        account_id=row.account_id,
        account=account.nickname,
        environment=account.environment,
        symbol=row.symbol,
        name=row.name,
        qty=row.qty,
        sellable=row.sellable,
        avg_price=row.avg_price,
        last_price=row.last_price,
        value=row.last_price * row.qty if row.last_price is not None else None,
        unrealized_pnl=pnl,
        pnl_pct=pnl / cost * 100 if pnl is not None and cost else None,
        currency=row.currency,
        guarded_by=row.guarded_by,
        stop_price=row.stop_price,
        stop_checked_at=row.stop_checked_at,
        stop_kind=row.stop_kind,
        guard_version=held.guard_version,
        guarded_qty=row.guarded_qty,
        priced_at=row.priced_at,
        updated_at=row.updated_at,
    )


def _cash(row: CashBalance, account: BrokerageAccount, held: list[PositionRow], standing: Standing | None) -> CashLine:
    told = standing.equity if standing is not None else None
    equity, at = row.equity, row.as_of
    if equity is None and told is not None and told.currency == row.currency:
        equity, at = told.equity, told.at  # as the first screen says it
    elif equity is None:
        equity = equity_of(row, held)
    return CashLine(
        account_id=row.account_id,
        account=account.nickname,
        environment=account.environment,
        currency=row.currency,
        total=row.total,
        buying_power=row.buying_power,
        equity=equity,
        as_of=row.as_of,
        equity_at=at,
    )


def equity_of(cash: CashBalance, held: list[PositionRow]) -> Decimal | None:
    """What the broker said, else cash plus holdings where every price is known; a guess is never shown."""
    if cash.equity is not None:
        return cash.equity
    if any(position.last_price is None or position.currency != cash.currency for position in held):
        return None
    return cash.total + sum((one.last_price * one.qty for one in held if one.last_price is not None), Decimal(0))
