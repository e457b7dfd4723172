"""Clearance: everything the guards look at, taken in one step of the loop, and the last look before the wire."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from bots.config import BotConfig
from bots.daybook import DayBook
from bots.feed import Feed
from bots.lease import StoreLease
from bots.orders import DeskOrder
from bots.own_orders import OwnOrders
from bots.portfolio import Portfolio
from bots.pricing import kept_price
from bots.risk.guards import check, kill_denies, paid_for, reduces
from bots.risk.kill_switch import KillSwitch
from bots.risk.snapshot import Elsewhere, Limits, Snapshot
from bots.trading_hours import TradingHours
from shared.clock import Clock
from shared.domain.account import AccountKey, Environment, Market
from shared.domain.bot_state import BotState
from shared.domain.instrument import Instrument
from shared.domain.market import Detail
from shared.domain.order import OrderRequest, Side
from shared.domain.order_state import OrderStatus
from shared.domain.signal import Allowed, Denied
from shared.domain.venue_rules import tick_size
from shared.store.exposure import OpenElsewhere, Siblings

SILENT_S = 5.0  # no tick of any symbol for this long: the stream is not to be trusted
US_MARKET_COLLAR = Decimal("1.06")  # a US order without a price leaves as a limit 5 % beyond the last
KRX_MARKET_COLLAR = Decimal("1.3")
FAILURE_REST = timedelta(seconds=60)
MINUTE = timedelta(seconds=60)
WITHIN_COLLAR = Decimal("0.9")  # the price may move while the order is on its way to the guards
CROSSING_PATIENCE_S = 10.0  # an exit waits so long for another account's order to go, then it goes itself


class Clearance:
    def __init__(
        self, market: Market, orders: OwnOrders, portfolio: Portfolio, daybook: DayBook, feed: Feed,
        hours: TradingHours, kill_switch: KillSwitch, lease: StoreLease, clock: Clock,
        state: Callable[[], BotState], store_away_s: Callable[[], float],
    ) -> None:  # fmt: skip
        self._market, self._orders, self._portfolio, self._daybook = market, orders, portfolio, daybook
        self._feed, self._hours, self._kill, self._lease, self._clock = feed, hours, kill_switch, lease, clock
        self._state, self._store_away_s = state, store_away_s
        self.limits = Limits()
        self.instruments: dict[str, Instrument] = {}
        self.no_entries: str | None = None  # why nothing may be entered at present: the calendars disagree
        self.doubt: Callable[[], str | None] = lambda: None  # why this process itself is not fit to enter
        self.speed: Callable[[], float] = lambda: 1.0  # market seconds per wall second
        self.details: dict[str, Detail] = {}  # halts and lots, where the broker tells them
        self.account_doubt: str | None = None  # why this may not be the configured account
        self.live = False
        self.first_traded_on: str | None = (
            None  # ISO trade date of the first order, as the store told at the last reload
        )
        self.elsewhere: Callable[[], tuple[Siblings | None, float]] | None = None  # the owner's others, and how old
        self._crossing_since: dict[tuple[str, Side], float] = {}  # exits that another account's order holds back

    def configure(self, config: BotConfig, running: AccountKey, at_broker: AccountKey) -> None:
        """Put limits and hours in force; a configuration of another account or environment stops every order."""
        self.limits, self.first_traded_on = config.limits, config.first_traded_on
        self._hours.extend(config.extended_hours)
        self.live = running.environment is Environment.LIVE
        same = config.key == running == at_broker
        self.account_doubt = None if same else f"설정 {config.key}, 이 봇 {running}, 증권사 쪽 {at_broker}"

    def check(
        self,
        request: OrderRequest,
        *,
        rule_max_shares: int | None = None,
        cooldown_s: int = 0,
        version_doubt: str | None = None,
    ) -> Allowed | Denied:
        """Run the guards on the state as it is now; place the order in the same step of the loop."""
        limits = replace(self.limits, rule_max_shares=rule_max_shares, max_owner_amount=self._owner_limit())
        snapshot = replace(self._snapshot(request, cooldown_s), version_doubt=version_doubt)
        return self._patient(request, snapshot, limits)

    def _patient(self, request: OrderRequest, snapshot: Snapshot, limits: Limits) -> Allowed | Denied:
        """An exit that would meet the owner's own order elsewhere waits for that order to go, but not for ever."""
        outcome = check(request, snapshot, limits)
        key, now = (request.symbol, request.side), self._clock.monotonic()
        if not isinstance(outcome, Denied) or outcome.code != "opposite_order":
            if isinstance(outcome, Allowed):
                self._crossing_since.pop(key, None)
            return outcome
        if reduces(request) and now - self._crossing_since.setdefault(key, now) >= CROSSING_PATIENCE_S:
            return check(request, replace(snapshot, elsewhere=None), limits)
        return outcome

    def in_the_way(self, request: OrderRequest) -> tuple[OpenElsewhere, ...]:
        """Open orders of the owner's other accounts that `request` would trade with."""
        known = self.elsewhere()[0] if self.elsewhere is not None else None
        return (
            ()
            if known is None
            else tuple(
                one
                for one in known.orders
                if one.symbol == request.symbol and one.side is request.side.opposite and one.meets(request.price)
            )
        )

    def gate(self, request: OrderRequest | None) -> Denied | None:
        """The last line before the wire: fencing, then the kill switch (files read now). Cancels pass the switch."""
        fenced = self._lease.fenced()
        if fenced is not None:
            return Denied("fenced", fenced)
        if request is None:
            return None
        doubt = None if reduces(request) else self.doubt()
        return Denied("unfit", doubt) if doubt is not None else kill_denies(request, self._kill.level())

    def in_fallback(self) -> bool:
        return self._feed.in_fallback(SILENT_S)

    def _snapshot(self, request: OrderRequest, cooldown_s: int) -> Snapshot:
        symbol, side = request.symbol, request.side
        now, today = self._clock.market_now(), self._hours.trade_date(self._clock.market_now())
        mine = [order for order in self._orders.open() if order.symbol == symbol]
        buys = [order for order in mine if order.side is Side.BUY]
        quote = self._feed.quotes.get(symbol)
        last = self._feed.price(symbol)
        failures, rest_s = self._failures(symbol, side)
        recent = self._recent()
        return Snapshot(
            now=now,
            kill_level=self._kill.level(),
            bot_state=self._state(),
            fenced=self._lease.fenced(),
            session=self._hours.refusal(now, request.venue, request.order_type, request.time_in_force, request.session),
            last=last,
            last_age_s=self._feed.age_s(symbol),
            from_fallback=self.in_fallback() or symbol in self._feed.polled,
            tick=self._tick(symbol, request.price),
            lower_limit=quote.lower_limit if quote else None,
            upper_limit=quote.upper_limit if quote else None,
            reserve_price=self._reserve_price(symbol, last),
            store_away_s=self._store_away_s(),
            buying_power=self._portfolio.buying_power(),
            free_to_sell=self._portfolio.free_to_sell(symbol),
            open_buy_amount=sum((self._portfolio.reserve(order) for order in buys), Decimal(0)),
            held_amount=(last or Decimal(0)) * self._portfolio.held(symbol),
            rule_shares=self._rule_shares(request.rule_id, symbol, buys),
            day_bought=self._daybook.bought(today, self._portfolio.reserve),
            day_pnl=self._daybook.pnl(today, self._feed.price),
            loss_halted=self._daybook.halted(today, self.limits.max_daily_loss),
            day_orders=self._daybook.order_count(today),
            in_flight=any(order.side is side for order in mine),
            frozen=self._frozen(request),
            signal_used=self._signal_used(request.signal_key),
            failures=failures,
            failures_left_s=rest_s,
            cooldown_left_s=self._cooldown_left(request, cooldown_s),
            crossing=_crossing(side, mine),
            account_doubt=self.account_doubt,
            account_currency=self._market.currency,
            untradable=self._untradable(symbol),
            lot=(self.details[symbol].lot or 1) if symbol in self.details else 1,
            account_amount=self._account_amount(),
            elsewhere=self._elsewhere(symbol),
            minute_orders=len(recent),
            repeats=sum(1 for one in recent if one.filled_quantity and _same(one.request, request)),
            first_day=self._first_day(today),
        )

    def _owner_limit(self) -> Decimal | None:
        known = self.elsewhere()[0] if self.elsewhere is not None else None
        return None if known is None else known.owner_limit

    def _untradable(self, symbol: str) -> str | None:
        detail = self.details.get(symbol)
        if detail is None or detail.tradable is not False:
            return None  # where the broker does not tell, its answer to the order does
        return f"{symbol} 거래정지: {detail.warning or '증권사가 주문을 받지 않음'}"

    def _account_amount(self) -> Decimal:
        """Holdings at market and open buys, unknown ones as if filled; what has no price counts at its cost."""
        held = sum(
            ((one.last_price or one.average_price) * one.quantity for one in self._portfolio.positions()), Decimal(0)
        )
        buys = (order for order in self._orders.open() if order.side is Side.BUY)
        return held + sum((self._portfolio.reserve(order) for order in buys), Decimal(0))

    def _elsewhere(self, symbol: str) -> Elsewhere | None:
        if self.elsewhere is None:
            return None
        known, age_s = self.elsewhere()
        if known is None:
            return Elsewhere(age_s=math.inf)
        if known.accounts == 0:
            return None if known.owner_limit is None else Elsewhere(0.0, Decimal(0))
        theirs = [one for one in known.orders if one.symbol == symbol]
        sells = [one.price or Decimal(0) for one in theirs if one.side is Side.SELL]
        buys = [one.price or Decimal("Infinity") for one in theirs if one.side is Side.BUY]
        return Elsewhere(age_s, known.amount, min(sells, default=None), max(buys, default=None))

    def _first_day(self, today: date) -> bool:
        """A LIVE account that never sent an order on an earlier trade date."""
        if not self.live or (self.first_traded_on is not None and self.first_traded_on < today.isoformat()):
            return False
        return not any(one.sent_at is not None and one.trade_date < today for one in self._orders.all())

    def _recent(self) -> list[DeskOrder]:
        """Orders of the last market minute that went to the broker, or may have."""
        since = self._clock.wall_now() - MINUTE / self.speed()
        return [one for one in self._orders.all() if one.sent_at is not None and one.sent_at > since]

    def _tick(self, symbol: str, price: Decimal | None) -> Decimal | None:
        instrument = self.instruments.get(symbol)
        if instrument is None or price is None or price <= 0:
            return None
        today = self._hours.trade_date(self._clock.market_now())
        return tick_size(self._market, price, today, instrument_type=instrument.type, board=instrument.board or "KOSPI")

    def _reserve_price(self, symbol: str, last: Decimal | None) -> Decimal | None:
        quote = self._feed.quotes.get(symbol)
        if quote is not None and quote.upper_limit is not None:
            return quote.upper_limit
        collar = KRX_MARKET_COLLAR if self._market is Market.KRX else US_MARKET_COLLAR
        return None if last is None else last * collar

    def sale_price(self, instrument: Instrument, price: Decimal) -> Decimal:
        """Raise the price of an exit to the lowest that the guards let pass: the day's limit, the collar around the last.

        In a falling market ticks below the best bid may reach further; refused for that, a stop would never sell.
        """
        last, quote = self._feed.price(instrument.symbol), self._feed.quotes.get(instrument.symbol)
        bounds = [] if quote is None or quote.lower_limit is None else [quote.lower_limit]
        if last is not None:
            reach = self.limits.price_collar_pct * WITHIN_COLLAR / 100
            today = self._hours.trade_date(self._clock.market_now())
            bounds.append(kept_price(self._market, instrument, Side.SELL, last * (1 - reach), today))
        return max([price, *bounds])

    def affordable(self, symbol: str, price: Decimal | None) -> int | None:
        """The shares that the cash left pays for at a limit, or at worst without one; None: not known."""
        each = price if price is not None else self._reserve_price(symbol, self._feed.price(symbol))
        power = self._portfolio.buying_power()
        if each is None or each <= 0 or power is None:
            return None
        lot = (self.details[symbol].lot or 1) if symbol in self.details else 1
        return paid_for(each, power) // lot * lot

    def _rule_shares(self, rule_id: int | None, symbol: str, buys: list[DeskOrder]) -> int:
        if rule_id is None:
            return 0
        lot = self._orders.lots.get(rule_id, symbol)
        return (lot.quantity if lot else 0) + sum(one.leaves for one in buys if one.request.rule_id == rule_id)

    def _frozen(self, request: OrderRequest) -> str | None:
        if not reduces(request) and self.no_entries is not None:
            return self.no_entries
        if not reduces(request) and (doubt := self.doubt()) is not None:
            return doubt
        if not reduces(request) and request.symbol in self._portfolio.drift:
            ours, theirs = self._portfolio.drift[request.symbol]
            return f"잔고 불일치: 우리 {ours}주, 증권사 {theirs}주"
        return self._orders.frozen(request.symbol, request.side)

    def _signal_used(self, signal_key: str | None) -> bool:
        return signal_key is not None and any(one.request.signal_key == signal_key for one in self._orders.all())

    def _failures(self, symbol: str, side: Side) -> tuple[int, float]:
        """Proven refusals in a row on this symbol and side, and the seconds that are left of the rest after the last."""
        past = [one for one in self._orders.all() if one.symbol == symbol and one.side is side and not one.is_open]
        count = 0
        for order in reversed(past):
            if order.status is not OrderStatus.REJECTED:
                break
            count += 1
        if not count:
            return 0, 0.0
        rest = past[-1].created_at + FAILURE_REST * count - self._clock.wall_now()
        return count, max(rest.total_seconds(), 0.0)

    def _cooldown_left(self, request: OrderRequest, cooldown_s: int) -> float:
        """Seconds of market time until the rule may enter this symbol again, counted from its last order in it."""
        if cooldown_s <= 0 or request.rule_id is None:
            return 0.0
        past = [
            one.market_at
            for one in self._orders.all()
            if one.symbol == request.symbol and one.request.rule_id == request.rule_id
        ]
        if not past:
            return 0.0
        return max(cooldown_s - (self._clock.market_now() - max(past)).total_seconds(), 0.0)


def _same(one: OrderRequest, other: OrderRequest) -> bool:
    return (one.rule_id, one.symbol, one.side) == (other.rule_id, other.symbol, other.side)


def _crossing(side: Side, mine: list[DeskOrder]) -> Decimal | None:
    """The best price of our own open orders on the other side; one without a price meets everything."""
    others = [one for one in mine if one.side is side.opposite]
    if not others:
        return None
    if side is Side.BUY:
        return min(one.price if one.price is not None else Decimal(0) for one in others)
    return max(one.price if one.price is not None else Decimal("Infinity") for one in others)
