"""What a fill cost: the broker's word where it told one, else by the account's fee contract of that day.

A commission is rounded once per order, as brokers do, so that parts of an order never cost more than the whole. The kind
of instrument decides the tax: an ETF pays none, KOSDAQ shares have no rural tax.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlmodel import Session

from shared.calendars import load
from shared.domain.account import BrokerName, Market
from shared.domain.fees import FeeContract, default_contract, trade_costs
from shared.domain.instrument import InstrumentType
from shared.domain.order import Side
from shared.models import BrokerageAccount, InstrumentRow
from shared.models import FeeContract as ContractRow
from shared.store import fees
from shared.store.trades import Trade

Instruments = dict[tuple[str, str], InstrumentRow]  # (market, symbol)


@dataclass(frozen=True, slots=True)
class Cost:
    commission: Decimal
    tax: Decimal
    estimated: bool  # not the broker's own word

    @property
    def total(self) -> Decimal:
        return self.commission + self.tax


@dataclass(slots=True)
class Running:
    """What the orders' fills so far came to: commission is rounded on the whole."""

    amounts: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    charged: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))


class CostBook:
    """`running` outlives the book where fills come in parts."""

    def __init__(self, session: Session, running: Running | None = None) -> None:
        self._contracts = fees.by_account(session)
        self._instruments: Instruments = fees.instruments(session)
        self._running = running or Running()
        self._calendars = load()

    def of(self, trade: Trade, account: BrokerageAccount, on: date) -> Cost:
        """The cost of one fill traded on the market's own date `on`; call once per fill, in order."""
        market, side = Market(account.market), Side(trade.side)
        kind, board = self._kind(market, trade.symbol)
        contract = contract_on(self._contracts.get(account.id or 0, []), on) or default_contract(
            BrokerName(account.broker), market, kind
        )
        days, rates = self._calendars.days(market), self._calendars.rates
        one = trade_costs(
            market, side, trade.qty, trade.price, on, contract=contract, days=days, rates=rates, instrument_type=kind,
            board=board,
        )  # fmt: skip
        amounts, charged = self._running.amounts, self._running.charged
        amounts[trade.order_id] += trade.price * trade.qty
        whole = trade_costs(
            market, side, 1, amounts[trade.order_id], on, contract=contract, days=days, rates=rates,
            instrument_type=kind, board=board,
        ).commission  # fmt: skip
        commission = whole - charged[trade.order_id]
        charged[trade.order_id] = whole
        told = trade.commission is not None and trade.tax is not None
        return Cost(
            commission if trade.commission is None else trade.commission,
            one.tax if trade.tax is None else trade.tax,
            not told,
        )

    def _kind(self, market: Market, symbol: str) -> tuple[InstrumentType, str]:
        row = self._instruments.get((market.value, symbol))
        if row is None:
            return InstrumentType.STOCK, "KOSPI"
        return InstrumentType(row.type), row.board or "KOSPI"


def contract_on(contracts: list[ContractRow], on: date) -> FeeContract | None:
    """The contract in force on the day; of several the one that began last. None: the published rates hold."""
    day = on.isoformat()
    valid = [
        one for one in contracts if one.effective_from <= day and (one.effective_to is None or day <= one.effective_to)
    ]
    if not valid:
        return None
    row = max(valid, key=lambda one: (one.effective_from, one.id or 0))
    return FeeContract(row.buy_pct, row.sell_pct)
