"""Ledger: what happened, append-only, with both legs of every movement of cash and shares.

The events are the ground truth that a referee reads (`GET /ledger`). Balances are nothing but sums of postings.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from brokers.paper.accounts import AccountId, ExEnv
from brokers.paper.orders import ExOrder, order_id
from brokers.paper.state import State
from shared.domain.account import BrokerName
from shared.domain.money import Currency
from shared.domain.order import Side

MARKET = "market"  # the other side of every trade
OPENING = "opening"  # where an account's first cash and shares come from
BROKER, STATE = "broker", "state"  # who gets commissions, who taxes
ISSUER = "issuer"  # who pays dividends and splits shares


class EventType(StrEnum):
    TOKEN = "TOKEN"
    ORDER = "ORDER"
    REJECT = "REJECT"
    AMEND = "AMEND"
    CANCEL = "CANCEL"
    FILL = "FILL"
    EXPIRE = "EXPIRE"
    CASH = "CASH"
    FAULT = "FAULT"


class CashCode(StrEnum):
    """What a CASH event is for."""

    OPENING = "OPENING"
    FEE = "FEE"  # of the execution just before; order_id names its order
    TAX = "TAX"
    DIVIDEND = "DIVIDEND"
    SPLIT = "SPLIT"  # shares more or less, and cash for a fraction


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One row; the names are a contract. `at` is wall time, `market_at` market time.

    CASH: symbol = the currency and price = the signed amount; or symbol, side and quantity = shares that came (BUY) or
    went without a trade, at their price. code is a CashCode.
    """

    seq: int
    at: str
    market_at: str
    broker: str | None
    env: str | None
    account: str | None
    type: str
    order_id: str | None = None
    orig_order_id: str | None = None
    symbol: str | None = None
    side: str | None = None
    quantity: int | None = None
    price: str | None = None
    cum_quantity: int | None = None
    code: str | None = None


COLUMNS = tuple(LedgerEvent.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a movement. `unit` is "cash:USD" or "share:AAPL"."""

    holder: str
    unit: str
    amount: Decimal


def holder_of(account: AccountId) -> str:
    return f"{account.broker}/{account.env}/{account.number}"


def cash_unit(currency: Currency) -> str:
    return f"cash:{currency}"


def share_unit(symbol: str) -> str:
    return f"share:{symbol}"


def trade_legs(account: AccountId, order: ExOrder, quantity: int, price: Decimal) -> tuple[Leg, ...]:
    """The four legs of one execution: cash one way, shares the other, the market on the far side of both."""
    sign = 1 if order.side is Side.BUY else -1
    shares, cash = Decimal(sign * quantity), -sign * quantity * price
    unit, symbol, holder = cash_unit(order.market.currency), share_unit(order.symbol), holder_of(account)
    return (
        Leg(holder, unit, cash),
        Leg(MARKET, unit, -cash),
        Leg(holder, symbol, shares),
        Leg(MARKET, symbol, -shares),
    )


def cost_legs(account: AccountId, order: ExOrder, code: CashCode, amount: Decimal) -> tuple[Leg, ...]:
    """A cost goes from the account to the broker, a tax to the state."""
    unit, taker = cash_unit(order.market.currency), STATE if code is CashCode.TAX else BROKER
    return Leg(holder_of(account), unit, -amount), Leg(taker, unit, amount)


class Ledger:
    """Append-only; every append stands inside the caller's transaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._balances: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.seq = int(state.db.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone()[0])
        for holder, unit, amount in state.db.execute("SELECT holder, unit, amount FROM postings"):
            self._balances[holder, unit] += Decimal(amount)

    def balance(self, holder: str, unit: str) -> Decimal:
        return self._balances.get((holder, unit), Decimal(0))

    def append(
        self,
        kind: EventType,
        *,
        at: datetime,
        market_at: datetime,
        account: AccountId | None = None,
        broker: BrokerName | None = None,
        env: ExEnv | None = None,
        order: ExOrder | None = None,
        order_no: int | None = None,
        symbol: str | None = None,
        side: Side | None = None,
        quantity: int | None = None,
        price: Decimal | None = None,
        cum_quantity: int | None = None,
        code: str | None = None,
        legs: tuple[Leg, ...] = (),
    ) -> LedgerEvent:
        """Write one event and its legs; what is not given is taken from `order`.

        Raises:
            ValueError: legs that do not balance.
        """
        unbalanced = {unit for unit, total in _totals(legs).items() if total != 0}
        if unbalanced:
            raise ValueError(f"legs do not balance in {', '.join(sorted(unbalanced))}")
        event = LedgerEvent(
            seq=self.seq + 1,
            at=at.isoformat(),
            market_at=market_at.isoformat(),
            broker=account.broker if account else broker,
            env=account.env if account else env,
            account=account.number if account else None,
            type=kind,
            order_id=_order_id(account, order.order_no if order else order_no) if account else None,
            orig_order_id=_order_id(account, order.orig_order_no) if account and order else None,
            symbol=order.symbol if order else symbol,
            side=order.side if order else side,
            quantity=quantity if quantity is not None or order is None else order.quantity,
            price=_plain(price if price is not None or order is None else order.price),
            cum_quantity=order.filled if order and cum_quantity is None else cum_quantity,
            code=code,
        )
        values = tuple(getattr(event, name) for name in COLUMNS)
        db = self._state.db
        db.execute(f"INSERT INTO ledger VALUES ({','.join('?' * len(COLUMNS))})", values)
        rows = [(event.seq, leg.holder, leg.unit, str(leg.amount)) for leg in legs]
        db.executemany("INSERT INTO postings VALUES (?,?,?,?)", rows)
        self.seq = event.seq
        for leg in legs:
            self._balances[leg.holder, leg.unit] += leg.amount
        return event

    def events(
        self, after: int = 0, accounts: tuple[str, ...] | None = None, kind: str | None = None
    ) -> list[LedgerEvent]:
        """Events with seq > `after`, oldest first, of these account numbers and this type where given."""
        sql, values = f"SELECT {','.join(COLUMNS)} FROM ledger WHERE seq > ?", [after, *(accounts or ())]
        if accounts is not None:
            sql += f" AND account IN ({','.join('?' * len(accounts))})"
        if kind is not None:
            sql, values = sql + " AND type = ?", [*values, kind]
        return [LedgerEvent(*row) for row in self._state.db.execute(sql + " ORDER BY seq", values)]

    def check(self) -> list[str]:
        """Prove the books: every event's legs add up to nothing, and no account owes shares or cash. [] is proof."""
        wrong: list[str] = []
        by_event: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for seq, holder, unit, amount in self._state.db.execute("SELECT seq, holder, unit, amount FROM postings"):
            by_event[seq, unit] += Decimal(amount)
            sums[holder, unit] += Decimal(amount)
        wrong += [
            f"event {seq} does not balance in {unit}: {total}" for (seq, unit), total in by_event.items() if total
        ]
        for (holder, unit), total in sums.items():
            if self.balance(holder, unit) != total:
                wrong.append(f"{holder} {unit}: {self.balance(holder, unit)} in memory, {total} in the books")
            if "/" in holder and total < 0:
                wrong.append(f"{holder} owes {unit}: {total}")
        return wrong


def _totals(legs: tuple[Leg, ...]) -> dict[str, Decimal]:
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for leg in legs:
        totals[leg.unit] += leg.amount
    return totals


def _order_id(account: AccountId, order_no: int | None) -> str | None:
    return None if order_no is None else order_id(account.broker, account.env, order_no)


def _plain(price: Decimal | None) -> str | None:
    return None if price is None else format(price, "f")
