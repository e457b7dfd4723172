"""An exchange on a clock that only moves when told to: what the engine's tests share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from brokers.paper.accounts import Account, ExEnv, Profile
from brokers.paper.clock import ExchangeClock
from brokers.paper.costs import CostMode
from brokers.paper.exchange import Exchange
from brokers.paper.orders import ExOrder, OrderEvent
from brokers.paper.state import State
from shared.domain.account import BrokerName, Market
from shared.domain.instrument import Venue
from shared.domain.order import OrderSession, OrderType, Side, TimeInForce

SUNDAY_NIGHT = datetime(2026, 11, 22, 13, 0, 0, tzinfo=UTC)


class HandClock:
    def __init__(self, at: datetime = SUNDAY_NIGHT) -> None:
        self.at = at

    def wall_now(self) -> datetime:
        return self.at

    def market_now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Rig:
    """One exchange in one folder; `again()` is a restart on the same state."""

    def __init__(
        self,
        folder: Path,
        tape: str | None = "synthetic:7",
        *,
        at: datetime = SUNDAY_NIGHT,
        speed: float | None = None,
        profile: Profile = Profile.COMPAT,
        costs: CostMode = CostMode.NONE,
    ) -> None:
        self.folder, self.tape, self.speed, self.profile, self.costs = folder, tape, speed, profile, costs
        self.hand = HandClock(at)
        self._open()

    def _open(self) -> None:
        self.state = State(self.folder)
        cash = {"KRW": Decimal(100_000_000), "USD": Decimal(100_000)}
        self.exchange = Exchange.open(
            self.state,
            ExchangeClock(self.hand),
            self.tape,
            self.speed,
            self.profile,
            cash,  # type: ignore[arg-type]
            costs=self.costs,
        )
        if self.profile is Profile.STRICT:
            self.exchange.register(
                broker=BrokerName.KIS, env=ExEnv.LIVE, app_key="key", secret="secret", account="12345678-01",
                hts_id="", cash=None, holdings=[],
            )  # fmt: skip
        self.told: list[OrderEvent] = []
        self.exchange.subscribe_orders(self.told.append)

    def again(self) -> None:
        self.state.close()
        self._open()

    def close(self) -> None:
        self.state.close()

    def run(self, seconds: float, step_s: float = 0.25) -> None:
        end = self.hand.at + timedelta(seconds=seconds)
        while self.hand.at < end:
            self.hand.at = min(end, self.hand.at + timedelta(seconds=step_s))
            self.exchange.advance()

    @property
    def kis(self) -> Account:
        return self.exchange.account(BrokerName.KIS, ExEnv.LIVE, "12345678-01")

    def order(
        self,
        side: Side,
        symbol: str,
        quantity: int,
        price: object = None,
        *,
        order_type: OrderType | None = None,
        time_in_force: TimeInForce = TimeInForce.DAY,
        account: Account | None = None,
        venue: Venue | None = None,
        session: OrderSession = OrderSession.REGULAR,
    ) -> ExOrder:
        listing = self.exchange.listing(symbol)
        market = listing.market if listing else Market.US
        return self.exchange.place(
            account or self.kis,
            market=market,
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=None if price is None else Decimal(str(price)),
            order_type=order_type or (OrderType.MARKET if price is None else OrderType.LIMIT),
            venue=venue or (listing.venue if listing else Venue.NASDAQ),
            time_in_force=time_in_force,
            session=session,
        )

    def buy(self, symbol: str, quantity: int, price: object = None) -> ExOrder:
        return self.order(Side.BUY, symbol, quantity, price)

    def sell(self, symbol: str, quantity: int, price: object = None) -> ExOrder:
        return self.order(Side.SELL, symbol, quantity, price)

    def until(self, at: datetime) -> None:
        """Let time pass without a look at every second: the exchange is moved on at `at`."""
        self.hand.at = at
        self.exchange.advance()

    def ledger(self, kind: str | None = None) -> list[tuple[object, ...]]:
        return [
            (e.type, e.order_id, e.orig_order_id, e.symbol, e.side, e.quantity, e.price, e.cum_quantity, e.code)
            for e in self.exchange.ledger.events(kind=kind)
        ]
