"""Exchange: the one object that wires and admin talk to. SKELETON - signatures first, bodies follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from brokers.paper.accounts import Account, AccountId, CashView, ExEnv, Holding, IssuedToken, Profile
from brokers.paper.clock import ExchangeClock
from brokers.paper.faults import FaultPlan
from brokers.paper.listings import Listing
from brokers.paper.orders import Execution, ExOrder, OrderEvent
from brokers.paper.tape import Trade
from shared.domain.account import BrokerName, Market
from shared.domain.instrument import Venue
from shared.domain.market import Bar, OrderBook, Timeframe
from shared.domain.money import Currency
from shared.domain.order import OrderType, Side, TimeInForce


class Exchange:
    profile: Profile
    clock: ExchangeClock
    faults: FaultPlan

    # -- accounts and tokens
    def account(self, broker: BrokerName, env: ExEnv, number: str, *, app_key: str | None = None) -> Account:
        """Find an account; compat makes it on first use. Remembers that `app_key` used it. Raises UnknownAccount."""
        raise NotImplementedError

    def account_of_key(self, broker: BrokerName, app_key: str) -> Account:
        """The account that belongs to a key (LS). compat derives one. Raises UnknownAccount."""
        raise NotImplementedError

    def account_of_token(self, token: IssuedToken) -> Account:
        """The account of the key that a token was issued to (LS). Raises UnknownAccount."""
        raise NotImplementedError

    def used_by(self, account: AccountId, app_key: str) -> bool:
        """Say whether a key ever used the account (compat: its sockets get the account's notices)."""
        raise NotImplementedError

    def register(
        self,
        *,
        broker: BrokerName,
        env: ExEnv,
        app_key: str,
        secret: str,
        account: str,
        hts_id: str,
        cash: dict[Currency, Decimal],
        holdings: list[tuple[str, int, Decimal]],
    ) -> Account:
        raise NotImplementedError

    def issue_token(self, broker: BrokerName, env: ExEnv, app_key: str, lifetime_s: float) -> IssuedToken:
        """A new token (the wire decides whether to hand out `current_token` again). Writes TOKEN to the ledger."""
        raise NotImplementedError

    def current_token(self, broker: BrokerName, env: ExEnv, app_key: str) -> IssuedToken | None:
        """The newest token of the key that is neither expired nor revoked."""
        raise NotImplementedError

    def check_token(self, value: str) -> IssuedToken | None:
        """The token, also when expired (compare expires_at with clock.wall_now()); None: unknown or revoked."""
        raise NotImplementedError

    def revoke_token(self, value: str) -> bool:
        raise NotImplementedError

    # -- orders
    def place(
        self,
        account: Account,
        *,
        market: Market,
        symbol: str,
        side: Side,
        quantity: int,
        price: Decimal | None,
        order_type: OrderType,
        venue: Venue,
        time_in_force: TimeInForce = TimeInForce.DAY,
    ) -> ExOrder:
        raise NotImplementedError

    def amend(self, account: Account, order_no: int, *, quantity: int | None, price: Decimal | None) -> ExOrder:
        """quantity None: all that is left. The new row has its own order_no and orig_order_no."""
        raise NotImplementedError

    def cancel(self, account: Account, order_no: int, *, quantity: int | None) -> ExOrder:
        raise NotImplementedError

    def order(self, account: Account, order_no: int) -> ExOrder | None:
        raise NotImplementedError

    def open_orders(self, account: Account, market: Market) -> list[ExOrder]:
        raise NotImplementedError

    def orders(self, account: Account, market: Market, since: date, until: date) -> list[ExOrder]:
        """Newest first; exchange-local trade dates; cancel requests included as rows of kind CANCEL."""
        raise NotImplementedError

    def executions(self, account: Account, order_no: int) -> list[Execution]:
        raise NotImplementedError

    def holdings(self, account: Account, market: Market) -> list[Holding]:
        raise NotImplementedError

    def cash(self, account: Account, currency: Currency) -> CashView:
        raise NotImplementedError

    def buying_power(self, account: Account, market: Market, symbol: str, price: Decimal | None) -> tuple[Decimal, int]:
        """(orderable amount, shares); price None: KRX upper limit, US last price."""
        raise NotImplementedError

    # -- market data
    def quote(self, symbol: str) -> Trade:
        """The last trade. KeyError for an unlisted symbol: ask `listing` first."""
        raise NotImplementedError

    def book(self, symbol: str) -> OrderBook:
        """Ten levels each side."""
        raise NotImplementedError

    def bars(self, symbol: str, timeframe: Timeframe, count: int, until: object = None) -> list[Bar]:
        """Oldest first; the forming one last with closed=False. `until`: aware datetime, bars that start at or before."""
        raise NotImplementedError

    def trades(self, symbol: str, count: int) -> list[Trade]:
        """The newest `count` trades at most, newest last."""
        raise NotImplementedError

    def listing(self, symbol: str) -> Listing | None:
        raise NotImplementedError

    def listings(self, market: Market) -> list[Listing]:
        raise NotImplementedError

    def price_limits(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """(lower, upper) of a KRX symbol today; None for US."""
        raise NotImplementedError

    def tick_size(self, symbol: str, price: Decimal) -> Decimal:
        raise NotImplementedError

    def session_open(self, symbol: str) -> bool:
        raise NotImplementedError

    def trade_date(self, market: Market) -> date:
        """Exchange-local date of market time."""
        raise NotImplementedError

    # -- listeners: plain synchronous callbacks on the loop
    def subscribe_trades(self, callback: Callable[[Trade], None]) -> None:
        raise NotImplementedError

    def subscribe_books(self, callback: Callable[[OrderBook], None]) -> None:
        raise NotImplementedError

    def subscribe_orders(self, callback: Callable[[OrderEvent], None]) -> None:
        raise NotImplementedError
