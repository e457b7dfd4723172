"""Realised gains of a year from our fills, by moving average, in each market's own currency.

An estimate to look at before the broker's own statement: trade dates, not settlement dates; no exchange rates; shares
that were bought elsewhere have no cost here and are counted, not guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from sqlmodel import col, select

from console.services.overview import ZONES
from console.services.permissions import Actor, visible_accounts
from console.wiring import Wiring
from shared.db import reading
from shared.domain.account import Market
from shared.models import FillRow


@dataclass(frozen=True, slots=True)
class GainLine:
    """One symbol of one account in one year."""

    account_id: int
    account: str
    environment: str
    symbol: str
    currency: str
    sold: int  # shares
    proceeds: Decimal
    cost: Decimal
    fees: Decimal  # of the sales; those of the purchases are in `cost`
    gain: Decimal  # proceeds - cost - fees
    without_cost: int  # shares sold that we never saw bought; not in proceeds, cost and gain
    fees_unknown: int  # fills whose fee the broker has not told


@dataclass(slots=True)
class _Book:
    """Shares and what they cost, commission included."""

    held: int = 0
    cost: Decimal = Decimal(0)
    sold: int = 0
    proceeds: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    orphans: int = 0
    unknown: int = 0
    currency: str = field(default="")

    def take(self, fill: FillRow, counts: bool) -> None:
        self.currency = fill.currency or self.currency
        fee = (fill.commission or Decimal(0)) + (fill.tax or Decimal(0))
        if fill.side == "BUY":
            self.held += fill.qty
            self.cost += fill.price * fill.qty + fee
            self.unknown += counts and fill.commission is None
            return
        known = min(fill.qty, self.held)
        cost = self.cost * known / self.held if known else Decimal(0)
        self.held, self.cost = self.held - known, self.cost - cost
        if counts:
            self.sold += fill.qty
            self.orphans += fill.qty - known
            self.proceeds += fill.price * known
            self.spent += cost
            self.fees += fee * known / fill.qty
            self.unknown += fill.commission is None


def of_year(wiring: Wiring, actor: Actor, year: int) -> list[GainLine]:
    """Every symbol sold in the year (the market's own), of the accounts this person may see."""
    with reading(wiring.engine) as session:
        known = {row.id: row for row in visible_accounts(session, actor) if row.id is not None}
        query = select(FillRow).where(col(FillRow.account_id).in_(known.keys()))
        fills = list(session.exec(query.order_by(col(FillRow.filled_at), col(FillRow.id))))
    lines = []
    for (account_id, symbol), mine in _by_symbol(fills).items():
        account, book = known[account_id], _Book()
        zone = ZONES[Market(account.market)]
        for fill in mine:
            local = fill.filled_at.astimezone(zone).year
            if local <= year:
                book.take(fill, counts=local == year)
        if book.sold:
            gain = book.proceeds - book.spent - book.fees
            lines.append(
                GainLine(
                    account_id=account_id,
                    account=account.nickname,
                    environment=account.environment,
                    symbol=symbol,
                    currency=book.currency or Market(account.market).currency.value,
                    sold=book.sold,
                    proceeds=book.proceeds,
                    cost=book.spent,
                    fees=book.fees,
                    gain=gain,
                    without_cost=book.orphans,
                    fees_unknown=book.unknown,
                )
            )
    return lines


def _by_symbol(fills: Iterable[FillRow]) -> dict[tuple[int, str], list[FillRow]]:
    found: dict[tuple[int, str], list[FillRow]] = defaultdict(list)
    for fill in fills:
        found[fill.account_id, fill.symbol].append(fill)
    return found
