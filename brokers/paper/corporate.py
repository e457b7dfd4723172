"""Corporate actions: splits and dividends, for every account that holds the share."""

from __future__ import annotations

from decimal import Decimal

from brokers.paper.accounts import AccountId
from brokers.paper.clock import ExchangeClock
from brokers.paper.costs import Costs
from brokers.paper.floor import Floor
from brokers.paper.ledger import ISSUER, STATE, CashCode, EventType, Ledger, Leg, cash_unit, holder_of, share_unit
from brokers.paper.portfolio import Portfolio
from brokers.paper.state import State
from brokers.paper.tape import Tape
from shared.domain.account import Market
from shared.domain.order import Side


class Corporate:
    def __init__(
        self,
        state: State,
        clock: ExchangeClock,
        ledger: Ledger,
        portfolio: Portfolio,
        floor: Floor,
        tape: Tape,
        costs: Costs,
    ) -> None:
        self._state, self._clock, self._ledger = state, clock, ledger
        self._portfolio, self._floor, self._tape, self._costs = portfolio, floor, tape, costs

    def split(self, symbol: str, new: int, old: int) -> None:
        """Whole shares change, what is left of one is paid at the new price."""
        price = self._tape.split(symbol, new, old)
        with self._state.transaction():
            self._floor.close_all("SPLIT", symbol)
            for account, held in self._portfolio.holders(symbol).items():
                after, rest = divmod(held * new, old)
                self._exchange_shares(account, symbol, after - held)
                if rest:
                    self._pay(account, symbol, price * rest / old, CashCode.SPLIT)

    def pay_dividend(self, symbol: str, per_share: Decimal) -> None:
        self._tape.moving(symbol)
        market = self._tape.listings[symbol].market
        with self._state.transaction():
            for account, held in self._portfolio.holders(symbol).items():
                gross = per_share * held
                self._pay(account, symbol, gross, CashCode.DIVIDEND)
                tax = self._costs.withheld(market, gross)
                if tax:
                    self._pay(account, symbol, -tax, CashCode.TAX)

    def _exchange_shares(self, account: AccountId, symbol: str, more: int) -> None:
        if not more:
            return
        unit, amount = share_unit(symbol), Decimal(more)
        event = self._ledger.append(
            EventType.CASH, at=self._clock.wall_now(), market_at=self._clock.market_now(), account=account,
            symbol=symbol, side=Side.BUY if more > 0 else Side.SELL, quantity=abs(more), price=Decimal(0),
            code=CashCode.SPLIT, legs=(Leg(holder_of(account), unit, amount), Leg(ISSUER, unit, -amount)),
        )  # fmt: skip
        self._portfolio.follow(event)

    def _pay(self, account: AccountId, symbol: str, amount: Decimal, code: CashCode) -> None:
        """Cash in the share's currency, to the won or cent below."""
        market = self._tape.listings[symbol].market
        unit_of_money = Decimal(1) if market is Market.KRX else Decimal("0.01")
        amount = (amount / unit_of_money).to_integral_value(rounding="ROUND_DOWN") * unit_of_money
        unit, other = cash_unit(market.currency), STATE if code is CashCode.TAX else ISSUER
        self._ledger.append(
            EventType.CASH, at=self._clock.wall_now(), market_at=self._clock.market_now(), account=account,
            symbol=market.currency, price=amount, code=code,
            legs=(Leg(holder_of(account), unit, amount), Leg(other, unit, -amount)),
        )  # fmt: skip
