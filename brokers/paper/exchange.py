"""Exchange: the one object that wires and admin talk to.

Everything runs on one loop, nothing here waits. A change is committed before the method returns; what listeners hear
about it follows at the next `advance()`, so an answer usually overtakes its notice, as at a broker.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

from brokers.paper.accounts import Account, AccountId, CashView, ExEnv, Frames, Holding, IssuedToken, Profile
from brokers.paper.checks import Checks
from brokers.paper.clients import DEFAULT_CASH, Cash, Clients, Lot, new_account
from brokers.paper.clock import ExchangeClock, Sessions
from brokers.paper.corporate import Corporate
from brokers.paper.costs import CostMode, Costs
from brokers.paper.counter import Counter
from brokers.paper.faults import Fault, FaultPlan
from brokers.paper.floor import Floor
from brokers.paper.hours import Hours
from brokers.paper.ledger import EventType, Ledger
from brokers.paper.listings import Listing
from brokers.paper.orderlist import OrderList
from brokers.paper.orders import Execution, ExOrder, OrderEvent, RejectReason, Reservation
from brokers.paper.portfolio import Portfolio, RealizedRow
from brokers.paper.prints import Source
from brokers.paper.reservations import Reservations
from brokers.paper.state import State
from brokers.paper.tape import Tape, Trade, open_source
from shared.domain.account import BrokerName, Market
from shared.domain.instrument import Venue
from shared.domain.market import Bar, OrderBook, Timeframe
from shared.domain.money import Currency
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce


class Exchange:
    def __init__(
        self,
        state: State,
        clock: ExchangeClock,
        source: Source,
        *,
        profile: Profile = Profile.COMPAT,
        cash: Cash | None = None,
        costs: CostMode = CostMode.NONE,
    ) -> None:
        self.profile, self.clock, self._state = profile, clock, state
        self.frames = Frames.DOCUMENTED
        self.tape = Tape(clock, source)
        self.ledger = Ledger(state)
        self.faults = FaultPlan(clock.wall_now, self._write_fault, state.committed)
        self._orders = OrderList(state)
        self._hours = Hours(profile is Profile.STRICT, lambda: self.tape.source)
        self._portfolio = Portfolio(self.ledger, self._orders, self.tape, Costs(costs))
        means = DEFAULT_CASH if cash is None else cash
        self._clients = Clients(profile, state, self.ledger, clock, means, self._portfolio.follow)
        self._floor = Floor(
            clock, self.tape, self.ledger, self._orders, self._portfolio, self._hours, self._clients.get
        )
        checks = Checks(self.tape, self._portfolio, self._hours)
        self._counter = Counter(state, clock, self.ledger, self._orders, self._floor, checks)
        self._reserved = Reservations(state, clock, self._counter, checks, self._hours)
        self._corporate = Corporate(state, clock, self.ledger, self._portfolio, self._floor, self.tape, Costs(costs))
        self._on_trade: list[Callable[[Trade], None]] = []
        self._on_book: list[Callable[[OrderBook], None]] = []
        self._on_order: list[Callable[[OrderEvent], None]] = []
        with state.transaction():
            self._floor.expire(clock.market_now())  # what ended while the exchange was away

    @classmethod
    def open(
        cls, state: State, clock: ExchangeClock, tape: str | None, speed: float | None, profile: Profile, cash: Cash,
        lead_s: float = 0.0, costs: CostMode = CostMode.NONE,
    ) -> Exchange:  # fmt: skip
        """Go on where the state left off. `tape` None is the tape of last time, else synthetic.

        A replay of the same files goes on from its last market time; jumps and halts last as long as their tape. One
        that begins does so `lead_s` (wall seconds) before its first print.

        Raises:
            ConfigError: the tape cannot be used.
        """
        before = json.loads(state.get("tape") or "{}")
        source = open_source(tape or before.get("spec") or "synthetic")
        same = before.get("spec") == source.spec
        at = None
        if same and before.get("market_at"):
            # What is in the ledger has happened, also when the kill came before the market time was written down.
            seen = [e.market_at for e in Ledger(state).events(after=before["seq"])]
            at = max(datetime.fromisoformat(text) for text in [before["market_at"], *seen[-1:]])
        begin_market_time(clock, source, speed or (before.get("speed") if same else None) or 1.0, at, lead_s)
        exchange = cls(state, clock, source, profile=profile, cash=cash, costs=costs)
        if same:
            exchange.tape.restore_overlays(before.get("overlays") or "{}")
        exchange.keep_tape()
        return exchange

    async def committed(self) -> None:
        """Wait until every change so far is on the disk."""
        await self._state.committed()

    # -- accounts and tokens

    def account(self, broker: BrokerName, env: ExEnv, number: str, *, app_key: str | None = None) -> Account:
        """Find an account; compat makes it on first use. Remembers that `app_key` used it.

        Raises:
            UnknownAccount: strict, and nobody registered it (for this key).
        """
        return self._clients.account(broker, env, number, app_key)

    def account_of_key(self, broker: BrokerName, app_key: str) -> Account:
        """The account that belongs to a key (LS); compat derives one. Raises UnknownAccount."""
        return self._clients.account_of_app_key(broker, app_key)

    def account_of_token(self, token: IssuedToken) -> Account:
        """The account of the key that a token was issued to (LS). Raises UnknownAccount."""
        return self._clients.account_of_key(token.broker, token.env, token.key_id)

    def accounts(self) -> list[Account]:
        return self._clients.all()

    def used_by(self, account: AccountId, key_id: str) -> bool:
        """Say whether the key of this fingerprint ever used the account (compat: its sockets get its notices)."""
        return self._clients.used_by(account, key_id)

    def register(
        self,
        *,
        broker: BrokerName,
        env: ExEnv,
        app_key: str,
        secret: str,
        account: str,
        hts_id: str,
        cash: Cash | None,
        holdings: list[Lot],
    ) -> Account:
        """Open an account or give a known one new keys; the cash and shares named are brought to these amounts."""
        opened = new_account(broker, env, account, app_key, secret, hts_id)
        self._clients.register(opened, cash, holdings)
        return opened

    def issue_token(self, broker: BrokerName, env: ExEnv, app_key: str, lifetime_s: float) -> IssuedToken:
        """A new token (the wire decides whether to hand out `current_token` again). Writes TOKEN to the ledger."""
        return self._clients.issue(broker, env, app_key, timedelta(seconds=lifetime_s))

    def current_token(self, broker: BrokerName, env: ExEnv, app_key: str) -> IssuedToken | None:
        """The newest token of the key that is neither expired nor revoked."""
        return self._clients.current(broker, env, app_key)

    def check_token(self, value: str) -> IssuedToken | None:
        """The token, also when expired (compare expires_at with clock.wall_now()); None: unknown or revoked."""
        return self._clients.token(value)

    def revoke_token(self, value: str) -> bool:
        return self._clients.revoke(value)

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
        session: OrderSession = OrderSession.REGULAR,
    ) -> ExOrder:
        """Take an order: checked, numbered, written down. It meets the market at the next `advance()`.

        Raises:
            Reject: nothing was placed; the ledger has a REJECT row.
        """
        self.advance()
        return self._counter.place(
            account.id, market=market, symbol=symbol, side=side, quantity=quantity, price=price, order_type=order_type,
            venue=venue, time_in_force=time_in_force, session=session,
        )  # fmt: skip

    def amend(self, account: Account, order_no: int, *, quantity: int | None, price: Decimal | None) -> ExOrder:
        """Take `quantity` shares (None: all that is left) out of an order into a new one at another price.

        The new row has its own order_no and orig_order_no, and goes to the end of the queue. `price` None keeps the
        price. Raises Reject as `place`.
        """
        self.advance()
        return self._counter.amend(account, order_no, quantity, price)

    def cancel(self, account: Account, order_no: int, *, quantity: int | None) -> ExOrder:
        """Take `quantity` shares (None: all that is left) of an order out of the market; returns the request's own row.

        Allowed while halted or closed. Raises Reject as `place`.
        """
        self.advance()
        return self._counter.cancel(account, order_no, quantity)

    def refuse(
        self,
        account: Account,
        reason: RejectReason,
        text: str,
        *,
        symbol: str | None = None,
        side: Side | None = None,
        quantity: int | None = None,
        price: Decimal | None = None,
    ) -> NoReturn:
        """Refuse what a wire cannot even put into an order: a REJECT row is written, then Reject raised."""
        self._counter.refuse(account, reason, text, symbol, side, quantity, price)

    def order(self, account: Account, order_no: int) -> ExOrder | None:
        return self._counter.order(account, order_no)

    def open_orders(self, account: Account, market: Market) -> list[ExOrder]:
        """Orders that still work, newest first."""
        return self._counter.open_orders(account, market)

    def orders(self, account: Account, market: Market, since: date, until: date) -> list[ExOrder]:
        """Rows of the exchange-local trade dates, newest first; cancel requests are rows of kind CANCEL."""
        return self._counter.orders(account, market, since, until)

    # -- reserved orders

    def reserve(
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
    ) -> Reservation:
        """Take an order for the next session's open; cash and shares are looked at when it is sent.

        Raises:
            Reject: the market takes no reservation now, or never one of this kind.
        """
        self.advance()
        return self._reserved.take(account.id, market, symbol, side, quantity, price, order_type, venue)

    def cancel_reservation(self, account: Account, no: int) -> Reservation:
        """Take a waiting reservation back. Raises Reject (UNKNOWN_ORDER, ALREADY_DONE)."""
        self.advance()
        return self._reserved.cancel(account.id, no)

    def reservations(self, account: Account, market: Market, since: date, until: date) -> list[Reservation]:
        """Reservations made on these exchange-local dates, newest first."""
        return self._reserved.listed(account.id, market, since, until)

    def executions(self, account: Account, order_no: int) -> list[Execution]:
        return self._orders.executions((account.broker, account.env, order_no))

    def holdings(self, account: Account, market: Market) -> list[Holding]:
        return self._portfolio.holdings(account.id, market)

    def cash(self, account: Account, currency: Currency) -> CashView:
        return self._portfolio.cash(account.id, currency)

    def realized(self, account: Account, market: Market, since: date, until: date) -> list[RealizedRow]:
        """What sales brought, by exchange-local trade date and symbol, oldest first; costs of both sides apart."""
        return self._portfolio.realized(account.id, market, since, until)

    def buying_power(self, account: Account, market: Market, symbol: str, price: Decimal | None) -> tuple[Decimal, int]:
        """(orderable amount, shares); price None: KRX upper limit, US last price."""
        return self._portfolio.buying_power(account.id, market.currency, symbol, price)

    # -- market data

    def quote(self, symbol: str) -> Trade:
        """The last trade. KeyError for an unlisted symbol: ask `listing` first."""
        return self.tape.quote(symbol)

    def book(self, symbol: str) -> OrderBook:
        """Ten levels each side."""
        return self.tape.book(self.tape.quote(symbol))

    def bars(self, symbol: str, timeframe: Timeframe, count: int, until: datetime | None = None) -> list[Bar]:
        """Oldest first; the forming one last with closed=False. `until` (aware): bars that start at or before it."""
        return self.tape.bars(symbol, timeframe, count, until)

    def trades(self, symbol: str, count: int) -> list[Trade]:
        """The newest `count` trades at most, newest last."""
        return self.tape.trades(symbol, count)

    def listing(self, symbol: str) -> Listing | None:
        return self.tape.listings.get(symbol)

    def listings(self, market: Market) -> list[Listing]:
        return [listing for listing in self.tape.listings.values() if listing.market is market]

    def price_limits(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """(lower, upper) of a KRX symbol today; None for US."""
        return self.tape.limits(symbol)

    def tick_size(self, symbol: str, price: Decimal) -> Decimal:
        return self.tape.tick_size(symbol, price)

    def halted(self, symbol: str) -> bool:
        return self.tape.halted(symbol)

    def expected(self, symbol: str) -> tuple[Decimal, int] | None:
        """(price, shares) that the running call auction would trade at now (예상체결); None outside of auctions."""
        return self._floor.expected(symbol)

    def session_open(self, symbol: str) -> bool:
        """Say whether the symbol's home market takes orders now; strict keeps real hours whatever the tape does."""
        listing = self.listing(symbol)
        stage = None if listing is None else self._hours.main_stage(listing, self.clock.market_now())
        return stage is not None and not stage.on_open_only

    def next_auction(self, market: Market) -> datetime | None:
        """When the next call auction of a market ends; None where a replay's days decide."""
        return self._hours.next_auction(market, self.clock.market_now())

    def trade_date(self, market: Market) -> date:
        """Exchange-local date of market time."""
        return self.tape.trade_date(market)

    # -- listeners: plain synchronous callbacks on the loop

    def subscribe_trades(self, callback: Callable[[Trade], None]) -> None:
        self._on_trade.append(callback)

    def subscribe_books(self, callback: Callable[[OrderBook], None]) -> None:
        """Hear the book after each trade."""
        self._on_book.append(callback)

    def subscribe_orders(self, callback: Callable[[OrderEvent], None]) -> None:
        self._on_order.append(callback)

    # -- the market moves

    def advance(self) -> None:
        """Play the tape up to now, match, write the fills down, then tell listeners. Called many times a second."""
        self._reserved.send_due()
        trades = self.tape.advance()
        with self._state.transaction_if(not self._floor.idle):
            self._floor.play(trades)
        events, self._floor.events = self._floor.events, []
        if trades or events:
            self._state.after_commit(lambda: self._tell(trades, events))

    def _tell(self, trades: list[Trade], events: list[OrderEvent]) -> None:
        for trade in trades:
            for on_trade in self._on_trade:
                on_trade(trade)
            if self._on_book:
                shown = self.tape.book(trade)
                for on_book in self._on_book:
                    on_book(shown)
        for event in events:
            for on_order in self._on_order:
                on_order(event)

    def load_tape(self, source: Source, speed: float) -> None:
        """Begin another tape: its market time starts now, and open orders of the old one expire."""
        self.advance()
        with self._state.transaction():
            self._floor.close_all("TAPE")
        begin_market_time(self.clock, source, speed)
        self.tape.load(source)
        self.keep_tape()

    def move(self, symbol: str, *, price: Decimal | None = None, halted: bool | None = None) -> None:
        """Set a symbol's price from now on (within its limits), or halt or resume it. Raises NotFound."""
        self.advance()
        if price is not None:
            self.tape.set_price(symbol, price)
        if halted is not None:
            self.tape.halt(symbol, halted)
        self.keep_tape()
        self.advance()

    def interrupt(self, symbol: str) -> None:
        """Set off a volatility interruption (VI, in the US a LULD pause): minutes of call auction. Raises NotFound."""
        self.advance()
        self.tape.interrupt(symbol)
        self.keep_tape()

    def break_circuit(self, market: Market, broken: bool) -> None:
        """Stop a whole market as its circuit breaker does, or let it go on before its time."""
        self.advance()
        self.tape.break_circuit(market, broken)
        self.keep_tape()

    def split(self, symbol: str, new: int, old: int) -> None:
        """Make `new` shares of every `old`: holdings, prices and the base price; open orders expire. Raises NotFound."""
        self.advance()
        self._corporate.split(symbol, new, old)
        self.keep_tape()
        self.advance()

    def pay_dividend(self, symbol: str, per_share: Decimal) -> None:
        """Pay every holder, less what is withheld where costs are charged. Raises NotFound."""
        self.advance()
        self._corporate.pay_dividend(symbol, per_share)

    @property
    def sessions(self) -> Sessions:
        """What clients are told: always open, or the calendar's hours."""
        return Sessions.CALENDAR if self.profile is Profile.STRICT else self.clock.sessions

    def keep_tape(self) -> None:
        """Write down what a restart needs to go on from here: the tape, its market time, jumps and halts."""
        replayed = self.clock.sessions is Sessions.CALENDAR
        kept = {
            "spec": self.tape.source.spec,
            "speed": self.clock.speed,
            "market_at": self.clock.market_now().isoformat() if replayed else None,
            "seq": self.ledger.seq,
            "overlays": self.tape.dump_overlays(),
        }
        with self._state.transaction():
            self._state.put("tape", json.dumps(kept))

    # -- inside

    def _write_fault(self, fault: Fault, broker: BrokerName, env: ExEnv, account: str, symbol: str) -> None:
        with self._state.transaction():
            self.ledger.append(
                EventType.FAULT, at=self.clock.wall_now(), market_at=self.clock.market_now(),
                account=AccountId(broker, env, account) if account else None,
                broker=broker, env=env, symbol=symbol or None, code=fault.action,
            )  # fmt: skip


def begin_market_time(
    clock: ExchangeClock, source: Source, speed: float, at: datetime | None = None, lead_s: float = 0.0
) -> None:
    """Set the clock for a tape: wall time for a synthetic one, else from `at`, or `lead_s` before the first print, on."""
    if source.starts_at is None:
        clock.follow_wall()
    else:
        clock.shift(at or source.starts_at - timedelta(seconds=lead_s * speed), speed)
